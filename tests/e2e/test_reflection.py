"""What gRPC reflection says, to clients that speak v1 and to those that speak v1alpha."""

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2 as pb

from tests.contract import CONTRACT

INVENTORIES = {"reservation.v1.Inventory", "reservation.v1.InventoryService"}


def asked(channel, version, **fields):
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=pb.ServerReflectionRequest.SerializeToString,
        response_deserializer=pb.ServerReflectionResponse.FromString,
    )
    return next(call(iter([pb.ServerReflectionRequest(**fields)]), timeout=10))


@pytest.mark.parametrize("server", ["native", "grpcio"])
@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_every_service_that_is_listed_is_described_with_all_it_needs(up, server, version):
    platform = up("--server", server)
    with grpc.insecure_channel(platform.grpc) as channel:
        listed = {one.name for one in asked(channel, version, list_services="").list_services_response.service}
        assert {rpc.service for rpc in CONTRACT.rpcs} | INVENTORIES <= listed
        assert {f"grpc.reflection.{each}.ServerReflection" for each in ("v1", "v1alpha")} <= listed
        for service in listed:
            answer = asked(channel, version, file_containing_symbol=service)
            files = [
                descriptor_pb2.FileDescriptorProto.FromString(one)
                for one in answer.file_descriptor_response.file_descriptor_proto
            ]
            pool, waiting = descriptor_pool.DescriptorPool(), {file.name: file for file in files}
            while waiting:
                ready = next(one for one in waiting.values() if not set(one.dependency) & set(waiting))
                pool.Add(waiting.pop(ready.name))
            assert pool.FindServiceByName(service).methods
        none = asked(channel, version, file_containing_symbol="reservation.v1.NoSuchService")
        assert none.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]

"""gRPC reflection, v1 and v1alpha, of everything that is served.

The library speaks v1alpha only. The messages of v1 are the same, field for field, so the same servicer answers both;
what differs are the names, here and in the descriptors. These are kept in a pool of their own: it has the second name
of inventory too, which no .proto file has.
"""

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

from traffic_tacos.calls.policy import INVENTORY, INVENTORY_TOO

V1ALPHA = reflection.SERVICE_NAME
V1 = V1ALPHA.replace("v1alpha", "v1")


def add_reflection(server: Any, services: Iterable[str], files: Iterable[FileDescriptor]) -> None:
    """Let the server describe these services, whose descriptors are in these files."""
    names = (*services, health.SERVICE_NAME, V1, V1ALPHA)
    servicer = ReflectionServicer(names, pool=_pool(files))
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(V1, {"ServerReflectionInfo": handler}),))


def _pool(files: Iterable[FileDescriptor]) -> Any:
    pool, added = descriptor_pool.DescriptorPool(), set[str]()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for needed in file.dependencies:
            add(needed)
        pool.Add(_named_twice(_proto(file)))

    for file in (*files, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        add(file)
    pool.Add(_renamed(_proto(reflection_pb2.DESCRIPTOR)))
    return pool


def _proto(file: FileDescriptor) -> descriptor_pb2.FileDescriptorProto:
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    return proto


def _named_twice(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """The file with inventory under its second name as well."""
    for service in tuple(file.service):
        if f"{file.package}.{service.name}" == INVENTORY:
            file.service.add().CopyFrom(service)
            file.service[-1].name = INVENTORY_TOO.rpartition(".")[2]
    return file


def _renamed(v1alpha: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """The reflection service's own file as v1 has it."""
    text = v1alpha.SerializeToString()
    v1 = descriptor_pb2.FileDescriptorProto.FromString(text)
    v1.name, v1.package = v1.name.replace("v1alpha", "v1"), v1.package.replace("v1alpha", "v1")
    for message in v1.message_type:
        for field in (one for one in message.field if one.HasField("type_name")):
            field.type_name = field.type_name.replace("v1alpha", "v1")
    for method in v1.service[0].method:
        method.input_type = method.input_type.replace("v1alpha", "v1")
        method.output_type = method.output_type.replace("v1alpha", "v1")
    return v1

"""Refusals as gRPC statuses."""

from google.rpc import status_pb2

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.kernel.errors import Code, Detail, Refusal


def test_a_status_fits_into_the_trailers_that_clients_take():
    many = [Detail(f"seats[{number}]", "must be free" * 5, "x" * 80) for number in range(500)]
    _, message, trailers = wire.status(Refusal(Code.INVENTORY_CONFLICT, "m" * 5000, *many), "t")
    raw = dict(trailers)[wire.STATUS_TRAILER]
    assert len(message) == wire.STATUS_MESSAGE_LENGTH_MAX
    assert 1000 < len(raw) <= wire.STATUS_BYTES_MAX
    error = errors_pb2.Error()
    assert status_pb2.Status.FromString(raw).details[0].Unpack(error)
    assert (error.trace_id, error.details[0].field) == ("t", "seats[0]")

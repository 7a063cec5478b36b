"""What crosses the wire, and how a room asks another."""

import pytest
from google.rpc import status_pb2

from tests.clocks import HandClock
from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import errors_pb2, types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Call, Caller
from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.upstream import Upstream


def test_a_status_fits_into_the_trailers_that_clients_take():
    many = [Detail(f"seats[{number}]", "must be free" * 5, "x" * 80) for number in range(500)]
    _, message, trailers = wire.status(Refusal(Code.INVENTORY_CONFLICT, "m" * 5000, *many), "t")
    raw = dict(trailers)[wire.STATUS_TRAILER]
    assert len(message) == wire.STATUS_MESSAGE_LENGTH_MAX
    assert 1000 < len(raw) <= wire.STATUS_BYTES_MAX
    error = errors_pb2.Error()
    assert status_pb2.Status.FromString(raw).details[0].Unpack(error)
    assert (error.trace_id, error.details[0].field) == ("t", "seats[0]")


def test_what_has_the_same_shape_is_passed_on_whole_with_what_is_ones_own_instead():
    asked = gateway_pb2.CreateReservationRequest(
        event_id="evt", seat_ids=["a", "b"], quantity=2, user_id="ana", idempotency_key="k"
    )
    asked.metadata.user_agent = "phone"
    metadata = reservation_pb2.ReservationMetadata(source="gateway")
    passed = wire.passed_on(asked, reservation_pb2.CreateReservationRequest, metadata=metadata, user_id="ben")
    assert passed == reservation_pb2.CreateReservationRequest(
        event_id="evt", seat_ids=["a", "b"], quantity=2, user_id="ben", idempotency_key="k", metadata=metadata
    )
    assert (asked.user_id, asked.metadata.user_agent) == ("ana", "phone")
    seats = [types_pb2.Seat(id="a", price=types_pb2.Money(amount=3, currency="KRW"))]
    answer = reservation_pb2.CreateReservationResponse(reservation_id="rsv", reserved_seats=seats)
    assert wire.passed_on(answer, gateway_pb2.CreateReservationResponse).reserved_seats[0].price.amount == 3


def test_what_has_another_shape_is_never_taken_for_the_same():
    asked = gateway_pb2.CreateReservationRequest(event_id="evt")
    with pytest.raises(TypeError, match="has another metadata"):
        wire.passed_on(asked, reservation_pb2.CreateReservationRequest)


@pytest.mark.parametrize(
    ("deadline_in", "seconds_max", "given"), [(None, 0.5, 0.5), (10_000, 0.5, 0.5), (200, 0.5, 0.2), (-5, 0.5, 0.0)]
)
async def test_a_room_asks_another_within_what_its_own_caller_leaves(deadline_in, seconds_max, given):
    clock = HandClock()
    deadline = None if deadline_in is None else clock.now() + deadline_in
    asked = []

    async def answer(request, *, timeout, metadata):
        asked.append((timeout, dict(metadata)))
        return queue_pb2.GetQueueStatusResponse()

    call = Call(Caller(), "trace", deadline, traceparent="00-a-b-01")
    await Upstream(None, clock).ask(answer, queue_pb2.GetQueueStatusRequest(), call, seconds_max)
    assert asked == [(given, {"x-trace-id": "trace", "traceparent": "00-a-b-01"})]

"""One key, one effect, one answer; on every call that has a key."""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, PAYMENT, RESERVATION, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2


def _bytes(answer) -> bytes:
    return answer.SerializeToString(deterministic=True)


def _create(admission, key, **changes):
    fields = {"quantity": 2, "user_id": "ana", "reservation_token": admission, **changes}
    return gateway_pb2.CreateReservationRequest(event_id=EVENT_ID, idempotency_key=key, **fields)


@on_platform
async def test_the_same_key_gives_the_same_bytes_and_another_request_a_conflict(desk):
    admission = await desk.admitted("ana")
    first = await desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "k"), "ana")
    assert code(first) == ""
    await desk.clock.sleep(2)
    again = await desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "k"), "ana")
    assert _bytes(again) == _bytes(first)
    other = await desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "k", quantity=1), "ana")
    assert code(other) == "IDEMPOTENCY_CONFLICT"
    assert (await desk.stats()).reserved_seats == 2


@on_platform
async def test_the_same_key_gives_the_same_bytes_after_a_crash(desk):
    admission = await desk.admitted("ana")
    first = await desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "k"), "ana")
    await desk.crash(down_seconds=3)
    assert _bytes(await desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "k"), "ana")) == _bytes(first)


@on_platform
async def test_fifty_at_once_have_one_effect(desk):
    admission = await desk.admitted("ana")
    answers = await asyncio.gather(
        *(desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "k"), "ana") for _ in range(50))
    )
    assert len({_bytes(answer) for answer in answers}) == 1
    assert code(answers[0]) == ""
    assert (await desk.stats()).reserved_seats == 2


@on_platform
async def test_fifty_payments_at_once_are_one_payment(desk):
    held = await desk.held("ana")
    intent = await desk.intent("ana", held)
    request = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id, idempotency_key="k")
    answers = await asyncio.gather(*(desk.as_fan(PAYMENT + "ProcessPayment", request, "ana") for _ in range(50)))
    assert len({_bytes(answer) for answer in answers}) == 1
    assert answers[0].status == payment_pb2.PAYMENT_STATUS_PROCESSING


@on_platform
async def test_a_refusal_is_remembered_with_its_trace(desk):
    await desk.held("ben", 1, ("MAIN-A-1",))
    admission = await desk.admitted("ana")
    request = _create(admission, "k", quantity=1, seat_ids=["MAIN-A-1"])
    first = await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")
    assert code(first) == "INVENTORY_CONFLICT"
    await desk.clock.sleep(61)  # the seat is free again; the answer to this key stands
    again = await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")
    assert _bytes(again) == _bytes(first)


@on_platform
async def test_a_hold_asked_for_again_after_its_deadline_is_answered_as_it_was(desk):
    request = inventory_pb2.ReserveSeatRequest(
        reservation_id="r", event_id=EVENT_ID, quantity=1, user_id="u", idempotency_key="k"
    )
    request.hold_expires_at.FromMilliseconds(desk.clock.now() + 30_000)
    first = await desk.as_service(INVENTORY + "ReserveSeat", request)
    assert code(first) == ""
    await desk.clock.sleep(31)
    assert _bytes(await desk.as_service(INVENTORY + "ReserveSeat", request)) == _bytes(first)


@on_platform
async def test_a_key_is_forgotten_after_its_window(desk):
    admission = await desk.admitted("ana")
    request = _create(admission, "k", quantity=1)
    first = await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")
    cancel = gateway_pb2.CancelReservationRequest(
        reservation_id=first.reservation_id, user_id="ana", idempotency_key="c"
    )
    await desk.as_fan(GATEWAY + "CancelReservation", cancel, "ana")
    await desk.clock.sleep(301)
    request.reservation_token = admission
    again = await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")
    assert _bytes(again) != _bytes(first)  # the admission has ended by now, and says so


@on_platform
async def test_two_callers_never_meet_in_one_key(desk):
    one = await desk.admitted("ana")
    two = await desk.admitted("ben")
    first = await desk.as_fan(GATEWAY + "CreateReservation", _create(one, "k"), "ana")
    second = await desk.as_fan(GATEWAY + "CreateReservation", _create(two, "k", user_id="ben"), "ben")
    assert code(second) == ""
    assert second.reservation_id != first.reservation_id


KEYED = [
    (INVENTORY + "ReserveSeat", inventory_pb2.ReserveSeatRequest(reservation_id="r", event_id=EVENT_ID, quantity=1)),
    (INVENTORY + "CommitReservation", inventory_pb2.CommitReservationRequest(reservation_id="r", event_id=EVENT_ID)),
    (INVENTORY + "ReleaseHold", inventory_pb2.ReleaseHoldRequest(reservation_id="r", event_id=EVENT_ID)),
    (RESERVATION + "CreateReservation", reservation_pb2.CreateReservationRequest(event_id=EVENT_ID, user_id="ana")),
    (GATEWAY + "CreateReservation", gateway_pb2.CreateReservationRequest(event_id=EVENT_ID, user_id="ana")),
    (
        PAYMENT + "CreatePaymentIntent",
        payment_pb2.CreatePaymentIntentRequest(reservation_id="r", user_id="ana"),
    ),
    (
        GATEWAY + "CreatePaymentIntent",
        gateway_pb2.CreatePaymentIntentRequest(reservation_id="r", user_id="ana"),
    ),
]


@pytest.mark.parametrize(("path", "request_"), KEYED, ids=[path for path, _ in KEYED])
def test_without_a_key_the_call_is_refused(path, request_):
    @on_platform
    async def run(desk):
        ask = desk.as_fan(path, request_, "ana") if path.startswith(GATEWAY) else desk.as_service(path, request_)
        assert code(await ask) == "IDEMPOTENCY_REQUIRED"
        request_.idempotency_key = "x" * 201
        ask = desk.as_fan(path, request_, "ana") if path.startswith(GATEWAY) else desk.as_service(path, request_)
        assert code(await ask) == "INVALID_ARGUMENT"
        request_.idempotency_key = ""

    run()


@on_platform
async def test_calls_on_what_exists_need_a_key_too(desk):
    held = await desk.held("ana")
    intent = await desk.intent("ana", held)
    calls = [
        (
            GATEWAY + "ConfirmReservation",
            gateway_pb2.ConfirmReservationRequest(
                reservation_id=held.reservation_id, payment_intent_id=intent.payment_intent_id, user_id="ana"
            ),
        ),
        (
            GATEWAY + "CancelReservation",
            gateway_pb2.CancelReservationRequest(reservation_id=held.reservation_id, user_id="ana"),
        ),
        (PAYMENT + "ProcessPayment", payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id)),
    ]
    for path, request in calls:
        assert code(await desk.as_fan(path, request, "ana")) == "IDEMPOTENCY_REQUIRED", path
    cancel = payment_pb2.CancelPaymentRequest(payment_intent_id=intent.payment_intent_id)
    assert code(await desk.as_service(PAYMENT + "CancelPayment", cancel)) == "IDEMPOTENCY_REQUIRED"

"""One key, one effect, one answer; on every call that has a key."""

import asyncio
import random

import msgspec
import pytest

from tests.keyed import Stage, keyed_calls, many_at_once
from tests.rpc.desk import GATEWAY, INVENTORY, PAYMENT, RESERVATION, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.engines.faulty import Faults
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.idempotency import IDEMPOTENCY_RECORD, Answers, IdempotencyRecord
from traffic_tacos.ports.store import Decision, put


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


@on_platform(without=frozenset({"worker", "webhook"}))
async def test_a_final_refusal_is_remembered_with_its_trace(desk):
    """The seats are gone and the refund is a job: asked again, it is said in the same words."""
    held = await desk.held("ana", 1, ("MAIN-A-1",))
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(61)
    seats = inventory_pb2.ReserveSeatRequest(
        reservation_id="r", event_id=EVENT_ID, seat_ids=["MAIN-A-1"], quantity=1, user_id="ben", idempotency_key="r"
    )
    assert code(await desk.as_service(INVENTORY + "ReserveSeat", seats)) == ""
    confirm = gateway_pb2.ConfirmReservationRequest(
        reservation_id=held.reservation_id, payment_intent_id=intent, user_id="ana", idempotency_key="k"
    )
    first = await desk.as_fan(GATEWAY + "ConfirmReservation", confirm, "ana")
    assert code(first) == "INVENTORY_CONFLICT"
    await desk.clock.sleep(61)
    assert _bytes(await desk.as_fan(GATEWAY + "ConfirmReservation", confirm, "ana")) == _bytes(first)


@on_platform
async def test_a_confirmation_refused_before_the_payment_succeeds_after_it_under_the_same_key(desk):
    held = await desk.held("ana")
    intent = await desk.intent("ana", held)
    confirm = gateway_pb2.ConfirmReservationRequest(
        reservation_id=held.reservation_id,
        payment_intent_id=intent.payment_intent_id,
        user_id="ana",
        idempotency_key="k",
    )
    assert code(await desk.as_fan(GATEWAY + "ConfirmReservation", confirm, "ana")) == "PAYMENT_NOT_APPROVED"
    pay = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id, idempotency_key="p")
    await desk.as_fan(PAYMENT + "ProcessPayment", pay, "ana")
    await desk.clock.sleep(10)
    confirmed = await desk.as_fan(GATEWAY + "ConfirmReservation", confirm, "ana")
    assert (code(confirmed), bool(confirmed.order_id)) == ("", True)
    assert _bytes(await desk.as_fan(GATEWAY + "ConfirmReservation", confirm, "ana")) == _bytes(confirmed)


@on_platform
async def test_a_payments_calls_are_answered_as_at_first_after_it_has_moved_on_and_only_the_answer_is_kept(desk):
    held = await desk.held("ana")
    create = payment_pb2.CreatePaymentIntentRequest(
        reservation_id=held.reservation_id,
        amount=held.total_amount,
        user_id="ana",
        method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
        scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
        webhook_url=desk.platform.config.webhook_url,
        idempotency_key="c",
    )
    created = await desk.as_service(PAYMENT + "CreatePaymentIntent", create)
    process = payment_pb2.ProcessPaymentRequest(payment_intent_id=created.payment_intent_id, idempotency_key="p")
    processing = await desk.as_service(PAYMENT + "ProcessPayment", process)
    await desk.clock.sleep(10)
    refund = payment_pb2.CancelPaymentRequest(payment_intent_id=created.payment_intent_id, idempotency_key="r")
    refund.refund_amount.CopyFrom(held.total_amount)
    refund.refund_amount.amount = 1
    refunded = await desk.as_service(PAYMENT + "CancelPayment", refund)
    assert (code(refunded), refunded.refunded_amount.amount) == ("", 1)
    refund.idempotency_key, refund.refund_amount.amount = "rest", held.total_amount.amount
    assert code(await desk.as_service(PAYMENT + "CancelPayment", refund)) == ""
    await desk.clock.sleep(10)
    refund.idempotency_key, refund.refund_amount.amount = "r", 1
    for method, request, first in (
        ("CreatePaymentIntent", create, created),
        ("ProcessPayment", process, processing),
        ("CancelPayment", refund, refunded),
    ):
        assert _bytes(await desk.as_service(PAYMENT + method, request)) == _bytes(first), method
    kept = [record.reply for _, record in desk.records().all(IDEMPOTENCY_RECORD)]
    assert created.client_secret in "".join(kept)
    assert not [reply for reply in kept if desk.platform.config.webhook_url in reply]


@on_platform
async def test_a_seat_refused_while_it_is_held_is_had_later_under_the_same_key(desk):
    ben = await desk.held("ben", 1, ("MAIN-A-1",))
    request = _create(await desk.admitted("ana"), "k", quantity=1, seat_ids=["MAIN-A-1"])
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")) == "INVENTORY_CONFLICT"
    await desk.cancel("ben", ben)
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")) == ""


@on_platform
async def test_an_admission_in_use_reserves_again_under_the_same_key_once_it_is_free(desk):
    admission = await desk.admitted("ana")
    first = await desk.as_fan(GATEWAY + "CreateReservation", _create(admission, "one"), "ana")
    request = _create(admission, "two")
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")) == "FAILED_PRECONDITION"
    await desk.cancel("ana", first)
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")) == ""


@on_platform
async def test_a_key_whose_call_was_refused_for_now_is_free_for_another_request(desk):
    await desk.held("ben", 1, ("MAIN-A-1",))
    admission = await desk.admitted("ana")
    refused = _create(admission, "k", quantity=1, seat_ids=["MAIN-A-1"])
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", refused, "ana")) == "INVENTORY_CONFLICT"
    other = _create(admission, "k", quantity=1, seat_ids=["MAIN-A-2"])
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", other, "ana")) == ""
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", refused, "ana")) == "IDEMPOTENCY_CONFLICT"


@on_platform
async def test_fifty_who_are_refused_at_once_hear_one_refusal(desk):
    await desk.held("ben", 1, ("MAIN-A-1",))
    request = _create(await desk.admitted("ana"), "k", quantity=1, seat_ids=["MAIN-A-1"])
    answers = await asyncio.gather(*(desk.as_fan(GATEWAY + "CreateReservation", request, "ana") for _ in range(50)))
    assert len({_bytes(answer) for answer in answers}) == 1
    assert code(answers[0]) == "INVENTORY_CONFLICT"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("service", "name"), keyed_calls())
def test_many_at_once_have_one_answer_however_late_the_store_is(service, name, seed):
    """Over a store that answers in any order, in one process and as if in several."""

    @on_platform
    async def run(desk):
        desk.random.seed(seed)
        desk.faults = desk.store.faults = Faults(delay=0.7, conflict=0.3, delay_seconds_max=0.002)
        stage = Stage(desk.asked, "ana", EVENT_ID)
        await many_at_once(desk.asked, stage, service, name)

    run()


@pytest.mark.parametrize("seed", range(20))
def test_what_a_check_refuses_is_held_against_the_key_once_more(seed):
    """As when two processes answer the same call: each with its own calls under way, over one store."""

    @on_platform
    async def run(desk):
        chance = random.Random(seed)
        one, two = (Answers(desk.store, desk.clock) for _ in range(2))
        state: list[str] = []

        async def act(call):
            await desk.clock.sleep(chance.random())
            if state:
                raise Refusal(Code.FAILED_PRECONDITION, "it was done by somebody")

            def rule(_):
                return Decision(Written("done"), (put(IDEMPOTENCY_RECORD.key("effect"), IdempotencyRecord("", 0)),))

            await desk.clock.sleep(chance.random())
            written = await call.commit((), rule)
            state.append(written.what)
            return written

        async def call(answers):
            await desk.clock.sleep(chance.random())
            return await answers.answer(("t",), "k", Written("it"), Written, act, window=1000_000, trace_id="t")

        assert set(await asyncio.gather(*map(call, [one, two] * 5))) == {Written("done")}

    run()


class Written(msgspec.Struct, frozen=True):
    what: str


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

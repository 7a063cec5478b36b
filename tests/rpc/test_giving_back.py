"""A bought reservation is given back: the money goes back once, the seats are on sale once, whatever happens."""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, PAYMENT, WORKER, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID, Unreachable
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2, worker_pb2
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2

RETURN = "tacos.inventory.v1.HoldService/ReturnSeats"
REFUNDED = reservation_pb2.RESERVATION_STATUS_REFUNDED


async def bought(desk, fan, quantity=2, seats=(), event_id=EVENT_ID):
    held = await desk.held(fan, quantity, seats, event_id)
    intent = await desk.pay(fan, held)
    await desk.clock.sleep(10)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    return held, intent


@on_platform
async def test_what_is_given_back_is_refunded_in_full_and_on_sale_again(desk):
    held, intent = await bought(desk, "ana")
    answer = await desk.cancel("ana", held, "k")
    assert (answer.status, len(answer.released_seats)) == (REFUNDED, 2)
    await desk.clock.sleep(5)
    payment = await desk.payment(intent)
    assert payment.status == payment_pb2.PAYMENT_STATUS_REFUNDED
    assert (await desk.reservation(held.reservation_id)).status == REFUNDED
    assert (await desk.stats()).available_seats == 15
    assert (await desk.cancel("ana", held, "k")).SerializeToString() == answer.SerializeToString()
    assert (await desk.cancel("ana", held)).status == REFUNDED
    assert code(await desk.cancel("ben", held)) == "NOT_FOUND"


@on_platform
async def test_seats_given_back_and_sold_again_stay_the_new_owners(desk):
    held, intent = await bought(desk, "ana", 1, ("MAIN-A-1",))
    await desk.cancel("ana", held)
    await desk.clock.sleep(5)
    await bought(desk, "ben", 1, ("MAIN-A-1",))
    again = inventory_pb2.ReturnSeatsRequest(reservation_id=held.reservation_id, event_id=EVENT_ID)
    assert (await desk.as_service(RETURN, again)).returned_seats == []
    late = worker_pb2.ProcessPaymentRequest(
        reservation_id=held.reservation_id,
        payment_intent_id=intent,
        result_type=worker_pb2.PAYMENT_RESULT_TYPE_APPROVED,
    )
    assert code(await desk.as_service(WORKER + "ProcessPaymentResult", late)) == ""
    await desk.clock.sleep(120)
    assert (await desk.stats()).sold_seats == 1
    assert (await desk.reservation(held.reservation_id)).status == REFUNDED


@on_platform
async def test_many_at_once_are_one_refund(desk):
    held, intent = await bought(desk, "ana")
    answers = await asyncio.gather(*(desk.cancel("ana", held) for _ in range(10)))
    assert {answer.status for answer in answers} == {REFUNDED}
    await desk.clock.sleep(5)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_REFUNDED
    assert (await desk.stats()).available_seats == 15


@pytest.mark.parametrize("after_commits", range(8))
def test_a_crash_after_any_commit_of_it_ends_in_one_refund_and_free_seats(after_commits):
    @on_platform
    async def on_desk(desk):
        held, intent = await bought(desk, "ana")
        await desk.clock.sleep(60)  # everything about the purchase has come to rest
        start = desk.commits
        asked = asyncio.ensure_future(
            desk.call(GATEWAY + "CancelReservation", desk.cancellation("ana", held, "k"), "ana")
        )
        while desk.commits < start + after_commits and (not asked.done() or desk.jobs()):
            await asyncio.sleep(0)
        await desk.crash()
        outcome = (await asyncio.gather(asked, return_exceptions=True))[0]
        assert isinstance(outcome, Unreachable) or outcome.status == REFUNDED
        await desk.clock.sleep(60)
        if desk.commits == start or (await desk.reservation(held.reservation_id)).status != REFUNDED:
            assert isinstance(outcome, Unreachable)
            assert (await desk.cancel("ana", held, "k")).status == REFUNDED
            await desk.clock.sleep(60)
        assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_REFUNDED
        assert (await desk.stats()).available_seats == 15
        assert desk.jobs() == []

    on_desk()


@on_platform
async def test_shortly_before_the_event_nothing_is_taken_back(desk):
    soon = EVENT.replace("id: evt_sim", "id: evt_soon").replace(
        "currency: KRW", "currency: KRW\nstart_time: 2027-01-16T08:00:40+00:00"
    )
    await desk.platform.put_on_sale(soon)
    held, _ = await bought(desk, "ana", 1, event_id="evt_soon")
    early, _ = await bought(desk, "ben", 1, event_id="evt_soon")
    assert (await desk.cancel("ben", early)).status == REFUNDED
    await desk.clock.sleep(40)
    late = await desk.cancel("ana", held)
    assert (code(late), "24 hours" in late.error.message) == ("FAILED_PRECONDITION", True)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED


POLICIES = EVENT.replace("id: evt_sim", "id: evt_policy")


@on_platform
async def test_an_event_may_promise_back_part_of_the_price_or_nothing(desk):
    await desk.platform.put_on_sale(POLICIES + "refunds: {percent: 30}\n")
    await desk.platform.put_on_sale(POLICIES.replace("evt_policy", "evt_never") + "refunds: {percent: 0}\n")
    held, intent = await bought(desk, "ana", 1, ("MAIN-A-1",), event_id="evt_policy")
    assert (await desk.cancel("ana", held)).status == REFUNDED
    await desk.clock.sleep(5)
    payment = await desk.payment(intent)
    assert payment.status == payment_pb2.PAYMENT_STATUS_COMPLETED
    again = await desk.as_service(
        PAYMENT + "CancelPayment",
        payment_pb2.CancelPaymentRequest(payment_intent_id=intent, idempotency_key="rest"),
    )
    assert again.refunded_amount.amount == 50000  # 15,000 by the policy, and now the rest
    never, _ = await bought(desk, "ben", 1, event_id="evt_never")
    refused = await desk.cancel("ben", never)
    assert (code(refused), "no tickets back" in refused.error.message) == ("FAILED_PRECONDITION", True)


async def refund(desk, intent, amount=None, key="by hand"):
    request = payment_pb2.CancelPaymentRequest(payment_intent_id=intent, idempotency_key=key)
    if amount is not None:
        request.refund_amount.CopyFrom(types_pb2.Money(amount=amount, currency="KRW"))
    return await desk.as_service(PAYMENT + "CancelPayment", request)


@on_platform
async def test_a_refund_by_hand_takes_the_seats_back_once_all_is_refunded(desk):
    held, intent = await bought(desk, "ana", 2)
    part = await refund(desk, intent, 1000, "part")
    assert (part.status, part.refunded_amount.amount) == (payment_pb2.PAYMENT_STATUS_COMPLETED, 1000)
    await desk.clock.sleep(60)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    assert code(await refund(desk, intent, 100001, "more")) == "INVALID_ARGUMENT"
    assert (await refund(desk, intent)).status == payment_pb2.PAYMENT_STATUS_REFUNDED
    await desk.clock.sleep(60)
    assert (await desk.reservation(held.reservation_id)).status == REFUNDED
    assert (await desk.stats()).available_seats == 15
    assert desk.jobs() == []

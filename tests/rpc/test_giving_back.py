"""A bought reservation is given back: the money goes back once, the seats are on sale once, whatever happens."""

import asyncio

import msgspec
import pytest

from tests.rpc.desk import GATEWAY, PAYMENT, RESERVATION, WORKER, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID, Unreachable
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2, worker_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.kernel.topics import EXPIRE_RESERVATION, REFUND_PAYMENT, SETTLE_PAYMENT_RESULT
from traffic_tacos.ports.payments import payment_job_id
from traffic_tacos.ports.store import Decision, Job, drop_job, put
from traffic_tacos.rooms.payment.records import PAYMENT as PAYMENTS

UPDATE_EVENT = "tacos.catalog.v1.CatalogService/UpdateEvent"
EXPIRE = "tacos.lifecycle.v1.LifecycleService/ExpireReservation"
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
    again = lifecycle_pb2.ExpireReservationRequest(reservation_id=held.reservation_id)
    answer = await desk.as_service(EXPIRE, again)
    assert (code(answer), answer.changed, list(answer.released_seats)) == ("", False, [])
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

        async def nothing_under_way():
            await asyncio.wait({asked})
            while desk.jobs():
                await desk.clock.sleep(1)

        await desk.commits_reach_unless(start + after_commits, nothing_under_way())
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


HALF = EVENT.replace("id: evt_sim", "id: evt_half") + "refunds: {percent: 50}\n"
BY_HAND = {"60,000 by hand": 60_000, "30,000 by hand": 30_000, "all by hand": None}


@pytest.mark.parametrize(
    ("steps", "refunded"),
    [
        (("60,000 by hand", "give back"), 60_000),
        (("give back", "60,000 by hand"), 60_000),
        (("30,000 by hand", "give back"), 50_000),
        (("give back", "30,000 by hand"), 50_000),
        (("60,000 by hand", "60,000 by hand", "give back", "give back"), 60_000),
        (("30,000 by hand", "60,000 by hand", "30,000 by hand"), 60_000),
        (("60,000 by hand", "give back", "all by hand"), 100_000),
        (("give back", "all by hand", "60,000 by hand"), 100_000),
        (("all by hand", "give back"), 100_000),
    ],
)
def test_refunds_end_at_what_was_promised_in_all_whatever_comes_first(steps, refunded):
    @on_platform
    async def on_desk(desk):
        await desk.platform.put_on_sale(HALF)
        held, intent = await bought(desk, "ana", 2, event_id="evt_half")
        for step in steps:
            if step == "give back":
                assert code(await desk.cancel("ana", held)) == ""
            else:
                assert code(await refund(desk, intent, BY_HAND[step], desk.key())) == ""
            await desk.clock.sleep(5)
        await desk.clock.sleep(60)
        assert stored(desk, intent).refunded == refunded
        assert (desk.jobs(), desk.dead()) == ([], [])

    on_desk()


def stored(desk, intent):
    return next(one for _, one in desk.records().all(PAYMENTS) if one.id == intent)


@on_platform
async def test_a_refund_that_rounds_to_nothing_is_no_job(desk):
    cheap = HALF.replace("evt_half", "evt_cheap").replace("50000", "1").replace("60000", "1")
    await desk.platform.put_on_sale(cheap)
    held, intent = await bought(desk, "ana", 1, event_id="evt_cheap")
    await desk.clock.sleep(60)
    assert (await desk.cancel("ana", held)).status == REFUNDED
    await desk.clock.sleep(60)
    assert (desk.jobs(), desk.dead(), stored(desk, intent).refunded) == ([], [], 0)


@pytest.mark.parametrize(
    ("topic", "payload", "is_dead"),
    [
        (REFUND_PAYMENT, {"payment_intent_id": "PAID", "amount": "0", "currency": "KRW"}, False),
        (REFUND_PAYMENT, {"payment_intent_id": "FAILED", "amount": "5", "currency": "KRW"}, False),
        (REFUND_PAYMENT, {"payment_intent_id": "FAILED"}, False),
        (REFUND_PAYMENT, {"payment_intent_id": "PAID", "amount": "100001", "currency": "KRW"}, True),
        (REFUND_PAYMENT, {"payment_intent_id": "PAID", "amount": "5", "currency": "EUR"}, True),
        (REFUND_PAYMENT, {"payment_intent_id": "pi_none"}, True),
        (SETTLE_PAYMENT_RESULT, {"payment_intent_id": "FAILED"}, True),
        (SETTLE_PAYMENT_RESULT, {"payment_intent_id": "pi_none"}, False),
        (EXPIRE_RESERVATION, {"reservation_id": "rsv_none"}, False),
    ],
)
def test_a_job_that_can_never_succeed_is_done_or_a_dead_letter_at_once(topic, payload, is_dead):
    @on_platform
    async def on_desk(desk):
        held, paid = await bought(desk, "ana", 2)
        failed = await desk.pay("ben", await desk.held("ben", 1), payment_pb2.PAYMENT_SCENARIO_FAIL)
        await desk.clock.sleep(60)
        names = {"PAID": paid, "FAILED": failed}
        told = {"reservation_id": held.reservation_id}
        told |= {name: names.get(value, value) for name, value in payload.items()}
        job = Job("test", topic, desk.clock.now(), told, group=held.reservation_id)
        await desk.store.transact((), lambda _: Decision(None, jobs=(job,)))
        await desk.clock.sleep(10)
        assert ([one.split(":")[0] for one in desk.dead()], desk.jobs()) == (["test"] if is_dead else [], [])
        assert stored(desk, paid).refunded == 0

    on_desk()


@on_platform
async def test_a_refund_whose_job_was_lost_is_found_and_made_good(desk):
    """The job deleted by somebody: the reconciler finds too little refunded, and so much goes back and no more."""
    await desk.platform.put_on_sale(HALF)
    held, intent = await bought(desk, "ana", 2, event_id="evt_half")
    await desk.crash(without=frozenset({"worker"}))
    assert (await desk.cancel("ana", held)).status == REFUNDED
    lost = f"{REFUND_PAYMENT}:{intent}"
    await desk.store.transact(
        (),
        lambda _: Decision(
            None,
            (
                drop_job(lost),
                drop_job(f"{EXPIRE_RESERVATION}:{held.reservation_id}"),
                drop_job(payment_job_id(intent)),
            ),
        ),
    )
    desk.broken = None  # the deed was found at once
    assert any(intent in violation for violation in desk.broken_invariants())
    await desk.crash()
    await desk.platform.reconciler.once()
    await desk.clock.sleep(60)
    assert stored(desk, intent).refunded == 50_000
    desk.broken = None


@pytest.mark.parametrize(
    ("refunded", "status", "says"),
    [
        (60_000, PaymentStatus.COMPLETED, "more than"),
        (100_000, PaymentStatus.REFUNDED, "more than"),
        (40_000, PaymentStatus.COMPLETED, "less"),
    ],
)
def test_verify_finds_too_much_refunded_and_too_little(refunded, status, says):
    @on_platform
    async def on_desk(desk):
        await desk.platform.put_on_sale(HALF)
        held, intent = await bought(desk, "ana", 2, event_id="evt_half")
        await desk.cancel("ana", held)
        await desk.clock.sleep(60)
        right = stored(desk, intent)
        assert right.refunded == 50_000
        wrong = msgspec.structs.replace(right, refunded=refunded, status=status)
        key = PAYMENTS.key(intent)
        await desk.store.transact((), lambda _: Decision(None, (put(key, wrong),)))
        found = next(result.violations for result in desk.verify() if result.invariant == "I4")
        assert any(intent in violation and says in violation for violation in found)
        await desk.store.transact((), lambda _: Decision(None, (put(key, right),)))
        desk.broken = None

    on_desk()


@on_platform
async def test_an_event_that_is_moved_forward_still_takes_back_what_was_bought_before(desk):
    file = EVENT.replace("evt_sim", "evt_moved").replace("currency", "start_time: 2027-01-20T08:00:00+00:00\ncurrency")
    await desk.platform.put_on_sale(file)
    held, _ = await bought(desk, "ana", 1, event_id="evt_moved")
    moved = file.replace("2027-01-20T08", "2027-01-15T20")
    update = catalog_pb2.UpdateEventRequest(event_id="evt_moved", document=moved)
    assert code(await desk.ask(UPDATE_EVENT, update, desk.token(Role.ADMIN, "op"))) == ""
    late, _ = await bought(desk, "ben", 1, event_id="evt_moved")
    assert (await desk.cancel("ana", held)).status == REFUNDED
    assert code(await desk.cancel("ben", late)) == "FAILED_PRECONDITION"


SEAT_STATUS = {"RESERVED": 2, "SOLD": 3, "AVAILABLE": 1}


@on_platform
async def test_seats_of_an_ended_reservation_are_not_reserved_in_any_answer(desk):
    cancelled, expired = await desk.held("ana", 1), await desk.held("ben", 1)
    refunded, _ = await bought(desk, "cid", 1)
    assert {seat.status for seat in expired.reserved_seats} == {SEAT_STATUS["RESERVED"]}
    for fan, held in (("ana", cancelled), ("cid", refunded)):
        assert {seat.status for seat in (await desk.cancel(fan, held)).released_seats} == {SEAT_STATUS["AVAILABLE"]}
    sold, _ = await bought(desk, "dan", 1)
    await desk.clock.sleep(60)
    for fan, held, status in (
        ("ana", cancelled, "AVAILABLE"),
        ("ben", expired, "AVAILABLE"),
        ("cid", refunded, "AVAILABLE"),
        ("dan", sold, "SOLD"),
    ):
        shown = await desk.reservation(held.reservation_id)
        listing = reservation_pb2.ListReservationsRequest(user_id=fan)
        listed = (await desk.as_fan(RESERVATION + "ListReservations", listing, fan)).reservations
        assert {seat.status for one in (shown, *listed) for seat in one.seats} == {SEAT_STATUS[status]}

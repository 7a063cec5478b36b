"""Whoever ends a reservation stops its payments in the same commit."""

import pytest

from tests.rpc.desk import PAYMENT, code, on_platform
from tests.rpc.test_commit_sizes import counted
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.kernel.topics import REFUND_PAYMENT, SEND_WEBHOOK
from traffic_tacos.ports.store import COMMIT_RECORDS_MAX
from traffic_tacos.rooms.payment.records import PAYMENT as PAYMENTS
from traffic_tacos.rooms.reservation.records import RESERVATION as RESERVATIONS

NOBODY_WORKS = frozenset({"worker", "webhook"})
TIMEOUT = payment_pb2.PAYMENT_SCENARIO_TIMEOUT
ROWS = 86
HALL = ", ".join(f"{{id: R{number}, seats: 1}}" for number in range(ROWS))
WIDE = EVENT.replace("rows: [", f"rows: [{HALL}, ").replace("max_per_order: 4", "max_per_order: 100")


def payments(desk):
    return {one.id: one.status for _, one in desk.records().all(PAYMENTS)}


def reservation(desk, held):
    return next(one for _, one in desk.records().all(RESERVATIONS) if one.id == held.reservation_id).status


async def under_way(desk, held, webhook_url, *, is_processed, scenario=TIMEOUT):
    """A payment of whoever is to be notified of it; one that the bank never answers, unless the scenario says so."""
    request = payment_pb2.CreatePaymentIntentRequest(
        reservation_id=held.reservation_id,
        amount=held.total_amount,
        user_id="ana",
        method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
        scenario=scenario,
        webhook_url=webhook_url,
        idempotency_key=desk.key(),
    )
    intent = await desk.as_service(PAYMENT + "CreatePaymentIntent", request)
    assert code(intent) == ""
    if is_processed:
        process = payment_pb2.ProcessPaymentRequest(
            payment_intent_id=intent.payment_intent_id, idempotency_key=desk.key()
        )
        assert code(await desk.as_service(PAYMENT + "ProcessPayment", process)) == ""
    return intent.payment_intent_id


@pytest.mark.parametrize("is_processed", [False, True])
@pytest.mark.parametrize("is_ours", [True, False], ids=["the platform is notified", "a shop is notified"])
@on_platform(without=NOBODY_WORKS)
async def test_cancelling_is_one_commit_with_all_that_it_stops(desk, is_ours, is_processed):
    held = await desk.held("ana")
    url = desk.platform.config.webhook_url if is_ours else "https://shop.example/hook"
    late = payment_pb2.PAYMENT_SCENARIO_DELAY
    intent = await under_way(desk, held, url, is_processed=is_processed, scenario=late)
    began = desk.commits
    assert code(await desk.cancel("ana", held)) == ""
    assert (desk.commits - began, payments(desk)) == (1, {intent: PaymentStatus.CANCELLED})
    webhooks = [] if is_ours else [f"{SEND_WEBHOOK}:{intent}:CANCELLED:0"]
    assert sorted(desk.jobs()) == sorted([f"reservation.expire:{held.reservation_id}", *webhooks])


@on_platform(without=NOBODY_WORKS)
async def test_no_payment_is_made_for_a_reservation_that_is_cancelled_before_it_is_durable(desk, monkeypatch):
    held = await desk.held("ana")
    store = desk.platform.engines.store
    transact = store.transact

    async def after_a_cancellation(reads, decide):
        monkeypatch.setattr(store, "transact", transact)
        assert code(await desk.cancel("ana", held)) == ""
        return await transact(reads, decide)

    monkeypatch.setattr(store, "transact", after_a_cancellation)
    assert code(await desk.intent("ana", held)) == "FAILED_PRECONDITION"
    assert payments(desk) == {}


@on_platform(without=NOBODY_WORKS)
async def test_a_payment_that_completes_after_it_was_looked_at_is_told_and_left_as_it_is(desk):
    held = await desk.held("ana")
    first, second = sorted([await desk.pay("ana", held) for _ in range(2)])  # as they are listed
    stop = await desk.platform.payment_stops().stop(held.reservation_id, (), 10)
    await desk.clock.sleep(6)  # the bank says yes to both
    assert set(payments(desk).values()) == {PaymentStatus.COMPLETED}
    assert await desk.store.transact(stop.reads, stop.rule) == (first, second)
    assert set(payments(desk).values()) == {PaymentStatus.COMPLETED}
    again = await desk.platform.payment_stops().stop(held.reservation_id, (first,), 10)
    assert (again.reads, await desk.store.transact((), again.rule)) == ([], (second,))


@on_platform
async def test_what_is_stopped_is_shown_and_leaves_no_job_behind(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    await desk.cancel("ana", held)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_CANCELLED
    await desk.clock.sleep(65)
    assert desk.jobs() == []


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
@on_platform(event=WIDE)
async def test_more_payments_than_one_commit_takes_are_stopped_before_it(desk, ends):
    seats = tuple(f"MAIN-R{number}-1" for number in range(ROWS))
    held = await desk.held("ana", ROWS, seats)
    assert code(held) == "", held.error
    for number in range(45):
        await under_way(desk, held, "https://shop.example/hook", is_processed=number % 2 == 0)
    sizes = counted(desk.records())
    if ends == "cancelled":
        assert code(await desk.cancel("ana", held)) == ""
        assert reservation(desk, held) is ReservationStatus.CANCELLED
    else:
        await desk.clock.sleep(61)
        assert reservation(desk, held) is ReservationStatus.EXPIRED
    assert set(payments(desk).values()) == {PaymentStatus.CANCELLED}
    assert 90 < max(sizes) <= COMMIT_RECORDS_MAX
    assert (await desk.stats()).reserved_seats == 0


@on_platform(without=NOBODY_WORKS)
async def test_a_payment_that_cannot_be_read_keeps_nobody_from_cancelling(desk):
    desk.checks_every_commit = False
    held = await desk.held("ana")
    damaged, other = [await under_way(desk, held, "https://shop.example/hook", is_processed=True) for _ in range(2)]
    path = PAYMENTS.key(damaged).path
    whole = desk.records().kept()[path]
    desk.records().keep(path, b"{")
    assert code(await desk.cancel("ana", held)) == ""
    desk.records().keep(path, whole)
    assert payments(desk) == {damaged: PaymentStatus.PROCESSING, other: PaymentStatus.CANCELLED}
    await desk.crash(without=frozenset())  # whoever comes by at the deadline finds what was repaired
    await desk.clock.sleep(65)
    assert set(payments(desk).values()) == {PaymentStatus.CANCELLED}


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
@on_platform(without=NOBODY_WORKS)
async def test_several_payments_that_have_completed_buy_one_ticket_or_go_back(desk, ends):
    held = await desk.held("ana")
    for _ in range(3):
        await desk.pay("ana", held)
    await desk.clock.sleep(6)
    assert set(payments(desk).values()) == {PaymentStatus.COMPLETED}
    if ends == "cancelled":
        assert code(await desk.cancel("ana", held)) == ""
        assert [job for job in desk.jobs() if job.startswith(REFUND_PAYMENT)] == [
            f"{REFUND_PAYMENT}:{min(payments(desk))}"
        ]
    else:
        await desk.clock.sleep(55)
    await desk.crash(without=frozenset())
    await desk.clock.sleep(100)
    bought = [PaymentStatus.COMPLETED] if ends == "expired" else []
    expected = ReservationStatus.CONFIRMED if bought else ReservationStatus.CANCELLED
    assert reservation(desk, held) is expected
    assert sorted(payments(desk).values()) == sorted([*bought, *[PaymentStatus.REFUNDED] * (3 - len(bought))])
    assert desk.jobs() == []
    assert (await desk.stats()).available_seats == (13 if bought else 15), EVENT_ID

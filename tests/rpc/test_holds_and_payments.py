"""What becomes of a hold: paid, not paid, paid too late, cancelled. The issue's races, each with its outcome."""

import asyncio
from contextlib import suppress

import msgspec
import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, RESERVATION, WORKER, code, on_platform
from tests.simulation.world import EVENT_ID, Unreachable
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2, worker_pb2
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.kernel.topics import REFUND_PAYMENT, SETTLE_PAYMENT_RESULT
from traffic_tacos.ports.store import JOB, Decision, put
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.payment.service import settling_job
from traffic_tacos.rooms.reservation.records import RESERVATION as RESERVATIONS
from traffic_tacos.rooms.reservation.records import finishing_job

PENDING = reservation_pb2.RESERVATION_STATUS_PENDING
CONFIRMED = reservation_pb2.RESERVATION_STATUS_CONFIRMED
CANCELLED = reservation_pb2.RESERVATION_STATUS_CANCELLED
EXPIRED = reservation_pb2.RESERVATION_STATUS_EXPIRED
COMPLETED = payment_pb2.PAYMENT_STATUS_COMPLETED
REFUNDED = payment_pb2.PAYMENT_STATUS_REFUNDED
WITHOUT_WORKER = frozenset({"worker"})


@on_platform
async def test_a_paid_reservation_becomes_an_order_with_two_adjacent_seats(desk):
    held = await desk.held("ana")
    # Of five seats the middle two would leave one alone.
    assert [seat.id for seat in held.reserved_seats] == ["MAIN-A-4", "MAIN-A-5"]
    assert (held.total_amount.amount, held.total_amount.currency) == (100000, "KRW")
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(6)
    reservation = await desk.reservation(held.reservation_id)
    assert (reservation.status, reservation.payment_intent_id) == (CONFIRMED, intent)
    assert reservation.order_id
    stats = await desk.stats()
    assert (stats.available_seats, stats.reserved_seats, stats.sold_seats) == (13, 0, 2)


@on_platform
async def test_a_result_is_settled_with_its_webhook_and_leaves_no_job_behind(desk):
    held = await desk.held("ana")
    await desk.pay("ana", held)
    while (await desk.reservation(held.reservation_id)).status != CONFIRMED:
        await desk.loop_once()
    await desk.clock.sleep(0.1)
    assert desk.jobs() == []


@on_platform(without=WITHOUT_WORKER)
async def test_a_result_that_nobody_can_settle_now_is_a_job_in_the_commit_of_its_webhook(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(6)
    settling = [job for _, job in desk.records().all(JOB) if job.topic == SETTLE_PAYMENT_RESULT]
    assert len(settling) == 2  # the webhook's, and the one in case that none had come
    await desk.crash()  # the worker comes back
    await desk.clock.sleep(1)
    assert (await desk.reservation(held.reservation_id)).payment_intent_id == intent


@on_platform
async def test_a_refund_in_the_middle_of_a_confirmation_keeps_its_own_job(desk):
    """Whoever confirms takes away the job that looks at the payment's success, and not that of its refund."""
    held = await desk.held("ana")
    intent_id = (await desk.intent("ana", held)).payment_intent_id
    payment = await desk.platform.engines.store.get(PAYMENT.key(intent_id))
    completed = settling_job(msgspec.structs.replace(payment, status=PaymentStatus.COMPLETED), 0)
    refunded = settling_job(msgspec.structs.replace(payment, status=PaymentStatus.REFUNDED), 0)
    assert finishing_job(held.reservation_id, payment.id, 0).id == completed.id != refunded.id


@on_platform
async def test_an_unpaid_hold_is_bought_by_somebody_else_at_60_seconds(desk):
    first = await desk.held("ana", 2, ("MAIN-A-1", "MAIN-A-2"))
    taken = await desk.held("ben", 2, ("MAIN-A-1", "MAIN-A-2"))
    assert code(taken) == "INVENTORY_CONFLICT"
    assert [detail.value for detail in taken.error.details] == ["MAIN-A-1", "MAIN-A-2"]
    await desk.clock.sleep(60)
    second = await desk.held("cleo", 2, ("MAIN-A-1", "MAIN-A-2"))
    assert code(second) == ""
    await desk.pay("cleo", second)
    await desk.clock.sleep(6)
    assert (await desk.reservation(second.reservation_id)).status == CONFIRMED
    assert (await desk.reservation(first.reservation_id)).status == EXPIRED


@on_platform(without=WITHOUT_WORKER)
async def test_an_unpaid_hold_ends_at_60_seconds_also_without_a_worker(desk):
    first = await desk.held("ana", 2, ("MAIN-A-1", "MAIN-A-2"))
    await desk.clock.sleep(59.9 - (desk.clock.now() % 1000) / 1000)
    assert (await desk.reservation(first.reservation_id)).status == PENDING
    await desk.clock.sleep(1.2)
    assert (await desk.reservation(first.reservation_id)).status == EXPIRED
    assert (await desk.stats()).reserved_seats == 0
    second = await desk.held("ben", 2, ("MAIN-A-1", "MAIN-A-2"))
    assert code(second) == ""


@on_platform
async def test_a_payment_that_fails_frees_the_seats(desk):
    held = await desk.held("ana")
    await desk.pay("ana", held, payment_pb2.PAYMENT_SCENARIO_FAIL)
    await desk.clock.sleep(4)
    assert (await desk.reservation(held.reservation_id)).status == CANCELLED
    assert (await desk.stats()).available_seats == 15


@on_platform
async def test_a_bank_that_never_answers_costs_nothing_and_holds_nothing_beyond_60_seconds(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held, payment_pb2.PAYMENT_SCENARIO_TIMEOUT)
    await desk.clock.sleep(62)
    assert (await desk.reservation(held.reservation_id)).status == EXPIRED
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_CANCELLED


@on_platform
async def test_expiry_finds_a_payment_under_way_and_cancels_it_before_the_bank_can_answer(desk):
    held = await desk.held("ana")
    await desk.clock.sleep(57)
    intent = await desk.pay("ana", held, payment_pb2.PAYMENT_SCENARIO_DELAY)
    await desk.clock.sleep(40)
    assert (await desk.reservation(held.reservation_id)).status == EXPIRED
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_CANCELLED


@on_platform(without=WITHOUT_WORKER)
async def test_a_payment_that_comes_too_late_has_its_seats_while_they_are_free(desk):
    held = await desk.held("ana")
    await desk.clock.sleep(57)
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(10)
    assert (await desk.payment(intent)).status == COMPLETED
    assert (await desk.reservation(held.reservation_id)).status == EXPIRED
    await desk.crash()  # the worker comes back
    await desk.clock.sleep(5)
    assert (await desk.reservation(held.reservation_id)).status == CONFIRMED
    assert (await desk.stats()).sold_seats == 2


@on_platform(without=WITHOUT_WORKER)
async def test_a_payment_that_comes_too_late_for_its_seats_is_refunded_once(desk):
    held = await desk.held("ana", 2, ("MAIN-A-1", "MAIN-A-2"))
    await desk.clock.sleep(57)
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(10)
    assert code(await desk.held("ben", 1, ("MAIN-A-2",))) == ""
    await desk.crash()
    await desk.clock.sleep(120)
    assert (await desk.reservation(held.reservation_id)).status == EXPIRED
    payment = await desk.payment(intent)
    assert payment.status == REFUNDED
    # Nothing that arrives later changes that.
    for _ in range(3):
        again = worker_pb2.ProcessPaymentRequest(
            reservation_id=held.reservation_id,
            payment_intent_id=intent,
            result_type=worker_pb2.PAYMENT_RESULT_TYPE_APPROVED,
        )
        await desk.as_service(WORKER + "ProcessPaymentResult", again)
        await desk.clock.sleep(40)
    assert (await desk.payment(intent)).status == REFUNDED
    assert (await desk.reservation(held.reservation_id)).status == EXPIRED


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("after_commits", range(12))
def test_a_payment_too_late_for_its_seats_goes_back_once_whenever_a_crash_comes(after_commits, asks):
    """Whether the fan asks for the order, or the worker comes upon the payment: the refund's job is in that commit."""

    @on_platform(without=WITHOUT_WORKER)
    async def on_desk(desk):
        held = await desk.held("ana", 2, ("MAIN-A-1", "MAIN-A-2"))
        await desk.clock.sleep(57)
        intent = await desk.pay("ana", held)
        await desk.clock.sleep(10)
        assert (await desk.payment(intent)).status == COMPLETED
        assert code(await desk.held("ben", 1, ("MAIN-A-2",))) == ""
        if not asks:
            await desk.crash()  # the worker comes back
        start = desk.commits
        request = gateway_pb2.ConfirmReservationRequest(
            reservation_id=held.reservation_id, payment_intent_id=intent, user_id="ana", idempotency_key="late"
        )

        async def ending():
            if asks:
                with suppress(Unreachable):
                    assert code(await desk.call(GATEWAY + "ConfirmReservation", request, "ana")) == "INVENTORY_CONFLICT"
            else:
                while desk.jobs():
                    await desk.clock.sleep(1)

        under_way = asyncio.ensure_future(ending())
        await desk.commits_reach_unless(start + after_commits, under_way)
        is_decided = any(one.refunds == (intent,) for _, one in desk.records().all(RESERVATIONS))
        has_job = any(one.id == f"{REFUND_PAYMENT}:{intent}" for _, one in desk.records().all(JOB))
        [paid] = [one for _, one in desk.records().all(PAYMENT)]
        assert is_decided == (has_job or paid.status is PaymentStatus.REFUNDED)
        await desk.crash()
        await under_way
        await desk.clock.sleep(120)
        if asks:
            assert code(await desk.call(GATEWAY + "ConfirmReservation", request, "ana")) != ""
        [paid] = [one for _, one in desk.records().all(PAYMENT)]
        assert (paid.status, paid.refunded) == (PaymentStatus.REFUNDED, held.total_amount.amount)
        assert (await desk.reservation(held.reservation_id)).status == EXPIRED
        assert desk.jobs() == []

    on_desk()


@on_platform
async def test_a_cancelled_reservation_whose_payment_arrives_is_refunded(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    while (await desk.payment(intent)).status != COMPLETED:
        await desk.loop_once()
    cancel = reservation_pb2.CancelReservationRequest(
        reservation_id=held.reservation_id, user_id="ana", idempotency_key=desk.key()
    )
    answer = await desk.as_service(RESERVATION + "CancelReservation", cancel)
    await desk.clock.sleep(60)
    reservation = await desk.reservation(held.reservation_id)
    if code(answer):  # it was just being confirmed
        assert reservation.status == CONFIRMED
    else:  # before the confirmation, or a moment after it
        assert reservation.status == answer.status
        assert answer.status in (CANCELLED, reservation_pb2.RESERVATION_STATUS_REFUNDED)
        assert (await desk.payment(intent)).status == REFUNDED
        assert (await desk.stats()).available_seats == 15


@on_platform
async def test_a_payment_of_another_amount_buys_nothing_and_is_refunded(desk):
    """None is made but of the reservation's total; one that is stored with another all the same buys nothing."""
    desk.checks_every_commit = False
    held = await desk.held("ana", 2)
    intent = await desk.pay("ana", held)
    stored = await desk.store.get(PAYMENT.key(intent))
    half = msgspec.structs.replace(stored, amount=Money(stored.amount.amount // 2, stored.amount.currency))
    await desk.store.transact((), lambda _: Decision(None, (put(PAYMENT.key(intent), half),)))
    await desk.clock.sleep(6)
    request = gateway_pb2.ConfirmReservationRequest(
        reservation_id=held.reservation_id, payment_intent_id=intent, user_id="ana", idempotency_key=desk.key()
    )
    answer = await desk.as_fan(GATEWAY + "ConfirmReservation", request, "ana")
    assert (code(answer), str(stored.amount) in answer.error.message) == ("PAYMENT_NOT_APPROVED", True)
    await desk.clock.sleep(600)
    assert not (await desk.reservation(held.reservation_id)).order_id
    assert (await desk.payment(intent)).status == REFUNDED


@on_platform
async def test_the_fan_may_confirm_and_gets_the_order_the_worker_made(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    request = gateway_pb2.ConfirmReservationRequest(
        reservation_id=held.reservation_id, payment_intent_id=intent, user_id="ana", idempotency_key=desk.key()
    )
    assert code(await desk.as_fan(GATEWAY + "ConfirmReservation", request, "ana")) == "PAYMENT_NOT_APPROVED"
    await desk.clock.sleep(6)
    request.idempotency_key = desk.key()
    confirmed = await desk.as_fan(GATEWAY + "ConfirmReservation", request, "ana")
    assert confirmed.order_id == (await desk.reservation(held.reservation_id)).order_id
    assert [seat.status for seat in confirmed.confirmed_seats] == [3, 3]


@on_platform
async def test_an_admission_reserves_one_at_a_time_and_buys_once(desk):
    admission = await desk.admitted("ana")

    async def reserve():
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID, quantity=1, user_id="ana", reservation_token=admission, idempotency_key=desk.key()
        )
        return await desk.as_fan(GATEWAY + "CreateReservation", request, "ana")

    first = await reserve()
    assert code(await reserve()) == "FAILED_PRECONDITION"
    cancel = gateway_pb2.CancelReservationRequest(
        reservation_id=first.reservation_id, user_id="ana", idempotency_key=desk.key()
    )
    assert code(await desk.as_fan(GATEWAY + "CancelReservation", cancel, "ana")) == ""
    second = await reserve()
    assert code(second) == ""
    await desk.pay("ana", second)
    await desk.clock.sleep(6)
    third = await reserve()
    assert (code(third), "bought" in third.error.message) == ("FAILED_PRECONDITION", True)
    assert (await desk.stats()).sold_seats == 1


@on_platform
async def test_the_amount_must_be_the_reservations_total(desk):
    held = await desk.held("ana")
    held.total_amount.amount -= 1
    intent = await desk.intent("ana", held)
    assert (code(intent), intent.error.details[0].field) == ("INVALID_ARGUMENT", "amount")


@on_platform
async def test_inventory_calls_in_every_wrong_order_never_oversell_nor_unsell(desk):
    def reserve(reservation, seats=("MAIN-A-1",), **more):
        return desk.as_service(
            INVENTORY + "ReserveSeat",
            inventory_pb2.ReserveSeatRequest(
                reservation_id=reservation,
                event_id=EVENT_ID,
                seat_ids=seats,
                user_id="u",
                idempotency_key=desk.key(),
                **more,
            ),
        )

    def commit(reservation, payment="pi_1"):
        return desk.as_service(
            INVENTORY + "CommitReservation",
            inventory_pb2.CommitReservationRequest(
                reservation_id=reservation, event_id=EVENT_ID, payment_intent_id=payment, idempotency_key=desk.key()
            ),
        )

    def release(reservation):
        return desk.as_service(
            INVENTORY + "ReleaseHold",
            inventory_pb2.ReleaseHoldRequest(reservation_id=reservation, event_id=EVENT_ID, idempotency_key=desk.key()),
        )

    assert (await commit("r1")).status == inventory_pb2.COMMIT_STATUS_FAILED_CONFLICT
    assert (await release("r1")).status == inventory_pb2.RELEASE_STATUS_NOT_FOUND
    assert (await reserve("r1")).status == inventory_pb2.HOLD_STATUS_ACTIVE
    assert [seat.id for seat in (await reserve("r1")).reserved_seats] == ["MAIN-A-1"]
    assert code(await reserve("r1", ("MAIN-A-2",))) == "FAILED_PRECONDITION"
    assert code(await reserve("r2")) == "INVENTORY_CONFLICT"
    sold = await commit("r1")
    assert sold.status == inventory_pb2.COMMIT_STATUS_SUCCESS
    assert (await commit("r1")).order_id == sold.order_id
    assert (await commit("r1", "pi_2")).status == inventory_pb2.COMMIT_STATUS_FAILED_CONFLICT
    for _ in range(3):
        assert (await release("r1")).status == inventory_pb2.RELEASE_STATUS_FAILED
    assert code(await reserve("r1")) == "FAILED_PRECONDITION"
    assert code(await reserve("r2")) == "INVENTORY_CONFLICT"
    assert (await reserve("r3", ("MAIN-B-1",))).status == inventory_pb2.HOLD_STATUS_ACTIVE
    assert (await release("r3")).status == inventory_pb2.RELEASE_STATUS_SUCCESS
    for _ in range(3):
        assert (await release("r3")).status == inventory_pb2.RELEASE_STATUS_ALREADY_RELEASED
    assert (await commit("r3")).status == inventory_pb2.COMMIT_STATUS_FAILED_CONFLICT
    assert (await reserve("r4", ("MAIN-B-1",))).status == inventory_pb2.HOLD_STATUS_ACTIVE
    await release("r3")  # a late release of the first owner does not touch the next
    await desk.clock.sleep(60)
    assert (await commit("r4")).status == inventory_pb2.COMMIT_STATUS_FAILED_EXPIRED
    assert code(await reserve("r5", ("MAIN-Z-9",))) == "NOT_FOUND"
    assert code(await reserve("r5", ("MAIN-A-2", "MAIN-A-2"))) == "INVALID_ARGUMENT"
    assert code(await reserve("r5", ("MAIN-A-2",), quantity=3)) == "INVALID_ARGUMENT"
    assert code(await reserve("r5", (), quantity=-1)) == "INVALID_ARGUMENT"
    stats = await desk.stats()
    assert (stats.total_seats, stats.available_seats, stats.reserved_seats, stats.sold_seats) == (15, 14, 0, 1)


@on_platform
async def test_a_crowd_buys_every_seat_once_and_everybody_else_hears_why(desk):
    async def fan(name):
        held = await desk.held(name, 1)
        if code(held):
            return code(held)
        await desk.pay(name, held)
        return "bought"

    crowd = [asyncio.ensure_future(fan(f"fan{number}")) for number in range(40)]
    await asyncio.wait(crowd, timeout=50)
    outcomes = [one.result() for one in crowd if one.done()]
    for one in crowd:
        one.cancel()  # they would wait until somebody gives a seat back
    assert outcomes.count("bought") == 15
    assert set(outcomes) <= {"bought", "INSUFFICIENT_INVENTORY"}
    await desk.clock.sleep(10)
    assert (await desk.stats()).sold_seats == 15
    assert (await desk.stats()).available_seats == 0

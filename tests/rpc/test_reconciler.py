"""What no commit would do: jobs deleted, records lost. It is found, reported, and mended where the rules say how."""

import asyncio

import msgspec
import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, code, on_platform
from tests.rpc.test_giving_back import bought
from tests.simulation.world import EVENT, Unreachable
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.operations.reconciler import Difference
from traffic_tacos.ports.store import JOB, Decision, Job, delete, drop_job, put
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.records import ORDER, RESERVATION

CONFIRMED = reservation_pb2.RESERVATION_STATUS_CONFIRMED


async def lose_jobs(desk, reservation_id):
    """Damage: every job about a reservation is gone."""
    jobs = [job for job in desk.platform.engines.jobs.pending() if job.payload.get("reservation_id") == reservation_id]
    await desk.memory.transact((), lambda _: Decision(None, [drop_job(job.id) for job in jobs]))
    assert jobs
    desk.broken = None  # as it says, this breaks promises


async def reconcile(desk, *, dry_run=False):
    request = operations_pb2.ReconcileRequest(dry_run=dry_run)
    path = "tacos.operations.v1.OperationsService/Reconcile"
    return await desk.ask(path, request, desk.token(Role.ADMIN, "op"))


async def worker_health(desk):
    request = admin_pb2.SystemHealthRequest(services=["worker"])
    return (await desk.ask("common.v1.AdminService/GetSystemHealth", request, desk.token(Role.ADMIN, "op"))).services[0]


@on_platform
async def test_where_nothing_is_wrong_nothing_is_found(desk):
    await bought(desk, "ana")
    held = await desk.held("ben")
    await desk.pay("ben", held)
    answer = await reconcile(desk)
    assert (answer.difference_count, code(answer)) == (0, "")
    await desk.clock.sleep(1000)
    assert (await worker_health(desk)).issues == []


@on_platform
async def test_a_hold_that_nobody_ends_is_ended(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held, payment_pb2.PAYMENT_SCENARIO_TIMEOUT)
    await lose_jobs(desk, held.reservation_id)
    await desk.clock.sleep(130)
    looked = await reconcile(desk, dry_run=True)
    assert [(one.subject, one.repaired) for one in looked.differences] == [(held.reservation_id, False)]
    found = await reconcile(desk)
    assert [(one.subject, one.repaired) for one in found.differences] == [(held.reservation_id, True)]
    health = await worker_health(desk)
    assert held.reservation_id in health.issues[0]
    assert health.metrics["inconsistencies_repaired"] == "1"
    await desk.clock.sleep(5)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_CANCELLED
    assert (await reconcile(desk)).difference_count == 0
    assert (await worker_health(desk)).issues == []


@on_platform
async def test_a_charge_that_everybody_forgot_becomes_a_ticket_within_minutes_and_by_itself(desk):
    held = await desk.held("ana")
    desk.lossy = 1.0
    intent = await desk.pay("ana", held)
    while (await desk.payment(intent)).status != payment_pb2.PAYMENT_STATUS_COMPLETED:
        await desk.loop_once()
    await lose_jobs(desk, held.reservation_id)
    desk.lossy = 0.0
    desk.checks_every_commit = False
    await desk.clock.sleep(400)
    reservation = await desk.reservation(held.reservation_id)
    assert reservation.status == CONFIRMED
    desk.broken = None


@on_platform
async def test_a_charge_for_no_ticket_that_everybody_forgot_is_refunded(desk):
    """Paid too late: the hold had ended, and what would have given the money back is lost."""
    desk.lossy = 1.0
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    await desk.cancel("ana", held)
    stored = await desk.store.get(PAYMENT.key(intent))
    captured = msgspec.structs.replace(stored, status=PaymentStatus.COMPLETED, processed_at=desk.clock.now())
    await desk.memory.transact((), lambda _: Decision(None, (put(PAYMENT.key(intent), captured),)))
    await lose_jobs(desk, held.reservation_id)
    desk.checks_every_commit = False
    found = await reconcile(desk)
    assert (intent, True) in [(one.subject, one.repaired) for one in found.differences]
    await desk.clock.sleep(10)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_REFUNDED
    desk.broken = None


@on_platform
async def test_a_job_that_is_there_dead_or_alive_is_not_put_again(desk):
    dead = Job("j", "nobody's", desk.clock.now(), attempts=7, is_dead=True)
    await desk.memory.transact((), lambda _: Decision(None, jobs=(dead,)))

    async def found():
        return (Difference("s", "is missing", msgspec.structs.replace(dead, attempts=0, is_dead=False)),)

    desk.platform.reconciler.differences = found
    report = await desk.platform.reconciler.once()
    assert report.repaired == frozenset()
    assert await desk.memory.get(JOB.key("j")) == dead


@on_platform
async def test_an_intent_that_nobody_ends_is_ended(desk):
    held = await desk.held("ana")
    intent = (await desk.intent("ana", held)).payment_intent_id
    await desk.cancel("ana", held)
    await desk.clock.sleep(5)
    second = await desk.held("ben")
    other = (await desk.intent("ben", second)).payment_intent_id
    await lose_jobs(desk, second.reservation_id)
    await desk.clock.sleep(700)
    await reconcile(desk)
    await desk.clock.sleep(5)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_CANCELLED
    assert (await desk.payment(other)).status in (
        payment_pb2.PAYMENT_STATUS_CANCELLED,
        payment_pb2.PAYMENT_STATUS_EXPIRED,
    )


@on_platform
async def test_what_no_rule_mends_is_reported_for_a_person(desk):
    held, _ = await bought(desk, "ana")
    order = (await desk.reservation(held.reservation_id)).order_id
    await desk.clock.sleep(60)
    kept = await desk.memory.get(ORDER.key(order))
    await desk.memory.transact((), lambda _: Decision(None, (delete(ORDER.key(order)),)))
    desk.broken = None
    desk.checks_every_commit = False
    found = await reconcile(desk)
    assert found.difference_count >= 2
    person = [one for one in found.differences if not one.job_id]
    assert any(held.reservation_id in one.what for one in person)
    assert (await worker_health(desk)).status == admin_pb2.HEALTH_STATUS_DEGRADED
    await desk.memory.transact((), lambda _: Decision(None, (put(ORDER.key(order), kept),)))
    await desk.clock.sleep(60)
    assert (await reconcile(desk)).difference_count == 0
    desk.broken = None


FREE = EVENT.replace("id: evt_sim", "id: evt_free").replace("price: 50000", "price: 0")


@pytest.mark.parametrize("after_commits", range(6))
def test_a_free_confirmation_that_a_crash_cuts_off_is_finished(after_commits):
    @on_platform
    async def on_desk(desk):
        await desk.platform.put_on_sale(FREE)
        held = await desk.held("ana", 1, ("MAIN-A-1",), event_id="evt_free")
        start = desk.commits
        request = gateway_pb2.ConfirmReservationRequest(
            reservation_id=held.reservation_id, user_id="ana", idempotency_key="k"
        )
        asked = asyncio.ensure_future(desk.call(GATEWAY + "ConfirmReservation", request, "ana"))
        await desk.commits_reach_unless(start + after_commits, asked)
        [known] = [record for _, record in desk.records().all(RESERVATION)]
        begun = bool(known.confirming or known.order_id)
        await desk.crash()
        outcome = (await asyncio.gather(asked, return_exceptions=True))[0]
        assert isinstance(outcome, Unreachable) or outcome.order_id
        await desk.clock.sleep(20)
        reservation = await desk.reservation(held.reservation_id)
        assert (reservation.status == CONFIRMED) == begun
        status = inventory_pb2.GetInventoryStatusRequest(event_id="evt_free")
        stats = (await desk.as_service(INVENTORY + "GetInventoryStatus", status)).stats
        assert stats.sold_seats == int(begun)
        await desk.clock.sleep(60)
        assert not [job for job in desk.jobs() if "payment" in job]

    on_desk()

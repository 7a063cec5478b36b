"""Background loops: whatever one comes upon, it is started again, the others go on, and health says so."""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, code, on_platform
from tests.simulation.loop import LoopClock
from tests.simulation.world import EVENT
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.ports.store import OUTBOX, Decision, Job, drop_job
from traffic_tacos.rooms.waiting_room.lines import Lines

CONFIRMED = reservation_pb2.RESERVATION_STATUS_CONFIRMED


class BadClock(LoopClock):
    """A clock that fails whoever sleeps, once for each length of sleep that only loops have, or all the time."""

    def __init__(self, loop, seconds, times):
        super().__init__(loop)
        self.left = dict.fromkeys(seconds, times)

    async def sleep(self, seconds):
        if self.left.get(seconds, 0):
            self.left[seconds] -= 1
            raise RuntimeError(f"no sleep of {seconds} seconds")
        await super().sleep(seconds)


# The length of the sleep that each loop has to itself, and the room whose health shows it.
SLEEPS = {
    "ttl_purge": (5.0, "worker"),
    "history": (10.0, "admin"),
    "activity": (10.0, "admin"),
    "heartbeat": (0.5, "admin"),
    "reconciler": (300.0, "worker"),
    "queues": (0.1, "waiting_room"),
}


async def health(desk):
    admin = desk.token(Role.ADMIN, "op")
    answer = await desk.ask("common.v1.AdminService/GetSystemHealth", admin_pb2.SystemHealthRequest(), admin)
    return answer.overall_status, {one.service_name: (one.status, list(one.issues)) for one in answer.services}


async def buys(desk, fan):
    held = await desk.held(fan, 1)
    await desk.pay(fan, held)
    await desk.clock.sleep(9)
    assert (await desk.reservation(held.reservation_id)).status == CONFIRMED


async def restarted(desk, clock):
    """The platform once more, on this clock."""
    desk.clock = clock
    await desk.crash()


@pytest.mark.parametrize("name", SLEEPS)
def test_a_loop_that_fails_is_started_again_and_seen_and_the_sale_goes_on(name):
    @on_platform
    async def run(desk):
        seconds, room = SLEEPS[name]
        await restarted(desk, BadClock(desk.loop, [seconds], times=3))
        await buys(desk, "ana")
        await desk.clock.sleep(320)
        assert desk.platform.loops.failures()[name] >= 1
        status, rooms = await health(desk)
        assert status == admin_pb2.SYSTEM_HEALTH_STATUS_DEGRADED
        assert rooms[room][0] == admin_pb2.SYSTEM_HEALTH_STATUS_DEGRADED
        (issue,) = [issue for issue in rooms[room][1] if name in issue]
        assert f"no sleep of {seconds} seconds" in issue
        shown = (await desk.http("GET", "/metrics")).text
        assert f'tacos_loop_failures{{loop="{name}"}}' in shown
        await desk.clock.sleep(1500)
        status, _ = await health(desk)
        assert status == admin_pb2.SYSTEM_HEALTH_STATUS_HEALTHY  # it has long been running again
        assert not desk.work.done()

    run()


@on_platform
async def test_every_background_loop_is_one_that_is_kept(desk):
    await desk.loop_once()
    kept = set(desk.platform.loops.failures())
    assert kept == {"jobs", "outbox", *SLEEPS}  # and the keyring's and the issuer's, where there are such


@on_platform
async def test_a_reconciler_that_always_fails_pauses_longer_and_longer(desk):
    await restarted(desk, BadClock(desk.loop, [300.0], times=10_000))
    await desk.clock.sleep(1000)
    failures = desk.platform.loops.failures()["reconciler"]
    assert 15 < failures < 30  # 1, 2, 4, ... 60 seconds
    await buys(desk, "ana")


@on_platform
async def test_a_bug_in_a_checker_ends_nothing(desk):
    """What the issue saw: the look itself raises."""

    async def broken(see):
        raise TypeError("a bug in a checker")

    desk.look = broken
    await desk.clock.sleep(700)
    assert not desk.work.done()
    await buys(desk, "ana")
    assert "a bug in a checker" in str(await health(desk))


@on_platform
async def test_a_bug_in_a_subscriber_or_a_job_or_its_cancellation_stops_only_itself(desk):
    async def cancelled(event):
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async def job_cancelled(job):
        await cancelled(job)

    async def job_bug(job):
        raise KeyError("a bug")

    desk.platform.engines.events.subscribe(cancelled)
    desk.platform.handlers |= {"bad.cancelled": job_cancelled, "bad.bug": job_bug}
    now = desk.clock.now()
    await desk.platform.engines.store.transact(
        (), lambda _: Decision(None, jobs=(Job("one", "bad.cancelled", now), Job("two", "bad.bug", now)))
    )
    await desk.clock.sleep(5)
    failed = {view.job.id: view.job.attempts for view in await desk.platform.engines.jobs.show("", "", 10)}
    assert failed["one"] > 1
    assert failed["two"] > 1
    await buys(desk, "ana")
    for job_id in ("one", "two"):
        await desk.platform.engines.store.transact((), lambda _, job_id=job_id: Decision(None, (drop_job(job_id),)))


@on_platform
async def test_an_event_whose_line_has_a_bug_stands_still_alone_and_health_names_it(desk):
    other = EVENT.replace("evt_sim", "evt_other")
    admin = desk.token(Role.ADMIN, "op")
    created = await desk.ask(
        "tacos.catalog.v1.CatalogService/CreateEvent", catalog_pb2.CreateEventRequest(document=other), admin
    )
    assert code(created) == ""
    join = queue_pb2.JoinQueueRequest(event_id="evt_other", user_id="ben", session_id="ben")
    assert code(await desk.as_fan("gateway.v1.QueueService/JoinQueue", join, "ben")) == ""

    async def broken():
        raise IndexError("a bug in one line")

    desk.platform.part(Lines).all()["evt_other"].line.advance = broken
    await desk.clock.sleep(30)
    _, rooms = await health(desk)
    assert [issue for issue in rooms["waiting_room"][1] if "evt_other" in issue and "a bug in one line" in issue]
    await buys(desk, "ana")
    assert desk.platform.part(Lines).all()["evt_other"].failures < 10  # it rests between its attempts
    del desk.platform.part(Lines).all()["evt_other"].line.advance
    await desk.clock.sleep(120)
    assert "evt_other" not in str((await health(desk))[1]["waiting_room"])


@on_platform
async def test_a_figure_or_a_check_that_fails_hides_none_of_the_others(desk):
    def bug():
        raise ZeroDivisionError("nothing to divide by")

    desk.platform.calls.metrics.add_gauge("tacos_bad", "Fails", bug)
    desk.platform.health.add_issues("gateway", bug)
    shown = (await desk.http("GET", "/metrics")).text
    assert "tacos_jobs_pending" in shown
    _, rooms = await health(desk)
    assert "nothing to divide by" in str(rooms["gateway"])
    answer = await desk.ask(GATEWAY + "HealthCheck", gateway_pb2.HealthCheckRequest())
    assert code(answer) == ""
    assert answer.status == gateway_pb2.HEALTH_STATUS_DEGRADED
    await desk.clock.sleep(11)
    assert desk.platform.loops.failures()["history"] == 0


@on_platform
async def test_events_that_were_told_when_the_outbox_failed_are_removed_once_it_goes_on(desk):
    failing = [True]
    remove = desk.store.transact

    async def transact(reads, decide):
        removes = getattr(decide, "__qualname__", "").startswith("remove.")
        if failing and removes:
            failing.pop()
            raise ValueError("a bug in removing")
        return await remove(reads, decide)

    desk.store.transact = transact
    await desk.platform.engines.store.transact((), lambda _: Decision(None, events=(EventChanged("t"),)))
    await desk.clock.sleep(5)
    assert desk.platform.loops.failures()["outbox"] == 1
    assert [path for path, _ in desk.records().all(OUTBOX)] == []

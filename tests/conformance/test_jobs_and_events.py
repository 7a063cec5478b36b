"""Jobs and events: nothing lost, nothing before its cause, and an end for what cannot be done."""

import asyncio
import random
from itertools import pairwise

import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.jobs import StoreJobs
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.outbox import Outbox
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import DAY, HOUR, MINUTE
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.ports.audit import AUDIT, Audited
from traffic_tacos.ports.jobs import Defer, PermanentFailure, PoolPolicy, TryAgainAt
from traffic_tacos.ports.store import JOB, OUTBOX, Decision, Job, drop_job, put
from traffic_tacos.rooms.webhook.deliveries import RETRY as WEBHOOK_RETRIES

RETRIES = RetryPolicy(pause_max=5 * MINUTE, attempts_max=12)


class Desk:
    """A store with jobs on it, whose clock is moved by hand."""

    def __init__(self, store: MemoryStore | None = None, policy: PoolPolicy = PoolPolicy(RETRIES)) -> None:
        self.clock = HandClock()
        self.store = store or MemoryStore()
        self.jobs = StoreJobs(
            self.store, self.clock, random.Random(1), {"t": policy, "webhook": PoolPolicy(WEBHOOK_RETRIES)}
        )
        self.outbox = Outbox(self.store, self.clock)
        self.store.on_commit = lambda writes: (self.jobs.committed(writes), self.outbox.committed(writes))

    async def put(self, *jobs: Job) -> None:
        await self.store.transact((), lambda _: Decision(None, jobs=jobs))

    async def run_for(self, handlers, seconds: float, step: float = 1.0) -> None:
        runner = asyncio.create_task(self.jobs.run(handlers))
        for _ in range(int(seconds / step)):
            self.jobs.committed([put(JOB.key("x"), Job("x", "none", 0)), drop_job("x")])  # it looks what is due
            for _ in range(20):
                await asyncio.sleep(0)
            self.clock.advance(step)
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)


@pytest.fixture
def desk():
    return Desk()


async def test_a_job_runs_when_it_is_due_and_not_before(desk):
    ran = []

    async def handler(job):
        ran.append((job.id, desk.clock.now()))

    due = desk.clock.now() + 5000
    await desk.put(Job("a", "t", due))
    await desk.run_for({"t": handler}, 10)
    assert [job_id for job_id, _ in ran] == ["a"]
    assert ran[0][1] >= due
    assert await desk.store.get(JOB.key("a")) is None
    assert desk.jobs.figures().completed == 1


async def test_a_job_that_fails_is_tried_again_with_growing_pauses_and_ends_as_a_dead_letter(desk):
    times = []

    async def failing(job):
        times.append(desk.clock.now())
        raise ValueError("the other side is down")

    await desk.put(Job("a", "t", desk.clock.now()))
    await desk.run_for({"t": failing}, 7200, step=2.0)
    assert len(times) == RETRIES.attempts_max
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[5] > 4 * pauses[0]
    [dead] = await desk.jobs.dead_letters(10)
    assert (dead.id, dead.is_dead, dead.attempts) == ("a", True, RETRIES.attempts_max)
    assert "the other side is down" in dead.last_error


@pytest.mark.parametrize("failures", [0, 1, RETRIES.attempts_max])
async def test_a_job_that_is_attempted_at_once_has_a_record_from_its_first_failure_on(desk, failures):
    records = []

    async def handler(job):
        records.append(await desk.store.get(JOB.key("a")))
        if len(records) <= failures:
            raise ValueError("the other side is down")

    commits = []
    heard = desk.store.on_commit
    desk.store.on_commit = lambda writes: (commits.append(writes), heard(writes))
    desk.jobs.attempt(Job("a", "t", desk.clock.now()))
    desk.jobs.attempt(Job("a", "t", desk.clock.now()))  # it is on its way
    await desk.run_for({"t": handler}, 7200, step=2.0)
    assert [record and record.attempts for record in records] == [None, 1, *range(2, RETRIES.attempts_max)][
        : len(records)
    ]
    assert len(records) == min(failures + 1, RETRIES.attempts_max)
    assert bool(commits) == bool(failures)
    assert len(await desk.jobs.dead_letters(10)) == (failures == RETRIES.attempts_max)
    assert desk.jobs.can_attempt("t")
    assert not desk.jobs.can_attempt("other")


async def test_a_job_that_knows_when_is_tried_again_then(desk):
    times = []

    async def busy(job):
        times.append(desk.clock.now())
        raise TryAgainAt("in a hundred seconds", desk.clock.now() + 100_000)

    await desk.put(Job("a", "t", desk.clock.now()))
    await desk.run_for({"t": busy}, 350, step=1.0)
    assert len(times) == 4
    assert all(100_000 <= later - earlier <= 102_000 for earlier, later in pairwise(times))


async def test_a_job_that_gives_up_is_a_dead_letter_at_once(desk):
    async def gone(job):
        raise PermanentFailure("nobody wants it any more")

    await desk.put(Job("a", "t", desk.clock.now()))
    await desk.run_for({"t": gone}, 3)
    [dead] = await desk.jobs.dead_letters(10)
    assert (dead.attempts, "nobody wants it" in dead.last_error) == (1, True)


async def test_a_webhook_is_tried_for_more_than_a_day_before_it_is_given_up(desk):
    times = []

    async def failing(job):
        times.append(desk.clock.now())
        raise ValueError("the endpoint is down")

    await desk.put(Job("a", "webhook", desk.clock.now()))
    await desk.run_for({"webhook": failing}, 48 * 3600, step=120.0)
    assert len(times) == WEBHOOK_RETRIES.attempts_max
    assert times[-1] - times[0] >= DAY
    assert max(later - earlier for earlier, later in pairwise(times)) <= 5 * HOUR
    [dead] = await desk.jobs.dead_letters(10)
    assert dead.id == "a"


async def test_a_dead_letter_is_replayed(desk):
    async def failing(job):
        raise ValueError("no")

    ran = []

    async def working(job):
        ran.append(job.id)

    await desk.put(Job("a", "t", desk.clock.now()))
    await desk.run_for({"t": failing}, 7200, step=2.0)
    entry = Audited(desk.clock.now(), "op", "replay", "a", "", "", "it works again", "trace")
    assert await desk.jobs.replay("a", entry)
    assert not await desk.jobs.replay("a", entry)
    kept = [one.subject for _, one in await desk.store.scan(AUDIT.prefix(), limit=10)]
    assert kept == ["a"]  # the second changed nothing
    await desk.run_for({"t": working}, 3)
    assert ran == ["a"]
    assert await desk.jobs.dead_letters(10) == []


async def test_jobs_survive_a_restart(desk):
    await desk.put(Job("a", "t", desk.clock.now()), Job("b", "t", desk.clock.now() + 2000))
    ran = []

    async def handler(job):
        ran.append(job.id)

    reborn = Desk(desk.store.reopened(lambda _: None))
    await reborn.jobs.load()
    await reborn.run_for({"t": handler}, 5)
    assert ran == ["a", "b"]


async def test_a_job_cut_off_by_a_crash_runs_again(desk):
    started = asyncio.Event()

    async def hanging(job):
        started.set()
        await asyncio.Event().wait()

    await desk.put(Job("a", "t", desk.clock.now()))
    runner = asyncio.create_task(desk.jobs.run({"t": hanging}))
    await started.wait()
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    assert await desk.store.get(JOB.key("a")) is not None


async def test_jobs_of_one_order_never_overlap(desk):
    inside = most = 0

    async def handler(job):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        inside -= 1

    now = desk.clock.now()
    old = Job("old", "t", now, {"order": "r1"})  # as version 0.1.0 wrote it
    await desk.put(old, *(Job(f"j{n}", "t", now, group="r1") for n in range(7)))
    await desk.run_for({"t": handler}, 12)
    assert most == 1
    assert desk.jobs.figures().completed == 8


async def test_a_job_replaced_while_it_runs_is_not_lost(desk):
    runs = []

    async def handler(job):
        runs.append(job.due_at)
        if len(runs) == 1:
            await desk.put(Job("a", "t", desk.clock.now() + 3000))

    await desk.put(Job("a", "t", desk.clock.now()))
    await desk.run_for({"t": handler}, 8)
    assert len(runs) == 2


async def test_a_job_whose_record_was_damaged_while_it_ran_keeps_no_other_waiting(desk, monkeypatch):
    monkeypatch.setattr(desk.clock, "sleep", lambda _: asyncio.Event().wait())  # until it is tried again
    ran = []

    async def handler(job):
        ran.append(job.id)
        if job.id == "a":
            desk.store.keep(JOB.key("a").path, b"{")

    async with asyncio.TaskGroup() as group:
        runner = group.create_task(desk.jobs.run({"t": handler}))
        for name in "ab":
            await desk.put(Job(name, "t", desk.clock.now()))
            for _ in range(20):
                await asyncio.sleep(0)
        runner.cancel()
    assert ran == ["a", "b"]


async def test_a_crowd_of_jobs_runs_within_the_limit():
    desk = Desk(policy=PoolPolicy(running_max=4))
    inside = most = 0

    async def handler(job):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1

    await desk.put(*(Job(f"j{n}", "t", desk.clock.now()) for n in range(30)))
    await desk.run_for({"t": handler}, 30)
    assert most == 4
    assert desk.jobs.figures().completed == 30


async def test_who_waits_for_one_slow_order_keeps_nobody_else_waiting():
    """However many wait for it, and whatever becomes of them, the others are done, and they themselves later."""
    desk = Desk(policy=PoolPolicy(running_max=6, group_max=2))
    slow, ran = asyncio.Event(), []

    async def handler(job):
        if job.group == "slow":
            await slow.wait()
        ran.append(job.id)

    now = desk.clock.now()
    await desk.put(*(Job(f"slow{n}", "t", now, group="slow") for n in range(20)))
    await desk.put(*(Job(f"other{n}", "t", now, group=f"o{n % 5}") for n in range(40)))
    await desk.store.transact((), lambda _: Decision(None, [drop_job(f"slow{n}") for n in range(5, 9)]))
    running = asyncio.create_task(desk.run_for({"t": handler}, 30))
    while len(ran) < 40 and not running.done():
        await asyncio.sleep(0)
    assert sorted(ran) == sorted(f"other{n}" for n in range(40))
    slow.set()
    await running
    assert len(ran) == 56
    assert desk.jobs.figures().pending == 0


async def test_a_job_that_was_not_even_tried_has_not_failed(desk):
    times = []

    async def closed(job):
        times.append(desk.clock.now())
        if len(times) < 30:
            raise Defer("not now", desk.clock.now() + 5000)

    await desk.put(Job("a", "t", desk.clock.now()))
    await desk.run_for({"t": closed}, 200)
    assert len(times) == 30
    assert desk.jobs.figures().failed == 0
    assert await desk.store.get(JOB.key("a")) is None


async def test_events_reach_every_subscriber_in_order_and_are_then_removed(desk):
    heard = []

    async def subscriber(event):
        heard.append(event.event_id)

    desk.outbox.subscribe(subscriber)
    relay = asyncio.create_task(desk.outbox.run())
    for n in range(5):
        await desk.store.transact((), lambda _, n=n: Decision(None, events=(EventChanged(str(n)),)))
    for _ in range(50):
        await asyncio.sleep(0)
    relay.cancel()
    assert heard == ["0", "1", "2", "3", "4"]
    assert await desk.store.scan(OUTBOX.prefix(), limit=10) == []


async def test_an_event_is_told_again_to_a_subscriber_that_failed_and_after_a_crash(desk):
    heard = []

    async def failing_once(event):
        heard.append(event.event_id)
        if len(heard) == 1:
            raise ValueError("not now")

    await desk.store.transact((), lambda _: Decision(None, events=(EventChanged("e"),)))
    reborn = Desk(desk.store.reopened(lambda _: None))
    await reborn.outbox.load()
    reborn.outbox.subscribe(failing_once)
    relay = asyncio.create_task(reborn.outbox.run())
    for _ in range(50):
        await asyncio.sleep(0)
    relay.cancel()
    assert heard == ["e", "e"]


async def test_an_event_that_a_subscriber_can_never_take_does_not_keep_the_others_from_anybody(desk):
    heard, tried = [], []

    async def broken(event):
        if event.event_id == "2":
            tried.append(desk.clock.now())
            raise IndexError("a bug")

    async def away(event):
        if event.event_id == "3" and len(heard) < 20:
            heard.append("away")
            raise Fault("for a while")
        heard.append(event.event_id)

    desk.outbox.subscribe(broken)
    desk.outbox.subscribe(away)
    relay = asyncio.create_task(desk.outbox.run())
    for number in range(1, 5):
        event = EventChanged(str(number))
        await desk.store.transact((), lambda _, event=event: Decision(None, events=[event]))
    for _ in range(200):
        await asyncio.sleep(0)
    relay.cancel()
    assert len(tried) == 5  # a bug is tried a few times, a fault until it is over
    assert heard == ["1", "2", *["away"] * 18, "3", "4"]
    assert desk.outbox.waiting() == 0

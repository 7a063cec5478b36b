"""Several processes on one store: what each hears of the others, and what is taken up of one that dies."""

import asyncio
import random
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from tests.simulation.loop import on_virtual_time
from traffic_tacos.engines.follower import Follower
from traffic_tacos.engines.jobs import OVERDUE_AFTER, SharedJobs
from traffic_tacos.engines.leases import LEASE_FOR, SKEW_MAX
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.peers import HOUSE, JOBS, SharedPeers
from traffic_tacos.engines.presence import PRESENT_FOR
from traffic_tacos.engines.settings import SETTING, Set
from traffic_tacos.engines.shared_outbox import KEPT_FOR, ORPHANED_AFTER, ORPHANS_EVERY, SharedOutbox
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.audit import AUDIT, CHAIN_END, Audited, audited
from traffic_tacos.ports.peers import Share
from traffic_tacos.ports.store import (
    JOB,
    OUTBOX,
    Decision,
    Job,
    StoreUnavailable,
    delete,
    put,
    timed_outbox_key,
)


class Process:
    """What one process has of all this."""

    def __init__(self, records, clock, number, duties=(HOUSE, JOBS)):
        chance = random.Random(number)

        def outbox_keys():
            mark, now = f"{chance.getrandbits(64):016x}", clock.now()
            return (timed_outbox_key(now, mark, n) for n in range(100))

        self.store = records.beside(self.committed, outbox_keys)
        self.peers = SharedPeers(
            self.store,
            clock,
            f"process-{number}",
            small=(SETTING,),
            growing=(AUDIT,),
            one_at_a_time=("room",),
            divided=("seats",),
            duties=duties,
        )
        self.jobs = SharedJobs(self.store, clock, chance, self.peers.jobs)
        self.outbox = SharedOutbox(self.store, clock, self.peers)
        self.heard, self.forwarded, self.changes, self.did = [], [], [], []
        self.outbox.subscribe(self._hear)
        self.outbox.subscribe(self._forward, forwards=True)

    def committed(self, writes):
        self.peers.committed(writes)
        self.jobs.committed(writes)
        self.outbox.committed(writes)

    async def begin(self, rooms=("seats",)):
        await self.peers.begin(rooms, self.changes.extend)

    async def run(self):
        async with asyncio.TaskGroup() as tasks:
            for loop in self.peers.loops().values():
                tasks.create_task(loop())
            tasks.create_task(self.outbox.run())
            tasks.create_task(self.jobs.run({"topic": self._do}))

    async def _hear(self, event):
        self.heard.append(event.event_id)

    async def _forward(self, event):
        self.forwarded.append(event.event_id)

    async def _do(self, job):
        self.did.append(job.id)


@asynccontextmanager
async def running(*processes):
    tasks = []
    for process in processes:
        await process.begin()
        tasks.append(asyncio.create_task(process.run()))
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def two(clock):
    records = MemoryStore()
    return records, Process(records, clock, 1), Process(records, clock, 2)


async def tell(process, *topics):
    await process.store.transact((), lambda _: Decision(None, events=[EventChanged(topic) for topic in topics]))


@on_virtual_time
async def test_every_process_hears_every_event_once_and_one_forwards_it(clock):
    records, one, other = two(clock)
    async with running(one, other):
        await tell(one, "a", "b")
        await tell(other, "c")
        await clock.sleep(1)
        assert sorted(one.heard) == sorted(other.heard) == ["a", "b", "c"]
        assert (one.forwarded, other.forwarded) == (["a", "b"], ["c"])
        await clock.sleep(KEPT_FOR / SECOND + 1)
        assert list(records.all(OUTBOX)) == []
        await clock.sleep(ORPHANED_AFTER / SECOND)
        assert len(one.heard) == len(other.heard) == 3
        assert len(one.forwarded + other.forwarded) == 3


class Counting(MemoryStore):
    looks = 0

    async def scan(self, prefix, *, after=None, limit):
        self.looks += 1
        return await super().scan(prefix, after=after, limit=limit)


@on_virtual_time
async def test_a_process_without_listeners_does_not_look_for_events_of_others(clock):
    store = Counting()
    outbox = SharedOutbox(store, clock, SimpleNamespace(is_ours=lambda: False))
    running = asyncio.create_task(outbox.run())
    await clock.sleep(2)
    assert store.looks == 0
    heard = []

    async def listen(event):
        heard.append(event)

    outbox.subscribe(listen)
    await clock.sleep(2)
    assert store.looks > 0
    running.cancel()


@on_virtual_time
async def test_an_event_of_a_process_that_died_is_forwarded_by_another(clock):
    records, one, other = two(clock)
    await tell(one, "last")  # it is committed, and nobody tells it
    async with running(other):
        await clock.sleep(1)
        assert (other.heard, other.forwarded) == (["last"], [])
        await clock.sleep((ORPHANED_AFTER + ORPHANS_EVERY) / SECOND)
        assert (other.heard, other.forwarded) == (["last"], ["last"])
        assert list(records.all(OUTBOX)) == []


@on_virtual_time
async def test_a_job_is_done_by_who_put_it_and_when_they_died_by_who_has_the_duty(clock):
    records, one, other = two(clock)
    due = Job("soon", "topic", clock.now() + SECOND)
    async with running(one, other):
        await other.store.transact((), lambda _: Decision(None, jobs=(due,)))
        await clock.sleep(15)
        assert (one.did, other.did) == ([], ["soon"])
    left = Job("left", "topic", clock.now() + SECOND)
    await one.store.transact((), lambda _: Decision(None, jobs=(left,)))
    async with running(other):
        await clock.sleep(5)
        assert other.did == ["soon"]
        await clock.sleep((OVERDUE_AFTER + LEASE_FOR + SKEW_MAX) / SECOND)
        assert other.did == ["soon", "left"]
        assert list(records.all(JOB)) == []


@on_virtual_time
async def test_a_job_that_another_replaced_is_not_held_to_be_known(clock):
    """It was replaced by the other process, which died before it did it."""
    _, one, other = two(clock)
    async with running(one):
        await one.store.transact((), lambda _: Decision(None, jobs=(Job("j", "topic", clock.now() + SECOND),)))
        await other.store.transact((), lambda _: Decision(None, jobs=(Job("j", "topic", clock.now() + 2 * SECOND),)))
        await clock.sleep(3 + (OVERDUE_AFTER + LEASE_FOR + SKEW_MAX) / SECOND)
        assert one.did == ["j", "j"]
        assert one.jobs.known() == []


@on_virtual_time
async def test_what_an_operator_changes_is_known_everywhere_within_a_second(clock):
    _, one, other = two(clock)
    entry = Audited(clock.now(), "op", "configure", "a", "", "1", "why", "trace")
    async with running(one, other):
        await one.store.transact(
            (CHAIN_END,),
            lambda view: Decision(None, (put(SETTING.key("a"), Set("1")), *audited(view, entry))),
        )
        assert other.changes == []
        await clock.sleep(1)
        assert [(write.kind, write.path) for write in other.changes] == [
            (SETTING, "setting/a"),
            (AUDIT, "audit/000000000001"),
        ]
        assert one.changes == [], "who did it knows"
        await one.store.transact((), lambda _: Decision(None, (delete(SETTING.key("a")),)))
        await clock.sleep(1)
        assert other.changes[2:] == [(SETTING, "setting/a", None)]


@on_virtual_time
async def test_a_look_that_is_overtaken_by_our_own_change_takes_nothing_back(clock):
    records = MemoryStore()
    told = []

    class Slow:
        async def scan(self, prefix, *, after=None, limit):
            found = await records.scan(prefix, after=after, limit=limit)
            if overtaking:
                await change(overtaking.pop())
                follower.committed((put(SETTING.key("a"), Set("ours")),))
            return found

    async def change(value):
        await records.transact((), lambda _: Decision(None, (put(SETTING.key("a"), Set(value)),)))

    overtaking = []
    follower = Follower(Slow(), clock, (SETTING,), (), told.extend)
    await follower.load()
    await change("theirs")
    overtaking.append("ours")
    await follower.look()
    await follower.look()
    assert told == []
    await change("theirs again")
    await follower.look()
    assert [write.value for write in told] == [Set("theirs again")]


@on_virtual_time
async def test_a_room_of_one_process_at_a_time_waits_for_the_one_that_has_it(clock):
    _, one, other = two(clock)
    await one.begin({"room"})
    waiting = asyncio.create_task(other.begin({"room"}))
    await clock.sleep(2)
    assert not waiting.done()
    await one.peers.end()
    await clock.sleep(2)
    assert waiting.done()
    fenced = one.peers.store_of("room", one.store)
    with pytest.raises(StoreUnavailable):
        await fenced.transact((), lambda _: Decision(None, (delete(SETTING.key("a")),)))
    assert one.peers.store_of("another", one.store) is one.store


@on_virtual_time
async def test_processes_know_how_many_they_are_and_miss_who_has_gone(clock):
    records = MemoryStore()
    three = [Process(records, clock, number) for number in range(3)]
    assert [process.peers.share() for process in three] == [Share(0, 1)] * 3
    async with running(*three) as tasks:
        await clock.sleep(2)
        assert [process.peers.share() for process in three] == [Share(0, 3), Share(1, 3), Share(2, 3)]
        tasks[1].cancel()  # it dies
        await clock.sleep((PRESENT_FOR + SKEW_MAX) / SECOND + 2)
        assert [three[0].peers.share(), three[2].peers.share()] == [Share(0, 2), Share(1, 2)]
        tasks[0].cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)
        await three[0].peers.end()  # it says so
        await clock.sleep(1.1)
        assert three[2].peers.share() == Share(0, 1)


@on_virtual_time
async def test_a_process_says_which_leases_it_has_and_how_often_they_changed_hands(clock):
    _, one, other = two(clock)
    await one.begin({"room"})
    assert one.peers.leases() == {"duty": 1, "jobs": 1, "room": 1}
    assert other.peers.leases() == {}
    await one.peers.end()
    await other.begin({"room"})
    assert (one.peers.leases(), other.peers.leases()) == ({}, {"duty": 2, "jobs": 2, "room": 2})


@on_virtual_time
async def test_a_process_does_for_all_only_what_it_asks_for(clock):
    records = MemoryStore()
    sale, worker, relay = (
        Process(records, clock, 1, ()),
        Process(records, clock, 2, (JOBS,)),
        Process(records, clock, 3, (HOUSE,)),
    )
    await sale.begin()
    left = Job("left", "topic", clock.now(), {})
    await sale.store.transact((), lambda _: Decision(None, jobs=(left,)))  # and dies
    await tell(sale, "last")
    async with running(worker, relay):
        await clock.sleep(ORPHANED_AFTER / SECOND + 10)
        assert (worker.did, relay.did) == (["left"], [])
        assert (worker.forwarded, relay.forwarded) == ([], ["last"])
        duties = [(process.peers.is_ours(), process.peers.jobs.is_ours()) for process in (sale, worker, relay)]
        assert duties == [(False, False), (False, True), (True, False)]


@on_virtual_time
async def test_who_does_not_share_the_work_is_not_counted_among_those_who_do(clock):
    records = MemoryStore()
    sale, edge = Process(records, clock, 1), Process(records, clock, 2)
    await edge.begin(("gateway",))
    async with running(sale):
        beside = asyncio.create_task(edge.run())
        await clock.sleep(2)
        assert (sale.peers.share(), edge.peers.share()) == (Share(0, 1), Share(0, 1))
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)

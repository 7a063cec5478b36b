"""Events on a bus: each at least once, none removed before it was sent, and nobody here waits for it."""

import asyncio
import random
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.aws import FakeBus
from tests.simulation.loop import LoopClock, VirtualLoop, run
from traffic_tacos.engines.aws import AwsFault
from traffic_tacos.engines.eventbridge import Bus, entry_of, fitting
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.shared_outbox import KEPT_FOR, ORPHANED_AFTER, SharedOutbox
from traffic_tacos.kernel.domain_events import EventChanged, SettingChanged
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.health import Health
from traffic_tacos.ports.peers import ALONE
from traffic_tacos.ports.store import OUTBOX, Decision, timed_outbox_key

KEY = timed_outbox_key(1_800_000_000_123, "00000000000000aa", 1)


class Process:
    """One that commits, on a memory that several may share."""

    def __init__(self, clock, api, memory=None):
        self.bus = Bus(api, "tacos")
        self._random = random.Random(id(self))
        self.store = (memory or MemoryStore()).beside(
            lambda writes: self.outbox.committed(writes),
            lambda: (timed_outbox_key(clock.now(), f"{self._random.getrandbits(64):016x}", n) for n in range(100)),
        )
        self.outbox = SharedOutbox(self.store, clock, ALONE, self.bus.publish)
        self.heard = []
        self.outbox.subscribe(self._hear)

    async def _hear(self, event):
        self.heard.append(event.event_id)

    async def commit(self, *names):
        await self.store.transact((), lambda _: Decision(None, events=[EventChanged(name) for name in names]))

    async def kept(self):
        return sorted(event.event_id for _, event in await self.store.scan(OUTBOX.prefix(), limit=1000))

    @asynccontextmanager
    async def working(self):
        work = asyncio.create_task(self.outbox.run())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def play(scenario, **faults):
    loop = VirtualLoop(random.Random(1))
    run(scenario(LoopClock(loop), FakeBus(random.Random(2), **faults)), loop)


def names(count):
    return [f"evt_{number:03d}" for number in range(count)]


def test_an_event_says_where_it_comes_from_what_it_is_and_which():
    entry = entry_of(KEY, SettingChanged("webhook.seconds", "1", "2", 1_800_000_000_000), "tacos")
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == (
        "traffic-tacos",
        "platform.setting_changed",
        "tacos",
    )
    assert entry["Time"] == 1_800_000_000.123
    assert msgspec.json.decode(entry["Detail"]) == {
        "id": "01800000000123-00000000000000aa-001",
        "name": "webhook.seconds",
        "old": "1",
        "new": "2",
        "at": "1800000000000",
    }


def test_an_event_that_no_request_can_take_goes_without_what_it_says():
    entry = entry_of(KEY, EventChanged("x" * 300_000), "tacos")
    assert msgspec.json.decode(entry["Detail"]) == {"id": KEY.parts[0], "bytes_left_out": 300_058}


@pytest.mark.parametrize(
    ("sizes", "count"),
    [([1], 1), ([1] * 10, 10), ([1] * 11, 10), ([100_000] * 3, 2), ([255_000, 5_000], 1), ([255_000], 1)],
)
def test_a_request_has_at_most_ten_entries_and_so_many_bytes(sizes, count):
    entries = [{"Source": "s", "DetailType": "t", "Detail": "x" * size} for size in sizes]
    assert fitting(entries) == count


def test_what_is_committed_is_published_and_then_removed():
    async def scenario(clock, api):
        process = Process(clock, api)
        async with process.working():
            await process.commit(*names(25))
            await clock.sleep(1)
            assert sorted(one["event_id"] for one in api.heard) == names(25)
            await clock.sleep(2 * KEPT_FOR / SECOND)
            assert await process.kept() == []
        assert process.bus.health(0).health is Health.HEALTHY

    play(scenario)


def test_what_the_bus_does_not_take_is_sent_again_until_it_does():
    async def scenario(clock, api):
        process = Process(clock, api)
        async with process.working():
            await process.commit(*names(60))
            await clock.sleep(60)
            assert sorted(one["event_id"] for one in api.heard) == names(60)
            assert process.outbox.unpublished() == 0

    play(scenario, not_taken=0.5, refused=0.2)


def test_no_record_is_removed_before_its_event_was_sent_and_nobody_here_waits_for_the_bus():
    async def scenario(clock, api):
        process = Process(clock, api)
        api.is_down = True
        async with process.working():
            await process.commit(*names(15))
            await clock.sleep(1)
            assert process.heard == names(15)
            await clock.sleep(3 * ORPHANED_AFTER / SECOND)
            assert await process.kept() == names(15) and process.heard == names(15)
            assert process.bus.health(15).health is Health.DEGRADED
            api.is_down = False
            await clock.sleep(2 * KEPT_FOR / SECOND)
            assert sorted({one["event_id"] for one in api.heard}) == names(15)
            assert await process.kept() == [] and process.heard == names(15)

    play(scenario)


def test_what_a_process_has_left_unsent_when_it_died_is_sent_by_another():
    async def scenario(clock, api):
        memory = MemoryStore()
        dead, alive = Process(clock, api, memory), Process(clock, api, memory)
        await dead.commit(*names(12))  # and no more of it
        async with alive.working():
            await clock.sleep(2 * ORPHANED_AFTER / SECOND)
            assert sorted(one["event_id"] for one in api.heard) == names(12)
            assert await alive.kept() == [] and sorted(alive.heard) == names(12)

    play(scenario)


def test_what_a_dead_process_has_left_is_kept_while_the_bus_is_away_and_told_once():
    async def scenario(clock, api):
        memory = MemoryStore()
        dead, alive = Process(clock, api, memory), Process(clock, api, memory)
        told = []

        async def forward(event):
            told.append(event.event_id)

        alive.outbox.subscribe(forward, forwards=True)
        api.is_down = True
        await dead.commit(*names(12))
        async with alive.working():
            await clock.sleep(4 * ORPHANED_AFTER / SECOND)
            assert await alive.kept() == names(12) and told == []
            api.is_down = False
            await clock.sleep(2 * ORPHANED_AFTER / SECOND)
            assert sorted(one["event_id"] for one in api.heard) == sorted(told) == names(12)
            assert await alive.kept() == []

    play(scenario)


def test_what_is_refused_for_good_keeps_nothing_else_back(monkeypatch):
    async def scenario(clock, api):
        async def refusing(operation, parameters):
            entries = parameters["Entries"]
            results = [{"ErrorCode": "MalformedDetail"} if "003" in one["Detail"] else {} for one in entries]
            return {"Entries": results}

        process = Process(clock, refusing)
        async with process.working():
            await process.commit(*names(5))
            await clock.sleep(2 * KEPT_FOR / SECOND)
            assert process.outbox.unpublished() == 0 and await process.kept() == []

    play(scenario)


async def test_a_bus_that_does_not_answer_is_a_fault():
    async def away(operation, parameters):
        raise AwsFault("away")

    bus = Bus(away, "tacos")
    with pytest.raises(AwsFault):
        await bus.publish([(KEY, EventChanged("evt_1"))])
    assert bus.health(1).issues == ("away",)

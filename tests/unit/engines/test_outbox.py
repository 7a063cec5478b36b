"""Events to subscribers: at least once, in order, and removed when all have heard, whatever fails meanwhile."""

import asyncio
import contextlib
import random

import pytest

from tests.clocks import HandClock
from tests.stored import stored
from traffic_tacos.engines.faulty import Faults, FaultyStore
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.outbox import BUGS_MAX, PAGE, RETRY_SECONDS, Outbox
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.kernel.errors import Damaged, Fault
from traffic_tacos.ports.store import JOB, OUTBOX, Job, StoreUnavailable, delete, outbox_key, put


class NotingClock(HandClock):
    def __init__(self) -> None:
        super().__init__()
        self.sleeps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await super().sleep(seconds)


class Desk:
    def __init__(self) -> None:
        self.clock = NotingClock()
        self.memory = MemoryStore()
        self.store = FaultyStore(self.memory, Faults(), self.clock, random.Random(1))
        self.outbox = Outbox(self.store, self.clock)
        self.memory.on_commit = self.outbox.committed

    async def commit(self, *topics: str) -> None:
        events = tuple(EventChanged(topic) for topic in topics)
        await stored(self.memory, events=events)

    def stored(self) -> list[str]:
        return [event.event_id for _, event in self.memory.all(OUTBOX)]

    @contextlib.asynccontextmanager
    async def running(self):
        relay = asyncio.create_task(self.outbox.run())
        try:
            yield relay
        finally:
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)

    async def settle(self, steps: int = 300) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)


@pytest.fixture
def desk():
    return Desk()


def failing(heard, error, times):
    """A subscriber that raises so many times at the topic `bad`, and notes what it was told."""

    async def subscriber(event):
        heard.append(event.event_id)
        if event.event_id == "bad" and heard.count("bad") <= times:
            raise error

    return subscriber


# What a subscriber raises at one event, how often it would, and how often it is told of it.
@pytest.mark.parametrize(
    ("error", "times", "told"),
    [
        (Fault("away"), 0, 1),
        (Fault("away"), 3, 4),
        (Fault("away"), 50, 51),
        (StoreUnavailable("away"), 50, 51),
        (Damaged("for good"), 50, 1),
        (ValueError("a bug"), 1, 2),
        (ValueError("a bug"), BUGS_MAX - 1, BUGS_MAX),
        (ValueError("a bug"), 50, BUGS_MAX),
        (asyncio.CancelledError(), 50, BUGS_MAX),  # of something that it waited for, not of the relay
    ],
    ids=repr,
)
async def test_how_often_an_event_is_told_to_a_subscriber_that_fails(desk, error, times, told):
    heard, other = [], []
    desk.outbox.subscribe(failing(heard, error, times))

    async def hears(event):
        other.append(event.event_id)

    desk.outbox.subscribe(hears)
    await desk.commit("first", "bad", "last")
    async with desk.running() as relay:
        await desk.settle()
        assert not relay.done()
    assert heard == ["first", *["bad"] * told, "last"]
    assert other == ["first", "bad", "last"]
    assert desk.clock.sleeps.count(RETRY_SECONDS) == told - 1  # between two attempts, and none after the last
    assert (desk.stored(), desk.outbox.waiting()) == ([], 0)


async def test_a_commit_without_events_is_none_and_a_removal_is_no_event(desk):
    key = outbox_key(7)
    desk.outbox.committed([put(JOB.key("a"), Job("a", "t", 0)), delete(key)])
    assert desk.outbox.waiting() == 0
    desk.outbox.committed([put(key, EventChanged("e"))])
    assert desk.outbox.waiting() == 1


async def test_without_subscribers_events_are_removed(desk):
    await desk.commit("a", "b")
    async with desk.running():
        await desk.settle()
    assert (desk.stored(), desk.outbox.waiting()) == ([], 0)


async def test_what_comes_while_events_are_told_is_told_after_them(desk):
    heard = []

    async def adds(event):
        heard.append(event.event_id)
        if event.event_id in ("1", "2"):
            await desk.commit(event.event_id * 2)

    desk.outbox.subscribe(adds)
    await desk.commit("1", "2")
    async with desk.running():
        await desk.settle()
        await desk.commit("late")  # the relay sleeps by now
        await desk.settle()
    assert heard == ["1", "2", "11", "22", "late"]


@pytest.mark.parametrize("fault", ["fail_before", "fail_after"])
async def test_a_removal_that_fails_is_tried_again_and_nothing_is_told_twice(desk, fault):
    heard = []

    async def hears(event):
        heard.append(event.event_id)

    desk.outbox.subscribe(hears)
    await desk.commit("a", "b")
    desk.store.faults = Faults(**{fault: 1.0})
    async with desk.running() as relay:
        await desk.settle()
        assert not relay.done()
        assert (heard, desk.outbox.waiting()) == (["a", "b"], 0)
        desk.store.faults = Faults()
        await desk.settle()
    assert (heard, desk.outbox.waiting(), desk.stored()) == (["a", "b"], 0, [])


async def test_a_relay_that_is_stopped_at_an_event_leaves_it_for_the_next_process(desk):
    reached = asyncio.Event()

    async def hangs(event):
        if event.event_id == "b":
            reached.set()
            await asyncio.Event().wait()

    desk.outbox.subscribe(hangs)
    await desk.commit("a", "b", "c")
    async with desk.running() as relay:
        await reached.wait()
        relay.cancel()
        with pytest.raises(asyncio.CancelledError):
            await relay
    assert desk.stored() == ["a", "b", "c"]
    heard = []

    async def hears(event):
        heard.append(event.event_id)

    later = Outbox(desk.store, desk.clock)
    later.subscribe(hears)
    desk.memory.on_commit = later.committed
    await later.load()
    desk.outbox = later
    async with desk.running():
        await desk.settle()
    assert (heard, desk.stored()) == (["a", "b", "c"], [])


async def test_what_an_earlier_process_left_is_told_in_order_however_much_it_is(desk):
    desk.memory.on_commit = lambda _: None
    topics = [str(number) for number in range(2 * PAGE + 1)]
    await desk.commit(*topics)
    heard = []

    async def hears(event):
        heard.append(event.event_id)

    desk.outbox.subscribe(hears)
    await desk.outbox.load()
    assert desk.outbox.waiting() == len(topics)
    async with desk.running():
        await desk.settle()
    assert heard == topics
    assert desk.stored() == []  # in pieces: the store takes no commit of so many records

"""Callers who ask several processes at once have their limit once."""

import asyncio

import pytest

from tests.buckets import MemoryBuckets
from tests.unit.engines.test_peers import on_virtual_time
from traffic_tacos.calls.limits import (
    BURST_SECONDS,
    SHARED_AGAIN_SECONDS,
    SHARED_AT_ONCE_MAX,
    SHARED_EVERY,
    Limits,
)
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND

PER_SECOND = 40
PROCESSES = 3
ANA = Caller(Role.FAN, "ana")


class Forty:
    def number(self, name):
        return PER_SECOND

    def text(self, name):
        return ""


def asks(limits, clock):
    try:
        limits.take(ANA, "", (), clock.now())
    except Refusal:
        return 0
    return 1


async def flood(all_, clock, seconds):
    """How many calls pass of one who asks each process two hundred times a second."""
    passed = 0
    for _ in range(seconds * 200):
        passed += sum(asks(limits, clock) for limits in all_)
        await clock.sleep(1 / 200)
    return passed


@on_virtual_time
async def test_who_asks_three_processes_has_the_limit_once(clock):
    shared = MemoryBuckets(clock)
    all_ = [Limits(Forty()) for _ in range(PROCESSES)]
    tasks = [asyncio.create_task(limits.share(shared, clock)) for limits in all_]
    at_first = PER_SECOND * (BURST_SECONDS * PROCESSES)  # before they have heard of each other
    assert await flood(all_, clock, 5) <= at_first + 5 * PER_SECOND
    later = await flood(all_, clock, 20)
    assert 20 * PER_SECOND * 0.8 <= later <= 20 * PER_SECOND * 1.1
    await clock.sleep(BURST_SECONDS * 2)
    one = await flood(all_[:1], clock, 10)
    assert one >= 10 * PER_SECOND, "who asks one process has all of it"
    for task in tasks:
        task.cancel()


@on_virtual_time
async def test_each_counts_by_itself_while_nobody_can_say(clock):
    shared = MemoryBuckets(clock)
    all_ = [Limits(Forty()) for _ in range(PROCESSES)]
    tasks = [asyncio.create_task(limits.share(shared, clock)) for limits in all_]
    shared.is_away = True
    assert await flood(all_, clock, 10) >= PROCESSES * 10 * PER_SECOND
    shared.is_away = False
    await flood(all_, clock, int(SHARED_AGAIN_SECONDS) + 1)
    assert await flood(all_, clock, 10) <= 10 * PER_SECOND * 1.1
    for task in tasks:
        task.cancel()


@on_virtual_time
async def test_nobody_far_from_their_limit_is_told_and_no_name_is_kept_elsewhere(clock):
    shared, limits = MemoryBuckets(clock), Limits(Forty())
    task = asyncio.create_task(limits.share(shared, clock))
    await clock.sleep(0.01)
    limits.take(Caller(Role.FAN, "quiet"), "", (), clock.now() - SHARED_EVERY)
    for _ in range(PER_SECOND // 2):
        limits.take_ticket("a waiting token", clock.now())
        limits.take(Caller(Role.ANONYMOUS, ""), "203.0.113.7:1", (), clock.now())
    await clock.sleep(2 * SHARED_EVERY / SECOND)
    assert len(shared.names()) == 2
    assert not any("waiting" in name or "203" in name for name in shared.names())
    task.cancel()


class Recorded:
    """A `SharedBuckets` that has what was asked of it."""

    def __init__(self):
        self.asked = []

    async def take(self, taken):
        self.asked.append(dict(taken))
        return {}


@on_virtual_time
async def test_of_too_many_near_their_limit_those_who_took_most_are_shared(clock):
    shared, limits = Recorded(), Limits(Forty())
    task = asyncio.create_task(limits.share(shared, clock))
    await clock.sleep(0.01)
    for number in range(SHARED_AT_ONCE_MAX + 5):
        for _ in range(2):
            limits.take(Caller(Role.FAN, f"fan-{number}"), "", (), clock.now())
    for _ in range(10):
        limits.take(ANA, "", (), clock.now())
    await clock.sleep(2 * SHARED_EVERY / SECOND)
    first = shared.asked[0]
    assert (len(first), max(first.values())) == (SHARED_AT_ONCE_MAX, 10 * SECOND / PER_SECOND)
    task.cancel()


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_is_taken_is_counted_only_where_it_is_shared(is_shared):
    limits = Limits(Forty())
    limits.tickets.counts = is_shared
    limits.take_ticket("token", 1000)
    assert limits.tickets.taken(0) == ({"token": SECOND / PER_SECOND} if is_shared else {})
    assert limits.tickets.taken(0) == {}

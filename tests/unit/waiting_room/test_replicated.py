"""A queue of several processes: what is answered while the log that they share is slow, or away."""

import random

from tests.simulation.loop import on_virtual_time
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.memory_log import MemoryLog
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.replicated import CAUGHT_UP_WITHIN_SECONDS, ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import Limits, Terms
from traffic_tacos.rooms.waiting_room.view import place

NOBODY_YET = Terms(Limits(rate_per_second=1, active_max=1), None, None)


class SlowLog(MemoryLog):
    """One that answers after so many seconds."""

    def __init__(self, clock):
        super().__init__(clock, random.Random(1))
        self.seconds = 0.0
        self._sleep = clock.sleep

    async def read(self, marks):
        await self._sleep(self.seconds)
        return await super().read(marks)


class Process:
    def __init__(self, log, store, clock):
        self.engine = ReplicatedLines(log, store, clock, random.Random(clock.now()), b"s" * 32)

    async def open(self):
        self.line = await self.engine.open("evt", NOBODY_YET, bytes(32), lambda _: None)

    def place(self, number):
        return place(self.line.view(), number).position


async def two(clock):
    """Three people wait; the second of two processes is about to be asked, when the first has heard that one left."""
    log, store = SlowLog(clock), MemoryStore()
    first, second = Process(log, store, clock), Process(log, store, clock)
    await first.open()
    await second.open()
    for name in ("ana", "ben", "cho"):
        await first.line.join(name, name, {}, 0)
    await second.engine.read()
    await first.line.leave(2)
    assert (first.place(3), second.place(3)) == (2, 3)
    return log, second


@on_virtual_time
async def test_a_log_that_is_slow_is_waited_for_so_that_no_place_rises(clock):
    log, second = await two(clock)
    log.seconds = CAUGHT_UP_WITHIN_SECONDS - 0.1
    await second.engine.catch_up()
    assert second.place(3) == 2


@on_virtual_time
async def test_while_the_log_is_away_what_is_known_is_answered_at_once(clock):
    log, second = await two(clock)
    log.seconds = 60.0
    asked_at = clock.now()
    await second.engine.catch_up()
    assert (second.place(3), clock.now() - asked_at) == (3, CAUGHT_UP_WITHIN_SECONDS * SECOND)
    asked_at = clock.now()
    await second.engine.catch_up()
    assert (second.place(3), clock.now()) == (3, asked_at)
    log.seconds = 0.0
    await second.engine.read()
    assert second.place(3) == 2
    log.seconds = 1.0
    asked_at = clock.now()
    await second.engine.catch_up()
    assert clock.now() - asked_at >= SECOND, "it is waited for again"

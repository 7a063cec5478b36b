"""The sweeper looks seldom while there is nothing to forget, and soon where there is."""

import asyncio
from contextlib import suppress

from tests.simulation.loop import LoopClock, on_virtual_time
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.purge import PAGE, REST_SECONDS_MAX, Expiry, purge_expired
from traffic_tacos.kernel.instants import HOUR, SECOND, Instant
from traffic_tacos.ports.store import Decision, Kind, in_commits, put

NOTE = Kind("note", int)


class Counting(MemoryStore):
    """How often it was looked at."""

    looks = 0

    async def scan(self, prefix, *, after=None, limit):
        self.looks += 1
        return await super().scan(prefix, after=after, limit=limit)


async def written(store: MemoryStore, numbers: range, expires_at: Instant) -> None:
    keys = [NOTE.key(f"{number:06d}") for number in numbers]
    for some in in_commits(keys):
        await store.transact((), lambda _, some=some: Decision(None, [put(key, expires_at) for key in some]))


@on_virtual_time
async def test_an_idle_hour_takes_few_looks_and_what_expires_then_goes_within_a_rest(clock: LoopClock):
    store = Counting()
    sweeping = asyncio.create_task(purge_expired(store, clock, [Expiry(NOTE, lambda at: at)]))
    await clock.sleep(HOUR / SECOND)
    assert store.looks <= 2 + HOUR / SECOND / REST_SECONDS_MAX + 5

    await written(store, range(4 * PAGE), clock.now() + 10 * SECOND)
    await clock.sleep(9)
    assert len(await store.scan(NOTE.prefix(), limit=10 * PAGE)) == 4 * PAGE
    await clock.sleep(1 + REST_SECONDS_MAX + 10)
    assert await store.scan(NOTE.prefix(), limit=1) == []

    sweeping.cancel()
    with suppress(asyncio.CancelledError):
        await sweeping

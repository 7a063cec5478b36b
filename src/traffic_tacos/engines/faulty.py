"""Any store, with the faults that real ones have: seeded delays, conflicts and crashes.

What a fault means for the caller is the same on every engine: StoreUnavailable says nothing about
whether the decision became durable.
"""

import random
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Key, Prefix, Reads, Store, StoreUnavailable, View

T = TypeVar("T")
R = TypeVar("R")


class Faults(msgspec.Struct, frozen=True):
    """How often each fault comes, as a probability for each call."""

    delay: float = 0.0
    conflict: float = 0.0
    fail_before: float = 0.0
    fail_after: float = 0.0
    delay_seconds_max: float = 1.0


class FaultyStore:
    """A *conflict* runs the decision twice and keeps the second.

    *fail_before* loses the decision, *fail_after* only its answer.
    """

    def __init__(self, store: Store, faults: Faults, clock: Clock, randomness: random.Random) -> None:
        self._store = store
        self.faults = faults
        self._clock = clock
        self._random = randomness

    async def get(self, key: Key[T]) -> T | None:
        await self._delay()
        return await self._store.get(key)

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        await self._delay()
        return await self._store.scan(prefix, after=after, limit=limit)

    def damaged(self) -> Mapping[str, str]:
        return self._store.damaged()

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        await self._delay()
        if self._happens(self.faults.fail_before):
            raise StoreUnavailable("injected: the store failed before the commit")
        twice = self._happens(self.faults.conflict)

        def conflicting(view: View) -> Decision[R]:
            if twice:
                decide(view)
            return decide(view)

        reply = await self._store.transact(reads, conflicting)
        if self._happens(self.faults.fail_after):
            raise StoreUnavailable("injected: the store failed after the commit")
        return reply

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    async def _delay(self) -> None:
        if self._happens(self.faults.delay):
            await self._clock.sleep(self._random.uniform(0, self.faults.delay_seconds_max))

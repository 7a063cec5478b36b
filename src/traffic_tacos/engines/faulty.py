"""Any store, with the faults that real ones have: seeded delays, conflicts, torn looks under a prefix, and crashes.

What a fault means for the caller is the same on every engine: StoreUnavailable says nothing about
whether the decision became durable.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Key, Prefix, Reads, Store, StoreUnavailable, View

T = TypeVar("T")
R = TypeVar("R")


class Faults(msgspec.Struct, frozen=True):
    """How often each fault comes, as a probability for each call."""

    delay: float = 0.0
    conflict: float = 0.0
    torn: float = 0.0
    fail_before: float = 0.0
    fail_after: float = 0.0
    delay_seconds_max: float = 1.0


class FaultyStore:
    """A *conflict* runs the decision twice and keeps the second. *torn* lets it decide on what was last seen under its
    prefixes mixed with what is there, as far as a store may (`ports/store.py`): where it writes what has changed, or
    rests on the prefix alone, it decides again. *fail_before* loses the decision, *fail_after* only its answer.
    """

    def __init__(self, store: Store, faults: Faults, clock: Clock, randomness: random.Random) -> None:
        self._store = store
        self.faults = faults
        self._clock = clock
        self._random = randomness
        self._seen: dict[str, dict[str, Any]] = {}  # under each prefix, when somebody last looked

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

        prefixes = [read for read in reads if isinstance(read, Prefix)]
        is_torn = bool(prefixes) and self._happens(self.faults.torn)

        def deciding(view: View) -> Decision[R]:
            if twice:
                decide(view)
            torn = self._torn(view, prefixes) if is_torn else None
            if self.faults.torn:
                self._seen |= {prefix.path: dict(view.range(prefix)) for prefix in prefixes}
            return (_stands(torn, decide) if torn is not None else None) or decide(view)

        reply = await self._store.transact(reads, deciding)
        if self._happens(self.faults.fail_after):
            raise StoreUnavailable("injected: the store failed after the commit")
        return reply

    def _torn(self, view: View, prefixes: Sequence[Prefix[Any]]) -> "_TornView":
        """Of each record under a prefix, what was last seen of it or what it is."""
        ranges = {}
        for prefix in prefixes:
            now, before = view.range(prefix), self._seen.get(prefix.path, {})
            paths = sorted(now.keys() | before.keys())
            mixed = {path: self._random.choice((now, before)).get(path) for path in paths}
            ranges[prefix] = {path: record for path, record in mixed.items() if record is not None}
        return _TornView(view, ranges)

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    async def _delay(self) -> None:
        if self._happens(self.faults.delay):
            await self._clock.sleep(self._random.uniform(0, self.faults.delay_seconds_max))


class _TornView:
    def __init__(self, view: View, ranges: Mapping[Prefix[Any], Mapping[str, Any]]) -> None:
        self._view = view
        self._ranges = ranges

    def get(self, key: Key[T]) -> T | None:
        return self._view.get(key)

    def range(self, prefix: Prefix[T]) -> Mapping[str, T]:
        return self._ranges[prefix] if prefix in self._ranges else self._view.range(prefix)

    def is_current(self, path: str) -> bool | None:
        """Whether the record at this path is as it was seen; None when it is under no prefix."""
        for prefix, seen in self._ranges.items():
            if path.startswith(prefix.path):
                return seen.get(path) == self._view.range(prefix).get(path)
        return None


def _stands(view: _TornView, decide: Callable[[View], Decision[R]]) -> Decision[R] | None:
    """What is decided on a torn view, where a store may commit it."""
    try:
        decision = decide(view)
    except Exception:  # noqa: BLE001 - whatever it refuses is decided again on a fresh look
        return None
    written = [is_current for write in decision.writes if (is_current := view.is_current(write.path)) is not None]
    return decision if written and all(written) else None

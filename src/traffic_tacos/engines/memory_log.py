"""A log in one process, for tests and simulations: it loses answers and delays them, and its server can change.

`promote` is what a failover does that comes too early: the new server lacks the newest entries.
"""

import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter

import msgspec

from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.log import START, Base, BaseMoved, Entry, LogUnavailable, Mark, Position, ServerChanged


class LogFaults(msgspec.Struct, frozen=True):
    """How often each comes, as a probability for each call. `fail_after` loses the answer alone."""

    delay: float = 0.0
    fail_before: float = 0.0
    fail_after: float = 0.0
    delay_seconds_max: float = 0.2


_position = attrgetter("position")


class _Kept:
    def __init__(self) -> None:
        self.base: Base | None = None
        self.dropped = START
        self.entries: list[Entry] = []
        self.last = START


class MemoryLog:
    """A `Log`."""

    def __init__(self, clock: Clock, randomness: random.Random, faults: LogFaults | None = None) -> None:
        self.faults = faults or LogFaults()
        self._clock = clock
        self._random = randomness
        self._server = 1
        self._logs: dict[str, _Kept] = {}

    def promote(self, lost: int = 0) -> None:
        """Another server answers from now on; of each log it lacks so many of the newest entries."""
        self._server += 1
        for log in self._logs.values():
            kept = max(0, len(log.entries) - lost)
            del log.entries[kept:]
            assert log.base is not None
            log.last = log.entries[-1].position if log.entries else log.base.position

    async def base(self, name: str) -> Base | None:
        await self._way()
        base = self._log(name).base
        self._lose_answer()
        return base

    async def read(self, marks: Mapping[str, Mark]) -> Mapping[str, Sequence[Entry] | None]:
        await self._way()
        found = {name: self._after(self._log(name), mark) for name, mark in marks.items()}
        self._lose_answer()
        return found

    async def append(self, name: str, mark: Mark, payload: bytes) -> Sequence[Entry]:
        await self._way()
        log = self._log(name)
        if self._after(log, mark) is None:
            raise BaseMoved
        if mark.epoch != str(self._server):
            raise ServerChanged
        self._add(log, payload)
        self._lose_answer()
        return self._after(log, mark) or ()

    async def begin(self, name: str, before: str, position: Position, state: bytes) -> None:
        await self._way()
        log = self._log(name)
        is_newest = not before or not log.entries or log.entries[-1].position <= position
        if (log.base.epoch if log.base is not None else "") == before and is_newest:
            log.last = max(log.last, position)
            self._add(log, b"")
            log.base, log.dropped = Base(str(self._server), log.last, state), log.last
            log.entries.clear()
        self._lose_answer()

    async def save(self, name: str, mark: Mark, state: bytes) -> None:
        await self._way()
        log = self._log(name)
        if log.base is not None and log.base.epoch == mark.epoch and mark.position > log.base.position:
            log.dropped = log.base.position
            log.base = Base(mark.epoch, mark.position, state)
            log.entries = [entry for entry in log.entries if entry.position > log.dropped]
        self._lose_answer()

    def _log(self, name: str) -> _Kept:
        return self._logs.setdefault(name, _Kept())

    def _add(self, log: _Kept, payload: bytes) -> None:
        now = self._clock.now()
        log.last = Position(now, 0) if now > log.last.at else Position(log.last.at, log.last.number + 1)
        log.entries.append(Entry(log.last, payload))

    def _after(self, log: _Kept, mark: Mark) -> Sequence[Entry] | None:
        if log.base is None or log.base.epoch != mark.epoch or mark.position < log.dropped:
            return None
        return log.entries[bisect_right(log.entries, mark.position, key=_position) :]

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    async def _way(self) -> None:
        if self._happens(self.faults.delay):
            await self._clock.sleep(self._random.uniform(0, self.faults.delay_seconds_max))
        if self._happens(self.faults.fail_before):
            raise LogUnavailable("injected: the log was not reached")

    def _lose_answer(self) -> None:
        if self._happens(self.faults.fail_after):
            raise LogUnavailable("injected: the answer of the log was lost")

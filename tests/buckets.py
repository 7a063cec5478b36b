"""Buckets that many processes take from, in one process."""

from collections.abc import Mapping

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.ports.buckets import FULL_WITHIN
from traffic_tacos.ports.clock import Clock


class MemoryBuckets:
    """A `SharedBuckets`. While it `is_away`, nobody can say."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}
        self.is_away = False

    async def take(self, taken: Mapping[str, float]) -> Mapping[str, float]:
        if self.is_away:
            raise Fault("the buckets are away")
        now = self._clock.now()
        for name, cost in taken.items():
            full_at = max(self._full_at.get(name, now), now) + cost
            self._full_at[name] = min(full_at, now + FULL_WITHIN)
        return {name: self._full_at[name] - now for name in taken}

    def names(self) -> set[str]:
        return set(self._full_at)

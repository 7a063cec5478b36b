"""How calls went and what stood over the last hour, looked at every ten seconds and kept in rings.

What calls did between two looks is the difference of their counters, so nothing is measured twice and calls pay
nothing for it.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping

import msgspec

from traffic_tacos.calls.metrics import BOUNDS_MS, OK, Metrics
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.figures import CallFigures, Gauge

EVERY_SECONDS = 10.0
LOOKS_MAX = 360


class _Counted(msgspec.Struct, frozen=True):
    by_code: dict[str, int]
    buckets: tuple[int, ...]


NOTHING = _Counted({}, (0,) * (len(BOUNDS_MS) + 1))


class History:
    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._looks: deque[tuple[Instant, Mapping[str, _Counted]]] = deque(maxlen=LOOKS_MAX)
        self._gauges: deque[tuple[Instant, list[Gauge]]] = deque(maxlen=LOOKS_MAX)
        self._looks.append((clock.now(), {}))

    async def run(self) -> None:
        """Look every ten seconds, until cancelled."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            self._looks.append((self._clock.now(), self._look()))
            self._gauges.append(self.gauges_now())

    def gauges_now(self) -> tuple[Instant, list[Gauge]]:
        return self._clock.now(), self._metrics.gauges()

    def gauges(self, since: Instant, until: Instant, samples_max: int) -> list[tuple[Instant, list[Gauge]]]:
        looks = [(at, gauges) for at, gauges in self._gauges if since <= at <= until]
        every = -(-len(looks) // samples_max) or 1
        return looks[::-1][::every][::-1]

    def calls(self, since: Instant, until: Instant) -> list[CallFigures]:
        """Between the last looks that are not after `since` and `until`; an `until` that is now is now."""
        now = self._clock.now()
        until = now if until > now - SECOND else until  # the clock went on since the caller read it
        looks = [*self._looks, (now, self._look())]
        times = [at for at, _ in looks]
        first, last = (max(0, bisect_right(times, at) - 1) for at in (since, until))
        seconds = max(1, times[last] - times[first]) / SECOND
        before, after = looks[first][1], looks[last][1]
        found = []
        for method, counted in after.items():
            then = before.get(method, NOTHING)
            by_code = {code: count - then.by_code.get(code, 0) for code, count in counted.by_code.items()}
            calls = sum(by_code.values())
            if calls:
                buckets = [b - a for a, b in zip(then.buckets, counted.buckets, strict=True)]
                errors = {code: count for code, count in by_code.items() if code != OK and count}
                times_ms = (_quantile(buckets, share) for share in (0.5, 0.95, 0.99))
                found.append(CallFigures(method, calls, errors, calls / seconds, *times_ms))
        return found

    def _look(self) -> dict[str, _Counted]:
        return {
            one.path: _Counted(dict(one.by_code), tuple(one.buckets))
            for one in self._metrics.methods()
            if len(one.by_code) > 1 or one.by_code[OK]
        }


def _quantile(buckets: list[int], share: float) -> float:
    """The upper bound of the bucket that has this share of all; 0 when there are none."""
    wanted, below = share * sum(buckets), 0
    if not wanted:
        return 0.0
    for bound, count in zip((*BOUNDS_MS, float("inf")), buckets, strict=True):
        below += count
        if below >= wanted:
            return float(bound)
    return float("inf")

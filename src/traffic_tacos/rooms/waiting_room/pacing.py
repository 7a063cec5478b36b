"""How fast a line may move, and how fast it does. Pure; times are given."""

from collections import deque
from functools import lru_cache

from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant

BURST_SECONDS = 0.25  # with one turn more, how much of a second's rate may be given at one instant
MEASURED_OVER = MINUTE
RATES_REMEMBERED = 1000
_TURN = 1_000_000  # what a turn costs of the allowance, which is a whole number so that no fraction is lost


class Window:
    """How much happened in the second (or minute) before now; no happening is counted twice."""

    def __init__(self, span: Instant) -> None:
        self._span = span
        self._happened: deque[tuple[Instant, int]] = deque()
        self._count = 0

    def add(self, now: Instant, count: int = 1) -> None:
        self._count += count
        if self._happened and self._happened[-1][0] == now:
            count += self._happened.pop()[1]
        self._happened.append((now, count))

    def count(self, now: Instant) -> int:
        while self._happened and self._happened[0][0] <= now - self._span:
            self._count -= self._happened.popleft()[1]
        return self._count


class Allowance:
    """Turns that may be given now: they come evenly, and next to none are saved up (a shallow token bucket)."""

    def __init__(self, rate: float) -> None:
        _, self._saved = _grain(rate)

    @property
    def turns(self) -> int:
        return self._saved // _TURN

    def refill(self, rate: float, elapsed: Instant) -> None:
        """`rate` is in turns a second."""
        each_ms, depth = _grain(rate)
        self._saved = min(self._saved + each_ms * elapsed, depth)

    def take(self, turns: int) -> None:
        self._saved -= turns * _TURN


class Pace:
    """How many places a second a line moves while somebody has to wait, over the last minute.

    What is not held up says nothing of how fast it could be: until a second of it is known, the pace is
    the configured rate.
    """

    def __init__(self, configured: int) -> None:
        self.per_second = float(configured)
        self._moved: deque[list[int]] = deque()  # in which second, places, in how long

    def moved(self, now: Instant, places: int, elapsed: Instant, configured: int) -> None:
        """So many places in the time since the last step, in which somebody had to wait."""
        second = now // SECOND
        if not self._moved or self._moved[-1][0] != second:
            self._moved.append([second, 0, 0])
            while self._moved[0][0] <= second - MEASURED_OVER // SECOND:
                self._moved.popleft()
            span = sum(moved[2] for moved in self._moved)
            known = sum(moved[1] for moved in self._moved)
            self.per_second = max(1, known) * SECOND / span if span >= SECOND else float(configured)
        self._moved[-1][1] += places
        self._moved[-1][2] += elapsed

    def is_free(self, configured: int) -> None:
        """Nobody has to wait."""
        self.per_second = float(configured)


@lru_cache(maxsize=RATES_REMEMBERED)
def _grain(rate: float) -> tuple[int, int]:
    """What comes to the allowance in a millisecond, and the most that it holds. Remembered, for a rate hardly changes
    from one step to the next.
    """
    return round(rate * _TURN / SECOND), _TURN + round(rate * BURST_SECONDS * _TURN)

"""Background loops, kept running: one that fails is logged, counted, seen in health, and started again.

Nothing that goes wrong in one of them may end another, or the platform: a sale goes on while the reconciler has a bug.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from traffic_tacos.engines.tasks import is_cancelled, together
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.ports.clock import Clock

RESTART = RetryPolicy(pause_max=MINUTE)
# A loop counts as failing so long after its last failure; one that ran for longer starts with the shortest pause.
REMEMBERED_FOR = 10 * MINUTE
ERROR_LENGTH_MAX = 200

Loop = Callable[[], Awaitable[None]]

log = structlog.get_logger()


class _Failures:
    def __init__(self) -> None:
        self.count = 0
        self.in_a_row = 0
        self.last_at: Instant = 0
        self.last_error = ""


class Loops:
    """How the loops that `run` keeps are doing, by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, _Failures] = {}

    async def run(self, loops: Mapping[str, Loop]) -> None:
        """Keep all of them running until cancelled."""
        self._failures = {name: _Failures() for name in loops}
        await together(*(self._keep(name, loop) for name, loop in loops.items()))

    def failures(self) -> dict[str, int]:
        """How often each has failed since the process began."""
        return {name: failures.count for name, failures in self._failures.items()}

    def issues(self, names: Iterable[str]) -> list[str]:
        """What is wrong with these loops: which failed lately, how often, and why."""
        since = self._clock.now() - REMEMBERED_FOR
        return [
            f"background loop {name} failed {failures.in_a_row} times, was restarted: {failures.last_error}"
            for name in names
            if (failures := self._failures.get(name)) is not None and failures.count and failures.last_at > since
        ]

    async def _keep(self, name: str, loop: Loop) -> None:
        failures = self._failures[name]
        while True:
            error = await _failure_of(loop)
            now = self._clock.now()
            is_first = now - failures.last_at > REMEMBERED_FOR
            failures.in_a_row = 1 if is_first else failures.in_a_row + 1
            failures.count += 1
            failures.last_at = now
            failures.last_error = repr(error)[:ERROR_LENGTH_MAX]
            pause = RESTART.pause(failures.in_a_row)
            log.error("loop_failed", loop=name, failures=failures.in_a_row, restarts_in_ms=pause, exc_info=error)
            await self._clock.sleep(pause / SECOND)


async def _failure_of(loop: Loop) -> BaseException:
    """What ended a loop that never ends. Being cancelled itself is no failure of the loop."""
    try:
        await loop()
    except (Exception, asyncio.CancelledError) as error:
        if is_cancelled():
            raise
        return error  # whatever it is, the loop is started again
    return RuntimeError("it ended")

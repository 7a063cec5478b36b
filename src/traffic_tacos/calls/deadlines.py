"""Deadlines of many calls at once, with one timer for all that end within the same moment.

`asyncio.timeout` sets and cancels a timer for every call, and a reservation is four calls deep: the timers
cost as much as the rules. Here a call joins the others of its moment, and leaves them when it is done;
calls nearly always are, so a timer nearly always finds nobody. What it does is asyncio.timeout's own
protocol: cancel the task, and turn that cancellation, and no other, into TimeoutError.
"""

import asyncio
from types import TracebackType

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock

MOMENT = 20  # ms: a deadline is kept to within one, and is never early


class Deadlines:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moments: dict[Instant, set[Deadline]] = {}

    def __len__(self) -> int:
        """How many moments are still to come at which somebody's deadline passes."""
        return len(self._moments)

    def until(self, deadline: Instant) -> "Deadline":
        """A context that ends with TimeoutError once the deadline has passed."""
        return Deadline(self, deadline // MOMENT + 1)

    def moment(self, moment: Instant) -> "set[Deadline]":
        running = self._moments.get(moment)
        if running is None:
            running = self._moments[moment] = set()
            seconds = max(0, moment * MOMENT - self._clock.now()) / SECOND
            asyncio.get_running_loop().call_later(seconds, self._passed, moment)
        return running

    def _passed(self, moment: Instant) -> None:
        for deadline in self._moments.pop(moment):
            deadline.pass_()


class Deadline:
    """One call's. Used once."""

    __slots__ = ("_cancelling", "_deadlines", "_has_passed", "_moment", "_running", "_task")

    def __init__(self, deadlines: Deadlines, moment: Instant) -> None:
        self._deadlines = deadlines
        self._moment = moment
        self._has_passed = False

    def pass_(self) -> None:
        self._has_passed = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._running = self._deadlines.moment(self._moment)
        self._running.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.discard(self)
        if self._has_passed and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

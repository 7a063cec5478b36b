"""Work that outlives the call that asked for it.

Jobs are put by decisions, so there is none without its cause and no cause without its job. Each runs
at least once, is tried again with a growing pause when it fails, and ends as a dead letter that can be
looked at and replayed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import MINUTE, Instant
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.ports.audit import Audited
from traffic_tacos.ports.store import Job, Write

Handler: TypeAlias = Callable[[Job], Awaitable[None]]
Handlers: TypeAlias = Mapping[str, Handler]


class PoolPolicy(msgspec.Struct, frozen=True):
    """How the jobs of a pool are done; a topic is a pool of its own, unless it is divided.

    What fails is tried again as `retry` says, with pauses that are up to half as long again by chance; up to
    `running_max` of the pool run at once, and up to `group_max` of one group. Besides these, each of
    `reserved_max` groups has a place of its own, for one job at a time: however slow the others are, it waits for
    none of them. By default: for a day, and what is in one group happens in turn.
    """

    retry: RetryPolicy = RetryPolicy(pause_max=5 * MINUTE, attempts_max=300)
    running_max: int = 64
    group_max: int = 1
    reserved_max: int = 0


class Defer(Fault):
    """Nothing was tried, for it makes no sense before `at`."""

    def __init__(self, message: str, at: Instant) -> None:
        super().__init__(message)
        self.at = at


class TryAgainAt(Fault):
    """The job failed, and it is known when another attempt makes sense."""

    def __init__(self, message: str, at: Instant) -> None:
        super().__init__(message)
        self.at = at


class PermanentFailure(Fault):
    """No other attempt makes sense: the job is a dead letter at once."""


class JobFigures(msgspec.Struct, frozen=True):
    """Counted since the process began, but for `pending`, `running` and `dead`, which are as they stand."""

    pending: int
    running: int
    dead: int
    completed: int
    failed: int
    average_ms: float
    last_done_at: Instant | None
    started_at: Instant


class JobView(msgspec.Struct, frozen=True):
    """A job that is not done. `running_since` is set while it runs."""

    job: Job
    running_since: Instant | None


class Jobs(Protocol):
    """What is asked of jobs; they are put by decisions."""

    def figures(self) -> JobFigures: ...

    async def show(self, job_id: str, topic: str, limit: int) -> list[JobView]:
        """Jobs that are not done: the one with this id, or those of a topic, or all; at most so many."""
        ...

    def can_attempt(self, topic: str) -> bool:
        """Whether this process itself does such jobs."""
        ...

    def attempt(self, job: Job) -> None:
        """Do a job at once that no commit has put; it is put when that fails. For what another job sees to as well, if
        a crash comes in between.
        """
        ...

    async def dead_letters(self, limit: int) -> list[Job]: ...

    async def replay(self, job_id: str, entry: Audited) -> bool:
        """Make a dead job due now, with this entry of the audit log; False, and nothing, when it is not dead."""
        ...


class JobRunner(Jobs, Protocol):
    """The engine that does them."""

    async def load(self) -> None:
        """Take up the jobs that an earlier process left."""
        ...

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit: jobs that were put or dropped in it."""
        ...

    async def run(self, handlers: Handlers) -> None:
        """Run jobs until cancelled."""
        ...

    async def drain(self, seconds: float) -> None:
        """Begin no more jobs, and wait until those that run are done, at most so long."""
        ...

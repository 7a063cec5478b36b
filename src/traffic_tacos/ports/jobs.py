"""Work that outlives the call that asked for it.

Jobs are put by decisions, so there is none without its cause and no cause without its job. Each runs
at least once, is tried again with a growing pause when it fails, and ends as a dead letter that can be
looked at and replayed.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from traffic_tacos.ports.store import Job

Handler: TypeAlias = Callable[[Job], Awaitable[None]]
Handlers: TypeAlias = Mapping[str, Handler]


class JobFigures(msgspec.Struct, frozen=True):
    pending: int
    running: int
    dead: int
    completed: int
    failed: int


class Jobs(Protocol):
    def figures(self) -> JobFigures: ...

    async def dead_letters(self, limit: int) -> list[Job]: ...

    async def replay(self, job_id: str) -> bool:
        """Make a dead job due now; False when it is not dead."""
        ...

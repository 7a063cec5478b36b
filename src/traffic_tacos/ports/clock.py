"""The only way to know the time, and the only way to wait for it."""

from typing import Protocol

from traffic_tacos.kernel.instants import Instant


class Clock(Protocol):
    def now(self) -> Instant:
        """Milliseconds since 1970 in UTC. Never goes backwards within a process."""
        ...

    async def sleep(self, seconds: float) -> None: ...

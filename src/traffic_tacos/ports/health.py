"""How the parts of the platform are, asked of the parts themselves."""

from enum import IntEnum
from typing import Protocol

import msgspec


class Health(IntEnum):
    """`common.v1.HealthStatus`, number for number."""

    HEALTHY = 1
    DEGRADED = 2
    UNHEALTHY = 3


class PartHealth(msgspec.Struct, frozen=True):
    """One room, or one thing that rooms depend on, and how long its answer took."""

    name: str
    health: Health
    response_ms: int
    endpoint: str = ""
    figures: dict[str, str] = {}
    issues: tuple[str, ...] = ()


class HealthChecks(Protocol):
    is_stopping: bool  # and answers only what is under way, or has not learned of it yet

    @property
    def version(self) -> str: ...

    @property
    def uptime_seconds(self) -> int: ...

    async def rooms(self) -> list[PartHealth]: ...

    async def readiness(self) -> list[PartHealth]:
        """What it cannot answer without."""
        ...

    async def dependencies(self) -> list[PartHealth]: ...

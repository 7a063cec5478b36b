"""What an operator can have done to a running platform: caches cleared, what it has read read again."""

from typing import Any, Protocol

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant


class Cache(Protocol):
    """Something remembered that can be found out again."""

    def __len__(self) -> int: ...

    def clear(self) -> Any: ...


class CacheAdmin(Protocol):
    def caches(self) -> dict[str, int]:
        """Every cache by name, and how many things it has."""
        ...

    async def clear(self, names: tuple[str, ...], reason: str, call: Call) -> Instant:
        """Empty these caches, in the caller's name and audited; when."""
        ...

    async def refresh(self, reason: str, call: Call) -> Instant:
        """Read settings, keys, events and the issuer's keys again, in the caller's name and audited; when."""
        ...

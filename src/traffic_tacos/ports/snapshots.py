"""Everything stored, as it was at one moment: what the invariants are checked over, and the reconciler looks at."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol, TypeVar

from traffic_tacos.ports.store import Kind

T = TypeVar("T")


class Snapshot(Protocol):
    def all(self, kind: Kind[T]) -> Iterator[tuple[str, T]]:
        """Every record of a kind that can be read, with its path."""
        ...

    def damaged(self) -> Mapping[str, str]:
        """Those met so far that cannot be read, by path, and why."""
        ...


class OnSnapshot(Protocol):
    """Calls `see` with a snapshot, without keeping calls waiting, and gives what it found."""

    def __call__(self, see: Callable[[Snapshot], T]) -> Awaitable[T]: ...

"""Everything stored, as it is found: what the invariants are checked over, and the reconciler looks at."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol, TypeVar

from traffic_tacos.ports.store import Key, Kind

T = TypeVar("T")


class Snapshot(Protocol):
    def all(self, kind: Kind[T], of: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, T]]:
        """Every record of a kind that can be read, with its path, one after the other: whoever keeps none of them needs
        the memory of a page. `of` says by its path which is wanted; others are not decoded.
        """
        ...

    def one(self, key: Key[T]) -> T | None:
        """One record; None as well where it cannot be read."""
        ...

    def count(self, kind: Kind[T]) -> int: ...

    def damaged(self) -> Mapping[str, str]:
        """Those met so far that cannot be read, by path, and why."""
        ...


class OnSnapshot(Protocol):
    """Calls `see` with everything stored, without keeping calls waiting, and gives what it found.

    On an embedded store that is one moment. Where many processes write, records are read one after the other while
    they change: what does not go together once may be a reservation that was under way, and counts only when it is
    found a second time (`is_of_one_moment`).
    """

    @property
    def is_of_one_moment(self) -> bool: ...

    def __call__(self, see: Callable[[Snapshot], T], /) -> Awaitable[T]: ...

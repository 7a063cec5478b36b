"""A log that many processes share: each appends, and all read the same entries in the same order, at the same times.

Whoever applies them to the same state comes to the same state. So that nobody has to begin with the first entry, a log
has a *base*: the state after everything up to an entry; what is before is dropped.

A log has an *epoch*: the server that may be believed. A server that takes over (a promoted replica, or one that was
started again) may lack what others were answered already, so nothing is appended to it until somebody has begun an
epoch with a base that allows for what was lost (`begin`). Everybody else then starts from that base.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import Instant


class Position(NamedTuple):
    """Where an entry stands; `at` is its time, by one clock for all, which never goes back."""

    at: Instant
    number: int


START = Position(0, 0)


class Entry(NamedTuple):
    position: Position
    payload: bytes


class Base(NamedTuple):
    """`state` is what it was after the entry at `position`, as whoever saved it wrote it."""

    epoch: str
    position: Position
    state: bytes


class Mark(NamedTuple):
    """How far somebody has come in an epoch."""

    epoch: str
    position: Position


class LogUnavailable(Fault):
    """The log cannot be reached, or what was appended is not safe yet: nobody knows whether it is there."""


class NotReplicated(LogUnavailable):
    """Too few replicas had in time what was appended."""


class BaseMoved(Exception):
    """What was read rests on a base that is no more: read the new one. Nothing was appended."""


class ServerChanged(Exception):
    """The server has never been believed, and may lack what others were answered: `begin`. Nothing was appended."""


class Log(Protocol):
    """Logs by name. Every verb raises LogUnavailable."""

    async def base(self, name: str) -> Base | None:
        """None for a log that has not begun."""
        ...

    async def read(self, marks: Mapping[str, Mark]) -> Mapping[str, Sequence[Entry] | None]:
        """What came after each mark, in order, as much as there is; None where the base has moved past it."""
        ...

    async def append(self, name: str, mark: Mark, payload: bytes) -> Sequence[Entry]:
        """Append an entry, and read everything after the mark up to it. It is safe when this returns: no failure that
        the log is kept against loses it. Raises BaseMoved and ServerChanged.
        """
        ...

    async def begin(self, name: str, before: str, position: Position, state: bytes) -> None:
        """Begin the epoch of the server that answers now, with a base; every entry is dropped, and later ones come
        after `position`. Ignored when the epoch is not `before` (empty: there was none) any more, or when something was
        appended after `position`: somebody was faster.
        """
        ...

    async def save(self, name: str, mark: Mark, state: bytes) -> None:
        """A new base in the same epoch. Entries up to the one before it may be dropped. Ignored when it is older than
        the base that is there.
        """
        ...

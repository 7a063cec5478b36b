"""The other processes of one platform, on one store: what each does for all, and what they share."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Store, Write

OnCommit = Callable[[Sequence[Write]], None]


class Share(NamedTuple):
    """Which of so many processes this one is, from 0. All may have a wrong idea of it for some seconds."""

    number: int
    processes: int


def whole() -> Share:
    return Share(0, 1)


class Duty(Protocol):
    """Work that one process does for all. Asked before each piece of it; a predecessor may be doing its last, so it is
    such as may be done twice. What may not is fenced (`engines/leases.py`).
    """

    def is_ours(self) -> bool: ...


class Peers(Duty, Protocol):
    async def begin(self, rooms: Collection[str], on_commit: OnCommit) -> None:
        """Wait until this process may have its rooms: some are in one process at a time. From now on `on_commit` is
        given what other processes have committed, as far as everybody remembers it.
        """
        ...

    def store_of(self, room: str, store: Store) -> Store:
        """The store as a room has it: what one process at a time may write is fenced there."""
        ...

    def has(self, room: str) -> bool:
        """Whether this process may answer for a room that it has: of some, another may have taken it meanwhile."""
        ...

    def share(self) -> Share: ...

    def looked_at(self) -> Instant | None:
        """When it was last looked at what others have committed; None where there are no others."""
        ...

    def leases(self) -> Mapping[str, int]:
        """The leases that this process has, by name, and how often each has changed hands."""
        ...

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit of this process."""
        ...

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What goes on in the background, by name."""
        ...

    async def end(self) -> None:
        """Let go of what this process has, so that nobody waits for it."""
        ...


class _Alone:
    def is_ours(self) -> bool:
        return True

    async def begin(self, rooms: Collection[str], on_commit: OnCommit) -> None:
        pass

    def looked_at(self) -> Instant | None:
        return None

    def store_of(self, room: str, store: Store) -> Store:  # noqa: ARG002 - a Peers
        return store

    def has(self, room: str) -> bool:  # noqa: ARG002 - a Peers
        return True

    def share(self) -> Share:
        return whole()

    def leases(self) -> Mapping[str, int]:
        return {}

    def committed(self, writes: Sequence[Write]) -> None:
        pass

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {}

    async def end(self) -> None:
        pass


ALONE: Peers = _Alone()  # where one process has the store to itself

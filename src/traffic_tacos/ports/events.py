"""Things that have become true, told to whoever subscribed, at least once, in the order of their commits."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.ports.store import Write

Subscriber: TypeAlias = Callable[[DomainEvent], Awaitable[None]]


class EventRelay(Protocol):
    """The engine that hands the events of each commit to every subscriber."""

    def subscribe(self, subscriber: Subscriber, *, forwards: bool = False) -> None:
        """Let somebody hear every event; where there are many processes, each lets its own hear. Who `forwards` it to
        the outside world is enough in one of them, and hears it there.
        """
        ...

    def waiting(self) -> int:
        """The outbox backlog: events that were committed and not handed over yet."""
        ...

    async def load(self) -> None:
        """Take up the events that an earlier process left."""
        ...

    def committed(self, writes: Sequence[Write]) -> None:
        """Hear of a commit: the events that came with it."""
        ...

    async def run(self) -> None:
        """Hand events over until cancelled."""
        ...

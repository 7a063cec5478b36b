"""Things that have become true, published to whoever subscribed, at least once, in the order of their commits."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.ports.store import Write

Subscriber: TypeAlias = Callable[[DomainEvent], Awaitable[None]]


class EventRelay(Protocol):
    """The engine that hands the events of each commit to every subscriber."""

    def subscribe(self, subscriber: Subscriber, *, forwards: bool = False) -> None:
        """Give every event to this subscriber; where there are many processes, to each one's own. One that `forwards`
        events to the outside world is given each in one process only.
        """
        ...

    def waiting(self) -> int:
        """The outbox backlog: events that were committed and not handed over yet."""
        ...

    async def load(self) -> None:
        """Take up the events that an earlier process left."""
        ...

    def committed(self, writes: Sequence[Write]) -> None:
        """Take up the events of a commit."""
        ...

    async def run(self) -> None:
        """Hand events over until cancelled."""
        ...

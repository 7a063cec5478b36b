"""Many records at once, in commits of a size that every store takes."""

from collections.abc import Sequence

from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.ports.store import Decision, Store, Write, in_commits


async def stored(store: Store, writes: Sequence[Write] = (), events: Sequence[DomainEvent] = ()) -> None:
    for some in in_commits(writes):
        await store.transact((), lambda _, some=some: Decision(None, some))
    for told in in_commits(events):
        await store.transact((), lambda _, told=told: Decision(None, events=told))

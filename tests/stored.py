"""Many records at once, in commits of a size that every store takes."""

from collections.abc import Sequence

from traffic_tacos.ports.store import Decision, Event, Store, Write, in_commits


async def stored(store: Store, writes: Sequence[Write] = (), events: Sequence[Event] = ()) -> None:
    for some in in_commits(writes):
        await store.transact((), lambda _, some=some: Decision(None, some))
    for told in in_commits(events):
        await store.transact((), lambda _, told=told: Decision(None, events=told))

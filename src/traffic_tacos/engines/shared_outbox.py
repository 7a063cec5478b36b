"""Events where many processes commit: each process delivers all of them, and one forwards each.

The process that commits an event delivers it at once to its own subscribers, and leaves its record for KEPT_FOR, so
that the others find it: they look four times a second at what came lately. Then it removes it. A record that is still
there long after is of a process that died: whoever has the duty delivers it once more to those that forward, and
removes it. So every subscriber is given everything at least once, in no certain order.

Where events are published to a bus, each process publishes its own, beside delivering them and waiting for nobody; and
a record is only removed once its event was taken.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import islice
from typing import TypeAlias

import structlog

from traffic_tacos.engines.leases import SKEW_MAX
from traffic_tacos.engines.outbox import deliver
from traffic_tacos.engines.tasks import together
from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.event_relay import Subscriber
from traffic_tacos.ports.peers import Duty
from traffic_tacos.ports.store import (
    OUTBOX,
    Key,
    Store,
    StoreUnavailable,
    Write,
    outbox_time,
    outbox_time_key,
    remove,
)

LOOK_SECONDS = 0.25
KEPT_FOR = 10 * SECOND
ORPHANED_AFTER = 2 * KEPT_FOR
ORPHANS_EVERY = 5 * SECOND
PAGE = 500
PUBLISHED_AT_ONCE_MAX = 10
RETRY_SECONDS = 1.0
# While a bus is away; what is more is left in the store, and published as of a process that died.
UNPUBLISHED_MAX = 50_000

Outgoing: TypeAlias = tuple[Key[DomainEvent], DomainEvent]
# Sends events; the paths of those that need not be sent again. A Fault when it took none.
Publish: TypeAlias = Callable[[Sequence[Outgoing]], Awaitable[Collection[str]]]

log = structlog.get_logger()


class SharedOutbox:
    """An `EventRelay`. With `publish`, each event goes to a bus as well."""

    def __init__(self, store: Store, clock: Clock, duty: Duty, publish: Publish | None = None) -> None:
        self._store = store
        self._clock = clock
        self._duty = duty
        self._listeners: list[Subscriber] = []
        self._forwarders: list[Subscriber] = []
        self._queue: deque[tuple[Key[DomainEvent], DomainEvent]] = deque()  # our own, not delivered yet
        self._delivered: dict[str, Instant] = {}  # by path, since when
        self._kept: deque[tuple[Instant, Key[DomainEvent]]] = deque()  # delivered; until when others may look
        self._publish = publish
        self._unpublished: dict[str, Outgoing] = {}  # our own, by path
        self._to_publish = asyncio.Event()
        self._orphans_at: Instant = 0  # when they are looked for next
        self._wake = asyncio.Event()

    def subscribe(self, subscriber: Subscriber, *, forwards: bool = False) -> None:
        (self._forwarders if forwards else self._listeners).append(subscriber)

    async def load(self) -> None:
        """Nothing: what an earlier process left is found by who has the duty."""

    def committed(self, writes: Sequence[Write]) -> None:
        for kind, path, value in writes:
            if kind is OUTBOX and value is not None:
                self._queue.append((Key(OUTBOX, path), value))
                self._wake.set()
                if self._publish is not None:
                    self._unpublished[path] = Key(OUTBOX, path), value
                    self._to_publish.set()

    def waiting(self) -> int:
        return len(self._queue)

    def unpublished(self) -> int:
        """Events of this process that the bus has not taken yet."""
        return len(self._unpublished)

    async def run(self) -> None:
        loops = [self._deliver_own(), self._look()]
        if self._publish is not None:
            loops.append(self._publish_own(self._publish))
        await together(*loops)

    async def _deliver_own(self) -> None:
        while True:
            while self._queue:
                key, event = self._queue[0]
                await deliver(event, self._listening(key) + self._forwarders, self._clock)
                self._kept.append((self._clock.now() + KEPT_FOR, key))
                self._queue.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def _publish_own(self, publish: Publish) -> None:
        while True:
            self._to_publish.clear()
            while self._unpublished:
                some = list(islice(self._unpublished.values(), PUBLISHED_AT_ONCE_MAX))
                left = await self._left_by(publish, some)
                for key, event in some:
                    self._unpublished.pop(key.path, None)
                    if (key, event) in left:
                        self._unpublished[key.path] = key, event  # behind the others, which it must not hold up
                if left:
                    await self._clock.sleep(RETRY_SECONDS)
            await self._to_publish.wait()

    async def _left_by(self, publish: Publish, events: Sequence[Outgoing]) -> list[Outgoing]:
        """Publish events; those that were not taken. While there are some, what is old may be of a living process."""
        try:
            taken = await publish(events)
        except Fault as fault:
            log.warning("events_not_published", error=str(fault))
            taken = ()
        left = [one for one in events if one[0].path not in taken]
        if left:
            self._orphans_at = self._clock.now() + ORPHANED_AFTER
        return left

    async def _look(self) -> None:
        while True:
            try:
                await self._deliver_others()
                await self._remove_kept()
                if self._duty.is_ours() and self._clock.now() >= self._orphans_at:
                    self._orphans_at = self._clock.now() + ORPHANS_EVERY
                    await self._take_orphans()
            except StoreUnavailable as error:
                log.warning("events_not_read", error=str(error))
            await self._clock.sleep(LOOK_SECONDS)

    async def _deliver_others(self) -> None:
        """What came within KEPT_FOR and was not delivered here. Where nobody listens, nobody looks: the outbox has many
        parts, and each is a query.
        """
        if not self._listeners:
            return
        since = self._clock.now() - KEPT_FOR - SKEW_MAX
        for key, event in await self._between(since, None):
            await deliver(event, self._listening(key), self._clock)
        forgotten = self._clock.now() - 2 * ORPHANED_AFTER
        self._delivered = {path: at for path, at in self._delivered.items() if at > forgotten}

    async def _remove_kept(self) -> None:
        now = self._clock.now()
        over = []
        while self._kept and self._kept[0][0] <= now:
            _, key = self._kept.popleft()
            if key.path not in self._unpublished:
                over.append(key)
            elif len(self._unpublished) <= UNPUBLISHED_MAX:
                self._kept.append((now + KEPT_FOR, key))
            else:
                del self._unpublished[key.path]
        await remove(self._store, over)  # what cannot be removed now is an orphan later

    async def _take_orphans(self) -> None:
        found = await self._between(0, self._clock.now() - ORPHANED_AFTER)
        orphans = [one for one in found if one[0].path not in self._unpublished]
        if self._publish is not None:
            left = await self._left_by(self._publish, orphans)
            orphans = [one for one in orphans if one not in left]
        for key, event in orphans:
            await deliver(event, self._listening(key) + self._forwarders, self._clock)
        await remove(self._store, [key for key, _ in orphans])

    def _listening(self, key: Key[DomainEvent]) -> list[Subscriber]:
        """The subscribers here that this event is due to: none, once it was delivered or is being delivered."""
        if key.path in self._delivered:
            return []
        self._delivered[key.path] = self._clock.now()
        return self._listeners

    async def _between(self, since: Instant, until: Instant | None) -> list[tuple[Key[DomainEvent], DomainEvent]]:
        """Events committed between two moments, as the clocks of those who committed them have it."""
        after, found = outbox_time_key(since), list[tuple[Key[DomainEvent], DomainEvent]]()
        while page := await self._store.scan(OUTBOX.prefix(), after=after, limit=PAGE):
            wanted = [one for one in page if until is None or outbox_time(one[0]) < until]
            found += wanted
            after = page[-1][0]
            if len(page) < PAGE or len(wanted) < len(page):
                break
        return found

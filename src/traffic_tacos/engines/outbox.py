"""Events in one process: the outbox records of each commit, handed to subscribers, then removed, many at once.

After a crash what was not removed is delivered again: subscribers are given everything at least once.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from traffic_tacos.engines.tasks import is_cancelled, together
from traffic_tacos.kernel.domain_events import DomainEvent, payload_of, topic_of
from traffic_tacos.kernel.errors import Damaged, Fault
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.event_relay import Subscriber
from traffic_tacos.ports.store import (
    COMMIT_RECORDS_MAX,
    OUTBOX,
    Key,
    Store,
    StoreUnavailable,
    Write,
    remove,
)

PAGE = 1000
REMOVED_AFTER_SECONDS = 0.5
RETRY_SECONDS = 1.0
BUGS_MAX = 5

log = structlog.get_logger()


class Outbox:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._subscribers: list[Subscriber] = []
        self._queue: deque[tuple[Key[DomainEvent], DomainEvent]] = deque()
        self._delivered: list[Key[DomainEvent]] = []  # and not removed yet
        self._wake, self._has_delivered = asyncio.Event(), asyncio.Event()

    def subscribe(self, subscriber: Subscriber, *, forwards: bool = False) -> None:  # noqa: ARG002 - all is here
        self._subscribers.append(subscriber)

    async def load(self) -> None:
        """Take up the events that an earlier process left."""
        after = None
        while page := await self._store.scan(OUTBOX.prefix(), after=after, limit=PAGE):
            self._queue.extend(page)
            after = page[-1][0]
        self._wake.set()

    def committed(self, writes: Sequence[Write]) -> None:
        """Take up the events of a commit."""
        for kind, path, value in writes:
            if kind is OUTBOX and value is not None:
                self._queue.append((Key(OUTBOX, path), value))
                self._wake.set()

    def waiting(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Hand events over until cancelled, and remove them soon after."""
        self._has_delivered.set()  # by a run before this one, which has failed
        await together(self._deliver(), self._remove_delivered())

    async def _deliver(self) -> None:
        while True:
            while self._queue:
                key, event = self._queue[0]
                await deliver(event, self._subscribers, self._clock)
                self._delivered.append(key)
                self._has_delivered.set()
                self._queue.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def _remove_delivered(self) -> None:
        while True:
            await self._has_delivered.wait()
            self._has_delivered.clear()
            await self._clock.sleep(REMOVED_AFTER_SECONDS)
            try:
                while some := self._delivered[:COMMIT_RECORDS_MAX]:
                    await remove(self._store, some)
                    del self._delivered[: len(some)]
            except StoreUnavailable:
                self._has_delivered.set()


async def deliver(event: DomainEvent, subscribers: Sequence[Subscriber], clock: Clock) -> None:
    """Hand an event to every subscriber. One that raises is given it again: after a fault until it can take it, after a
    bug a few times, for one event that cannot be taken must not keep all others from everybody.
    """
    for subscriber in subscribers:
        bugs = 0
        while True:
            try:
                await subscriber(event)
                break
            except Damaged as damage:
                log.error("subscriber_failed", topic=topic_of(event), payload=payload_of(event), error=repr(damage))
                break  # however often it is tried, it stays damaged
            except Fault as fault:
                log.warning("subscriber_failed", topic=topic_of(event), error=repr(fault))
            except (Exception, asyncio.CancelledError) as error:
                if is_cancelled():
                    raise
                bugs += 1
                log.error("subscriber_bug", topic=topic_of(event), payload=payload_of(event), exc_info=error)
                if bugs == BUGS_MAX:
                    break
            await clock.sleep(RETRY_SECONDS)

"""The sweeper: records that may be forgotten once their time has come, removed a page at a time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from traffic_tacos.engines.tasks import together
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.peers import ALONE, Duty
from traffic_tacos.ports.store import Decision, Key, Kind, Store, StoreUnavailable, View, delete, in_commits

PAGE = 500
# After a page with much to forget the next one comes soon, so that a rush is swept as fast as it came.
SOON_SECONDS, PAGE_EVERY_SECONDS = 0.25, 5.0
MUCH = PAGE // 10


class Expiry(NamedTuple):
    """When a record of a kind may be forgotten; None while it may not."""

    kind: Kind[Any]
    expires_at: Callable[[Any], Instant | None]

    def is_over(self, record: Any, now: Instant) -> bool:
        expires_at = self.expires_at(record)
        return expires_at is not None and now >= expires_at


async def purge_expired(store: Store, clock: Clock, expiries: Sequence[Expiry], duty: Duty = ALONE) -> None:
    """Walk over all records of these kinds, round and round, and remove what has expired; until cancelled."""
    # A kind with many records keeps none of the others waiting.
    await together(*(_keep_walking(store, clock, expiry, duty) for expiry in expiries))


async def _keep_walking(store: Store, clock: Clock, expiry: Expiry, duty: Duty) -> None:
    while True:
        if duty.is_ours():
            await _walk(store, clock, expiry)
        else:
            await clock.sleep(PAGE_EVERY_SECONDS)


async def _walk(store: Store, clock: Clock, expiry: Expiry) -> None:
    """Once over all records of a kind."""
    after, forgotten = None, 0
    while True:
        await clock.sleep(SOON_SECONDS if forgotten >= MUCH else PAGE_EVERY_SECONDS)
        try:
            page = await store.scan(expiry.kind.prefix(), after=after, limit=PAGE)
            now = clock.now()
            expired = [key for key, record in page if expiry.is_over(record, now)]
            for keys in in_commits(expired):
                await store.transact(keys, partial(_forget, expiry, keys, now))
        except StoreUnavailable:
            continue  # the page is looked at again
        if len(page) < PAGE:
            return
        after, forgotten = page[-1][0], len(expired)


def _forget(expiry: Expiry, keys: Sequence[Key[Any]], now: Instant, view: View) -> Decision[None]:
    """Without these records, but for those that were changed since they were looked at."""
    return Decision(
        None, [delete(key) for key in keys if (record := view.get(key)) is not None and expiry.is_over(record, now)]
    )

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
# While nothing is forgotten, the rest before the next walk is doubled each time, up to this: looking costs too. So a
# record may be there so long after its time, and longer where there are many: whoever reads one looks at its time.
REST_SECONDS_MAX = 80.0


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
    rest = PAGE_EVERY_SECONDS
    while True:
        await clock.sleep(rest)
        if duty.is_ours():
            forgotten = await _walk(store, clock, expiry)
            rest = PAGE_EVERY_SECONDS if forgotten else min(2 * rest, REST_SECONDS_MAX)


async def _walk(store: Store, clock: Clock, expiry: Expiry) -> int:
    """Once over all records of a kind; how many were forgotten."""
    after, in_all = None, 0
    while True:
        try:
            page = await store.scan(expiry.kind.prefix(), after=after, limit=PAGE)
            now = clock.now()
            expired = [key for key, record in page if expiry.is_over(record, now)]
            for keys in in_commits(expired):
                await store.transact(keys, partial(_forget, expiry, keys, now))
        except StoreUnavailable:
            await clock.sleep(PAGE_EVERY_SECONDS)
            continue  # the page is looked at again
        in_all += len(expired)
        if len(page) < PAGE:
            return in_all
        after = page[-1][0]
        await clock.sleep(SOON_SECONDS if len(expired) >= MUCH else PAGE_EVERY_SECONDS)


def _forget(expiry: Expiry, keys: Sequence[Key[Any]], now: Instant, view: View) -> Decision[None]:
    """Without these records, but for those that were changed since they were looked at."""
    return Decision(
        None, [delete(key) for key in keys if (record := view.get(key)) is not None and expiry.is_over(record, now)]
    )

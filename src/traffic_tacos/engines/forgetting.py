"""Answers under idempotency keys are kept for their window, then forgotten, a page at a time."""

from functools import partial

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.idempotency import REMEMBERED, Remembered
from traffic_tacos.ports.store import Decision, Key, Store, StoreUnavailable, View, delete

PAGE = 500
PAGE_EVERY_SECONDS = 5.0


async def forget_expired(store: Store, clock: Clock) -> None:
    """Walk over all remembered answers, round and round, and remove what has expired; until cancelled."""
    after = None
    while True:
        await clock.sleep(PAGE_EVERY_SECONDS)
        try:
            page = await store.scan(REMEMBERED.prefix(), after=after, limit=PAGE)
            now = clock.now()
            expired = [key for key, answer in page if now >= answer.expires_at]
            if expired:
                await store.transact(expired, partial(_forget, expired, now))
        except StoreUnavailable:
            continue  # the page is looked at again
        after = page[-1][0] if page else None


def _forget(keys: list[Key[Remembered]], now: Instant, view: View) -> Decision[None]:
    """Without these answers, but for those that were given anew since they were looked at."""
    return Decision(
        None, [delete(key) for key in keys if (answer := view.get(key)) is not None and now >= answer.expires_at]
    )

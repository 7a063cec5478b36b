"""Lists of records by an index: pages that stay right while things change.

An index is a kind of record whose value is another record's id. A cursor is the place of the last entry
told, so what comes or goes elsewhere moves nothing.
"""

from collections.abc import Callable
from typing import TypeVar

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, Kind, Prefix, Store, Write, put

PAGE_DEFAULT = 20
PAGE_MAX = 100
CURSOR_LENGTH_MAX = 500

T = TypeVar("T")


def listed(index: Kind[str], owner: str, created_at: Instant, record_id: str) -> Write:
    """The entry that lists a record under its owner, oldest first."""
    return put(index.key(owner, f"{created_at:014d}", record_id), record_id)


def checked_size(page_size: int) -> int:
    """How many a page has: PAGE_DEFAULT where nothing is said, never more than PAGE_MAX."""
    if page_size < 0:
        raise Refusal.of_field("pagination.page_size", "must not be negative", page_size)
    return min(page_size or PAGE_DEFAULT, PAGE_MAX)


async def page_of(
    store: Store,
    index: Prefix[str],
    key: Callable[[str], Key[T]],
    matches: Callable[[T], bool],
    cursor: str,
    page_size: int,
) -> tuple[list[T], str]:
    """A page of the index's records that match, and the cursor of the next page, empty at the end.

    `page_size` 0 means PAGE_DEFAULT; there are never more than PAGE_MAX.
    """
    size = checked_size(page_size)
    if len(cursor) > CURSOR_LENGTH_MAX or not cursor.isprintable():
        raise Refusal.of_field("pagination.cursor", "must be one from a previous page", cursor)
    after = Key(index.kind, index.path + cursor) if cursor else None
    found: list[T] = []
    while page := await store.scan(index, after=after, limit=PAGE_MAX):
        for entry, record_id in page:
            record = await store.get(key(record_id))
            if record is None or not matches(record):
                continue
            if len(found) == size:
                return found, cursor
            found.append(record)
            cursor = entry.path.removeprefix(index.path)
        after = page[-1][0]
    return found, ""

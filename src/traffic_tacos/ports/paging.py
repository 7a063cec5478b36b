"""Lists of records by an index: pages that stay right while things change, by cursor or by number, and their total.

An index is a kind of record whose value is another record's id. A cursor is the place of the last entry
shown, so what comes or goes elsewhere moves nothing; a number counts from the beginning as it is now.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, Kind, Prefix, Store, Write, put

PAGE_DEFAULT = 20
PAGE_MAX = 100
CURSOR_LENGTH_MAX = 500
# How many entries of an index are looked at to count, and to find a page by its number. What lies behind them is had by
# cursor; a total that reaches this far says "at least".
COUNTED_MAX = 10_000
LOOKED_AT_MAX = 2 * COUNTED_MAX  # entries for one page; a filter that little matches is followed further by cursor
FIRST = "!"  # a cursor before every entry, for paths begin with a digit or a letter
SCANNED_AT_ONCE = 500

T = TypeVar("T")


class Asked(msgspec.Struct, frozen=True):
    """A page by number, from 1, or after a cursor; a cursor wins. 0 is the first page, and PAGE_DEFAULT records.

    Refused when negative, when the cursor is none of ours, and when a number is out of what is counted.
    """

    page: int = 0
    page_size: int = 0
    cursor: str = ""

    def __post_init__(self) -> None:
        if self.page < 0:
            raise Refusal.of_field("pagination.page", "must be 1 or more, or 0 for the first", self.page)
        if self.page_size < 0:
            raise Refusal.of_field("pagination.page_size", "must not be negative", self.page_size)
        if len(self.cursor) > CURSOR_LENGTH_MAX or not self.cursor.isprintable():
            raise Refusal.of_field("pagination.cursor", "must be one from a previous page", self.cursor)
        if not self.cursor and self.skipped > COUNTED_MAX:
            reason = f"must be within the first {COUNTED_MAX:,} records; use the cursor beyond them"
            raise Refusal.of_field("pagination.page", reason, self.page)

    @property
    def size(self) -> int:
        return min(self.page_size or PAGE_DEFAULT, PAGE_MAX)

    @property
    def skipped(self) -> int:
        """How many records come before the page."""
        return max(0, self.page - 1) * self.size


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Records, how many there are in all (at most COUNTED_MAX), and the cursors beside them, empty where nothing is."""

    records: list[T]
    total: int
    next_cursor: str = ""
    previous_cursor: str = ""


def listing_key(index: Kind[str], owner: str, created_at: Instant, record_id: str) -> Key[str]:
    """Where an index lists a record under its owner, oldest first."""
    return index.key(owner, f"{created_at:014d}", record_id)


def listed(index: Kind[str], owner: str, created_at: Instant, record_id: str) -> Write:
    """The entry that lists a record under its owner."""
    return put(listing_key(index, owner, created_at, record_id), record_id)


async def page_of(
    store: Store, index: Prefix[str], key: Callable[[str], Key[T]], matches: Callable[[T], bool] | None, asked: Asked
) -> Page[T]:
    """The page of the index's records that match; None matches all, and then only those of the page are read.

    Other work goes on between its reads. Where few records match it may be short, with a cursor to go on from.
    """
    size, skipped, cursor = asked.size, asked.skipped, asked.cursor
    found: list[_Entry[T]] = []
    before: deque[str] = deque(maxlen=size + 1)  # the last cursors before the page
    looked, matched, total, place, is_end = 0, 0, 0, "", False
    while not is_end and (looked < COUNTED_MAX or (len(found) <= size and looked < LOOKED_AT_MAX)):
        if looked:
            await asyncio.sleep(0)  # an engine in this process answers without ever letting go of the event loop
        if looked >= COUNTED_MAX:
            place = max(place, cursor)
        entries, place, is_end = await _matching(store, index, key, matches, place)
        for entry in entries:
            if entry.cursor <= cursor if cursor else matched < skipped:
                before.append(entry.cursor)
            else:
                found.append(entry)
            matched += 1
        del found[size + 1 :]
        total = matched if looked < COUNTED_MAX else total
        looked += SCANNED_AT_ONCE
    page = found[:size]
    records: list[T] = []
    for entry in page:
        record = entry.record
        if record is None:
            record = await store.get(key(entry.record_id))
        if record is not None:
            records.append(record)
    next_cursor = ""
    if len(found) > size:
        next_cursor = page[-1].cursor
    elif not is_end and (cursor or matched >= skipped):
        next_cursor = place
    return Page(records, total, next_cursor, _previous(before, size))


class _Entry(NamedTuple, Generic[T]):
    cursor: str
    record_id: str
    record: T | None


async def _matching(
    store: Store, index: Prefix[str], key: Callable[[str], Key[T]], matches: Callable[[T], bool] | None, place: str
) -> tuple[list[_Entry[T]], str, bool]:
    """Of the next entries after a place: those that match, the place of the last, and whether the index ends there."""
    after = Key(index.kind, index.path + place) if place else None
    scanned = await store.scan(index, after=after, limit=SCANNED_AT_ONCE)
    entries: list[_Entry[T]] = []
    for entry, record_id in scanned:
        place = entry.path.removeprefix(index.path)
        if matches is None:
            entries.append(_Entry(place, record_id, None))
        elif (record := await store.get(key(record_id))) is not None and matches(record):
            entries.append(_Entry(place, record_id, record))
    return entries, place, len(scanned) < SCANNED_AT_ONCE


def _previous(before: Sequence[str], size: int) -> str:
    """The cursor of the page that ends where the asked one begins; empty when nothing is before it."""
    if not before:
        return ""
    return before[0] if len(before) > size else FIRST

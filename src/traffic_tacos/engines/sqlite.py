"""The embedded store: SQLite in one file, one writer, group commit.

Decisions run on the event loop, one after the other, the moment they arrive: against the durable
records and, over them, what earlier decisions have written and the disk does not have yet. Nobody is
answered from there. A writer thread takes all that has gathered since its last commit, commits it
once (`synchronous=FULL`), and only then do those who wait get their replies. A batch is what arrived
while the one before was being synced (docs/decisions/0005); and of those who were answered together
it waits a moment for the next calls, so that few of many callers wake the threads (0070).

When a commit fails, every decision since the last good one is forgotten and everybody who waits for
one of them gets StoreUnavailable.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import structlog

from traffic_tacos.engines.views import DeclaredView
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.ports.store import (
    OUTBOX,
    DamagedRecord,
    DamageNotes,
    Decision,
    Key,
    Kind,
    Prefix,
    Reads,
    StoreUnavailable,
    View,
    Write,
    encoded_of,
    numbered,
    outbox_number,
    parents,
    writes_of,
)

T = TypeVar("T")
R = TypeVar("R")

WAITING_MAX = 20_000
CACHED_RECORDS_MAX = 50_000
CACHED_RANGE_RECORDS_MAX = 500_000
BUSY_SECONDS = 5
REST_SECONDS_MAX = 0.01
RESTS_FROM, AWAITED_MAX = 8, 32  # callers who were answered together

# With row ids, so that paths are in an index of their own: a tree that has the values too reads the whole of a large
# one whenever it looks for a path beside it (docs/decisions/0068).
SCHEMA = "CREATE TABLE IF NOT EXISTS records (path TEXT PRIMARY KEY, value TEXT NOT NULL)"
_MADE_AS = "SELECT sql FROM sqlite_master WHERE name = 'records'"
_REBUILD = (
    "ALTER TABLE records RENAME TO clustered",
    SCHEMA,
    "INSERT INTO records (path, value) SELECT path, value FROM clustered",
    "DROP TABLE clustered",
)
# As bytes: damaged text must be ours to refuse, one record at a time.
_GET = "SELECT CAST(value AS BLOB) FROM records WHERE path = ?"
_SCAN = "SELECT path, CAST(value AS BLOB) FROM records WHERE path > ? AND path < ? ORDER BY path LIMIT ?"
# A whole batch is one statement with one parameter: the sqlite3 module gives up the GIL at every step, and
# with a step for each record the writer would wait for the busy loop as often.
_PUT = (
    "INSERT INTO records (path, value) SELECT key, value FROM json_each(?) WHERE true"
    " ON CONFLICT (path) DO UPDATE SET value = excluded.value"
)
_DELETE = "DELETE FROM records WHERE path IN (SELECT value FROM json_each(?))"
_LAST_PATH = chr(0x10FFFF)
_SEEN_BITS = 27
_SEEN_MASK = (1 << _SEEN_BITS) - 1
_BIT = tuple(1 << bit for bit in range(8))

log = structlog.get_logger()


class _SeenPaths:
    """Whether a path may ever have been written: most look-ups are for a new id or a new idempotency key, and for these
    nobody asks the disk. A bit for each hash (a Bloom filter of one hash: Bloom 1970).

    In 2^27 bits (16 MiB) one look-up in 14 goes to the disk in vain at 10 million paths, and one in 135 at a million. A
    second hash would save these, and cost every write and every other look-up more than they take.
    """

    def __init__(self) -> None:
        self._bits = bytearray(1 << (_SEEN_BITS - 3))

    def add(self, path: str) -> None:
        at = hash(path) & _SEEN_MASK
        self._bits[at >> 3] |= _BIT[at & 7]

    def __contains__(self, path: str) -> bool:
        at = hash(path) & _SEEN_MASK
        return bool(self._bits[at >> 3] & _BIT[at & 7])


class _Waiter(NamedTuple):
    future: asyncio.Future[Any]
    reply: Any


class _Batch:
    """Decisions that become durable together: their writes in order, and who waits for them."""

    __slots__ = ("encoded", "waiters", "writes")

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.encoded: dict[str, bytes | None] = {}
        self.waiters: list[_Waiter] = []


class SqliteStore:
    """Open it inside the event loop that will use it; close it there.

    `on_commit` is given the writes of every commit, in order, before anybody is answered.
    """

    def __init__(self, path: Path, on_commit: Callable[[Sequence[Write]], None] = lambda _: None) -> None:
        self.on_commit = on_commit
        self._loop = asyncio.get_running_loop()
        self._write_connection = connected(path)
        _make_table(self._write_connection)
        self._read_connection = connected(path)
        self._seen = _SeenPaths()
        for (known,) in self._read_connection.execute("SELECT path FROM records"):
            self._seen.add(known)
        self._cache: dict[str, Any] = {}
        self._damaged = DamageNotes()
        self._dirty: dict[str, tuple[Any, _Batch]] = {}
        self._ranges: dict[str, dict[str, Any]] = {}
        self._ranged: set[str] = set()  # the kinds that have some
        self._next_outbox = self._last_outbox_number() + 1
        self._gathering = _Batch()
        self._writing: _Batch | None = None
        self._waiting = 0
        self._rest: asyncio.TimerHandle | None = None
        self._awaited = 0  # who may still come, while it rests
        self._stopped: str | None = None
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_batches, name="store-writer", daemon=True)
        self._thread.start()

    async def get(self, key: Key[T]) -> T | None:
        return self._durable(key)

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        start = prefix.path if after is None else after.path
        found: list[tuple[Key[T], T]] = []
        while (wanted := limit - len(found)) > 0:
            rows = self._read_connection.execute(_SCAN, (start, prefix.path + _LAST_PATH, wanted)).fetchall()
            for path, raw in rows:
                try:
                    found.append((Key(prefix.kind, path), self._decoded(prefix.kind, path, raw)))
                except DamagedRecord:  # noted; a `with` for each record would take longer than reading it
                    continue
            if len(rows) < wanted:
                break
            start = rows[-1][0]
        return found

    def damaged(self) -> Mapping[str, str]:
        return self._damaged

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        if self._stopped is not None:
            raise StoreUnavailable(self._stopped)
        if self._waiting >= WAITING_MAX:
            raise StoreUnavailable("too many commits are waiting for the disk")
        decision = decide(DeclaredView(reads, self._latest, self._range))
        writes = writes_of(decision, numbered(self._next_outbox))
        encoded = encoded_of(reads, writes)
        if not writes and not self._dirty:
            return decision.reply
        # A reply without writes may rest on what is not durable yet, so it waits as well.
        future: asyncio.Future[R] = self._loop.create_future()
        batch = self._gathering
        self._next_outbox += len(decision.events)
        self._apply(writes, batch)
        batch.writes.extend(writes)
        batch.encoded.update(encoded)
        batch.waiters.append(_Waiter(future, decision.reply))
        self._waiting += 1
        if self._rest is not None:
            if len(batch.waiters) == self._awaited:
                self._end_rest()
        elif self._writing is None and len(batch.waiters) == 1:
            self._loop.call_soon(self._hand_over)
        return await future

    async def close(self) -> None:
        """Write what has gathered, then stop. Later calls raise StoreUnavailable."""
        self._stopped = self._stopped or "the store is closed"
        self._end_rest()
        batches = [batch for batch in (self._writing, self._gathering) if batch is not None]
        if waiters := [waiter.future for batch in batches for waiter in batch.waiters]:
            await asyncio.wait(waiters)
        self._batches.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._read_connection.close()

    # What decisions see: dirty over cached over stored.

    def _latest(self, key: Key[Any]) -> Any:
        dirty = self._dirty.get(key.path)
        return dirty[0] if dirty is not None else self._durable(key)

    def _durable(self, key: Key[T]) -> T | None:
        cached: T | None = self._cache.get(key.path)
        if cached is not None:
            return cached
        if key.path not in self._seen:
            return None
        row = self._read_connection.execute(_GET, (key.path,)).fetchone()
        if row is None:
            return None
        value = self._decoded(key.kind, key.path, row[0])
        self._make_room(1)
        self._cache[key.path] = value
        return value

    def _decoded(self, kind: Kind[T], path: str, raw: bytes) -> T:
        try:
            return kind.decode(path, raw)
        except DamagedRecord as damage:
            self._damaged.note(damage)
            raise

    def _range(self, prefix: Prefix[Any]) -> Mapping[str, Any]:
        known = self._ranges.get(prefix.path)
        if known is None:
            rows = self._read_connection.execute(_SCAN, (prefix.path, prefix.path + _LAST_PATH, -1))
            known = {path: self._decoded(prefix.kind, path, raw) for path, raw in rows}
            for path, (value, _) in self._dirty.items():
                if path.startswith(prefix.path):
                    _set(known, path, value)
            if sum(map(len, self._ranges.values())) + len(known) > CACHED_RANGE_RECORDS_MAX:
                self._ranges.clear()
            self._ranges[prefix.path] = known
            self._ranged.add(prefix.kind.name)
        return known

    def _apply(self, writes: Iterable[Write], batch: _Batch) -> None:
        for kind, path, value in writes:
            self._dirty[path] = (value, batch)
            if value is not None:
                self._seen.add(path)
            if kind.name in self._ranged:
                for parent in parents(path):
                    if (known := self._ranges.get(parent)) is not None:
                        _set(known, path, value)

    def _make_room(self, records: int) -> None:
        """Forget the oldest, where so many more would be too many."""
        if len(self._cache) + records > CACHED_RECORDS_MAX:
            for oldest in list(self._cache)[: max(records, CACHED_RECORDS_MAX // 10)]:
                del self._cache[oldest]

    def _last_outbox_number(self) -> int:
        prefix = OUTBOX.prefix().path
        row = self._read_connection.execute(
            "SELECT path FROM records WHERE path > ? AND path < ? ORDER BY path DESC LIMIT 1",
            (prefix, prefix + _LAST_PATH),
        ).fetchone()
        return 0 if row is None else outbox_number(row[0])

    # How a batch becomes durable.

    def _hand_over(self) -> None:
        if self._writing is None and self._gathering.waiters:
            self._writing, self._gathering = self._gathering, _Batch()
            self._batches.put(self._writing)

    def _write_batches(self) -> None:
        """The writer thread."""
        connection = self._write_connection
        while (batch := self._batches.get()) is not None:
            try:
                commit(connection, batch)
            except BaseException as error:  # noqa: BLE001 - whatever it was, everybody who waits must get it
                outcome: BaseException | None = error
                if connection.in_transaction:
                    connection.rollback()
            else:
                outcome = None
            self._loop.call_soon_threadsafe(self._written, batch, outcome)
        connection.close()

    def _written(self, batch: _Batch, error: BaseException | None) -> None:
        self._writing = None
        if error is not None:
            self._forget(batch, error)
            return
        self._apply_written(batch)
        self.on_commit(batch.writes)
        for future, reply in batch.waiters:
            if not future.done():
                future.set_result(reply)
        self._waiting -= len(batch.waiters)
        self._awaited = min(len(batch.waiters), AWAITED_MAX)
        if self._awaited >= RESTS_FROM and len(self._gathering.waiters) < self._awaited:
            self._rest = self._loop.call_later(REST_SECONDS_MAX, self._end_rest)
        else:
            self._hand_over()

    def _end_rest(self) -> None:
        """As many wait as were answered last, or no more of them come in time."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._loop.call_soon(self._hand_over)

    def _apply_written(self, batch: _Batch) -> None:
        """What the batch has written is what is stored now, unless a later one has written it again."""
        damaged, dirty, cache = self._damaged, self._dirty, self._cache
        self._make_room(len(batch.writes))
        for _, path, value in batch.writes:
            if damaged:
                damaged.pop(path, None)
            latest = dirty.get(path)
            if latest is not None and latest[1] is batch:
                del dirty[path]
            if value is None:
                cache.pop(path, None)
            else:
                cache[path] = value

    def _forget(self, batch: _Batch, error: BaseException) -> None:
        """Nothing since the last good commit is true, for what stands in memory rests on the failed batch."""
        lost, self._gathering = [*batch.waiters, *self._gathering.waiters], _Batch()
        self._dirty.clear()
        self._cache.clear()
        self._ranges.clear()
        self._next_outbox = self._last_outbox_number() + 1
        if not isinstance(error, sqlite3.Error):
            self._stopped = f"the store's writer has stopped: {error}"
        for future, _ in lost:
            if not future.done():
                future.set_exception(StoreUnavailable(f"the store could not write: {error}"))
        self._waiting -= len(lost)


def connected(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with the promises this engine rests on: a write-ahead log, synced at every commit.

    Refused when the file cannot be opened, or is none of SQLite's.
    """
    try:
        if read_only:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        else:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA cache_size=-65536")
            connection.execute("PRAGMA temp_store=MEMORY")  # for what a statement may have to undo
            connection.execute("PRAGMA wal_autocheckpoint=8000")
        connection.execute("SELECT 1 FROM sqlite_master")  # until now nobody has looked into the file
    except sqlite3.Error as error:
        raise Refusal.of_field("data", f"must have a store that can be read: {error}", path) from None
    return connection


def _make_table(connection: sqlite3.Connection) -> None:
    """The table of records, also in a store that was made before it had row ids."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(SCHEMA)
    (made_as,) = connection.execute(_MADE_AS).fetchone()
    if "WITHOUT ROWID" in made_as:
        log.info("rebuilding_store")
        for statement in _REBUILD:
            connection.execute(statement)
    connection.execute("COMMIT")


def commit(connection: sqlite3.Connection, batch: _Batch) -> None:
    """Make a batch durable, in one transaction."""
    if not batch.encoded:
        return
    puts = {path: value.decode() for path, value in batch.encoded.items() if value is not None}
    deletes = [path for path, value in batch.encoded.items() if value is None]
    connection.execute("BEGIN IMMEDIATE")
    if puts:
        connection.execute(_PUT, (msgspec.json.encode(puts).decode(),))
    if deletes:
        connection.execute(_DELETE, (msgspec.json.encode(deletes).decode(),))
    connection.execute("COMMIT")


def _set(records: dict[str, Any], path: str, value: Any) -> None:
    if value is None:
        records.pop(path, None)
    else:
        records[path] = value

"""The file of a SQLite store as it is at one moment, while its platform may go on writing."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from traffic_tacos.engines.sqlite import connected
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.ports.snapshots import Snapshot
from traffic_tacos.ports.store import DamagedRecord, Key, Kind

T = TypeVar("T")


class SqliteSnapshots:
    """An `OnSnapshot`: looks in a thread, through a connection of its own."""

    is_of_one_moment = True

    def __init__(self, file: Path) -> None:
        self._file = file

    async def __call__(self, see: Callable[[Snapshot], T], /) -> T:
        def seen() -> T:
            with sqlite_snapshot(self._file) as records:
                return see(records)

        return await asyncio.to_thread(seen)


@contextmanager
def sqlite_snapshot(path: Path) -> Iterator[Snapshot]:
    """Open as long as the context lasts. Refused when there is no store at this path."""
    if not path.exists():
        raise Refusal.of_field("data", f"must have a store: there is no {path.name} in it", path.parent)
    with closing(connected(path, read_only=True)) as connection:
        connection.execute("BEGIN")
        yield _Records(connection)


class _Records:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._damaged: dict[str, str] = {}

    def all(self, kind: Kind[T], of: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, T]]:
        rows = self._connection.execute(
            "SELECT path, CAST(value AS BLOB) FROM records WHERE path > ? AND path < ?", _bounds(kind)
        )
        for path, raw in rows:
            if of(path) and (value := self._decoded(kind, path, raw)) is not None:
                yield path, value

    def one(self, key: Key[T]) -> T | None:
        row = self._connection.execute("SELECT CAST(value AS BLOB) FROM records WHERE path = ?", (key.path,)).fetchone()
        return None if row is None else self._decoded(key.kind, key.path, row[0])

    def count(self, kind: Kind[T]) -> int:
        asked = "SELECT count(*) FROM records WHERE path > ? AND path < ?"
        return int(self._connection.execute(asked, _bounds(kind)).fetchone()[0])

    def _decoded(self, kind: Kind[T], path: str, raw: bytes) -> T | None:
        try:
            return kind.decode(path, raw)
        except DamagedRecord as damage:
            self._damaged[path] = damage.why
            return None

    def damaged(self) -> Mapping[str, str]:
        return self._damaged


def _bounds(kind: Kind[T]) -> tuple[str, str]:
    prefix = kind.prefix().path
    return prefix, prefix + chr(0x10FFFF)

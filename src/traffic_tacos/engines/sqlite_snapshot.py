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
from traffic_tacos.ports.store import DamagedRecord, Kind

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

    def all(self, kind: Kind[T]) -> Iterator[tuple[str, T]]:
        prefix = kind.prefix().path
        rows = self._connection.execute(
            "SELECT path, CAST(value AS BLOB) FROM records WHERE path > ? AND path < ?",
            (prefix, prefix + chr(0x10FFFF)),
        )
        for path, raw in rows:
            try:
                yield path, kind.decode(path, raw)
            except DamagedRecord as damage:
                self._damaged[path] = damage.why

    def damaged(self) -> Mapping[str, str]:
        return self._damaged

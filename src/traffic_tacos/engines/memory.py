"""The reference store: everything in one dictionary. For tests and simulations.

Records are kept encoded, as on disk: what cannot be written down fails here too.
"""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from traffic_tacos.engines.views import DeclaredView
from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.ports.store import (
    OUTBOX,
    DamagedRecord,
    DamageNotes,
    Decision,
    Key,
    Kind,
    Prefix,
    Reads,
    View,
    Write,
    encoded_of,
    numbered,
    outbox_number,
    writes_of,
)

_LAST = chr(0x10FFFF)

T = TypeVar("T")
R = TypeVar("R")


class MemoryStore:
    """`on_commit` is given the writes of every commit, in the order of the commits, before the reply is given."""

    def __init__(
        self,
        on_commit: Callable[[Sequence[Write]], None] = lambda _: None,
        outbox_keys: Callable[[], Iterable[Key[DomainEvent]]] | None = None,
    ) -> None:
        """`outbox_keys` are those of the events of the next commit, where not one process numbers all."""
        self.on_commit = on_commit
        self._outbox_keys = outbox_keys or (lambda: numbered(self._next_outbox))
        self._records: dict[str, bytes] = {}
        self._decoded: dict[str, Any] = {}
        self._paths: list[str] = []
        self._next_outbox = 1
        self._damaged = DamageNotes()

    async def get(self, key: Key[T]) -> T | None:
        await asyncio.sleep(0)
        value: T | None = self._get(key)
        return value

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        await asyncio.sleep(0)
        return self._under(prefix, prefix.path if after is None else after.path, limit)

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        await asyncio.sleep(0)
        decision = decide(DeclaredView(reads, self._get, self._range))
        writes = writes_of(decision, self._outbox_keys())
        for path, value in encoded_of(reads, writes).items():
            self.keep(path, value)
        self._next_outbox += len(decision.events)
        self.on_commit(writes)
        await asyncio.sleep(0)
        return decision.reply

    def damaged(self) -> Mapping[str, str]:
        return self._damaged

    def all(self, kind: Kind[T], of: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, T]]:
        """Every record of a kind that can be read, with its path, as it is now."""
        prefix, found = kind.prefix().path, []
        for path in self._paths[bisect_right(self._paths, prefix) : bisect_right(self._paths, prefix + _LAST)]:
            value = self._decoded.get(path)
            if value is None:
                try:
                    value = self._get(Key(kind, path))
                except DamagedRecord:
                    continue
            if of(path):
                found.append((path, value))
        return iter(found)

    def one(self, key: Key[T]) -> T | None:
        try:
            value: T | None = self._get(key)
        except DamagedRecord:
            return None
        return value

    def count(self, kind: Kind[T]) -> int:
        prefix = kind.prefix().path
        return bisect_right(self._paths, prefix + _LAST) - bisect_right(self._paths, prefix)

    def reopened(self, on_commit: Callable[[Sequence[Write]], None]) -> "MemoryStore":
        """The same records in a new process, as after a crash."""
        store = MemoryStore(on_commit)
        store.restore(self._records)
        store._next_outbox = max(self._next_outbox, store._next_outbox)
        return store

    def beside(
        self, on_commit: Callable[[Sequence[Write]], None], outbox_keys: Callable[[], Iterable[Key[DomainEvent]]]
    ) -> "MemoryStore":
        """The same records in another process, which is given its own commits only."""
        store = MemoryStore(on_commit, outbox_keys)
        store._records, store._paths, store._decoded = self._records, self._paths, self._decoded
        store._damaged = self._damaged
        return store

    def restore(self, records: Mapping[str, bytes]) -> None:
        """These encoded records by path, in place of all that is here."""
        self._records, self._paths, self._decoded = dict(records), sorted(records), {}
        numbers = [outbox_number(path) for path in self._paths if path.startswith(OUTBOX.prefix().path)]
        self._next_outbox = max(numbers, default=0) + 1

    def kept(self) -> Mapping[str, bytes]:
        """All records by path, as they are kept."""
        return self._records

    def keep(self, path: str, encoded: bytes | None) -> None:
        """Put it there, whatever it is; or remove it."""
        self._damaged.pop(path, None)
        self._decoded.pop(path, None)
        if encoded is None:
            if self._records.pop(path, None) is not None:
                self._paths.pop(bisect_right(self._paths, path) - 1)
        else:
            if path not in self._records:
                insort(self._paths, path)
            self._records[path] = encoded

    def _get(self, key: Key[Any]) -> Any:
        value = self._decoded.get(key.path)
        if value is None and (raw := self._records.get(key.path)) is not None:
            value = self._decoded[key.path] = self._noted(key, raw)
        return value

    def _noted(self, key: Key[T], raw: bytes) -> T:
        try:
            return key.kind.decode(key.path, raw)
        except DamagedRecord as damage:
            self._damaged.note(damage)
            raise

    def _range(self, prefix: Prefix[Any]) -> dict[str, Any]:
        paths = self._paths[bisect_right(self._paths, prefix.path) : bisect_right(self._paths, prefix.path + _LAST)]
        return {path: self._get(Key(prefix.kind, path)) for path in paths}

    def _under(self, prefix: Prefix[T], after: str, limit: int) -> list[tuple[Key[T], T]]:
        found: list[tuple[Key[T], T]] = []
        for index in range(bisect_right(self._paths, after), len(self._paths)):
            path = self._paths[index]
            if len(found) == limit or not path.startswith(prefix.path):
                break
            key = Key(prefix.kind, path)
            try:
                found.append((key, self._get(key)))
            except DamagedRecord:
                continue
        return found

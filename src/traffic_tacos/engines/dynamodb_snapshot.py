"""Everything on DynamoDB, read page by page while others write: of no one moment."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from traffic_tacos.engines.dynamodb_requests import Item, Requests
from traffic_tacos.ports.snapshots import Snapshot
from traffic_tacos.ports.store import DamagedRecord, Key, Kind

T = TypeVar("T")
R = TypeVar("R")

PAGE = 1000  # records that are in memory at a time, or as many as one answer has


class DynamoSnapshots:
    """An `OnSnapshot`: looks in a thread, whose requests are made by the loop."""

    is_of_one_moment = False

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def __call__(self, see: Callable[[Snapshot], T], /) -> T:
        return await asyncio.to_thread(see, _Records(self._requests, asyncio.get_running_loop()))


class _Records:
    def __init__(self, requests: Requests, loop: asyncio.AbstractEventLoop) -> None:
        self._requests = requests
        self._loop = loop
        self._damaged: dict[str, str] = {}

    def all(self, kind: Kind[T], of: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, T]]:
        for path, item in self._items(kind):
            if of(path) and (value := self._value(kind, path, item)) is not None:
                yield path, value

    def one(self, key: Key[T]) -> T | None:
        [place, *_] = self._requests.places(key.path)
        return self._value(key.kind, key.path, self._asked(self._requests.item(place)))

    def count(self, kind: Kind[T]) -> int:
        return sum(1 for _ in self._items(kind))

    def damaged(self) -> Mapping[str, str]:
        return self._damaged

    def _items(self, kind: Kind[Any]) -> Iterator[tuple[str, Item]]:
        prefix = kind.prefix().path
        for part in self._requests.parts(prefix):
            after = prefix
            while page := self._asked(self._requests.of_part(part, prefix, after, PAGE)):
                yield from page
                after = page[-1][0]

    def _value(self, kind: Kind[T], path: str, item: Item) -> T | None:
        try:
            value: T | None = item.value(kind, path)
        except DamagedRecord as damage:
            self._damaged[path] = damage.why
            return None
        return value

    def _asked(self, asking: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()

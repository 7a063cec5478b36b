"""Everything on DynamoDB, read part by part while others write: of no one moment."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from traffic_tacos.engines.dynamodb_requests import Item, Requests
from traffic_tacos.engines.dynamodb_tables import LAYOUT
from traffic_tacos.ports.snapshots import Snapshot
from traffic_tacos.ports.store import PATH_SEPARATOR, DamagedRecord, Kind

T = TypeVar("T")


class DynamoSnapshots:
    """An `OnSnapshot`."""

    is_of_one_moment = False

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def __call__(self, see: Callable[[Snapshot], T], /) -> T:
        prefixes = [kind + PATH_SEPARATOR for kind in LAYOUT]
        found = {prefix: await self._requests.page(prefix, prefix, None) for prefix in prefixes}
        return await asyncio.to_thread(see, _Records(found))


class _Records:
    def __init__(self, found: Mapping[str, list[tuple[str, Item]]]) -> None:
        self._found = found
        self._damaged: dict[str, str] = {}

    def all(self, kind: Kind[T]) -> Iterator[tuple[str, T]]:
        for path, item in self._found.get(kind.prefix().path, ()):
            try:
                yield path, item.value(kind, path)
            except DamagedRecord as damage:
                self._damaged[path] = damage.why

    def damaged(self) -> Mapping[str, str]:
        return self._damaged

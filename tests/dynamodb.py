"""A DynamoDB of one dictionary: the requests that the engine sends, carried out as the API says they are.

One item is read as it is at one moment; a Query or a BatchGetItem is not, for others commit between its items where
`delay` lets them. `conflict`, `throttled` and `lost` come as often as they say: none of the emulators has them.
"""

import asyncio
import random
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from traffic_tacos.app.retention import EXPIRED_BY_THE_STORE
from traffic_tacos.engines.dynamodb import DynamoStore
from traffic_tacos.engines.dynamodb_requests import AnswerLost, Cancelled, Item, Requests, Throttled
from traffic_tacos.engines.dynamodb_tables import PACKED, PARTITION, SORT, TEXT, TOKEN, Tables
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import DamagedRecord, Key, Kind, Write, packed, unpacked

QUERY_PAGE = 50
TRANSACTION_ITEMS_MAX = 100
ITEM_BYTES_MAX = 400_000


class WireFaults(msgspec.Struct, frozen=True):
    """How often, as a probability for each request; `delay` in seconds at most.

    `forgets_tokens`: the same transaction again is another one, as on some emulators and after ten minutes on DynamoDB.
    """

    delay: float = 0.0
    conflict: float = 0.0
    throttled: float = 0.0
    lost: float = 0.0
    forgets_tokens: bool = False


NO_FAULTS = WireFaults()


class FakeDynamo:
    """`calls` counts requests by action."""

    def __init__(self, clock: Clock, randomness: random.Random, faults: WireFaults = NO_FAULTS) -> None:
        self.faults = faults
        self.calls: Counter[str] = Counter()
        self.clock = clock
        self._random = randomness
        self._tables: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._sorted: dict[tuple[str, str], list[str]] = {}  # of a table's partition
        self._done: set[str] = set()  # tokens of transactions

    async def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        return await self.send(action, payload)

    async def send(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What answers; tests put something of their own before it."""
        self.calls[action] += 1
        await asyncio.sleep(0)
        await self._wait()
        if self._happens(self.faults.throttled):
            raise Throttled("injected")
        if action.startswith("Transact") or action in ("PutItem", "DeleteItem"):
            if self._happens(self.faults.lost / 2):
                raise AnswerLost("injected: before")
            self._write(action, payload)
            if self._happens(self.faults.lost / 2):
                raise AnswerLost("injected: after")
            await self._wait()
            return {}
        answer: dict[str, Any] = await {
            "GetItem": self._get,
            "BatchGetItem": self._batch,
            "Query": self._query,
        }[action](payload)
        await self._wait()
        return answer

    def items(self) -> Iterator[dict[str, Any]]:
        for table in self._tables.values():
            yield from table.values()

    async def _get(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert payload["ConsistentRead"]
        item = self._table(payload["TableName"]).get(_key(payload["Key"]))
        return {"Item": item} if item is not None else {}

    async def _batch(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, list[Any]] = {}
        rest: dict[str, Any] = {}
        asked = [(table, key) for table, request in payload["RequestItems"].items() for key in request["Keys"]]
        assert 0 < len(asked) <= 100
        assert len({(table, _key(key)) for table, key in asked}) == len(asked), "BatchGetItem takes each key once"
        for table, key in asked:
            if found and self._happens(self.faults.throttled):
                rest.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key)
                continue
            if self._happens(0.2 if self.faults.delay else 0):
                await self._wait()
            item = self._table(table).get(_key(key))
            found.setdefault(table, []).extend([] if item is None else [item])
        return {"Responses": found} | ({"UnprocessedKeys": rest} if rest else {})

    async def _query(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert payload["ConsistentRead"]
        values = payload["ExpressionAttributeValues"]
        part, low, high = (values[name]["S"] for name in (":part", ":after", ":last"))
        paths = self._sorted.setdefault((payload["TableName"], part), [])
        start = payload.get("ExclusiveStartKey")
        first = bisect_left(paths, low) if start is None else bisect_right(paths, start[SORT]["S"])
        chosen = paths[first : bisect_right(paths, high)][: min(payload.get("Limit", QUERY_PAGE), QUERY_PAGE)]
        is_more = bool(chosen) and chosen[-1] != high and bisect_right(paths, high) > first + len(chosen)
        found = []
        for path in chosen:
            if self._happens(0.2 if self.faults.delay else 0):
                await self._wait()
            if (item := self._table(payload["TableName"]).get((part, path))) is not None:
                found.append(item)
        last = {PARTITION: {"S": part}, SORT: {"S": chosen[-1]}} if is_more else None
        return {"Items": found} | ({"LastEvaluatedKey": last} if last else {})

    def _write(self, action: str, payload: Mapping[str, Any]) -> None:
        token = payload.get("ClientRequestToken", "")
        if token and token in self._done:
            return
        steps = payload["TransactItems"] if action == "TransactWriteItems" else [{action.removesuffix("Item"): payload}]
        places = [
            (verb, step, (step["TableName"], *_key(step.get("Key") or step["Item"])))
            for one in steps
            for verb, step in one.items()
        ]
        assert 0 < len(places) <= TRANSACTION_ITEMS_MAX
        assert len({place for _, _, place in places}) == len(places), "a transaction takes each item once"
        if self._happens(self.faults.conflict):
            raise Cancelled(["TransactionConflict", *["None"] * (len(places) - 1)], [None] * len(places))
        stood = [self._table(table).get((part, path)) for _, _, (table, part, path) in places]
        fits = [_holds(step, item) for (_, step, _), item in zip(places, stood, strict=True)]
        if not all(fits):
            reasons = ["None" if fit else "ConditionalCheckFailed" for fit in fits]
            raise Cancelled(reasons, [None if fit else item for fit, item in zip(fits, stood, strict=True)])
        for verb, step, place in places:
            self.apply(verb, step, place)
        if token and not self.faults.forgets_tokens:
            self._done.add(token)

    def apply(self, verb: str, step: Mapping[str, Any], place: tuple[str, str, str]) -> None:
        table, part, path = place
        records, paths = self._table(table), self._sorted.setdefault((table, part), [])
        if verb == "Put":
            assert len(msgspec.json.encode(step["Item"])) <= ITEM_BYTES_MAX * 4 // 3 + 1000
            if (part, path) not in records:
                insort(paths, path)
            records[part, path] = step["Item"]
        elif verb == "Delete" and records.pop((part, path), None) is not None:
            paths.pop(bisect_right(paths, path) - 1)

    def _table(self, name: str) -> dict[tuple[str, str], dict[str, Any]]:
        return self._tables.setdefault(name, {})

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    async def _wait(self) -> None:
        if self.faults.delay:
            await self.clock.sleep(self._random.uniform(0, self.faults.delay))


class FakeDynamoStore(DynamoStore):
    """The engine on such a wire, with what tests ask of a MemoryStore."""

    def __init__(
        self,
        clock: Clock,
        randomness: random.Random,
        on_commit: Callable[[Sequence[Write]], None] = lambda _: None,
        wire: FakeDynamo | None = None,
    ) -> None:
        self.wire = wire or FakeDynamo(clock, randomness)
        tables = Tables("tacos-")
        super().__init__(
            Requests(self.wire, tables, clock, randomness), tables, clock, randomness, EXPIRED_BY_THE_STORE, on_commit
        )
        self._own = clock, randomness

    def one(self, key: Key[Any]) -> Any:
        return next((value for path, value in self.all(key.kind) if path == key.path), None)

    def count(self, kind: Kind[Any]) -> int:
        return sum(1 for _ in self.all(kind))

    def all(self, kind: Kind[Any], of: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, Any]]:
        """Every record of a kind that can be read, with its path, as it is now."""
        prefix = kind.prefix().path
        found = {path: item for item in self.wire.items() if (path := item[SORT]["S"]).startswith(prefix)}
        for path, item in sorted(found.items()):
            if of(path):
                try:
                    yield path, Item.of(item).value(kind, path)
                except DamagedRecord as damage:
                    self._damaged.note(damage)

    def kept(self) -> dict[str, bytes]:
        """All records by path, as the rooms encoded them."""
        return {
            item[SORT]["S"]: item[TEXT]["S"].encode() if TEXT in item else unpacked(b64decode(item[PACKED]["B"]))
            for item in self.wire.items()
        }

    def keep(self, path: str, encoded: bytes | None) -> None:
        """Put it there, whatever it is; or remove it."""
        self._damaged.pop(path, None)
        for place in self._tables.places(path):
            if encoded is None:
                self.wire.apply("Delete", {}, place)
            else:
                item = place.key | {PACKED: {"B": b64encode(packed(encoded)).decode()}, TOKEN: {"S": "by hand"}}
                self.wire.apply("Put", {"Item": item}, place)

    def reopened(self, on_commit: Callable[[Sequence[Write]], None]) -> "FakeDynamoStore":
        """The same records in a new process, as after a crash."""
        return FakeDynamoStore(*self._own, on_commit, self.wire)


def _key(key: Mapping[str, Any]) -> tuple[str, str]:
    return key[PARTITION]["S"], key[SORT]["S"]


def _holds(step: Mapping[str, Any], item: Mapping[str, Any] | None) -> bool:
    """Whether the condition of a step holds; the engine has two."""
    condition = step.get("ConditionExpression")
    if condition is None:
        return True
    if condition == f"attribute_not_exists({PARTITION})":
        return item is None
    assert condition == f"{TOKEN} = :n", condition
    return item is not None and item[TOKEN] == step["ExpressionAttributeValues"][":n"]

"""Requests of the store on DynamoDB: questions that are asked until they are answered, and transactions that are sent
until somebody knows what has become of them.
"""

import base64
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import structlog

from traffic_tacos.engines.dynamodb_tables import PACKED, PARTITION, SORT, TEXT, TOKEN, Place, Tables
from traffic_tacos.engines.tasks import all_of
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Kind, StoreUnavailable, unpacked

T = TypeVar("T")

ATTEMPTS_MAX = 40
# Why a request had to be made again: others were faster, it came too fast, or nobody knows whether it was carried out.
CONFLICT, THROTTLED, ANSWER_LOST = "conflict", "throttled", "answer_lost"
PAUSES = RetryPolicy(pause_max=SECOND // 5, pause_first=4)
BATCH_KEYS_MAX = 100  # of one BatchGetItem
_LAST = chr(0x10FFFF)
_FINE = "None"
_CHANGED = "ConditionalCheckFailed"
_UNDER_WAY = "TransactionConflict"  # another transaction has the record just now
_TOO_FAST = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})

Step = tuple[str, dict[str, Any]]  # Put, Delete or ConditionCheck, and what it asks for

log = structlog.get_logger()


class Cancelled(Exception):
    """The transaction was refused, and nothing of it is done: why for each of its items ("None" for a good one), and
    what stood there instead where that is known.
    """

    def __init__(self, reasons: Sequence[str], items: Sequence[Mapping[str, Any] | None]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons
        self.items = items


class Throttled(Exception):
    """DynamoDB did not look at the request: it comes too fast."""


class AnswerLost(Exception):
    """Nobody knows whether the request was carried out."""


class Wire(Protocol):
    """One request to DynamoDB and its answer, as its API has them.

    Raises Cancelled, Throttled, AnswerLost, and StoreUnavailable for what no repetition mends.
    """

    async def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any]: ...


class Item:
    """A record as it was read; decoded when somebody looks at it. `token` is None where there is none."""

    __slots__ = ("_raw", "_value", "token")

    def __init__(self, token: str | None, raw: bytes | None, value: Any = None) -> None:
        self.token = token
        self._raw = raw
        self._value = value

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> "Item":
        text = item.get(TEXT)
        return cls(
            item[TOKEN]["S"], text["S"].encode() if text is not None else unpacked(base64.b64decode(item[PACKED]["B"]))
        )

    def value(self, kind: Kind[T], path: str) -> Any:
        if self._value is None and self._raw is not None:
            self._value, self._raw = kind.decode(path, self._raw), None
        return self._value


NOTHING = Item(None, None)


class Requests:
    """Raises StoreUnavailable for what cannot be had, or not be known, after ATTEMPTS_MAX attempts.

    `retries` counts requests that had to be made again, by reason.
    """

    def __init__(self, wire: Wire, tables: Tables, clock: Clock, randomness: random.Random) -> None:
        self.wire = wire
        self.retries = Counter({CONFLICT: 0, THROTTLED: 0, ANSWER_LOST: 0})
        self._tables = tables
        self._clock = clock
        self._random = randomness

    async def item(self, place: Place) -> Item:
        payload = {"TableName": place.table, "Key": place.key, "ConsistentRead": True}
        answer = await self._asked("GetItem", payload)
        item = answer.get("Item")
        return Item.of(item) if item else NOTHING

    async def items(self, places: Mapping[str, Place]) -> dict[str, Item]:
        """The records at these places by path."""
        if len(places) == 1:
            [(path, place)] = places.items()
            return {path: await self.item(place)}
        found = dict.fromkeys(places, NOTHING)
        wanted = list(places.values())
        for attempt in range(1, ATTEMPTS_MAX + 1):
            if not wanted:
                return found
            batch, wanted = wanted[:BATCH_KEYS_MAX], wanted[BATCH_KEYS_MAX:]
            request: dict[str, Any] = {}
            for place in batch:
                request.setdefault(place.table, {"Keys": [], "ConsistentRead": True})["Keys"].append(place.key)
            answer = await self._asked("BatchGetItem", {"RequestItems": request})
            for items in answer["Responses"].values():
                for item in items:
                    found[item[SORT]["S"]] = Item.of(item)
            for table, rest in answer.get("UnprocessedKeys", {}).items():
                wanted += [Place(table, key[PARTITION]["S"], key[SORT]["S"]) for key in rest["Keys"]]
            if answer.get("UnprocessedKeys"):
                self.retries[THROTTLED] += 1
                await self.pause(attempt)
        raise StoreUnavailable("DynamoDB did not read all that was asked for")

    async def page(self, prefix: str, after: str, limit: int | None) -> list[tuple[str, Item]]:
        """The first records under a prefix behind a path, by path, wherever they lie; all of them without a limit."""
        parts = self.parts(prefix)
        pages = await all_of([self.of_part(part, prefix, after, limit) for part in parts])
        return sorted((entry for page in pages for entry in page), key=lambda entry: entry[0])[:limit]

    def places(self, path: str) -> list[Place]:
        """Every copy of a record."""
        return self._tables.places(path)

    def parts(self, prefix: str) -> list[Place]:
        """Where all records under a prefix are, for `of_part`."""
        return self._tables.parts(prefix)

    async def of_part(self, part: Place, prefix: str, after: str, limit: int | None) -> list[tuple[str, Item]]:
        """As `page`, of one part. The bounds of BETWEEN belong to it, so one more is asked for."""
        payload: dict[str, Any] = {
            "TableName": part.table,
            "ConsistentRead": True,
            "KeyConditionExpression": f"{PARTITION} = :part AND {SORT} BETWEEN :after AND :last",
            "ExpressionAttributeValues": {
                ":part": {"S": part.partition},
                ":after": {"S": after},
                ":last": {"S": prefix + _LAST},
            },
        }
        found: list[tuple[str, Item]] = []
        while True:
            if limit is not None:
                payload["Limit"] = limit - len(found) + 1
            answer = await self._asked("Query", payload)
            found += [(path, Item.of(item)) for item in answer["Items"] if (path := item[SORT]["S"]) != after]
            next_key = answer.get("LastEvaluatedKey")
            if next_key is None or (limit is not None and len(found) >= limit):
                return found[:limit]
            payload["ExclusiveStartKey"] = next_key

    async def _asked(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """An answer to a question, which changes nothing and so is asked again."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await self.wire(action, payload)
            except (Throttled, AnswerLost) as error:
                failure = error
                self.retries[THROTTLED if isinstance(error, Throttled) else ANSWER_LOST] += 1
                await self.pause(attempt)
        raise StoreUnavailable(f"DynamoDB does not answer: {failure}")

    async def send(self, steps: Sequence[Step], token: str) -> dict[str, Item | None]:
        """The records that somebody else was faster with, by path, as they are now where that was returned; none when
        the transaction is durable.
        """
        is_answer_lost = False
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                await self._sent(steps, token)
            except Cancelled as cancelled:
                if any(item and item.get(TOKEN, {}).get("S") == token for item in cancelled.items):
                    return {}  # the answer was lost, not the commit
                reasons = set(cancelled.reasons) - {_FINE}
                if is_answer_lost and _CHANGED in reasons:
                    raise StoreUnavailable(
                        "an answer was lost, and whether it said yes can no longer be known"
                    ) from None
                if _CHANGED in reasons or (_UNDER_WAY in reasons and not is_answer_lost):
                    self.retries[CONFLICT] += 1
                    return _lost(steps, cancelled)
                if not reasons <= _TOO_FAST | {_UNDER_WAY}:
                    raise ValueError(f"the store refused a commit: {cancelled}") from None
                self.retries[CONFLICT if _UNDER_WAY in reasons else THROTTLED] += 1
            except Throttled:
                self.retries[THROTTLED] += 1
            except AnswerLost as error:
                is_answer_lost = True
                self.retries[ANSWER_LOST] += 1
                log.warning("store_answer_lost", error=str(error))
            else:
                return {}
            await self.pause(attempt)
        raise StoreUnavailable("DynamoDB did not take the commit")

    async def _sent(self, steps: Sequence[Step], token: str) -> None:
        if len(steps) == 1 and _is_guarded(steps[0][1]):  # at half the price of a transaction
            verb, step = steps[0]
            await self.wire(f"{verb}Item", step)
        else:
            items = [{verb: step} for verb, step in steps]
            await self.wire("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})

    async def pause(self, attempt: int) -> None:
        """Full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""
        await self._clock.sleep(self._random.uniform(0, PAUSES.pause(attempt)) / SECOND)


def _lost(steps: Sequence[Step], cancelled: Cancelled) -> dict[str, Item | None]:
    """The records that somebody else was faster with."""
    return {
        _path(step): Item.of(item) if item else None
        for (_, step), reason, item in zip(steps, cancelled.reasons, cancelled.items, strict=True)
        if reason in (_CHANGED, _UNDER_WAY)
    }


def _is_guarded(step: Mapping[str, Any]) -> bool:
    """Whether it may be sent twice: without a condition it could undo what somebody wrote in between."""
    return "ConditionExpression" in step


def _path(step: Mapping[str, Any]) -> str:
    path: str = step.get("Key", step.get("Item"))[SORT]["S"]
    return path

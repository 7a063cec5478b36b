"""The store on DynamoDB: any number of processes, none of which owns it.

A decision reads what it declared, runs here, and is one conditional transaction: every declared key and every record
that it writes must still have the version that was read. When somebody was faster it is read and decided again, with
jitter, a bounded number of times; then StoreUnavailable (docs/decisions/0050).

What many callers of one process want at once is taken in turn by them here, so that as many contend over the wire as
there are processes. A prefix that decisions go on asking for is remembered for half a second with what they wrote
themselves (the *mirror*); nothing is ever refused or answered on it, see `_Look.is_enough`.

An answer that was lost is asked for again under the same token. Who then finds their own token in a record knows that
they had written it; who finds something else does not know what has become of it, and says so with StoreUnavailable.
"""

import base64
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from traffic_tacos.engines.contention import Contention
from traffic_tacos.engines.dynamodb_requests import ATTEMPTS_MAX, NOTHING, Item, Requests, Step
from traffic_tacos.engines.dynamodb_tables import PACKED, PARTITION, TEXT, TOKEN, TTL, Place, Tables
from traffic_tacos.engines.purge import Expiry
from traffic_tacos.engines.views import DeclaredView
from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import (
    PACKED_ABOVE,
    DamagedRecord,
    DamageNotes,
    Decision,
    Key,
    Prefix,
    Reads,
    StoreUnavailable,
    View,
    Write,
    encoded_of,
    packed,
    timed_outbox_key,
    writes_of,
)

T = TypeVar("T")
R = TypeVar("R")

MIRRORED_FOR = SECOND // 2
MIRRORED_PREFIXES_MAX = 1000


class _Look:
    """What a decision declared, as it was found: records by path, and those under each prefix."""

    def __init__(self, reads: Reads, is_fresh: bool) -> None:
        self.is_fresh = is_fresh  # nothing of it comes from the mirror
        self.keys = list(dict.fromkeys(read for read in reads if isinstance(read, Key)))
        self.prefixes = [read for read in reads if isinstance(read, Prefix)]
        self.items: dict[str, Item] = {}
        self.ranges: dict[str, dict[str, Item]] = {}
        self.copies: dict[str, Place] = {}  # which copy of a record was read

    def versions(self) -> dict[str, str | None]:
        return {path: item.token for path, item in self.items.items()}

    def version(self, path: str) -> tuple[bool, str | None]:
        """Whether the record at the path was looked at, and its token."""
        if (item := self.items.get(path)) is not None:
            return True, item.token
        for prefix, found in self.ranges.items():
            if path.startswith(prefix):
                return True, found.get(path, NOTHING).token
        return False, None

    def is_enough(self, outcome: "_Outcome", before: "_Look | None") -> bool:
        """Whether what was decided on this look may be given, or has to be decided once more on another.

        The commit guards keys, and under a prefix what is written. All else, above all a refusal, rests on two looks
        that found the same records.
        """
        if outcome.writes and (not self.prefixes or any(self._is_under(write.path) for write in outcome.writes)):
            return True
        if not self.prefixes and len(self.keys) <= 1:
            return True
        if self.is_fresh and not self.keys and not outcome.writes and outcome.error is None:
            return True  # a look, without rules
        return self.is_fresh and before is not None and before.versions() == self.versions()

    def _is_under(self, path: str) -> bool:
        return any(path.startswith(prefix.path) for prefix in self.prefixes)


class _Outcome:
    """What a decision came to on one look: its writes and its reply, or the error that it raised."""

    def __init__(self, reply: Any, writes: Sequence[Write], error: Exception | None = None) -> None:
        self.reply = reply
        self.writes = writes
        self.error = error


class _Mirrored:
    def __init__(self, at: Instant, items: dict[str, Item]) -> None:
        self.at = at
        self.items = items


class DynamoStore:
    """`on_commit` is given the writes of every commit of this process, and of no other's.

    `expiries` say when DynamoDB may remove records by itself; `retries` are those of its requests.
    """

    def __init__(
        self,
        requests: Requests,
        tables: Tables,
        clock: Clock,
        randomness: random.Random,
        expiries: Sequence[Expiry] = (),
        on_commit: Callable[[Sequence[Write]], None] = lambda _: None,
    ) -> None:
        self.on_commit = on_commit
        self.retries = requests.retries
        self._requests = requests
        self._tables = tables
        self._clock = clock
        self._random = randomness
        self._expires_at = {expiry.kind.name: expiry.expires_at for expiry in expiries}
        self._contention = Contention()
        self._mirror: dict[str, _Mirrored] = {}
        self._damaged = DamageNotes()

    # Reading.

    async def get(self, key: Key[T]) -> T | None:
        place = self._random.choice(self._tables.places(key.path))
        item = await self._requests.item(place)
        value: T | None = self._noted(key, item)
        return value

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        start = prefix.path if after is None else after.path
        found: list[tuple[Key[T], T]] = []
        while (wanted := limit - len(found)) > 0:
            page = await self._requests.page(prefix.path, start, wanted)
            for path, item in page:
                key = Key(prefix.kind, path)
                try:
                    found.append((key, self._noted(key, item)))
                except DamagedRecord:
                    continue
            if len(page) < wanted:
                break
            start = page[-1][0]
        return found

    def damaged(self) -> Mapping[str, str]:
        return self._damaged

    # Deciding.

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        wanted = [read.path for read in reads if isinstance(read, Prefix)]
        async with self._contention.turn(wanted, [read.path for read in reads]) as turn:
            before: _Look | None = None
            for attempt in range(1, ATTEMPTS_MAX + 1):
                look = await self._look(reads, is_fresh=before is not None)
                outcome = self._decided(look, reads, decide)
                if not look.is_enough(outcome, before):
                    before = look
                    continue
                if outcome.error is not None:
                    raise outcome.error
                lost = await self._commit(look, reads, outcome.writes) if outcome.writes else ()
                if not lost:
                    reply: R = outcome.reply
                    return reply
                before = None
                if not await turn.also(lost):
                    await self._requests.pause(attempt)
        raise StoreUnavailable(f"other processes changed the same records {ATTEMPTS_MAX} times in a row; try again")

    def _decided(self, look: _Look, reads: Reads, decide: Callable[[View], Decision[Any]]) -> _Outcome:
        def get(key: Key[Any]) -> Any:
            return self._noted(key, look.items[key.path])

        def range_(prefix: Prefix[Any]) -> dict[str, Any]:
            found = look.ranges[prefix.path]
            return {path: self._noted(Key(prefix.kind, path), item) for path, item in found.items()}

        try:
            decision = decide(DeclaredView(reads, get, range_))
        except Exception as error:  # noqa: BLE001 - raised as it is, once it rests on more than a glance
            return _Outcome(None, (), error)
        return _Outcome(decision.reply, writes_of(decision, self._outbox_keys()))

    async def _look(self, reads: Reads, *, is_fresh: bool) -> _Look:
        """Keys before prefixes: who writes a record under a prefix and a declared key as well is always noticed."""
        look = _Look(reads, is_fresh)
        places = {key.path: self._random.choice(self._tables.places(key.path)) for key in look.keys}
        look.copies = places
        look.items = await self._requests.items(places)
        for prefix in look.prefixes:
            look.ranges[prefix.path], is_known = await self._range(prefix.path, is_fresh=is_fresh)
            look.is_fresh = look.is_fresh or not is_known
        return look

    async def _range(self, prefix: str, *, is_fresh: bool) -> tuple[dict[str, Item], bool]:
        """The records under a prefix, and whether they come from the mirror."""
        known = self._mirror.get(prefix)
        if known is not None and not is_fresh and self._clock.now() < known.at + MIRRORED_FOR:
            return known.items, True
        at = self._clock.now()
        found = dict(await self._requests.page(prefix, prefix, None))
        if len(self._mirror) >= MIRRORED_PREFIXES_MAX:
            self._mirror.clear()
        self._mirror[prefix] = _Mirrored(at, found)
        return found, False

    # Writing.

    async def _commit(self, look: _Look, reads: Reads, writes: Sequence[Write]) -> Sequence[str]:
        """Make it durable; or the paths of those records that somebody else was faster with."""
        token = f"{self._random.getrandbits(128):032x}"
        encoded = encoded_of(reads, writes)
        last = {write.path: write for write in writes}
        steps = list(self._steps(look, last, encoded, token))
        lost = await self._requests.send(steps, token)
        if lost:
            self._learn_of(lost)
            return tuple(lost)
        for path in encoded:
            self._damaged.pop(path, None)
        self._learn(last, token)
        self.on_commit(writes)
        return ()

    def _steps(
        self, look: _Look, last: Mapping[str, Write], encoded: Mapping[str, bytes | None], token: str
    ) -> Iterator[Step]:
        """The items of a transaction: what is written, on the condition that it was not changed, and what must stay."""
        for path, value in encoded.items():
            condition = _condition(*look.version(path))
            record = {} if value is None else _body(value) | {TOKEN: {"S": token}} | self._ttl(last[path])
            for place in self._tables.places(path):
                if value is None:
                    yield "Delete", {"TableName": place.table, "Key": place.key} | condition
                else:
                    yield "Put", {"TableName": place.table, "Item": place.key | record} | condition
        for key in look.keys:
            if key.path not in encoded:
                place = look.copies[key.path]
                yield (
                    "ConditionCheck",
                    {"TableName": place.table, "Key": place.key} | _condition(*look.version(key.path)),
                )

    def _ttl(self, write: Write) -> dict[str, Any]:
        expires_at = self._expires_at.get(write.kind.name, _never)(write.value)
        return {} if expires_at is None else {TTL: {"N": str(-(-expires_at // SECOND))}}

    def _outbox_keys(self) -> Iterator[Key[DomainEvent]]:
        """Keys that no other commit has, in order within this one."""
        now, mark = self._clock.now(), f"{self._random.getrandbits(64):016x}"
        number = 0
        while True:
            yield timed_outbox_key(now, mark, number)
            number += 1

    # The mirror.

    def _learn(self, last: Mapping[str, Write], token: str) -> None:
        for prefix, mirrored in self._mirror.items():
            for path, write in last.items():
                if path.startswith(prefix):
                    if write.value is None:
                        mirrored.items.pop(path, None)
                    else:
                        mirrored.items[path] = Item(token, None, write.value)

    def _learn_of(self, lost: Mapping[str, Item | None]) -> None:
        """What somebody else has changed is known as far as the store has returned it, and else read anew."""
        for prefix, mirrored in list(self._mirror.items()):
            for path, item in lost.items():
                if path.startswith(prefix):
                    if item is None:
                        self._mirror.pop(prefix, None)
                    else:
                        mirrored.items[path] = item

    def _noted(self, key: Key[Any], item: Item) -> Any:
        try:
            return item.value(key.kind, key.path)
        except DamagedRecord as damage:
            self._damaged.note(damage)
            raise


def _condition(is_known: bool, token: str | None) -> dict[str, Any]:
    if not is_known:
        return {}
    condition: dict[str, Any] = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if token is None:
        return condition | {"ConditionExpression": f"attribute_not_exists({PARTITION})"}
    return condition | {"ConditionExpression": f"{TOKEN} = :n", "ExpressionAttributeValues": {":n": {"S": token}}}


def _body(encoded: bytes) -> dict[str, Any]:
    if len(encoded) <= PACKED_ABOVE:
        return {TEXT: {"S": encoded.decode()}}
    return {PACKED: {"B": base64.b64encode(packed(encoded)).decode()}}


def _never(_: Any) -> None:
    return None

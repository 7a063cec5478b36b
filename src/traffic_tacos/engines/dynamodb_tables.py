"""Where records live on DynamoDB: the tables, and in which of them and in how many parts each kind is kept.

A record is one item: `pk` says in which part of its kind it lies, `sk` is its path, so that a part is in the order of
paths; `v` is the record as JSON text, or `z` the same compressed when it is large; `n` is the token of the commit that
wrote it, unique and never a counter; `ttl` is when DynamoDB may remove it, in seconds since 1970.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from traffic_tacos.ports.store import COPIES, PATH_SEPARATOR

TABLES = ("reservations", "inventory", "orders", "payments", "platform")
PARTITION, SORT, TEXT, PACKED, TOKEN, TTL = "pk", "sk", "v", "z", "n", "ttl"


class Layout(NamedTuple):
    """How a kind is kept: in `shards` parts, by a hash of the first `parts` of what its keys are made of.

    Whoever asks for records under a prefix asks one part when the prefix has that many, and else all of them at once.
    `copies` are for what nearly every decision declares and hardly any writes: each copy may be declared 500 times a
    second (1,000 write units a second for one part of a table, and a declared record costs two).
    """

    table: str
    parts: int = 0
    shards: int = 1
    copies: int = 1


BY_NAME = 9  # more than any key has: every record for itself

# Every kind once; `tests/unit/engines/test_dynamodb_tables.py` misses those that are not here.
LAYOUT: Mapping[str, Layout] = {
    "reservation": Layout("reservations", BY_NAME, 64),
    "reservation_by_user": Layout("reservations", 1, 64),
    "reservation_by_event": Layout("reservations", BY_NAME, 16),
    "admission_use": Layout("reservations", BY_NAME, 64),
    "reservations_stopped": Layout("reservations", copies=COPIES),
    "entered_by_event": Layout("orders", BY_NAME, 16),
    "returned_by_event": Layout("orders", BY_NAME, 16),
    "order": Layout("orders", BY_NAME, 64),
    "row": Layout("inventory", 2, 8),
    "hold": Layout("inventory", BY_NAME, 64),
    "person": Layout("inventory", BY_NAME, 64),
    "sale": Layout("inventory", copies=COPIES),
    "payment": Layout("payments", BY_NAME, 64),
    "payment_by_reservation": Layout("payments", 1, 64),
    "payment_by_user": Layout("payments", 1, 64),
    "webhook_receipt": Layout("payments", BY_NAME, 16),
    "webhook_endpoint": Layout("platform"),
    "event": Layout("platform"),
    "setting": Layout("platform"),
    "keys_seen": Layout("platform"),
    "audit": Layout("platform"),
    "audit_head": Layout("platform"),
    "lease": Layout("platform"),
    "process": Layout("platform"),
    "fence": Layout("platform"),
    "session": Layout("platform", BY_NAME, 64),
    "message": Layout("platform", 2, 16),
    "once": Layout("platform", BY_NAME, 64),
    "job": Layout("platform", BY_NAME, 16),
    "job_group": Layout("platform", BY_NAME, 64),
    "jobs_counted": Layout("platform"),
    "outbox": Layout("platform", BY_NAME, 16),
    "ticket": Layout("platform", 1, 16),
    "member": Layout("platform", BY_NAME, 64),
    "line": Layout("platform"),
    "line_settings": Layout("platform"),
    "draw": Layout("platform"),
}
OTHERS = Layout("platform")


class Place(NamedTuple):
    """One item, or with an empty `sort` one part of a kind."""

    table: str
    partition: str
    sort: str

    @property
    def key(self) -> dict[str, Any]:
        return {PARTITION: {"S": self.partition}, SORT: {"S": self.sort}}


class Tables:
    """The tables of one platform: those of TABLES, each with this before its name."""

    def __init__(self, prefix: str, layout: Mapping[str, Layout] = LAYOUT) -> None:
        self._prefix = prefix
        self._layout = layout

    def names(self) -> list[str]:
        return [self._prefix + name for name in TABLES]

    def places(self, path: str) -> list[Place]:
        """Every copy of the record at a path; all have the same at every moment."""
        kind, _, rest = path.partition(PATH_SEPARATOR)
        how = self._layout.get(kind, OTHERS)
        shard = _shard(rest.split(PATH_SEPARATOR)[: how.parts], how.shards)
        return [Place(self._prefix + how.table, _partition(kind, shard, copy), path) for copy in range(how.copies)]

    def parts(self, prefix: str) -> list[Place]:
        """Where all records under a prefix are; of copies the first."""
        kind, _, rest = prefix.partition(PATH_SEPARATOR)
        how = self._layout.get(kind, OTHERS)
        known = rest.split(PATH_SEPARATOR)[:-1]
        shards: Iterable[int] = range(how.shards)
        if len(known) >= how.parts:
            shards = [_shard(known[: how.parts], how.shards)]
        return [Place(self._prefix + how.table, _partition(kind, shard, 0), "") for shard in shards]

    def definitions(self) -> Iterator[dict[str, Any]]:
        """What CreateTable asks for: paid by the request, encrypted, with deletion refused."""
        for name in self.names():
            yield {
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in (PARTITION, SORT)],
                "KeySchema": [
                    {"AttributeName": PARTITION, "KeyType": "HASH"},
                    {"AttributeName": SORT, "KeyType": "RANGE"},
                ],
                "DeletionProtectionEnabled": True,
            }


def _shard(parts: list[str], shards: int) -> int:
    """CRC-32, for it must be the same in every process and for ever."""
    return zlib.crc32(PATH_SEPARATOR.join(parts).encode()) % shards if shards > 1 else 0


def _partition(kind: str, shard: int, copy: int) -> str:
    return f"{kind}.{shard}" if copy == 0 else f"{kind}.{shard}.{copy}"

"""Durable state in three verbs: get, scan, transact.

A *decision* is a pure function that sees the records it asked for and returns a reply with the
writes, jobs and events that belong to it; all of them become durable together or not at all. The
engine runs it where the data is, so a rule is written once and guarded once (docs/decisions/0001).

What a decision may rest on is the same on every engine, and as little as the weakest gives (docs/decisions/0049):

- Declared *keys* are guarded, written or not: nobody changed them between the read and the commit.
- A declared *prefix* is a look at many records, possibly torn and possibly a moment old. Those under it that the
  decision writes are guarded, their absence included; of the others it may only say "as far as could be seen". What is
  refused, or answered, on a prefix alone is decided once more on a fresh look before anybody is answered.
- A commit has at most COMMIT_RECORDS_MAX records, written and declared together, each of RECORD_BYTES_MAX as kept.
- Events are in order within one commit, and between commits in none.
"""

import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, get_args

import msgspec
import structlog

from traffic_tacos.kernel.domain_events import DomainEvent, event_of, payload_of, topic_of
from traffic_tacos.kernel.errors import Damaged, Fault
from traffic_tacos.kernel.instants import Instant

T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

PATH_SEPARATOR = "/"
DAMAGED_MAX = 1000
KEYS_REMEMBERED = 1000  # of events, of each key that calls for one event ask for again and again
LZMA_PRESET = 1
_XZ = b"\xfd7zXZ"  # how what LZMA has compressed begins; zlib's begins otherwise
# What one transaction of DynamoDB takes, and one item with the names of what it is made of:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
COMMIT_RECORDS_MAX = 100
COMMIT_BYTES_MAX = 4_000_000
RECORD_BYTES_MAX = 398_000
# A record that nearly every decision declares may be kept in copies, so that it can be declared that often. Whoever
# writes it writes all of them, and each counts as a record of the commit.
COPIES = 16
PACKED_ABOVE = 4_000  # bytes; records are text up to here, so that a person can read them where they are kept
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

log = structlog.get_logger()


class StoreUnavailable(Fault):
    """The store could not say yes. What was asked may or may not have become durable."""


class DamagedRecord(Damaged):
    """A record of an unknown shape, or no record at all: `path` names it, `why` says what is wrong with it."""

    def __init__(self, path: str, why: str) -> None:
        kind = path.partition(PATH_SEPARATOR)[0]
        super().__init__(f"the {kind} record that this needs cannot be read; `tacos verify` names it")
        self.path = path
        self.why = why


class Codec(NamedTuple, Generic[T]):
    """How a value is written as JSON and read again; reading raises ValueError or MsgspecError. `is_total`: whatever is
    of the type can be read again.
    """

    encode: Callable[[T], bytes]
    decode: Callable[[bytes | str], T]
    is_total: bool


def json_codec(record: type[T]) -> Codec[T]:
    """A frozen struct as JSON, field by field."""
    return Codec(msgspec.json.Encoder().encode, msgspec.json.Decoder(record).decode, not _holds_floats(record))


def _holds_floats(record: Any) -> bool:
    """Whether values of a type may hold a number that JSON does not have, such as infinity."""
    of_types = [record]
    if isinstance(record, type) and issubclass(record, msgspec.Struct):
        of_types = [field.type for field in msgspec.structs.fields(record)]
    elif get_args(record):
        of_types = list(get_args(record))
    return any(one in (float, Any) or (one is not record and _holds_floats(one)) for one in of_types)


class Kind(Generic[T]):
    """One type of record: its name, which starts every key, and how it is written down.

    Records are frozen structs, kept as JSON. A record of an unknown shape is an error when read,
    never a guess. `copies`: see COPIES. They are kept in memory by the hundred thousand and are part of no cycle, so
    the garbage collector need not walk over them (`gc=False`).

    A record that JSON may not have words for (infinity) is read again before it is kept: what nobody can read is never
    stored. Of all others their types say so, which mypy checks where they are made.
    """

    def __init__(self, name: str, record: type[T] | Codec[T], copies: int = 1) -> None:
        self.name = name
        self.copies = copies
        self._start = name + PATH_SEPARATOR
        self._codec: Codec[T] = record if isinstance(record, Codec) else json_codec(record)

    def encode(self, value: T) -> bytes:
        """The record as it is kept. Raises ValueError for one that could not be read again, which is a bug of who made
        it.
        """
        encoded = self._codec.encode(value)
        if not self._codec.is_total:
            try:
                self._codec.decode(encoded)
            except _UNREADABLE as error:
                raise ValueError(f"a {self.name} record that could not be read again: {error}") from None
        return encoded

    def decode(self, path: str, raw: bytes | str) -> T:
        """The record at a path; raises DamagedRecord."""
        try:
            return self._codec.decode(raw)
        except _UNREADABLE as error:
            raise DamagedRecord(path, str(error)) from None

    def key(self, *parts: str) -> "Key[T]":
        path = self._start + PATH_SEPARATOR.join(parts)
        if path.count(PATH_SEPARATOR) != len(parts) or "%" in path:
            path = PATH_SEPARATOR.join((self.name, *map(_escaped, parts)))
        return Key(self, path)

    def prefix(self, *parts: str) -> "Prefix[T]":
        """All keys whose first parts are these."""
        return Prefix(self, PATH_SEPARATOR.join((self.name, *map(_escaped, parts), "")))

    def __repr__(self) -> str:
        return f"Kind({self.name!r})"


class Key(msgspec.Struct, Generic[T], frozen=True, gc=False):
    kind: Kind[T]
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        """What `Kind.key` was given."""
        return parts_of(self.path)


class Prefix(msgspec.Struct, Generic[T], frozen=True, gc=False):
    kind: Kind[T]
    path: str


class Write(NamedTuple):
    """A record put in place (`value`), or removed (`None`)."""

    kind: Kind[Any]
    path: str
    value: Any


class Job(msgspec.Struct, frozen=True, gc=False):
    """Work to be done once `due_at` has come, at least once. `payload` says on what.

    Jobs of one `group` are done in turn, or as many at once as their pool allows; without one a job is its own group.
    Putting a job under an id that exists replaces it.
    """

    id: str
    topic: str
    due_at: Instant
    payload: dict[str, str] = {}
    attempts: int = 0
    last_error: str = ""
    is_dead: bool = False
    group: str = ""

    @property
    def group_name(self) -> str:
        """The group that it is in; version 0.1.0 had it in the payload."""
        return self.group or self.payload.get("order", "") or self.id


class KeptEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as it is kept until all subscribers have handled it, which is at least once."""

    topic: str
    payload: dict[str, str] = {}


_KEPT = json_codec(KeptEvent)


def _event_kept(event: DomainEvent) -> bytes:
    return _KEPT.encode(KeptEvent(topic_of(event), payload_of(event)))


def _event_read(raw: bytes | str) -> DomainEvent:
    kept = _KEPT.decode(raw)
    return event_of(kept.topic, kept.payload)


JOB = Kind("job", Job)
OUTBOX = Kind("outbox", Codec(_event_kept, _event_read, is_total=True))


class Decision(msgspec.Struct, Generic[R_co], frozen=True):
    """A reply, and everything that must become durable for it to be true."""

    reply: R_co
    writes: Sequence[Write] = ()
    jobs: Sequence[Job] = ()
    events: Sequence[DomainEvent] = ()

    def beside(self, other: "Decision[Any]") -> "Decision[R_co]":
        """This decision, with what another one makes durable before it."""
        return Decision(
            self.reply,
            (*other.writes, *self.writes),
            (*other.jobs, *self.jobs),
            (*other.events, *self.events),
        )


class View(Protocol):
    """The records a decision asked for. Asking for any other is a bug."""

    def get(self, key: Key[T]) -> T | None: ...

    def range(self, prefix: Prefix[T]) -> Mapping[str, T]:
        """The records under a prefix, by path."""
        ...


Reads: TypeAlias = Sequence[Key[Any] | Prefix[Any]]


class Store(Protocol):
    async def get(self, key: Key[T]) -> T | None:
        """What is durable under the key. Raises DamagedRecord, as does a decision that reads a damaged record."""
        ...

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        """At most `limit` durable records under the prefix, by path, from behind `after`.

        Damaged ones are passed over, for one must not keep all others from whoever takes them up; see `damaged`.
        """
        ...

    def damaged(self) -> Mapping[str, str]:
        """The records that were found damaged so far, by path, and what is wrong with them; at most 1,000."""
        ...

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        """The reply of `decide`, once everything it wrote is durable.

        `decide` may run more than once and must depend on nothing but the view; it never sees half of
        another decision. When it raises, nothing has changed. Raises StoreUnavailable when the engine
        fails or is full.
        """
        ...


class DamageNotes(dict[str, str]):
    """What an engine has found damaged, by path."""

    def note(self, damage: DamagedRecord) -> None:
        if damage.path not in self and len(self) < DAMAGED_MAX:
            self[damage.path] = damage.why
            log.error("record_damaged", path=damage.path, error=damage.why)


def put(key: Key[T], value: T) -> Write:
    return Write(key.kind, key.path, value)


def delete(key: Key[Any]) -> Write:
    return Write(key.kind, key.path, None)


def drop_job(job_id: str) -> Write:
    """The removal of a job: it is done, or no longer wanted."""
    return delete(JOB.key(job_id))


def writes_of(decision: Decision[Any], outbox_keys: Iterable[Key[DomainEvent]]) -> list[Write]:
    """All a decision makes durable, as writes: its own, its jobs' and its events', which get these keys in turn."""
    writes = list(decision.writes)
    writes.extend(put(JOB.key(job.id), job) for job in decision.jobs)
    writes.extend(map(put, outbox_keys, decision.events))
    return writes


def encoded_of(reads: Reads, writes: Sequence[Write]) -> dict[str, bytes | None]:
    """The records of a commit as they are kept, by path; None for one that is removed. The last write of a path counts.

    Raises ValueError when it is more than a store must take: a bug of who decided, found on every engine alike.
    """
    encoded = {write.path: None if write.value is None else write.kind.encode(write.value) for write in writes}
    copies = sum(write.kind.copies for write in writes)
    if len(reads) + copies > COMMIT_RECORDS_MAX:
        of_each = {read.path: 1 for read in reads if isinstance(read, Key)}
        of_each |= {write.path: write.kind.copies for write in writes}
        if (size := sum(of_each.values())) > COMMIT_RECORDS_MAX:
            raise ValueError(f"{size} records in one commit; at most {COMMIT_RECORDS_MAX}, those declared included")
    if sum(map(len, filter(None, encoded.values()))) > RECORD_BYTES_MAX:
        _check_bytes({path: kept_bytes(value) for path, value in encoded.items() if value is not None})
    return encoded


def _check_bytes(kept: Mapping[str, int]) -> None:
    largest = max(kept, key=kept.__getitem__)
    if kept[largest] > RECORD_BYTES_MAX:
        raise ValueError(f"{largest} is kept in {kept[largest]} bytes; a record has at most {RECORD_BYTES_MAX}")
    if (size := sum(kept.values())) > COMMIT_BYTES_MAX:
        raise ValueError(f"{size} bytes in one commit; at most {COMMIT_BYTES_MAX}")


def kept_bytes(encoded: bytes) -> int:
    """What a record takes, or at most takes, where records may only be small."""
    return len(encoded) if len(encoded) <= RECORD_BYTES_MAX else len(packed(encoded))


def packed(encoded: bytes) -> bytes:
    """A large record as it is kept where records may only be small: quickly, and what is very large as small as it goes
    (an event of 100,000 seats is 5.1 MB as text, 520 KB with zlib, and 95 KB with LZMA in 60 ms).
    """
    if len(encoded) > RECORD_BYTES_MAX:
        return lzma.compress(encoded, preset=LZMA_PRESET)
    return zlib.compress(encoded, 1)


def unpacked(kept: bytes) -> bytes:
    return lzma.decompress(kept) if kept.startswith(_XZ) else zlib.decompress(kept)


def in_commits(records: Sequence[T], beside: int = 0) -> Iterator[Sequence[T]]:
    """The records in pieces that one commit can take with so many others beside them, in their order; none for none."""
    size = COMMIT_RECORDS_MAX - beside
    for start in range(0, len(records), size):
        yield records[start : start + size]


async def remove(store: Store, keys: Sequence[Key[Any]]) -> None:
    """Remove these records, whatever they are by now, in as few commits as can take them."""

    def removing(some: Sequence[Key[Any]]) -> Callable[[View], Decision[None]]:
        return lambda _: Decision(None, [delete(key) for key in some])

    for some in in_commits(keys):
        await store.transact((), removing(some))


def numbered(first: int) -> Iterator[Key[DomainEvent]]:
    """The keys of events that one process numbers by itself."""
    return map(outbox_key, count(first))


def outbox_key(number: int) -> Key[DomainEvent]:
    return OUTBOX.key(f"{number:016d}")


def timed_outbox_key(now: Instant, mark: str, number: int) -> Key[DomainEvent]:
    """The key of an event where many processes commit: `mark` is the commit's own, `number` counts within it."""
    return OUTBOX.key(f"{now:014d}-{mark}-{number:03d}")


def outbox_time_key(at: Instant) -> Key[DomainEvent]:
    """Before the keys of all events that were committed at this time or later."""
    return OUTBOX.key(f"{max(0, at):014d}-")


def outbox_time(key: Key[DomainEvent]) -> Instant:
    """When an event with such a key was committed, by the clock of who did."""
    return int(key.parts[0].partition("-")[0])


def outbox_number(path: str) -> int:
    return int(path.rpartition(PATH_SEPARATOR)[2])


def parents(path: str) -> Iterable[str]:
    """The paths of all prefixes that hold this path."""
    end = path.find(PATH_SEPARATOR)
    while end >= 0:
        yield path[: end + 1]
        end = path.find(PATH_SEPARATOR, end + 1)


def parts_of(path: str) -> tuple[str, ...]:
    """What the key of a path was made of, without the name of its kind."""
    return tuple(part.replace("%2F", PATH_SEPARATOR).replace("%25", "%") for part in path.split(PATH_SEPARATOR)[1:])


def _escaped(part: str) -> str:
    """Parts come from outside; a separator in one must not make it another key."""
    if PATH_SEPARATOR in part or "%" in part:
        return part.replace("%", "%25").replace(PATH_SEPARATOR, "%2F")
    return part

"""One idempotency key, one effect, one answer.

The answer is remembered in the very decision that has the effect, so a crash leaves both or neither.
Whoever asks while the same call is being answered waits for that answer. A refusal is remembered only when it
is final (`Refusal.is_final`): one that time may change leaves the key free, and faults do. Under the same key
another request is refused with IDEMPOTENCY_CONFLICT. Keys belong to a caller and a method: two callers never
meet in one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

import msgspec

from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.ids import checked_idempotency_key
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Key, Kind, Reads, Store, View, Write, put

R = TypeVar("R")


class Keyed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a caller asks for under a key. A field that is added later has a default: who asked before it was there and
    asks again after an upgrade still asks for the same, for what has its default is left out of the digest.
    """


class IdempotencyRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An answer as it was first given."""

    request_digest: str
    expires_at: Instant
    reply: str = ""
    code: Code = Code.UNSPECIFIED
    message: str = ""
    details: tuple[Detail, ...] = ()
    trace_id: str = ""


IDEMPOTENCY_RECORD = Kind("once", IdempotencyRecord)


class Answers:
    """The one way to answer a call that has an idempotency key."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._under_way: dict[str, _UnderWay] = {}

    async def answer(
        self,
        scope: tuple[str, ...],
        idempotency_key: str,
        request: Keyed,
        reply: type[R],
        act: Callable[[IdempotentCall[R]], Awaitable[R]],
        *,
        window: Instant,
        trace_id: str,
    ) -> R:
        """The one answer to one request under one key: as it was given before, or what `act` gives.

        `scope` is caller and method; `request` is everything the caller asked for; `reply` the type of
        the answer, which is kept for `window` milliseconds. `act` does what was asked for and ends in the
        `commit` of what it is given, which is where an earlier answer is found: so whatever it does before that may
        be repeated. Any check of its own may see what the same key has done, so whatever it refuses is held against
        the key as well: an answer that is there is the answer.
        """
        checked_idempotency_key(idempotency_key)
        name = hashlib.sha256("\x00".join((*scope, idempotency_key)).encode()).hexdigest()
        digest = digest_of(request)
        while (other := self._under_way.get(name)) is not None:
            await other.is_over.wait()
            if other.digest == digest and other.outcome is not None:
                return cast(R, unwrapped(other.outcome))
        mine = self._under_way[name] = _UnderWay(digest)
        try:
            call = IdempotentCall(
                self._store, IDEMPOTENCY_RECORD.key(name), digest, reply, self._clock.now(), window, trace_id
            )
            mine.outcome = await call.outcome(act)
        finally:
            del self._under_way[name]
            mine.is_over.set()
        return cast(R, unwrapped(mine.outcome))


def digest_of(request: Keyed) -> str:
    """What two requests under one key differ by: SHA-256 of all that is not as it is by default, in hex."""
    return hashlib.sha256(msgspec.json.encode(request)).hexdigest()


class _UnderWay:
    """A call that is being answered. Its `outcome` stays None when it failed: then the next one tries."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        self.outcome: Any = None
        self.is_over = asyncio.Event()


class IdempotentCall(Generic[R]):
    """One call under its key, as `Answers.answer` hands it to what answers it."""

    def __init__(
        self,
        store: Store,
        key: Key[IdempotencyRecord],
        digest: str,
        reply: type[R],
        now: Instant,
        window: Instant,
        trace_id: str,
    ) -> None:
        self.digest = digest
        self._store = store
        self._key = key
        self._reply = reply
        self._now = now
        self._expires_at = now + window
        self._trace_id = trace_id
        self._committed: R | Refusal | None = None

    async def outcome(self, act: Callable[[IdempotentCall[R]], Awaitable[R]]) -> R | Refusal:
        """What was answered before; else what `act` answers, or its refusal."""
        try:
            reply = await act(self)
        except Refusal as refusal:
            if refusal is self._committed:
                return refusal
            return await self._store.transact((self._key,), self._decide(_refusing(refusal)))
        if self._committed is None:
            raise AssertionError("a call with an idempotency key ends in a commit under it")
        return reply

    async def commit(self, reads: Reads, rule: Callable[[View], Decision[R]]) -> R:
        """Decide on `reads` and the key, at most once under it. The reply may be an earlier one; so may the
        refusal that is raised.
        """
        answer = self._committed = await self._store.transact((self._key, *reads), self._decide(rule))
        return unwrapped(answer)

    def _decide(self, rule: Callable[[View], Decision[R]]) -> Callable[[View], Decision[R | Refusal]]:
        """The rule, unless there is an answer already. A refusal is a reply, so that it can be remembered."""

        def decide(view: View) -> Decision[R | Refusal]:
            record = view.get(self._key)
            if record is not None and (answer := self._answer(record)) is not None:
                return Decision(answer)
            try:
                decision = rule(view)
            except Refusal as refusal:
                refusal.trace_id = refusal.trace_id or self._trace_id
                return Decision(refusal, writes=(self._refused(refusal),) if refusal.is_final else ())
            reply = msgspec.json.encode(decision.reply).decode()
            record = IdempotencyRecord(self.digest, self._expires_at, reply)
            return msgspec.structs.replace(decision, writes=(*decision.writes, put(self._key, record)))

        decide.__qualname__ = getattr(rule, "__qualname__", decide.__qualname__)  # what a trace names it by
        return decide

    def _answer(self, record: IdempotencyRecord) -> R | Refusal | None:
        if self._now >= record.expires_at:
            return None
        if record.request_digest != self.digest:
            return Refusal(
                Code.IDEMPOTENCY_CONFLICT,
                "idempotency_key: was used for another request; use a new key for a new request",
            )
        if record.code:
            return Refusal(record.code, record.message, *record.details, trace_id=record.trace_id)
        return msgspec.json.decode(record.reply, type=self._reply)

    def _refused(self, refusal: Refusal) -> Write:
        record = IdempotencyRecord(
            self.digest,
            self._expires_at,
            code=refusal.code,
            message=refusal.message,
            details=refusal.details,
            trace_id=refusal.trace_id,
        )
        return put(self._key, record)


def _refusing(refusal: Refusal) -> Callable[[View], Decision[R]]:
    def rule(_: View) -> Decision[R]:
        raise refusal

    return rule


def unwrapped(answer: R | Refusal) -> R:
    """The reply, or the refusal raised."""
    if isinstance(answer, Refusal):
        raise answer
    return answer

"""One idempotency key, one effect, one answer.

The answer is remembered in the very decision that has the effect, so a crash leaves both or neither.
Final refusals are remembered as well; faults are not. Under the same key another request is refused
with IDEMPOTENCY_CONFLICT. Keys belong to a caller and a method: two callers never meet in one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

import msgspec

from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.ids import checked_idempotency_key
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Decision, Key, Kind, Reads, Store, View, put

R = TypeVar("R")


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer as it was first given."""

    request_digest: str
    expires_at: Instant
    reply: str = ""
    code: Code = Code.UNSPECIFIED
    message: str = ""
    details: tuple[Detail, ...] = ()
    trace_id: str = ""


REMEMBERED = Kind("once", Remembered)


class Once(Generic[R]):
    """The one answer to one request under one key.

    `scope` is caller and method; `request` a struct of everything the caller asked for; `reply` the
    type of the answer; the answer is kept for `window` milliseconds.
    """

    def __init__(
        self,
        scope: tuple[str, ...],
        idempotency_key: str,
        request: msgspec.Struct,
        reply: type[R],
        *,
        now: Instant,
        window: Instant,
        trace_id: str,
    ) -> None:
        checked_idempotency_key(idempotency_key)
        name = hashlib.sha256("\x00".join((*scope, idempotency_key)).encode()).hexdigest()
        self.key: Key[Remembered] = REMEMBERED.key(name)
        self.digest = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        self._reply = reply
        self._now = now
        self._expires_at = now + window
        self._trace_id = trace_id

    async def seen(self, store: Store) -> R | None:
        """The answer when it was already given, raised when it was a refusal; else None."""
        remembered = await store.get(self.key)
        return None if remembered is None else settled(self._answer(remembered))

    def decide(self, rule: Callable[[View], Decision[R]]) -> Callable[[View], Decision[R | Refusal]]:
        """The rule, run at most once under this key. A refusal is a reply, so that it can be remembered."""

        def decide(view: View) -> Decision[R | Refusal]:
            remembered = view.get(self.key)
            if remembered is not None and (answer := self._answer(remembered)) is not None:
                return Decision(answer)
            try:
                decision = rule(view)
            except Refusal as refusal:
                refusal.trace_id = refusal.trace_id or self._trace_id
                return Decision(refusal, writes=(put(self.key, self._refused(refusal)),))
            reply = msgspec.json.encode(decision.reply).decode()
            record = Remembered(self.digest, self._expires_at, reply)
            return replace(decision, writes=(*decision.writes, put(self.key, record)))

        return decide

    async def run(self, store: Store, reads: Reads, rule: Callable[[View], Decision[R]]) -> R:
        """Decide on `reads` and the key; a refusal is raised."""
        return settled(await store.transact((self.key, *reads), self.decide(rule)))

    def _answer(self, remembered: Remembered) -> R | Refusal | None:
        if self._now >= remembered.expires_at:
            return None
        if remembered.request_digest != self.digest:
            return Refusal(
                Code.IDEMPOTENCY_CONFLICT,
                "idempotency_key: was used for another request; use a new key for a new request",
            )
        if remembered.code:
            return Refusal(remembered.code, remembered.message, *remembered.details, trace_id=remembered.trace_id)
        return msgspec.json.decode(remembered.reply, type=self._reply)

    def _refused(self, refusal: Refusal) -> Remembered:
        return Remembered(
            self.digest,
            self._expires_at,
            code=refusal.code,
            message=refusal.message,
            details=refusal.details,
            trace_id=refusal.trace_id,
        )


def settled(answer: R | Refusal) -> R:
    """The reply, or the refusal raised."""
    if isinstance(answer, Refusal):
        raise answer
    return answer

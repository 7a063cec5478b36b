"""Webhooks in: verify first, then the id and its effect in one commit, then the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.ids import checked_foreign_id, checked_id, derived_id
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.limits import WEBHOOK_BYTES_MAX
from traffic_tacos.kernel.topics import EXPIRE_RESERVATION, SETTLE_PAYMENT_RESULT
from traffic_tacos.kernel.webhook_types import OF_PAYMENT
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.payment_results import Beside, PaymentResults
from traffic_tacos.ports.store import JOB, Decision, Job, Store, View, put
from traffic_tacos.rooms.webhook.clients import PaymentClient, ReservationClient, WorkerClient
from traffic_tacos.rooms.webhook.endpoints import Endpoints
from traffic_tacos.rooms.webhook.model import PaymentBody, PaymentNews, Receipt
from traffic_tacos.rooms.webhook.records import receipt_key

TIMESTAMP_LENGTH_MAX = 14
FINAL_TYPES = frozenset(one.name for one in OF_PAYMENT.values())


class Webhooks:
    """`source` signs with the secrets of `keyring`; every registered service of `endpoints` with its own."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        source: str,
        keyring: Keyring,
        endpoints: Endpoints,
        reservations: ReservationClient,
        payment_results: Callable[[], PaymentResults | None],
        worker: WorkerClient,
        payments: PaymentClient,
    ) -> None:
        self._payment_results = payment_results
        self._worker = worker
        self._reservations = reservations
        self._payments = payments
        self._store = store
        self._clock = clock
        self._source = source
        self._keyring = keyring
        self._endpoints = endpoints

    async def receive_http(self, source: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """A webhook as Standard Webhooks sends it."""
        if len(body) > WEBHOOK_BYTES_MAX:
            raise Refusal.of_field("body", f"must have at most {WEBHOOK_BYTES_MAX} bytes", len(body))
        webhook_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise Refusal.of_field("webhook-timestamp", "must be whole seconds since 1970", timestamp)
        self._verify(source, webhook_id, int(timestamp), body, headers.get("webhook-signature", ""))
        try:
            news = msgspec.json.decode(body, type=PaymentBody)
        except msgspec.ValidationError as error:
            raise Refusal.of_field("body", str(error)) from None
        except msgspec.DecodeError:
            raise Refusal.of_field("body", "must be JSON") from None
        data = news.data
        return await self._take(
            PaymentNews(source, webhook_id, data.payment_intent_id, data.reservation_id, news.type in FINAL_TYPES)
        )

    async def receive(self, news: PaymentNews, timestamp_seconds: int, signed: bytes, signature: str) -> Receipt:
        """A webhook in the gRPC form; `signed` is the deterministic serialisation of its data."""
        self._verify(news.source, news.webhook_id, timestamp_seconds, signed, signature)
        return await self._take(news)

    async def receive_expiry(self, source: str, webhook_id: str, reservation_id: str, call: Call) -> Receipt:
        """A scheduler says that a hold has ended. The reservation's own deadline decides; this makes us look.

        It is not signed, so a service speaks in its own name, or in one that is registered here. NOT_FOUND when
        there is no such reservation. However many webhooks speak of one, we look once.
        """
        checked_foreign_id("webhook_id", webhook_id)
        checked_id("reservation_id", reservation_id)
        if checked_id("source", source) != call.caller.name and not self._secrets_of(source):
            raise Refusal(Code.UNAUTHENTICATED, "source: is not registered here, and not the caller's name")
        known = await self._store.get(receipt_key(source, webhook_id))
        if known is not None:
            return known
        due_at = max(self._clock.now(), await self._reservations.hold_expires_at(reservation_id, call))
        name, payload = f"{EXPIRE_RESERVATION}:webhook:{reservation_id}", {"reservation_id": reservation_id}
        look = Job(name, EXPIRE_RESERVATION, due_at, payload, group=reservation_id)
        return await self._receive(self._receipt(source, webhook_id, look, "expire"))

    def validate(self, webhook_id: str, payload: bytes, signature: str) -> tuple[bool, str]:
        """Whether a webhook of ours is genuine, and if not, why.

        What was signed has a time in it that this call does not have (decision 0014): `t=SECONDS` in front of the
        signature says it; otherwise every second of the last and next five minutes is tried.
        """
        checked_foreign_id("webhook_id", webhook_id)
        if len(payload) > WEBHOOK_BYTES_MAX:
            raise Refusal.of_field("payload", f"must have at most {WEBHOOK_BYTES_MAX} bytes", len(payload))
        first, _, rest = signature.strip().partition(" ")
        now = self._clock.now()
        secrets = self._secrets_behind(webhook_id)
        try:
            if first.startswith("t="):
                seconds = first[2:]
                if not seconds.isascii() or not seconds.isdigit() or len(first) > TIMESTAMP_LENGTH_MAX:
                    return False, "timestamp: must be whole seconds since 1970, as in t=1767225600"
                signatures.verify(secrets, webhook_id, int(seconds), payload, rest, now)
                return True, ""
            given = signatures.given_in(signature)
        except Refusal as refusal:
            return False, refusal.message
        around = now // SECOND
        window = range(around - signatures.TOLERANCE_SECONDS, around + signatures.TOLERANCE_SECONDS + 1)
        if any(signatures.is_signed(secrets, webhook_id, second, payload, given) for second in window):
            return True, ""
        return False, "signature: is of another id or body, under another secret, or more than five minutes old"

    def _secrets_behind(self, webhook_id: str) -> tuple[str, ...]:
        """The secrets that a webhook of this id may be signed with: ids of endpoints begin with the endpoint's."""
        now = self._clock.now()
        for endpoint in self._endpoints.all():
            if webhook_id.startswith(f"{endpoint.id}-"):
                return endpoint.signing(now)
        return self._keyring.webhook

    def _secrets_of(self, source: str) -> tuple[str, ...]:
        now = self._clock.now()
        registered = (secret for one in self._endpoints.of_service(source) for secret in one.signing(now))
        return (*(self._keyring.webhook if source == self._source else ()), *registered)

    def _verify(self, source: str, webhook_id: str, timestamp_seconds: int, body: bytes, signature: str) -> None:
        checked_foreign_id("webhook_id", webhook_id)
        secrets = self._secrets_of(source)
        if not secrets:
            raise Refusal(Code.UNAUTHENTICATED, "source: is not registered here")
        signatures.verify(secrets, webhook_id, timestamp_seconds, body, signature, self._clock.now())

    async def _take(self, news: PaymentNews) -> Receipt:
        checked_id("payment_intent_id", news.payment_intent_id)
        checked_id("reservation_id", news.reservation_id)
        known = await self._store.get(receipt_key(news.source, news.webhook_id))
        if known is not None:
            return known
        if news.is_final:
            receipt = self._receipt(news.source, news.webhook_id, None, "settle")
            is_applied, committed = await self._applied(news, receipt)
            if is_applied:
                return committed or await self._receive(receipt)
        if not news.is_final or not await self._is_ours(news):
            return await self._receive(self._receipt(news.source, news.webhook_id, None, "none"))
        payload = {
            "payment_intent_id": news.payment_intent_id,
            "reservation_id": news.reservation_id,
        }
        name = f"{SETTLE_PAYMENT_RESULT}:{news.source}:{news.webhook_id}"
        look = Job(name, SETTLE_PAYMENT_RESULT, self._clock.now(), payload, group=news.reservation_id)
        return await self._receive(self._receipt(news.source, news.webhook_id, look, "settle"))

    async def _applied(self, news: PaymentNews, receipt: Beside[Receipt]) -> tuple[bool, Receipt | None]:
        """Have done at once what the payment's own status asks for, which may be done twice; and the receipt, when it
        was committed with that. When it does not come off, for whatever reason, a job does it that is committed with
        the receipt.
        """
        payment_results = self._payment_results()
        asked = news.reservation_id, news.payment_intent_id, _own_call()
        try:
            if payment_results is not None:
                return True, await payment_results.apply(*asked, receipt)
            return await self._worker.apply_payment_result(*asked), None
        except (Fault, Refusal):
            return False, None

    async def _is_ours(self, news: PaymentNews) -> bool:
        """Whether there is such a payment: news of any other is taken, and is no work. Refused when the payment is
        another reservation's. While nobody can say, it is looked at later.
        """
        try:
            reservation_id = await self._payments.reservation_of(news.payment_intent_id, _own_call())
        except Fault:
            return True
        except Refusal as refusal:
            if refusal.code is not Code.NOT_FOUND:
                raise
            return False
        if reservation_id != news.reservation_id:
            raise Refusal.of_field(
                "data.reservation_id", "must be the reservation that the payment is for", news.reservation_id
            )
        return True

    async def _receive(self, receipt: Beside[Receipt]) -> Receipt:
        return await self._store.transact(receipt.reads, receipt.rule)

    def _receipt(self, source: str, webhook_id: str, look: Job | None, next_action: str) -> Beside[Receipt]:
        """The receipt, in one commit with the work that the webhook asks for, unless that waits to be done already;
        the same receipt for a repeat.
        """
        key = receipt_key(source, webhook_id)
        receipt = Receipt(derived_id("whk", source, webhook_id), self._clock.now(), next_action)
        reads = (key,) if look is None else (key, JOB.key(look.id))

        def decide(view: View) -> Decision[Receipt]:
            known = view.get(key)
            if known is not None:
                return Decision(known)
            jobs = () if look is None or view.get(JOB.key(look.id)) is not None else (look,)
            return Decision(receipt, (put(key, receipt),), jobs)

        return Beside(reads, decide)


def _own_call() -> Call:
    return Call(Caller(Role.SERVICE, "webhook"), "webhook-received")

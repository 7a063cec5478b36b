"""Webhooks in: verify first, then the id and its effect in one commit, then the answer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id, derived_id
from traffic_tacos.kernel.topics import SETTLE_PAYMENT_RESULT
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Job, Store, View, put
from traffic_tacos.rooms.webhook.model import PaymentBody, PaymentNews, Receipt
from traffic_tacos.rooms.webhook.records import receipt_key

BODY_BYTES_MAX = 64 * 1024
FINAL_TYPES = frozenset(
    {"payment.approved", "payment.failed", "payment.cancelled", "payment.refunded", "payment.expired"}
)


class Webhooks:
    """`secrets` has the secret of each source that is believed."""

    def __init__(self, store: Store, clock: Clock, secrets: Mapping[str, str]) -> None:
        self._store = store
        self._clock = clock
        self._secrets = secrets

    async def receive_http(self, source: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """A webhook as Standard Webhooks sends it."""
        if len(body) > BODY_BYTES_MAX:
            raise Refusal.of_field("body", f"must have at most {BODY_BYTES_MAX} bytes", len(body))
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

    def _verify(self, source: str, webhook_id: str, timestamp_seconds: int, body: bytes, signature: str) -> None:
        checked_id("webhook_id", webhook_id)
        secret = self._secrets.get(source)
        if secret is None:
            raise Refusal(Code.UNAUTHENTICATED, "source: is not registered here")
        signatures.verify(secret, webhook_id, timestamp_seconds, body, signature, self._clock.now())

    async def _take(self, news: PaymentNews) -> Receipt:
        checked_id("payment_intent_id", news.payment_intent_id)
        checked_id("reservation_id", news.reservation_id)
        now = self._clock.now()
        key = receipt_key(news.source, news.webhook_id)
        job = Job(
            f"{SETTLE_PAYMENT_RESULT}:{news.source}:{news.webhook_id}",
            SETTLE_PAYMENT_RESULT,
            now,
            {
                "payment_intent_id": news.payment_intent_id,
                "reservation_id": news.reservation_id,
                "order": news.reservation_id,
            },
        )
        receipt = Receipt(derived_id("whk", news.source, news.webhook_id), now, "settle" if news.is_final else "none")

        def decide(view: View) -> Decision[Receipt]:
            known = view.get(key)
            if known is not None:
                return Decision(known)
            return Decision(receipt, (put(key, receipt),), (job,) if news.is_final else ())

        return await self._store.transact((key,), decide)

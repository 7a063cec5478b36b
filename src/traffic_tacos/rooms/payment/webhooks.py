"""Webhooks out: what became of a payment, told to the address its intent names.

Signed as Standard Webhooks asks: the id stays over all attempts, the timestamp is fresh for each.
A job sends each one, so none is lost, and none before the payment's own commit.
"""

from datetime import UTC, datetime

import msgspec

from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.store import Job, Store
from traffic_tacos.rooms.payment.model import Status
from traffic_tacos.rooms.payment.records import PAYMENT

TYPES = {
    Status.COMPLETED: "payment.approved",
    Status.FAILED: "payment.failed",
    Status.CANCELLED: "payment.cancelled",
    Status.REFUNDED: "payment.refunded",
    Status.EXPIRED: "payment.expired",
}


class NotDelivered(Fault):
    """The other side did not take the webhook."""


class WebhookSender:
    def __init__(self, store: Store, clock: Clock, secret: str, post: HttpPost) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret
        self._post = post

    async def send(self, job: Job) -> None:
        """One attempt; raises NotDelivered so that the job is tried again."""
        payment = await self._store.get(PAYMENT.key(job.payload["payment_intent_id"]))
        if payment is None:
            return
        status = Status[job.payload["status"]]
        body = msgspec.json.encode(
            {
                "type": TYPES[status],
                "timestamp": datetime.fromtimestamp(payment.updated_at / SECOND, UTC).isoformat(),
                "data": {
                    "payment_intent_id": payment.id,
                    "reservation_id": payment.reservation_id,
                    "transaction_id": payment.transaction_id,
                    "status": status.name,
                    "amount": payment.amount,
                    "failure_reason": payment.failure_reason,
                },
            }
        )
        now_seconds = self._clock.now() // SECOND
        headers = {
            "content-type": "application/json",
            "webhook-id": job.id.replace(":", "_"),
            "webhook-timestamp": str(now_seconds),
            "webhook-signature": signatures.sign(self._secret, job.id.replace(":", "_"), now_seconds, body),
        }
        answer = await self._post(payment.webhook_url, headers, body)
        if not 200 <= answer < 300:
            raise NotDelivered(f"{payment.webhook_url} answered {answer}")

"""Webhooks out: what became of a payment, told to the address its intent names.

Signed as Standard Webhooks asks: the id stays over all attempts, the timestamp is fresh for each.
A job sends each one, so none is lost, and none before the payment's own commit.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import HOUR, SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.jobs import GiveUp, Retries, TryAgainAt
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


# Over a day, even if every pause came out shortest: the doubling ones make 4.5 hours, seven of the longest 21.
RETRIES = Retries(attempts_max=22, pause_max=3 * HOUR)
GONE = 410
SECONDS_DIGITS_MAX = 9


class NotDelivered(Fault):
    """The other side did not take the webhook."""


class WebhookSender:
    def __init__(self, store: Store, clock: Clock, secret: str, post: HttpPost) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret
        self._post = post

    async def send(self, job: Job) -> None:
        """One attempt; a fault when it was not taken, so that the job is tried again: when the other side asks
        for it, else with growing pauses for over a day. 410 says that nobody wants it any more.
        """
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
        if 200 <= answer.status < 300:
            return
        said = f"{payment.webhook_url} answered {answer.status}"
        if answer.status == GONE:
            raise GiveUp(said)
        if (again_at := _retry_at(answer.retry_after, self._clock.now())) is not None:
            raise TryAgainAt(said, again_at)
        raise NotDelivered(said)


def _retry_at(header: str, now: Instant) -> Instant | None:
    """When Retry-After asks to come back (RFC 9110, 10.2.3): in so many seconds, or at a date."""
    if header.isascii() and header.isdigit():
        return now + int(header[:SECONDS_DIGITS_MAX]) * SECOND
    try:
        return round(parsedate_to_datetime(header).timestamp() * SECOND)
    except ValueError:
        return None

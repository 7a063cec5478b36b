"""What became of a payment, as the webhook that reports it to the address its intent names."""

from enum import IntEnum

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.kernel.webhook_types import OF_PAYMENT
from traffic_tacos.ports.store import Job
from traffic_tacos.ports.webhooks import AGAIN, Defect, webhook_body, webhook_job
from traffic_tacos.rooms.payment.model import Payment


class Wrong(IntEnum):
    """`tacos.simulation.v1.Wrong`, number for number."""

    SIGNATURE = 1
    OLD_TIMESTAMP = 2
    TWICE = 3


# What the sender of a webhook is to do wrong.
DEFECTS = {Wrong.SIGNATURE: Defect.WRONG_SIGNATURE, Wrong.OLD_TIMESTAMP: Defect.OLD_TIMESTAMP}


def webhook_of(payment: Payment, now: Instant) -> Job:
    """The job that reports how a payment stands. The same standing is the same message."""
    return reporting(payment, payment.status, f"{payment.id}:{payment.status.name}:{payment.refunded}", now)


def reporting(payment: Payment, status: PaymentStatus, name: str, now: Instant) -> Job:
    """The job that says of a payment that it has this status, true or not, as the message of this name."""
    data = {
        "payment_intent_id": payment.id,
        "reservation_id": payment.reservation_id,
        "transaction_id": payment.transaction_id,
        "status": status.name,
        "amount": payment.amount,
        "refunded": payment.refunded,
        "failure_reason": payment.failure_reason,
    }
    # A part that went back leaves the payment COMPLETED; to its receiver that is a refund all the same.
    reported = PaymentStatus.REFUNDED if status is PaymentStatus.COMPLETED and payment.refunded else status
    body = webhook_body(OF_PAYMENT[reported].name, data, payment.updated_at)
    return webhook_job(name, payment.webhook_url, body, now)


def wrong_webhooks(
    payment: Payment, status: PaymentStatus, name: str, at: Instant, wrong: Wrong | None
) -> tuple[Job, ...]:
    """The jobs that report something untrue of a payment, or in a wrong way."""
    job = reporting(payment, status, name, at)
    if wrong is Wrong.TWICE:
        again = msgspec.structs.replace(job, id=f"{job.id}{AGAIN}")
        return job, again
    if wrong is not None:
        job = msgspec.structs.replace(job, payload={**job.payload, "defect": DEFECTS[wrong].value})
    return (job,)

"""Everything that a webhook can report, in one table: its name, when it is true, and its numbers in the contract."""

import msgspec

from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus


class WebhookType(msgspec.Struct, frozen=True):
    """`status` is what it reports of a payment or a reservation. `subscribed_as` is its number in
    `gateway.v1.WebhookEventType`, `received_as` in `gateway.v1.PaymentWebhookType`; 0 where it has none there.
    """

    name: str
    status: PaymentStatus | ReservationStatus | None = None
    subscribed_as: int = 0
    received_as: int = 0


MAINTENANCE = WebhookType("system.maintenance", subscribed_as=5)
WEBHOOK_TYPES = (
    WebhookType("payment.approved", PaymentStatus.COMPLETED, subscribed_as=1, received_as=1),
    WebhookType("payment.failed", PaymentStatus.FAILED, subscribed_as=2, received_as=2),
    WebhookType("payment.cancelled", PaymentStatus.CANCELLED, subscribed_as=3, received_as=3),
    WebhookType("payment.refunded", PaymentStatus.REFUNDED, received_as=4),
    WebhookType("payment.expired", PaymentStatus.EXPIRED),
    WebhookType("reservation.expired", ReservationStatus.EXPIRED, subscribed_as=4),
    MAINTENANCE,
)
OF_PAYMENT = {one.status: one for one in WEBHOOK_TYPES if isinstance(one.status, PaymentStatus)}
OF_RESERVATION = {one.status: one for one in WEBHOOK_TYPES if isinstance(one.status, ReservationStatus)}

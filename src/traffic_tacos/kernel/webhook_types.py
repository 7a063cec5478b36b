"""Everything that a webhook can tell, in one table: its name, when it is true, and its numbers in the contract."""

from enum import Enum

import msgspec


class About(Enum):
    PAYMENT = "payment"
    RESERVATION = "reservation"
    PLATFORM = "platform"


class WebhookType(msgspec.Struct, frozen=True):
    """`status` is the name of the status that it tells of a payment or a reservation. `subscribed_as` is its number in
    `gateway.v1.WebhookEventType`, `received_as` in `gateway.v1.PaymentWebhookType`; 0 where it has none there.
    """

    name: str
    about: About
    status: str = ""
    subscribed_as: int = 0
    received_as: int = 0


MAINTENANCE = WebhookType("system.maintenance", About.PLATFORM, subscribed_as=5)
WEBHOOK_TYPES = (
    WebhookType("payment.approved", About.PAYMENT, "COMPLETED", subscribed_as=1, received_as=1),
    WebhookType("payment.failed", About.PAYMENT, "FAILED", subscribed_as=2, received_as=2),
    WebhookType("payment.cancelled", About.PAYMENT, "CANCELLED", subscribed_as=3, received_as=3),
    WebhookType("payment.refunded", About.PAYMENT, "REFUNDED", received_as=4),
    WebhookType("payment.expired", About.PAYMENT, "EXPIRED"),
    WebhookType("reservation.expired", About.RESERVATION, "EXPIRED", subscribed_as=4),
    MAINTENANCE,
)


def of_status(about: About) -> dict[str, WebhookType]:
    """The types about one kind of thing, by the name of the status that they tell."""
    return {one.status: one for one in WEBHOOK_TYPES if one.about is about}

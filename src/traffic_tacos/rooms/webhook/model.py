"""What a webhook says, whichever door it came through."""

import msgspec

from traffic_tacos.kernel.instants import Instant


class PaymentNews(msgspec.Struct, frozen=True):
    """A provider's word on a payment. What the payment itself says decides; this only makes us look."""

    source: str
    webhook_id: str
    payment_intent_id: str
    reservation_id: str
    is_final: bool


class Receipt(msgspec.Struct, frozen=True):
    """The answer to a webhook, the same for every repeat."""

    correlation_id: str
    processed_at: Instant
    next_action: str


class PaymentBody(msgspec.Struct, frozen=True):
    """The part of a Standard Webhooks body that is read; the rest may grow."""

    class Data(msgspec.Struct, frozen=True):
        payment_intent_id: str
        reservation_id: str

    type: str
    data: Data

"""Payment records, the two orders in which they are listed, and the news of a step."""

from traffic_tacos.kernel.domain_events import PaymentChanged
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.ports.paging import listed
from traffic_tacos.ports.store import Kind, Prefix, Write
from traffic_tacos.rooms.payment.model import Payment

PAYMENT = Kind("payment", Payment)
BY_RESERVATION = Kind("payment_by_reservation", str)
BY_USER = Kind("payment_by_user", str)


def index_writes(payment: Payment) -> tuple[Write, Write]:
    """Listed by reservation and by user, oldest first."""
    return (
        listed(BY_RESERVATION, payment.reservation_id, payment.created_at, payment.id),
        listed(BY_USER, payment.user_id, payment.created_at, payment.id),
    )


def listing(user_id: str, reservation_id: str) -> Prefix[str]:
    return BY_RESERVATION.prefix(reservation_id) if reservation_id else BY_USER.prefix(user_id)


def changed(after: Payment, before: PaymentStatus | None) -> PaymentChanged:
    """A step of a payment, as it is published."""
    return PaymentChanged(after.id, after.reservation_id, after.user_id, before, after.status, after.updated_at)

"""Payment records, and the two orders in which they are listed."""

from traffic_tacos.ports.store import Kind, Prefix, Write, put
from traffic_tacos.rooms.payment.model import Payment

PAYMENT = Kind("payment", Payment)
BY_RESERVATION = Kind("payment_by_reservation", str)
BY_USER = Kind("payment_by_user", str)


def index_writes(payment: Payment) -> tuple[Write, Write]:
    """Listed by reservation and by user, oldest first."""
    order = f"{payment.created_at:014d}"
    return (
        put(BY_RESERVATION.key(payment.reservation_id, order, payment.id), payment.id),
        put(BY_USER.key(payment.user_id, order, payment.id), payment.id),
    )


def listing(user_id: str, reservation_id: str) -> Prefix[str]:
    return BY_RESERVATION.prefix(reservation_id) if reservation_id else BY_USER.prefix(user_id)

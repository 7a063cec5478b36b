"""How reservations and payments stand. Their own rooms say which step leads where; others only read them."""

from enum import IntEnum
from typing import TypeAlias


class ReservationStatus(IntEnum):
    """`reservation.v1.ReservationStatus`, number for number; what is not listed is not used."""

    PENDING = 1
    CONFIRMED = 3
    CANCELLED = 4
    EXPIRED = 5
    REFUNDED = 7


class PaymentStatus(IntEnum):
    """`payment.v1.PaymentStatus`, number for number."""

    PENDING = 1
    PROCESSING = 2
    COMPLETED = 3
    FAILED = 4
    CANCELLED = 5
    REFUNDED = 6
    EXPIRED = 7


AnyStatus: TypeAlias = ReservationStatus | PaymentStatus

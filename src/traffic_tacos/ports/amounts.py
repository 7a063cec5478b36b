"""What a reservation costs, as whoever makes a payment for it decides on it: in the very commit that makes the payment.

Where reservations are in the same process, and so in the same store, the commit of a payment declares the reservation
that it is for: no payment is ever made for one that has ended. Where they are elsewhere, they are asked before.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.ports.store import Reads, View


class AmountDue(NamedTuple):
    """What is to be paid for a reservation, and the records that this is decided on."""

    reads: Reads
    rule: Callable[[View], Money]  # refuses by raising


class AmountsDue(Protocol):
    async def of(self, reservation_id: str, user_id: str, call: Call) -> AmountDue:
        """What this user's reservation costs. It, or its rule, refuses: NOT_FOUND for what is not theirs, and see
        `check_payable`.
        """
        ...


def check_payable(status: int) -> None:
    """Refuses a status, as it goes over the wire: RESERVATION_EXPIRED once the hold has ended, FAILED_PRECONDITION when
    nothing waits to be paid.
    """
    if status == ReservationStatus.EXPIRED:
        raise Refusal(Code.RESERVATION_EXPIRED, "reservation_id: the hold has ended")
    if status != ReservationStatus.PENDING:
        raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: is not waiting for a payment")

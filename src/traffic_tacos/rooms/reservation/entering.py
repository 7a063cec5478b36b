"""Entering with a ticket: at most once with each, and never with one that was given back. Pure.

bought --check in--> entered --undo--> bought         bought --given back--> nobody enters
"""

import msgspec

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.rooms.reservation.model import Entry, Reservation


def require_bought(reservation: Reservation) -> None:
    """Refuse what has no tickets: not bought yet, or no longer."""
    if reservation.status is ReservationStatus.REFUNDED:
        raise Refusal(Code.FAILED_PRECONDITION, "ticket: was given back", is_final=True)
    if reservation.status is not ReservationStatus.CONFIRMED:
        raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: is not bought")


def entry_of(reservation: Reservation, seat_id: str) -> Entry | None:
    """Who has entered with the ticket of a seat."""
    return next((entry for entry in reservation.entries if entry.seat_id == seat_id), None)


def entered(reservation: Reservation, entry: Entry) -> Reservation:
    """Somebody enters with the ticket of `entry.seat_id`; unchanged when somebody has before."""
    require_bought(reservation)
    if all(seat.id != entry.seat_id for seat in reservation.seats):
        raise Refusal(Code.FAILED_PRECONDITION, "ticket: is for a seat that its order does not have")
    if entry_of(reservation, entry.seat_id) is not None:
        return reservation
    return msgspec.structs.replace(reservation, entries=(*reservation.entries, entry))


def undone(reservation: Reservation, seat_id: str) -> Reservation:
    """Nobody has entered with the ticket of this seat."""
    return msgspec.structs.replace(
        reservation, entries=tuple(entry for entry in reservation.entries if entry.seat_id != seat_id)
    )

"""What a step of work led to."""

from enum import IntEnum

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.seats import Seat


class Processing(IntEnum):
    """`reservation.v1.ProcessingStatus`, number for number."""

    SUCCESS = 1
    FAILED = 2
    RETRY = 3
    SKIPPED = 4
    DLQ = 5


NEXT_ACTION = {
    Processing.SUCCESS: "completed",
    Processing.FAILED: "failed",
    Processing.RETRY: "retry",
    Processing.SKIPPED: "completed",
    Processing.DLQ: "dlq",
}


class Compensation(IntEnum):
    """`reservation.v1.CompensationType`, number for number."""

    RELEASE_SEATS = 1
    REFUND_PAYMENT = 2
    CANCEL_RESERVATION = 3
    CLEANUP_ORPHANED = 4


class ActionType(IntEnum):
    """`reservation.v1.CompensationActionType`, number for number; what is not listed is not used."""

    INVENTORY_RELEASE = 1
    PAYMENT_REFUND = 2
    RESERVATION_CANCEL = 3
    MANUAL_REVIEW = 5


class Action(msgspec.Struct, frozen=True):
    """One thing that a compensation did, or could not do: then it is for a person to look at."""

    type: ActionType
    room: str
    what: str
    success: bool
    at: Instant


class ReservationView(msgspec.Struct, frozen=True):
    """What the worker must know of a reservation."""

    id: str
    event_id: str
    user_id: str
    is_open: bool
    is_bought: bool
    is_given_back: bool
    payment_intent_id: str
    order_id: str


class PaymentView(msgspec.Struct, frozen=True):
    """What the worker must know of a payment."""

    id: str
    is_completed: bool
    is_under_way: bool


class Done(msgspec.Struct, frozen=True):
    status: Processing
    seats: tuple[Seat, ...] = ()
    order_id: str = ""


# How often a caller may try again before what it asks for belongs among the dead letters.
RETRIES_MAX = 10


def to_try_again(retry_count: int) -> Processing:
    return Processing.RETRY if retry_count < RETRIES_MAX else Processing.DLQ


def outcome(actions: list[Action]) -> Processing:
    """What a compensation led to, as a whole."""
    if not actions:
        return Processing.SKIPPED
    return Processing.SUCCESS if all(action.success for action in actions) else Processing.FAILED

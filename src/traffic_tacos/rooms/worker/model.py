"""What a step of work led to."""

from enum import IntEnum

import msgspec

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


class Done(msgspec.Struct, frozen=True):
    status: Processing
    seats: tuple[Seat, ...] = ()
    order_id: str = ""

"""The three kinds of failure, which are never mixed.

A *refusal* is an answer of the application: typed, part of the contract, tested.
A *fault* is the outside failing us: retried with a bound, then UNAVAILABLE.
Everything else that is raised is a *bug*: it fails its request loudly and is INTERNAL to the caller.
"""

from enum import IntEnum, StrEnum
from typing import Self

import msgspec


class Code(IntEnum):
    """`common.v1.ErrorCode`, number for number."""

    UNSPECIFIED = 0
    UNAUTHENTICATED = 1
    FORBIDDEN = 2
    UNAUTHORIZED = 3
    INVALID_ARGUMENT = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    FAILED_PRECONDITION = 7
    RATE_LIMITED = 8
    QUOTA_EXCEEDED = 9
    IDEMPOTENCY_REQUIRED = 10
    IDEMPOTENCY_CONFLICT = 11
    RESERVATION_EXPIRED = 12
    PAYMENT_NOT_APPROVED = 13
    INVENTORY_CONFLICT = 14
    INSUFFICIENT_INVENTORY = 15
    INTERNAL = 16
    UNAVAILABLE = 17
    TIMEOUT = 18
    UPSTREAM_TIMEOUT = 19
    UPSTREAM_ERROR = 20
    DATA_CORRUPTION = 21
    CONCURRENT_MODIFICATION = 22


class Precondition(StrEnum):
    """What was not so: the `reason` in the details of FAILED_PRECONDITION, where programs go on differently."""

    TURN_USED = "TURN_USED"
    RESERVATION_OPEN = "RESERVATION_OPEN"
    PLACE_ENDED = "PLACE_ENDED"
    NOT_YOUR_TURN = "NOT_YOUR_TURN"
    QUEUE_CLOSED = "QUEUE_CLOSED"
    SOLD_OUT = "SOLD_OUT"
    SALE_NOT_STARTED = "SALE_NOT_STARTED"
    SALE_ENDED = "SALE_ENDED"
    RESERVATIONS_STOPPED = "RESERVATIONS_STOPPED"
    NO_EXTENSION = "NO_EXTENSION"
    PAYMENT_ARRIVED = "PAYMENT_ARRIVED"


class Detail(msgspec.Struct, frozen=True, gc=False):
    """One fact of a refusal: which field, what would be right, what was given."""

    field: str
    reason: str
    value: str = ""


class Refusal(Exception):
    """An answer of the application that is not the one hoped for.

    Raising one means that nothing has changed. Its texts and its details are cut to their bounds: what a caller
    sends is never sent back at length. `trace_id` is filled in where the call ends, or
    earlier when the refusal is remembered under an idempotency key. Only a refusal that `is_final` is remembered:
    one that neither time nor anybody's deed can turn into another answer to the same request. Any other leaves
    its key free, for the same request may succeed later.
    """

    def __init__(self, code: Code, message: str, *details: Detail, trace_id: str = "", is_final: bool = False) -> None:
        self.code = code
        self.message = shortened(message, MESSAGE_LENGTH_MAX)
        self.details = tuple(_shortened(detail) for detail in details[:DETAILS_MAX])
        super().__init__(self.message)
        self.trace_id = trace_id
        self.is_final = is_final

    @classmethod
    def of_field(cls, field: str, reason: str, value: object = "") -> Self:
        """INVALID_ARGUMENT for one field; `reason` says what would be right."""
        field = shortened(field, FIELD_SHOWN_MAX)
        return cls(Code.INVALID_ARGUMENT, f"{field}: {reason}", Detail(field, reason, str(value)))

    @classmethod
    def of_precondition(
        cls, field: str, says: str, precondition: Precondition, value: str = "", *, is_final: bool = False
    ) -> Self:
        """FAILED_PRECONDITION for one field: a sentence for people, and for programs which precondition it was."""
        detail = Detail(field, precondition.value, value)
        return cls(Code.FAILED_PRECONDITION, f"{field}: {says}", detail, is_final=is_final)

    @classmethod
    def rate_limited(cls, seconds: float, why: str = "") -> Self:
        """RATE_LIMITED, with the time after which asking again makes sense."""
        wait = f"{seconds:.3f}".rstrip("0").rstrip(".")
        message = f"{why + '; ' if why else ''}try again in {wait} seconds"
        return cls(Code.RATE_LIMITED, message, Detail(RETRY_AFTER, "wait", wait))

    @property
    def retry_after_seconds(self) -> float | None:
        """When asking again makes sense, if that is known."""
        return next((float(detail.value) for detail in self.details if detail.field == RETRY_AFTER), None)


class Fault(Exception):
    """The outside failed; the caller may try again. What was asked may or may not have happened."""

    code = Code.UNAVAILABLE


class Damaged(Fault):
    """What is stored of one thing cannot be read. Trying again does not help, and everything else goes on."""

    code = Code.DATA_CORRUPTION


VALUE_SHOWN_MAX = 80
FIELD_SHOWN_MAX = 120
REASON_SHOWN_MAX = 1000
MESSAGE_LENGTH_MAX = 4000
DETAILS_MAX = 100


def shortened(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else text[:length_max] + "…"


def _shortened(detail: Detail) -> Detail:
    return Detail(
        shortened(detail.field, FIELD_SHOWN_MAX),
        shortened(detail.reason, REASON_SHOWN_MAX),
        shortened(detail.value, VALUE_SHOWN_MAX),
    )


RETRY_AFTER = "retry_after_seconds"

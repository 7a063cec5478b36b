"""What every rpc.py and clients.py needs to cross the wire: times, money, seats, and errors both ways.

The only place where a refusal becomes a `common.v1.Error`, and an Error a refusal again.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from math import ceil
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, unquote

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from traffic_tacos.gen.common.v1 import errors_pb2, types_pb2
from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.event_info import Address, EventInfo, Venue
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.ports.paging import Asked, Page

M = TypeVar("M", bound=Message)

MOMENTS_REMEMBERED = 256
AMOUNTS_REMEMBERED = 1000
SEATS_REMEMBERED = 20_000
TRACE_HEADER = "x-trace-id"
ERROR_CODE_TRAILER = "x-error-code"
PASSED_ON_BY = "x-passed-on-by"  # the token of the process that passes a call on
WAITING_TOKEN_HEADER = "x-waiting-token"  # noqa: S105 - a name
_PLAIN = " !\"#$&'()*+,-./:;<=>?@[]^_`{|}~"
QUEUE_STATE, QUEUE_MESSAGE = "x-queue-state", "x-queue-message"  # beside what is said of a place in a queue
STATUS_TRAILER = "grpc-status-details-bin"
ERROR_MODE, IN_RESPONSE, AS_STATUS = "x-error-mode", "response", "status"
# Clients take 8 kB of trailers unless told otherwise, and binary ones travel as base64.
STATUS_BYTES_MAX, STATUS_MESSAGE_LENGTH_MAX = 4096, 1000

_YEAR_10000_SECONDS = 253_402_300_800
_STATUS_CODES = {
    Code.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Code.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.UNAUTHORIZED: grpc.StatusCode.PERMISSION_DENIED,
    Code.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Code.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Code.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Code.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.QUOTA_EXCEEDED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
    Code.DATA_CORRUPTION: grpc.StatusCode.DATA_LOSS,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}


def timestamp(instant: Instant | None) -> Timestamp | None:
    """The instant on the wire; None stays unset. To be put into a message, which copies it: never changed."""
    return None if instant is None else moment(instant)


@lru_cache(maxsize=MOMENTS_REMEMBERED)
def moment(instant: Instant) -> Timestamp:
    """The instant on the wire, remembered: many calls of one millisecond tell the same time."""
    seconds, millis = divmod(instant, 1000)
    return Timestamp(seconds=seconds, nanos=millis * 1_000_000)


def instant(message: Message, field: str) -> Instant | None:
    """The instant in a message's field, None when unset; refuses times before 1970 and after 9999."""
    if not message.HasField(field):
        return None
    value: Timestamp = getattr(message, field)
    if not 0 <= value.seconds < _YEAR_10000_SECONDS or not 0 <= value.nanos < 10**9:
        raise Refusal.of_field(field, "must be between 1970 and 9999", value.seconds)
    return value.seconds * 1000 + value.nanos // 1_000_000


@lru_cache(maxsize=AMOUNTS_REMEMBERED)
def money(value: Money | None) -> types_pb2.Money | None:
    """The amount on the wire; None stays unset. To be put into a message, which copies it: never changed."""
    return None if value is None else types_pb2.Money(amount=value.amount, currency=value.currency)


def plain_money(value: types_pb2.Money) -> Money:
    return Money(value.amount, value.currency)


@lru_cache(maxsize=SEATS_REMEMBERED)
def seat(value: Seat) -> types_pb2.Seat:
    """The seat on the wire, remembered: whoever buys it asks for it several times, and so does every list. To be put
    into a message, which copies it: never changed.
    """
    # Setting fields costs half of what giving them to the constructor does.
    message = types_pb2.Seat()
    message.id, message.section, message.row, message.number = value.id, value.section, value.row, value.number
    message.price.amount, message.price.currency = value.price.amount, value.price.currency
    message.status = value.status.value  # type: ignore[assignment]  # same numbers, see kernel.seats
    return message


def seats(values: Iterable[Seat]) -> list[types_pb2.Seat]:
    return [seat(value) for value in values]


def plain_seats(values: Iterable[types_pb2.Seat]) -> tuple[Seat, ...]:
    return tuple(
        Seat(
            id=value.id,
            section=value.section,
            row=value.row,
            number=value.number,
            price=plain_money(value.price),
            status=SeatStatus(value.status),
        )
        for value in values
    )


def event(info: EventInfo, total_seats: int, remaining_seats: int = 0) -> types_pb2.Event:
    venue, address = info.venue, info.venue.address
    return types_pb2.Event(
        id=info.id,
        name=info.name,
        description=info.description,
        venue=types_pb2.Venue(
            id=venue.id,
            name=venue.name,
            address=types_pb2.Address(
                street=address.street,
                city=address.city,
                state=address.state,
                postal_code=address.postal_code,
                country=address.country,
            ),
            total_capacity=total_seats,
        ),
        start_time=timestamp(info.start_time),
        end_time=timestamp(info.end_time),
        sale_start_time=timestamp(info.sale_start_time),
        sale_end_time=timestamp(info.sale_end_time),
        total_seats=total_seats,
        remaining_seats=remaining_seats,
    )


def plain_event(message: types_pb2.Event) -> EventInfo:
    address = message.venue.address
    return EventInfo(
        id=message.id,
        name=message.name,
        description=message.description,
        venue=Venue(
            message.venue.id,
            message.venue.name,
            Address(address.street, address.city, address.state, address.postal_code, address.country),
        ),
        start_time=instant(message, "start_time"),
        end_time=instant(message, "end_time"),
        sale_start_time=instant(message, "sale_start_time"),
        sale_end_time=instant(message, "sale_end_time"),
    )


def asked_page(message: types_pb2.Pagination) -> Asked:
    return Asked(message.page, message.page_size, message.cursor)


def page_info(page: Page[Any]) -> types_pb2.PageInfo:
    return types_pb2.PageInfo(
        total_count=page.total,
        has_next_page=bool(page.next_cursor),
        has_previous_page=bool(page.previous_cursor),
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


def passed_on(message: Message, kind: type[M], **own: Any) -> M:
    """The message as one of another type that has the same fields; `own` are those that are not taken over.

    It is read from the bytes of the other, which takes a sixth of the time of naming each field. TypeError when a field
    besides `own` is another there.
    """
    if differing := _differing(message.DESCRIPTOR, kind.DESCRIPTOR):
        if others := differing - own.keys():
            raise TypeError(f"{kind.DESCRIPTOR.full_name} has another {sorted(others)[0]}")
        same = type(message)()
        same.CopyFrom(message)
        for name in differing:
            same.ClearField(name)
        message = same
    passed = kind.FromString(message.SerializeToString())
    for name, value in own.items():
        if isinstance(value, Message):
            getattr(passed, name).CopyFrom(value)
        else:
            setattr(passed, name, value)
    return passed


@cache
def _differing(one: Descriptor, other: Descriptor) -> frozenset[str]:
    """The names of the fields of a message that another type of messages does not have."""
    return frozenset(name for name, _ in _shape(one) - _shape(other))


def _shape(descriptor: Descriptor) -> set[tuple[str, tuple[object, ...]]]:
    return {
        (
            field.name,
            (field.number, field.type, field.is_repeated, field.message_type and field.message_type.full_name),
        )
        for field in descriptor.fields
    }


def error(refusal: Refusal, trace_id: str) -> errors_pb2.Error:
    """The refusal in the contract's words."""
    return errors_pb2.Error(
        code=refusal.code.value,  # type: ignore[arg-type]  # same numbers, see kernel.errors
        message=refusal.message,
        trace_id=refusal.trace_id or trace_id,
        details=[
            errors_pb2.ErrorDetail(field=detail.field, reason=detail.reason, value=detail.value)
            for detail in refusal.details
        ],
    )


def asks_for_status(headers: Iterable[tuple[str, str | bytes]]) -> bool:
    """Whether the caller wants refusals as gRPC statuses, rather than in the response's `error`.

    The metadata key `x-error-mode` says so: `status` or `response`. INVALID_ARGUMENT for anything else.
    """
    said = [value for name, value in headers if name == ERROR_MODE]
    if not said:  # nearly always
        return False
    modes = set(said)
    if modes == {IN_RESPONSE}:
        return False
    if modes != {AS_STATUS}:
        wrong = sorted(str(mode) for mode in modes - {AS_STATUS, IN_RESPONSE})
        raise Refusal.of_field(ERROR_MODE, f"must be `{AS_STATUS}` or `{IN_RESPONSE}`", wrong[0] if wrong else "both")
    return True


Trailers: TypeAlias = tuple[tuple[str, str | bytes], ...]


def status(refusal: Refusal, trace_id: str, response: Message | None = None) -> tuple[grpc.StatusCode, str, Trailers]:
    """A refusal as gRPC has it: status, message, and trailers with a `google.rpc.Status`.

    Its details are the `common.v1.Error`, a `google.rpc.RetryInfo` where it is known when to ask again, and the
    response where that says more than its error.
    """
    code = _STATUS_CODES.get(refusal.code, grpc.StatusCode.FAILED_PRECONDITION)
    number: int = code.value[0]
    message = refusal.message[:STATUS_MESSAGE_LENGTH_MAX]
    sent = error(refusal, trace_id)
    sent.message = message
    details = status_pb2.Status(code=number, message=message)
    details.details.add().Pack(sent)
    if (wait := refusal.retry_after_seconds) is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromMilliseconds(ceil(wait * 1000))
        details.details.add().Pack(info)
    if response is not None:
        details.details.add().Pack(response)
    while details.ByteSize() > STATUS_BYTES_MAX and sent.details:
        del sent.details[-1]
        details.details[0].Pack(sent)
    return code, message, ((STATUS_TRAILER, details.SerializeToString()), (ERROR_CODE_TRAILER, code_name(refusal.code)))


def refusal_in(trailers: Iterable[tuple[str, str | bytes]]) -> Refusal | None:
    """The refusal that `status` put into trailers; None where there is none."""
    for name, value in trailers:
        if name == STATUS_TRAILER and isinstance(value, bytes):
            sent = errors_pb2.Error()
            if any(detail.Unpack(sent) for detail in status_pb2.Status.FromString(value).details):
                return refusal(sent)
    return None


def code_name(code: Code) -> str:
    """`ERROR_CODE_…`, as the contract names it."""
    return f"ERROR_CODE_{code.name}"


def queue_state(state: str, message: str) -> tuple[tuple[str, str], ...]:
    """Why nobody is let into a queue, as response metadata; what is not ASCII is percent-encoded (RFC 3986)."""
    return (QUEUE_STATE, state), (QUEUE_MESSAGE, quote(message, safe=_PLAIN))


def queue_message(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The sentence of `queue_state` in response metadata; empty when there is none."""
    return next((unquote(str(value)) for name, value in metadata if name == QUEUE_MESSAGE), "")


def refusal(message: errors_pb2.Error) -> Refusal:
    return Refusal(
        Code(message.code),
        message.message,
        *(Detail(detail.field, detail.reason, detail.value) for detail in message.details),
        trace_id=message.trace_id,
    )

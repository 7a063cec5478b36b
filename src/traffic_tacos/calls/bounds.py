"""How much every field of every request may hold: one table, kept before any handler runs and shown by /openapi.json.

A field is bounded by its full name, else by its own name, else by its type: so none is without a bound, a new one
neither. What is over its bound is INVALID_ARGUMENT with the path of the field and what would be right; what was
sent is never repeated. That a field is there at all, and what it may mean, is the handlers' to say.

A checker is compiled for each method once. It reads set fields only as far as their lengths, unless they are texts:
half a microsecond for most requests.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from traffic_tacos.kernel.addresses import URL_LENGTH_MAX
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.ids import (
    FOREIGN_ID_LENGTH_MAX,
    FOREIGN_ID_PATTERN,
    ID_LENGTH_MAX,
    ID_PATTERN,
    KEY_LENGTH_MAX,
    REASON_LENGTH_MAX,
    has_control_characters,
)
from traffic_tacos.kernel.limits import (
    CONTENT_LENGTH_MAX,
    DATA_LENGTH_MAX,
    DATA_MAX,
    DOCUMENT_BYTES_MAX,
    HOUSE_SEATS_MAX,
    METADATA_ENTRIES_MAX,
    METADATA_LENGTH_MAX,
    PLAN_BYTES_MAX,
    SEATS_PER_RESERVATION_MAX,
    SESSION_LENGTH_MAX,
    SUBSCRIPTIONS_MAX,
    TITLE_LENGTH_MAX,
    WEBHOOK_BYTES_MAX,
    WEBHOOK_HEADER_LENGTH_MAX,
    WEBHOOK_HEADERS_MAX,
)
from traffic_tacos.kernel.tokens import TOKEN_LENGTH_MAX, WAITING_TOKEN_LENGTH_MAX
from traffic_tacos.ports.paging import CURSOR_LENGTH_MAX
from traffic_tacos.ports.settings import TEXT_LENGTH_MAX as SETTING_LENGTH_MAX

TIMESTAMP = "google.protobuf.Timestamp"
YEAR_10000_SECONDS = 253_402_300_800
INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
SIGNATURES_LENGTH_MAX = 2000  # a header has one for each secret that signs


class Text(NamedTuple):
    """At most so many characters (of up to four bytes each in UTF-8), none of them a control character, all of it
    matching the pattern where there is one. `may_have_lines` allows line ends; `is_document` allows anything, since
    who reads it looks at each character anyway.
    """

    length_max: int
    pattern: str = ""
    reason: str = ""
    may_have_lines: bool = False
    is_document: bool = False


class Number(NamedTuple):
    """From `minimum` to `maximum`, both included."""

    minimum: int
    maximum: int


class Items(NamedTuple):
    """A list of so many, each within its own bound."""

    items_max: int
    each: "Text | Number | None" = None


class Pairs(NamedTuple):
    """A map of so many, from short texts to texts."""

    pairs_max: int
    key: Text
    value: Text


Bound: TypeAlias = Text | Number | Items | Pairs

ID = Text(ID_LENGTH_MAX, ID_PATTERN, "must start with a letter or digit and have only letters, digits and _ . : @ | -")
FOREIGN_ID = Text(FOREIGN_ID_LENGTH_MAX, FOREIGN_ID_PATTERN, "must have only printable ASCII characters")
NAME = Text(200)
REASON = Text(REASON_LENGTH_MAX)
URL = Text(URL_LENGTH_MAX)
TOKEN = Text(TOKEN_LENGTH_MAX)
SEAT_IDS = Items(SEATS_PER_RESERVATION_MAX, Text(ID_LENGTH_MAX))
ENDPOINT_HEADER = Text(WEBHOOK_HEADER_LENGTH_MAX)
HOUSE_SEAT_IDS = Items(HOUSE_SEATS_MAX, Text(ID_LENGTH_MAX))
METADATA = Pairs(METADATA_ENTRIES_MAX, Text(100), Text(METADATA_LENGTH_MAX))

TEXT_OF_ANY_NAME, ITEMS_OF_ANY_NAME, PAIRS_OF_ANY_NAME = NAME, 100, METADATA

# By full name, else by name. What is not here is bounded by its type.
FIELDS: dict[str, Bound] = {
    "event_id": ID,
    "reservation_id": ID,
    "payment_intent_id": ID,
    "endpoint_id": ID,
    "service_name": ID,
    "user_id": FOREIGN_ID,
    "target_user_id": FOREIGN_ID,
    "webhook_id": FOREIGN_ID,
    "transaction_id": FOREIGN_ID,
    "correlation_id": FOREIGN_ID,
    "job_id": Text(1000),
    "session_id": Text(SESSION_LENGTH_MAX),
    "target_session_id": Text(TITLE_LENGTH_MAX),
    "idempotency_key": Text(KEY_LENGTH_MAX),
    "ticket": TOKEN,
    "waiting_token": Text(WAITING_TOKEN_LENGTH_MAX),
    "reservation_token": TOKEN,
    "token": TOKEN,
    "reason": REASON,
    "failure_reason": REASON,
    "gateway_response": Text(METADATA_LENGTH_MAX),
    "user_agent": Text(METADATA_LENGTH_MAX),
    "referer": Text(METADATA_LENGTH_MAX),
    "endpoint_url": URL,
    "webhook_url": URL,
    "signature": Text(SIGNATURES_LENGTH_MAX),
    "payload": Text(WEBHOOK_BYTES_MAX, is_document=True),
    "document": Text(DOCUMENT_BYTES_MAX, is_document=True),
    "seating_plan": Text(PLAN_BYTES_MAX, is_document=True),
    "title": Text(TITLE_LENGTH_MAX),
    "content": Text(CONTENT_LENGTH_MAX, may_have_lines=True),
    "config_value": Text(SETTING_LENGTH_MAX),
    "cursor": Text(CURSOR_LENGTH_MAX),
    "after_cursor": Text(CURSOR_LENGTH_MAX),
    "seat_ids": SEAT_IDS,
    "reservation_ids": Items(SUBSCRIPTIONS_MAX, ID),
    "payment_intent_ids": Items(SUBSCRIPTIONS_MAX, ID),
    "tacos.catalog.v1.BlockSeatsRequest.seat_ids": HOUSE_SEAT_IDS,
    "tacos.catalog.v1.UnblockSeatsRequest.seat_ids": HOUSE_SEAT_IDS,
    "tacos.inventory.v1.BlockSeatsRequest.seat_ids": HOUSE_SEAT_IDS,
    "tacos.inventory.v1.UnblockSeatsRequest.seat_ids": HOUSE_SEAT_IDS,
    "gateway.v1.WebhookConfig.headers": Pairs(WEBHOOK_HEADERS_MAX, ENDPOINT_HEADER, ENDPOINT_HEADER),
    "gateway.v1.SendMessageRequest.data": Pairs(DATA_MAX, Text(DATA_LENGTH_MAX), Text(DATA_LENGTH_MAX)),
    # A wrong amount is refused as a whole, with its currency.
    "common.v1.Money.amount": Number(-INT64_MAX - 1, INT64_MAX),
}

# What a request is not complete without, of what stands in its body.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "gateway.v1.JoinQueueRequest": ("event_id", "session_id"),
    "gateway.v1.RequestAdmissionRequest": ("event_id",),
    "gateway.v1.CreateReservationRequest": ("event_id", "user_id", "reservation_token"),
    "gateway.v1.CreatePaymentIntentRequest": ("reservation_id", "amount", "user_id", "method", "scenario"),
    "reservation.v1.ExtendHoldRequest": ("extension_seconds",),
}

_IN_REQUESTS = (
    "gateway.v1.QueueMetadata",
    "gateway.v1.RequestMetadata",
    "gateway.v1.WebhookConfig",
    "common.v1.Pagination",
)

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: Number(0, INT32_MAX),
    FieldDescriptor.CPPTYPE_INT64: Number(0, INT64_MAX),
    FieldDescriptor.CPPTYPE_UINT32: Number(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: Number(0, 2**64 - 1),
}
_REALS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)

Check: TypeAlias = Callable[[Any], None]


def is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def bound_of(field: FieldDescriptor) -> Bound | None:
    """The bound of a field; None for a message, whose own fields are bounded, and for what can only be a few values."""
    named = FIELDS.get(field.full_name) or FIELDS.get(field.name)
    if is_map(field):
        return named if isinstance(named, Pairs) else PAIRS_OF_ANY_NAME
    if field.is_repeated:
        return named if isinstance(named, Items) else Items(ITEMS_OF_ANY_NAME, _one(field, None))
    return _one(field, named)


def _one(field: FieldDescriptor, named: Bound | None) -> Text | Number | None:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return named if isinstance(named, Text) else TEXT_OF_ANY_NAME
    if isinstance(named, Number):
        return named
    return _INTEGERS.get(field.cpp_type)


@cache
def checker(message: Descriptor, prefix: str = "") -> Check:
    """What refuses a message of this type when anything in it is over its bound."""
    checks = [(field.name, _check(field, prefix + field.name)) for field in message.fields]
    texts = [
        (name, bound.length_max, re.compile(bound.pattern).fullmatch if bound.pattern else str.isprintable, check)
        for field, (name, check) in zip(message.fields, checks, strict=True)
        if isinstance(bound := bound_of(field), Text) and not bound.is_document and field.type != field.TYPE_BYTES
    ]
    quick = {name for name, *_ in texts}
    others = [(name, check) for name, check in checks if name not in quick]
    names = frozenset(field.name for field in message.fields if field.message_type and not field.is_repeated)

    def check_message(value: Any) -> None:
        for name, length_max, is_fine, check in texts:
            text = getattr(value, name)
            if text and (len(text) > length_max or not is_fine(text)):
                check(text)
        for name, check in others:
            if name not in names or value.HasField(name):
                check(getattr(value, name))

    return check_message


def _check(field: FieldDescriptor, path: str) -> Check:
    bound = bound_of(field)
    if isinstance(bound, Pairs):
        return _of_pairs(bound, path)
    if isinstance(bound, Items):
        return _of_items(field, bound, path)
    return _of_one(field, bound, path)


def _of_one(field: FieldDescriptor, bound: Bound | None, path: str) -> Check:
    if field.message_type is not None:
        return _of_time(path) if field.message_type.full_name == TIMESTAMP else checker(field.message_type, f"{path}.")
    if field.enum_type is not None:
        return _of_enum(field, path)
    match bound:
        case Text():
            return _of_text(bound, path)
        case Number():
            return _of_number(bound, path)
    return _of_real(path) if field.cpp_type in _REALS else _of_nothing


def _of_text(bound: Text, path: str) -> Check:
    is_matching = re.compile(bound.pattern).fullmatch if bound.pattern else None

    def check(text: str) -> None:
        if len(text) > bound.length_max:
            given = f"{len(text)} characters"
            raise Refusal.of_field(path, f"must have at most {bound.length_max} characters", given)
        if bound.is_document or not text:
            return
        if is_matching is not None and is_matching(text) is None:
            raise Refusal.of_field(path, bound.reason)
        if has_control_characters(text, may_have_lines=bound.may_have_lines):
            raise Refusal.of_field(path, "must not have control characters")

    return check


def _of_number(bound: Number, path: str) -> Check:
    def check(number: int) -> None:
        if not bound.minimum <= number <= bound.maximum:
            reason = f"must be {bound.minimum} to {bound.maximum}"
            raise Refusal.of_field(path, reason if number > bound.maximum else _least(bound), number)

    return check


def _least(bound: Number) -> str:
    return "must not be negative" if bound.minimum == 0 else f"must be at least {bound.minimum}"


def _of_real(path: str) -> Check:
    def check(number: float) -> None:
        if not math.isfinite(number):
            raise Refusal.of_field(path, "must be a number", number)

    return check


def _of_enum(field: FieldDescriptor, path: str) -> Check:
    assert field.enum_type is not None
    known = field.enum_type.values_by_number
    names = ", ".join(value.name for value in field.enum_type.values)

    def check(number: int) -> None:
        if number not in known:
            raise Refusal.of_field(path, f"must be one of {names}", number)

    return check


def _of_time(path: str) -> Check:
    def check(time: Any) -> None:
        if not 0 <= time.seconds < YEAR_10000_SECONDS or not 0 <= time.nanos < 10**9:
            raise Refusal.of_field(path, "must be between 1970 and 9999", time.seconds)

    return check


def _of_items(field: FieldDescriptor, bound: Items, path: str) -> Check:
    check_one = _of_one(field, bound.each, path)

    def check(items: Any) -> None:
        if len(items) > bound.items_max:
            raise Refusal.of_field(path, f"must be at most {bound.items_max}", len(items))
        for item in items:
            check_one(item)

    return check


def _of_pairs(bound: Pairs, path: str) -> Check:
    check_key, check_value = _of_text(bound.key, path), _of_text(bound.value, path)

    def check(pairs: Any) -> None:
        if len(pairs) > bound.pairs_max:
            raise Refusal.of_field(path, f"must have at most {bound.pairs_max} entries", len(pairs))
        for key, value in pairs.items():
            check_key(key)
            check_value(value)

    return check


def _of_nothing(_: Any) -> None:
    """A boolean holds no more than it can."""


def schema_of(field: FieldDescriptor) -> dict[str, Any]:
    """The bound of a field in the words of JSON Schema, where its list or its value has one."""
    match bound_of(field):
        case Pairs(pairs_max, _, value):
            return {"maxProperties": pairs_max, "additionalProperties": {"type": "string", **_text_schema(value)}}
        case Items(items_max, _):
            return {"maxItems": items_max}
        case Text() as text:
            return _text_schema(text)
        case Number(minimum, maximum) if field.cpp_type == FieldDescriptor.CPPTYPE_INT32:
            return {"minimum": minimum, "maximum": maximum}
    return {}


def item_schema_of(field: FieldDescriptor) -> dict[str, Any]:
    """The bound of each of a list's items in the words of JSON Schema."""
    bound = bound_of(field)
    return _text_schema(bound.each) if isinstance(bound, Items) and isinstance(bound.each, Text) else {}


def _text_schema(text: Text) -> dict[str, Any]:
    shape: dict[str, Any] = {"maxLength": text.length_max}
    if text.pattern:
        shape["pattern"] = f"^(?:{text.pattern})?$"
    return shape


def is_of_requests(message: Descriptor) -> bool:
    """Whether only requests have the message: what answers hold is not bounded by this table."""
    return message.full_name.endswith("Request") or message.full_name in _IN_REQUESTS

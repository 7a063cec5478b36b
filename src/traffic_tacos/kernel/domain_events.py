"""What has become true, as rooms publish it to each other and the outside: a type for each, and its topic.

An event is kept, and sent to the outside, as its topic and a payload of texts: a status is its name, a time the
milliseconds since 1970, and what there is not is empty. A field that is added needs a default, so that what earlier
versions have kept can be read (tests/golden).
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import TypeAlias

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus


class EventChanged(msgspec.Struct, frozen=True, gc=False):
    """An event was put on sale, or what is said of it has changed."""

    event_id: str


class ReservationChanged(msgspec.Struct, frozen=True, gc=False):
    """A step of a reservation; `old` is None at its first. Its admission may be free to be used again."""

    reservation_id: str
    event_id: str
    user_id: str
    admission_id: str
    old: ReservationStatus | None
    new: ReservationStatus
    at: Instant
    hold_expires_at: Instant


class PaymentChanged(msgspec.Struct, frozen=True, gc=False):
    """A step of a payment; `old` is None at its first. Both are COMPLETED when a part of it was refunded."""

    payment_intent_id: str
    reservation_id: str
    user_id: str
    old: PaymentStatus | None
    new: PaymentStatus
    at: Instant


class SettingChanged(msgspec.Struct, frozen=True, gc=False):
    """An operator changed a setting; its values as they are shown."""

    name: str
    old: str
    new: str
    at: Instant


class MessageSent(msgspec.Struct, frozen=True, gc=False):
    """A message waits for its reader: a user, or a session. What it says stays where it waits."""

    message_id: str
    user_id: str
    session_id: str
    at: Instant


DomainEvent: TypeAlias = EventChanged | ReservationChanged | PaymentChanged | SettingChanged | MessageSent
TOPICS: Mapping[type[DomainEvent], str] = {
    EventChanged: "catalog.event_changed",
    ReservationChanged: "reservation.changed",
    PaymentChanged: "payment.changed",
    SettingChanged: "platform.setting_changed",
    MessageSent: "realtime.message_sent",
}
TYPES = {topic: kind for kind, topic in TOPICS.items()}
_STATUSES: Mapping[type[DomainEvent], type[IntEnum]] = {
    ReservationChanged: ReservationStatus,
    PaymentChanged: PaymentStatus,
}
# The numbers of their statuses by name.
_NUMBERS: Mapping[type[DomainEvent], Mapping[str, int | None]] = {
    kind: {"": None, **{status.name: status.value for status in statuses}} for kind, statuses in _STATUSES.items()
}

_NO_TEXTS: Mapping[type[DomainEvent], tuple[str, ...]] = {
    kind: tuple(field.name for field in msgspec.structs.fields(kind) if field.type is not str) for kind in TOPICS
}


def topic_of(event: DomainEvent) -> str:
    return TOPICS[type(event)]


def payload_of(event: DomainEvent) -> dict[str, str]:
    """All that the event says, as texts in the order of its fields."""
    payload: dict[str, str] = msgspec.structs.asdict(event)
    for name in _NO_TEXTS[type(event)]:
        payload[name] = _text(payload[name])
    return payload


def event_of(topic: str, payload: Mapping[str, str]) -> DomainEvent:
    """What was an event of this topic and payload. Raises ValueError when no event of ours can have been."""
    kind = TYPES.get(topic)
    if kind is None:
        raise ValueError(f"there are no events of the topic {topic}")
    fields: dict[str, object] = dict(payload)
    if (numbers := _NUMBERS.get(kind)) is not None:
        for field in ("old", "new"):
            name = payload.get(field, "")
            if name not in numbers:
                raise ValueError(f"{name} is no {_STATUSES[kind].__name__}")
            fields[field] = numbers[name]
    return msgspec.convert(fields, kind, strict=False)  # a time is a number that comes as text


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.name if isinstance(value, IntEnum) else str(value)

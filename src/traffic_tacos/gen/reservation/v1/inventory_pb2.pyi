import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HoldStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOLD_STATUS_UNSPECIFIED: _ClassVar[HoldStatus]
    HOLD_STATUS_ACTIVE: _ClassVar[HoldStatus]
    HOLD_STATUS_EXPIRED: _ClassVar[HoldStatus]
    HOLD_STATUS_RELEASED: _ClassVar[HoldStatus]
    HOLD_STATUS_COMMITTED: _ClassVar[HoldStatus]

class CommitStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMIT_STATUS_UNSPECIFIED: _ClassVar[CommitStatus]
    COMMIT_STATUS_SUCCESS: _ClassVar[CommitStatus]
    COMMIT_STATUS_FAILED_PAYMENT: _ClassVar[CommitStatus]
    COMMIT_STATUS_FAILED_EXPIRED: _ClassVar[CommitStatus]
    COMMIT_STATUS_FAILED_CONFLICT: _ClassVar[CommitStatus]

class ReleaseStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_STATUS_UNSPECIFIED: _ClassVar[ReleaseStatus]
    RELEASE_STATUS_SUCCESS: _ClassVar[ReleaseStatus]
    RELEASE_STATUS_ALREADY_RELEASED: _ClassVar[ReleaseStatus]
    RELEASE_STATUS_NOT_FOUND: _ClassVar[ReleaseStatus]
    RELEASE_STATUS_FAILED: _ClassVar[ReleaseStatus]
HOLD_STATUS_UNSPECIFIED: HoldStatus
HOLD_STATUS_ACTIVE: HoldStatus
HOLD_STATUS_EXPIRED: HoldStatus
HOLD_STATUS_RELEASED: HoldStatus
HOLD_STATUS_COMMITTED: HoldStatus
COMMIT_STATUS_UNSPECIFIED: CommitStatus
COMMIT_STATUS_SUCCESS: CommitStatus
COMMIT_STATUS_FAILED_PAYMENT: CommitStatus
COMMIT_STATUS_FAILED_EXPIRED: CommitStatus
COMMIT_STATUS_FAILED_CONFLICT: CommitStatus
RELEASE_STATUS_UNSPECIFIED: ReleaseStatus
RELEASE_STATUS_SUCCESS: ReleaseStatus
RELEASE_STATUS_ALREADY_RELEASED: ReleaseStatus
RELEASE_STATUS_NOT_FOUND: ReleaseStatus
RELEASE_STATUS_FAILED: ReleaseStatus

class CheckAvailabilityRequest(_message.Message):
    __slots__ = ("event_id", "seat_ids", "quantity", "section")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    quantity: int
    section: str
    def __init__(self, event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., quantity: _Optional[int] = ..., section: _Optional[str] = ...) -> None: ...

class CheckAvailabilityResponse(_message.Message):
    __slots__ = ("available", "available_seats", "unavailable_seat_ids", "remaining_in_section", "error")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_SEATS_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    REMAINING_IN_SECTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    available: bool
    available_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    unavailable_seat_ids: _containers.RepeatedScalarFieldContainer[str]
    remaining_in_section: int
    error: _errors_pb2.Error
    def __init__(self, available: _Optional[bool] = ..., available_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., unavailable_seat_ids: _Optional[_Iterable[str]] = ..., remaining_in_section: _Optional[int] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ReserveSeatRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "seat_ids", "quantity", "user_id", "hold_expires_at", "idempotency_key")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    quantity: int
    user_id: str
    hold_expires_at: _timestamp_pb2.Timestamp
    idempotency_key: str
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., quantity: _Optional[int] = ..., user_id: _Optional[str] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReserveSeatResponse(_message.Message):
    __slots__ = ("hold_id", "reserved_seats", "hold_expires_at", "status", "error")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVED_SEATS_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    reserved_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    hold_expires_at: _timestamp_pb2.Timestamp
    status: HoldStatus
    error: _errors_pb2.Error
    def __init__(self, hold_id: _Optional[str] = ..., reserved_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[HoldStatus, str]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class CommitReservationRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "seat_ids", "quantity", "payment_intent_id", "user_id", "idempotency_key")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    quantity: int
    payment_intent_id: str
    user_id: str
    idempotency_key: str
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., quantity: _Optional[int] = ..., payment_intent_id: _Optional[str] = ..., user_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class CommitReservationResponse(_message.Message):
    __slots__ = ("order_id", "sold_seats", "status", "committed_at", "error")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SOLD_SEATS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    sold_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    status: CommitStatus
    committed_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, order_id: _Optional[str] = ..., sold_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., status: _Optional[_Union[CommitStatus, str]] = ..., committed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ReleaseHoldRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "seat_ids", "quantity", "reason", "idempotency_key")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    quantity: int
    reason: str
    idempotency_key: str
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., quantity: _Optional[int] = ..., reason: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReleaseHoldResponse(_message.Message):
    __slots__ = ("released_seats", "status", "released_at", "error")
    RELEASED_SEATS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    released_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    status: ReleaseStatus
    released_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, released_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., status: _Optional[_Union[ReleaseStatus, str]] = ..., released_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetInventoryStatusRequest(_message.Message):
    __slots__ = ("event_id", "section")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    section: str
    def __init__(self, event_id: _Optional[str] = ..., section: _Optional[str] = ...) -> None: ...

class GetInventoryStatusResponse(_message.Message):
    __slots__ = ("event", "sections", "stats", "error")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    event: _types_pb2.Event
    sections: _containers.RepeatedCompositeFieldContainer[SectionInventory]
    stats: InventoryStats
    error: _errors_pb2.Error
    def __init__(self, event: _Optional[_Union[_types_pb2.Event, _Mapping]] = ..., sections: _Optional[_Iterable[_Union[SectionInventory, _Mapping]]] = ..., stats: _Optional[_Union[InventoryStats, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class SectionInventory(_message.Message):
    __slots__ = ("section_id", "section_name", "total_seats", "available_seats", "reserved_seats", "sold_seats", "blocked_seats", "min_price", "max_price")
    SECTION_ID_FIELD_NUMBER: _ClassVar[int]
    SECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SEATS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_SEATS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_SEATS_FIELD_NUMBER: _ClassVar[int]
    SOLD_SEATS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_SEATS_FIELD_NUMBER: _ClassVar[int]
    MIN_PRICE_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_FIELD_NUMBER: _ClassVar[int]
    section_id: str
    section_name: str
    total_seats: int
    available_seats: int
    reserved_seats: int
    sold_seats: int
    blocked_seats: int
    min_price: _types_pb2.Money
    max_price: _types_pb2.Money
    def __init__(self, section_id: _Optional[str] = ..., section_name: _Optional[str] = ..., total_seats: _Optional[int] = ..., available_seats: _Optional[int] = ..., reserved_seats: _Optional[int] = ..., sold_seats: _Optional[int] = ..., blocked_seats: _Optional[int] = ..., min_price: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., max_price: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class InventoryStats(_message.Message):
    __slots__ = ("total_seats", "available_seats", "reserved_seats", "sold_seats", "blocked_seats", "availability_percentage", "last_updated")
    TOTAL_SEATS_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_SEATS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_SEATS_FIELD_NUMBER: _ClassVar[int]
    SOLD_SEATS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_SEATS_FIELD_NUMBER: _ClassVar[int]
    AVAILABILITY_PERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_FIELD_NUMBER: _ClassVar[int]
    total_seats: int
    available_seats: int
    reserved_seats: int
    sold_seats: int
    blocked_seats: int
    availability_percentage: float
    last_updated: _timestamp_pb2.Timestamp
    def __init__(self, total_seats: _Optional[int] = ..., available_seats: _Optional[int] = ..., reserved_seats: _Optional[int] = ..., sold_seats: _Optional[int] = ..., blocked_seats: _Optional[int] = ..., availability_percentage: _Optional[float] = ..., last_updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

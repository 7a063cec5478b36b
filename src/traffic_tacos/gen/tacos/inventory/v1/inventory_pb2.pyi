import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HoldSeatsRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "user_id", "seat_ids", "quantity", "hold_expires_at", "section", "price_max")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    PRICE_MAX_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    user_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    quantity: int
    hold_expires_at: _timestamp_pb2.Timestamp
    section: str
    price_max: _types_pb2.Money
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., quantity: _Optional[int] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., section: _Optional[str] = ..., price_max: _Optional[_Union[_types_pb2.Money, _Mapping]] = ...) -> None: ...

class HoldSeatsResponse(_message.Message):
    __slots__ = ("seats", "hold_expires_at", "error")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    hold_expires_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class SellSeatsRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "payment_intent_id", "seat_ids")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    payment_intent_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., payment_intent_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SellSeatsResponse(_message.Message):
    __slots__ = ("order_id", "error")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    error: _errors_pb2.Error
    def __init__(self, order_id: _Optional[str] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class FreeSeatsRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ...) -> None: ...

class FreeSeatsResponse(_message.Message):
    __slots__ = ("seats", "error")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class CountSeatsRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class CountSeatsResponse(_message.Message):
    __slots__ = ("available", "reserved", "accessible", "error", "all_sold")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    ACCESSIBLE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ALL_SOLD_FIELD_NUMBER: _ClassVar[int]
    available: int
    reserved: int
    accessible: int
    error: _errors_pb2.Error
    all_sold: bool
    def __init__(self, available: _Optional[int] = ..., reserved: _Optional[int] = ..., accessible: _Optional[int] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ..., all_sold: _Optional[bool] = ...) -> None: ...

class ExtendHoldRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "hold_expires_at")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    hold_expires_at: _timestamp_pb2.Timestamp
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExtendHoldResponse(_message.Message):
    __slots__ = ("hold_expires_at", "error")
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    hold_expires_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ReturnSeatsRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "sold_under")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SOLD_UNDER_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    sold_under: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., sold_under: _Optional[_Iterable[str]] = ...) -> None: ...

class ReturnSeatsResponse(_message.Message):
    __slots__ = ("returned_seats", "error")
    RETURNED_SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    returned_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, returned_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class BlockSeatsRequest(_message.Message):
    __slots__ = ("event_id", "seat_ids", "actor", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class BlockSeatsResponse(_message.Message):
    __slots__ = ("seats", "error")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class UnblockSeatsRequest(_message.Message):
    __slots__ = ("event_id", "seat_ids", "actor", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    actor: str
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UnblockSeatsResponse(_message.Message):
    __slots__ = ("seats", "error")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

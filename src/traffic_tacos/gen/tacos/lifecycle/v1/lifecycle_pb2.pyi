import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as _reservation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExpireReservationRequest(_message.Message):
    __slots__ = ("reservation_id",)
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    def __init__(self, reservation_id: _Optional[str] = ...) -> None: ...

class ExpireReservationResponse(_message.Message):
    __slots__ = ("changed", "status", "released_seats", "error")
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RELEASED_SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    status: _reservation_pb2.ReservationStatus
    released_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, changed: _Optional[bool] = ..., status: _Optional[_Union[_reservation_pb2.ReservationStatus, str]] = ..., released_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class SettleReservationRequest(_message.Message):
    __slots__ = ("reservation_id", "payment_intent_id")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    payment_intent_id: str
    def __init__(self, reservation_id: _Optional[str] = ..., payment_intent_id: _Optional[str] = ...) -> None: ...

class SettleReservationResponse(_message.Message):
    __slots__ = ("changed", "status", "order_id", "seats", "error")
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    status: _reservation_pb2.ReservationStatus
    order_id: str
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, changed: _Optional[bool] = ..., status: _Optional[_Union[_reservation_pb2.ReservationStatus, str]] = ..., order_id: _Optional[str] = ..., seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class StopReservationsRequest(_message.Message):
    __slots__ = ("event_id", "resume", "actor", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    resume: bool
    actor: str
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., resume: _Optional[bool] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StopReservationsResponse(_message.Message):
    __slots__ = ("cancelled_count", "changed_at", "error")
    CANCELLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    cancelled_count: int
    changed_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, cancelled_count: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

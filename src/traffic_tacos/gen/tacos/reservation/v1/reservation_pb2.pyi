import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as _reservation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RefundObstacle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUND_OBSTACLE_UNSPECIFIED: _ClassVar[RefundObstacle]
    REFUND_OBSTACLE_ALREADY_REFUNDED: _ClassVar[RefundObstacle]
    REFUND_OBSTACLE_NOT_BOUGHT: _ClassVar[RefundObstacle]
    REFUND_OBSTACLE_ENTERED: _ClassVar[RefundObstacle]
    REFUND_OBSTACLE_NOT_PROMISED: _ClassVar[RefundObstacle]
    REFUND_OBSTACLE_TOO_LATE: _ClassVar[RefundObstacle]
REFUND_OBSTACLE_UNSPECIFIED: RefundObstacle
REFUND_OBSTACLE_ALREADY_REFUNDED: RefundObstacle
REFUND_OBSTACLE_NOT_BOUGHT: RefundObstacle
REFUND_OBSTACLE_ENTERED: RefundObstacle
REFUND_OBSTACLE_NOT_PROMISED: RefundObstacle
REFUND_OBSTACLE_TOO_LATE: RefundObstacle

class ReserveBestRequest(_message.Message):
    __slots__ = ("event_id", "quantity", "section", "price_max", "user_id", "reservation_token", "idempotency_key")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    PRICE_MAX_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    quantity: int
    section: str
    price_max: _types_pb2.Money
    user_id: str
    reservation_token: str
    idempotency_key: str
    def __init__(self, event_id: _Optional[str] = ..., quantity: _Optional[int] = ..., section: _Optional[str] = ..., price_max: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., user_id: _Optional[str] = ..., reservation_token: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ReserveBestResponse(_message.Message):
    __slots__ = ("reservation_id", "status", "hold_expires_at", "reserved_seats", "total_amount", "payment_url", "error")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_SEATS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_URL_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    status: _reservation_pb2.ReservationStatus
    hold_expires_at: _timestamp_pb2.Timestamp
    reserved_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    total_amount: _types_pb2.Money
    payment_url: str
    error: _errors_pb2.Error
    def __init__(self, reservation_id: _Optional[str] = ..., status: _Optional[_Union[_reservation_pb2.ReservationStatus, str]] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reserved_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., total_amount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., payment_url: _Optional[str] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetRefundQuoteRequest(_message.Message):
    __slots__ = ("reservation_id", "user_id")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    user_id: str
    def __init__(self, reservation_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class GetRefundQuoteResponse(_message.Message):
    __slots__ = ("amount", "until", "obstacle", "error")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    OBSTACLE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    amount: _types_pb2.Money
    until: _timestamp_pb2.Timestamp
    obstacle: RefundObstacle
    error: _errors_pb2.Error
    def __init__(self, amount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., obstacle: _Optional[_Union[RefundObstacle, str]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
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

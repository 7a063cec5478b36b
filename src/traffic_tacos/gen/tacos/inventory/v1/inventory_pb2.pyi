from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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

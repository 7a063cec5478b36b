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

class ListTicketsRequest(_message.Message):
    __slots__ = ("reservation_id", "user_id")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    user_id: str
    def __init__(self, reservation_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class ListTicketsResponse(_message.Message):
    __slots__ = ("tickets", "error")
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    tickets: _containers.RepeatedCompositeFieldContainer[Ticket]
    error: _errors_pb2.Error
    def __init__(self, tickets: _Optional[_Iterable[_Union[Ticket, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class Ticket(_message.Message):
    __slots__ = ("ticket", "seat", "checked_in", "qr", "qr_side")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    SEAT_FIELD_NUMBER: _ClassVar[int]
    CHECKED_IN_FIELD_NUMBER: _ClassVar[int]
    QR_FIELD_NUMBER: _ClassVar[int]
    QR_SIDE_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    seat: _types_pb2.Seat
    checked_in: CheckedIn
    qr: bytes
    qr_side: int
    def __init__(self, ticket: _Optional[str] = ..., seat: _Optional[_Union[_types_pb2.Seat, _Mapping]] = ..., checked_in: _Optional[_Union[CheckedIn, _Mapping]] = ..., qr: _Optional[bytes] = ..., qr_side: _Optional[int] = ...) -> None: ...

class CheckedIn(_message.Message):
    __slots__ = ("reservation_id", "seat_id", "scanner_id", "scan_id", "scanned_at", "recorded_at")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_ID_FIELD_NUMBER: _ClassVar[int]
    SCANNER_ID_FIELD_NUMBER: _ClassVar[int]
    SCAN_ID_FIELD_NUMBER: _ClassVar[int]
    SCANNED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    seat_id: str
    scanner_id: str
    scan_id: str
    scanned_at: _timestamp_pb2.Timestamp
    recorded_at: _timestamp_pb2.Timestamp
    def __init__(self, reservation_id: _Optional[str] = ..., seat_id: _Optional[str] = ..., scanner_id: _Optional[str] = ..., scan_id: _Optional[str] = ..., scanned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckInRequest(_message.Message):
    __slots__ = ("ticket", "event_id", "scanner_id", "scan_id", "scanned_at")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCANNER_ID_FIELD_NUMBER: _ClassVar[int]
    SCAN_ID_FIELD_NUMBER: _ClassVar[int]
    SCANNED_AT_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    event_id: str
    scanner_id: str
    scan_id: str
    scanned_at: _timestamp_pb2.Timestamp
    def __init__(self, ticket: _Optional[str] = ..., event_id: _Optional[str] = ..., scanner_id: _Optional[str] = ..., scan_id: _Optional[str] = ..., scanned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckInResponse(_message.Message):
    __slots__ = ("entered", "checked_in", "error")
    ENTERED_FIELD_NUMBER: _ClassVar[int]
    CHECKED_IN_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    entered: bool
    checked_in: CheckedIn
    error: _errors_pb2.Error
    def __init__(self, entered: _Optional[bool] = ..., checked_in: _Optional[_Union[CheckedIn, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class UndoCheckInRequest(_message.Message):
    __slots__ = ("ticket", "event_id", "reason")
    TICKET_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ticket: str
    event_id: str
    reason: str
    def __init__(self, ticket: _Optional[str] = ..., event_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UndoCheckInResponse(_message.Message):
    __slots__ = ("changed", "error")
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    error: _errors_pb2.Error
    def __init__(self, changed: _Optional[bool] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ListCheckInsRequest(_message.Message):
    __slots__ = ("event_id", "pagination")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    pagination: _types_pb2.Pagination
    def __init__(self, event_id: _Optional[str] = ..., pagination: _Optional[_Union[_types_pb2.Pagination, _Mapping]] = ...) -> None: ...

class ListCheckInsResponse(_message.Message):
    __slots__ = ("check_ins", "page_info", "error")
    CHECK_INS_FIELD_NUMBER: _ClassVar[int]
    PAGE_INFO_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    check_ins: _containers.RepeatedCompositeFieldContainer[CheckedIn]
    page_info: _types_pb2.PageInfo
    error: _errors_pb2.Error
    def __init__(self, check_ins: _Optional[_Iterable[_Union[CheckedIn, _Mapping]]] = ..., page_info: _Optional[_Union[_types_pb2.PageInfo, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ListReturnedRequest(_message.Message):
    __slots__ = ("event_id", "pagination")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    pagination: _types_pb2.Pagination
    def __init__(self, event_id: _Optional[str] = ..., pagination: _Optional[_Union[_types_pb2.Pagination, _Mapping]] = ...) -> None: ...

class ListReturnedResponse(_message.Message):
    __slots__ = ("reservation_ids", "page_info", "error")
    RESERVATION_IDS_FIELD_NUMBER: _ClassVar[int]
    PAGE_INFO_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    reservation_ids: _containers.RepeatedScalarFieldContainer[str]
    page_info: _types_pb2.PageInfo
    error: _errors_pb2.Error
    def __init__(self, reservation_ids: _Optional[_Iterable[str]] = ..., page_info: _Optional[_Union[_types_pb2.PageInfo, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

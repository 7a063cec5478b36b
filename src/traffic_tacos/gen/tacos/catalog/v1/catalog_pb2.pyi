from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateEventRequest(_message.Message):
    __slots__ = ("document", "seating_plan", "event_id", "reason")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SEATING_PLAN_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    document: str
    seating_plan: str
    event_id: str
    reason: str
    def __init__(self, document: _Optional[str] = ..., seating_plan: _Optional[str] = ..., event_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CreateEventResponse(_message.Message):
    __slots__ = ("plan", "error")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    plan: EventPlan
    error: _errors_pb2.Error
    def __init__(self, plan: _Optional[_Union[EventPlan, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetEventRequest(_message.Message):
    __slots__ = ("event_id", "without_sections")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_SECTIONS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    without_sections: bool
    def __init__(self, event_id: _Optional[str] = ..., without_sections: _Optional[bool] = ...) -> None: ...

class GetEventResponse(_message.Message):
    __slots__ = ("plan", "error")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    plan: EventPlan
    error: _errors_pb2.Error
    def __init__(self, plan: _Optional[_Union[EventPlan, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("pagination",)
    PAGINATION_FIELD_NUMBER: _ClassVar[int]
    pagination: _types_pb2.Pagination
    def __init__(self, pagination: _Optional[_Union[_types_pb2.Pagination, _Mapping]] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("plans", "page_info", "error")
    PLANS_FIELD_NUMBER: _ClassVar[int]
    PAGE_INFO_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[EventPlan]
    page_info: _types_pb2.PageInfo
    error: _errors_pb2.Error
    def __init__(self, plans: _Optional[_Iterable[_Union[EventPlan, _Mapping]]] = ..., page_info: _Optional[_Union[_types_pb2.PageInfo, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class UpdateEventRequest(_message.Message):
    __slots__ = ("event_id", "document", "seating_plan", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    SEATING_PLAN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    document: str
    seating_plan: str
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., document: _Optional[str] = ..., seating_plan: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class UpdateEventResponse(_message.Message):
    __slots__ = ("plan", "error")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    plan: EventPlan
    error: _errors_pb2.Error
    def __init__(self, plan: _Optional[_Union[EventPlan, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class BlockSeatsRequest(_message.Message):
    __slots__ = ("event_id", "seat_ids", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class BlockSeatsResponse(_message.Message):
    __slots__ = ("seats", "error")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class UnblockSeatsRequest(_message.Message):
    __slots__ = ("event_id", "seat_ids", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class UnblockSeatsResponse(_message.Message):
    __slots__ = ("seats", "error")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    error: _errors_pb2.Error
    def __init__(self, seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class EventPlan(_message.Message):
    __slots__ = ("event", "currency", "max_per_order", "admission", "sections", "refunds", "utc_offset_minutes", "hold_seconds", "revision", "guests", "max_per_person", "unreadable")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MAX_PER_ORDER_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_FIELD_NUMBER: _ClassVar[int]
    UTC_OFFSET_MINUTES_FIELD_NUMBER: _ClassVar[int]
    HOLD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    GUESTS_FIELD_NUMBER: _ClassVar[int]
    MAX_PER_PERSON_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    event: _types_pb2.Event
    currency: str
    max_per_order: int
    admission: Admission
    sections: _containers.RepeatedCompositeFieldContainer[Section]
    refunds: Refunds
    utc_offset_minutes: int
    hold_seconds: int
    revision: str
    guests: bool
    max_per_person: int
    unreadable: str
    def __init__(self, event: _Optional[_Union[_types_pb2.Event, _Mapping]] = ..., currency: _Optional[str] = ..., max_per_order: _Optional[int] = ..., admission: _Optional[_Union[Admission, _Mapping]] = ..., sections: _Optional[_Iterable[_Union[Section, _Mapping]]] = ..., refunds: _Optional[_Union[Refunds, _Mapping]] = ..., utc_offset_minutes: _Optional[int] = ..., hold_seconds: _Optional[int] = ..., revision: _Optional[str] = ..., guests: _Optional[bool] = ..., max_per_person: _Optional[int] = ..., unreadable: _Optional[str] = ...) -> None: ...

class Refunds(_message.Message):
    __slots__ = ("hours_before", "percent")
    HOURS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    hours_before: int
    percent: int
    def __init__(self, hours_before: _Optional[int] = ..., percent: _Optional[int] = ...) -> None: ...

class Admission(_message.Message):
    __slots__ = ("rate_per_second", "active_max", "offer_seconds", "idle_seconds", "waiting_max")
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_MAX_FIELD_NUMBER: _ClassVar[int]
    OFFER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAITING_MAX_FIELD_NUMBER: _ClassVar[int]
    rate_per_second: int
    active_max: int
    offer_seconds: int
    idle_seconds: int
    waiting_max: int
    def __init__(self, rate_per_second: _Optional[int] = ..., active_max: _Optional[int] = ..., offer_seconds: _Optional[int] = ..., idle_seconds: _Optional[int] = ..., waiting_max: _Optional[int] = ...) -> None: ...

class Section(_message.Message):
    __slots__ = ("id", "name", "rows", "focal_point", "label")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FOCAL_POINT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    focal_point: Point
    label: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., focal_point: _Optional[_Union[Point, _Mapping]] = ..., label: _Optional[str] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("id", "seats", "aisles", "standing", "label")
    ID_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    AISLES_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    seats: _containers.RepeatedCompositeFieldContainer[PlanSeat]
    aisles: _containers.RepeatedScalarFieldContainer[int]
    standing: bool
    label: str
    def __init__(self, id: _Optional[str] = ..., seats: _Optional[_Iterable[_Union[PlanSeat, _Mapping]]] = ..., aisles: _Optional[_Iterable[int]] = ..., standing: _Optional[bool] = ..., label: _Optional[str] = ...) -> None: ...

class PlanSeat(_message.Message):
    __slots__ = ("id", "number", "price", "position", "accessible")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ACCESSIBLE_FIELD_NUMBER: _ClassVar[int]
    id: str
    number: str
    price: int
    position: Point
    accessible: bool
    def __init__(self, id: _Optional[str] = ..., number: _Optional[str] = ..., price: _Optional[int] = ..., position: _Optional[_Union[Point, _Mapping]] = ..., accessible: _Optional[bool] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SaleState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SALE_STATE_UNSPECIFIED: _ClassVar[SaleState]
    SALE_STATE_BEFORE: _ClassVar[SaleState]
    SALE_STATE_OPEN: _ClassVar[SaleState]
    SALE_STATE_SOLD_OUT: _ClassVar[SaleState]
    SALE_STATE_OVER: _ClassVar[SaleState]
SALE_STATE_UNSPECIFIED: SaleState
SALE_STATE_BEFORE: SaleState
SALE_STATE_OPEN: SaleState
SALE_STATE_SOLD_OUT: SaleState
SALE_STATE_OVER: SaleState

class ListSalesRequest(_message.Message):
    __slots__ = ("cursor", "page_size")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    page_size: int
    def __init__(self, cursor: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListSalesResponse(_message.Message):
    __slots__ = ("sales", "next_cursor", "at", "error")
    SALES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    sales: _containers.RepeatedCompositeFieldContainer[Sale]
    next_cursor: str
    at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, sales: _Optional[_Iterable[_Union[Sale, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetSaleRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class GetSaleResponse(_message.Message):
    __slots__ = ("sale", "at", "error")
    SALE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    sale: Sale
    at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, sale: _Optional[_Union[Sale, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class Sale(_message.Message):
    __slots__ = ("event", "opens_at", "closes_at", "state", "currency", "decimals", "price_min", "price_max", "accessible_seats", "max_per_order", "hold_seconds", "refunds", "utc_offset_minutes", "revision", "guests", "max_per_person", "section_names", "standing_sections")
    class SectionNamesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSES_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    PRICE_MIN_FIELD_NUMBER: _ClassVar[int]
    PRICE_MAX_FIELD_NUMBER: _ClassVar[int]
    ACCESSIBLE_SEATS_FIELD_NUMBER: _ClassVar[int]
    MAX_PER_ORDER_FIELD_NUMBER: _ClassVar[int]
    HOLD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REFUNDS_FIELD_NUMBER: _ClassVar[int]
    UTC_OFFSET_MINUTES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    GUESTS_FIELD_NUMBER: _ClassVar[int]
    MAX_PER_PERSON_FIELD_NUMBER: _ClassVar[int]
    SECTION_NAMES_FIELD_NUMBER: _ClassVar[int]
    STANDING_SECTIONS_FIELD_NUMBER: _ClassVar[int]
    event: _types_pb2.Event
    opens_at: _timestamp_pb2.Timestamp
    closes_at: _timestamp_pb2.Timestamp
    state: SaleState
    currency: str
    decimals: int
    price_min: int
    price_max: int
    accessible_seats: int
    max_per_order: int
    hold_seconds: int
    refunds: _catalog_pb2.Refunds
    utc_offset_minutes: int
    revision: str
    guests: bool
    max_per_person: int
    section_names: _containers.ScalarMap[str, str]
    standing_sections: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event: _Optional[_Union[_types_pb2.Event, _Mapping]] = ..., opens_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closes_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[SaleState, str]] = ..., currency: _Optional[str] = ..., decimals: _Optional[int] = ..., price_min: _Optional[int] = ..., price_max: _Optional[int] = ..., accessible_seats: _Optional[int] = ..., max_per_order: _Optional[int] = ..., hold_seconds: _Optional[int] = ..., refunds: _Optional[_Union[_catalog_pb2.Refunds, _Mapping]] = ..., utc_offset_minutes: _Optional[int] = ..., revision: _Optional[str] = ..., guests: _Optional[bool] = ..., max_per_person: _Optional[int] = ..., section_names: _Optional[_Mapping[str, str]] = ..., standing_sections: _Optional[_Iterable[str]] = ...) -> None: ...

class GetPlanRequest(_message.Message):
    __slots__ = ("event_id", "revision")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    revision: str
    def __init__(self, event_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class GetPlanResponse(_message.Message):
    __slots__ = ("plan", "error")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    plan: Plan
    error: _errors_pb2.Error
    def __init__(self, plan: _Optional[_Union[Plan, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("event_id", "revision", "currency", "decimals", "width", "height", "drawn", "stage", "sections")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    DRAWN_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    revision: str
    currency: str
    decimals: int
    width: int
    height: int
    drawn: bool
    stage: _containers.RepeatedScalarFieldContainer[int]
    sections: _containers.RepeatedCompositeFieldContainer[PlanSection]
    def __init__(self, event_id: _Optional[str] = ..., revision: _Optional[str] = ..., currency: _Optional[str] = ..., decimals: _Optional[int] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., drawn: _Optional[bool] = ..., stage: _Optional[_Iterable[int]] = ..., sections: _Optional[_Iterable[_Union[PlanSection, _Mapping]]] = ...) -> None: ...

class PlanSection(_message.Message):
    __slots__ = ("id", "name", "label", "standing", "price_min", "price_max", "seats", "outline", "rows")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    PRICE_MIN_FIELD_NUMBER: _ClassVar[int]
    PRICE_MAX_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    OUTLINE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    label: str
    standing: bool
    price_min: int
    price_max: int
    seats: int
    outline: _containers.RepeatedScalarFieldContainer[int]
    rows: _containers.RepeatedCompositeFieldContainer[PlanRow]
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., label: _Optional[str] = ..., standing: _Optional[bool] = ..., price_min: _Optional[int] = ..., price_max: _Optional[int] = ..., seats: _Optional[int] = ..., outline: _Optional[_Iterable[int]] = ..., rows: _Optional[_Iterable[_Union[PlanRow, _Mapping]]] = ...) -> None: ...

class PlanRow(_message.Message):
    __slots__ = ("id", "label", "first", "seats", "id_prefix", "ids", "first_number", "numbers", "prices", "at", "aisles", "accessible")
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AISLES_FIELD_NUMBER: _ClassVar[int]
    ACCESSIBLE_FIELD_NUMBER: _ClassVar[int]
    id: str
    label: str
    first: int
    seats: int
    id_prefix: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    first_number: int
    numbers: _containers.RepeatedScalarFieldContainer[str]
    prices: _containers.RepeatedScalarFieldContainer[int]
    at: _containers.RepeatedScalarFieldContainer[int]
    aisles: _containers.RepeatedScalarFieldContainer[int]
    accessible: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[str] = ..., label: _Optional[str] = ..., first: _Optional[int] = ..., seats: _Optional[int] = ..., id_prefix: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ..., first_number: _Optional[int] = ..., numbers: _Optional[_Iterable[str]] = ..., prices: _Optional[_Iterable[int]] = ..., at: _Optional[_Iterable[int]] = ..., aisles: _Optional[_Iterable[int]] = ..., accessible: _Optional[_Iterable[int]] = ...) -> None: ...

class GetSeatStatesRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class GetSeatStatesResponse(_message.Message):
    __slots__ = ("states", "error")
    STATES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    states: SeatStates
    error: _errors_pb2.Error
    def __init__(self, states: _Optional[_Union[SeatStates, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class SeatStates(_message.Message):
    __slots__ = ("event_id", "revision", "seats", "free", "free_count", "accessible_free", "at")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    FREE_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACCESSIBLE_FREE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    revision: str
    seats: int
    free: bytes
    free_count: int
    accessible_free: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, event_id: _Optional[str] = ..., revision: _Optional[str] = ..., seats: _Optional[int] = ..., free: _Optional[bytes] = ..., free_count: _Optional[int] = ..., accessible_free: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetQueueViewRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class GetQueueViewResponse(_message.Message):
    __slots__ = ("view", "error")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    view: QueueView
    error: _errors_pb2.Error
    def __init__(self, view: _Optional[_Union[QueueView, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class QueueView(_message.Message):
    __slots__ = ("event_id", "at", "opens_at", "ends_at", "state", "message", "operator_message", "paused", "sold_out", "sold_for_good", "closed", "joined", "waiting", "admitted", "cursor", "moving_per_second", "rate_per_second", "ended", "draw", "all_held")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    SOLD_OUT_FIELD_NUMBER: _ClassVar[int]
    SOLD_FOR_GOOD_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    MOVING_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    DRAW_FIELD_NUMBER: _ClassVar[int]
    ALL_HELD_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    at: _timestamp_pb2.Timestamp
    opens_at: _timestamp_pb2.Timestamp
    ends_at: _timestamp_pb2.Timestamp
    state: str
    message: str
    operator_message: str
    paused: bool
    sold_out: bool
    sold_for_good: bool
    closed: bool
    joined: int
    waiting: int
    admitted: int
    cursor: int
    moving_per_second: float
    rate_per_second: int
    ended: Ended
    draw: DrawState
    all_held: bool
    def __init__(self, event_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., opens_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[str] = ..., message: _Optional[str] = ..., operator_message: _Optional[str] = ..., paused: _Optional[bool] = ..., sold_out: _Optional[bool] = ..., sold_for_good: _Optional[bool] = ..., closed: _Optional[bool] = ..., joined: _Optional[int] = ..., waiting: _Optional[int] = ..., admitted: _Optional[int] = ..., cursor: _Optional[int] = ..., moving_per_second: _Optional[float] = ..., rate_per_second: _Optional[int] = ..., ended: _Optional[_Union[Ended, _Mapping]] = ..., draw: _Optional[_Union[DrawState, _Mapping]] = ..., all_held: _Optional[bool] = ...) -> None: ...

class Ended(_message.Message):
    __slots__ = ("first_rank", "before", "step", "counts")
    FIRST_RANK_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    first_rank: int
    before: int
    step: int
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, first_rank: _Optional[int] = ..., before: _Optional[int] = ..., step: _Optional[int] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class DrawState(_message.Message):
    __slots__ = ("is_drawn", "size", "seed_sha256", "seed", "pool_digest")
    IS_DRAWN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SEED_SHA256_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    POOL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    is_drawn: bool
    size: int
    seed_sha256: bytes
    seed: bytes
    pool_digest: bytes
    def __init__(self, is_drawn: _Optional[bool] = ..., size: _Optional[int] = ..., seed_sha256: _Optional[bytes] = ..., seed: _Optional[bytes] = ..., pool_digest: _Optional[bytes] = ...) -> None: ...

import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetLineRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class GetLineResponse(_message.Message):
    __slots__ = ("line", "error")
    LINE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    line: Line
    error: _errors_pb2.Error
    def __init__(self, line: _Optional[_Union[Line, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class CountWaitingRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class CountWaitingResponse(_message.Message):
    __slots__ = ("waiting", "error")
    WAITING_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    waiting: int
    error: _errors_pb2.Error
    def __init__(self, waiting: _Optional[int] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class Line(_message.Message):
    __slots__ = ("event_id", "waiting", "ready", "admitted", "admitted_ever", "admitted_last_minute", "moving_per_second", "no_show_share", "wait_p50_seconds", "wait_p95_seconds", "told", "told_kept", "rate_per_second", "active_max", "stopped", "sold_out", "pool", "streams", "closed", "state", "state_message")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_EVER_FIELD_NUMBER: _ClassVar[int]
    ADMITTED_LAST_MINUTE_FIELD_NUMBER: _ClassVar[int]
    MOVING_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    NO_SHOW_SHARE_FIELD_NUMBER: _ClassVar[int]
    WAIT_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_P95_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    TOLD_KEPT_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_MAX_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    SOLD_OUT_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    waiting: int
    ready: int
    admitted: int
    admitted_ever: int
    admitted_last_minute: int
    moving_per_second: float
    no_show_share: float
    wait_p50_seconds: int
    wait_p95_seconds: int
    told: int
    told_kept: int
    rate_per_second: int
    active_max: int
    stopped: bool
    sold_out: bool
    pool: bool
    streams: int
    closed: bool
    state: str
    state_message: str
    def __init__(self, event_id: _Optional[str] = ..., waiting: _Optional[int] = ..., ready: _Optional[int] = ..., admitted: _Optional[int] = ..., admitted_ever: _Optional[int] = ..., admitted_last_minute: _Optional[int] = ..., moving_per_second: _Optional[float] = ..., no_show_share: _Optional[float] = ..., wait_p50_seconds: _Optional[int] = ..., wait_p95_seconds: _Optional[int] = ..., told: _Optional[int] = ..., told_kept: _Optional[int] = ..., rate_per_second: _Optional[int] = ..., active_max: _Optional[int] = ..., stopped: _Optional[bool] = ..., sold_out: _Optional[bool] = ..., pool: _Optional[bool] = ..., streams: _Optional[int] = ..., closed: _Optional[bool] = ..., state: _Optional[str] = ..., state_message: _Optional[str] = ...) -> None: ...

class ConfigureLineRequest(_message.Message):
    __slots__ = ("event_id", "setting", "value", "actor", "reason")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SETTING_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    setting: str
    value: str
    actor: str
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., setting: _Optional[str] = ..., value: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ConfigureLineResponse(_message.Message):
    __slots__ = ("old_value", "new_value", "changed_at", "error")
    OLD_VALUE_FIELD_NUMBER: _ClassVar[int]
    NEW_VALUE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    old_value: str
    new_value: str
    changed_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, old_value: _Optional[str] = ..., new_value: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetDrawRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class GetDrawResponse(_message.Message):
    __slots__ = ("draw", "error")
    DRAW_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    draw: Draw
    error: _errors_pb2.Error
    def __init__(self, draw: _Optional[_Union[Draw, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class Draw(_message.Message):
    __slots__ = ("event_id", "seed_sha256", "committed_at", "opens_at", "closed_at", "pool_size", "pool_digest", "seed")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEED_SHA256_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    POOL_SIZE_FIELD_NUMBER: _ClassVar[int]
    POOL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    seed_sha256: bytes
    committed_at: _timestamp_pb2.Timestamp
    opens_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    pool_size: int
    pool_digest: bytes
    seed: bytes
    def __init__(self, event_id: _Optional[str] = ..., seed_sha256: _Optional[bytes] = ..., committed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., opens_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pool_size: _Optional[int] = ..., pool_digest: _Optional[bytes] = ..., seed: _Optional[bytes] = ...) -> None: ...

class ListDrawEntriesRequest(_message.Message):
    __slots__ = ("event_id", "after_number", "page_size")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    after_number: int
    page_size: int
    def __init__(self, event_id: _Optional[str] = ..., after_number: _Optional[int] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListDrawEntriesResponse(_message.Message):
    __slots__ = ("entries", "has_next_page", "error")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HAS_NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[DrawEntry]
    has_next_page: bool
    error: _errors_pb2.Error
    def __init__(self, entries: _Optional[_Iterable[_Union[DrawEntry, _Mapping]]] = ..., has_next_page: _Optional[bool] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class DrawEntry(_message.Message):
    __slots__ = ("number", "entry", "place")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    number: int
    entry: bytes
    place: int
    def __init__(self, number: _Optional[int] = ..., entry: _Optional[bytes] = ..., place: _Optional[int] = ...) -> None: ...

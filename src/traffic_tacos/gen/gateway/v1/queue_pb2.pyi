import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueueStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUEUE_STATUS_UNSPECIFIED: _ClassVar[QueueStatus]
    QUEUE_STATUS_WAITING: _ClassVar[QueueStatus]
    QUEUE_STATUS_READY: _ClassVar[QueueStatus]
    QUEUE_STATUS_EXPIRED: _ClassVar[QueueStatus]
    QUEUE_STATUS_LEFT: _ClassVar[QueueStatus]
    QUEUE_STATUS_ERROR: _ClassVar[QueueStatus]

class AdmissionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADMISSION_STATUS_UNSPECIFIED: _ClassVar[AdmissionStatus]
    ADMISSION_STATUS_GRANTED: _ClassVar[AdmissionStatus]
    ADMISSION_STATUS_DENIED: _ClassVar[AdmissionStatus]
    ADMISSION_STATUS_EXPIRED: _ClassVar[AdmissionStatus]
    ADMISSION_STATUS_INVALID: _ClassVar[AdmissionStatus]
QUEUE_STATUS_UNSPECIFIED: QueueStatus
QUEUE_STATUS_WAITING: QueueStatus
QUEUE_STATUS_READY: QueueStatus
QUEUE_STATUS_EXPIRED: QueueStatus
QUEUE_STATUS_LEFT: QueueStatus
QUEUE_STATUS_ERROR: QueueStatus
ADMISSION_STATUS_UNSPECIFIED: AdmissionStatus
ADMISSION_STATUS_GRANTED: AdmissionStatus
ADMISSION_STATUS_DENIED: AdmissionStatus
ADMISSION_STATUS_EXPIRED: AdmissionStatus
ADMISSION_STATUS_INVALID: AdmissionStatus

class JoinQueueRequest(_message.Message):
    __slots__ = ("event_id", "user_id", "session_id", "metadata")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    session_id: str
    metadata: QueueMetadata
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., metadata: _Optional[_Union[QueueMetadata, _Mapping]] = ...) -> None: ...

class JoinQueueResponse(_message.Message):
    __slots__ = ("waiting_token", "position_hint", "eta_seconds", "status", "expires_at", "error")
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    POSITION_HINT_FIELD_NUMBER: _ClassVar[int]
    ETA_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    position_hint: int
    eta_seconds: int
    status: QueueStatus
    expires_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, waiting_token: _Optional[str] = ..., position_hint: _Optional[int] = ..., eta_seconds: _Optional[int] = ..., status: _Optional[_Union[QueueStatus, str]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetQueueStatusRequest(_message.Message):
    __slots__ = ("waiting_token",)
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    def __init__(self, waiting_token: _Optional[str] = ...) -> None: ...

class GetQueueStatusResponse(_message.Message):
    __slots__ = ("status", "position", "eta_seconds", "admission_ready", "expires_at", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ETA_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_READY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: QueueStatus
    position: int
    eta_seconds: int
    admission_ready: bool
    expires_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, status: _Optional[_Union[QueueStatus, str]] = ..., position: _Optional[int] = ..., eta_seconds: _Optional[int] = ..., admission_ready: _Optional[bool] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class RequestAdmissionRequest(_message.Message):
    __slots__ = ("waiting_token", "event_id", "user_id")
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    event_id: str
    user_id: str
    def __init__(self, waiting_token: _Optional[str] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class RequestAdmissionResponse(_message.Message):
    __slots__ = ("admission", "reservation_token", "ttl_seconds", "valid_until", "error")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    admission: AdmissionStatus
    reservation_token: str
    ttl_seconds: int
    valid_until: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, admission: _Optional[_Union[AdmissionStatus, str]] = ..., reservation_token: _Optional[str] = ..., ttl_seconds: _Optional[int] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class LeaveQueueRequest(_message.Message):
    __slots__ = ("waiting_token", "reason")
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    reason: str
    def __init__(self, waiting_token: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class LeaveQueueResponse(_message.Message):
    __slots__ = ("success", "left_at", "error")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    LEFT_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    success: bool
    left_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, success: _Optional[bool] = ..., left_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetQueueStatsRequest(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    def __init__(self, event_id: _Optional[str] = ...) -> None: ...

class GetQueueStatsResponse(_message.Message):
    __slots__ = ("events", "system", "error")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[EventQueueStats]
    system: SystemQueueStats
    error: _errors_pb2.Error
    def __init__(self, events: _Optional[_Iterable[_Union[EventQueueStats, _Mapping]]] = ..., system: _Optional[_Union[SystemQueueStats, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class QueueMetadata(_message.Message):
    __slots__ = ("ip_address", "user_agent", "referer", "country_code", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    IP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    REFERER_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_CODE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    ip_address: str
    user_agent: str
    referer: str
    country_code: str
    headers: _containers.ScalarMap[str, str]
    def __init__(self, ip_address: _Optional[str] = ..., user_agent: _Optional[str] = ..., referer: _Optional[str] = ..., country_code: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class EventQueueStats(_message.Message):
    __slots__ = ("event_id", "total_waiting", "total_admitted", "admission_rate_per_minute", "average_wait_time_seconds", "last_updated")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_WAITING_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ADMITTED_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_RATE_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_WAIT_TIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    total_waiting: int
    total_admitted: int
    admission_rate_per_minute: int
    average_wait_time_seconds: int
    last_updated: _timestamp_pb2.Timestamp
    def __init__(self, event_id: _Optional[str] = ..., total_waiting: _Optional[int] = ..., total_admitted: _Optional[int] = ..., admission_rate_per_minute: _Optional[int] = ..., average_wait_time_seconds: _Optional[int] = ..., last_updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SystemQueueStats(_message.Message):
    __slots__ = ("total_active_queues", "total_waiting_users", "total_admitted_users", "system_capacity_percentage", "average_admission_rate", "last_updated")
    TOTAL_ACTIVE_QUEUES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_WAITING_USERS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ADMITTED_USERS_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_CAPACITY_PERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_ADMISSION_RATE_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_FIELD_NUMBER: _ClassVar[int]
    total_active_queues: int
    total_waiting_users: int
    total_admitted_users: int
    system_capacity_percentage: int
    average_admission_rate: float
    last_updated: _timestamp_pb2.Timestamp
    def __init__(self, total_active_queues: _Optional[int] = ..., total_waiting_users: _Optional[int] = ..., total_admitted_users: _Optional[int] = ..., system_capacity_percentage: _Optional[int] = ..., average_admission_rate: _Optional[float] = ..., last_updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

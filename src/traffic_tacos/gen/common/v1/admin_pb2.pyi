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

class SystemHealthStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYSTEM_HEALTH_STATUS_UNSPECIFIED: _ClassVar[SystemHealthStatus]
    SYSTEM_HEALTH_STATUS_HEALTHY: _ClassVar[SystemHealthStatus]
    SYSTEM_HEALTH_STATUS_DEGRADED: _ClassVar[SystemHealthStatus]
    SYSTEM_HEALTH_STATUS_UNHEALTHY: _ClassVar[SystemHealthStatus]
    SYSTEM_HEALTH_STATUS_CRITICAL: _ClassVar[SystemHealthStatus]

class HealthStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HEALTH_STATUS_UNSPECIFIED: _ClassVar[HealthStatus]
    HEALTH_STATUS_HEALTHY: _ClassVar[HealthStatus]
    HEALTH_STATUS_DEGRADED: _ClassVar[HealthStatus]
    HEALTH_STATUS_UNHEALTHY: _ClassVar[HealthStatus]
    HEALTH_STATUS_UNKNOWN: _ClassVar[HealthStatus]

class MetricType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METRIC_TYPE_UNSPECIFIED: _ClassVar[MetricType]
    METRIC_TYPE_COUNTER: _ClassVar[MetricType]
    METRIC_TYPE_GAUGE: _ClassVar[MetricType]
    METRIC_TYPE_HISTOGRAM: _ClassVar[MetricType]
    METRIC_TYPE_SUMMARY: _ClassVar[MetricType]

class OperationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_TYPE_UNSPECIFIED: _ClassVar[OperationType]
    OPERATION_TYPE_RESTART_SERVICE: _ClassVar[OperationType]
    OPERATION_TYPE_CLEAR_CACHE: _ClassVar[OperationType]
    OPERATION_TYPE_FORCE_SCALE: _ClassVar[OperationType]
    OPERATION_TYPE_DRAIN_QUEUE: _ClassVar[OperationType]
    OPERATION_TYPE_REFRESH_CONFIG: _ClassVar[OperationType]

class OperationStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_STATUS_UNSPECIFIED: _ClassVar[OperationStatus]
    OPERATION_STATUS_PENDING: _ClassVar[OperationStatus]
    OPERATION_STATUS_RUNNING: _ClassVar[OperationStatus]
    OPERATION_STATUS_COMPLETED: _ClassVar[OperationStatus]
    OPERATION_STATUS_FAILED: _ClassVar[OperationStatus]
    OPERATION_STATUS_CANCELLED: _ClassVar[OperationStatus]

class LogLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOG_LEVEL_UNSPECIFIED: _ClassVar[LogLevel]
    LOG_LEVEL_TRACE: _ClassVar[LogLevel]
    LOG_LEVEL_DEBUG: _ClassVar[LogLevel]
    LOG_LEVEL_INFO: _ClassVar[LogLevel]
    LOG_LEVEL_WARN: _ClassVar[LogLevel]
    LOG_LEVEL_ERROR: _ClassVar[LogLevel]
    LOG_LEVEL_FATAL: _ClassVar[LogLevel]

class EmergencyActionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMERGENCY_ACTION_TYPE_UNSPECIFIED: _ClassVar[EmergencyActionType]
    EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS: _ClassVar[EmergencyActionType]
    EMERGENCY_ACTION_TYPE_CANCEL_RESERVATIONS: _ClassVar[EmergencyActionType]
    EMERGENCY_ACTION_TYPE_CIRCUIT_BREAKER: _ClassVar[EmergencyActionType]
    EMERGENCY_ACTION_TYPE_MAINTENANCE_MODE: _ClassVar[EmergencyActionType]
    EMERGENCY_ACTION_TYPE_FORCE_FAILOVER: _ClassVar[EmergencyActionType]
SYSTEM_HEALTH_STATUS_UNSPECIFIED: SystemHealthStatus
SYSTEM_HEALTH_STATUS_HEALTHY: SystemHealthStatus
SYSTEM_HEALTH_STATUS_DEGRADED: SystemHealthStatus
SYSTEM_HEALTH_STATUS_UNHEALTHY: SystemHealthStatus
SYSTEM_HEALTH_STATUS_CRITICAL: SystemHealthStatus
HEALTH_STATUS_UNSPECIFIED: HealthStatus
HEALTH_STATUS_HEALTHY: HealthStatus
HEALTH_STATUS_DEGRADED: HealthStatus
HEALTH_STATUS_UNHEALTHY: HealthStatus
HEALTH_STATUS_UNKNOWN: HealthStatus
METRIC_TYPE_UNSPECIFIED: MetricType
METRIC_TYPE_COUNTER: MetricType
METRIC_TYPE_GAUGE: MetricType
METRIC_TYPE_HISTOGRAM: MetricType
METRIC_TYPE_SUMMARY: MetricType
OPERATION_TYPE_UNSPECIFIED: OperationType
OPERATION_TYPE_RESTART_SERVICE: OperationType
OPERATION_TYPE_CLEAR_CACHE: OperationType
OPERATION_TYPE_FORCE_SCALE: OperationType
OPERATION_TYPE_DRAIN_QUEUE: OperationType
OPERATION_TYPE_REFRESH_CONFIG: OperationType
OPERATION_STATUS_UNSPECIFIED: OperationStatus
OPERATION_STATUS_PENDING: OperationStatus
OPERATION_STATUS_RUNNING: OperationStatus
OPERATION_STATUS_COMPLETED: OperationStatus
OPERATION_STATUS_FAILED: OperationStatus
OPERATION_STATUS_CANCELLED: OperationStatus
LOG_LEVEL_UNSPECIFIED: LogLevel
LOG_LEVEL_TRACE: LogLevel
LOG_LEVEL_DEBUG: LogLevel
LOG_LEVEL_INFO: LogLevel
LOG_LEVEL_WARN: LogLevel
LOG_LEVEL_ERROR: LogLevel
LOG_LEVEL_FATAL: LogLevel
EMERGENCY_ACTION_TYPE_UNSPECIFIED: EmergencyActionType
EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS: EmergencyActionType
EMERGENCY_ACTION_TYPE_CANCEL_RESERVATIONS: EmergencyActionType
EMERGENCY_ACTION_TYPE_CIRCUIT_BREAKER: EmergencyActionType
EMERGENCY_ACTION_TYPE_MAINTENANCE_MODE: EmergencyActionType
EMERGENCY_ACTION_TYPE_FORCE_FAILOVER: EmergencyActionType

class SystemHealthRequest(_message.Message):
    __slots__ = ("services", "include_dependencies")
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedScalarFieldContainer[str]
    include_dependencies: bool
    def __init__(self, services: _Optional[_Iterable[str]] = ..., include_dependencies: _Optional[bool] = ...) -> None: ...

class SystemHealthResponse(_message.Message):
    __slots__ = ("overall_status", "services", "dependencies", "checked_at", "error")
    OVERALL_STATUS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    overall_status: SystemHealthStatus
    services: _containers.RepeatedCompositeFieldContainer[ServiceHealthStatus]
    dependencies: _containers.RepeatedCompositeFieldContainer[DependencyStatus]
    checked_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, overall_status: _Optional[_Union[SystemHealthStatus, str]] = ..., services: _Optional[_Iterable[_Union[ServiceHealthStatus, _Mapping]]] = ..., dependencies: _Optional[_Iterable[_Union[DependencyStatus, _Mapping]]] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ServiceHealthStatus(_message.Message):
    __slots__ = ("service_name", "status", "response_time_ms", "version", "uptime_seconds", "metrics", "issues")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    service_name: str
    status: HealthStatus
    response_time_ms: int
    version: str
    uptime_seconds: int
    metrics: _containers.ScalarMap[str, str]
    issues: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, service_name: _Optional[str] = ..., status: _Optional[_Union[HealthStatus, str]] = ..., response_time_ms: _Optional[int] = ..., version: _Optional[str] = ..., uptime_seconds: _Optional[int] = ..., metrics: _Optional[_Mapping[str, str]] = ..., issues: _Optional[_Iterable[str]] = ...) -> None: ...

class DependencyStatus(_message.Message):
    __slots__ = ("name", "status", "endpoint", "response_time_ms", "last_check")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_CHECK_FIELD_NUMBER: _ClassVar[int]
    name: str
    status: HealthStatus
    endpoint: str
    response_time_ms: int
    last_check: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., status: _Optional[_Union[HealthStatus, str]] = ..., endpoint: _Optional[str] = ..., response_time_ms: _Optional[int] = ..., last_check: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetMetricsRequest(_message.Message):
    __slots__ = ("service", "metric_type", "start_time", "end_time", "aggregation")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METRIC_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    service: str
    metric_type: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    aggregation: str
    def __init__(self, service: _Optional[str] = ..., metric_type: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., aggregation: _Optional[str] = ...) -> None: ...

class GetMetricsResponse(_message.Message):
    __slots__ = ("metrics", "collected_at", "error")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    COLLECTED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricData]
    collected_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, metrics: _Optional[_Iterable[_Union[MetricData, _Mapping]]] = ..., collected_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class MetricData(_message.Message):
    __slots__ = ("name", "service", "type", "value", "unit", "labels", "timestamp")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    name: str
    service: str
    type: MetricType
    value: float
    unit: str
    labels: _containers.ScalarMap[str, str]
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., service: _Optional[str] = ..., type: _Optional[_Union[MetricType, str]] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UpdateConfigRequest(_message.Message):
    __slots__ = ("service", "config_key", "config_value", "apply_immediately", "reason")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_KEY_FIELD_NUMBER: _ClassVar[int]
    CONFIG_VALUE_FIELD_NUMBER: _ClassVar[int]
    APPLY_IMMEDIATELY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    service: str
    config_key: str
    config_value: str
    apply_immediately: bool
    reason: str
    def __init__(self, service: _Optional[str] = ..., config_key: _Optional[str] = ..., config_value: _Optional[str] = ..., apply_immediately: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class UpdateConfigResponse(_message.Message):
    __slots__ = ("updated", "old_value", "new_value", "updated_at", "error")
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    OLD_VALUE_FIELD_NUMBER: _ClassVar[int]
    NEW_VALUE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    updated: bool
    old_value: str
    new_value: str
    updated_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, updated: _Optional[bool] = ..., old_value: _Optional[str] = ..., new_value: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class TriggerOperationRequest(_message.Message):
    __slots__ = ("operation", "target_service", "parameters", "reason", "dry_run")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    TARGET_SERVICE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    operation: OperationType
    target_service: str
    parameters: _containers.ScalarMap[str, str]
    reason: str
    dry_run: bool
    def __init__(self, operation: _Optional[_Union[OperationType, str]] = ..., target_service: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., reason: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class TriggerOperationResponse(_message.Message):
    __slots__ = ("triggered", "operation_id", "status", "result", "triggered_at", "error")
    TRIGGERED_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    TRIGGERED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    triggered: bool
    operation_id: str
    status: OperationStatus
    result: str
    triggered_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, triggered: _Optional[bool] = ..., operation_id: _Optional[str] = ..., status: _Optional[_Union[OperationStatus, str]] = ..., result: _Optional[str] = ..., triggered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetLogsRequest(_message.Message):
    __slots__ = ("service", "level", "start_time", "end_time", "limit", "search_query")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEARCH_QUERY_FIELD_NUMBER: _ClassVar[int]
    service: str
    level: LogLevel
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    limit: int
    search_query: str
    def __init__(self, service: _Optional[str] = ..., level: _Optional[_Union[LogLevel, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ..., search_query: _Optional[str] = ...) -> None: ...

class GetLogsResponse(_message.Message):
    __slots__ = ("logs", "has_more", "next_cursor", "error")
    LOGS_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    logs: _containers.RepeatedCompositeFieldContainer[LogEntry]
    has_more: bool
    next_cursor: str
    error: _errors_pb2.Error
    def __init__(self, logs: _Optional[_Iterable[_Union[LogEntry, _Mapping]]] = ..., has_more: _Optional[bool] = ..., next_cursor: _Optional[str] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class LogEntry(_message.Message):
    __slots__ = ("timestamp", "level", "service", "message", "trace_id", "fields")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    timestamp: _timestamp_pb2.Timestamp
    level: LogLevel
    service: str
    message: str
    trace_id: str
    fields: _containers.ScalarMap[str, str]
    def __init__(self, timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., level: _Optional[_Union[LogLevel, str]] = ..., service: _Optional[str] = ..., message: _Optional[str] = ..., trace_id: _Optional[str] = ..., fields: _Optional[_Mapping[str, str]] = ...) -> None: ...

class EmergencyActionRequest(_message.Message):
    __slots__ = ("action", "reason", "parameters", "confirm")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_FIELD_NUMBER: _ClassVar[int]
    action: EmergencyActionType
    reason: str
    parameters: _containers.ScalarMap[str, str]
    confirm: bool
    def __init__(self, action: _Optional[_Union[EmergencyActionType, str]] = ..., reason: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., confirm: _Optional[bool] = ...) -> None: ...

class EmergencyActionResponse(_message.Message):
    __slots__ = ("executed", "action_id", "result", "executed_at", "error")
    EXECUTED_FIELD_NUMBER: _ClassVar[int]
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    executed: bool
    action_id: str
    result: str
    executed_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, executed: _Optional[bool] = ..., action_id: _Optional[str] = ..., result: _Optional[str] = ..., executed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

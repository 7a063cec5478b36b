import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from traffic_tacos.gen.common.v1 import types_pb2 as _types_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProcessingStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROCESSING_STATUS_UNSPECIFIED: _ClassVar[ProcessingStatus]
    PROCESSING_STATUS_SUCCESS: _ClassVar[ProcessingStatus]
    PROCESSING_STATUS_FAILED: _ClassVar[ProcessingStatus]
    PROCESSING_STATUS_RETRY: _ClassVar[ProcessingStatus]
    PROCESSING_STATUS_SKIPPED: _ClassVar[ProcessingStatus]
    PROCESSING_STATUS_DLQ: _ClassVar[ProcessingStatus]

class PaymentResultType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_RESULT_TYPE_UNSPECIFIED: _ClassVar[PaymentResultType]
    PAYMENT_RESULT_TYPE_APPROVED: _ClassVar[PaymentResultType]
    PAYMENT_RESULT_TYPE_FAILED: _ClassVar[PaymentResultType]
    PAYMENT_RESULT_TYPE_CANCELLED: _ClassVar[PaymentResultType]
    PAYMENT_RESULT_TYPE_REFUNDED: _ClassVar[PaymentResultType]
    PAYMENT_RESULT_TYPE_TIMEOUT: _ClassVar[PaymentResultType]

class CompensationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPENSATION_TYPE_UNSPECIFIED: _ClassVar[CompensationType]
    COMPENSATION_TYPE_RELEASE_SEATS: _ClassVar[CompensationType]
    COMPENSATION_TYPE_REFUND_PAYMENT: _ClassVar[CompensationType]
    COMPENSATION_TYPE_CANCEL_RESERVATION: _ClassVar[CompensationType]
    COMPENSATION_TYPE_CLEANUP_ORPHANED: _ClassVar[CompensationType]

class WorkerStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKER_STATUS_UNSPECIFIED: _ClassVar[WorkerStatus]
    WORKER_STATUS_HEALTHY: _ClassVar[WorkerStatus]
    WORKER_STATUS_DEGRADED: _ClassVar[WorkerStatus]
    WORKER_STATUS_UNHEALTHY: _ClassVar[WorkerStatus]
    WORKER_STATUS_TERMINATED: _ClassVar[WorkerStatus]

class CompensationActionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPENSATION_ACTION_TYPE_UNSPECIFIED: _ClassVar[CompensationActionType]
    COMPENSATION_ACTION_TYPE_INVENTORY_RELEASE: _ClassVar[CompensationActionType]
    COMPENSATION_ACTION_TYPE_PAYMENT_REFUND: _ClassVar[CompensationActionType]
    COMPENSATION_ACTION_TYPE_RESERVATION_CANCEL: _ClassVar[CompensationActionType]
    COMPENSATION_ACTION_TYPE_EVENT_REPUBLISH: _ClassVar[CompensationActionType]
    COMPENSATION_ACTION_TYPE_MANUAL_REVIEW: _ClassVar[CompensationActionType]

class JobInstanceStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_INSTANCE_STATUS_UNSPECIFIED: _ClassVar[JobInstanceStatus]
    JOB_INSTANCE_STATUS_PENDING: _ClassVar[JobInstanceStatus]
    JOB_INSTANCE_STATUS_RUNNING: _ClassVar[JobInstanceStatus]
    JOB_INSTANCE_STATUS_COMPLETED: _ClassVar[JobInstanceStatus]
    JOB_INSTANCE_STATUS_FAILED: _ClassVar[JobInstanceStatus]
    JOB_INSTANCE_STATUS_TERMINATED: _ClassVar[JobInstanceStatus]
PROCESSING_STATUS_UNSPECIFIED: ProcessingStatus
PROCESSING_STATUS_SUCCESS: ProcessingStatus
PROCESSING_STATUS_FAILED: ProcessingStatus
PROCESSING_STATUS_RETRY: ProcessingStatus
PROCESSING_STATUS_SKIPPED: ProcessingStatus
PROCESSING_STATUS_DLQ: ProcessingStatus
PAYMENT_RESULT_TYPE_UNSPECIFIED: PaymentResultType
PAYMENT_RESULT_TYPE_APPROVED: PaymentResultType
PAYMENT_RESULT_TYPE_FAILED: PaymentResultType
PAYMENT_RESULT_TYPE_CANCELLED: PaymentResultType
PAYMENT_RESULT_TYPE_REFUNDED: PaymentResultType
PAYMENT_RESULT_TYPE_TIMEOUT: PaymentResultType
COMPENSATION_TYPE_UNSPECIFIED: CompensationType
COMPENSATION_TYPE_RELEASE_SEATS: CompensationType
COMPENSATION_TYPE_REFUND_PAYMENT: CompensationType
COMPENSATION_TYPE_CANCEL_RESERVATION: CompensationType
COMPENSATION_TYPE_CLEANUP_ORPHANED: CompensationType
WORKER_STATUS_UNSPECIFIED: WorkerStatus
WORKER_STATUS_HEALTHY: WorkerStatus
WORKER_STATUS_DEGRADED: WorkerStatus
WORKER_STATUS_UNHEALTHY: WorkerStatus
WORKER_STATUS_TERMINATED: WorkerStatus
COMPENSATION_ACTION_TYPE_UNSPECIFIED: CompensationActionType
COMPENSATION_ACTION_TYPE_INVENTORY_RELEASE: CompensationActionType
COMPENSATION_ACTION_TYPE_PAYMENT_REFUND: CompensationActionType
COMPENSATION_ACTION_TYPE_RESERVATION_CANCEL: CompensationActionType
COMPENSATION_ACTION_TYPE_EVENT_REPUBLISH: CompensationActionType
COMPENSATION_ACTION_TYPE_MANUAL_REVIEW: CompensationActionType
JOB_INSTANCE_STATUS_UNSPECIFIED: JobInstanceStatus
JOB_INSTANCE_STATUS_PENDING: JobInstanceStatus
JOB_INSTANCE_STATUS_RUNNING: JobInstanceStatus
JOB_INSTANCE_STATUS_COMPLETED: JobInstanceStatus
JOB_INSTANCE_STATUS_FAILED: JobInstanceStatus
JOB_INSTANCE_STATUS_TERMINATED: JobInstanceStatus

class ProcessExpiryRequest(_message.Message):
    __slots__ = ("reservation_id", "event_id", "seat_ids", "quantity", "expired_at", "correlation_id", "retry_count")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEAT_IDS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_AT_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    event_id: str
    seat_ids: _containers.RepeatedScalarFieldContainer[str]
    quantity: int
    expired_at: _timestamp_pb2.Timestamp
    correlation_id: str
    retry_count: int
    def __init__(self, reservation_id: _Optional[str] = ..., event_id: _Optional[str] = ..., seat_ids: _Optional[_Iterable[str]] = ..., quantity: _Optional[int] = ..., expired_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., correlation_id: _Optional[str] = ..., retry_count: _Optional[int] = ...) -> None: ...

class ProcessExpiryResponse(_message.Message):
    __slots__ = ("status", "released_seats", "processed_at", "next_action", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RELEASED_SEATS_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: ProcessingStatus
    released_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    processed_at: _timestamp_pb2.Timestamp
    next_action: str
    error: _errors_pb2.Error
    def __init__(self, status: _Optional[_Union[ProcessingStatus, str]] = ..., released_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_action: _Optional[str] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ProcessPaymentRequest(_message.Message):
    __slots__ = ("reservation_id", "payment_intent_id", "result_type", "event_data", "correlation_id", "retry_count")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_DATA_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    payment_intent_id: str
    result_type: PaymentResultType
    event_data: PaymentEventData
    correlation_id: str
    retry_count: int
    def __init__(self, reservation_id: _Optional[str] = ..., payment_intent_id: _Optional[str] = ..., result_type: _Optional[_Union[PaymentResultType, str]] = ..., event_data: _Optional[_Union[PaymentEventData, _Mapping]] = ..., correlation_id: _Optional[str] = ..., retry_count: _Optional[int] = ...) -> None: ...

class ProcessPaymentResponse(_message.Message):
    __slots__ = ("status", "order_id", "affected_seats", "processed_at", "next_action", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_SEATS_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: ProcessingStatus
    order_id: str
    affected_seats: _containers.RepeatedCompositeFieldContainer[_types_pb2.Seat]
    processed_at: _timestamp_pb2.Timestamp
    next_action: str
    error: _errors_pb2.Error
    def __init__(self, status: _Optional[_Union[ProcessingStatus, str]] = ..., order_id: _Optional[str] = ..., affected_seats: _Optional[_Iterable[_Union[_types_pb2.Seat, _Mapping]]] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_action: _Optional[str] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ProcessCompensationRequest(_message.Message):
    __slots__ = ("reservation_id", "compensation_type", "original_operation", "failure_reason", "context", "correlation_id", "retry_count")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    COMPENSATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_OPERATION_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    compensation_type: CompensationType
    original_operation: str
    failure_reason: str
    context: _containers.ScalarMap[str, str]
    correlation_id: str
    retry_count: int
    def __init__(self, reservation_id: _Optional[str] = ..., compensation_type: _Optional[_Union[CompensationType, str]] = ..., original_operation: _Optional[str] = ..., failure_reason: _Optional[str] = ..., context: _Optional[_Mapping[str, str]] = ..., correlation_id: _Optional[str] = ..., retry_count: _Optional[int] = ...) -> None: ...

class ProcessCompensationResponse(_message.Message):
    __slots__ = ("status", "actions_taken", "processed_at", "requires_manual_intervention", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_TAKEN_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_MANUAL_INTERVENTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: ProcessingStatus
    actions_taken: _containers.RepeatedCompositeFieldContainer[CompensationAction]
    processed_at: _timestamp_pb2.Timestamp
    requires_manual_intervention: bool
    error: _errors_pb2.Error
    def __init__(self, status: _Optional[_Union[ProcessingStatus, str]] = ..., actions_taken: _Optional[_Iterable[_Union[CompensationAction, _Mapping]]] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., requires_manual_intervention: _Optional[bool] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class HealthCheckRequest(_message.Message):
    __slots__ = ("worker_instance_id",)
    WORKER_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    worker_instance_id: str
    def __init__(self, worker_instance_id: _Optional[str] = ...) -> None: ...

class HealthCheckResponse(_message.Message):
    __slots__ = ("status", "processed_events_count", "failed_events_count", "last_processed_at", "queue_depth", "started_at", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_EVENTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_EVENTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_DEPTH_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: WorkerStatus
    processed_events_count: int
    failed_events_count: int
    last_processed_at: _timestamp_pb2.Timestamp
    queue_depth: int
    started_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, status: _Optional[_Union[WorkerStatus, str]] = ..., processed_events_count: _Optional[int] = ..., failed_events_count: _Optional[int] = ..., last_processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., queue_depth: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class GetJobStatusRequest(_message.Message):
    __slots__ = ("job_id", "event_type")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    event_type: str
    def __init__(self, job_id: _Optional[str] = ..., event_type: _Optional[str] = ...) -> None: ...

class GetJobStatusResponse(_message.Message):
    __slots__ = ("jobs", "metrics", "error")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[JobInstance]
    metrics: JobMetrics
    error: _errors_pb2.Error
    def __init__(self, jobs: _Optional[_Iterable[_Union[JobInstance, _Mapping]]] = ..., metrics: _Optional[_Union[JobMetrics, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class PaymentEventData(_message.Message):
    __slots__ = ("payment_intent_id", "transaction_id", "amount", "processed_at", "gateway_response", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    GATEWAY_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    payment_intent_id: str
    transaction_id: str
    amount: _types_pb2.Money
    processed_at: _timestamp_pb2.Timestamp
    gateway_response: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, payment_intent_id: _Optional[str] = ..., transaction_id: _Optional[str] = ..., amount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., gateway_response: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CompensationAction(_message.Message):
    __slots__ = ("action_type", "target_service", "action_description", "success", "executed_at")
    ACTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    TARGET_SERVICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_AT_FIELD_NUMBER: _ClassVar[int]
    action_type: CompensationActionType
    target_service: str
    action_description: str
    success: bool
    executed_at: _timestamp_pb2.Timestamp
    def __init__(self, action_type: _Optional[_Union[CompensationActionType, str]] = ..., target_service: _Optional[str] = ..., action_description: _Optional[str] = ..., success: _Optional[bool] = ..., executed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class JobInstance(_message.Message):
    __slots__ = ("job_id", "worker_id", "status", "started_at", "completed_at", "events_processed", "events_failed")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_PROCESSED_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FAILED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    worker_id: str
    status: JobInstanceStatus
    started_at: _timestamp_pb2.Timestamp
    completed_at: _timestamp_pb2.Timestamp
    events_processed: int
    events_failed: int
    def __init__(self, job_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., status: _Optional[_Union[JobInstanceStatus, str]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events_processed: _Optional[int] = ..., events_failed: _Optional[int] = ...) -> None: ...

class JobMetrics(_message.Message):
    __slots__ = ("total_active_jobs", "total_events_pending", "total_events_processing", "total_events_completed", "total_events_failed", "average_processing_time_ms", "last_updated")
    TOTAL_ACTIVE_JOBS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EVENTS_PENDING_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EVENTS_PROCESSING_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EVENTS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EVENTS_FAILED_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_PROCESSING_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_FIELD_NUMBER: _ClassVar[int]
    total_active_jobs: int
    total_events_pending: int
    total_events_processing: int
    total_events_completed: int
    total_events_failed: int
    average_processing_time_ms: float
    last_updated: _timestamp_pb2.Timestamp
    def __init__(self, total_active_jobs: _Optional[int] = ..., total_events_pending: _Optional[int] = ..., total_events_processing: _Optional[int] = ..., total_events_completed: _Optional[int] = ..., total_events_failed: _Optional[int] = ..., average_processing_time_ms: _Optional[float] = ..., last_updated: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

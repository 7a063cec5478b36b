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

class PaymentWebhookType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_WEBHOOK_TYPE_UNSPECIFIED: _ClassVar[PaymentWebhookType]
    PAYMENT_WEBHOOK_TYPE_APPROVED: _ClassVar[PaymentWebhookType]
    PAYMENT_WEBHOOK_TYPE_FAILED: _ClassVar[PaymentWebhookType]
    PAYMENT_WEBHOOK_TYPE_CANCELLED: _ClassVar[PaymentWebhookType]
    PAYMENT_WEBHOOK_TYPE_REFUNDED: _ClassVar[PaymentWebhookType]
    PAYMENT_WEBHOOK_TYPE_PENDING: _ClassVar[PaymentWebhookType]

class PaymentWebhookStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_WEBHOOK_STATUS_UNSPECIFIED: _ClassVar[PaymentWebhookStatus]
    PAYMENT_WEBHOOK_STATUS_SUCCESS: _ClassVar[PaymentWebhookStatus]
    PAYMENT_WEBHOOK_STATUS_FAILED: _ClassVar[PaymentWebhookStatus]
    PAYMENT_WEBHOOK_STATUS_CANCELLED: _ClassVar[PaymentWebhookStatus]
    PAYMENT_WEBHOOK_STATUS_REFUNDED: _ClassVar[PaymentWebhookStatus]
    PAYMENT_WEBHOOK_STATUS_TIMEOUT: _ClassVar[PaymentWebhookStatus]

class WebhookEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEBHOOK_EVENT_TYPE_UNSPECIFIED: _ClassVar[WebhookEventType]
    WEBHOOK_EVENT_TYPE_PAYMENT_APPROVED: _ClassVar[WebhookEventType]
    WEBHOOK_EVENT_TYPE_PAYMENT_FAILED: _ClassVar[WebhookEventType]
    WEBHOOK_EVENT_TYPE_PAYMENT_CANCELLED: _ClassVar[WebhookEventType]
    WEBHOOK_EVENT_TYPE_RESERVATION_EXPIRED: _ClassVar[WebhookEventType]
    WEBHOOK_EVENT_TYPE_SYSTEM_MAINTENANCE: _ClassVar[WebhookEventType]
PAYMENT_WEBHOOK_TYPE_UNSPECIFIED: PaymentWebhookType
PAYMENT_WEBHOOK_TYPE_APPROVED: PaymentWebhookType
PAYMENT_WEBHOOK_TYPE_FAILED: PaymentWebhookType
PAYMENT_WEBHOOK_TYPE_CANCELLED: PaymentWebhookType
PAYMENT_WEBHOOK_TYPE_REFUNDED: PaymentWebhookType
PAYMENT_WEBHOOK_TYPE_PENDING: PaymentWebhookType
PAYMENT_WEBHOOK_STATUS_UNSPECIFIED: PaymentWebhookStatus
PAYMENT_WEBHOOK_STATUS_SUCCESS: PaymentWebhookStatus
PAYMENT_WEBHOOK_STATUS_FAILED: PaymentWebhookStatus
PAYMENT_WEBHOOK_STATUS_CANCELLED: PaymentWebhookStatus
PAYMENT_WEBHOOK_STATUS_REFUNDED: PaymentWebhookStatus
PAYMENT_WEBHOOK_STATUS_TIMEOUT: PaymentWebhookStatus
WEBHOOK_EVENT_TYPE_UNSPECIFIED: WebhookEventType
WEBHOOK_EVENT_TYPE_PAYMENT_APPROVED: WebhookEventType
WEBHOOK_EVENT_TYPE_PAYMENT_FAILED: WebhookEventType
WEBHOOK_EVENT_TYPE_PAYMENT_CANCELLED: WebhookEventType
WEBHOOK_EVENT_TYPE_RESERVATION_EXPIRED: WebhookEventType
WEBHOOK_EVENT_TYPE_SYSTEM_MAINTENANCE: WebhookEventType

class PaymentWebhookRequest(_message.Message):
    __slots__ = ("webhook_id", "event_type", "data", "timestamp", "signature", "source", "attempt")
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    webhook_id: str
    event_type: PaymentWebhookType
    data: PaymentWebhookData
    timestamp: _timestamp_pb2.Timestamp
    signature: str
    source: str
    attempt: int
    def __init__(self, webhook_id: _Optional[str] = ..., event_type: _Optional[_Union[PaymentWebhookType, str]] = ..., data: _Optional[_Union[PaymentWebhookData, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., signature: _Optional[str] = ..., source: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class PaymentWebhookResponse(_message.Message):
    __slots__ = ("accepted", "correlation_id", "processed_at", "next_action", "error")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_ACTION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    correlation_id: str
    processed_at: _timestamp_pb2.Timestamp
    next_action: str
    error: _errors_pb2.Error
    def __init__(self, accepted: _Optional[bool] = ..., correlation_id: _Optional[str] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_action: _Optional[str] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ExpiryWebhookRequest(_message.Message):
    __slots__ = ("webhook_id", "reservation_id", "expired_at", "source", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    webhook_id: str
    reservation_id: str
    expired_at: _timestamp_pb2.Timestamp
    source: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, webhook_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., expired_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ExpiryWebhookResponse(_message.Message):
    __slots__ = ("accepted", "correlation_id", "processed_at", "error")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    correlation_id: str
    processed_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, accepted: _Optional[bool] = ..., correlation_id: _Optional[str] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class RegisterWebhookRequest(_message.Message):
    __slots__ = ("service_name", "endpoint_url", "event_types", "secret", "config")
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_URL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    service_name: str
    endpoint_url: str
    event_types: _containers.RepeatedScalarFieldContainer[WebhookEventType]
    secret: str
    config: WebhookConfig
    def __init__(self, service_name: _Optional[str] = ..., endpoint_url: _Optional[str] = ..., event_types: _Optional[_Iterable[_Union[WebhookEventType, str]]] = ..., secret: _Optional[str] = ..., config: _Optional[_Union[WebhookConfig, _Mapping]] = ...) -> None: ...

class RegisterWebhookResponse(_message.Message):
    __slots__ = ("webhook_id", "registered", "registered_at", "error")
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    webhook_id: str
    registered: bool
    registered_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, webhook_id: _Optional[str] = ..., registered: _Optional[bool] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class ValidateWebhookRequest(_message.Message):
    __slots__ = ("payload", "signature", "webhook_id")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    payload: str
    signature: str
    webhook_id: str
    def __init__(self, payload: _Optional[str] = ..., signature: _Optional[str] = ..., webhook_id: _Optional[str] = ...) -> None: ...

class ValidateWebhookResponse(_message.Message):
    __slots__ = ("valid", "reason", "validated_at", "error")
    VALID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALIDATED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    reason: str
    validated_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, valid: _Optional[bool] = ..., reason: _Optional[str] = ..., validated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class PaymentWebhookData(_message.Message):
    __slots__ = ("payment_intent_id", "reservation_id", "transaction_id", "status", "amount", "failure_reason", "metadata", "processed_at")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_AT_FIELD_NUMBER: _ClassVar[int]
    payment_intent_id: str
    reservation_id: str
    transaction_id: str
    status: PaymentWebhookStatus
    amount: _types_pb2.Money
    failure_reason: str
    metadata: _containers.ScalarMap[str, str]
    processed_at: _timestamp_pb2.Timestamp
    def __init__(self, payment_intent_id: _Optional[str] = ..., reservation_id: _Optional[str] = ..., transaction_id: _Optional[str] = ..., status: _Optional[_Union[PaymentWebhookStatus, str]] = ..., amount: _Optional[_Union[_types_pb2.Money, _Mapping]] = ..., failure_reason: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., processed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WebhookConfig(_message.Message):
    __slots__ = ("retry_count", "timeout_seconds", "verify_ssl", "headers", "content_type")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RETRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VERIFY_SSL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    retry_count: int
    timeout_seconds: int
    verify_ssl: bool
    headers: _containers.ScalarMap[str, str]
    content_type: str
    def __init__(self, retry_count: _Optional[int] = ..., timeout_seconds: _Optional[int] = ..., verify_ssl: _Optional[bool] = ..., headers: _Optional[_Mapping[str, str]] = ..., content_type: _Optional[str] = ...) -> None: ...

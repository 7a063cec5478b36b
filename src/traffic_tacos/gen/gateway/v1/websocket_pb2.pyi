import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2 as _payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as _reservation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_TYPE_UNSPECIFIED: _ClassVar[EventType]
    EVENT_TYPE_QUEUE_UPDATE: _ClassVar[EventType]
    EVENT_TYPE_SYSTEM_UPDATE: _ClassVar[EventType]
    EVENT_TYPE_RESERVATION_UPDATE: _ClassVar[EventType]
    EVENT_TYPE_PAYMENT_UPDATE: _ClassVar[EventType]
    EVENT_TYPE_MESSAGE: _ClassVar[EventType]
    EVENT_TYPE_ERROR: _ClassVar[EventType]

class QueueEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUEUE_EVENT_TYPE_UNSPECIFIED: _ClassVar[QueueEventType]
    QUEUE_EVENT_TYPE_POSITION_CHANGED: _ClassVar[QueueEventType]
    QUEUE_EVENT_TYPE_ADMISSION_READY: _ClassVar[QueueEventType]
    QUEUE_EVENT_TYPE_TOKEN_EXPIRED: _ClassVar[QueueEventType]
    QUEUE_EVENT_TYPE_QUEUE_PAUSED: _ClassVar[QueueEventType]
    QUEUE_EVENT_TYPE_QUEUE_RESUMED: _ClassVar[QueueEventType]

class SystemEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYSTEM_EVENT_TYPE_UNSPECIFIED: _ClassVar[SystemEventType]
    SYSTEM_EVENT_TYPE_CAPACITY_CHANGED: _ClassVar[SystemEventType]
    SYSTEM_EVENT_TYPE_MAINTENANCE_MODE: _ClassVar[SystemEventType]
    SYSTEM_EVENT_TYPE_EVENT_SOLD_OUT: _ClassVar[SystemEventType]
    SYSTEM_EVENT_TYPE_EVENT_CANCELLED: _ClassVar[SystemEventType]
    SYSTEM_EVENT_TYPE_ADMISSION_RATE_CHANGED: _ClassVar[SystemEventType]

class ReservationEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESERVATION_EVENT_TYPE_UNSPECIFIED: _ClassVar[ReservationEventType]
    RESERVATION_EVENT_TYPE_CREATED: _ClassVar[ReservationEventType]
    RESERVATION_EVENT_TYPE_CONFIRMED: _ClassVar[ReservationEventType]
    RESERVATION_EVENT_TYPE_CANCELLED: _ClassVar[ReservationEventType]
    RESERVATION_EVENT_TYPE_EXPIRED: _ClassVar[ReservationEventType]
    RESERVATION_EVENT_TYPE_EXPIRING_SOON: _ClassVar[ReservationEventType]

class PaymentEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_EVENT_TYPE_UNSPECIFIED: _ClassVar[PaymentEventType]
    PAYMENT_EVENT_TYPE_CREATED: _ClassVar[PaymentEventType]
    PAYMENT_EVENT_TYPE_PROCESSING: _ClassVar[PaymentEventType]
    PAYMENT_EVENT_TYPE_COMPLETED: _ClassVar[PaymentEventType]
    PAYMENT_EVENT_TYPE_FAILED: _ClassVar[PaymentEventType]
    PAYMENT_EVENT_TYPE_REFUNDED: _ClassVar[PaymentEventType]

class MessageType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_TYPE_UNSPECIFIED: _ClassVar[MessageType]
    MESSAGE_TYPE_INFO: _ClassVar[MessageType]
    MESSAGE_TYPE_WARNING: _ClassVar[MessageType]
    MESSAGE_TYPE_ERROR: _ClassVar[MessageType]
    MESSAGE_TYPE_SUCCESS: _ClassVar[MessageType]
    MESSAGE_TYPE_PROMOTION: _ClassVar[MessageType]

class MessagePriority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_PRIORITY_UNSPECIFIED: _ClassVar[MessagePriority]
    MESSAGE_PRIORITY_LOW: _ClassVar[MessagePriority]
    MESSAGE_PRIORITY_NORMAL: _ClassVar[MessagePriority]
    MESSAGE_PRIORITY_HIGH: _ClassVar[MessagePriority]
    MESSAGE_PRIORITY_URGENT: _ClassVar[MessagePriority]
EVENT_TYPE_UNSPECIFIED: EventType
EVENT_TYPE_QUEUE_UPDATE: EventType
EVENT_TYPE_SYSTEM_UPDATE: EventType
EVENT_TYPE_RESERVATION_UPDATE: EventType
EVENT_TYPE_PAYMENT_UPDATE: EventType
EVENT_TYPE_MESSAGE: EventType
EVENT_TYPE_ERROR: EventType
QUEUE_EVENT_TYPE_UNSPECIFIED: QueueEventType
QUEUE_EVENT_TYPE_POSITION_CHANGED: QueueEventType
QUEUE_EVENT_TYPE_ADMISSION_READY: QueueEventType
QUEUE_EVENT_TYPE_TOKEN_EXPIRED: QueueEventType
QUEUE_EVENT_TYPE_QUEUE_PAUSED: QueueEventType
QUEUE_EVENT_TYPE_QUEUE_RESUMED: QueueEventType
SYSTEM_EVENT_TYPE_UNSPECIFIED: SystemEventType
SYSTEM_EVENT_TYPE_CAPACITY_CHANGED: SystemEventType
SYSTEM_EVENT_TYPE_MAINTENANCE_MODE: SystemEventType
SYSTEM_EVENT_TYPE_EVENT_SOLD_OUT: SystemEventType
SYSTEM_EVENT_TYPE_EVENT_CANCELLED: SystemEventType
SYSTEM_EVENT_TYPE_ADMISSION_RATE_CHANGED: SystemEventType
RESERVATION_EVENT_TYPE_UNSPECIFIED: ReservationEventType
RESERVATION_EVENT_TYPE_CREATED: ReservationEventType
RESERVATION_EVENT_TYPE_CONFIRMED: ReservationEventType
RESERVATION_EVENT_TYPE_CANCELLED: ReservationEventType
RESERVATION_EVENT_TYPE_EXPIRED: ReservationEventType
RESERVATION_EVENT_TYPE_EXPIRING_SOON: ReservationEventType
PAYMENT_EVENT_TYPE_UNSPECIFIED: PaymentEventType
PAYMENT_EVENT_TYPE_CREATED: PaymentEventType
PAYMENT_EVENT_TYPE_PROCESSING: PaymentEventType
PAYMENT_EVENT_TYPE_COMPLETED: PaymentEventType
PAYMENT_EVENT_TYPE_FAILED: PaymentEventType
PAYMENT_EVENT_TYPE_REFUNDED: PaymentEventType
MESSAGE_TYPE_UNSPECIFIED: MessageType
MESSAGE_TYPE_INFO: MessageType
MESSAGE_TYPE_WARNING: MessageType
MESSAGE_TYPE_ERROR: MessageType
MESSAGE_TYPE_SUCCESS: MessageType
MESSAGE_TYPE_PROMOTION: MessageType
MESSAGE_PRIORITY_UNSPECIFIED: MessagePriority
MESSAGE_PRIORITY_LOW: MessagePriority
MESSAGE_PRIORITY_NORMAL: MessagePriority
MESSAGE_PRIORITY_HIGH: MessagePriority
MESSAGE_PRIORITY_URGENT: MessagePriority

class StreamQueueRequest(_message.Message):
    __slots__ = ("waiting_token", "session_id", "event_id")
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    session_id: str
    event_id: str
    def __init__(self, waiting_token: _Optional[str] = ..., session_id: _Optional[str] = ..., event_id: _Optional[str] = ...) -> None: ...

class QueueUpdateEvent(_message.Message):
    __slots__ = ("type", "queue_update", "system_update", "timestamp", "correlation_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_UPDATE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    type: EventType
    queue_update: QueueUpdate
    system_update: SystemUpdate
    timestamp: _timestamp_pb2.Timestamp
    correlation_id: str
    def __init__(self, type: _Optional[_Union[EventType, str]] = ..., queue_update: _Optional[_Union[QueueUpdate, _Mapping]] = ..., system_update: _Optional[_Union[SystemUpdate, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class QueueUpdate(_message.Message):
    __slots__ = ("waiting_token", "position", "eta_seconds", "event_type", "admission_ready", "expires_at")
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ETA_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_READY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    position: int
    eta_seconds: int
    event_type: QueueEventType
    admission_ready: bool
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, waiting_token: _Optional[str] = ..., position: _Optional[int] = ..., eta_seconds: _Optional[int] = ..., event_type: _Optional[_Union[QueueEventType, str]] = ..., admission_ready: _Optional[bool] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SystemUpdate(_message.Message):
    __slots__ = ("event_id", "total_waiting", "admission_rate", "event_type", "message")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_WAITING_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_RATE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    total_waiting: int
    admission_rate: int
    event_type: SystemEventType
    message: str
    def __init__(self, event_id: _Optional[str] = ..., total_waiting: _Optional[int] = ..., admission_rate: _Optional[int] = ..., event_type: _Optional[_Union[SystemEventType, str]] = ..., message: _Optional[str] = ...) -> None: ...

class StreamReservationRequest(_message.Message):
    __slots__ = ("user_id", "session_id", "reservation_ids")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_IDS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    reservation_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., reservation_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReservationUpdateEvent(_message.Message):
    __slots__ = ("type", "reservation_update", "timestamp", "correlation_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    type: EventType
    reservation_update: ReservationUpdate
    timestamp: _timestamp_pb2.Timestamp
    correlation_id: str
    def __init__(self, type: _Optional[_Union[EventType, str]] = ..., reservation_update: _Optional[_Union[ReservationUpdate, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class ReservationUpdate(_message.Message):
    __slots__ = ("reservation_id", "old_status", "new_status", "hold_expires_at", "message", "event_type")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    OLD_STATUS_FIELD_NUMBER: _ClassVar[int]
    NEW_STATUS_FIELD_NUMBER: _ClassVar[int]
    HOLD_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    old_status: _reservation_pb2.ReservationStatus
    new_status: _reservation_pb2.ReservationStatus
    hold_expires_at: _timestamp_pb2.Timestamp
    message: str
    event_type: ReservationEventType
    def __init__(self, reservation_id: _Optional[str] = ..., old_status: _Optional[_Union[_reservation_pb2.ReservationStatus, str]] = ..., new_status: _Optional[_Union[_reservation_pb2.ReservationStatus, str]] = ..., hold_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., message: _Optional[str] = ..., event_type: _Optional[_Union[ReservationEventType, str]] = ...) -> None: ...

class StreamPaymentRequest(_message.Message):
    __slots__ = ("user_id", "session_id", "payment_intent_ids")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_INTENT_IDS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    session_id: str
    payment_intent_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., session_id: _Optional[str] = ..., payment_intent_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class PaymentUpdateEvent(_message.Message):
    __slots__ = ("type", "payment_update", "timestamp", "correlation_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    type: EventType
    payment_update: PaymentUpdate
    timestamp: _timestamp_pb2.Timestamp
    correlation_id: str
    def __init__(self, type: _Optional[_Union[EventType, str]] = ..., payment_update: _Optional[_Union[PaymentUpdate, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., correlation_id: _Optional[str] = ...) -> None: ...

class PaymentUpdate(_message.Message):
    __slots__ = ("payment_intent_id", "old_status", "new_status", "message", "event_type")
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    OLD_STATUS_FIELD_NUMBER: _ClassVar[int]
    NEW_STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    payment_intent_id: str
    old_status: _payment_pb2.PaymentStatus
    new_status: _payment_pb2.PaymentStatus
    message: str
    event_type: PaymentEventType
    def __init__(self, payment_intent_id: _Optional[str] = ..., old_status: _Optional[_Union[_payment_pb2.PaymentStatus, str]] = ..., new_status: _Optional[_Union[_payment_pb2.PaymentStatus, str]] = ..., message: _Optional[str] = ..., event_type: _Optional[_Union[PaymentEventType, str]] = ...) -> None: ...

class SendMessageRequest(_message.Message):
    __slots__ = ("target_user_id", "target_session_id", "message_type", "title", "content", "data", "priority")
    class DataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TARGET_USER_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    target_user_id: str
    target_session_id: str
    message_type: MessageType
    title: str
    content: str
    data: _containers.ScalarMap[str, str]
    priority: MessagePriority
    def __init__(self, target_user_id: _Optional[str] = ..., target_session_id: _Optional[str] = ..., message_type: _Optional[_Union[MessageType, str]] = ..., title: _Optional[str] = ..., content: _Optional[str] = ..., data: _Optional[_Mapping[str, str]] = ..., priority: _Optional[_Union[MessagePriority, str]] = ...) -> None: ...

class SendMessageResponse(_message.Message):
    __slots__ = ("delivered", "message_id", "sent_at", "error")
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    delivered: bool
    message_id: str
    sent_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, delivered: _Optional[bool] = ..., message_id: _Optional[str] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

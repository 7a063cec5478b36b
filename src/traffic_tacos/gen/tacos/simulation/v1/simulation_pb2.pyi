import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2 as _payment_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Wrong(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WRONG_UNSPECIFIED: _ClassVar[Wrong]
    WRONG_SIGNATURE: _ClassVar[Wrong]
    WRONG_OLD_TIMESTAMP: _ClassVar[Wrong]
    WRONG_TWICE: _ClassVar[Wrong]
WRONG_UNSPECIFIED: Wrong
WRONG_SIGNATURE: Wrong
WRONG_OLD_TIMESTAMP: Wrong
WRONG_TWICE: Wrong

class SendWrongWebhookRequest(_message.Message):
    __slots__ = ("payment_intent_id", "claimed_status", "wrong", "delay_seconds")
    PAYMENT_INTENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_STATUS_FIELD_NUMBER: _ClassVar[int]
    WRONG_FIELD_NUMBER: _ClassVar[int]
    DELAY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    payment_intent_id: str
    claimed_status: _payment_pb2.PaymentStatus
    wrong: Wrong
    delay_seconds: int
    def __init__(self, payment_intent_id: _Optional[str] = ..., claimed_status: _Optional[_Union[_payment_pb2.PaymentStatus, str]] = ..., wrong: _Optional[_Union[Wrong, str]] = ..., delay_seconds: _Optional[int] = ...) -> None: ...

class SendWrongWebhookResponse(_message.Message):
    __slots__ = ("webhook_id", "scheduled_at", "error")
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    webhook_id: str
    scheduled_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, webhook_id: _Optional[str] = ..., scheduled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

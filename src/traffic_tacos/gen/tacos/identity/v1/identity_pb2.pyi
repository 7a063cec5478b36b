import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BecomeRequest(_message.Message):
    __slots__ = ("waiting_token",)
    WAITING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    waiting_token: str
    def __init__(self, waiting_token: _Optional[str] = ...) -> None: ...

class BecomeResponse(_message.Message):
    __slots__ = ("token", "user_id", "expires_at", "error", "recovery_code")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_CODE_FIELD_NUMBER: _ClassVar[int]
    token: str
    user_id: str
    expires_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    recovery_code: str
    def __init__(self, token: _Optional[str] = ..., user_id: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ..., recovery_code: _Optional[str] = ...) -> None: ...

class RecoverRequest(_message.Message):
    __slots__ = ("recovery_code",)
    RECOVERY_CODE_FIELD_NUMBER: _ClassVar[int]
    recovery_code: str
    def __init__(self, recovery_code: _Optional[str] = ...) -> None: ...

class RecoverResponse(_message.Message):
    __slots__ = ("token", "user_id", "expires_at", "error")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    token: str
    user_id: str
    expires_at: _timestamp_pb2.Timestamp
    error: _errors_pb2.Error
    def __init__(self, token: _Optional[str] = ..., user_id: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

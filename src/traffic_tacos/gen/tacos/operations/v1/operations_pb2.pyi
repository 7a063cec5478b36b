import datetime

from traffic_tacos.gen.common.v1 import errors_pb2 as _errors_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyInvariantsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyInvariantsResponse(_message.Message):
    __slots__ = ("results", "error")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[InvariantResult]
    error: _errors_pb2.Error
    def __init__(self, results: _Optional[_Iterable[_Union[InvariantResult, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class InvariantResult(_message.Message):
    __slots__ = ("invariant", "claim", "checked", "violations", "violation_count")
    INVARIANT_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    VIOLATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    invariant: str
    claim: str
    checked: int
    violations: _containers.RepeatedScalarFieldContainer[str]
    violation_count: int
    def __init__(self, invariant: _Optional[str] = ..., claim: _Optional[str] = ..., checked: _Optional[int] = ..., violations: _Optional[_Iterable[str]] = ..., violation_count: _Optional[int] = ...) -> None: ...

class ListDeadJobsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDeadJobsResponse(_message.Message):
    __slots__ = ("jobs", "error")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[DeadJob]
    error: _errors_pb2.Error
    def __init__(self, jobs: _Optional[_Iterable[_Union[DeadJob, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

class DeadJob(_message.Message):
    __slots__ = ("job_id", "topic", "attempts", "last_error", "due_at")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    topic: str
    attempts: int
    last_error: str
    due_at: _timestamp_pb2.Timestamp
    def __init__(self, job_id: _Optional[str] = ..., topic: _Optional[str] = ..., attempts: _Optional[int] = ..., last_error: _Optional[str] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReplayDeadJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class ReplayDeadJobResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: _errors_pb2.Error
    def __init__(self, error: _Optional[_Union[_errors_pb2.Error, _Mapping]] = ...) -> None: ...

"""How a room, or whoever else is a client of rooms, asks them: one way, with the trace and what is left of the time."""

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

import grpc

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Damaged, Fault
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock

_FAULTS = frozenset({Code.UNAVAILABLE, Code.TIMEOUT, Code.UPSTREAM_TIMEOUT, Code.UPSTREAM_ERROR, Code.INTERNAL})


class UpstreamFault(Fault):
    """Another room could not answer; `status` is gRPC's, when it was gRPC that said so."""

    def __init__(self, message: str, status: grpc.StatusCode | None = None) -> None:
        super().__init__(message)
        self.status = status


class Answer(Protocol):
    """A response message of the contract."""

    @property
    def error(self) -> errors_pb2.Error: ...
    def HasField(self, field_name: Any) -> bool: ...


A = TypeVar("A", bound=Answer)


class Upstream:
    """The other rooms, through a channel that generated stubs take."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self.channel = channel
        self._clock = clock

    async def ask(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Any, A]", request: Any, call: Call, seconds_max: float
    ) -> A:
        """The answer of another room, within `seconds_max` and what the caller's deadline leaves.

        Raises its refusal as ours; UpstreamFault when it could not answer, for then the effect is unknown.
        """
        seconds = seconds_left(call, self._clock.now(), seconds_max)
        return await answered(method(request, timeout=seconds, metadata=metadata(call)))


def metadata(call: Call) -> tuple[tuple[str, str], ...]:
    """What goes with a call to another room: its trace."""
    own = (wire.TRACE_HEADER, call.trace_id)
    return (own, ("traceparent", call.traceparent)) if call.traceparent else (own,)


def seconds_left(call: Call, now: Instant, seconds_max: float) -> float:
    """How long to wait for another room: its own limit, or what the caller has left."""
    if call.deadline is None:
        return seconds_max
    return max(0.0, min(seconds_max, (call.deadline - now) / SECOND))


async def answered(pending: Awaitable[A]) -> A:
    """The answer that comes, when it is one; see `Upstream.ask` for what is raised."""
    try:
        answer = await pending
    except grpc.aio.AioRpcError as failure:
        raise UpstreamFault(f"{failure.code().name}: {failure.details()}", failure.code()) from None
    if answer.HasField("error"):
        refused = wire.refusal(answer.error)
        if refused.code is Code.DATA_CORRUPTION:
            raise Damaged(refused.message)
        if refused.code in _FAULTS:
            raise UpstreamFault(refused.message)
        raise refused
    return answer

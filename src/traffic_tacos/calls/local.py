"""Rooms calling each other: in one process without a socket and without serialisation, else over gRPC.

The generated stubs take the channel as they take a `grpc.aio.Channel`. A call in one process goes through the same
wrapping as one from outside, under the name of the room that makes it.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import grpc

from traffic_tacos import wire
from traffic_tacos.calls.dispatch import CALL_SECONDS_MAX, Calls
from traffic_tacos.calls.remote import Remote
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock

_NOTHING = grpc.aio.Metadata()


class RoomChannel:
    """What the room `room` calls the others through; `remote` are those of other processes, if there are any.

    Methods of this process are looked up when called, so rooms can be built in any order.
    """

    def __init__(self, calls: Calls, clock: Clock, room: str, remote: Remote | None = None) -> None:
        self._calls = calls
        self._clock = clock
        self._caller = Caller(Role.SERVICE, room)
        self._remote = remote

    def unary_unary(
        self, path: str, request_serializer: Any, response_deserializer: Any, **_: Any
    ) -> Callable[..., Awaitable[Any]]:
        if self._remote is not None:
            send = self._remote.unary_unary(self._caller.name, path, request_serializer, response_deserializer)
            if send is not None:
                return send
        return partial(self._call, path)

    async def _call(
        self, path: str, request: Any, *, timeout: float = CALL_SECONDS_MAX, metadata: tuple[tuple[str, str], ...] = ()
    ) -> Any:
        method = self._calls.methods.get(path)
        if method is None:
            details = f"{path} is not served here"
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNIMPLEMENTED, _NOTHING, _NOTHING, details)
        trace_id = next((value for name, value in metadata if name == wire.TRACE_HEADER), "")
        deadline = self._clock.now() + round(timeout * SECOND)
        made = Call(self._caller, trace_id or self._calls.new_trace_id(), deadline)
        return await self._calls.answer(method, request, made)  # which keeps the deadline

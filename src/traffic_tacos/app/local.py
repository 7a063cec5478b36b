"""Rooms of one process calling each other: a channel without a socket and without serialisation.

The generated stubs take it as they take a `grpc.aio.Channel`. A call goes through the same wrapping as
one from outside, under the name of the room that makes it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from traffic_tacos import wire
from traffic_tacos.app.calls import CALL_SECONDS_MAX, Calls
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock

_NOTHING = grpc.aio.Metadata()


class LocalChannel:
    """Methods are looked up when called, so rooms can be built in any order."""

    def __init__(self, calls: Calls, clock: Clock, room: str) -> None:
        self._calls = calls
        self._clock = clock
        self._caller = Caller(Role.SERVICE, room)

    def unary_unary(self, path: str, *_: Any, **__: Any) -> Callable[..., Awaitable[Any]]:
        async def call(
            request: Any, *, timeout: float = CALL_SECONDS_MAX, metadata: tuple[tuple[str, str], ...] = ()
        ) -> Any:
            method = self._calls.methods.get(path)
            if method is None:
                details = f"{path} is not served here"
                raise grpc.aio.AioRpcError(grpc.StatusCode.UNIMPLEMENTED, _NOTHING, _NOTHING, details)
            trace_id = next((value for name, value in metadata if name == wire.TRACE_HEADER), "")
            deadline = self._clock.now() + round(timeout * SECOND)
            made = Call(self._caller, trace_id or self._calls.new_trace_id(), deadline)
            return await self._calls.answer(method, request, made)  # which keeps the deadline

        return call

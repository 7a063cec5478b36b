"""The gRPC server: every method of the platform on the `grpc.aio` interface.

Served by pygrpc-native where it can be, by grpcio otherwise: one setting, same code
(docs/decisions/0004). The server offers grpc.health.v1 and reflection.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from traffic_tacos import wire
from traffic_tacos.app.calls import Calls, Method
from traffic_tacos.app.config import Address
from traffic_tacos.app.metrics import OK
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.limits import MESSAGE_OPTIONS

METADATA_BYTES_MAX = 16 * 1024
STREAMS_PER_CONNECTION_MAX = 4096
KEEPALIVE_MS = 30_000
PINGS_TAKEN_EVERY_MS = 20_000  # of other processes that keep their connection alive; grpcio's own limit is 5 minutes

OPTIONS = (
    *MESSAGE_OPTIONS,
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION_MAX),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", PINGS_TAKEN_EVERY_MS),
)


def grpc_server(kind: str) -> grpc.aio.Server:
    if kind == "native":
        import pygrpc_native.aio

        server: grpc.aio.Server = pygrpc_native.aio.server(options=OPTIONS)
        return server
    return grpc.aio.server(options=[*OPTIONS, ("grpc.so_reuseport", 0)])


class GrpcServer:
    """Serves a platform's calls at an address until stopped."""

    def __init__(self, calls: Calls, address: Address, kind: str) -> None:
        self._server = grpc_server(kind)
        self._health = health.aio.HealthServicer()
        services = calls.services()
        for service, methods in services.items():
            handlers = {name: _handler(calls, method) for name, method in methods.items()}
            self._server.add_registered_method_handlers(service, handlers)
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = ("", *services)
        # Reflection describes what the descriptors know; the second name of inventory is not among them.
        described = (*(name for name in services if name in _described(calls)), health.SERVICE_NAME)
        reflection.enable_server_reflection((*described, reflection.SERVICE_NAME), self._server)
        try:
            self.port = self._server.add_insecure_port(str(address))
        except (RuntimeError, OSError):
            raise Refusal.of_field("grpc", "must be an address that is free to listen on", address) from None

    async def start(self) -> None:
        await self._server.start()
        await self._set(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_seconds: float) -> None:
        """Take no new calls; let those under way finish within the grace."""
        await self._set(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.stop(grace_seconds)

    async def _set(self, status: Any) -> None:
        for name in self._names:
            await self._health.set(name, status)


def _described(calls: Calls) -> set[str]:
    return {path.split("/")[1] for path in calls.methods}


class Unreadable:
    """What came instead of a message. Decoding must not raise inside a server: that is INTERNAL to the caller, who
    sent it, and a traceback in our log.
    """

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def _decoder(message: type[Any]) -> Callable[[bytes], Any]:
    decode, name = message.FromString, message.DESCRIPTOR.full_name

    def decoded(raw: bytes) -> Any:
        try:
            return decode(raw)
        except Exception as error:  # noqa: BLE001 - whatever the decoder stumbles over is what was sent
            return Unreadable(Refusal.of_field("request", f"must be a {name}: {type(error).__name__}"))

    return decoded


async def _abort(calls: Calls, method: Method, unreadable: Unreadable, context: Any) -> None:
    """Ends a call whose request cannot be read with gRPC's INVALID_ARGUMENT. It counts for the caller's address."""
    headers = tuple(context.invocation_metadata() or ())
    try:
        calls.count_visitor(headers, context.peer)
        refusal = unreadable.refusal
    except Refusal as limited:
        refusal = limited
    method.figures.count(wire.code_name(refusal.code))
    status, trailers = wire.status(refusal, calls.trace_id(headers))
    await context.abort(status, refusal.message, trailing_metadata=trailers)


def _handler(calls: Calls, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
    if method.is_stream:
        return grpc.unary_stream_rpc_method_handler(
            _stream(calls, method),
            request_deserializer=_decoder(method.request),
            response_serializer=method.response.SerializeToString,
        )
    return grpc.unary_unary_rpc_method_handler(
        _plain(calls, method) if method.is_plain else _unary(calls, method),
        request_deserializer=_decoder(method.request),
        response_serializer=method.response.SerializeToString,
    )


def _unary(calls: Calls, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
    async def unary(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        if type(request) is Unreadable:
            await _abort(calls, method, request, context)
        try:
            headers = tuple(context.invocation_metadata() or ())
            call = calls.call(method, request, headers, context.peer, context.time_remaining())
        except Refusal as refusal:
            response = calls.refused(method, refusal)
        else:
            response = await calls.answer(method, request, call)
        if response.HasField("error"):
            _tell_code(response, context)
        return response

    return unary


def _tell_code(response: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
    """For proxies and metrics, which do not read messages."""
    code = Code(response.error.code)
    context.set_trailing_metadata(((wire.ERROR_CODE_TRAILER, wire.code_name(code)),))


def _plain(calls: Calls, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
    handler, by_code, took = method.handler, method.figures.by_code, method.figures.took
    now, count = calls.clock.now, calls.count_ticket

    async def plain(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        begun = now()
        if type(request) is Unreadable:
            await _abort(calls, method, request, context)
        try:
            response = handler(request)  # refuses a token that is not ours
            count(request.waiting_token, begun)
        except Exception as error:  # noqa: BLE001 - this is where calls end; bugs are logged and counted
            headers = tuple(context.invocation_metadata() or ())
            response = calls.refused(method, calls.counted(error, headers, context.peer), headers)
            _tell_code(response, context)
        else:
            by_code[OK] += 1
            if calls.is_verbose:
                trace_id = calls.trace_id(tuple(context.invocation_metadata() or ()))
                calls.tell(method, Role.ANONYMOUS.value, OK, now() - begun, trace_id)
        took(now() - begun)
        return response

    return plain


def _stream(calls: Calls, method: Method) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def stream(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> AsyncIterator[Any]:
        if type(request) is Unreadable:
            await _abort(calls, method, request, context)
        try:
            headers = tuple(context.invocation_metadata() or ())
            call = calls.call(method, request, headers, context.peer, context.time_remaining())
            async with aclosing(calls.stream(method, request, call)) as messages:
                async for message in messages:
                    yield message
        except Refusal as refusal:
            status, trailers = wire.status(refusal, refusal.trace_id)
            await context.abort(status, refusal.message, trailing_metadata=trailers)

    return stream

"""The gRPC server: every method of the platform on the `grpc.aio` interface.

Served by pygrpc-native where it can be, by grpcio otherwise: one setting, same code
(docs/decisions/0004). The server offers grpc.health.v1 and reflection. A refusal is gRPC's OK with the contract's
`error`; a caller who sends `x-error-mode: status` gets it as a gRPC status instead (docs/decisions/0032).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias, TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from traffic_tacos import wire
from traffic_tacos.calls.dispatch import Calls, Metadata, Method
from traffic_tacos.calls.metrics import OK
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.limits import MESSAGE_OPTIONS
from traffic_tacos.transport.answers import error_of, rest_of
from traffic_tacos.transport.reflection import add_reflection

METADATA_BYTES_MAX = 16 * 1024
STREAMS_PER_CONNECTION_MAX = 4096
PING_TIMES = 3  # so many times the time that a connection may be silent, until it is asked whether it is there
PINGS_TAKEN_EVERY_MS = 20_000  # of other processes that keep their connection alive; grpcio's own limit is 5 minutes
SECONDS_MAX = 366 * 24 * 3600.0  # that a caller can be said to wait

F = TypeVar("F", bound=Callable[..., Any])
Headers: TypeAlias = tuple[tuple[str, str | bytes], ...]

OPTIONS = (
    *MESSAGE_OPTIONS,
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION_MAX),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", PINGS_TAKEN_EVERY_MS),
)


def server_options(idle_seconds: float) -> tuple[tuple[str, int], ...]:
    """Whoever says nothing is asked whether they are there, and let go when they do not answer."""
    idle_ms = round(idle_seconds * 1000)
    return (
        *OPTIONS,
        ("grpc.keepalive_time_ms", PING_TIMES * idle_ms),
        ("grpc.keepalive_timeout_ms", idle_ms),
        ("grpc.http2.ping_timeout_ms", idle_ms),
    )


def _server(kind: str, idle_seconds: float) -> Any:
    """A `grpc.aio.Server`, or what has as much of its interface as is used here."""
    options = server_options(idle_seconds)
    if kind == "native":
        from traffic_tacos.transport.native_server import NativeServer

        return NativeServer(options)
    return grpc.aio.server(options=[*options, ("grpc.so_reuseport", 0)])


def _immediate(handler: F) -> F:
    """Mark a coroutine function of a unary method that never waits: a server may answer it without a task."""
    handler.is_immediate = True  # type: ignore[attr-defined]
    return handler


class GrpcServer:
    """Serves a platform's calls at an address until stopped."""

    def __init__(self, calls: Calls, address: Address, kind: str, idle_seconds: float) -> None:
        self._server = _server(kind, idle_seconds)
        self._health = health.aio.HealthServicer()
        services = calls.services()
        for service, methods in services.items():
            handlers = {name: rpc_handler(calls, method) for name, method in methods.items()}
            self._server.add_registered_method_handlers(service, handlers)
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = ("", *services)
        files = {
            method.request.DESCRIPTOR.file.name: method.request.DESCRIPTOR.file for method in calls.methods.values()
        }
        add_reflection(self._server, services, files.values())
        try:
            self.port = self._server.add_insecure_port(str(address))
        except (RuntimeError, OSError):
            raise Refusal.of_field("grpc", "must be an address that is free to listen on", address) from None

    async def start(self) -> None:
        await self._server.start()
        await self._set(health_pb2.HealthCheckResponse.SERVING)

    async def say_stopping(self) -> None:
        """Tell whoever asks for our health to send us nothing new; what comes all the same is answered."""
        await self._set(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def stop(self, grace_seconds: float) -> None:
        """Take no new calls; let those under way finish within the grace."""
        await self.say_stopping()
        await self._server.stop(grace_seconds)

    async def _set(self, status: Any) -> None:
        for name in self._names:
            await self._health.set(name, status)


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


async def _turn_away(calls: Calls, method: Method, refusal: Refusal, context: Any) -> None:
    """End a call that is none, as it came, with its gRPC status. It counts for the caller's address."""
    headers = tuple(context.invocation_metadata() or ())
    try:
        calls.count_visitor(headers, context.peer)
    except Refusal as limited:
        refusal = limited
    method.figures.count(wire.code_name(refusal.code))
    await _abort(refusal, calls.trace_id(headers), context)


async def _abort(refusal: Refusal, trace_id: str, context: Any, rest: Any = None, said: Metadata = ()) -> None:
    status, message, trailers = wire.status(refusal, trace_id, rest)
    await context.abort(status, message, trailing_metadata=(*trailers, *said))


async def _answered(response: Any, trace_id: str, context: Any, said: Metadata = (), *, as_status: bool) -> Any:
    """The response, or its refusal as a status where the caller asked for those. What is said beside it and its code
    are trailers: for proxies and metrics, which do not read messages.
    """
    if as_status and (error := error_of(response, trace_id)) is not None:
        await _abort(wire.refusal(error), error.trace_id, context, rest_of(response), said)
    if response.HasField("error"):
        said = (*said, (wire.ERROR_CODE_TRAILER, wire.code_name(Code(response.error.code))))
    if said:
        context.set_trailing_metadata(said)
    return response


def _seconds(context: Any) -> float | None:
    """How long the caller waits; None where that is for ever, of which the servers have different numbers."""
    left: float | None = context.time_remaining()
    return None if left is None or left > SECONDS_MAX else left


def rpc_handler(calls: Calls, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
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


async def _asked(calls: Calls, method: Method, request: Any, context: Any) -> tuple[bool, Headers]:
    """How refusals are to be sent, and the metadata that says so. What cannot be read is turned away."""
    headers = tuple(context.invocation_metadata() or ())
    if type(request) is Unreadable:
        await _turn_away(calls, method, request.refusal, context)
    try:
        return wire.asks_for_status(headers), headers
    except Refusal as refusal:
        await _turn_away(calls, method, refusal, context)
        raise


def _unary(calls: Calls, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
    async def unary(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        as_status, headers = await _asked(calls, method, request, context)
        try:
            call = calls.call(method, request, headers, context.peer, _seconds(context))
        except Refusal as refusal:
            return await _answered(calls.refused(method, refusal), refusal.trace_id, context, as_status=as_status)
        response = await calls.answer(method, request, call)
        said = () if method.beside is None else method.beside(request, response)
        return await _answered(response, call.trace_id, context, said, as_status=as_status)

    return unary


def _plain(calls: Calls, method: Method) -> Callable[[Any, Any], Awaitable[Any]]:
    handler, by_code, took, beside = method.handler, method.figures.by_code, method.figures.took, method.beside
    now, count = calls.clock.now, calls.count_ticket

    @_immediate
    async def plain(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        begun = now()
        as_status, headers = await _asked(calls, method, request, context)
        try:
            response = handler(request)  # refuses a token that is not ours
            count(request.waiting_token, begun)
        except Exception as error:  # noqa: BLE001 - this is where calls end; bugs are logged and counted
            response = calls.refused(method, calls.counted(error, headers, context.peer), headers)
            took(now() - begun)
            return await _answered(response, response.error.trace_id, context, as_status=as_status)
        by_code[OK] += 1
        if beside is not None and (said := beside(request, response)):
            context.set_trailing_metadata(said)
        if calls.is_verbose:
            calls.log_call(method, Role.ANONYMOUS.value, OK, now() - begun, calls.trace_id(headers))
        took(now() - begun)
        return response

    return plain


def _stream(calls: Calls, method: Method) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def stream(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> AsyncIterator[Any]:
        _, headers = await _asked(calls, method, request, context)
        try:
            call = calls.call(method, request, headers, context.peer, _seconds(context))
            async with aclosing(calls.stream(method, request, call)) as messages:
                async for message in messages:
                    yield message
        except Refusal as refusal:
            await _abort(refusal, refusal.trace_id, context)

    return stream

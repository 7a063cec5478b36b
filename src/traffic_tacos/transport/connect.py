"""Every RPC over plain HTTP as `POST /package.Service/Method`, as the Connect protocol has it
(connectrpc.com/docs/protocol).

Unary calls take and give JSON or protobuf; streams are enveloped, or Server-Sent Events for whoever accepts
those. A call goes through the same wrapping as one over gRPC, under the same policy. An answer that says no
(transport/answers.py) is an HTTP error with the contract's error in its details; one that gives what was asked for all
the same (the place of somebody who had joined before) is a 200 with all of it. An enveloped stream is always a 200:
what refuses it is its end. Requests may be compressed with gzip, answers are not. Nothing is asked with GET: the
contract marks no RPC as free of side effects.
"""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from traffic_tacos import wire
from traffic_tacos.calls.dispatch import Calls, Method
from traffic_tacos.calls.policy import ADMIN, INVENTORY, INVENTORY_TOO
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.limits import JSON_BYTES_MAX
from traffic_tacos.transport import protojson
from traffic_tacos.transport.answers import error_of, gives_what_was_asked, rest_of
from traffic_tacos.transport.bodies import (
    ENCODINGS,
    GZIP,
    HEADERS,
    IDENTITY,
    Unreadable,
    body_of,
    decoder,
    peer_of,
    raw_body_of,
    retry_after,
)

JSON, PROTO = "application/json", "application/proto"
STREAM_JSON, STREAM_PROTO = "application/connect+json", "application/connect+proto"
SERVER_SENT = "text/event-stream"
BODY_BYTES_MAX = 256 * 1024
PROTOCOL_VERSION = "1"
TIMEOUT_DIGITS_MAX = 10
HEARTBEAT_SECONDS = 15.0
_COMPRESSED, _END_OF_STREAM = 1, 2
_UNBUFFERED = {"x-accel-buffering": "no"}  # nginx would else collect events before it passes them on
_HEARTBEAT = b": still here\n\n"
_ENVELOPE = struct.Struct(">BI")
_WHAT_WE_TAKE = {"accept-encoding": ", ".join(ENCODINGS), "connect-accept-encoding": GZIP}

# Our codes as Connect's, with the HTTP status that goes with each.
CONNECT: dict[Code, tuple[str, int]] = {
    Code.UNAUTHENTICATED: ("unauthenticated", 401),
    Code.FORBIDDEN: ("permission_denied", 403),
    Code.UNAUTHORIZED: ("permission_denied", 403),
    Code.INVALID_ARGUMENT: ("invalid_argument", 400),
    Code.IDEMPOTENCY_REQUIRED: ("invalid_argument", 400),
    Code.NOT_FOUND: ("not_found", 404),
    Code.ALREADY_EXISTS: ("already_exists", 409),
    Code.RATE_LIMITED: ("resource_exhausted", 429),
    Code.QUOTA_EXCEEDED: ("resource_exhausted", 429),
    Code.INVENTORY_CONFLICT: ("aborted", 409),
    Code.IDEMPOTENCY_CONFLICT: ("aborted", 409),
    Code.CONCURRENT_MODIFICATION: ("aborted", 409),
    Code.INTERNAL: ("internal", 500),
    Code.DATA_CORRUPTION: ("data_loss", 500),
    Code.UNAVAILABLE: ("unavailable", 503),
    Code.TIMEOUT: ("deadline_exceeded", 504),
    Code.UPSTREAM_TIMEOUT: ("deadline_exceeded", 504),
}
OTHERWISE = ("failed_precondition", 400)


class ConnectDoor:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def method(self, request: Request) -> Method | None:
        """The RPC that a path names; None where there is no such one."""
        service, name = request.path_params["service"], request.path_params["method"]
        return self._calls.methods.get(f"/{INVENTORY if service == INVENTORY_TOO else service}/{name}")

    async def answer(self, request: Request) -> Response:
        method = self.method(request)
        if method is None:
            path = request.url.path.removeprefix("/")
            return _error(errors_pb2.Error(message=f"there is no RPC {path}"), "unimplemented", 501)
        headers, peer = request.headers.items(), peer_of(request)
        named = dict(reversed(headers))  # of a name that is there twice the first counts, as in request.headers
        kind = named.get("content-type", "").partition(";")[0].strip().lower()
        allowed = (STREAM_JSON, STREAM_PROTO, JSON) if method.is_stream else (JSON, PROTO)
        if kind not in allowed:
            return Response(status_code=415, headers={**HEADERS, "accept-post": ", ".join(allowed)})
        accepts = named.get("accept", "").lower()
        form = _Form(kind, method.is_stream and kind != JSON, SERVER_SENT in accepts)
        body = b""
        try:
            self._calls.check(method, headers, peer)
            _check_version(named)
            begun, seconds = self._calls.clock.now(), _seconds(named)
            bytes_max = JSON_BYTES_MAX if method.roles is ADMIN else BODY_BYTES_MAX
            body = await (raw_body_of if form.is_enveloped else body_of)(request, bytes_max, seconds)
            if form.is_enveloped:
                body = _unwrapped(body, named.get("connect-content-encoding", IDENTITY), bytes_max)
            message = decoded(method, body, is_json=form.is_json)
            left = None if seconds is None else max(0.0, seconds - (self._calls.clock.now() - begun) / SECOND)
            call = self._calls.call(method, message, headers, peer, left)
        except Refusal as refusal:
            repeated = (method.path, body or named.get("authorization", "")) if method.has_key else ()
            refusal.trace_id = refusal.trace_id or self._calls.trace_id(headers, *repeated)
            method.figures.count(wire.code_name(refusal.code))
            return _turned_away(refusal, form)
        if method.is_stream:
            return _streamed(self._calls.stream(method, message, call), form)
        response = await self._calls.answer(method, message, call)
        said = {} if method.beside is None else dict(method.beside(message, response))
        return _answered(response, call.trace_id, said, is_json=form.is_json)


class _Form(NamedTuple):
    """How a request came, and how it is answered."""

    kind: str
    is_enveloped: bool
    wants_events: bool

    @property
    def is_json(self) -> bool:
        return self.kind in (JSON, STREAM_JSON)


def code_and_status(refusal: Refusal) -> tuple[str, int]:
    """Connect's name of what a refusal says, and its HTTP status."""
    return refusal.connect if isinstance(refusal, Unreadable) else CONNECT.get(refusal.code, OTHERWISE)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal, for all but Connect."""
    return refusal.status if isinstance(refusal, Unreadable) else code_and_status(refusal)[1]


def decoded(method: Method, body: bytes, *, is_json: bool) -> Any:
    """The request that a body is; refused when it is none."""
    name = method.request.DESCRIPTOR.name
    try:
        if not is_json:
            return method.request.FromString(body)
        fields = _DECODER.decode(body.decode() or "{}")
        if not isinstance(fields, dict):
            raise Refusal.of_field("body", f"must be a {name}, which is a JSON object")
        return protojson.read(fields, method.request)
    except Refusal:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the decoders stumble over is what was sent
        raise Refusal.of_field("body", f"must be a {name}: {str(error)[:200]}") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("each key of an object must be there once")
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=_each_once)


def _answered(response: Any, trace_id: str, said: dict[str, str], *, is_json: bool) -> Response:
    error = error_of(response, trace_id)
    if error is not None and not gives_what_was_asked(response):
        refusal = wire.refusal(error)
        refused = _error(error, *code_and_status(refusal), rest_of(response))
        refused.headers.update(said)
        return refused
    body, kind = (_encoded(response), JSON) if is_json else (response.SerializeToString(), PROTO)
    return Response(body, media_type=kind, headers=HEADERS | said | ({} if error is None else _trailers(error)))


def _turned_away(refusal: Refusal, form: _Form) -> Response:
    """What could not even become a call. An enveloped stream says so as it says everything, in its end."""
    if form.is_enveloped and not form.wants_events:
        return Response(_end(refusal), media_type=form.kind, headers=HEADERS | _WHAT_WE_TAKE)
    response = _error(wire.error(refusal, refusal.trace_id), *code_and_status(refusal))
    response.headers.update(_WHAT_WE_TAKE)
    return response


def _streamed(messages: Any, form: _Form) -> Response:
    if form.wants_events or not form.is_enveloped:
        return StreamingResponse(_server_sent(messages), media_type=SERVER_SENT, headers=HEADERS | _UNBUFFERED)
    return StreamingResponse(_enveloped(messages, form.is_json), media_type=form.kind, headers=HEADERS)


def _error(error: errors_pb2.Error, code: str, status: int, rest: Message | None = None) -> Response:
    headers = HEADERS | retry_after(wire.refusal(error)) | _trailers(error)
    return Response(msgspec.json.encode(_shown(error, code, rest)), status, media_type=JSON, headers=headers)


def _trailers(error: errors_pb2.Error) -> dict[str, str]:
    """gRPC's trailers as Connect has them, in the head of a unary answer."""
    return {f"trailer-{wire.ERROR_CODE_TRAILER}": wire.code_name(Code(error.code))} if error.code else {}


def _shown(error: errors_pb2.Error, code: str, rest: Message | None = None) -> dict[str, Any]:
    """An error as Connect writes it; `debug` is the same in JSON, for people. `rest` is what else was answered."""
    details: list[Message] = [error] if rest is None else [error, rest]
    if (wait := wire.refusal(error).retry_after_seconds) is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromMilliseconds(round(wait * SECOND))
        details.append(info)
    return {"code": code, "message": error.message, "details": [_detail(one) for one in details]}


def _detail(message: Message) -> dict[str, Any]:
    packed = base64.b64encode(message.SerializeToString()).decode().rstrip("=")
    return {"type": message.DESCRIPTOR.full_name, "value": packed, "debug": protojson.shown(message)}


async def _enveloped(messages: Any, is_json: bool) -> AsyncIterator[bytes]:
    """Each message in its envelope, and the end with what ended it."""
    refused: Refusal | None = None
    try:
        async with aclosing(messages) as stream:
            async for message in stream:
                body = _encoded(message) if is_json else message.SerializeToString()
                yield _ENVELOPE.pack(0, len(body)) + body
    except Refusal as refusal:
        refused = refusal
    yield _end(refused)


def _end(refusal: Refusal | None) -> bytes:
    """The last envelope of a stream."""
    end: dict[str, Any] = {}
    if refusal is not None:
        metadata = {wire.ERROR_CODE_TRAILER: [wire.code_name(refusal.code)]}
        end = {"error": _ended_by(refusal), "metadata": metadata}
    last = msgspec.json.encode(end)
    return _ENVELOPE.pack(_END_OF_STREAM, len(last)) + last


async def _server_sent(messages: Any) -> AsyncIterator[bytes]:
    """Messages as events, and a comment whenever there was none for HEARTBEAT_SECONDS: proxies cut what is silent. The
    other forms have no room for one: each of their envelopes is a message of the contract.
    """
    try:
        async with aclosing(_with_silences(messages, HEARTBEAT_SECONDS)) as stream:
            async for message in stream:
                yield _HEARTBEAT if message is None else b"data: " + _encoded(message) + b"\n\n"
    except Refusal as refusal:
        yield b"event: error\ndata: " + msgspec.json.encode(_ended_by(refusal)) + b"\n\n"


async def _with_silences(messages: Any, seconds: float) -> AsyncGenerator[Any, None]:
    """The messages, and None after each time in which there was none."""
    async with aclosing(messages) as stream:
        while True:
            following = asyncio.ensure_future(anext(stream, None))
            try:
                while not (await asyncio.wait({following}, timeout=seconds))[0]:
                    yield None
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
            if (message := following.result()) is None:
                return
            yield message


def _ended_by(refusal: Refusal) -> dict[str, Any]:
    """What ended a stream; every refusal of one has its trace."""
    return _shown(wire.error(refusal, refusal.trace_id), code_and_status(refusal)[0])


def _encoded(message: Any) -> bytes:
    return msgspec.json.encode(protojson.shown(message))


def _unwrapped(body: bytes, encoding: str, bytes_max: int) -> bytes:
    """The one message of an enveloped request."""
    decode = decoder(encoding, "connect-content-encoding")
    if not body:
        raise _not_one("none")
    if len(body) < _ENVELOPE.size:
        raise Refusal.of_field("body", "must be one complete envelope")
    flags, length = _ENVELOPE.unpack_from(body)
    message, more = body[_ENVELOPE.size : _ENVELOPE.size + length], body[_ENVELOPE.size + length :]
    if len(message) < length or flags not in (0, _COMPRESSED):
        raise Refusal.of_field("body", "must be one complete envelope with a message")
    if more:
        raise _not_one("more")
    if flags != _COMPRESSED:
        return message
    if encoding.strip().lower() in ("", IDENTITY):
        unsaid = "body: must not be compressed unless connect-content-encoding says how"
        raise Unreadable(Code.INVALID_ARGUMENT, unsaid, ("internal", 500), 400)
    return decode(message, bytes_max)


def _not_one(were: str) -> Refusal:
    message = f"body: must be one message in its envelope; there were {were}"
    return Unreadable(Code.INVALID_ARGUMENT, message, ("unimplemented", 501), 400)


def _check_version(headers: Mapping[str, str]) -> None:
    given = headers.get("connect-protocol-version", PROTOCOL_VERSION)
    if given.strip() != PROTOCOL_VERSION:
        raise Refusal.of_field("connect-protocol-version", f"must be {PROTOCOL_VERSION}", given)


def _seconds(headers: Mapping[str, str]) -> float | None:
    given = headers.get("connect-timeout-ms")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > TIMEOUT_DIGITS_MAX:
        raise Refusal.of_field(
            "connect-timeout-ms", f"must be whole milliseconds, in at most {TIMEOUT_DIGITS_MAX} digits", given
        )
    return int(given) / SECOND

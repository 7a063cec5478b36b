"""Every RPC over plain HTTP as `POST /package.Service/Method`, as the Connect protocol has it
(connectrpc.com/docs/protocol).

Unary calls take and give JSON or protobuf; streams are enveloped, or Server-Sent Events for whoever accepts
those. A call goes through the same wrapping as one over gRPC, under the same policy. A response that has
nothing but its `error` is an HTTP error with that in its details; one that carries more (the place of somebody
who had joined before) is a 200 with all of it.
"""

import base64
import json
import math
import struct
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from traffic_tacos import wire
from traffic_tacos.app.bodies import HEADERS, body_of, peer_of
from traffic_tacos.app.calls import Calls, Method
from traffic_tacos.app.policy import ADMIN, INVENTORY, INVENTORY_TOO
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.limits import JSON_BYTES_MAX

JSON, PROTO = "application/json", "application/proto"
STREAM_JSON, STREAM_PROTO = "application/connect+json", "application/connect+proto"
SERVER_SENT = "text/event-stream"
BODY_BYTES_MAX = 256 * 1024
_END_OF_STREAM = 2

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
_OTHERWISE = ("failed_precondition", 400)


class ConnectDoor:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def answer(self, request: Request) -> Response:
        service, name = request.path_params["service"], request.path_params["method"]
        service = INVENTORY if service == INVENTORY_TOO else service
        method = self._calls.methods.get(f"/{service}/{name}")
        if method is None:
            return _error(errors_pb2.Error(message=f"there is no RPC {service}/{name}"), "unimplemented", 404)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        allowed = (STREAM_JSON, STREAM_PROTO, JSON) if method.is_stream else (JSON, PROTO)
        if kind not in allowed:
            return Response(status_code=415, headers={**HEADERS, "accept-post": ", ".join(allowed)})
        is_json = kind in (JSON, STREAM_JSON)
        try:
            body = await body_of(request, JSON_BYTES_MAX if method.roles is ADMIN else BODY_BYTES_MAX)
            if kind in (STREAM_JSON, STREAM_PROTO):
                body = _unwrapped(body)
            message = decoded(method, body, is_json=is_json)
            call = self._calls.call(method, message, request.headers.items(), peer_of(request), _seconds(request))
        except Refusal as refusal:
            return refused(self._calls, refusal)
        if method.is_stream:
            server_sent = SERVER_SENT in request.headers.get("accept", "")
            shape = _server_sent if server_sent or kind == JSON else _enveloped
            media_type = SERVER_SENT if shape is _server_sent else kind
            told = shape(self._calls.stream(method, message, call), is_json)
            return StreamingResponse(told, media_type=media_type, headers=HEADERS)
        return _answered(await self._calls.answer(method, message, call), is_json=is_json)


def code_and_status(code: Code) -> tuple[str, int]:
    """Connect's name of a code, and its HTTP status."""
    return CONNECT.get(code, _OTHERWISE)


def decoded(method: Method, body: bytes, *, is_json: bool) -> Any:
    """The request that a body is; refused when it is none."""
    message = method.request()
    try:
        if is_json:
            json_format.Parse(body or b"{}", message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except Exception as error:  # noqa: BLE001 - whatever the decoders stumble over is what was sent
        raise Refusal.of_field("body", f"must be a {message.DESCRIPTOR.name}: {str(error)[:200]}") from None
    return message


def carries_only_an_error(response: Any) -> bool:
    return response.HasField("error") and len(response.ListFields()) == 1


def refused(calls: Calls, refusal: Refusal) -> Response:
    """What could not even become a call."""
    error = wire.error(refusal, refusal.trace_id or calls.new_trace_id())
    return _error(error, *code_and_status(refusal.code))


def _answered(response: Any, *, is_json: bool) -> Response:
    if carries_only_an_error(response):
        return _error(response.error, *code_and_status(Code(response.error.code)))
    if is_json:
        return Response(_encoded(response), media_type=JSON, headers=HEADERS)
    return Response(response.SerializeToString(), media_type=PROTO, headers=HEADERS)


def _error(error: errors_pb2.Error, code: str, status: int) -> Response:
    return Response(json.dumps(_shown(error, code)), status, media_type=JSON, headers=HEADERS | retry_after(error))


def retry_after(error: errors_pb2.Error) -> dict[str, str]:
    """The header that says when to ask again, where the error does; in whole seconds, as HTTP has it."""
    wait = wire.refusal(error).retry_after_seconds
    return {} if wait is None else {"retry-after": str(math.ceil(wait))}


def _shown(error: errors_pb2.Error, code: str) -> dict[str, Any]:
    """An error as Connect writes it; `debug` is the same in JSON, for people."""
    packed = base64.b64encode(error.SerializeToString()).decode().rstrip("=")
    debug = json_format.MessageToDict(error)
    return {
        "code": code,
        "message": error.message,
        "details": [{"type": error.DESCRIPTOR.full_name, "value": packed, "debug": debug}],
    }


async def _enveloped(messages: Any, is_json: bool) -> AsyncIterator[bytes]:
    """Each message in its envelope, and the end with what ended it."""
    end: dict[str, Any] = {}
    try:
        async with aclosing(messages) as stream:
            async for message in stream:
                body = (
                    json_format.MessageToJson(message, indent=None).encode() if is_json else message.SerializeToString()
                )
                yield struct.pack(">BI", 0, len(body)) + body
    except Refusal as refusal:
        end = {"error": _ended_by(refusal)}
    last = json.dumps(end).encode()
    yield struct.pack(">BI", _END_OF_STREAM, len(last)) + last


async def _server_sent(messages: Any, _: bool) -> AsyncIterator[bytes]:
    try:
        async with aclosing(messages) as stream:
            async for message in stream:
                yield b"data: " + _encoded(message) + b"\n\n"
    except Refusal as refusal:
        yield b"event: error\ndata: " + json.dumps(_ended_by(refusal)).encode() + b"\n\n"


def _ended_by(refusal: Refusal) -> dict[str, Any]:
    """What ended a stream; every refusal of one has its trace."""
    return _shown(wire.error(refusal, refusal.trace_id), code_and_status(refusal.code)[0])


def _encoded(message: Any) -> bytes:
    return json_format.MessageToJson(message, indent=None).encode()


def _unwrapped(body: bytes) -> bytes:
    """The one message of an enveloped request."""
    if len(body) < 5 or body[0] != 0 or struct.unpack(">I", body[1:5])[0] != len(body) - 5:
        raise Refusal.of_field("body", "must be one uncompressed envelope")
    return body[5:]


def _seconds(request: Request) -> float | None:
    given = request.headers.get("connect-timeout-ms", "")
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 10:
        raise Refusal.of_field("connect-timeout-ms", "must be whole milliseconds", given)
    return int(given) / SECOND

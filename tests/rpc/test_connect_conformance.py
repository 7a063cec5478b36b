"""The Connect protocol's own cases, as far as they are a server's with unary calls and server streams.

The names are those of the protocol's conformance suite (github.com/connectrpc/conformance), where it has the case.
"""

import base64
import gzip
import json
import struct
import zlib

import pytest

from tests.rpc.desk import on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2, websocket_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.transport import connect

pytestmark = pytest.mark.one_store

UNARY, STREAM = "/gateway.v1.QueueService/JoinQueue", "/gateway.v1.WebSocketService/StreamQueueUpdates"
FAN_STREAM, FAN_UNARY = "/gateway.v1.WebSocketService/StreamPaymentUpdates", "/gateway.v1.GatewayService/GetReservation"
JSON, PROTO = {"content-type": "application/json"}, {"content-type": "application/proto"}
STREAM_JSON, STREAM_PROTO = {"content-type": "application/connect+json"}, {"content-type": "application/connect+proto"}
JOIN = json.dumps({"eventId": EVENT_ID, "sessionId": "s"}).encode()
JOIN_PROTO = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s").SerializeToString()
GZIP, BOMB = {"content-encoding": "gzip"}, gzip.compress(b" " * 50_000_000)
WATCH = websocket_pb2.StreamQueueRequest(waiting_token="x", session_id="s").SerializeToString()


def envelope(body: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(body)) + body


def unary(name, status, code, headers, body=JOIN, verb="POST", path=UNARY):
    return pytest.param(verb, path, headers, body, status, code, id=name)


@pytest.mark.parametrize(
    ("verb", "path", "headers", "body", "status", "code"),
    [
        unary("json", 200, "", JSON),
        unary("proto", 200, "", PROTO, JOIN_PROTO),
        unary("content-type-without-case", 200, "", {"content-type": "Application/JSON"}),
        unary("content-type-with-parameters", 200, "", {"content-type": "application/json; charset=utf-8"}),
        unary("proto-content-type-without-case", 200, "", {"content-type": "APPLICATION/Proto ;x=y"}, JOIN_PROTO),
        unary("unexpected-content-type", 415, "", {"content-type": "image/jpeg"}),
        unary("unexpected-codec", 415, "", {"content-type": "application/foo"}),
        unary("no-content-type", 415, "", {}),
        unary("stream-content-type-for-unary", 415, "", STREAM_JSON),
        unary("unexpected-verb", 405, "", JSON, verb="DELETE"),
        unary("get-is-not-offered", 405, "", {}, b"", verb="GET"),
        unary("unexpected-uri", 501, "unimplemented", JSON, path="/gateway.v1.QueueService/NoSuchMethod"),
        unary("unknown-service", 501, "unimplemented", JSON, path="/no.such.Service/Method"),
        unary("trailing-slash", 404, "", JSON, path=UNARY + "/"),
        unary("protocol-version", 200, "", JSON | {"connect-protocol-version": "1"}),
        unary("unknown-protocol-version", 400, "invalid_argument", JSON | {"connect-protocol-version": "2"}),
        unary("json-array", 400, "invalid_argument", JSON, b"[]"),
        unary("json-null", 400, "invalid_argument", JSON, b"null"),
        unary("json-number", 400, "invalid_argument", JSON, b"0"),
        unary("json-text", 400, "invalid_argument", JSON, b'""'),
        unary("json-false", 400, "invalid_argument", JSON, b"false"),
        unary("json-garbage", 400, "invalid_argument", JSON, b"{"),
        unary("json-key-twice", 400, "invalid_argument", JSON, JOIN[:-1] + b',"eventId":"evt_sim"}'),
        unary("json-too-deep", 400, "invalid_argument", JSON, b"[" * 100_000),
        unary("json-not-utf-8", 400, "invalid_argument", JSON, b'{"eventId":"\xff"}'),
        unary("json-in-utf-16", 400, "invalid_argument", JSON, '{"eventId":"x"}'.encode("utf-16")),
        unary("json-lone-surrogate", 400, "invalid_argument", JSON, b'{"eventId":"\\ud800"}'),
        unary("proto-garbage", 400, "invalid_argument", PROTO, b"\xff\xff"),
        unary("identity", 200, "", JSON | {"content-encoding": "identity"}),
        unary("gzip", 200, "", JSON | GZIP, gzip.compress(JOIN)),
        unary("gzip-without-case", 200, "", JSON | {"content-encoding": "GZip"}, gzip.compress(JOIN)),
        unary("gzip-proto", 200, "", PROTO | GZIP, gzip.compress(JOIN_PROTO)),
        unary("gzip-of-two-members", 200, "", JSON | GZIP, gzip.compress(JOIN[:9]) + gzip.compress(JOIN[9:])),
        unary("gzip-that-is-none", 400, "invalid_argument", JSON | GZIP),
        unary("gzip-cut-short", 400, "invalid_argument", JSON | GZIP, gzip.compress(JOIN)[:-4]),
        unary("gzip-bomb", 400, "invalid_argument", JSON | GZIP, BOMB),
        unary("unexpected-compression", 501, "unimplemented", JSON | {"content-encoding": "foo"}),
        unary("deflate", 501, "unimplemented", JSON | {"content-encoding": "deflate"}, zlib.compress(JOIN)),
        unary("timeout", 200, "", JSON | {"connect-timeout-ms": "5000"}),
        unary("timeout-of-ten-digits", 200, "", JSON | {"connect-timeout-ms": "9999999999"}),
        unary("timeout-of-eleven-digits", 400, "invalid_argument", JSON | {"connect-timeout-ms": "10000000000"}),
        unary("timeout-negative", 400, "invalid_argument", JSON | {"connect-timeout-ms": "-1"}),
        unary("timeout-with-unit", 400, "invalid_argument", JSON | {"connect-timeout-ms": "5s"}),
        unary("timeout-empty", 400, "invalid_argument", JSON | {"connect-timeout-ms": ""}),
        unary("timeout-in-other-digits", 400, "invalid_argument", JSON | {"connect-timeout-ms": "\u0663".encode()}),
        unary("authorisation-before-body", 401, "unauthenticated", JSON, b"{", path=FAN_UNARY),
        unary("authorisation-before-size", 401, "unauthenticated", JSON, b" " * 10_000_000, path=FAN_UNARY),
    ],
)
def test_unary_calls(verb, path, headers, body, status, code):
    @on_platform
    async def on_desk(desk):
        answer = await desk.http(verb, path, headers, body)
        assert (answer.status_code, "location" in answer.headers) == (status, False), answer.text
        if code:
            error = answer.json()
            assert (error["code"], answer.headers["content-type"]) == (code, "application/json")
            assert error["message"]
        if status == 405:
            assert answer.headers["allow"] == "OPTIONS, POST"
        if status == 415:
            assert answer.headers["accept-post"] == "application/json, application/proto"
        if status == 501 and "content-encoding" in headers:
            assert answer.headers["accept-encoding"] == "gzip, identity"
            assert "gzip or identity" in answer.json()["message"]

    on_desk()


def stream(name, code, headers, body, path=STREAM):
    return pytest.param(path, headers, body, code, id=name)


SAYS_GZIP = {"connect-content-encoding": "gzip"}


@pytest.mark.parametrize(
    ("path", "headers", "body", "code"),
    [
        stream("refused-by-the-room", "unauthenticated", STREAM_PROTO, envelope(WATCH)),
        stream("refused-before-it-starts", "unauthenticated", STREAM_PROTO, envelope(b""), FAN_STREAM),
        stream("server-stream/no-request", "unimplemented", STREAM_PROTO, b""),
        stream("server-stream/multiple-requests", "unimplemented", STREAM_PROTO, envelope(WATCH) * 2),
        stream("unexpected-compressed-message", "internal", STREAM_PROTO, envelope(WATCH, 1)),
        stream(
            "compressed-although-identity",
            "internal",
            STREAM_PROTO | {"connect-content-encoding": "identity"},
            envelope(gzip.compress(WATCH), 1),
        ),
        stream("gzip", "unauthenticated", STREAM_PROTO | SAYS_GZIP, envelope(gzip.compress(WATCH), 1)),
        stream("gzip-may-leave-messages-plain", "unauthenticated", STREAM_PROTO | SAYS_GZIP, envelope(WATCH)),
        stream("gzip-bomb", "invalid_argument", STREAM_PROTO | SAYS_GZIP, envelope(BOMB, 1)),
        stream("unexpected-compression", "unimplemented", STREAM_PROTO | {"connect-content-encoding": "br"}, b""),
        stream("compressed-as-a-whole", "unimplemented", STREAM_PROTO | GZIP, gzip.compress(envelope(WATCH))),
        stream("torn-head", "invalid_argument", STREAM_PROTO, b"\x00\x00"),
        stream("torn-message", "invalid_argument", STREAM_PROTO, envelope(WATCH)[:-1]),
        stream("unknown-flags", "invalid_argument", STREAM_PROTO, envelope(WATCH, 4)),
        stream("garbage", "invalid_argument", STREAM_PROTO, envelope(b"\xff\xff")),
        stream("json-array", "invalid_argument", STREAM_JSON, envelope(b"[]")),
        stream("json-content-type-without-case", "unauthenticated", {"content-type": "Application/Connect+JSON"},
               envelope(b'{"waitingToken":"x","sessionId":"s"}')),
        stream("bad-timeout", "invalid_argument", STREAM_PROTO | {"connect-timeout-ms": "1e3"}, envelope(WATCH)),
        stream("unknown-version", "invalid_argument", STREAM_PROTO | {"connect-protocol-version": "0"}, b""),
        stream("too-large", "invalid_argument", STREAM_PROTO, envelope(b"x" * 300_000)),
    ],
)  # fmt: skip
def test_a_stream_is_always_a_200_and_what_refuses_it_is_in_its_end(path, headers, body, code):
    @on_platform
    async def on_desk(desk):
        answer = await desk.http("POST", path, headers, body)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == headers["content-type"].lower()
        flags, length = struct.unpack(">BI", answer.content[:5])
        assert (flags, length) == (2, len(answer.content) - 5)
        end = json.loads(answer.content[5:])
        assert end["error"]["code"] == code, end
        detail = end["error"]["details"][0]
        error = errors_pb2.Error.FromString(base64.b64decode(detail["value"] + "=" * (-len(detail["value"]) % 4)))
        assert (detail["type"], error.message, "=" in detail["value"]) == (
            "common.v1.Error",
            end["error"]["message"],
            False,
        )
        assert error.trace_id
        assert end["metadata"] == {"x-error-code": [f"ERROR_CODE_{errors_pb2.ErrorCode.Name(error.code)[11:]}"]}

    on_desk()


@on_platform
async def test_a_stream_of_another_content_type_says_which_it_takes(desk):
    for kind in ("text/plain", "application/proto"):
        answer = await desk.http("POST", STREAM, {"content-type": kind}, b"")
        assert answer.status_code == 415
        assert answer.headers["accept-post"].split(", ")[0] == "application/connect+json"


@on_platform
async def test_the_timeout_of_a_stream_ends_it(desk):
    joined = await desk.http("POST", UNARY, JSON, JOIN)
    watch = envelope(json.dumps({"waitingToken": joined.json()["waitingToken"], "sessionId": "s"}).encode())
    begun = desk.clock.now()
    answer = await desk.http("POST", STREAM, STREAM_JSON | {"connect-timeout-ms": "15000"}, watch)
    assert 15_000 <= desk.clock.now() - begun < 15_500
    ends, rest = [], answer.content
    while rest:
        flags, length = struct.unpack(">BI", rest[:5])
        ends.append((flags, json.loads(rest[5 : 5 + length])))
        rest = rest[5 + length :]
    assert [flags for flags, _ in ends[-2:]] == [0, 2]
    assert ends[-1][1]["error"]["code"] == "deadline_exceeded"


@on_platform
async def test_errors_carry_trailers_in_their_head(desk):
    answer = await desk.http("POST", FAN_UNARY, JSON, b"{}")
    assert answer.headers["trailer-x-error-code"] == "ERROR_CODE_UNAUTHENTICATED"
    me = JSON | {"authorization": f"Bearer {desk.token(Role.FAN, 'ana')}"}
    missing = await desk.http("POST", FAN_UNARY, me, b'{"reservationId":"rsv_x"}')
    assert missing.headers["trailer-x-error-code"] == "ERROR_CODE_NOT_FOUND"


def test_every_code_has_a_name_and_a_status_of_the_protocol():
    statuses = {
        "canceled": 499, "unknown": 500, "invalid_argument": 400, "deadline_exceeded": 504, "not_found": 404,
        "already_exists": 409, "permission_denied": 403, "resource_exhausted": 429, "failed_precondition": 400,
        "aborted": 409, "out_of_range": 400, "unimplemented": 501, "internal": 500, "unavailable": 503,
        "data_loss": 500, "unauthenticated": 401,
    }  # fmt: skip
    for name, status in {*connect.CONNECT.values(), connect.OTHERWISE}:
        assert statuses[name] == status

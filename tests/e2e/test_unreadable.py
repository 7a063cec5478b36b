"""What cannot be read is the caller's fault: refused as such by both gRPC servers and the HTTP door, and not logged."""

import contextlib
import socket

import grpc
import httpx
import pytest

from tests.e2e.process import OWN_CONNECTION

INVALID_UTF8 = b"\x0a\x04\xff\xfe\xfa\xfb"
UNREADABLE = (INVALID_UTF8, b"\xff\xff\xff", b"\x0a\x05ab", b"\x0b" * 200, b"\x0a\xff\xff\xff\xff\x0f")
METHODS = (
    "/gateway.v1.QueueService/JoinQueue",
    "/gateway.v1.QueueService/GetQueueStatus",
    "/gateway.v1.GatewayService/CreateReservation",
    "/common.v1.AdminService/UpdateConfig",
)
JSON = {"content-type": "application/json"}
NOT_JSON = (
    b"\xff\xfe",
    b'{"eventId": "\xff\xfe"}',
    b'{"eventId": "\\ud800"}',
    b"[" * 100_000,
    b'{"metadata": ' * 5000 + b"1" + b"}" * 5000,
    b'{"eventId": {"a": 1}}',
    b'{"metadata": {"headers": []}}',
    b'{"metadata": {"headers": {"a": {"b": 1}}}}',
    b'{"eventId": 1e999}',
    b'{"eventId": ' + b"1" * 5000 + b"}",
    b"NaN",
    b'"x"',
    b"nonsense",
)


def lines(platform):
    return [line for line in platform.log.read_text().splitlines() if line.startswith("{") or "Traceback" in line]


@pytest.mark.parametrize("server", ["native", "grpcio"])
def test_what_cannot_be_read_is_invalid_and_leaves_nothing_in_the_log(up, server):
    platform = up("--server", server)
    before = lines(platform)
    with grpc.insecure_channel(platform.grpc, options=OWN_CONNECTION) as channel:
        for path in METHODS:
            for raw in UNREADABLE:
                with pytest.raises(grpc.RpcError) as refused:
                    channel.unary_unary(path)(raw, timeout=5)
                assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT, (path, raw)
                assert dict(refused.value.trailing_metadata())["x-error-code"] == "ERROR_CODE_INVALID_ARGUMENT"
        stream = channel.unary_stream("/gateway.v1.WebSocketService/StreamQueueUpdates")
        with pytest.raises(grpc.RpcError) as refused:
            next(stream(INVALID_UTF8, timeout=5))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with httpx.Client(base_url=f"http://{platform.http}", timeout=10) as door:
        for path in (*METHODS[:2], "/api/v1/queue/join"):
            for body in NOT_JSON:
                answer = door.post(path, content=body, headers={**JSON, "idempotency-key": "k"})
                assert answer.status_code in (400, 401), (path, body[:40], answer.text)
                assert len(answer.content) < 2000
        for raw in UNREADABLE:
            answer = door.post(METHODS[0], content=raw, headers={"content-type": "application/proto"})
            assert answer.status_code == 400
        for path in ("/pay/%ff%fe", "/pay/%00", "/api/v1/queue/stats?event_id=%ff", "/api/v1/reservations/%F0%9F"):
            assert door.get(path).status_code < 500, path
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert door.post("/pay/rsv_x", content=b"\xff=%ff&card_number=%00", headers=form).status_code < 500
    for raw in (b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"G\xff / HTTP/1.1\r\nhost: \xff\r\n\r\n") * 20:
        host, port = platform.http.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as raw_socket:
            raw_socket.sendall(raw)
            with contextlib.suppress(OSError):
                raw_socket.recv(1000)
    assert platform.stop() == 0
    written = platform.log.read_text()
    assert "Traceback" not in written, written[-3000:]
    assert "Invalid HTTP" not in written
    assert [line for line in lines(platform)[len(before) :] if '"error"' in line or '"warning"' in line] == []

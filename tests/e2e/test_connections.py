"""Connections that give nothing are closed, and there are only so many; who buys meanwhile notices nothing."""

import asyncio
import json
import os
import time

import pytest

from tests.e2e.process import Shopper, connected
from traffic_tacos.gen.gateway.v1 import websocket_pb2, websocket_pb2_grpc

IDLE_SECONDS = 0.5
OF_EACH = 60
EVENT = "evt_hundred"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n"
# What is sent at once, then a byte at a time; to which door.
SILENT = {
    "nothing": ("http", b"", b""),
    "half a head": ("http", b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ", b"a" * 1000),
    "a request, and then no other": ("http", GET, b""),
    "a request, and then half of another": ("http", GET + GET[:20], b"a" * 1000),
    "a body after its answer": (
        "http",
        b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n",
        b"a" * 1000,
    ),
    "nothing to gRPC": ("grpc", b"", b""),
    "half a preface": ("grpc", PREFACE[:10], b""),
    "a preface, dripping": ("grpc", b"", PREFACE),
    "HTTP/2, and no answer to a ping": ("grpc", PREFACE + SETTINGS, b""),
}


async def opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = address.split(":")
    for _ in range(100):
        try:
            return await asyncio.open_connection(host, int(port))
        except ConnectionRefusedError:  # HTTP may listen some moments after gRPC
            await asyncio.sleep(0.05)
    raise AssertionError(f"nothing answers at {address}")


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has closed it."""
    try:
        async with asyncio.timeout(0.1):
            await reader.read()
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


async def seconds_until_closed(address: str, first: bytes, dripping: bytes) -> float:
    """How long the platform lets somebody wait who never says more."""
    reader, writer = await opened(address)
    began = time.monotonic()

    async def drip() -> None:
        for byte in dripping:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.3)

    writer.write(first)
    dripped = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(20):
            while await reader.read(65536):
                pass
    except ConnectionError:
        pass
    finally:
        dripped.cancel()
        writer.close()
    return time.monotonic() - began


def descriptors(platform) -> int:
    return len(os.listdir(f"/proc/{platform.pid}/fd"))


async def test_hundreds_who_give_nothing_are_let_go_while_one_buys_and_streams_go_on(up):
    platform = up("--idle-seconds", str(IDLE_SECONDS))
    shopper = Shopper(platform.client(), platform.token("user", "ana"), "ana", EVENT)
    await asyncio.to_thread(shopper.join)
    before = descriptors(platform)
    streamed = asyncio.create_task(one_stream_by_grpc(platform, shopper))
    over_http = asyncio.create_task(one_stream_over_http(platform, shopper))
    await asyncio.sleep(0.2)
    addresses = {"http": platform.http, "grpc": platform.grpc}
    kinds = [kind for kind in SILENT for _ in range(OF_EACH)]
    waiting = [seconds_until_closed(addresses[SILENT[kind][0]], *SILENT[kind][1:]) for kind in kinds]
    took, _ = await asyncio.gather(asyncio.gather(*waiting), asyncio.to_thread(buys, shopper))
    longest = {kind: max(one for one, name in zip(took, kinds, strict=True) if name == kind) for kind in SILENT}
    assert {kind: seconds for kind, seconds in longest.items() if seconds > 15} == {}
    assert await streamed == await over_http == "ready, then admitted"
    await asyncio.sleep(1.5)
    assert descriptors(platform) < before + OF_EACH // 3
    platform.verify()


def buys(shopper: Shopper) -> None:
    time.sleep(4 * IDLE_SECONDS)  # its streams say nothing meanwhile
    shopper.wait_for_turn()
    shopper.be_admitted()
    shopper.reserve()
    shopper.pay()
    shopper.own()


async def one_stream_by_grpc(platform, shopper) -> str:
    token = shopper.acknowledged["waiting_token"]
    async with connected(platform) as channel:
        stub = websocket_pb2_grpc.WebSocketServiceStub(channel)
        request = websocket_pb2.StreamQueueRequest(waiting_token=token, session_id="ana")
        told = [message.type async for message in stub.StreamQueueUpdates(request)]
    return "ready, then admitted" if len(told) >= 2 else f"only {told}"


async def one_stream_over_http(platform, shopper) -> str:
    token = shopper.acknowledged["waiting_token"]
    body = json.dumps({"waitingToken": token, "sessionId": "ana"}).encode()
    envelope = b"\x00" + len(body).to_bytes(4, "big") + body
    head = (
        "POST /gateway.v1.WebSocketService/StreamQueueUpdates HTTP/1.1\r\nhost: x\r\n"
        f"content-type: application/connect+json\r\ncontent-length: {len(envelope)}\r\n\r\n"
    )
    reader, writer = await opened(platform.http)
    writer.write(head.encode() + envelope)
    said = b""
    async with asyncio.timeout(20):
        while b"0\r\n\r\n" not in said:
            chunk = await reader.read(65536)
            assert chunk, said
            said += chunk
    writer.close()
    return "ready, then admitted" if said.count(b'"type"') >= 2 and b'"error"' not in said else said.decode()


async def test_an_answer_that_nobody_reads_does_not_keep_its_connection(up):
    platform = up("--idle-seconds", str(IDLE_SECONDS))
    _, first = await opened(platform.http)
    before = descriptors(platform)
    first.close()
    writers = []
    for _ in range(40):
        _, writer = await opened(platform.http)
        writer.transport.pause_reading()
        writer.write(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 60)
        writers.append(writer)
    await asyncio.sleep(10 * IDLE_SECONDS)
    assert descriptors(platform) < before + 20
    for writer in writers:
        writer.transport.abort()
    assert platform.tacos("admin", "health", "--grpc", platform.grpc, "--data", str(platform.data)).returncode == 0


async def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(up):
    platform = up()
    reader, writer = await opened(platform.http)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * 200_000)
    assert (await reader.read(1000)).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_body_that_does_not_come_in_time_ends_with_the_callers_deadline(up):
    platform = up()
    reader, writer = await opened(platform.http)
    writer.write(
        b"POST /gateway.v1.QueueService/GetQueueStatus HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"connect-timeout-ms: 500\r\ncontent-length: 100\r\n\r\n{"
    )
    async with asyncio.timeout(5):
        assert (await reader.read(1000)).startswith(b"HTTP/1.1 504 ")
    writer.close()


async def test_over_the_cap_nobody_comes_in_until_somebody_leaves_and_who_is_in_goes_on(up):
    platform = up("--connections-max", "6", "--idle-seconds", "8")
    inside = [await opened(platform.http) for _ in range(6)]
    await asyncio.sleep(0.3)
    reader, writer = await opened(platform.http)
    refused = await reader.read()
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after" in refused
    for reader, writer in inside:
        writer.write(GET)
        assert (await reader.read(1000)).startswith(b"HTTP/1.1 200 ")
    inside.pop()[1].close()
    await asyncio.sleep(0.3)
    reader, writer = await opened(platform.http)
    writer.write(GET)
    assert (await reader.read(1000)).startswith(b"HTTP/1.1 200 ")
    for _, writer in inside:
        writer.close()
    writer.close()


async def test_over_the_cap_of_grpc_newcomers_are_shut_and_who_is_in_goes_on(up):
    platform = up("--connections-max", "5", "--idle-seconds", "30")
    async with connected(platform) as channel:
        ask = channel.unary_unary("/gateway.v1.GatewayService/HealthCheck")
        assert await ask(b"", timeout=5) != b""
        crowd = [await opened(platform.grpc) for _ in range(30)]
        await asyncio.sleep(3)
        assert await ask(b"", timeout=5) != b""
        is_shut = await asyncio.gather(*(is_closed(reader) for reader, _ in crowd))
        assert is_shut.count(False) <= 5
        assert not all(is_shut)
        for _, writer in crowd:
            writer.close()
        await asyncio.sleep(2.5)
        late = platform.client()
        assert late("gateway.v1.GatewayService", "HealthCheck", {}).status
    assert "connections_refused" in platform.log.read_text()


@pytest.mark.parametrize(
    "wrong", [("--connections-max", "-1"), ("--connections-per-address", "0"), ("--idle-seconds", "0")]
)
def test_settings_that_make_no_sense_are_refused(tmp_path, up, wrong):
    with pytest.raises(AssertionError, match=wrong[0].removeprefix("--")):
        up(*wrong)

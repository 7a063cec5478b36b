"""The server on pygrpc-native's HTTP/2, as grpcio's own client finds it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

native_server = pytest.importorskip("traffic_tacos.transport.native_server")

LIMIT = 1000
OPTIONS = (
    ("grpc.max_receive_message_length", LIMIT),
    ("grpc.max_send_message_length", LIMIT),
    ("grpc.max_metadata_size", 8192),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
LARGE = b"x" * (LIMIT + 1)


class Handlers:
    """What the methods of the service do, and what became of them."""

    def __init__(self):
        self.ended: list[str] = []
        self.poured = 0
        self.waits = asyncio.Event()
        self.go_on = asyncio.Event()

    async def say(self, request, context):
        headers = dict(context.invocation_metadata())
        context.set_trailing_metadata((("came-from", context.peer().split(":")[0]), ("mode", headers["mode"])))
        return request + b"!"

    async def at_once(self, request, context):
        if request == b"abort":
            await context.abort(grpc.StatusCode.NOT_FOUND, "not here", (("why", "gone"),))
        if request == b"wait":
            await asyncio.sleep(0)
        return None if request == b"nothing" else request

    at_once.is_immediate = True

    async def refuse(self, request, context):
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now", (("why", "closed"),))

    async def break_(self, request, context):
        if request == b"cancelled":
            raise asyncio.CancelledError
        raise KeyError("a bug")

    async def give_much(self, request, context):
        return LARGE

    async def wait(self, request, context):
        self.waits.set()
        try:
            await self.go_on.wait()
        finally:
            self.ended.append("wait")
        return b"waited"

    async def count(self, request, context):
        try:
            for number in range(int(request)):
                yield b"%06d" % number
            if request == b"2":
                await context.abort(grpc.StatusCode.ABORTED, "enough")
            await self.go_on.wait()
        finally:
            self.ended.append("count")

    async def pour(self, request, context):
        try:
            while True:
                self.poured += 1
                yield LARGE[1:]
        finally:
            self.ended.append("pour")


@pytest.fixture
async def served():
    handlers, server = Handlers(), native_server.NativeServer(OPTIONS)
    unary = grpc.unary_unary_rpc_method_handler
    methods = {
        "Say": unary(handlers.say),
        "AtOnce": unary(handlers.at_once),
        "Refuse": unary(handlers.refuse),
        "Break": unary(handlers.break_),
        "GiveMuch": unary(handlers.give_much),
        "Wait": unary(handlers.wait),
        "Read": unary(handlers.say, request_deserializer=health_pb2.HealthCheckRequest.FromString),
        "Pour": grpc.unary_stream_rpc_method_handler(handlers.pour),
        "Count": grpc.unary_stream_rpc_method_handler(handlers.count),
    }
    server.add_registered_method_handlers("a.Service", methods)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield server, handlers, channel
    await server.stop(None)


def unary(channel, name):
    return channel.unary_unary(f"/a.Service/{name}")


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value


async def test_an_answer_comes_with_what_is_said_beside_it(served):
    _, _, channel = served
    call = unary(channel, "Say")(b"ping", metadata=(("mode", "plain"),))
    assert await call == b"ping!"
    assert dict(await call.trailing_metadata()) == {"came-from": "ipv4", "mode": "plain"}


async def test_a_call_that_never_waits_is_answered_without_a_task(served):
    _, _, channel = served
    assert await unary(channel, "AtOnce")(b"now") == b"now"
    gone = await refused(unary(channel, "AtOnce")(b"abort"))
    assert (gone.code(), gone.details()) == (grpc.StatusCode.NOT_FOUND, "not here")
    assert dict(gone.trailing_metadata())["why"] == "gone"
    with structlog.testing.capture_logs() as said:
        assert (await refused(unary(channel, "AtOnce")(b"wait"))).code() is grpc.StatusCode.INTERNAL
    assert [line["event"] for line in said] == ["bug"]


async def test_a_refusal_has_its_code_its_words_and_its_trailers(served):
    _, _, channel = served
    error = await refused(unary(channel, "Refuse")(b""))
    assert (error.code(), error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not now")
    assert dict(error.trailing_metadata())["why"] == "closed"


@pytest.mark.parametrize("request_", [b"", b"cancelled"])
async def test_a_bug_ends_its_call_alone_and_is_logged(served, request_):
    _, _, channel = served
    with structlog.testing.capture_logs() as said:
        error = await refused(unary(channel, "Break")(request_))
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert [line["event"] for line in said] == ["bug"]
    assert await unary(channel, "AtOnce")(b"on") == b"on"


async def test_an_answer_that_is_none_keeps_no_other_call_from_being_answered(served):
    _, _, channel = served
    asked = [unary(channel, "AtOnce")(one) for one in (b"nothing", b"1", b"nothing", b"2")]
    with structlog.testing.capture_logs() as said:
        assert {(await refused(one)).code() for one in asked[::2]} == {grpc.StatusCode.INTERNAL}
    assert [await one for one in asked[1::2]] == [b"1", b"2"]
    assert [line["event"] for line in said] == ["bug", "bug"]


@pytest.mark.parametrize(("name", "request_"), [("Say", LARGE), ("GiveMuch", b"")])
async def test_what_is_too_large_is_refused_both_ways(served, name, request_):
    _, _, channel = served
    error = await refused(unary(channel, name)(request_))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert f"({LIMIT + 1} vs. {LIMIT})" in error.details()


async def test_what_cannot_be_read_keeps_no_other_call_from_being_begun(served):
    _, _, channel = served
    unreadable = [unary(channel, "Read")(b"\xff\xff") for _ in range(20)]
    good = [unary(channel, "AtOnce")(b"%d" % number) for number in range(20)]
    assert await asyncio.gather(*good) == [b"%d" % number for number in range(20)]
    assert {(await refused(one)).code() for one in unreadable} == {grpc.StatusCode.INTERNAL}


async def test_who_gives_up_or_has_no_time_left_is_not_worked_for(served):
    _, handlers, channel = served
    assert (await refused(unary(channel, "Wait")(b"", timeout=0.05))).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    handlers.waits.clear()
    leaving = unary(channel, "Wait")(b"")
    await handlers.waits.wait()
    stream = channel.unary_stream("/a.Service/Count")(b"1")
    assert await stream.read() == b"000000"
    leaving.cancel()
    stream.cancel()
    async with asyncio.timeout(5):
        while sorted(handlers.ended) != ["count", "wait", "wait"]:
            await asyncio.sleep(0.01)


async def test_who_gives_up_at_once_leaves_nothing_behind(served):
    server, _, channel = served
    for _ in range(20):
        leaving = [unary(channel, "Wait")(b"") for _ in range(50)]
        await unary(channel, "AtOnce")(b"")
        for call in leaving:
            call.cancel()
    for _ in range(300):
        call = unary(channel, "Wait")(b"")
        await asyncio.sleep(0)
        call.cancel()
    async with asyncio.timeout(10):
        while server.under_way:
            await asyncio.sleep(0.01)


async def test_a_stream_waits_for_who_reads_slowly_and_ends_as_it_says(served):
    _, handlers, channel = served
    stream = channel.unary_stream("/a.Service/Count")(b"20000")
    await asyncio.sleep(0.2)  # far more than what the connection takes
    handlers.go_on.set()
    assert [one async for one in stream] == [b"%06d" % number for number in range(20_000)]
    stopped = channel.unary_stream("/a.Service/Count")(b"2")
    assert [await stopped.read(), await stopped.read()] == [b"000000", b"000001"]
    error = await refused(stopped.read())
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "enough")


async def test_who_reads_nothing_takes_no_thread_from_anybody(served):
    _, handlers, channel = served
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    streams = [channel.unary_stream("/a.Service/Pour")(b"") for _ in range(4)]
    for stream in streams:
        assert await stream.read() == LARGE[1:]
    async with asyncio.timeout(30):
        before = -1
        while before != handlers.poured:  # until the connection takes no more
            before = handlers.poured
            await asyncio.sleep(0.5)
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert await unary(channel, "AtOnce")(b"here") == b"here"
        for stream in streams:
            stream.cancel()
        while len(handlers.ended) < len(streams):
            await asyncio.sleep(0.01)


async def test_what_it_does_not_serve_itself_is_served_behind_it(served):
    _, _, channel = served
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest()
    assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
    watch = stub.Watch(request)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    assert (await refused(unary(channel, "None")(b""))).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_what_is_under_way_may_finish_while_it_stops_and_nothing_new_begins(served):
    server, handlers, channel = served
    waiting = unary(channel, "Wait")(b"")
    await handlers.waits.wait()
    stopping = asyncio.create_task(server.stop(5))
    await asyncio.sleep(0)
    assert (await refused(unary(channel, "AtOnce")(b""))).code() is grpc.StatusCode.UNAVAILABLE
    handlers.go_on.set()
    assert await waiting == b"waited"
    async with asyncio.timeout(5):
        await stopping


async def test_one_that_never_started_can_be_stopped():
    server = native_server.NativeServer(OPTIONS)
    server.add_insecure_port("127.0.0.1:0")
    async with asyncio.timeout(5):
        await server.stop(1)

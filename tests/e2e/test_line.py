"""The waiting room as a process: killed in a rush, watched by streams, drawn, and operated."""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from tests.contract import CONTRACT
from tests.e2e.process import QUEUE, asker, connected, refused_code

SOCKET = "gateway.v1.WebSocketService"
EVENT = "evt_line"
FILE = """
id: {id}
name: Line
currency: KRW
admission: {{rate_per_second: {rate}, active_max: {cap}}}
{more}
sections: [{{id: PIT, name: Standing, price: 1000, standing: 5000}}]
"""


def event_file(tmp_path, event_id=EVENT, rate=1, cap=1, more=""):
    path = tmp_path / f"{event_id}.yaml"
    path.write_text(FILE.format(id=event_id, rate=rate, cap=cap, more=more))
    return "--event", str(path)


def watch(channel, **fields):
    """A stream of the contract table's own client."""
    rpc = CONTRACT.rpc(SOCKET, "StreamQueueUpdates")
    call = channel.unary_stream(
        rpc.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=CONTRACT.message(rpc.response).FromString,
    )
    return call(CONTRACT.message(rpc.request)(**fields), timeout=60)


async def test_a_line_killed_in_the_middle_of_a_rush_keeps_every_place_it_told(up, tmp_path):
    platform = up(*event_file(tmp_path))
    told: dict[str, tuple[str, int]] = {}  # session -> token, place
    for round_ in range(2):
        async with connected(platform) as channel:
            ask = asker(channel)

            async def joins(caller, ask=ask, round_=round_):
                number = 0
                while True:
                    session = f"r{round_}c{caller}n{number}"
                    joined = await ask(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": session})
                    assert joined.waiting_token, joined
                    told[session] = joined.waiting_token, joined.position_hint
                    number += 1

            callers = [asyncio.ensure_future(joins(caller)) for caller in range(32)]
            known = len(told)
            while len(told) < known + 1000:
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.Random(round_).uniform(0, 0.3))
            platform.kill()
            outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(one, grpc.aio.AioRpcError) for one in outcomes)
        platform.start()
        async with connected(platform) as channel:
            ask = asker(channel)
            places = {}
            for session, (token, place) in told.items():
                status = await ask(QUEUE, "GetQueueStatus", {"waiting_token": token})
                assert not status.HasField("error"), status
                assert status.position <= place
                places[session] = status.position
            live = [place for place in places.values() if place]
            assert len(set(live)) == len(live)
            order = sorted(told, key=lambda session: told[session][1])
            assert [places[session] for session in order] == sorted(places.values())
            some = random.Random(1).sample(sorted(told), 20)
            for session in some:
                mine = ("x-waiting-token", told[session][0])
                again = await ask(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": session}, "", mine)
                assert (again.waiting_token, refused_code(again)) == (told[session][0], "ALREADY_EXISTS")
    platform.verify()


@pytest.mark.parametrize("server", ["native", "grpcio"])
async def test_a_stream_tells_the_place_and_then_the_turn_and_ends_when_the_platform_stops(up, tmp_path, server):
    platform = up(*event_file(tmp_path), "--server", server)
    async with connected(platform) as channel:
        ask = asker(channel)
        first, second, third = [
            (await ask(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": f"s{n}"})).waiting_token for n in range(3)
        ]
        stream = watch(channel, waiting_token=second, session_id="s1")
        update = await stream.read()
        assert (update.type, update.queue_update.position, update.queue_update.event_type) == (1, 2, 1)
        behind = watch(channel, waiting_token=third, session_id="s2")
        assert (await behind.read()).queue_update.position == 3
        left = await ask(QUEUE, "LeaveQueue", {"waiting_token": first})
        assert left.success
        while (update := await stream.read()).queue_update.event_type != 2:  # READY, perhaps after a new place
            assert update.queue_update.position == 1
        assert update.queue_update.admission_ready
        while (update := await behind.read()).queue_update.position != 2:
            pass
        stop = asyncio.to_thread(platform.stop)
        started = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            stopping = asyncio.ensure_future(stop)
            while await behind.read() is not grpc.aio.EOF:
                pass
            raise grpc.aio.AioRpcError(await behind.code(), None, None)
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await stopping == 0
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("server", ["native", "grpcio"])
async def test_a_refused_stream_has_a_status_with_the_contracts_error_in_its_details(up, tmp_path, server):
    platform = up(*event_file(tmp_path), "--server", server)
    async with connected(platform) as channel:
        stream = watch(channel, waiting_token="00", session_id="s")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stream.read()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        trailers = dict(refused.value.trailing_metadata())
        assert trailers["x-error-code"] == "ERROR_CODE_UNAUTHENTICATED"
        assert b"type.googleapis.com/common.v1.Error" in trailers["grpc-status-details-bin"]
        assert b"waiting_token" in trailers["grpc-status-details-bin"]


async def test_a_draw_is_committed_to_shown_and_checked_on_the_command_line(up, tmp_path):
    platform = up()
    where = ("--grpc", platform.grpc)
    starts = datetime.now(UTC) + timedelta(seconds=15)
    _, file = event_file(tmp_path, "evt_drawn", 100, 100, f"sale_start_time: {starts.isoformat()}")
    assert platform.tacos("event", "create", file, "--data", str(platform.data), *where).returncode == 0
    async with connected(platform) as channel:
        ask = asker(channel)
        tokens = [
            (await ask(QUEUE, "JoinQueue", {"event_id": "evt_drawn", "session_id": f"s{n}"})).waiting_token
            for n in range(30)
        ]
        assert (await ask(QUEUE, "GetQueueStatus", {"waiting_token": tokens[0]})).position == 0
        committed = platform.tacos("draw", "show", "evt_drawn", *where).stdout
        commitment = committed.split("seed")[1].split()[0]
        early = platform.tacos("draw", "verify", "evt_drawn", *where)
        assert (early.returncode, "closes at" in early.stderr) == (1, True)
        while not (await ask(QUEUE, "GetQueueStatus", {"waiting_token": tokens[0]})).admission_ready:
            await asyncio.sleep(0.1)
    good = platform.tacos("draw", "verify", "evt_drawn", "--commitment", commitment, "--token", tokens[3], *where)
    assert (good.returncode, "30 places are as they were drawn" in good.stdout) == (0, True), good.stderr
    assert "You were drawn to place" in good.stdout
    published = platform.tacos("draw", "publish", "evt_drawn", *where).stdout
    draw = tmp_path / "draw.json"
    draw.write_text(published)
    assert platform.tacos("draw", "verify", "evt_drawn", "--from", str(draw)).returncode == 0
    lines = published.splitlines()
    at = next(index for index, line in enumerate(lines) if '"places"' in line) + 1
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    draw.write_text("\n".join(lines))
    swapped = platform.tacos("draw", "verify", "evt_drawn", "--from", str(draw))
    assert (swapped.returncode, swapped.stdout.count("was drawn to place")) == (1, 2)
    wrong = platform.tacos("draw", "verify", "evt_drawn", "--commitment", "00" * 32, *where)
    assert (wrong.returncode, "not the one that you noted" in wrong.stdout) == (1, True)


def test_an_operator_watches_a_line_stops_it_and_lets_it_go_on(up, tmp_path):
    platform = up(*event_file(tmp_path, rate=1000, cap=1000))
    where = ("--grpc", platform.grpc, "--data", str(platform.data))
    shown = platform.tacos("queue", "watch", EVENT, "--once", *where)
    assert shown.returncode == 0, shown.stderr
    for word in ("waiting", "admitted", "no-shows", "waits", "sold", "5,000"):
        assert word in shown.stdout
    assert "stopped for evt_line" in platform.tacos("queue", "stop", EVENT, "--reason", "a test", *where).stdout
    assert "nobody is let in" in platform.tacos("queue", "watch", EVENT, "--once", *where).stdout
    client = platform.client()
    token = client(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": "s"}).waiting_token
    time.sleep(0.5)
    assert not client(QUEUE, "GetQueueStatus", {"waiting_token": token}).admission_ready
    assert (
        "resumed for evt_line"
        in platform.tacos("queue", "stop", EVENT, "--resume", "--reason", "a test", *where).stdout
    )
    deadline = time.monotonic() + 10
    while not client(QUEUE, "GetQueueStatus", {"waiting_token": token}).admission_ready:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    none = platform.tacos("queue", "watch", "evt_none", "--once", *where)
    assert (none.returncode, "there is no event evt_none" in none.stderr) == (1, True)

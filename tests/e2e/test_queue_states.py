"""Why nobody is let into a queue, over real sockets: beside each answer of a poll, and by the commands of people."""

import json
import time
import urllib.request

import pytest

from tests.contract import CONTRACT
from tests.e2e.process import QUEUE, connected
from traffic_tacos.wire import queue_message

EVENT = "evt_hundred"
PAUSED = ("paused", "nobody is let in at the moment; your place is kept")


def over_http(platform, path, headers, body=None):
    """The JSON answer to a request, and its headers."""
    asked = urllib.request.Request(f"http://{platform.http}{path}", body, headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer), {name.lower(): value for name, value in answer.headers.items()}


async def polled(platform, token) -> dict[str, tuple[str, str]]:
    """State and sentence by transport."""
    rpc = CONTRACT.rpc(QUEUE, "GetQueueStatus")
    async with connected(platform) as channel:
        ask = channel.unary_unary(
            rpc.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CONTRACT.message(rpc.response).FromString,
        )
        call = ask(CONTRACT.message(rpc.request)(waiting_token=token))
        await call
        trailing = dict(await call.trailing_metadata() or ())
    connect = over_http(
        platform, rpc.path, {"content-type": "application/json"}, json.dumps({"waitingToken": token}).encode()
    )
    rest = over_http(platform, "/api/v1/queue/status", {"x-waiting-token": token})
    told = {"gRPC": trailing, "Connect": connect[1], "REST": rest[1]}
    said = {name: (one.get("x-queue-state", ""), queue_message(one.items())) for name, one in told.items()}
    return said | {"REST, body": (rest[0].get("queue_state", ""), rest[0].get("queue_message", ""))}


def where(platform):
    return "--data", str(platform.data), "--grpc", platform.grpc


@pytest.fixture
def waiting(up):
    """A platform whose turns come slowly, and the token of somebody who waits."""
    platform = up()
    client = platform.client()
    set_rate = ("admin", "set", "admission.active_max", "1", "--event", EVENT, "--reason", "a test", *where(platform))
    platform.tacos(*set_rate)
    tokens = [
        client(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": f"s{number}"}).waiting_token for number in range(5)
    ]
    return platform, tokens[-1]


async def test_a_paused_queue_says_so_on_every_transport_and_when_it_goes_on_nothing(waiting):
    platform, token = waiting
    assert set((await polled(platform, token)).values()) == {("", "")}
    stop = ("queue", "stop", EVENT, "--reason", "a fire alarm", *where(platform))
    assert platform.tacos(*stop).returncode == 0
    assert set((await polled(platform, token)).values()) == {PAUSED}
    watched = platform.tacos("queue", "watch", EVENT, "--once", *where(platform))
    assert PAUSED[1] in watched.stdout
    assert json.loads(platform.tacos("queue", "watch", EVENT, "--json", *where(platform)).stdout)
    assert platform.tacos(*stop, "--resume").returncode == 0
    deadline = time.monotonic() + 10
    while set((await polled(platform, token)).values()) != {("", "")}:
        assert time.monotonic() < deadline


async def test_a_queue_whose_seats_are_all_gone_says_so_on_every_transport(waiting):
    platform, token = waiting
    shown = platform.tacos("event", "show", EVENT, "--json", "--grpc", platform.grpc).stdout
    seats = [seat["id"] for row in _rows(json.loads(shown)) for seat in row["seats"]]
    assert len(seats) == 100
    blocked = platform.tacos("event", "block", EVENT, *seats, "--reason", "a test", *where(platform))
    assert blocked.returncode == 0, blocked.stderr
    deadline = time.monotonic() + 15
    while {state for state, _ in (await polled(platform, token)).values()} != {"sold_out"}:
        assert time.monotonic() < deadline, await polled(platform, token)
    ((_, sentence),) = set((await polled(platform, token)).values())
    assert "sold" in sentence
    bought = platform.tacos("buy", EVENT, *where(platform))
    assert bought.returncode == 1
    assert "0 seats" in bought.stderr + bought.stdout or "sold out" in bought.stderr + bought.stdout


def _rows(found):
    """Every row with seats in what was printed, wherever it stands."""
    if isinstance(found, dict):
        if "seats" in found and isinstance(found["seats"], list):
            yield found
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            yield from _rows(one)

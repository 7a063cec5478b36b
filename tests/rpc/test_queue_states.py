"""Who asks hears what who watches hears: why nobody is let in, in words, on every transport."""

import json

import pytest

from tests.rpc.desk import QUEUE, code, on_platform
from tests.rpc.test_waiting_room import emergency, join, status
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.transport.grpc_server import rpc_handler
from traffic_tacos.wire import queue_message, queue_state


class Context:
    """What a handler needs of a gRPC call."""

    def __init__(self):
        self.trailing = ()

    def invocation_metadata(self):
        return ()

    def peer(self):
        return "ipv4:127.0.0.1:1"

    def time_remaining(self):
        return None

    def set_trailing_metadata(self, metadata):
        self.trailing = metadata


async def over_grpc(desk, name, request):
    """The answer and the trailing metadata, as the gRPC server would send them."""
    context = Context()
    handler = rpc_handler(desk.platform.calls, desk.platform.calls.methods[f"/{QUEUE}{name}"])
    return await handler.unary_unary(request, context), dict(context.trailing)


async def everywhere(desk, token):
    """State and sentence on gRPC, Connect and REST; they are the same."""
    request = queue_pb2.GetQueueStatusRequest(waiting_token=token)
    answer, trailing = await over_grpc(desk, "GetQueueStatus", request)
    assert code(answer) == ""
    body = json.dumps({"waitingToken": token}).encode()
    connect = await desk.http(
        "POST", "/gateway.v1.QueueService/GetQueueStatus", {"content-type": "application/json"}, body
    )
    rest = await desk.http("GET", "/api/v1/queue/status", {"x-waiting-token": token})
    assert (connect.status_code, rest.status_code) == (200, 200)
    said = {
        (one.get("x-queue-state", ""), queue_message(one.items())) for one in (trailing, connect.headers, rest.headers)
    }
    assert said == {(rest.json().get("queue_state", ""), rest.json().get("queue_message", ""))}
    asked = waiting_room_pb2.GetLineRequest(event_id=EVENT_ID)
    line = (await desk.as_service("tacos.waiting_room.v1.LineService/GetLine", asked)).line
    assert said == {(line.state, line.state_message)}
    return (answer.eta_seconds, *said.pop())


@on_platform
async def test_a_paused_queue_says_so_and_no_time_is_told_that_nobody_knows(desk):
    tokens = [(await join(desk, f"s{n}")).waiting_token for n in range(20)]
    await desk.clock.sleep(0.5)
    eta, *said = await everywhere(desk, tokens[-1])
    assert (eta > 0, said) == (True, ["", ""])
    await emergency(desk)
    paused = ("paused", "nobody is let in at the moment; your place is kept")
    assert await everywhere(desk, tokens[-1]) == (-1, *paused)
    assert await everywhere(desk, tokens[0]) == (-1, *paused)  # its turn had come
    joined, trailing = await over_grpc(
        desk, "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="new")
    )
    assert (joined.eta_seconds, trailing["x-queue-state"]) == (-1, "paused")
    admission = queue_pb2.RequestAdmissionRequest(waiting_token=tokens[0], event_id=EVENT_ID)
    denied, trailing = await over_grpc(desk, "RequestAdmission", admission)
    assert (denied.admission, trailing["x-queue-state"]) == (queue_pb2.ADMISSION_STATUS_DENIED, "paused")
    await emergency(desk, parameters={"resume": "true"})
    await desk.clock.sleep(0.5)
    assert (await everywhere(desk, tokens[-1]))[1:] == ("", "")


@on_platform
async def test_maintenance_says_why_in_any_script(desk):
    token = (await join(desk, "s")).waiting_token
    request = admin_pb2.UpdateConfigRequest(
        service="platform", config_key="maintenance", config_value="점검 중 100%", apply_immediately=True, reason="r"
    )
    answer = await desk.ask("common.v1.AdminService/UpdateConfig", request, desk.token(Role.ADMIN, "op"))
    assert code(answer) == ""
    await desk.clock.sleep(0.5)
    assert (await everywhere(desk, token))[1:] == ("maintenance", "maintenance: 점검 중 100%")


async def shown(desk):
    """Why nobody is let in, and whether all seats are held, as pages read it."""
    view = (await desk.http("GET", f"/web/queue/{EVENT_ID}")).json()
    return view["state"], view["all_held"]


@on_platform
async def test_what_is_sold_out_says_so_and_keeps_the_place_while_a_ticket_may_be_given_back(desk):
    from tests.rpc.test_waiting_room import configure

    await configure(desk, "admission.active_max", "20")
    held = {f"fan{n}": await desk.held(f"fan{n}", 1) for n in range(15)}
    token = (await join(desk, "s")).waiting_token
    await desk.clock.sleep(2)
    assert await shown(desk) == ("", True)  # none is free, but none is sold
    for fan, reserved in held.items():
        await desk.pay(fan, reserved)
    await desk.clock.sleep(20)
    assert await shown(desk) == ("sold_out", False)
    said = ("sold_out", "everything is sold; your place is kept in case a ticket is given back")
    assert await everywhere(desk, token) == (-1, *said)
    assert (await status(desk, token)).status == queue_pb2.QUEUE_STATUS_WAITING
    await desk.cancel("fan3", held["fan3"])
    await desk.clock.sleep(12)
    assert (await everywhere(desk, token))[1:] == ("", "")
    assert await shown(desk) == ("", False)
    assert (await status(desk, token)).admission_ready


@pytest.mark.parametrize("text", ["plain: a, b (c) 'd'", "100%25 und 점검\nzwei", ""])
def test_a_sentence_travels_in_metadata_unchanged(text):
    metadata = queue_state("paused", text)
    assert all(0x20 <= ord(letter) < 0x7F for _, value in metadata for letter in value)
    assert queue_message(metadata) == text

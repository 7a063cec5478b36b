"""Who asks for too much hears when to come back, and nobody else notices."""

import pytest

from tests.rpc.desk import GATEWAY, QUEUE, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, websocket_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Refusal

pytestmark = pytest.mark.one_store

SHOW = gateway_pb2.GetReservationRequest(reservation_id="rsv_none")


async def configure(desk, key, value):
    request = admin_pb2.UpdateConfigRequest(service="gateway", config_key=key, config_value=value, reason="x")
    answer = await desk.ask("common.v1.AdminService/UpdateConfig", request, desk.token(Role.ADMIN, "op"))
    assert answer.updated


async def codes(desk, count, ask):
    answers = [await ask() for _ in range(count)]
    return [code(answer) for answer in answers], answers[-1]


@on_platform
async def test_a_fan_over_the_limit_hears_when_to_come_back_and_others_go_on(desk):
    await configure(desk, "limits.fan_per_second", "5")
    heard, last = await codes(desk, 12, lambda: desk.as_fan(GATEWAY + "GetReservation", SHOW, "ana"))
    assert heard == ["NOT_FOUND"] * 10 + ["RATE_LIMITED"] * 2
    assert last.error.message == "more than 5 calls a second; try again in 0.2 seconds"
    assert (last.error.details[0].field, last.error.details[0].value) == ("retry_after_seconds", "0.2")
    assert code(await desk.as_fan(GATEWAY + "GetReservation", SHOW, "ben")) == "NOT_FOUND"
    await desk.clock.sleep(0.2)
    heard, _ = await codes(desk, 2, lambda: desk.as_fan(GATEWAY + "GetReservation", SHOW, "ana"))
    assert heard == ["NOT_FOUND", "RATE_LIMITED"]
    await configure(desk, "limits.fan_per_second", "0")
    heard, _ = await codes(desk, 50, lambda: desk.as_fan(GATEWAY + "GetReservation", SHOW, "ana"))
    assert set(heard) == {"NOT_FOUND"}


@on_platform
async def test_a_waiting_token_and_a_service_have_limits_of_their_own(desk):
    joined = await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s"))
    other = await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="t"))
    await configure(desk, "limits.ticket_per_second", "1")
    await configure(desk, "limits.service_per_second", "2")

    def status(token):
        return desk.ask(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=token))

    heard, _ = await codes(desk, 3, lambda: status(joined.waiting_token))
    assert heard == ["", "", "RATE_LIMITED"]
    assert code(await status(other.waiting_token)) == ""
    heard, _ = await codes(desk, 5, lambda: desk.as_service(GATEWAY + "GetReservation", SHOW))
    assert heard == ["NOT_FOUND"] * 4 + ["RATE_LIMITED"]


@on_platform
async def test_calls_without_a_token_are_counted_by_address_and_so_are_bad_tokens(desk):
    await configure(desk, "limits.address_per_second", "2")
    health = gateway_pb2.HealthCheckRequest()
    heard, _ = await codes(desk, 20, lambda: desk.ask(GATEWAY + "HealthCheck", health))
    assert set(heard) == {""}  # loopback
    desk.address = "ipv4:203.0.113.7:1"
    heard, _ = await codes(desk, 3, lambda: desk.ask(GATEWAY + "HealthCheck", health, "x.y.z"))
    assert heard == ["UNAUTHENTICATED"] * 3
    heard, _ = await codes(desk, 2, lambda: desk.ask(GATEWAY + "HealthCheck", health))
    assert heard == ["", "RATE_LIMITED"]
    assert code(await desk.as_fan(GATEWAY + "GetReservation", SHOW, "ana")) == "NOT_FOUND"
    desk.address = "ipv4:203.0.113.8:1"
    assert code(await desk.ask(GATEWAY + "HealthCheck", health)) == ""


@on_platform
async def test_only_a_waiting_token_of_ours_is_counted_by_itself(desk):
    """Any text as a waiting token once escaped the limit of its address, and filled memory as a key of the limiter."""
    joined = await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s"))
    await configure(desk, "limits.address_per_second", "2")
    await configure(desk, "limits.ticket_per_second", "3")
    for number, (path, made) in enumerate(
        {
            QUEUE + "GetQueueStatus": queue_pb2.GetQueueStatusRequest,
            QUEUE + "RequestAdmission": queue_pb2.RequestAdmissionRequest,
            QUEUE + "LeaveQueue": queue_pb2.LeaveQueueRequest,
        }.items()
    ):
        desk.address = f"ipv4:203.0.113.{number}:1"
        heard = [
            code(await desk.ask(path, made(waiting_token=f"{n}{joined.waiting_token[1:]}"))) for n in range(10, 18)
        ]
        assert heard == ["UNAUTHENTICATED"] * 4 + ["RATE_LIMITED"] * 4
        status = queue_pb2.GetQueueStatusRequest(waiting_token=joined.waiting_token)
        assert code(await desk.ask(QUEUE + "GetQueueStatus", status)) == ""  # a good one is counted by its ticket
        streamed = websocket_pb2.StreamQueueRequest(waiting_token="x", session_id="s")
        with pytest.raises(Refusal, match="calls a second"):
            await anext(desk.stream("gateway.v1.WebSocketService/StreamQueueUpdates", streamed))
        body = b'{"waitingToken": "x"}'
        headers = {"content-type": "application/json"}
        desk.address = f"203.0.113.{number}"
        assert (await desk.http("POST", "/gateway.v1.QueueService/GetQueueStatus", headers, body)).status_code == 429
        desk.address = "127.0.0.1"
    assert len(desk.platform.calls.limits.tickets) == 1  # the one that is ours


@on_platform
async def test_over_http_the_time_is_in_a_header(desk):
    await configure(desk, "limits.fan_per_second", "1")
    headers = {"authorization": f"Bearer {desk.token(Role.FAN, 'ana')}", "content-type": "application/json"}
    body = b'{"reservationId": "rsv_none"}'
    statuses = [
        (await desk.http("POST", "/gateway.v1.GatewayService/GetReservation", headers, body)).status_code
        for _ in range(2)
    ]
    limited = await desk.http("POST", "/gateway.v1.GatewayService/GetReservation", headers, body)
    assert (statuses, limited.status_code, limited.headers["retry-after"]) == ([404, 404], 429, "1")
    limited = await desk.http("GET", "/api/v1/reservations/rsv_none", headers)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")


@on_platform
async def test_the_payment_page_is_counted_by_address_too(desk):
    desk.address = "203.0.113.7"
    await configure(desk, "limits.address_per_second", "1")
    statuses = [(await desk.http("GET", "/pay/rsv_none")).status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


@on_platform
async def test_an_operator_is_never_locked_out(desk):
    for key in ("fan", "service", "address", "ticket"):
        await configure(desk, f"limits.{key}_per_second", "1")
    admin = desk.token(Role.ADMIN, "op")
    health = admin_pb2.SystemHealthRequest()
    heard, _ = await codes(desk, 30, lambda: desk.ask("common.v1.AdminService/GetSystemHealth", health, admin))
    assert set(heard) == {""}


@on_platform
async def test_what_a_process_passes_on_was_counted_there_and_nobody_else_can_say_so(desk):
    await configure(desk, "limits.fan_per_second", "2")
    method = desk.platform.calls.methods["/" + GATEWAY + "GetReservation"]

    def ask(*more):
        own = ("authorization", f"Bearer {desk.token(Role.FAN, 'ana')}")
        return desk.platform.calls.call(method, SHOW, (own, *more), desk.peer)

    passed_on = ("x-passed-on-by", desk.token(Role.SERVICE, "gateway"))
    callers = [ask(passed_on).caller for _ in range(20)]
    assert {(caller.role, caller.name) for caller in callers} == {(Role.FAN, "ana")}
    for said in (desk.token(Role.FAN, "ana"), "x.y.z"):
        with pytest.raises(Refusal, match="more than 2 calls a second"):
            for _ in range(5):
                ask(("x-passed-on-by", said))

"""Every lever of the operator's desk: what it does, how it is undone, and what is written down of it."""

import pytest
import structlog

from tests.rpc.desk import GATEWAY, QUEUE, code, on_platform
from tests.rpc.test_endpoints import Receiver
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, webhook_pb2, websocket_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.settings import SETTINGS

ADMIN = "common.v1.AdminService/"
OPERATIONS = "tacos.operations.v1.OperationsService/"


def ask(desk, path, request):
    return desk.ask(path, request, desk.token(Role.ADMIN, "op"))


async def pull(desk, action, reason="a test", confirm=True, **parameters):
    request = pb.EmergencyActionRequest(
        action=f"EMERGENCY_ACTION_TYPE_{action}", reason=reason, confirm=confirm, parameters=parameters
    )
    return await ask(desk, ADMIN + "EmergencyAction", request)


async def trigger(desk, operation, target="", dry_run=False, **parameters):
    request = pb.TriggerOperationRequest(
        operation=f"OPERATION_TYPE_{operation}",
        target_service=target,
        parameters=parameters,
        reason="a test",
        dry_run=dry_run,
    )
    return await ask(desk, ADMIN + "TriggerOperation", request)


async def audit(desk):
    answer = await ask(desk, OPERATIONS + "ListAudit", operations_pb2.ListAuditRequest())
    return [(one.action, one.subject, one.old_value, one.new_value, one.actor, one.reason) for one in answer.entries]


async def join(desk, fan):
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=fan, session_id=fan)
    return await desk.as_fan(QUEUE + "JoinQueue", request, fan)


@pytest.mark.parametrize("action", ["STOP_ADMISSIONS", "CANCEL_RESERVATIONS", "CIRCUIT_BREAKER", "MAINTENANCE_MODE"])
def test_an_action_needs_confirm_and_a_reason_and_knows_its_parameters(action):
    @on_platform
    async def on_desk(desk):
        for refused, field in [
            (await pull(desk, action, confirm=False), "confirm"),
            (await pull(desk, action, reason=""), "reason"),
            (await pull(desk, action, nonsense="1"), "parameters"),
            (await pull(desk, action, resume="perhaps"), "parameters.resume"),
        ]:
            assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", field)
        assert await audit(desk) == []
        assert code(await desk.as_service(ADMIN + "EmergencyAction", pb.EmergencyActionRequest())) == "FORBIDDEN"

    on_desk()


@on_platform
async def test_there_is_nothing_to_fail_over_to_and_unknown_actions_are_refused(desk):
    assert code(await pull(desk, "FORCE_FAILOVER")) == "FAILED_PRECONDITION"
    for number in (0, 17):
        request = pb.EmergencyActionRequest(action=number, reason="a test", confirm=True)
        assert code(await ask(desk, ADMIN + "EmergencyAction", request)) == "INVALID_ARGUMENT"


@on_platform
async def test_cancelling_reservations_frees_seats_stops_payments_and_keeps_admissions(desk):
    ana, ben, cem = [await desk.held(fan, 2) for fan in ("ana", "ben", "cem")]
    paid = await desk.pay("cem", cem)
    while (await desk.reservation(cem.reservation_id)).status != reservation_pb2.RESERVATION_STATUS_CONFIRMED:
        await desk.clock.sleep(0.2)
    under_way = await desk.pay("ben", ben)
    pulled = await pull(desk, "CANCEL_RESERVATIONS")
    assert pulled.result == "2 pending reservations cancelled and new ones stopped for all events"
    for held in (ana, ben):
        shown = await desk.reservation(held.reservation_id)
        assert shown.status == reservation_pb2.RESERVATION_STATUS_CANCELLED
    assert (await desk.reservation(cem.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    await desk.clock.sleep(1)
    stats = await desk.stats()
    assert (stats.reserved_seats, stats.sold_seats) == (0, 2)
    admission = await desk.admitted("ana")
    again = gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID, quantity=2, user_id="ana", reservation_token=admission, idempotency_key="again"
    )
    for _ in range(2):  # not remembered as the answer to this key
        assert code(await desk.as_fan(GATEWAY + "CreateReservation", again, "ana")) == "FAILED_PRECONDITION"
    assert (await pull(desk, "CANCEL_RESERVATIONS", resume="true")).executed
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", again, "ana")) == ""
    await desk.clock.sleep(60)
    assert (await desk.payment(under_way)).status in (
        payment_pb2.PAYMENT_STATUS_CANCELLED,
        payment_pb2.PAYMENT_STATUS_REFUNDED,
    )
    assert (await desk.payment(paid)).status == payment_pb2.PAYMENT_STATUS_COMPLETED
    assert [entry[:4] for entry in await audit(desk)] == [
        ("reservations", "all events reservations", "open", "stopped"),
        ("reservations", "all events reservations", "stopped", "open"),
    ]


@on_platform
async def test_reservations_of_one_event_are_stopped_alone(desk):
    held = await desk.held("ana", 2)
    assert code(await pull(desk, "CANCEL_RESERVATIONS", event_id="evt_none")) == "NOT_FOUND"
    await pull(desk, "CANCEL_RESERVATIONS", event_id="evt_sim")
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CANCELLED
    assert code(await desk.held("ben", 1)) == "FAILED_PRECONDITION"
    await desk.crash()
    assert code(await desk.held("ben", 1)) == "FAILED_PRECONDITION"
    await pull(desk, "CANCEL_RESERVATIONS", event_id="evt_sim", resume="true")
    assert code(await desk.held("ben", 1)) == ""


@on_platform
async def test_in_maintenance_nobody_begins_and_what_was_begun_is_finished(desk):
    joined = await join(desk, "dan")
    held = await desk.held("ana", 2)
    pulled = await pull(desk, "MAINTENANCE_MODE", message="a new stage")
    assert pulled.executed
    for refused in (
        await join(desk, "ben"),
        await desk.as_fan(
            GATEWAY + "CreateReservation",
            gateway_pb2.CreateReservationRequest(event_id=EVENT_ID, user_id="ana", idempotency_key="k"),
            "ana",
        ),
    ):
        assert (code(refused), refused.error.message) == ("UNAVAILABLE", "maintenance: a new stage")
    health = await ask(desk, ADMIN + "GetSystemHealth", pb.SystemHealthRequest(services=["gateway"]))
    (issue,) = health.services[0].issues
    assert issue.startswith("maintenance: a new stage, since ")
    assert issue.endswith(" by op: a test")
    await desk.clock.sleep(0.2)
    status = await desk.ask(
        QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=joined.waiting_token)
    )
    assert (status.status, status.admission_ready) == (queue_pb2.QUEUE_STATUS_READY, False)
    await desk.pay("ana", held)
    await desk.clock.sleep(5)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    await desk.crash()
    assert code(await join(desk, "ben")) == "UNAVAILABLE"
    assert (await pull(desk, "MAINTENANCE_MODE", resume="true")).executed
    assert code(await join(desk, "ben")) == ""
    assert [entry[1:4] for entry in await audit(desk)] == [
        ("maintenance", "", "a new stage"),
        ("maintenance", "a new stage", ""),
    ]


@on_platform
async def test_whoever_waits_hears_of_maintenance_and_loses_no_turn(desk):
    joined = [await join(desk, f"fan{number}") for number in range(12)]  # nine are let in at once
    request = websocket_pb2.StreamQueueRequest(
        waiting_token=joined[-1].waiting_token, session_id="fan11", event_id=EVENT_ID
    )
    stream = desk.stream("gateway.v1.WebSocketService/StreamQueueUpdates", request)
    assert (await anext(stream)).HasField("queue_update")
    await pull(desk, "MAINTENANCE_MODE")
    kinds = set()
    while websocket_pb2.SYSTEM_EVENT_TYPE_MAINTENANCE_MODE not in kinds:
        update = await anext(stream)
        kinds.add(update.system_update.event_type)
    assert update.system_update.message == "maintenance: back soon"
    await desk.clock.sleep(120)  # longer than any offer stands
    await pull(desk, "MAINTENANCE_MODE", resume="true")
    while True:
        update = await anext(stream)
        if update.HasField("queue_update") and update.queue_update.admission_ready:
            break
    await stream.aclose()


@on_platform
async def test_a_room_is_left_in_peace_when_asked_for_and_others_are_not(desk):
    held = await desk.held("ana", 1)
    await pull(desk, "CIRCUIT_BREAKER", service="payment")
    refused = await desk.intent("ana", held)
    assert code(refused) == "UNAVAILABLE"
    assert code(await desk.held("ben", 1)) == ""
    health = await ask(desk, ADMIN + "GetSystemHealth", pb.SystemHealthRequest(services=["gateway"]))
    (issue,) = health.services[0].issues
    assert issue.startswith("circuit breaker (payment): held open by an operator, since ")
    assert issue.endswith(" by op: a test")
    assert 'tacos_circuit_open{service="payment"} 1.0' in (await desk.http("GET", "/metrics")).text
    await pull(desk, "CIRCUIT_BREAKER", resume="true")
    assert code(await desk.intent("ana", held)) == ""
    wrong = await pull(desk, "CIRCUIT_BREAKER", service="weather")
    assert (code(wrong), wrong.error.details[0].field) == ("INVALID_ARGUMENT", "parameters.service")


@on_platform
async def test_a_line_is_drained_after_a_dry_run_and_opened_again(desk):
    waiting = [await join(desk, f"fan{number}") for number in range(12)]
    asked = await trigger(desk, "DRAIN_QUEUE", "queue", dry_run=True, event_id=EVENT_ID)
    assert (asked.triggered, asked.status) == (False, pb.OPERATION_STATUS_PENDING)
    assert asked.result.startswith("would be: evt_sim takes no newcomers;")
    assert code(await join(desk, "late")) == ""
    done = await trigger(desk, "DRAIN_QUEUE", event_id=EVENT_ID)
    assert (done.triggered, done.status) == (True, pb.OPERATION_STATUS_COMPLETED)
    assert done.operation_id
    assert code(await join(desk, "later")) == "FAILED_PRECONDITION"
    again = await join(desk, "fan3")
    assert (code(again), again.waiting_token) == ("ALREADY_EXISTS", waiting[3].waiting_token)
    assert await desk.admitted("fan3")
    await trigger(desk, "DRAIN_QUEUE", event_id=EVENT_ID, resume="true")
    assert code(await join(desk, "later")) == ""
    for wrong in ({}, {"event_id": EVENT_ID, "resume": "x"}, {"colour": "red"}):
        assert code(await trigger(desk, "DRAIN_QUEUE", **wrong)) == "INVALID_ARGUMENT"
    assert code(await trigger(desk, "DRAIN_QUEUE", event_id="evt_none")) == "NOT_FOUND"


@on_platform
async def test_caches_are_cleared_and_everything_works_as_before(desk):
    held = await desk.held("ana", 1)
    shown = await trigger(desk, "CLEAR_CACHE", dry_run=True)
    assert shown.result.startswith("would be: cleared ")
    for cache in ("waiting-tokens", "seating-plans (1)", "event-terms (1)", "tokens"):
        assert cache in shown.result
    assert (await trigger(desk, "CLEAR_CACHE")).triggered
    assert "seating-plans (0), event-terms (0)" in (await trigger(desk, "CLEAR_CACHE", dry_run=True)).result
    assert (await trigger(desk, "CLEAR_CACHE", "tokens")).result.startswith("cleared tokens (")
    assert code(await trigger(desk, "CLEAR_CACHE", "biscuits")) == "INVALID_ARGUMENT"
    await desk.pay("ana", held)
    assert (await trigger(desk, "REFRESH_CONFIG")).triggered
    assert [entry[0] for entry in await audit(desk)] == ["clear cache", "clear cache", "refresh configuration"]


@on_platform
async def test_what_is_for_whoever_runs_the_process_is_refused(desk):
    for operation in ("RESTART_SERVICE", "FORCE_SCALE"):
        for dry_run in (True, False):
            assert code(await trigger(desk, operation, dry_run=dry_run)) == "FAILED_PRECONDITION"
    assert code(await trigger(desk, "UNSPECIFIED")) == "INVALID_ARGUMENT"


async def configure(desk, service, key, value):
    request = pb.UpdateConfigRequest(service=service, config_key=key, config_value=value, reason="a test")
    return await ask(desk, ADMIN + "UpdateConfig", request)


@on_platform
async def test_every_setting_is_changed_checked_kept_and_audited(desk):
    for name, setting in SETTINGS.items():
        right = {bool: "true", int: "77", str: "warning" if setting.one_of else "anything"}[type(setting.default)]
        before = str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default)
        changed = await configure(desk, setting.service, name, right)
        assert (changed.updated, changed.old_value, changed.new_value) == (True, before, right), name
        for wrong in {bool: ["yes"], int: ["-1", "1.5", "99999999999", "²"], str: ["a\x00"]}[type(setting.default)]:
            refused = await configure(desk, setting.service, name, wrong)
            assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", "config_value"), wrong
    await desk.crash()
    for name, setting in SETTINGS.items():
        back = await configure(desk, setting.service, name, "")
        assert back.old_value in ("true", "77", "warning", "anything"), name
    assert len(await audit(desk)) == 2 * len(SETTINGS)
    assert code(await configure(desk, "weather", "x", "1")) == "INVALID_ARGUMENT"
    assert code(await configure(desk, "gateway", "maintenance", "x")) == "INVALID_ARGUMENT"


@on_platform
async def test_the_log_level_follows_its_setting(desk):
    await configure(desk, "platform", "log.level", "error")
    with pytest.raises(structlog.DropEvent):
        desk.log.drop_lower(None, "warning", {})
    assert desk.log.drop_lower(None, "error", {}) == {}
    await configure(desk, "platform", "log.level", "")
    assert desk.log.drop_lower(None, "info", {}) == {}


@on_platform
async def test_registered_endpoints_hear_of_maintenance_and_of_its_end(desk):
    server = Receiver(desk, "status")
    await server.register(webhook_pb2.WEBHOOK_EVENT_TYPE_SYSTEM_MAINTENANCE)
    for _ in range(2):
        await pull(desk, "MAINTENANCE_MODE", message="a new stage")
        await desk.clock.sleep(1)
        await pull(desk, "MAINTENANCE_MODE", resume="true")
        await desk.clock.sleep(1)
    told = [(one["type"], one["data"]["status"], one["data"]["message"]) for one in server.told()]
    assert told == 2 * [
        ("system.maintenance", "STARTED", "a new stage"),
        ("system.maintenance", "OVER", "a new stage"),
    ]

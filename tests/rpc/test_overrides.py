"""Whatever an operator has set and not undone is in one list and in health: since when, by whom and why."""

import pytest

from tests.rpc.desk import code, on_platform
from tests.rpc.test_emergency_actions import ADMIN, OPERATIONS, ask, audit, configure, pull, trigger
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.kernel.calls import Role


async def overrides(desk):
    answer = await ask(desk, OPERATIONS + "ListOverrides", operations_pb2.ListOverridesRequest())
    return [(one.kind, one.subject, one.value, one.actor, one.reason, one.is_restricting) for one in answer.overrides]


async def rooms(desk):
    answer = await ask(desk, ADMIN + "GetSystemHealth", pb.SystemHealthRequest())
    return answer.overall_status, {room.service_name: room for room in answer.services}


async def block(desk, method, *seats):
    request = getattr(catalog_pb2, f"{method}Request")(event_id=EVENT_ID, seat_ids=seats, reason="the artist")
    return await ask(desk, f"tacos.catalog.v1.CatalogService/{method}", request)


# How it is set, how it is undone, and what the list and health say of it.
OVERRIDES = {
    "stop all": (
        lambda desk: pull(desk, "STOP_ADMISSIONS"),
        lambda desk: pull(desk, "STOP_ADMISSIONS", resume="true"),
        ("admissions stopped", "all events", "by an operator"),
        "waiting_room",
    ),
    "stop one by its setting": (
        lambda desk: configure(desk, "queue", f"events/{EVENT_ID}/admission.stopped", "true"),
        lambda desk: configure(desk, "queue", f"events/{EVENT_ID}/admission.stopped", ""),
        ("admissions stopped", EVENT_ID, "by an operator"),
        "waiting_room",
    ),
    "drain": (
        lambda desk: trigger(desk, "DRAIN_QUEUE", event_id=EVENT_ID),
        lambda desk: trigger(desk, "DRAIN_QUEUE", event_id=EVENT_ID, resume="true"),
        ("queue drained", EVENT_ID, "by an operator"),
        "waiting_room",
    ),
    "cancel": (
        lambda desk: pull(desk, "CANCEL_RESERVATIONS", event_id=EVENT_ID),
        lambda desk: pull(desk, "CANCEL_RESERVATIONS", event_id=EVENT_ID, resume="true"),
        ("reservations stopped", EVENT_ID, "stopped"),
        "reservation",
    ),
    "circuit": (
        lambda desk: configure(desk, "gateway", "circuit.payment", "true"),
        lambda desk: configure(desk, "gateway", "circuit.payment", ""),
        ("circuit breaker", "payment", "held open by an operator"),
        "gateway",
    ),
    "maintenance": (
        lambda desk: pull(desk, "MAINTENANCE_MODE", message="soon"),
        lambda desk: configure(desk, "platform", "maintenance", ""),
        ("maintenance", "", "soon"),
        "gateway",
    ),
}


@pytest.mark.parametrize("name", OVERRIDES)
def test_what_keeps_people_from_buying_is_listed_and_health_is_degraded_until_it_is_undone(name):
    pulled, undone, said, room = OVERRIDES[name]

    @on_platform
    async def on_desk(desk):
        assert await overrides(desk) == []
        assert code(await pulled(desk)) == ""
        assert await overrides(desk) == [(*said, "op", "a test", True)]
        await desk.crash()
        assert await overrides(desk) == [(*said, "op", "a test", True)]
        overall, parts = await rooms(desk)
        assert overall == pb.SYSTEM_HEALTH_STATUS_DEGRADED
        (issue,) = parts[room].issues
        assert said[0] in issue
        assert issue.endswith("by op: a test")
        assert code(await undone(desk)) == ""
        assert await overrides(desk) == []
        assert (await rooms(desk))[0] == pb.SYSTEM_HEALTH_STATUS_HEALTHY

    on_desk()


@on_platform
async def test_what_is_only_set_otherwise_is_listed_and_noted_and_health_stays_well(desk):
    await configure(desk, "gateway", "limits.fan_per_second", "7")
    await configure(desk, "queue", "admission.rate_per_second", "3")
    seats = [seat.id for seat in (await desk.held("ana", 2)).reserved_seats]
    assert code(await block(desk, "BlockSeats", "MAIN-A-1", "MAIN-A-2")) == "", seats
    await block(desk, "UnblockSeats", "MAIN-A-1")
    assert await overrides(desk) == [
        ("setting", "limits.fan_per_second", "7", "op", "a test", False),
        ("queue setting", "all events admission.rate_per_second", "3", "op", "a test", False),
        ("seats blocked", f"seats of {EVENT_ID}", "1", "op", "the artist", False),
    ]
    overall, parts = await rooms(desk)
    assert overall == pb.SYSTEM_HEALTH_STATUS_HEALTHY
    assert parts["gateway"].metrics["override limits.fan_per_second"].startswith("7, since ")
    await configure(desk, "gateway", "limits.fan_per_second", "100")  # as it would be by itself
    await configure(desk, "queue", "admission.rate_per_second", "")
    await block(desk, "UnblockSeats", "MAIN-A-2")
    assert await overrides(desk) == []


@on_platform
async def test_going_on_with_all_events_goes_on_with_each(desk):
    for action in ("STOP_ADMISSIONS", "CANCEL_RESERVATIONS"):
        await pull(desk, action, event_id=EVENT_ID)
        await pull(desk, action)
        assert len(await overrides(desk)) == 2
        assert code(await pull(desk, action, event_id=EVENT_ID, resume="true")) == "FAILED_PRECONDITION"
        assert code(await pull(desk, action, resume="true")) == ""
        assert await overrides(desk) == []
        assert code(await desk.held(f"fan-{action}", 1)) == ""
    subjects = [entry[1] for entry in await audit(desk)]
    assert subjects.count(f"{EVENT_ID} admission.stopped") == 2
    assert subjects.count(f"{EVENT_ID} reservations") == 2


CHANGES = {
    "UpdateConfig of the platform": (
        ADMIN + "UpdateConfig",
        pb.UpdateConfigRequest(service="platform", config_key="maintenance", config_value="x"),
    ),
    "UpdateConfig of the queue": (
        ADMIN + "UpdateConfig",
        pb.UpdateConfigRequest(service="queue", config_key="admission.stopped", config_value="true"),
    ),
    "TriggerOperation": (
        ADMIN + "TriggerOperation",
        pb.TriggerOperationRequest(operation="OPERATION_TYPE_DRAIN_QUEUE", parameters={"event_id": EVENT_ID}),
    ),
    "clear": (ADMIN + "TriggerOperation", pb.TriggerOperationRequest(operation="OPERATION_TYPE_CLEAR_CACHE")),
    "ConfigureLine": (
        "tacos.waiting_room.v1.LineService/ConfigureLine",
        waiting_room_pb2.ConfigureLineRequest(setting="admission.stopped", value="true", actor="op"),
    ),
    "StopReservations": (
        "tacos.lifecycle.v1.LifecycleService/StopReservations",
        lifecycle_pb2.StopReservationsRequest(actor="op"),
    ),
    "EmergencyAction": (
        ADMIN + "EmergencyAction",
        pb.EmergencyActionRequest(action="EMERGENCY_ACTION_TYPE_MAINTENANCE_MODE", confirm=True),
    ),
}


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_changed_without_a_reason(name, reason):
    path, request = CHANGES[name]

    @on_platform
    async def on_desk(desk):
        request.reason = reason
        refused = await desk.ask(path, request, desk.token(Role.ADMIN, "op"))
        assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", "reason")
        assert await audit(desk) == []

    on_desk()

"""A record that cannot be read takes down what it is of: not the start, and not what is asked of others."""

import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, QUEUE, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2, types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, webhook_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.health import Health
from traffic_tacos.ports.store import Kind
from traffic_tacos.rooms.catalog.model import Event

LIST = "tacos.catalog.v1.CatalogService/ListEvents"
OTHER = "evt_other"
DAMAGES = (b"{", b"\xff\xfe", b'["nobody knows this"]', b"[" * 100_000, b"")
# What the reconciler and `tacos verify` look at.
VERIFIED = {"event", "row", "hold", "reservation", "order", "payment", "admission_use", "ticket", "audit", "job"}


async def _sell(desk, event_id):
    """One purchase from the line to the ticket, and one seat that is only held."""
    fan = f"fan-{desk.key()}"
    held = await desk.held(fan, 2, event_id=event_id)
    assert code(held) == "", held.error
    await desk.pay(fan, held)
    await desk.clock.sleep(10)
    assert (await desk.reservation(held.reservation_id)).status == 3


async def _one_of_each(desk):
    """Records of every kind that a sale makes."""
    await desk.platform.put_on_sale(EVENT.replace(f"id: {EVENT_ID}", f"id: {OTHER}"))
    await _sell(desk, EVENT_ID)
    await desk.held("eve", 1)
    await desk.as_fan(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="tab"), "uli")
    register = webhook_pb2.RegisterWebhookRequest(
        service_name="shop", endpoint_url="https://shop.example/hook", event_types=[1], secret="whsec_" + "a" * 44
    )
    await desk.as_service("gateway.v1.WebhookService/RegisterWebhook", register)
    change = admin_pb2.UpdateConfigRequest(
        service="platform", config_key="log.level", config_value="error", apply_immediately=True, reason="test"
    )
    assert code(await desk.ask("common.v1.AdminService/UpdateConfig", change, desk.token(Role.ADMIN, "op"))) == ""


@on_platform
async def test_one_damaged_record_of_any_kind_stops_neither_the_start_nor_another_event(desk):
    desk.checks_every_commit = False
    await _one_of_each(desk)
    kinds = sorted({path.partition("/")[0] for path in desk.records().kept()})
    assert set(kinds) > VERIFIED - {"admission_use"}, kinds
    for number, kind in enumerate(kinds):
        paths = [path for path in sorted(desk.records().kept()) if path.startswith(f"{kind}/")]
        path = paths[0] if paths else f"{kind}/0000000000000001"  # of what was done meanwhile
        whole = desk.records().kept().get(path)
        desk.records().keep(path, DAMAGES[number % len(DAMAGES)])
        desk.event = EVENT.replace("id: evt_sim", f"id: evt_new{number}")
        await desk.crash()
        answer = await desk.ask(LIST, catalog_pb2.ListEventsRequest(pagination=types_pb2.Pagination(page_size=100)))
        assert code(answer) == ""
        assert {OTHER, EVENT_ID} <= {plan.event.id for plan in answer.plans}
        if kind not in ("auditlast", "audit_head"):
            await _sell(desk, f"evt_new{number}")
        if kind in VERIFIED:
            told = [one for result in desk.verify() if result.invariant == "records" for one in result.violations]
            assert [one for one in told if one.startswith(f"{path}: cannot be read")], (path, told)
            assert any(path in one.what for one in (await desk.platform.reconciler.once(dry_run=True)).differences)
        desk.records().keep(path, whole)
    await desk.crash()
    await desk.clock.sleep(70)


@on_platform
@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_event_is_told_wherever_somebody_looks(desk, damage):
    await desk.platform.put_on_sale(EVENT.replace(f"id: {EVENT_ID}", f"id: {OTHER}"))
    desk.checks_every_commit = False
    path = f"event/{OTHER}"
    whole = desk.records().kept()[path]
    desk.records().keep(path, damage)
    await desk.crash()
    plans = {plan.event.id: plan for plan in (await desk.ask(LIST, catalog_pb2.ListEventsRequest())).plans}
    assert (bool(plans[OTHER].unreadable), plans[EVENT_ID].unreadable) == (True, "")
    shown = await desk.ask("tacos.catalog.v1.CatalogService/GetEvent", catalog_pb2.GetEventRequest(event_id=OTHER))
    assert code(shown) == "DATA_CORRUPTION"
    assert shown.error.message.startswith("the event record that this needs cannot be read")
    join = queue_pb2.JoinQueueRequest(event_id=OTHER, user_id="ana", session_id="tab")
    assert code(await desk.as_fan(QUEUE + "JoinQueue", join, "ana")) == "DATA_CORRUPTION"
    free = gateway_pb2.GetEventAvailabilityRequest(event_id=OTHER)
    for _ in range(30):  # and nobody's circuit opens
        assert code(await desk.ask(GATEWAY + "GetEventAvailability", free)) == "DATA_CORRUPTION"
    check = inventory_pb2.CheckAvailabilityRequest(event_id=OTHER, quantity=1)
    assert code(await desk.as_service(INVENTORY + "CheckAvailability", check)) == "DATA_CORRUPTION"
    parts = {part.name: part for part in await desk.platform.health.dependencies()}
    assert parts["store"].health is Health.DEGRADED
    assert parts["store"].issues[0].startswith(f"{path} cannot be read")
    rooms = {room.name: room for room in await desk.platform.health.rooms()}
    assert rooms["catalog"].issues[0].startswith(f"{OTHER} cannot be read")
    assert rooms["inventory"].issues == ()
    await _sell(desk, EVENT_ID)
    desk.records().keep(path, whole)


def test_what_another_version_has_written_is_read():
    """Rows and sections had no labels, and the rows of a plan were in the order of its file."""
    old = (
        b'{"info":{"id":"evt_case","name":"x"},"currency":"EUR","sections":[{"id":"Z","name":"Z","rows":[{"id":"A",'
        b'"seats":[{"id":"A-1","number":"1","price":1000,"position":{"x":30.0,"y":0.0}},{"id":"A-2","number":"2",'
        b'"price":1000,"position":{"x":60.0,"y":0.0}},{"id":"A-3","number":"3","price":1000,"position":{"x":0.0,'
        b'"y":0.0}}],"aisles":[2]}],"focal_point":{"x":30.0,"y":0.0}}]}'
    )
    event = Kind("event", Event).decode("event/evt_case", old)
    assert [seat.id for seat in event.sections[0].rows[0].seats] == ["A-1", "A-2", "A-3"]

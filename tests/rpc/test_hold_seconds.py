"""How long seats are held is an event's own: by default the specification's sixty seconds."""

import pytest

from tests.rpc.desk import INVENTORY, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.instants import SECOND

PENDING, EXPIRED = reservation_pb2.RESERVATION_STATUS_PENDING, reservation_pb2.RESERVATION_STATUS_EXPIRED


def holding(seconds: int) -> str:
    return EVENT.replace("max_per_order", f"hold_seconds: {seconds}\nmax_per_order")


async def updated(desk, document: str):
    request = catalog_pb2.UpdateEventRequest(event_id=EVENT_ID, document=document)
    return await desk.ask("tacos.catalog.v1.CatalogService/UpdateEvent", request, desk.token(Role.ADMIN, "op"))


@pytest.mark.parametrize(("event", "seconds"), [(EVENT, 60), (holding(90), 90), (holding(15), 15), (holding(900), 900)])
def test_seats_are_held_for_as_long_as_the_event_says(event, seconds):
    @on_platform(event=event)
    async def on_desk(desk):
        held = await desk.held("ana", 2)
        assert held.hold_expires_at.ToMilliseconds() - desk.clock.now() == seconds * SECOND
        await desk.clock.sleep(seconds - 1)
        assert (await desk.reservation(held.reservation_id)).status == PENDING
        await desk.clock.sleep(1.5)
        assert (await desk.reservation(held.reservation_id)).status == EXPIRED
        plan = await desk.ask(
            "tacos.catalog.v1.CatalogService/GetEvent", catalog_pb2.GetEventRequest(event_id=EVENT_ID)
        )
        assert plan.plan.hold_seconds == seconds
        direct = inventory_pb2.ReserveSeatRequest(
            reservation_id="rsv_direct", event_id=EVENT_ID, quantity=1, user_id="ben", idempotency_key="k"
        )
        answer = await desk.as_service(INVENTORY + "ReserveSeat", direct)
        assert answer.hold_expires_at.ToMilliseconds() - desk.clock.now() == seconds * SECOND

    on_desk()


@on_platform
async def test_a_change_is_for_who_reserves_afterwards(desk):
    before = await desk.held("ana", 1)
    assert code(await updated(desk, holding(90))) == ""
    await desk.clock.sleep(0.5)
    after = await desk.held("ben", 1)
    assert after.hold_expires_at.ToMilliseconds() - desk.clock.now() == 90 * SECOND
    shown = await desk.reservation(before.reservation_id)
    assert shown.hold_expires_at == before.hold_expires_at
    await desk.clock.sleep(61)
    assert (await desk.reservation(before.reservation_id)).status == EXPIRED
    assert (await desk.reservation(after.reservation_id)).status == PENDING


@pytest.mark.parametrize("seconds", [14, 901, 0, -1])
def test_a_time_that_makes_no_sense_is_refused_by_its_name(seconds):
    @on_platform
    async def on_desk(desk):
        answer = await updated(desk, holding(seconds))
        assert code(answer) == "INVALID_ARGUMENT"
        assert "hold_seconds" in answer.error.message

    on_desk()

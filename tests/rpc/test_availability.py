"""What is free, as fans and services are told."""

from tests.rpc.desk import GATEWAY, INVENTORY, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2


@on_platform
async def test_availability_of_named_seats_of_a_section_and_of_anything(desk):
    def check(**fields):
        return desk.as_service(
            INVENTORY + "CheckAvailability", inventory_pb2.CheckAvailabilityRequest(event_id=EVENT_ID, **fields)
        )

    await desk.held("ana", 2, ("MAIN-A-1", "PIT-S1-1"))
    named = await check(seat_ids=["MAIN-A-1", "MAIN-A-2"])
    assert (named.available, list(named.unavailable_seat_ids)) == (False, ["MAIN-A-1"])
    assert [(seat.id, seat.price.amount, seat.status) for seat in named.available_seats] == [("MAIN-A-2", 50000, 1)]
    assert (await check(seat_ids=["MAIN-A-2"])).available
    assert ((await check(section="PIT", quantity=3)).available, (await check(section="PIT")).remaining_in_section) == (
        True,
        3,
    )
    assert not (await check(section="PIT", quantity=4)).available
    assert (await check(quantity=13)).available
    assert not (await check(quantity=14)).available
    assert code(await check(seat_ids=["MAIN-A-99"])) == "NOT_FOUND"
    assert code(await check(section="ROOF")) == "INVALID_ARGUMENT"
    assert code(await check(quantity=-1)) == "INVALID_ARGUMENT"
    assert code(await check(quantity=101)) == "INVALID_ARGUMENT"


@on_platform
async def test_an_events_sections_add_up(desk):
    await desk.held("ana", 3)
    answer = await desk.ask(
        GATEWAY + "GetEventAvailability", gateway_pb2.GetEventAvailabilityRequest(event_id=EVENT_ID)
    )
    assert {section.section_id: section.available_seats for section in answer.sections} == {"MAIN": 8, "PIT": 4}
    for section in answer.sections:
        assert section.total_seats == (
            section.available_seats + section.reserved_seats + section.sold_seats + section.blocked_seats
        )
    assert (answer.total_available, answer.event.remaining_seats, answer.event.total_seats) == (12, 12, 15)
    few = gateway_pb2.GetEventAvailabilityRequest(event_id=EVENT_ID, quantity=5)
    answer = await desk.ask(GATEWAY + "GetEventAvailability", few)
    assert [section.section_id for section in answer.sections] == ["MAIN"]
    one = gateway_pb2.GetEventAvailabilityRequest(event_id=EVENT_ID, section="PIT")
    assert (await desk.ask(GATEWAY + "GetEventAvailability", one)).total_available == 4
    unknown = gateway_pb2.GetEventAvailabilityRequest(event_id="evt_none")
    assert code(await desk.ask(GATEWAY + "GetEventAvailability", unknown)) == "NOT_FOUND"

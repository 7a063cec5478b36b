"""What is free, as fans and services are told."""

from tests.rpc.desk import GATEWAY, INVENTORY, QUEUE, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2
from traffic_tacos.rooms.inventory.service import SEATS_SHOWN_MAX


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
    assert (await check(quantity=10)).available
    assert not (await check(quantity=11)).available  # 13 are free, in no section so many
    assert code(await check(quantity=2, seat_ids=["MAIN-A-2"])) == "INVALID_ARGUMENT"
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


HOUSE = """
id: evt_house
name: House
currency: EUR
sections:
  - {id: MAIN, name: Main floor, price: 100, rows: [{id: A, seats: 4, accessible: [1, 2]}, {id: B, seats: 3}]}
  - {id: BOX, name: Box, price: 300, rows: [{id: A, seats: 2, accessible: [1, 2]}]}
"""


def _check(desk, **fields):
    request = inventory_pb2.CheckAvailabilityRequest(event_id="evt_house", **fields)
    return desk.as_service(INVENTORY + "CheckAvailability", request)


def _names(answer):
    return [seat.id for seat in answer.available_seats]


@on_platform
async def test_the_seats_of_a_check_are_those_that_would_be_given(desk):
    await desk.platform.put_on_sale(HOUSE)
    for quantity in (1, 2, 3, 4, 5):
        answer = await _check(desk, quantity=quantity)
        assert (answer.available, len(answer.available_seats), answer.remaining_in_section) == (True, quantity, 5)
        assert {seat.status for seat in answer.available_seats} == {1}
    promised = _names(await _check(desk, quantity=2))
    held = await desk.held("ana", 2, event_id="evt_house")
    assert [seat.id for seat in held.reserved_seats] == promised
    assert _names(await _check(desk, section="MAIN")) == sorted(
        {"MAIN-A-3", "MAIN-A-4", "MAIN-B-1", "MAIN-B-2", "MAIN-B-3"} - set(promised)
    )
    assert (await _check(desk, section="Main floor")).remaining_in_section == 3
    nothing = await _check(desk, section="MAIN", quantity=4)
    assert (nothing.available, _names(nothing), nothing.remaining_in_section) == (False, [], 3)


@on_platform
async def test_the_free_seats_of_a_section_are_named_up_to_a_maximum(desk):
    many = "id: evt_house\nname: H\ncurrency: EUR\nsections: [{id: PIT, name: P, price: 1, standing: 1250}]\n"
    await desk.platform.put_on_sale(many)
    for fields in ({"section": "PIT"}, {}):
        answer = await _check(desk, **fields)
        assert (len(set(_names(answer))), answer.remaining_in_section) == (SEATS_SHOWN_MAX, 1250)


@on_platform
async def test_free_means_the_same_to_counts_checks_and_the_search(desk):
    await desk.platform.put_on_sale(HOUSE)
    sold = await desk.held("ana", 5, event_id="evt_house")
    await desk.pay("ana", sold)
    await desk.clock.sleep(10)
    await desk.held("eve", 1, ("MAIN-A-1",), event_id="evt_house")
    # Three seats are free, all of them kept for who needs them.
    status = await desk.as_service(
        INVENTORY + "GetInventoryStatus", inventory_pb2.GetInventoryStatusRequest(event_id="evt_house")
    )
    assert [
        (one.section_id, one.total_seats, one.available_seats, one.reserved_seats, one.sold_seats, one.blocked_seats)
        for one in status.sections
    ] == [("MAIN", 7, 0, 1, 5, 1), ("BOX", 2, 0, 0, 0, 2)]
    assert (status.stats.available_seats, status.event.remaining_seats) == (0, 0)
    free = await desk.ask(
        GATEWAY + "GetEventAvailability", gateway_pb2.GetEventAvailabilityRequest(event_id="evt_house", quantity=1)
    )
    assert (free.total_available, len(free.sections)) == (0, 0)
    for fields in ({"quantity": 1}, {"section": "BOX"}, {"section": "BOX", "quantity": 2}, {}):
        answer = await _check(desk, **fields)
        assert (answer.available, _names(answer), answer.remaining_in_section) == (False, [], 0)
    named = await _check(desk, seat_ids=["BOX-A-1", "MAIN-A-2"])
    assert (named.available, _names(named)) == (True, ["MAIN-A-2", "BOX-A-1"])


@on_platform
async def test_nobody_waits_for_seats_that_they_cannot_get_and_none_are_hidden(desk):
    await desk.platform.put_on_sale(HOUSE)
    await desk.pay("ana", await desk.held("ana", 5, event_id="evt_house"))
    await desk.clock.sleep(10)
    # Only seats that are sold by name are left: everybody is let in at the line's rate, and who needs one gets it.
    fans = [f"fan{number}" for number in range(6)]
    for fan in fans:
        await desk.admitted(fan, "evt_house")
    taken = await desk.held("bob", 4, ("MAIN-A-1", "MAIN-A-2", "BOX-A-1", "BOX-A-2"), event_id="evt_house")
    assert code(taken) == ""
    await desk.pay("bob", taken)
    await desk.clock.sleep(10)
    late = queue_pb2.JoinQueueRequest(event_id="evt_house", user_id="zoe", session_id="zoe")
    assert "sold out" in (await desk.as_fan(QUEUE + "JoinQueue", late, "zoe")).error.message

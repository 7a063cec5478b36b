"""Seats that are not for everybody: the house's, and those kept for who needs them."""

from tests.rpc.desk import INVENTORY, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.kernel.calls import Role

CATALOG = "tacos.catalog.v1.CatalogService/"
ACCESSIBLE = """
id: evt_access
name: For all
currency: KRW
sections:
  - id: S
    name: Stalls
    price: 100
    rows: [{id: A, seats: 6, accessible: [3, 4]}, {id: B, seats: 6}]
    focal_point: {row: B, seat: 1}
"""


def block(desk, *seats, event_id=EVENT_ID):
    request = pb.BlockSeatsRequest(event_id=event_id, seat_ids=seats, reason="for the artist")
    return desk.ask(CATALOG + "BlockSeats", request, desk.token(Role.ADMIN, "olga"))


def unblock(desk, *seats):
    request = pb.UnblockSeatsRequest(event_id=EVENT_ID, seat_ids=seats, reason="")
    return desk.ask(CATALOG + "UnblockSeats", request, desk.token(Role.ADMIN, "olga"))


def ids(answer):
    return [seat.id for seat in answer.seats]


@on_platform
async def test_the_house_keeps_seats_and_gives_them_back(desk):
    assert ids(await block(desk, "MAIN-A-1", "MAIN-A-2")) == ["MAIN-A-1", "MAIN-A-2"]
    assert ids(await block(desk, "MAIN-A-2", "MAIN-A-3")) == ["MAIN-A-3"]
    stats = await desk.stats()
    assert (stats.available_seats, stats.blocked_seats) == (12, 3)
    assert code(await desk.held("ana", 1, ("MAIN-A-1",))) == "INVENTORY_CONFLICT"
    for fan in ("ben", "cleo", "dora"):
        held = await desk.held(fan, 4)
        assert not {"MAIN-A-1", "MAIN-A-2", "MAIN-A-3"} & {seat.id for seat in held.reserved_seats}
    freed = await unblock(desk, "MAIN-A-1", "MAIN-A-4")
    assert [(seat.id, seat.status) for seat in freed.seats] == [("MAIN-A-1", types_pb2.SEAT_STATUS_AVAILABLE)]
    assert code(await desk.held("ana", 1, ("MAIN-A-1",))) == ""
    log = await desk.ask(
        "tacos.operations.v1.OperationsService/ListAudit",
        operations_pb2.ListAuditRequest(),
        desk.token(Role.ADMIN, "olga"),
    )
    assert [(one.actor, one.action, one.new_value, one.reason) for one in log.entries] == [
        ("olga", "seats", "BLOCKED", "for the artist"),
        ("olga", "seats", "BLOCKED", "for the artist"),
        ("olga", "seats", "AVAILABLE", ""),
    ]


@on_platform
async def test_what_somebody_holds_or_owns_is_not_taken_by_the_house(desk):
    held = await desk.held("ana", 1, ("MAIN-A-1",))
    await desk.pay("ana", held)
    await desk.clock.sleep(6)
    await desk.held("ben", 1, ("MAIN-A-2",))
    refused = await block(desk, "MAIN-A-1", "MAIN-A-2", "MAIN-A-3")
    assert code(refused) == "INVENTORY_CONFLICT"
    assert [detail.value for detail in refused.error.details] == ["MAIN-A-1", "MAIN-A-2"]
    assert (await desk.stats()).blocked_seats == 0
    await unblock(desk, "MAIN-A-1", "MAIN-A-2")
    stats = await desk.stats()
    assert (stats.sold_seats, stats.reserved_seats) == (1, 1)
    await desk.clock.sleep(61)
    assert ids(await block(desk, "MAIN-A-2")) == ["MAIN-A-2"]  # its hold has lapsed


@on_platform
async def test_what_is_no_seat_of_the_event_is_refused(desk):
    assert code(await block(desk, "MAIN-Z-1")) == "NOT_FOUND"
    assert code(await block(desk)) == "INVALID_ARGUMENT"
    assert code(await block(desk, "MAIN-A-1", event_id="evt_none")) == "NOT_FOUND"


@on_platform
async def test_accessible_seats_are_sold_by_name_only_and_the_focal_point_says_what_is_best(desk):
    await desk.platform.put_on_sale(ACCESSIBLE)
    first = await desk.held("ana", 2, event_id="evt_access")
    assert [seat.id for seat in first.reserved_seats] == ["S-B-1", "S-B-2"]
    for fan in ("ben", "cleo", "dora", "ed"):
        held = await desk.held(fan, 2, event_id="evt_access")
        assert not {"S-A-3", "S-A-4"} & {seat.id for seat in held.reserved_seats}
    assert code(await desk.held("fay", 1, event_id="evt_access")) == "INSUFFICIENT_INVENTORY"
    named = await desk.held("gil", 2, ("S-A-3", "S-A-4"), event_id="evt_access")
    assert [seat.id for seat in named.reserved_seats] == ["S-A-3", "S-A-4"]
    plan = (await desk.ask(CATALOG + "GetEvent", pb.GetEventRequest(event_id="evt_access"))).plan
    kept = [seat.id for section in plan.sections for row in section.rows for seat in row.seats if seat.accessible]
    assert kept == ["S-A-3", "S-A-4"]
    status = inventory_pb2.GetInventoryStatusRequest(event_id="evt_access")
    assert (await desk.as_service(INVENTORY + "GetInventoryStatus", status)).stats.available_seats == 0

"""Events over the wire: every mistake is a detail, and what was published by an earlier version stays as it is."""

import json

import msgspec

from tests.rpc.desk import code, on_platform
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.catalog.documents import MISTAKES_SHOWN_MAX
from traffic_tacos.rooms.catalog.model import Event, Row
from traffic_tacos.rooms.catalog.records import EVENT
from traffic_tacos.rooms.catalog.service import Catalog

CATALOG = "tacos.catalog.v1.CatalogService/"
FILE = "id: evt_plan\nname: Night\ncurrency: EUR\nprices: {S: 1000}\n"


def plan(*places: int) -> str:
    seats = [
        {"seat_guid": f"A-{at}", "seat_number": str(at), "position": {"x": x, "y": 0}, "category": "S"}
        for at, x in enumerate(places, 1)
    ]
    return json.dumps({"zones": [{"name": "Z", "rows": [{"row_number": "A", "seats": seats}]}]})


def ask(desk, method, **fields):
    return desk.ask(CATALOG + method, getattr(pb, f"{method}Request")(**fields), desk.token(Role.ADMIN, "op"))


@on_platform
async def test_every_mistake_is_a_detail_up_to_a_maximum(desk):
    answer = await ask(desk, "CreateEvent", document=FILE.replace("EUR", "eur") + "colour: red\nname: Y\n")
    assert code(answer) == "INVALID_ARGUMENT"
    assert [detail.field for detail in answer.error.details] == ["sections", "currency", "prices", "colour", "name"]
    assert answer.error.details[3].reason.startswith("line 5: must be one of id, name")
    answer = await ask(desk, "CreateEvent", document=FILE, seating_plan=plan(*[10**10] * 200))
    assert len(answer.error.details) == MISTAKES_SHOWN_MAX
    assert answer.error.message.endswith("(and 199 more)")


@on_platform
async def test_an_event_from_before_goes_on_with_the_rows_that_it_was_published_with(desk):
    drawn = plan(30, 60, 0)
    await desk.platform.put_on_sale(FILE, drawn)
    new = await desk.platform.part(Catalog).show("evt_plan")
    old = _as_it_was(new)
    await desk.store.transact((), lambda _: Decision(None, (put(EVENT.key("evt_plan"), old),)))
    await desk.crash()
    held = await desk.held("ana", 2, event_id="evt_plan")
    names = [seat.id for seat in held.reserved_seats]
    changed = await ask(
        desk, "UpdateEvent", event_id="evt_plan", document=FILE.replace("Night", "Day"), seating_plan=drawn
    )
    assert (code(changed), changed.plan.event.name) == ("", "Day")
    kept = await desk.platform.part(Catalog).show("evt_plan")
    assert kept.sections == old.sections
    await desk.loop_once()
    assert [seat.id for seat in (await desk.reservation(held.reservation_id)).seats] == names
    await desk.pay("ana", held)
    await desk.clock.sleep(10)
    assert (await desk.reservation(held.reservation_id)).order_id
    dearer = FILE.replace("1000", "2000")
    refused = await ask(desk, "UpdateEvent", event_id="evt_plan", document=dearer, seating_plan=drawn)
    assert code(refused) == "FAILED_PRECONDITION"


def _as_it_was(event: Event) -> Event:
    """In the order of the file, with the aisles that this order had."""
    [section] = event.sections
    [row] = section.rows
    seats = tuple(sorted(row.seats, key=lambda seat: seat.id))
    listed = msgspec.structs.replace(section, rows=(Row(row.id, seats, (2,)),))
    return msgspec.structs.replace(event, sections=(listed,))


@on_platform
async def test_labels_are_what_people_read_and_ids_are_safe(desk):
    seats = json.loads(plan(0, 30))
    seats["zones"][0] |= {"name": "Parkett / links"}
    seats["zones"][0]["rows"][0] |= {"row_number": "Loge 1"}
    for seat in seats["zones"][0]["rows"][0]["seats"]:
        seat["seat_guid"] = f"Z/{seat['seat_guid']} é"
    await desk.platform.put_on_sale(FILE, json.dumps(seats))
    held = await desk.held("ana", 2, event_id="evt_plan")
    assert [(seat.section, seat.row, seat.number) for seat in held.reserved_seats] == [
        ("Parkett / links", "Loge 1", "1"),
        ("Parkett / links", "Loge 1", "2"),
    ]
    assert all(seat.id.replace("-", "").isalnum() and seat.id.isascii() for seat in held.reserved_seats)
    await desk.cancel("ana", held)
    again = await desk.held("bea", 2, tuple(seat.id for seat in held.reserved_seats), event_id="evt_plan")
    assert code(again) == ""

"""Seating plans as strangers draw them: neighbours are those in the room, and labels are not identity."""

import json
import random
from itertools import pairwise
from math import cos, pi, sin

import pytest

from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.rooms.catalog.documents import parsed, read
from traffic_tacos.rooms.catalog.labels import distinct_ids, safe_id
from traffic_tacos.rooms.catalog.layout import along

FILE = {"id": "evt_case", "name": "x", "currency": "EUR", "prices": {"S": 1000}}


def plan(*zones, **fields):
    return {"name": "P", "categories": [{"name": "S"}], "zones": list(zones), **fields}


def zone(*rows, name="Z", **fields):
    return {"name": name, "position": {"x": 0, "y": 0}, "rows": list(rows), **fields}


def row(name, *places, prefix="", category="S"):
    """Seats named by the order in which they are listed."""
    seats = [
        {
            "seat_guid": f"{prefix}{name}-{number}",
            "seat_number": str(number),
            "position": {"x": x, "y": y},
            "category": category,
        }
        for number, (x, y) in enumerate(places, 1)
    ]
    return {"row_number": name, "seats": seats, "position": {"x": 0, "y": 0}}


def line(*xs, y=0):
    return [(x, y) for x in xs]


def event_of(plan_, **fields):
    return parsed(json.dumps({**FILE, **fields}), json.dumps(plan_))


def groups(row_):
    """The seats' numbers, as the aisles cut the row."""
    numbers, cuts = [seat.number for seat in row_.seats], (0, *row_.aisles, len(row_.seats))
    found = ["".join(numbers[start:end]) for start, end in pairwise(cuts)]
    return {min(found_, found_[::-1]) for found_ in found}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([line(30, 60, 0)], {"213"}),  # listed in another order than they stand
        ([line(0, 30, 150)], {"12", "3"}),  # one usual step and one aisle
        ([line(0, 30, 74)], {"123"}),  # less than half a seat more
        ([line(0, 30, 76)], {"12", "3"}),
        ([line(0, 120), line(0, 30, 60, 90, y=40)], {"1", "2"}),  # the usual step is the zone's
        ([line(0, 60, 120, 180), line(*range(0, 300, 30), y=40)], {"1", "2", "3", "4"}),
        ([line(0, 30, 150, 180, 300, 330)], {"12", "34", "56"}),
        ([[(0, 0), (0, 60), (0, 30)]], {"132"}),  # an upright row
        ([[(0, 0), (42, 42), (21, 21)]], {"132"}),  # a slanting one
        ([line(0, 0, 0)], {"123"}),  # nobody has said where they are
        ([line(0, 0, 30)], {"123"}),
        ([line(5)], {"1"}),
        ([line(0, 500)], {"12"}),  # nothing to compare it with
    ],
)
def test_neighbours_are_those_in_the_room(rows, expected):
    drawn = plan(zone(*(row(f"R{at}", *places) for at, places in enumerate(rows))))
    assert groups(event_of(drawn).sections[0].rows[0]) == expected


@pytest.mark.parametrize("degrees", [30, 90, 180, 270, 340])
@pytest.mark.parametrize("turned", [0, 45, 200])
def test_a_bent_row_is_followed_from_one_end_to_the_other(degrees, turned):
    angles = [(turned + degrees * at / 19) * pi / 180 for at in range(20)]
    places = [(300 * cos(angle), 300 * sin(angle)) for angle in angles]
    listed = list(range(20))
    random.Random(degrees + turned).shuffle(listed)
    order = [listed[index] for index in along([places[at] for at in listed])]
    assert order in (list(range(20)), list(range(20))[::-1])


@pytest.mark.parametrize(
    ("fields", "stage", "first"),
    [
        ({}, None, "R0"),
        ({"stage_side": "top"}, None, "R0"),
        ({"stage_side": "bottom"}, None, "R2"),
        ({"focal_point": {"x": 45, "y": 200}}, None, "R2"),
        ({"focal_point": {"x": 45, "y": 41}}, None, "R1"),
        ({}, {"position": {"x": 0, "y": 150}, "rectangle": {"width": 90, "height": 20}}, "R2"),
        ({"stage_side": "top"}, {"position": {"x": 0, "y": 150}}, "R0"),
    ],
)
def test_the_front_is_where_the_stage_is(fields, stage, first):
    from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
    from traffic_tacos.rooms.catalog.rpc import plan_message
    from traffic_tacos.rooms.inventory.best_available import choose
    from traffic_tacos.rooms.inventory.clients import event_plan

    areas = [] if stage is None else [{"shape": "rectangle", "text": {"text": " Stage "}, **stage}]
    rows = [row(f"R{at}", *line(0, 30, 60, 90, y=40 * at)) for at in range(3)]
    event = event_of(plan(zone(*rows, areas=areas)), **fields)
    seats = event_plan(catalog_pb2.EventPlan.FromString(plan_message(event).SerializeToString()))
    [index] = choose(seats.sections, {}, 2, 0)
    assert seats.rows[index].row == first


def test_the_zone_nearest_to_the_stage_comes_first():
    zones = [zone(row("A", *line(0, 30, y=y), prefix=name), name=name) for name, y in (("back", 900), ("front", 300))]
    assert [section.id for section in event_of(plan(*zones)).sections] == ["back", "front"]
    assert [section.id for section in event_of(plan(*zones), stage_side="top").sections] == ["front", "back"]


@pytest.mark.parametrize(
    ("drawn", "shape"),
    [
        # left and right blocks, whose rows have one name
        (
            plan(zone(row("A", *line(0, 30), prefix="L"), row("A", *line(300, 330), prefix="R"))),
            [("Z", "Z", [("A", "A", 2), ("A-2", "A", 2)])],
        ),
        (
            plan(zone(row("A", (0, 0)), name=None), zone(row("B", (0, 0)), name="")),
            [("Zone-1-", "Zone 1", [("A", "A", 1)]), ("Zone-2-", "Zone 2", [("B", "B", 1)])],
        ),
        (
            plan(zone(row("A", (0, 0)), name="Z"), zone(row("B", (0, 0)), name="Z")),
            [("Z", "Z", [("A", "A", 1)]), ("Z-2", "Z", [("B", "B", 1)])],
        ),
        (plan(zone(row("A", (0, 0)), row("B")), zone(), zone(row("C"))), [("Z", "Z", [("A", "A", 1)])]),
        (plan(zone(row("Loge 1", (0, 0)), name="무대 앞")), [("x-", "무대 앞", [("Loge-1-", "Loge 1", 1)])]),
        (plan(zone({**row("A", (0, 0)), "row_number": 7})), [("Z", "Z", [("7", "7", 1)])]),
        (
            plan(
                zone(
                    {
                        "row_number": 1.5,
                        "seats": [{"seat_guid": 9, "seat_number": 7, "position": {"x": 0}, "category": "S"}],
                    },
                    name=3,
                )
            ),
            [("3", "3", [("1.5", "1.5", 1)])],
        ),
        (plan(zone({"seats": row("A", (0, 0))["seats"]})), [("Z", "Z", [("1", "1", 1)])]),
        (plan({"rows": [row("A", (0, 0))]}), [("Zone-1-", "Zone 1", [("A", "A", 1)])]),
        (plan(zone(row("A", (0, 0))), categories=[{"name": "S"}, {"name": "S"}]), [("Z", "Z", [("A", "A", 1)])]),
        (plan(zone(row("A", (0, 0))), categories=[]), [("Z", "Z", [("A", "A", 1)])]),
    ],
)
def test_what_real_plans_have_is_taken(drawn, shape):
    sections = event_of(drawn).sections
    found = [
        (
            section.id,
            section.label or section.id,
            [(one.id, one.label or one.id, len(one.seats)) for one in section.rows],
        )
        for section in sections
    ]
    for (id_, label, rows), (starts, of_section, of_rows) in zip(found, shape, strict=True):
        assert id_.startswith(starts) and label == of_section
        for one, (row_starts, of_row, count) in zip(rows, of_rows, strict=True):
            assert one[0].startswith(row_starts) and one[1:] == (of_row, count)


@pytest.mark.parametrize(
    "guid",
    ["Z/1/1", "Z-Loge 1-1", "좌석-1", "é", "e\u0301", "a%2Fb", "../x", "?q=1#f", "x" * 200, "-a", " ", "🎭", "a\\b"],
)
def test_any_guid_is_a_safe_id_that_stays(guid):
    first, again = safe_id(guid, 128), safe_id(guid, 128)
    assert first == again == checked_id("seat", first)
    assert "/" not in first and first != safe_id(guid + "x", 128)[:128]


def test_ids_differ_wherever_labels_do_and_where_they_do_not():
    labels = ["A", "A", "A-2", "a", "A ", " A", "Å", "A\u030a", "", "", "A-2", "A/2", "A 2"]
    ids = distinct_ids(labels)
    assert len(set(ids)) == len(labels)
    assert ids == distinct_ids(labels)
    assert (ids[0], ids[2], ids[3]) == ("A", "A-2", "a")


def test_seats_without_a_place_stand_as_they_are_listed():
    drawn = plan(zone(row("A", *line(60, 0, 30)), row("B", *line(0, 30, 90))))
    del drawn["zones"][0]["rows"][0]["seats"][1]["position"]
    first = event_of(drawn).sections[0].rows[0]
    assert ([seat.number for seat in first.seats], first.aisles) == (["1", "2", "3"], ())
    assert event_of(drawn).sections[0].focal_point is None


def test_a_category_may_be_not_for_sale_and_then_parts_its_neighbours():
    drawn = plan(zone(row("A", *line(0, 30, 60, 90, 120))))
    drawn["zones"][0]["rows"][0]["seats"][2]["category"] = "KILL"
    [problem] = read(json.dumps(FILE), json.dumps(drawn))[1]
    assert (problem.detail.field, problem.detail.value) == ("prices", "KILL")
    assert "not_for_sale" in problem.detail.reason
    event = event_of(drawn, not_for_sale=["KILL"])
    assert (event.seat_count, groups(event.sections[0].rows[0])) == (4, {"12", "45"})
    for wrong in (["GOLD"], ["S", "KILL"], ["KILL", "S"]):
        assert read(json.dumps({**FILE, "not_for_sale": wrong}), json.dumps(drawn))[0] is None
    nothing = {**FILE, "prices": {}, "price": 5, "not_for_sale": ["KILL", "S"]}
    assert read(json.dumps(nothing), json.dumps(drawn))[1][0].detail.reason.startswith("must have at least one seat")


def test_a_plan_without_categories_has_one_price():
    drawn = plan(zone(row("A", *line(0, 30))), categories=None)
    for seat in drawn["zones"][0]["rows"][0]["seats"]:
        del seat["category"]
    event = event_of(drawn, prices={}, price=700)
    assert {seat.price for seat in event.sections[0].rows[0].seats} == {700}
    assert read(json.dumps({**FILE, "prices": {}}), json.dumps(drawn))[0] is None


def test_a_category_may_be_a_number():
    drawn = plan(zone(row("A", *line(0, 30), category=1)), categories=[{"name": 1}])
    assert event_of(drawn, prices={"1": 700}).seat_count == 2


def test_a_repeated_guid_is_refused_with_both_places():
    drawn = plan(zone(row("A", (0, 0)), row("B", (0, 40))))
    drawn["zones"][0]["rows"][1]["seats"][0]["seat_guid"] = "A-1"
    [mistake] = read(json.dumps(FILE), json.dumps(drawn))[1]
    assert mistake.detail.field == "seating_plan.zones[0].rows[1].seats[0].seat_guid"
    assert mistake.detail.reason == "must differ from that of seating_plan.zones[0].rows[0].seats[0]"


def test_seats_of_accessible_categories_are_kept_for_who_needs_them():
    drawn = plan(zone(row("A", *line(0, 30, 60, 90))))
    drawn["zones"][0]["rows"][0]["seats"][1]["category"] = "WHEELCHAIR"
    event = event_of(drawn, price=500, accessible=["WHEELCHAIR"])
    seats = event.sections[0].rows[0].seats
    assert [(seat.price, seat.accessible) for seat in seats] == [
        (1000, False),
        (500, True),
        (1000, False),
        (1000, False),
    ]
    for wrong in ({"accessible": ["WHEEL"]}, {"accessible": ["WHEELCHAIR"], "not_for_sale": ["WHEELCHAIR"]}):
        [problem] = read(json.dumps({**FILE, "price": 500, **wrong}), json.dumps(drawn))[1]
        assert problem.detail.field == "accessible[0]"
    [problem] = read(
        "id: evt_x\nname: x\ncurrency: EUR\naccessible: [S]\nsections: [{id: A, name: A, price: 1, standing: 2}]"
    )[1]
    assert (problem.detail.field, "only with one" in problem.detail.reason) == ("accessible", True)

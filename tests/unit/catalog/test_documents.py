"""Event files: both formats, and every wrong one refused as a whole with the path of what is wrong."""

import re
from pathlib import Path

import pytest

from traffic_tacos.cli.event import read_files
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.rooms.catalog.documents import parsed

EXAMPLES = Path(__file__).parents[3] / "examples" / "events"
GOOD = """
id: evt_x
name: X
currency: KRW
sections:
  - {id: MAIN, name: Main, price: 5, rows: [{id: A, seats: 4, aisles: [2]}, {id: 2, seats: 3, first: 10}]}
  - {id: PIT, name: Pit, price: 3, standing: 250}
"""


def test_our_yaml_has_defaults_for_all_but_four_things():
    event = parsed(GOOD)
    assert (event.id, event.currency, event.max_per_order, event.admission.rate_per_second) == ("evt_x", "KRW", 8, 1000)
    main, pit = event.sections
    assert [seat.id for seat in main.rows[0].seats] == ["MAIN-A-1", "MAIN-A-2", "MAIN-A-3", "MAIN-A-4"]
    assert [seat.id for seat in main.rows[1].seats] == ["MAIN-2-10", "MAIN-2-11", "MAIN-2-12"]
    assert [len(row.seats) for row in pit.rows] == [100, 100, 50]
    assert all(row.standing for row in pit.rows)
    assert event.seat_count == 257


@pytest.mark.parametrize(
    ("file", "seats", "sections"),
    [("club.yaml", 200, 2), ("theatre.yaml", 1979, 4), ("arena.yaml", 12500, 17), ("studio.json", 63, 1)],
)
def test_the_examples_are_good(file, seats, sections):
    event = parsed(*read_files(EXAMPLES / file))
    assert (event.seat_count, len(event.sections)) == (seats, sections)


def test_a_seating_plan_gives_seats_their_guids_prices_places_and_aisles():
    event = parsed(*read_files(EXAMPLES / "studio.json"))
    [section] = event.sections
    first = section.rows[0].seats[0]
    assert (first.id, first.number, first.price) == ("PParkett1-1".replace("Parkett", ""), "1", 4500)
    assert (first.position.x, first.position.y) == (100, 100)
    assert section.rows[0].aisles == (5,)
    assert section.rows[5].seats[0].price == 3000
    assert section.focal_point is not None


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (("", ""), "document", "is required"),
        (("id: evt_x", "id: [evt"), "document", "must be YAML"),
        (("id: evt_x", "id: a/b"), "id", "only letters"),
        (("id: evt_x", ""), "id", "is required"),
        (("name: X", "name: ''"), "name", "must not be empty"),
        (("currency: KRW", "currency: won"), "currency", "three capital letters"),
        (("price: 5", "price: -5"), "sections[0].price", "from 0"),
        (("price: 5", "price: 5.5"), "sections[0].price", "whole number"),
        (("seats: 4", "seats: 0"), "sections[0].rows[0].seats", "from 1 to 400"),
        (("seats: 4", "seats: 4, colour: red"), "sections[0].rows[0].colour", "must be one of id, seats"),
        (("aisles: [2]", "aisles: [4]"), "sections[0].rows[0].aisles", "between 1 and 3"),
        (("{id: 2, seats: 3", "{id: A, seats: 3"), "sections[0].rows[1].id", "ids must differ"),
        (("id: PIT", "id: MAIN"), "sections[1].id", "ids must differ"),
        (("standing: 250", "standing: 250, rows: [{id: A, seats: 1}]"), "sections[1]", "either rows or standing"),
        (("currency: KRW", "currency: KRW\nmax_per_order: 0"), "max_per_order", "between 1 and 100"),
        (("currency: KRW", "currency: KRW\nguests: yes"), "guests", "must be true or false"),
        (("currency: KRW", "currency: KRW\nstart_time: 2027-03-01T20:00:00"), "start_time", "time zone"),
        (("currency: KRW", "currency: KRW\nstart_time: 1969-03-01T20:00:00Z"), "start_time", "1970"),
        (
            ("currency: KRW", "currency: KRW\nstart_time: 2027-03-02T00:00:00Z\nend_time: 2027-03-01T00:00:00Z"),
            "end_time",
            "must be after start_time",
        ),
        (("currency: KRW", "currency: KRW\nadmission: {rate_per_second: 0}"), "admission.rate_per_second", "between 1"),
        (("currency: KRW", "currency: KRW\nprices: {A: 1}"), "prices", "seating plan"),
        (("currency: KRW", "currency: KRW\nrefunds: {percent: 101}"), "refunds.percent", "between 0 and 100"),
        (("seats: 4", "seats: 4, accessible: [5]"), "sections[0].rows[0].accessible", "1 to 4"),
        (("price: 5", "price: 5, focal_point: {row: A, seat: 9}"), "sections[0].focal_point", "a seat number"),
    ],
)
def test_a_wrong_file_is_refused_with_the_path_of_what_is_wrong(change, field, says):
    document = GOOD.replace(*change) if change != ("", "") else " "
    with pytest.raises(Refusal) as refused:
        parsed(document)
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert refused.value.details[0].field == field
    assert says in refused.value.message


ORDER = [
    ({"sale_start_time": 1, "sale_end_time": 2, "start_time": 3, "end_time": 4}, None),
    ({"sale_start_time": 1, "start_time": 3, "sale_end_time": 4, "end_time": 4}, None),
    ({"start_time": 3, "sale_end_time": 5}, None),
    ({"start_time": 1, "sale_start_time": 2, "end_time": 3}, None),
    ({"sale_start_time": 2, "sale_end_time": 2}, "sale_end_time"),
    ({"sale_start_time": 2, "sale_end_time": 1}, "sale_end_time"),
    ({"start_time": 2, "end_time": 2}, "end_time"),
    ({"sale_start_time": 4, "end_time": 4}, "end_time"),
    ({"sale_end_time": 5, "end_time": 4}, "sale_end_time"),
    ({"sale_start_time": 3, "start_time": 3}, "sale_start_time"),
]


@pytest.mark.parametrize(("times", "wrong"), ORDER)
def test_times_are_in_order_and_the_field_that_is_not_is_named(times, wrong):
    lines = "".join(f"\n{name}: 2027-03-0{day}T20:00:00Z" for name, day in times.items())
    document = GOOD.replace("currency: KRW", "currency: KRW" + lines)
    if wrong is None:
        assert parsed(document).info.id
        return
    with pytest.raises(Refusal) as refused:
        parsed(document)
    assert (refused.value.code, refused.value.details[0].field) == (Code.INVALID_ARGUMENT, wrong)


def test_a_wrong_seating_plan_is_refused_with_the_path_of_what_is_wrong():
    document, plan = read_files(EXAMPLES / "studio.json")
    for change, says in [
        (("Front: 4500, ", ""), "prices: line 7: must have a price for the category of seating_plan.zones[0].rows[0]"),
        (("prices: {", "prices: {Gold: 1, "), "prices.Gold: line 7: must be a category of the plan: 'Back', 'Front'"),
    ]:
        with pytest.raises(Refusal, match=re.escape(says)):
            parsed(document.replace(*change), plan)
    with pytest.raises(Refusal, match=r"zones\[0\].rows\[0\].seats\[0\].seat_guid: line 28: is required"):
        parsed(document, plan.replace('"seat_guid": "P1-1"', '"guid": "P1-1"'))
    with pytest.raises(Refusal, match="seating_plan: line 1: must be JSON"):
        parsed(document, "{")


def test_the_id_may_be_given_instead():
    assert parsed(GOOD, event_id="evt_y").id == "evt_y"

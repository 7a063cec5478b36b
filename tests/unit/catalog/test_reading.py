"""A number is what a person reads, and every mistake is told at once, with its line and its path."""

import random

import pytest

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.rooms.catalog.documents import MISTAKES_SHOWN_MAX, parsed, read
from traffic_tacos.rooms.catalog.nodes import DEPTH_MAX
from traffic_tacos.rooms.catalog.records import EVENT

FILE = """id: evt_x
name: X
currency: EUR
start_time: 2027-03-01T20:00:00+09:00
max_per_order: 4
sections:
  - {id: M, name: Main, price: 100, rows: [{id: A, seats: 4}]}
"""
PLAN = """{"zones": [{"name": "Z", "rows": [{"row_number": "A", "seats": [
  {"seat_guid": "a", "seat_number": "1", "position": {"x": 0, "y": 0}, "category": "S"},
  {"seat_guid": "b", "seat_number": "2", "position": {"x": 30, "y": 0}, "category": "S"}]}]}]}"""
PRICED = "id: evt_x\nname: X\ncurrency: EUR\nprices: {S: 100}\n"


def mistakes(document: str, plan: str = "") -> list[tuple[int, str, str]]:
    event, found = read(document, plan)
    assert (event is None) == bool(found)
    return [(one.line, one.detail.field, one.detail.reason) for one in found]


@pytest.mark.parametrize(
    ("written", "price"), [("0500", 500), ("500", 500), ("+7", 7), ("08", 8), ("0", 0), ("010", 10), ("-0", 0)]
)
def test_a_price_is_the_number_that_a_person_reads(written, price):
    event = parsed(FILE.replace("price: 100", f"price: {written}"))
    assert {seat.price for seat in event.sections[0].rows[0].seats} == {price}


@pytest.mark.parametrize(
    "written",
    [
        *("12:50", "12.50", "1_000", "0x10", "0o10", "5e2", "1.", "'100'", "ten", "~", "", "yes"),
        *(
            "[1]",
            "{a: 1}",
            "-1",
            "1e400",
            ".inf",
            ".nan",
            "NaN",
            "9" * 400,
            "१००",
            "!!int 100",
            "&a 100",
            "*a",
            "2027-03-01",
        ),
    ],
)
def test_what_is_no_price_is_refused_with_its_line_and_what_would_be_right(written):
    [(line, field, reason)] = mistakes(FILE.replace("price: 100", f"price: {written}"))
    assert (line, field) == (7, "sections[0].price")
    assert reason.startswith("must ")


@pytest.mark.parametrize("written", ["06", "7", "07", "08", "1e3", "no", "on", "1_0", "0x1F", "12.5", "true", "A"])
def test_the_name_of_a_row_is_what_is_written(written):
    event = parsed(FILE.replace("id: A", f"id: {written}"))
    assert (event.sections[0].rows[0].id, event.sections[0].rows[0].seats[0].id) == (written, f"M-{written}-1")


@pytest.mark.parametrize(
    ("written", "minute"),
    [
        ("2027-03-01T20:00:00+09:00", 30_064_980),
        ("2027-03-01T11:00:00Z", 30_064_980),
        ("2027-03-01t11:00z", 30_064_980),
        ("2027-03-01 20:00:00 +09:00", 30_064_980),
        ("'2027-03-01T20:00:00.5+09:00'", 30_064_980),
    ],
)
def test_times_are_read_as_written(written, minute):
    event = parsed(FILE.replace("2027-03-01T20:00:00+09:00", written))
    assert event.info.start_time // 60_000 == minute


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2027-13-01T20:00:00+09:00", "month must be in 1..12"),
        ("2027-03-28T24:00:00+09:00", "hour must be in 0..23"),
        ("2027-02-29T20:00:00+09:00", "day"),
        ("2027-03-01T20:61:00Z", "minute"),
        ("2027-03-01T20:00:00", "must have a time zone"),
        ("2027-03-01T20:00:00+25:00", "that there are"),
        ("2027-03-01", "must be a date and a time"),
        ("1800000000", "must be a date and a time"),
        ("tomorrow", "must be a date and a time"),
        ("[2027]", "must be a date and a time"),
        ("0001-01-01T00:00:00+14:00", "1970"),
        ("9999-12-31T23:59:59-14:00", "1970"),
    ],
)
def test_times_that_there_are_not_are_refused(written, says):
    [(line, field, reason)] = mistakes(FILE.replace("2027-03-01T20:00:00+09:00", written))
    assert (line, field) == (4, "start_time")
    assert says in reason


def test_every_mistake_is_told_at_once_each_with_its_line():
    document = (
        FILE.replace("id: evt_x", "id: a/b")
        .replace("name: X", 'name: "x\\u0007"')
        .replace("currency: EUR", "currency: won")
        .replace("max_per_order: 4", "max_per_order: !!int abc")
        + "  - {id: M, name: N, prize: 1, price: 1.5, rows: [{id: A, seats: 2, aisles: [9]}]}\n"
        + "description: a\ndescription: b\n<<: 5\n? [a]\n: 1\n"
    )
    assert [(line, field) for line, field, _ in mistakes(document)] == [
        (1, "id"),
        (2, "name"),
        (3, "currency"),
        (5, "max_per_order"),
        (8, "sections[1].prize"),
        (8, "sections[1].price"),
        (8, "sections[1].id"),
        (8, "sections[1].rows[0].aisles"),
        (10, "description"),
        (11, "<<"),
        (12, ""),
    ]
    with pytest.raises(Refusal) as refused:
        parsed(document)
    assert [detail.field for detail in refused.value.details][-1] == "document"
    assert refused.value.details[3].reason == "line 5: must not have a tag; write the value alone"


def test_a_refusal_names_no_more_mistakes_than_its_maximum():
    rows = ", ".join("{id: A, seats: 0}" for _ in range(500))
    with pytest.raises(Refusal) as refused:
        parsed(FILE.replace("{id: A, seats: 4}", rows))
    assert len(refused.value.details) == MISTAKES_SHOWN_MAX
    assert len(mistakes(FILE.replace("{id: A, seats: 4}", rows))) == 999


@pytest.mark.parametrize(
    ("document", "line", "says"),
    [
        ("", 1, "is required"),
        ("\n# nothing\n", 1, "must not be empty"),
        ("---\n...\n", 2, "must be a mapping"),
        ("~", 1, "must be a mapping"),
        ("[1, 2]", 1, "must be a mapping"),
        (FILE + "---\nid: b\n", 8, "must be one document"),
        (FILE + "\tx: 1\n", 8, "must be YAML"),
        (FILE + "x: 'open\n", 9, "must be YAML"),
        (FILE + "x: \x00\n", 1, "must be YAML"),
        (FILE + "x: \x1b[31m\n", 1, "must be YAML"),
        (FILE + "x: \ud800\n", 1, "must be UTF-8"),
        (FILE + "%YAML 9.9\n", 8, "must"),
        (FILE + f"x: {'[' * (DEPTH_MAX + 1)}\n", 8, "nested deeper"),
        (FILE + f"x: {'[' * 200_000}\n", 8, "nested deeper"),
        (FILE + "x: " + "{a: " * 100 + "\n", 8, "nested deeper"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", 1, "must be one of"),
        ("x" * 3_000_000, 1, "at most"),
        ("!!python/object/apply:os.system [ls]", 1, "must not have a tag"),
    ],
)
def test_what_is_no_event_file_at_all_is_told_where(document, line, says):
    found = mistakes(document)
    assert found[0][0] == line
    assert says in found[0][2]


def test_a_mark_at_the_beginning_and_other_line_ends_are_fine():
    assert parsed("\ufeff" + FILE.replace("\n", "\r\n")) == parsed(FILE)


@pytest.mark.parametrize(
    "name", ["공연", "Ναί", "שלום", "می‌خواهم", "全角　空白", "no\u00a0break", "👨‍👩‍👧", "no", "0500"]
)
def test_a_name_is_text_of_any_script(name):
    assert parsed(FILE.replace("name: X", f"name: {name}")).info.name == name


@pytest.mark.parametrize(
    ("field", "text"),
    [(field, text) for field in ("name", "venue", "city", "section") for text in ("a\\nb", "\\e[31m", "\\u202e", "\\0")]
    + [(field, "x" * 201) for field in ("name", "venue", "city", "section")]
    + [("description", text) for text in ("\\e[31m", "\\0", "x" * 10_001)],
)
def test_all_texts_of_a_file_have_the_bounds_of_a_name(field, text):
    written = {
        "name": FILE.replace("name: X", f'name: "{text}"'),
        "venue": FILE + f'venue: {{name: "{text}"}}\n',
        "city": FILE + f'venue: {{address: {{city: "{text}"}}}}\n',
        "section": FILE.replace("name: Main", f'name: "{text}"'),
        "description": FILE + f'description: "{text}"\n',
    }
    [(_, _, reason)] = mistakes(written[field])
    assert "control characters" in reason or "at most" in reason


def test_a_description_may_have_lines():
    assert parsed(FILE + "description: |\n  one\n  two\n").info.description == "one\ntwo\n"


@pytest.mark.parametrize(
    ("change", "line", "field", "says"),
    [
        (('"x": 30', '"x": 1e400'), 3, "seating_plan.zones[0].rows[0].seats[1].position.x", "must be a number"),
        (('"x": 30', '"x": NaN'), 3, "seating_plan.zones[0].rows[0].seats[1].position.x", "must be a number"),
        (('"x": 30', '"x": -Infinity'), 3, "seating_plan.zones[0].rows[0].seats[1].position.x", "must be a number"),
        (('"x": 30', '"x": "30"'), 3, "seating_plan.zones[0].rows[0].seats[1].position.x", "must be a number"),
        (('"x": 30', '"x": ' + "9" * 5000), 3, "seating_plan.zones[0].rows[0].seats[1].position.x", "must be a number"),
        (('"x": 30', '"x": 1e308'), 3, "seating_plan.zones[0].rows[0].seats[1].position", "must be within"),
        (('"x": 30', '"x": 30, "x": 31'), 3, "seating_plan.zones[0].rows[0].seats[1].position.x", "given once"),
        (('"b"', '"a"'), 3, "seating_plan.zones[0].rows[0].seats[1].seat_guid", "must differ from that of"),
        (('"b"', '""'), 3, "seating_plan.zones[0].rows[0].seats[1].seat_guid", "must not be empty"),
        (('"2"', r'"\u0007"'), 3, "seating_plan.zones[0].rows[0].seats[1].seat_number", "control characters"),
        (('"2"', r'"\ud800"'), 3, "seating_plan.zones[0].rows[0].seats[1].seat_number", "control characters"),
        (('"A"', '["A"]'), 1, "seating_plan.zones[0].rows[0].row_number", "must be text"),
        (('"zones"', '"areas"'), 1, "seating_plan.zones", "is required"),
        (("}]}]}]}", "}]}]}]"), 3, "seating_plan", "must be JSON"),
        (('{"zones"', '{"x": {"a": 1, "a": 2}}], "zones"'), 1, "seating_plan", "must be JSON"),
        (('"Z"', "[" * 100_000 + "]" * 100_000), 1, "seating_plan", "nested deeper"),
        (('"name"', '"unheard_of": {"a": 1, "a": 2}, "name"'), 1, "seating_plan", "given once"),
    ],
)
def test_a_wrong_seating_plan_is_told_by_line_and_path(change, line, field, says):
    found = mistakes(PRICED, PLAN.replace(*change, 1))
    assert found[0][:2] == (line, field)
    assert says in found[0][2]


def test_mistakes_of_the_file_and_of_its_plan_are_told_together():
    plan = PLAN.replace('"x": 30', '"x": null').replace('"seat_guid": "a"', '"guid": "a"')
    assert [(line, field) for line, field, _ in mistakes(PRICED.replace("EUR", "eur"), plan)] == [
        (3, "currency"),
        (2, "seating_plan.zones[0].rows[0].seats[0].seat_guid"),
        (3, "seating_plan.zones[0].rows[0].seats[1].position.x"),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_in_a_file_it_is_read_or_refused(seed):
    chance = random.Random(seed)
    signs = [
        "0500",
        "~",
        "!!int",
        "&a",
        "*a",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "'",
        '"',
        "\t",
        "\\",
        "\0",
        "\ud800",
        "\n",
    ]
    signs += ["1e400", "NaN", "null", '"x": ', '"\\ud800"', "---\n", "%", "\u2028", "é" * 50, "9" * 400]
    for _ in range(50):
        texts = chance.choice([[FILE, ""], [PRICED, PLAN]])
        for _ in range(chance.randint(1, 4)):
            which = chance.randrange(2) if texts[1] else 0
            at = chance.randrange(len(texts[which]))
            end = at + chance.choice([0, 1, 5, 40])
            texts[which] = texts[which][:at] + chance.choice(signs) + texts[which][end:]
        event, found = read(*texts)
        assert (event is None) == bool(found)
        if event is not None:
            assert EVENT.decode("event/x", EVENT.encode(event)) == event

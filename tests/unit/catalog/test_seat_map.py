"""Where seats are on a page: every one is inside its section's outline, whatever the file draws."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.kernel.event_info import EventInfo
from traffic_tacos.rooms.catalog.model import Event, Point, Row, Seat, Section, standing_rows
from traffic_tacos.rooms.catalog.seat_map import EXTENT_MAX, MARGIN, revision, seat_map

COORDINATES = st.floats(-1e6, 1e6) | st.floats(-1, 1) | st.integers(-500, 500).map(float)
ROWS = st.lists(st.tuples(st.integers(1, 60), st.sets(st.integers(1, 59), max_size=4)), min_size=1, max_size=12)


def event(*sections):
    return Event(EventInfo("evt_x", "x"), "EUR", sections)


def rowed(name, rows):
    made = []
    for at, (count, aisles) in enumerate(rows):
        seats = tuple(Seat(f"{name}-{at}-{number}", str(number), 5) for number in range(1, count + 1))
        made.append(Row(f"R{at}", seats, tuple(sorted(aisle for aisle in aisles if aisle < count))))
    return Section(name, name, tuple(made))


def drawn(name, rows):
    made = [
        Row(f"R{at}", tuple(Seat(f"{name}-{at}-{n}", str(n), 5, Point(*place)) for n, place in enumerate(places)))
        for at, places in enumerate(rows)
    ]
    return Section(name, name, tuple(made))


def places(steps, count):
    """The seats of a row, as a page walks them."""
    x, y = steps[:2]
    walked = [(x, y)]
    moves = list(zip(steps[2::2], steps[3::2], strict=True))
    for at in range(count - 1):
        dx, dy = moves[at] if len(moves) > 1 else moves[0]
        x, y = x + dx, y + dy
        walked.append((x, y))
    return walked


def check(one):
    found = seat_map(one)
    assert found == seat_map(one), "the same each time"
    for section, shape in zip(one.sections, found.sections, strict=True):
        corners = list(zip(shape.outline[::2], shape.outline[1::2], strict=True))
        assert all(MARGIN <= x <= found.width - MARGIN and MARGIN <= y <= found.height - MARGIN for x, y in corners)
        for row, steps in zip(section.rows, shape.rows, strict=True):
            for x, y in places(steps, 1 if row.standing else len(row.seats)):
                for (ax, ay), (bx, by) in pairwise([*corners, corners[0]]):
                    assert (bx - ax) * (y - ay) >= (by - ay) * (x - ax), "outside of its section"
    return found


@given(st.lists(ROWS, min_size=1, max_size=6), st.lists(st.integers(1, 3000), max_size=2))
def test_rows_are_laid_out_within_their_sections_and_sections_beside_each_other(rows, standing):
    sections = [rowed(f"S{at}", one) for at, one in enumerate(rows)]
    sections += [Section(f"P{at}", "P", standing_rows(f"P{at}", one, 5)) for at, one in enumerate(standing)]
    found = check(event(*sections))
    assert not found.is_drawn and len(found.stage) == 2
    boxes = [
        (min(shape.outline[::2]), min(shape.outline[1::2]), max(shape.outline[::2]), max(shape.outline[1::2]))
        for shape in found.sections
    ]
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert all(
            right < other[0] or left > other[2] or bottom < other[1] or top > other[3] for other in boxes[:at]
        ), "two sections lie on each other"
    for section, shape in zip(sections, found.sections, strict=True):
        for row, steps in zip(section.rows, shape.rows, strict=True):
            if not row.standing:
                assert len(set(places(steps, len(row.seats)))) == len(row.seats), "two seats in one place"


@given(
    st.lists(st.lists(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=9), min_size=1, max_size=5),
             min_size=1, max_size=3)
)  # fmt: skip
def test_a_drawing_keeps_its_shape_whatever_its_scale(sections):
    found = check(event(*(drawn(f"S{at}", rows) for at, rows in enumerate(sections))))
    assert found.is_drawn
    assert max(found.width, found.height) <= EXTENT_MAX + 4 * MARGIN + 2


@pytest.mark.parametrize("pitch", [0.5, 10, 37])
def test_neighbours_of_a_drawing_are_about_ten_apart(pitch):
    rows = [[(pitch * seat, pitch * row * 1.5) for seat in range(8)] for row in range(3)]
    found = seat_map(event(drawn("S", rows)))
    assert {steps[2:] for steps in found.sections[0].rows} == {(10, 0)}
    assert found.sections[0].rows[1][1] - found.sections[0].rows[0][1] == 15


def test_one_seat_without_a_position_has_all_of_them_laid_out():
    some = drawn("S", [[(0, 0), (30, 0)]])
    lost = Row("R9", (Seat("S-9-1", "1", 5),))
    assert seat_map(event(some)).is_drawn
    assert not seat_map(event(Section("S", "S", (*some.rows, lost)))).is_drawn


def test_a_revision_is_of_the_seating_alone():
    one = event(rowed("S", [(3, set())]))
    renamed = Event(EventInfo("evt_x", "another name"), "EUR", one.sections, max_per_order=2)
    assert revision(renamed) == revision(one)
    assert revision(event(rowed("S", [(4, set())]))) != revision(one)
    assert revision(Event(one.info, "KRW", one.sections)) != revision(one)

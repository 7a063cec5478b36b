"""Rows that are passed over change nothing of what a search finds."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.inventory.test_best_available import gone, plan, row
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.rooms.inventory import passed_over
from traffic_tacos.rooms.inventory.best_available import choose
from traffic_tacos.rooms.inventory.passed_over import PassedOver
from traffic_tacos.rooms.inventory.rows import RowHold, RowState, SectionPlan, with_holds

ROWS, SEATS = 5, 5
FULL = (1 << SEATS) - 1
PATHS = [f"row/e/S/{index}" for index in range(ROWS)]
NOW = 1000


def held(seats: int, deadline: int) -> RowState:
    return with_holds(RowState(), [RowHold("r", seats, deadline)])


def chosen(sections: Sequence[SectionPlan], states: Mapping[str, RowState], quantity: int, now: int) -> object:
    by_index = {PATHS.index(path): state for path, state in states.items()}
    try:
        return choose(sections, by_index, quantity, now)
    except Refusal as refusal:
        return refusal.code


MASKS = st.one_of(st.just(FULL), st.integers(0, FULL))
STATES = st.one_of(st.none(), st.builds(gone, MASKS), st.builds(held, MASKS, st.integers(0, 40)))
STEPS = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(0, ROWS - 1), STATES), max_size=3), st.integers(1, 3), st.integers(-3, 9)),
    min_size=1,
    max_size=25,
)


@pytest.fixture(autouse=True, scope="module")
def often():
    """Rows that have filled are looked for after few searches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passed_over, "LOOKED_AGAIN_AFTER", 4)
        yield


@given(STEPS, st.integers(0, FULL), st.integers(0, ROWS))
@settings(max_examples=500)
def test_a_search_finds_the_same_as_if_no_row_were_passed_over(steps, kept, standing):
    house = plan(*(row(SEATS, (2,), at, standing=at == standing, kept=kept if at == 1 else 0) for at in range(ROWS)))
    known, states, now = PassedOver(house, PATHS), {}, 0
    for changes, quantity, elapsed in steps:
        now += elapsed
        for index, state in changes:
            if state is None:
                states.pop(PATHS[index], None)
            else:
                states[PATHS[index]] = state
        narrowed = known.narrowed(house.sections, states, quantity, now)
        assert chosen(narrowed, states, quantity, now) == chosen(house.sections, states, quantity, now)


def test_rows_without_a_tidy_place_are_passed_over_until_they_may_have_one_again():
    house = plan(*(row(SEATS, index=index) for index in range(ROWS)))
    states = {PATHS[0]: gone(FULL), PATHS[1]: held(FULL, NOW + 5), PATHS[2]: gone(0b10001)}  # three are left
    known = PassedOver(house, PATHS)

    def searched(now: int = NOW, quantity: int = 2) -> list[int]:
        (section,) = known.narrowed(house.sections, states, quantity, now)
        assert section.rows == house.rows
        return [one.index for one in section.tidy]

    assert searched() == [3, 4]
    assert searched(quantity=3) == [2, 3, 4]
    states[PATHS[0]] = gone(0b00111)
    assert searched() == [0, 3, 4]
    states[PATHS[0]] = gone(FULL)
    assert [searched() for _ in range(4)][-1] == [3, 4]
    assert searched(NOW + 5) == [1, 3, 4], "the hold has lapsed"
    states[PATHS[1]] = with_holds(gone(0b00001), [RowHold("q", 0b11110, NOW + 9)])
    assert [searched(NOW + 6) for _ in range(4)][-1] == [3, 4]
    states[PATHS[1]] = gone(FULL)  # what was held is sold
    assert searched(NOW + 9) == [3, 4]
    del states[PATHS[1]]
    assert searched(NOW + 9) == [1, 3, 4]


def test_rows_without_any_place_are_passed_over_by_the_search_for_one_that_leaves_a_seat_alone_too():
    house = plan(*(row(SEATS, index=index, standing=index == 4) for index in range(ROWS)))
    states = dict.fromkeys(PATHS, gone(FULL)) | {PATHS[3]: gone(0b10001)}  # three are left
    known = PassedOver(house, PATHS)

    def searched(quantity: int) -> list[list[int]]:
        (section,) = known.narrowed(house.sections, states, quantity, NOW)
        return [[one.index for one in rows] for rows in (section.tidy, section.fitting)]

    assert searched(2) == [[], [3]]
    assert searched(3) == [[3], [3]]
    states[PATHS[3]] = gone(FULL)
    assert searched(2) == [[], []]
    del states[PATHS[0]]
    assert searched(2) == [[0], [0]]


def test_a_section_that_was_made_for_one_search_is_searched_whole():
    house = plan(*(row(SEATS, index=index) for index in range(ROWS)))
    own = SectionPlan("S", "S", house.rows[:2])
    assert PassedOver(house, PATHS).narrowed((own,), dict.fromkeys(PATHS, gone(FULL)), 2, NOW) == (own,)

"""Best available, against brute force on small rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.event_info import EventInfo
from traffic_tacos.rooms.inventory.best_available import best_in_section, choose, fitting
from traffic_tacos.rooms.inventory.rows import (
    EventPlan,
    RowHold,
    RowPlan,
    RowSale,
    RowState,
    SeatPlan,
    SectionPlan,
    bits,
    with_hold,
    with_holds,
)

NOW = 1000


def row(count: int, aisles: tuple[int, ...] = (), index: int = 0, standing: bool = False, kept: int = 0) -> RowPlan:
    joined = 0 if standing else (1 << (count - 1)) - 1
    for aisle in aisles:
        joined &= ~(1 << (aisle - 1))
    seats = tuple(SeatPlan(f"R{index}-{number}", str(number), 10) for number in range(1, count + 1))
    full, middle = (1 << count) - 1, (count - 1) / 2
    return RowPlan(index, "S", f"R{index}", seats, full, joined, standing, float(index), middle, kept)


def plan(*rows: RowPlan) -> EventPlan:
    return EventPlan(EventInfo("e", "E"), "KRW", (SectionPlan("S", "S", rows),), rows, {})


def gone(mask: int) -> RowState:
    return RowState(blocked=mask, gone=mask)


def runs(plan_: RowPlan, free: int, quantity: int) -> list[int]:
    """Every start of `quantity` adjacent free seats, by looking at each seat."""
    found = []
    for start in range(len(plan_.seats) - quantity + 1):
        seats = range(start, start + quantity)
        if all(free >> seat & 1 for seat in seats) and all(plan_.joined >> seat & 1 for seat in seats[:-1]):
            found.append(start)
    return found


def leaves_one(plan_: RowPlan, free: int, start: int, quantity: int) -> bool:
    """Whether a free seat beside the run would be left without a free neighbour of its own."""

    def neighbour(seat: int, step: int) -> int | None:
        other = seat + step
        if not 0 <= other < len(plan_.seats) or not free >> other & 1:
            return None
        return other if plan_.joined >> min(seat, other) & 1 else None

    for edge, step in ((start, -1), (start + quantity - 1, 1)):
        beside = neighbour(edge, step)
        if beside is not None and neighbour(beside, step) is None:
            return True
    return False


ROWS = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.integers(0, (1 << count) - 1),
        st.sets(st.integers(1, max(1, count - 1)), max_size=3),
        st.integers(1, 5),
    )
)


@given(ROWS)
@settings(max_examples=400)
def test_one_row_is_searched_as_by_brute_force(drawn):
    count, taken, aisles, quantity = drawn
    plan_ = row(count, tuple(aisle for aisle in aisles if aisle < count))
    free = plan_.full & ~taken
    starts = runs(plan_, free, quantity)
    assert list(bits(fitting(plan_.joined, free, quantity))) == starts
    found = best_in_section((plan_,), {0: gone(taken)}, quantity, NOW)
    if not starts:
        assert found is None
        return
    untidy, _, mask = found
    start = next(bits(mask))
    assert start in starts
    assert mask == ((1 << quantity) - 1) << start
    tidy = [one for one in starts if not leaves_one(plan_, free, one, quantity)]
    assert untidy == (not tidy)
    distance = {one: abs(one + (quantity - 1) / 2 - plan_.middle) for one in tidy or starts}
    assert distance[start] == min(distance.values())


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 255)), min_size=1, max_size=5), st.integers(1, 4))
@settings(max_examples=300)
def test_adjacent_seats_are_never_refused_while_some_are_free(drawn, quantity):
    rows = tuple(row(count, index=index) for index, (count, _) in enumerate(drawn))
    states = {index: gone(taken & rows[index].full) for index, (_, taken) in enumerate(drawn)}
    possible = any(runs(one, one.full & ~states[one.index].gone, quantity) for one in rows)
    left = sum((one.full & ~states[one.index].gone).bit_count() for one in rows)
    if left < quantity:
        with pytest.raises(Refusal):
            choose(plan(*rows).sections, states, quantity, NOW)
        return
    chosen = choose(plan(*rows).sections, states, quantity, NOW)
    assert sum(map(int.bit_count, chosen.values())) == quantity
    for index, mask in chosen.items():
        assert mask & states[index].gone == 0
        assert mask & ~rows[index].full == 0
    if possible:
        [(index, mask)] = chosen.items()
        assert next(bits(mask)) in runs(rows[index], rows[index].full & ~states[index].gone, quantity)


@pytest.mark.parametrize(
    ("count", "aisles", "taken", "quantity", "expected"),
    [
        (5, (), 0b00000, 2, [3, 4]),  # the middle two would leave one alone on a side
        (6, (), 0b000000, 2, [2, 3]),
        (7, (), 0b0000000, 3, [2, 3, 4]),
        (6, (3,), 0b000000, 3, [3, 4, 5]),  # not across the aisle
        (6, (3,), 0b000001, 2, [1, 2]),
        (4, (), 0b0110, 2, None),
        (3, (), 0b000, 2, [0, 1]),  # nothing tidier is to be had
    ],
)
def test_a_row_gives_its_best_place(count, aisles, taken, quantity, expected):
    found = best_in_section((row(count, aisles),), {0: gone(taken)}, quantity, NOW)
    assert (None if found is None else list(bits(found[2]))) == expected


def test_the_front_row_comes_first_and_a_standing_place_needs_no_neighbour():
    front, back = row(6, index=0), row(6, index=1)
    assert choose(plan(front, back).sections, {}, 2, NOW).keys() == {0}
    standing = row(6, index=0, standing=True)
    assert choose(plan(standing).sections, {0: gone(0b001010)}, 4, NOW) == {0: 0b110101}


def test_a_party_that_fits_in_no_row_is_cut_as_little_as_can_be():
    rows = (row(3, index=0), row(4, index=1), row(2, index=2))
    chosen = choose(plan(*rows).sections, {}, 6, NOW)
    assert sorted(mask.bit_count() for mask in chosen.values()) == [2, 4]


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NOW - 1, None), (NOW, (False, 0b0011)), (NOW + 4, (False, 0b0011)), (NOW + 5, (False, 0b1100))],
    ids=["all held", "the first hold has lapsed", "the second is held yet", "both have"],
)
def test_what_is_held_is_given_again_once_its_own_hold_has_lapsed(now, expected):
    holds = RowHold("a", 0b0011, NOW), RowHold("b", 0b1100, NOW + 5)
    found = best_in_section([row(4)], {0: with_holds(RowState(), holds)}, 2, now)
    assert (found and (found[0], found[2])) == expected


def test_a_row_of_which_some_seats_are_sold_and_the_others_held_gives_none_before_a_hold_lapses():
    state = with_holds(RowState(sold=(RowSale("s", 0b01),), gone=0b01), [RowHold("a", 0b10, NOW)])
    assert best_in_section([row(2)], {0: state}, 1, NOW - 1) is None
    assert best_in_section([row(2)], {0: state}, 1, NOW) is not None
    assert best_in_section([row(2)], {0: gone(0b11)}, 1, NOW) is None


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 50)), min_size=1, max_size=5))
def test_one_more_hold_is_summed_up_like_all_of_them(drawn):
    *before, last = [RowHold(f"r{number}", seats, deadline) for number, (seats, deadline) in enumerate(drawn)]
    assert with_hold(with_holds(gone(0b1000), before), last) == with_holds(gone(0b1000), [*before, last])

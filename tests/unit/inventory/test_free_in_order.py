"""One bit a seat, in the order of the plan."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.inventory.test_offering import row
from traffic_tacos.rooms.inventory.rows import RowState, free_in_order

NOW = 0


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0)), max_size=30))
def test_every_seat_is_its_bit(rows):
    plans = [row(index, *[5] * count) for index, (count, _) in enumerate(rows)]
    states = {index: RowState(gone=gone & plans[index].full) for index, (_, gone) in enumerate(rows)}
    expected = [not states[one.index].gone >> seat & 1 for one in plans for seat in range(len(one.seats))]
    packed = free_in_order(plans, states, NOW)
    assert len(packed) == (len(expected) + 7) // 8
    assert [bool(packed[seat // 8] >> seat % 8 & 1) for seat in range(8 * len(packed))] == expected + [False] * (
        8 * len(packed) - len(expected)
    )


def test_accessible_seats_that_can_be_had_by_name_are_free():
    assert free_in_order([row(0, 5, 5, kept=0b10)], {}, NOW) == b"\x03"

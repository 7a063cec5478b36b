from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.rooms.waiting_room.ended import BLOCK, Ended

RANKS = st.one_of(st.integers(1, 20), st.integers(1, 12 * BLOCK))


@given(st.lists(RANKS, max_size=60), st.lists(RANKS, max_size=20))
def test_it_counts_what_a_set_would_count(ended, asked):
    counted = Ended()
    for rank in ended:
        counted.add(rank)
    assert counted.total == len(set(ended))
    for rank in asked:
        assert counted.before(rank) == sum(1 for one in set(ended) if one < rank)
        assert (rank in counted) == (rank in ended)

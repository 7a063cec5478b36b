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


@given(st.sets(st.integers(1, 5 * BLOCK)), st.integers(1, 6 * BLOCK), st.integers(0, 6 * BLOCK))
def test_a_place_can_be_reckoned_from_the_counts_of_whole_blocks(ranks, cursor, behind):
    ended, rank = Ended(), cursor + behind
    for one in ranks:
        ended.add(one)
    begins, counts = ended.counts_from(cursor)
    reckoned = rank - ended.before(begins) - sum(counts[: (rank - begins) // BLOCK])
    exact = rank - ended.before(rank)
    assert begins <= cursor and exact <= reckoned < exact + BLOCK
    assert ended.before(begins) + sum(counts) == ended.total

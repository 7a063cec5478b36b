"""Paths of records: whatever a part has in it, it stays one part."""

from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.ports.store import Kind, parts_of

THING = Kind("thing_of_keys", str)


@given(st.lists(st.text("ab/%2F5é ", max_size=6), max_size=4))
def test_a_key_gives_back_what_it_was_made_of(parts):
    key = THING.key(*parts)
    assert key.parts == parts_of(key.path) == tuple(parts)


@given(
    st.lists(st.text("a/%", max_size=3), min_size=1, max_size=3),
    st.lists(st.text("a/%", max_size=3), min_size=1, max_size=3),
)
def test_keys_of_different_parts_are_different(one, other):
    assert (THING.key(*one) == THING.key(*other)) == (one == other)

"""Whose a session is, decided on what is known of it."""

import pytest

from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.instants import HOUR
from traffic_tacos.ports.sessions import (
    KEPT_FOR,
    RENEWED_AFTER,
    Session,
    is_owner,
    place_owner,
    session_key,
    user_owner,
)
from traffic_tacos.ports.store import Decision

ANA, BEN, PLACE = user_owner("ana"), user_owner("ben"), place_owner("evt", 7)


async def asks(store, names, now, session="tab", place=None):
    """Whether the session is theirs, and whether that was written down."""

    def decide(view):
        is_theirs, writes = is_owner(view, key, names, now, place)
        return Decision((is_theirs, bool(writes)), writes)

    key = session_key(session)
    return await store.transact((key,), decide)


@pytest.mark.parametrize(
    ("first", "then", "after", "expected"),
    [
        ((ANA,), (ANA,), HOUR, (True, False)),
        ((ANA,), (BEN,), HOUR, (False, False)),
        ((ANA,), (PLACE,), HOUR, (False, False)),
        ((PLACE,), (ANA, PLACE), HOUR, (True, False)),  # the place was admitted for her
        ((PLACE,), (ANA,), HOUR, (False, False)),
        ((ANA,), (ANA,), RENEWED_AFTER, (True, True)),
        ((ANA,), (BEN,), KEPT_FOR - 1, (False, False)),
        ((ANA,), (BEN,), KEPT_FOR, (True, True)),  # nobody has used it for so long
    ],
)
async def test_a_session_is_theirs_who_came_first(first, then, after, expected):
    store = MemoryStore()
    assert await asks(store, first, 0) == (True, True)
    assert await asks(store, then, after) == expected


async def test_what_is_used_is_kept_and_keeps_its_first_name():
    store = MemoryStore()
    await asks(store, (PLACE,), 0)
    assert await asks(store, (ANA, PLACE), RENEWED_AFTER) == (True, True)
    assert await asks(store, (ANA,), RENEWED_AFTER + 1) == (False, False)
    assert await asks(store, (PLACE,), KEPT_FOR + 1) == (True, True)


async def test_the_first_place_is_kept_for_ever_whoever_has_the_session_later():
    store = MemoryStore()
    await asks(store, (PLACE,), 0, place=("evt", 7))
    await asks(store, (ANA, PLACE), RENEWED_AFTER)  # who renews it
    assert await asks(store, (BEN,), RENEWED_AFTER + KEPT_FOR, place=("evt", 8)) == (True, True)  # who takes it over
    session = await store.get(session_key("tab"))
    assert session == Session(BEN, RENEWED_AFTER + 2 * KEPT_FOR, ("evt", 7))
    assert session.forgotten_at is None


async def test_a_session_without_a_place_is_forgotten_when_it_is_nobodys():
    store = MemoryStore()
    await asks(store, (ANA,), 0)
    assert (await store.get(session_key("tab"))).forgotten_at == KEPT_FOR
    await asks(store, (BEN,), KEPT_FOR, place=("evt", 7))  # it was known: its places are kept elsewhere
    assert (await store.get(session_key("tab"))).place is None


async def test_sessions_of_any_name_have_paths_of_one_length():
    assert len({len(session_key(name).path) for name in ("", "a/b", "x" * 200, "été")}) == 1
    store = MemoryStore()
    await asks(store, (ANA,), 0, "one")
    assert await asks(store, (BEN,), 0, "two") == (True, True)

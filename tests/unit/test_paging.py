"""Pages by cursor and by number, and totals, over an index of a memory store."""

import asyncio

import msgspec
import pytest

from tests.stored import stored
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.sqlite import SqliteStore
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.ports import paging
from traffic_tacos.ports.paging import FIRST, PAGE_DEFAULT, PAGE_MAX, Asked, listed, page_of
from traffic_tacos.ports.store import Kind, delete, put


class Note(msgspec.Struct, frozen=True):
    id: str
    colour: str = "red"


NOTE = Kind("paging_note", Note)
BY_OWNER = Kind("paging_note_by_owner", str)


async def a_store(count: int, owner: str = "ana") -> MemoryStore:
    """So many notes, every third of them blue, and one of somebody else's on both sides."""
    store = MemoryStore()
    notes = [Note(f"n{number}", "red" if number % 3 else "blue") for number in range(count)]
    writes = [
        write
        for at, note in enumerate(notes)
        for write in (put(NOTE.key(note.id), note), listed(BY_OWNER, owner, at, note.id))
    ]
    others = [put(NOTE.key("x"), Note("x")), listed(BY_OWNER, "a", 1, "x"), listed(BY_OWNER, "b", 1, "x")]
    await stored(store, (*writes, *others))
    return store


async def page(store, *, colour="", **asked):
    matches = (lambda note: note.colour == colour) if colour else None
    return await page_of(store, BY_OWNER.prefix("ana"), NOTE.key, matches, Asked(**asked))


def numbers(found) -> list[int]:
    return [int(note.id[1:]) for note in found.records]


@pytest.mark.parametrize(
    ("asked", "first", "count", "has_next", "has_previous"),
    [
        ({}, 0, PAGE_DEFAULT, True, False),
        ({"page": 1}, 0, PAGE_DEFAULT, True, False),
        ({"page": 2, "page_size": 10}, 10, 10, True, True),
        ({"page": 4, "page_size": 10}, 30, 10, False, True),
        ({"page": 4, "page_size": 11}, 33, 7, False, True),
        ({"page": 5, "page_size": 10}, 0, 0, False, True),
        ({"page": 999, "page_size": 10}, 0, 0, False, True),
        ({"page_size": 40}, 0, 40, False, False),
        ({"page_size": 1_000_000}, 0, 40, False, False),
    ],
    ids=str,
)
async def test_a_page_by_its_number(asked, first, count, has_next, has_previous):
    found = await page(await a_store(40), **asked)
    assert numbers(found) == list(range(first, first + count))
    assert (found.total, bool(found.next_cursor), bool(found.previous_cursor)) == (40, has_next, has_previous)


async def test_what_is_filtered_counts_in_the_total_and_in_the_number_of_a_page():
    store = await a_store(40)
    found = await page(store, colour="blue", page=2, page_size=5)
    assert (numbers(found), found.total) == ([15, 18, 21, 24, 27], 14)
    assert (await page(store, colour="green")).total == 0


async def test_a_cursor_wins_over_a_number_and_leads_both_ways():
    store = await a_store(25)
    seen, cursor = [], ""
    while True:
        found = await page(store, page=7, page_size=10, cursor=cursor or FIRST)
        seen.append(numbers(found))
        assert found.total == 25
        cursor = found.next_cursor
        if not cursor:
            break
    assert seen == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    back = []
    while found.previous_cursor:
        found = await page(store, page_size=10, cursor=found.previous_cursor)
        back.append(numbers(found))
    assert back == [list(range(10, 20)), list(range(10))]


async def test_a_cursor_whose_record_is_gone_still_says_where_to_go_on():
    store = await a_store(10)
    first = await page(store, page_size=4)
    gone = (delete(NOTE.key("n3")), delete(BY_OWNER.key("ana", f"{3:014d}", "n3")))
    await stored(store, gone)
    second = await page(store, page_size=4, cursor=first.next_cursor)
    assert (numbers(second), second.total) == ([4, 5, 6, 7], 9)


async def test_what_lies_behind_the_counted_is_had_by_cursor(monkeypatch):
    monkeypatch.setattr(paging, "COUNTED_MAX", 20)
    monkeypatch.setattr(paging, "SCANNED_AT_ONCE", 5)
    store = await a_store(50)
    for colour, expected in (("", list(range(50))), ("blue", list(range(0, 50, 3)))):
        seen, cursor = [], ""
        while True:
            found = await page(store, colour=colour, page_size=8, cursor=cursor)
            seen += numbers(found)
            assert found.total == len([number for number in expected if number < 20])
            cursor = found.next_cursor
            if not cursor:
                break
        assert seen == expected
    with pytest.raises(Refusal, match="use the cursor"):
        await page(store, page=4, page_size=8)
    assert numbers(await page(store, page=3, page_size=8)) == list(range(16, 24))


@pytest.fixture
def small_bounds(monkeypatch):
    for name, value in (("COUNTED_MAX", 20), ("LOOKED_AT_MAX", 40), ("SCANNED_AT_ONCE", 5)):
        monkeypatch.setattr(paging, name, value)


async def test_a_filter_that_little_matches_is_followed_in_bounded_steps_to_the_last_record(small_bounds):
    store, read = await a_store(200), []

    def key(note_id):
        read.append(note_id)
        return NOTE.key(note_id)

    seen, cursor, steps = [], FIRST, 0
    while cursor:
        read.clear()
        asked = Asked(page_size=5, cursor=cursor)
        found = await page_of(store, BY_OWNER.prefix("ana"), key, lambda note: note.id == "n199", asked)
        assert len(read) <= 40
        seen, cursor, steps = seen + numbers(found), found.next_cursor, steps + 1
    assert (seen, found.total) == ([199], 0)
    assert 200 // 40 <= steps <= 200 // 20 + 1


@pytest.mark.parametrize(
    ("number", "expected", "has_next"),
    [
        (1, [0, 3, 6, 9, 12], True),
        (2, [15, 18, 21, 24, 27], True),
        (3, [30, 33, 36, 39], True),  # as far as is looked; the rest is had by its cursor
        (4, [], False),
    ],
)
async def test_a_number_counts_what_matches_also_behind_the_counted(small_bounds, number, expected, has_next):
    store = await a_store(60)
    found = await page(store, colour="blue", page=number, page_size=5)
    assert (numbers(found), found.total, bool(found.next_cursor)) == (expected, 7, has_next)
    if number == 3:
        assert numbers(await page(store, colour="blue", page_size=5, cursor=found.next_cursor)) == [42, 45, 48, 51, 54]


async def test_a_long_list_lets_other_work_go_on(small_bounds, tmp_path):
    """On the engine that answers at once, so that nothing but the list itself can let go of the event loop."""
    store = SqliteStore(tmp_path / "store.db")
    notes = [Note(f"n{number}") for number in range(40)]
    writes = [
        write
        for at, note in enumerate(notes)
        for write in (put(NOTE.key(note.id), note), listed(BY_OWNER, "ana", at, note.id))
    ]
    await stored(store, writes)
    turns = 0

    async def other_work():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(other_work())
    await asyncio.sleep(0)
    before = turns
    await page(store, colour="green")
    assert turns - before >= 40 // 5 - 1
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    await store.close()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"page": -1}, "pagination.page"),
        ({"page": 102, "page_size": 100}, "pagination.page"),
        ({"page_size": -1}, "pagination.page_size"),
        ({"cursor": "\n"}, "pagination.cursor"),
        ({"cursor": "x" * 501}, "pagination.cursor"),
    ],
    ids=str,
)
def test_a_wrong_page_is_named(asked, field):
    with pytest.raises(Refusal) as refused:
        Asked(**asked)
    assert refused.value.details[0].field == field


def test_a_page_has_at_most_so_many():
    assert [Asked(page_size=size).size for size in (0, 1, 100, 101)] == [PAGE_DEFAULT, 1, PAGE_MAX, PAGE_MAX]


async def test_only_the_records_of_the_page_are_read_where_nothing_is_filtered():
    store, read = await a_store(400), []

    def key(note_id):
        read.append(note_id)
        return NOTE.key(note_id)

    found = await page_of(store, BY_OWNER.prefix("ana"), key, None, Asked(page=2, page_size=3))
    assert (numbers(found), found.total, read) == ([3, 4, 5], 400, ["n3", "n4", "n5"])

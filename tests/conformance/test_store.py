"""What every store promises, shown on each engine."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from functools import cache

import msgspec
import pytest

from tests.clocks import HandClock
from tests.dynamodb import NO_FAULTS, FakeDynamo, FakeDynamoStore, WireFaults
from tests.emulators import found_as, ministack, roto
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.dynamodb import DynamoStore
from traffic_tacos.engines.dynamodb_requests import Requests
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.engines.dynamodb_wire import dynamo_wire
from traffic_tacos.engines.faulty import Faults, FaultyStore
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.sqlite import SqliteStore
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.ports.store import (
    COMMIT_RECORDS_MAX,
    JOB,
    OUTBOX,
    RECORD_BYTES_MAX,
    DamagedRecord,
    Decision,
    Job,
    Kind,
    Store,
    StoreUnavailable,
    View,
    delete,
    drop_job,
    put,
)

EMULATORS = {"ministack": ministack, "roto": roto}


class Counter(msgspec.Struct, frozen=True):
    value: int


COUNTER = Kind("counter", Counter)
CONFLICTS = Faults(conflict=0.5, torn=0.5, delay=0.2)
WIRES = {
    "dynamodb": NO_FAULTS,
    "dynamodb, slow and contended": WireFaults(delay=0.01, conflict=0.1, throttled=0.1),
}


@asynccontextmanager
async def opened(engine: str, tmp_path, commits: list) -> AsyncIterator[Store]:
    base, _, wrapper = engine.partition("+")
    if base == "memory":
        store: Store = MemoryStore(commits.append)
    elif base == "sqlite":
        store = SqliteStore(tmp_path / "store.db", commits.append)
    else:
        clock, randomness = HandClock(), random.Random(7)
        store = FakeDynamoStore(clock, randomness, commits.append, FakeDynamo(clock, randomness, WIRES[base]))
    try:
        yield FaultyStore(store, CONFLICTS, HandClock(), random.Random(7)) if wrapper else store
    finally:
        if isinstance(store, SqliteStore):
            await store.close()


@asynccontextmanager
async def on_emulator(address: str, commits: list) -> AsyncIterator[Store]:
    """Tables of its own, on what speaks as DynamoDB does."""
    clock, randomness, tables = SystemClock(), random.Random(), Tables(f"t{random.getrandbits(40):x}-")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in found_as(address).items():
            environment.setenv(name, value)
        async with dynamo_wire("eu-central-1", address) as wire:
            await wire.create_tables(tables)
            yield DynamoStore(Requests(wire, tables, clock, randomness), tables, clock, randomness, (), commits.append)


@pytest.fixture(scope="session")
def emulators(tmp_path_factory):
    """Addresses of emulators by their names, started when they are first asked for."""
    with ExitStack() as running:

        @cache
        def address(name: str) -> str:
            return running.enter_context(EMULATORS[name](tmp_path_factory.mktemp(name)))

        yield address


@pytest.fixture(params=["memory", "sqlite", "memory+faulty", "sqlite+faulty", *WIRES, *EMULATORS])
async def store(request, tmp_path, commits, emulators):
    name = request.param
    on = on_emulator(emulators(name), commits) if name in EMULATORS else opened(name, tmp_path, commits)
    async with on as store:
        yield store


@pytest.fixture
def commits():
    return []


def adding(key, amount: int = 1) -> Callable[[View], Decision[int]]:
    def decide(view: View) -> Decision[int]:
        counter = view.get(key) or Counter(0)
        value = counter.value + amount
        return Decision(value, writes=(put(key, Counter(value)),))

    return decide


async def write(store: Store, *names: str) -> None:
    await store.transact((), lambda _: Decision(None, [put(COUNTER.key(*name.split()), Counter(1)) for name in names]))


async def test_what_was_written_is_read(store):
    key = COUNTER.key("a")
    assert await store.get(key) is None
    assert await store.transact((key,), adding(key, 5)) == 5
    assert await store.get(key) == Counter(5)


async def test_a_decision_is_all_or_nothing_when_a_record_cannot_be_written(store, commits):
    good, bad = COUNTER.key("good"), Kind("bad", object).key("x")
    job = Job("j", "topic", 1)
    with pytest.raises(TypeError):
        await store.transact(
            (), lambda _: Decision(None, (put(good, Counter(1)), put(bad, object())), (job,), (EventChanged("e"),))
        )
    assert await store.get(good) is None
    assert await store.get(JOB.key("j")) is None
    assert await store.scan(OUTBOX.prefix(), limit=10) == []
    assert commits == []


async def test_hundreds_of_decisions_at_once_on_one_record_lose_none(store):
    key = COUNTER.key("hot")
    replies = await asyncio.gather(*(store.transact((key,), adding(key)) for _ in range(400)))
    assert sorted(replies) == list(range(1, 401))
    assert await store.get(key) == Counter(400)


async def test_a_decision_that_raises_changes_nothing_and_harms_no_neighbour(store):
    key = COUNTER.key("a")

    def failing(view: View) -> Decision[int]:
        raise ValueError("no")

    outcomes = await asyncio.gather(
        *(store.transact((key,), failing if n % 3 == 0 else adding(key)) for n in range(30)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [n % 3 == 0 for n in range(30)]
    assert await store.get(key) == Counter(20)


async def test_a_range_holds_the_records_under_it_and_no_others(store):
    await write(store, "e r1", "e r2", "f r1", "e2 r1")
    prefix = COUNTER.prefix("e")

    def decide(view: View) -> Decision[list[str]]:
        return Decision(sorted(view.range(prefix)))

    assert await store.transact((prefix,), decide) == ["counter/e/r1", "counter/e/r2"]


async def test_a_decision_reads_its_own_range_as_earlier_decisions_left_it(store):
    prefix = COUNTER.prefix("e")

    def growing(view: View) -> Decision[int]:
        count = len(view.range(prefix))
        return Decision(count, writes=(put(COUNTER.key("e", f"{count:03d}"), Counter(count)),))

    replies = await asyncio.gather(*(store.transact((prefix,), growing) for _ in range(50)))
    assert sorted(replies) == list(range(50))
    gone = COUNTER.key("e", "007")
    await store.transact((), lambda _: Decision(None, (delete(gone),)))
    assert await store.transact((prefix,), lambda view: Decision(len(view.range(prefix)))) == 49


async def test_pages_hold_every_record_once_in_order(store):
    names = [f"p {n:02d}" for n in range(25)]
    await write(store, *reversed(names))
    after, seen = None, []
    while page := await store.scan(COUNTER.prefix("p"), after=after, limit=10):
        assert len(page) <= 10
        seen += [key.path for key, _ in page]
        after = page[-1][0]
    assert seen == [COUNTER.key(*name.split()).path for name in names]


async def test_a_key_from_outside_stays_in_its_place(store):
    await write(store, "e a/b", "e a%2Fb")
    found = await store.scan(COUNTER.prefix("e"), limit=10)
    assert [key.path for key, _ in found] == ["counter/e/a%252Fb", "counter/e/a%2Fb"]
    assert await store.scan(COUNTER.prefix("e", "a"), limit=10) == []


async def test_a_removed_record_is_gone(store):
    key = COUNTER.key("a")
    await store.transact((key,), adding(key))
    await store.transact((key,), lambda _: Decision(None, (delete(key),)))
    assert await store.get(key) is None
    assert await store.transact((key,), adding(key)) == 1


async def test_jobs_and_events_come_with_their_commit(store, commits):
    key = COUNTER.key("a")

    def decide(view: View) -> Decision[None]:
        return Decision(None, (put(key, Counter(1)),), (Job("j", "t", 5),), (EventChanged("one"), EventChanged("two")))

    await store.transact((key,), decide)
    assert await store.get(JOB.key("j")) == Job("j", "t", 5)
    assert [event.event_id for _, event in await store.scan(OUTBOX.prefix(), limit=10)] == ["one", "two"]
    assert sorted(write.kind.name for write in commits[-1]) == ["counter", "job", "outbox", "outbox"]
    await store.transact((), lambda _: Decision(None, (drop_job("j"),)))
    assert await store.get(JOB.key("j")) is None


async def test_events_of_decisions_at_once_each_have_a_number_of_their_own(store):
    await asyncio.gather(
        *(store.transact((), lambda _, n=n: Decision(None, events=(EventChanged(str(n)),))) for n in range(40))
    )
    stored = await store.scan(OUTBOX.prefix(), limit=100)
    assert len(stored) == 40
    assert len({key.path for key, _ in stored}) == 40


async def test_reading_what_was_not_declared_is_a_bug_on_every_engine(store):
    with pytest.raises(LookupError, match="counter/b"):
        await store.transact((COUNTER.key("a"),), lambda view: Decision(view.get(COUNTER.key("b"))))
    with pytest.raises(LookupError, match="counter/e/"):
        await store.transact((), lambda view: Decision(view.range(COUNTER.prefix("e"))))


async def test_a_decision_may_run_twice_and_counts_once(tmp_path):
    runs = 0
    store = FaultyStore(MemoryStore(), Faults(conflict=1.0), HandClock(), random.Random(1))
    key = COUNTER.key("a")

    def decide(view: View) -> Decision[int]:
        nonlocal runs
        runs += 1
        return adding(key)(view)

    assert await store.transact((key,), decide) == 1
    assert runs == 2
    assert await store.get(key) == Counter(1)


@pytest.mark.parametrize(
    ("faults", "after"),
    [(Faults(fail_before=1.0), None), (Faults(fail_after=1.0), Counter(1))],
    ids=["before the commit", "after the commit"],
)
async def test_a_failing_store_never_says_yes(faults, after):
    store = FaultyStore(MemoryStore(), faults, HandClock(), random.Random(1))
    key = COUNTER.key("a")
    with pytest.raises(StoreUnavailable):
        await store.transact((key,), adding(key))
    assert await store.get(key) == after


class Place(msgspec.Struct, frozen=True):
    x: float


class Text(msgspec.Struct, frozen=True):
    value: str


@pytest.mark.parametrize("x", [float("inf"), float("nan"), "1"])
async def test_what_could_not_be_read_again_is_never_stored(store, x):
    place = Kind("place", Place)
    with pytest.raises(ValueError, match="could not be read again"):
        await store.transact((), lambda _: Decision(None, (put(place.key("a"), Place(x)),)))
    assert await store.get(place.key("a")) is None
    await store.transact((), lambda _: Decision(None, (put(place.key("a"), Place(1.5)),)))
    assert await store.get(place.key("a")) == Place(1.5)


async def test_a_damaged_record_is_passed_over_by_who_takes_up_all_and_told_to_who_asks_for_it(store):
    other = Kind("counter", Text)  # writes what no counter is
    keys = [COUNTER.key(name) for name in "abcdefg"]
    for key in keys:
        bad = key.path in ("counter/a", "counter/d", "counter/e", "counter/g")
        write = put(other.key(key.path[-1]), Text("no")) if bad else put(key, Counter(1))
        await store.transact((), lambda _, write=write: Decision(None, (write,)))
    found, after = [], None
    while page := await store.scan(COUNTER.prefix(), after=after, limit=2):
        found += [key.path for key, _ in page]
        after = page[-1][0]
    assert found == ["counter/b", "counter/c", "counter/f"]
    assert set(store.damaged()) == {"counter/a", "counter/d", "counter/e", "counter/g"}
    with pytest.raises(DamagedRecord, match="the counter record that this needs cannot be read"):
        await store.transact((COUNTER.prefix(),), lambda view: Decision(len(view.range(COUNTER.prefix()))))
    await store.transact((), lambda _: Decision(None, (put(keys[0], Counter(2)),)))
    assert "counter/a" not in store.damaged()


@pytest.mark.parametrize("damage", [b"{", b"\xff", b"", b'{"value":"no"}'])
async def test_what_is_damaged_on_the_disk_fails_alone(tmp_path, damage):
    async with opened("sqlite", tmp_path, []) as store:
        for name in "ab":
            await store.transact((), lambda _, name=name: Decision(None, (put(COUNTER.key(name), Counter(1)),)))
    with closing(sqlite3.connect(tmp_path / "store.db")) as file:
        file.execute("UPDATE records SET value = CAST(? AS TEXT) WHERE path = 'counter/a'", (damage,))
        file.commit()
    async with opened("sqlite", tmp_path, []) as store:
        for read in (store.get, lambda key: store.transact((key,), lambda view: Decision(view.get(key)))):
            with pytest.raises(DamagedRecord):
                await read(COUNTER.key("a"))
            assert await read(COUNTER.key("b")) == Counter(1)
        assert list(store.damaged()) == ["counter/a"]


async def test_more_records_than_a_commit_takes_are_a_bug_on_every_engine_and_change_nothing(store):
    keys = [COUNTER.key(f"{n:03d}") for n in range(COMMIT_RECORDS_MAX + 1)]
    writes = [put(key, Counter(1)) for key in keys]
    for reads, written in (((), writes), (keys, writes[:1]), (keys[:60], writes[60:])):
        with pytest.raises(ValueError, match="101 records in one commit; at most 100"):
            await store.transact(reads, lambda _, written=written: Decision(None, written))
        assert await store.scan(COUNTER.prefix(), limit=10) == []
    assert await store.transact(keys[:100], lambda view: Decision(view.get(keys[0]), writes[:100])) is None
    assert len(await store.scan(COUNTER.prefix(), limit=1000)) == COMMIT_RECORDS_MAX


async def test_a_record_that_is_too_large_to_keep_is_a_bug_on_every_engine_and_one_that_can_be_packed_is_none(store):
    text = Kind("text", Text)
    noise = random.Random(1).randbytes(RECORD_BYTES_MAX).hex()
    with pytest.raises(ValueError, match=r"text/a is kept in \d+ bytes; a record has at most"):
        await store.transact((), lambda _: Decision(None, (put(text.key("a"), Text(noise)),)))
    assert await store.get(text.key("a")) is None
    large = Text("seat " * RECORD_BYTES_MAX)
    await store.transact((), lambda _: Decision(None, (put(text.key("a"), large),)))
    assert await store.get(text.key("a")) == large


async def test_a_declared_key_that_is_not_written_is_guarded_as_well(store):
    """Who decides on it decides again when it was changed meanwhile: nothing is written on what no longer is so."""
    gate = COUNTER.key("gate")
    await write(store, "gate")

    async def closing() -> int:
        """How many are inside once it is closed."""
        await store.transact((gate,), lambda _: Decision(None, (put(gate, Counter(0)),)))
        return len(await store.scan(COUNTER.prefix("in"), limit=100))

    async def entering(n: int) -> bool:
        def decide(view: View) -> Decision[bool]:
            if view.get(gate) != Counter(1):
                return Decision(False)
            return Decision(True, (put(COUNTER.key("in", str(n)), Counter(n)),))

        return await store.transact((gate,), decide)

    # When it is closed is up to the engine; from then on nobody comes in, whoever has looked before.
    *entered, inside = await asyncio.gather(*(entering(n) for n in range(20)), closing())
    assert not any(await asyncio.gather(*(entering(n) for n in range(20, 30))))
    assert len(await store.scan(COUNTER.prefix("in"), limit=100)) == entered.count(True) == inside
    assert await store.transact((gate,), lambda view: Decision(view.get(gate))) == Counter(0)


async def test_absence_under_a_declared_prefix_is_guarded_where_it_is_written(store):
    """Two that found the same place free: one of them gets it."""

    def taking(who: int) -> Callable[[View], Decision[int]]:
        def decide(view: View) -> Decision[int]:
            taken = view.range(COUNTER.prefix("seat"))
            free = [n for n in range(10) if COUNTER.key("seat", str(n)).path not in taken]
            return Decision(free[0], (put(COUNTER.key("seat", str(free[0])), Counter(who)),)) if free else Decision(-1)

        return decide

    got = await asyncio.gather(*(store.transact((COUNTER.prefix("seat"),), taking(n)) for n in range(12)))
    assert sorted(got) == [-1, -1, *range(10)]
    held = await store.scan(COUNTER.prefix("seat"), limit=100)
    assert {int(key.parts[1]): record.value for key, record in held} == {
        seat: who for who, seat in enumerate(got) if seat >= 0
    }


async def test_an_answer_that_rests_on_several_records_never_mixes_two_moments(store):
    """Nothing is written, so nothing is guarded by a commit: what was read must have been so at one moment."""
    keys = [COUNTER.key(name) for name in "abc"]
    await write(store, *"abc")

    def raising(view: View) -> Decision[None]:
        value = Counter((view.get(keys[0]) or Counter(0)).value + 1)
        return Decision(None, [put(key, value) for key in keys])

    def seen(view: View) -> Decision[list[Counter | None]]:
        return Decision([view.get(key) for key in keys])

    async def raise_often() -> None:
        for _ in range(30):
            await store.transact(keys, raising)

    async def look_often() -> None:
        for _ in range(30):
            with contextlib.suppress(StoreUnavailable):  # which is honest
                found.append(await store.transact(keys, seen))

    found: list[list[Counter | None]] = []
    await asyncio.gather(raise_often(), *(look_often() for _ in range(5)))
    assert [one for one in found if len(set(one)) > 1] == []
    assert found

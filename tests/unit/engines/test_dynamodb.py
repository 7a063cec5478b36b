"""What the store on DynamoDB does with several processes, lost answers and a mirror. That it keeps what every store
promises is shown by tests/conformance.
"""

import asyncio
import importlib
import pkgutil
import random
from contextlib import suppress

import msgspec
import pytest

import traffic_tacos
from tests.clocks import HandClock
from tests.dynamodb import FakeDynamo, FakeDynamoStore, WireFaults
from traffic_tacos.app.retention import EXPIRED_BY_THE_STORE
from traffic_tacos.engines.dynamodb import MIRRORED_FOR
from traffic_tacos.engines.dynamodb_health import tables_health
from traffic_tacos.engines.dynamodb_requests import ANSWER_LOST, ATTEMPTS_MAX, CONFLICT, THROTTLED, AnswerLost
from traffic_tacos.engines.dynamodb_tables import LAYOUT, TTL, Layout, Tables
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import DAY, SECOND
from traffic_tacos.ports.health import Health
from traffic_tacos.ports.sessions import SESSION, Session
from traffic_tacos.ports.store import COPIES, Decision, Kind, StoreUnavailable, delete, put


class Number(msgspec.Struct, frozen=True):
    value: int


NUMBER = Kind("number", Number)
SEAT = Kind("seat", Number)


def processes(count, faults=WireFaults(), seed=1):
    """Stores of several processes on one DynamoDB."""
    clock = HandClock()
    wire = FakeDynamo(clock, random.Random(seed), faults)
    return [FakeDynamoStore(clock, random.Random(f"{seed} {n}"), wire=wire) for n in range(count)]


def adding(key):
    def decide(view):
        value = (view.get(key) or Number(0)).value + 1
        return Decision(value, (put(key, Number(value)),))

    return decide


def kinds():
    found = {}
    for module in pkgutil.walk_packages(traffic_tacos.__path__, "traffic_tacos."):
        if ".gen." not in module.name and not module.name.endswith("__main__"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Kind):
                    found[value.name] = value
    return found


def test_every_kind_of_record_has_its_place():
    assert {name: how.copies for name, how in LAYOUT.items()} == {kind.name: kind.copies for kind in kinds().values()}


def test_whoever_looks_under_a_prefix_looks_wherever_its_records_are():
    tables = Tables(
        "t-", {"a": Layout("x", 1, 8), "b": Layout("x", 9, 8), "c": Layout("x"), "d": Layout("x", copies=3)}
    )
    for kind in "abcd":
        for first in range(20):
            path, copies = f"{kind}/{first}/2/3", tables.places(f"{kind}/{first}/2/3")
            assert len({place.partition for place in copies}) == (3 if kind == "d" else 1)
            for prefix in (f"{kind}/", f"{kind}/{first}/", f"{kind}/{first}/2/"):
                parts = {(part.table, part.partition) for part in tables.parts(prefix)}
                assert (copies[0].table, copies[0].partition) in parts, (path, prefix)
    assert [len(tables.parts(prefix)) for prefix in ("a/", "a/1/", "b/1/2/", "c/", "d/1/")] == [8, 1, 8, 1, 1]


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_callers_of_several_processes_on_one_record_lose_nothing(count):
    stores = processes(count, WireFaults(delay=0.01))
    key = NUMBER.key("hot")
    replies = await asyncio.gather(*(stores[n % count].transact((key,), adding(key)) for n in range(200)))
    assert sorted(replies) == list(range(1, 201))
    asked = stores[0].wire.calls["TransactWriteItems"] + stores[0].wire.calls["PutItem"]
    assert asked <= 200 * (count + 1), "callers of one process fight over the wire"  # each once, then in turn


@pytest.mark.parametrize("forgets_tokens", [False, True])
@pytest.mark.parametrize("records", [1, 2])
async def test_of_a_lost_answer_nobody_says_what_is_not_known(records, forgets_tokens):
    """A yes is in the store once; of what nobody knows at most that much is there as well."""
    (store,) = processes(1, WireFaults(lost=0.4, forgets_tokens=forgets_tokens))
    keys = [NUMBER.key(str(n)) for n in range(records)]

    def all_of_them(view):
        values = [(view.get(key) or Number(0)).value + 1 for key in keys]
        return Decision(values[0], [put(key, Number(value)) for key, value in zip(keys, values, strict=True)])

    said, unknown = [], 0
    for _ in range(100):
        try:
            said.append(await store.transact(keys, all_of_them))
        except StoreUnavailable:
            unknown += 1
    assert sorted(set(said)) == said and len(said) > 50
    left = [await store.get(key) for key in keys]
    assert left == [left[0]] * records
    assert len(said) <= left[0].value <= len(said) + unknown


async def test_what_is_written_on_no_condition_is_never_written_twice_over_somebody_elses():
    """The same transaction is sent again under its token; by itself it would undo what came in between."""
    mine, others = processes(2)
    key = NUMBER.key("a")

    async def add():
        assert await others.transact((key,), adding(key)) == 0

    _lose_one_answer(mine, meanwhile=add)
    await mine.transact((), lambda _: Decision(None, (put(key, Number(-1)),)))
    assert await mine.get(key) == Number(0)


@pytest.mark.parametrize("records", [1, 2])
async def test_who_finds_their_own_token_knows_that_they_were_heard(records):
    (store,) = processes(1, WireFaults(forgets_tokens=True))
    keys = [NUMBER.key(str(n)) for n in range(records)]
    _lose_one_answer(store)
    assert await store.transact(keys, lambda _: Decision("done", [put(key, Number(7)) for key in keys])) == "done"
    assert [await store.get(key) for key in keys] == [Number(7)] * records


async def test_who_finds_somebody_elses_after_a_lost_answer_does_not_know_and_does_not_decide_again():
    mine, others = processes(2, WireFaults(forgets_tokens=True))
    key = NUMBER.key("a")

    async def add():
        assert await others.transact((key,), adding(key)) == 2

    _lose_one_answer(mine, meanwhile=add)
    with pytest.raises(StoreUnavailable, match="can no longer be known"):
        await mine.transact((key,), adding(key))
    assert await mine.get(key) == Number(2)


async def test_nothing_is_refused_on_what_was_remembered():
    """The mirror of one process still shows a seat as taken that another has freed a moment ago."""
    here, there = processes(2)
    seats = [SEAT.key("e", str(n)) for n in range(3)]
    await there.transact((), lambda _: Decision(None, [put(key, Number(1)) for key in seats]))

    def take(view):
        free = [key for key in seats if key.path not in view.range(SEAT.prefix("e"))]
        if not free:
            raise Refusal(Code.INSUFFICIENT_INVENTORY, "all are taken")
        return Decision(free[0].path, (put(free[0], Number(2)),))

    with pytest.raises(Refusal):
        await here.transact((SEAT.prefix("e"),), take)
    await there.transact((), lambda _: Decision(None, (delete(seats[1]),)))
    assert await here.transact((SEAT.prefix("e"),), take) == seats[1].path
    await there.transact((), lambda _: Decision(None, (delete(seats[2]),)))
    count = await here.transact((SEAT.prefix("e"),), lambda view: Decision(len(view.range(SEAT.prefix("e")))))
    assert count == 2  # nor is anything answered on it


async def test_a_prefix_that_decisions_go_on_asking_for_is_read_now_and_then():
    (store,) = processes(1)

    async def take(n):
        await store.transact((SEAT.prefix("e"),), lambda _: Decision(None, (put(SEAT.key("e", str(n)), Number(1)),)))

    for n in range(50):
        await take(n)
    assert store.wire.calls["Query"] == 1
    store.wire.clock.advance(MIRRORED_FOR / SECOND)
    await take(50)
    assert store.wire.calls["Query"] == 2


async def test_a_record_that_each_decision_declares_is_read_and_guarded_in_one_of_its_copies_and_written_in_all():
    (store,) = processes(1)
    stop = Kind("reservations_stopped", Number, COPIES).key("all")
    await store.transact((stop,), lambda _: Decision(None, (put(stop, Number(1)),)))
    assert sum(1 for _ in store.wire.items()) == COPIES
    read = set()
    for n in range(200):
        writing = Decision(None, (put(NUMBER.key(str(n)), Number(1)),))
        steps = await _steps(store, lambda writing=writing: store.transact((stop,), lambda _: writing))
        read.add(next(step["Key"]["pk"]["S"] for verb, step in steps if verb == "ConditionCheck"))
    assert len(read) == COPIES
    await store.transact((stop,), lambda _: Decision(None, (delete(stop),)))
    assert await store.get(stop) is None


async def test_dynamodb_is_told_when_it_may_remove_what_nobody_remembers():
    (store,) = processes(1)
    until = store.wire.clock.now() + DAY + 1
    await store.transact((), lambda _: Decision(None, (put(SESSION.key("s"), Session("user x", until)),)))
    (item,) = store.wire.items()
    assert SESSION in {expiry.kind for expiry in EXPIRED_BY_THE_STORE}
    assert item[TTL] == {"N": str(until // SECOND + 1)}


async def test_a_store_that_never_takes_a_commit_is_unavailable():
    for faults in (WireFaults(conflict=1), WireFaults(throttled=1), WireFaults(lost=2)):
        (store,) = processes(1, faults)
        key = NUMBER.key("a")
        with pytest.raises(StoreUnavailable):
            await store.transact((key,), adding(key))
        assert sum(store.wire.calls.values()) <= 2 * ATTEMPTS_MAX


def _lose_one_answer(store, meanwhile=None):
    """The next write is carried out, and its answer does not arrive; `meanwhile` happens before it is sent again."""
    send, losing = store.wire.send, [True]

    async def lossy(action, payload):
        answer = await send(action, payload)
        if losing and action not in ("GetItem", "BatchGetItem", "Query"):
            losing.clear()
            if meanwhile is not None:
                await meanwhile()
            raise AnswerLost("injected")
        return answer

    store.wire.send = lossy


async def _steps(store, act):
    """What the transactions of an act have in them."""
    seen, send = [], store.wire.send

    async def noting(action, payload):
        if action == "TransactWriteItems":
            seen.extend(step for one in payload["TransactItems"] for step in one.items())
        return await send(action, payload)

    store.wire.send = noting
    try:
        await act()
    finally:
        store.wire.send = send
    return seen


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (WireFaults(conflict=0.3), CONFLICT),
        (WireFaults(throttled=0.3), THROTTLED),
        (WireFaults(lost=0.3), ANSWER_LOST),
    ],
)
async def test_what_was_asked_again_is_counted_by_its_reason(faults, reason):
    (store,) = processes(1, faults)
    for number in range(20):
        with suppress(StoreUnavailable):
            await store.transact((NUMBER.key("a"), NUMBER.key(str(number))), adding(NUMBER.key("a")))
    assert {name for name, count in store.retries.items() if count} - {CONFLICT} == {reason} - {CONFLICT}
    assert store.retries[reason] > 3


async def test_whoever_was_slower_counts_a_conflict():
    stores = processes(2, WireFaults(delay=0.01))
    key = NUMBER.key("hot")
    await asyncio.gather(*(stores[n % 2].transact((key,), adding(key)) for n in range(20)))
    sent = stores[0].wire.calls["TransactWriteItems"] + stores[0].wire.calls["PutItem"]
    assert sum(store.retries[CONFLICT] for store in stores) == sent - 20 > 0


@pytest.mark.parametrize(
    ("faults", "health", "issue"),
    [
        (WireFaults(), Health.HEALTHY, ()),
        (WireFaults(throttled=1), Health.DEGRADED, ("throttled: injected",)),
    ],
)
async def test_each_table_says_how_it_is(faults, health, issue):
    clock = HandClock()
    found = await tables_health(FakeDynamo(clock, random.Random(1), faults), Tables("t-"), clock)
    assert [(one.name, one.health, one.issues) for one in found] == [
        (f"t-{name}", health, issue) for name in ("reservations", "inventory", "orders", "payments", "platform")
    ]


async def test_tables_that_do_not_answer_are_unhealthy():
    async def away(action, payload):
        raise AnswerLost("nobody there")

    found = await tables_health(away, Tables("t-"), HandClock())
    assert {(one.health, one.issues) for one in found} == {(Health.UNHEALTHY, ("nobody there",))}

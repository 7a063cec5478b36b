"""The queue on a real Valkey: its primary is lost with the link to its replica cut first, so that it has answered what
nobody else knows.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from redis import Redis

from tests import emulators
from tests.emulators import Valkey
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.redis_log import redis_log
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.ports.log import Log
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLine, ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import Limits, Terms
from traffic_tacos.rooms.waiting_room.view import place

SECRET, SEED = b"s" * 32, bytes(32)
NOBODY_YET = Limits(rate_per_second=1, active_max=1)
FANS = 300


class Rerouted:
    """The address of the primary, as a name: whoever asks next finds the server that has it now."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def __getattr__(self, verb: str) -> object:
        return getattr(self.log, verb)


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Valkey]:
    with emulators.valkey(tmp_path / "primary") as running:
        yield running


@pytest.fixture
def replica(primary: Valkey, tmp_path: Path) -> Iterator[Valkey]:
    with emulators.valkey(tmp_path / "replica", primary=primary) as running:
        yield running


def ask(server: Valkey) -> Redis:
    return Redis(port=server.port, password=server.password)


def cut(replica: Valkey) -> None:
    """The replica hears nothing more, and takes over: what is answered from here on it does not know."""
    with ask(replica) as redis:
        redis.replicaof("NO", "ONE")


async def linked(replica: Valkey) -> None:
    with ask(replica) as redis:
        while redis.info("replication")["master_link_status"] != "up":
            await asyncio.sleep(0.05)


async def opened(log: Log, store: MemoryStore, terms: Terms | None = None) -> tuple[ReplicatedLines, ReplicatedLine]:
    engine = ReplicatedLines(log, store, SystemClock(), random.Random(), SECRET)
    return engine, await engine.open("evt", terms or Terms(NOBODY_YET, None, None), SEED, lambda _: None)


async def join(line: ReplicatedLine, names: Sequence[str], *, are_users: bool = False) -> dict[str, int]:
    """Who was answered, and their numbers."""

    async def one(name: str) -> tuple[str, int]:
        return name, (await line.join(name, name if are_users else "", {}, 0)).number

    answers = await asyncio.gather(*map(one, names), return_exceptions=True)
    assert all(isinstance(answer, tuple | Fault) for answer in answers), answers
    return dict(answer for answer in answers if isinstance(answer, tuple))


def names(first: int, count: int) -> list[str]:
    return [f"fan{number}" for number in range(first, first + count)]


async def test_with_wait_nothing_is_answered_that_the_next_primary_does_not_know(primary, replica):
    await linked(replica)
    store = MemoryStore()
    async with redis_log(primary.url, 1) as log, redis_log(replica.url, 0) as later:
        way = Rerouted(log)
        _, line = await opened(way, store)
        answered = await join(line, names(0, FANS))
        assert len(answered) == FANS
        cut(replica)
        assert await join(line, names(FANS, 20)) == {}, "answered, and nobody else knows of it"
        base = await later.base("evt")
        (entries,) = (await later.read({"evt": line.log.mark._replace(position=base.position)})).values()
    assert sum(len(entry.payload) for entry in entries) > FANS * 16
    assert sorted(answered.values()) == list(range(1, FANS + 1))


async def test_without_wait_whoever_comes_back_stands_where_they_stood_and_no_number_is_given_twice(primary, replica):
    await linked(replica)
    store = MemoryStore()
    async with redis_log(primary.url, 0) as log, redis_log(replica.url, 0) as later:
        ways = Rerouted(log), Rerouted(log)
        (one, first), (other, second) = [await opened(way, store) for way in ways]
        answered = await join(first, names(0, FANS))
        await other.read()
        cut(replica)
        lost = await join(first, names(FANS, FANS))
        assert len(lost) == FANS, "without WAIT they are answered"
        await one.read()
        told = {number: place(first.view(), number).position for number in (answered | lost).values()}
        for way in ways:
            way.log = later
        new = await join(second, names(2 * FANS, FANS))  # who has not heard of the lost ones begins the epoch
        await one.read()
        assert not set(new.values()) & set((answered | lost).values())
        assert len({*new.values(), *answered.values(), *lost.values()}) == 3 * FANS
        for engine, line in ((one, first), (other, second)):
            await engine.read()
            view = line.view()
            for number, before in told.items():
                assert 0 < place(view, number).position <= before
        again = [await second.join(name, "", {}, lost[name]) for name in list(lost)[:20]]
        assert [joined.number for joined in again] == [lost[name] for name in list(lost)[:20]]


@pytest.mark.parametrize("is_another", [False, True], ids=["emptied", "another"])
async def test_a_redis_that_comes_back_empty_costs_nobody_their_place(primary, tmp_path, is_another):
    store, server = MemoryStore(), primary
    with emulators.valkey(tmp_path / "empty") as empty:
        async with redis_log(primary.url, 0) as log, redis_log(empty.url, 0) as later:
            ways = Rerouted(log), Rerouted(log)
            (one, first), (other, second) = [await opened(way, store) for way in ways]
            before = await join(first, names(0, FANS), are_users=True)
            left = before["fan7"]
            await first.leave(left)
            await other.read()
            seen = {number: place(second.view(), number).position for number in before.values() if number != left}
            if is_another:
                server = empty
                for way in ways:
                    way.log = later
            else:
                with ask(server) as redis:
                    redis.flushall()
            new = await join(second, names(FANS, 50), are_users=True)
            again = await join(first, names(0, FANS), are_users=True)
            assert {name: number for name, number in again.items() if name != "fan7"} == {
                name: number for name, number in before.items() if name != "fan7"
            }
            numbers = [*before.values(), *new.values(), again["fan7"]]
            assert len(set(numbers)) == FANS + 51, "a number was given twice"
            for engine, line in ((one, first), (other, second)):
                await engine.read()
                assert all(0 < place(line.view(), number).position <= was for number, was in seen.items())
            with ask(server) as redis:
                assert redis.exists("tacos:{evt}:base")
            assert one.restores["from_store"] + other.restores["from_store"] >= 1


async def test_a_redis_without_the_replicas_asked_for_is_refused_at_the_start(primary):
    with pytest.raises(Refusal, match="this Redis has 0"):
        async with redis_log(primary.url, 1):
            pass
    with pytest.raises(Refusal, match="TACOS_REDIS must name a Redis that answers") as refused:
        async with redis_log("redis://:wrong@127.0.0.1:1/0", 0):
            pass
    assert "wrong" not in str(refused.value)

"""Writes that DynamoDB carries out, and whose answers never arrive, over a real connection: nothing is done twice."""

import random
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.emulators import found_as, losing_answers, ministack, roto
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.dynamodb import DynamoStore
from traffic_tacos.engines.dynamodb_requests import Requests
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.engines.dynamodb_wire import dynamo_wire
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.ports.store import Decision, Kind, StoreUnavailable, delete, put

pytestmark = pytest.mark.long

WRITES = ("PutItem", "DeleteItem", "TransactWriteItems")
TIMES = 60


class Number(msgspec.Struct, frozen=True):
    value: int


NUMBER = Kind("number", Number)
A, B = NUMBER.key("a"), NUMBER.key("b")


def raised(*keys, events=()):
    """Each of these records by one."""

    def decide(view):
        values = [(view.get(key) or Number(0)).value + 1 for key in keys]
        return Decision(
            values[0], [put(key, Number(value)) for key, value in zip(keys, values, strict=True)], (), events
        )

    return decide


@pytest.fixture(scope="module", params=["ministack", "roto"])
def engine(request, tmp_path_factory):
    with {"ministack": ministack, "roto": roto}[request.param](tmp_path_factory.mktemp(request.param)) as address:
        yield address


@asynccontextmanager
async def store_at(address, tables, environment):
    for name, value in found_as(address).items():
        environment.setenv(name, value)
    clock, randomness = SystemClock(), random.Random()
    async with dynamo_wire("eu-central-1", address) as wire:
        yield wire, DynamoStore(Requests(wire, tables, clock, randomness), tables, clock, randomness)


@pytest.mark.parametrize(
    ("keys", "events"),
    [((A,), ()), ((A, B), ()), ((A,), (EventChanged("told"),))],
    ids=["one record", "two records", "a record and an event"],
)
async def test_what_was_answered_is_there_once_and_what_was_not_at_most_once(
    engine, keys, events, tmp_path, monkeypatch
):
    tables = Tables(f"t{random.getrandbits(40):x}-")
    async with store_at(engine, tables, monkeypatch) as (wire, _):
        await wire.create_tables(tables)
    said, unknown = [], 0
    with losing_answers(engine, WRITES, 0.3, tmp_path / "lossy") as lossy:
        async with store_at(lossy, tables, monkeypatch) as (_, store):
            for _ in range(TIMES):
                try:
                    said.append(await store.transact(keys, raised(*keys, events=events)))
                except StoreUnavailable:
                    unknown += 1
    async with store_at(engine, tables, monkeypatch) as (_, store):
        left = [await store.get(key) for key in keys]
    assert len(said) > TIMES // 2
    assert sorted(set(said)) == said, "nobody was told the same twice"
    assert len(said) <= left[0].value <= len(said) + unknown
    assert left == [left[0]] * len(keys)


async def test_a_removal_whose_answer_is_lost_takes_nothing_from_who_came_after(engine, tmp_path, monkeypatch):
    tables = Tables(f"t{random.getrandbits(40):x}-")
    async with store_at(engine, tables, monkeypatch) as (wire, store):
        await wire.create_tables(tables)
        with losing_answers(engine, WRITES, 0.5, tmp_path / "lossy") as lossy:
            async with store_at(lossy, tables, monkeypatch) as (_, other):
                for _ in range(20):
                    await store.transact((), lambda _: Decision(None, (put(A, Number(1)),)))
                    try:
                        await other.transact((A,), lambda view: Decision(view.get(A), (delete(A),)))
                    except StoreUnavailable:
                        pass
                    assert await store.get(A) is None

"""Everything on DynamoDB, looked at page by page."""

import asyncio
import random

import msgspec

from tests.clocks import HandClock
from tests.dynamodb import FakeDynamo, FakeDynamoStore
from traffic_tacos.engines import dynamodb_snapshot
from traffic_tacos.engines.dynamodb_requests import Requests
from traffic_tacos.engines.dynamodb_snapshot import DynamoSnapshots
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.ports.store import Decision, Kind, put


class Note(msgspec.Struct, frozen=True):
    text: str


HOLD = Kind("hold", Note)  # in 64 parts
SALE = Kind("sale", Note)  # in copies
MANY = 300


async def test_every_record_is_seen_once_whatever_a_page_has(monkeypatch):
    monkeypatch.setattr(dynamodb_snapshot, "PAGE", 2)
    clock, chance = HandClock(), random.Random(1)
    wire, tables = FakeDynamo(clock, chance), Tables("tacos-")
    store = FakeDynamoStore(clock, chance, wire=wire)
    for first in range(0, MANY, 50):
        writes = [put(HOLD.key("e", f"{number:03d}"), Note(str(number))) for number in range(first, first + 50)]
        await store.transact((), lambda _, writes=writes: Decision(None, tuple(writes)))
    await store.transact((), lambda _: Decision(None, (put(SALE.key("e"), Note("sale")),)))
    store.keep(HOLD.key("e", "007").path, b"nothing that can be read")

    def see(records):
        found = [path for path, _ in records.all(HOLD)]
        wanted = list(records.all(HOLD, lambda path: path.endswith("11")))
        one, none = records.one(HOLD.key("e", "011")), records.one(HOLD.key("e", "none"))
        sales = [(path, note.text) for path, note in records.all(SALE)]
        return found, wanted, one, none, sales, records.count(HOLD), list(records.damaged())

    found, wanted, one, none, sales, count, damaged = await asyncio.wait_for(
        DynamoSnapshots(Requests(wire, tables, clock, chance))(see), 60
    )
    assert sorted(found) == [HOLD.key("e", f"{number:03d}").path for number in range(MANY) if number != 7]
    assert sorted(note.text for _, note in wanted) == ["11", "111", "211"]
    assert (one, none) == (Note("11"), None)
    assert sales == [(SALE.key("e").path, "sale")]
    assert count == MANY and damaged == [HOLD.key("e", "007").path]

"""`python -m bench.units`: what one purchase asks of DynamoDB, counted on the wire, and what that costs.

As `bench.records`, on the engine and an emulator (`make engines` installs it). A read unit is 4 KB read consistently,
at least one for each item asked for, or for each query; a write unit is 1 KB written, twice that in a transaction, also
for what is only declared there
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
"""

import argparse
import asyncio
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from tests.emulators import found_as, ministack

from bench.records import counted
from traffic_tacos.app import stores
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.dynamodb_tables import LAYOUT
from traffic_tacos.engines.dynamodb_wire import DynamoWire

TABLES = "bench-"
# What is asked for all the time, whoever buys: counted apart, for nobody pays for it by the purchase.
BACKGROUND = ("lease", "fence", "outbox", "setting", "webhook_endpoint", "audit")
# Written by every process each second.
NOT_BY_PURCHASE = ("lease", "fence", "process")
PURCHASES_A_SECOND = 300
SECONDS_A_MONTH = 2_628_000
# A second, of what has one partition key:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
PART_WRITE_UNITS = 1000
# Dollars for a million units, on demand, us-east-1, 2025: https://aws.amazon.com/dynamodb/pricing/on-demand/
PRICES = {"read": 0.125, "write": 0.625}


class CountedWire:
    """A wire; counts while `counting`."""

    def __init__(self, wire: DynamoWire, counts: "Counts") -> None:
        self._wire = wire
        self._counts = counts

    async def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer = await self._wire(action, payload)
        if self._counts.counting:
            self._counts.add(action, payload, answer)
        return answer


class Counts:
    counting = False

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.units: Counter[tuple[str, str]] = Counter()
        self.written: Counter[str] = Counter()  # write units by the kind of record

    def count(self, is_counting: bool) -> None:
        self.counting = is_counting

    def add(self, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> None:
        name = action + (" (background)" if _is_background(action, payload) else "")
        units = list(_units(action, payload, answer))
        self.requests[name] += 1
        self.items[name] += len(units)
        self.units[name, "read" if action in ("GetItem", "BatchGetItem", "Query") else "write"] += sum(units)
        for step in [step for one in payload.get("TransactItems", ()) for step in one.values()] or [payload]:
            if action.endswith("WriteItems") or action in ("PutItem", "DeleteItem"):
                self.written[(step.get("Key") or step["Item"])["pk"]["S"].partition(".")[0]] += units.pop(0)


def _is_background(action: str, payload: dict[str, Any]) -> bool:
    asked = msgspec.json.encode(payload)
    return action == "Query" and any(f'"{kind}.'.encode() in asked for kind in (*BACKGROUND, "job"))


def _units(action: str, payload: dict[str, Any], answer: dict[str, Any]) -> Iterator[int]:
    """Of each item."""
    if action == "GetItem":
        yield _ceiling(_size(answer.get("Item", {})), 4096)
    elif action == "BatchGetItem":
        found = [item for items in answer["Responses"].values() for item in items]
        asked = sum(len(one["Keys"]) for one in payload["RequestItems"].values())
        yield from (_ceiling(_size(item), 4096) for item in found)
        yield from (1 for _ in range(asked - len(found)))
    elif action == "Query":
        yield _ceiling(sum(map(_size, answer["Items"])), 4096)
    elif action == "TransactWriteItems":
        yield from (
            2 * _ceiling(_size(step.get("Item", {})), 1024) for one in payload["TransactItems"] for step in one.values()
        )
    else:
        yield _ceiling(_size(payload.get("Item", {})), 1024)


def _size(item: dict[str, Any]) -> int:
    return sum(len(name) + len(str(text)) for name, value in item.items() for text in value.values())


def _ceiling(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.units")
    parser.add_argument("--purchases", type=int, default=40)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    counts, wire_to = Counts(), stores.wire_to

    @asynccontextmanager
    async def counting(prefix: str) -> Any:
        async with wire_to(prefix) as wire:
            yield CountedWire(wire, counts)

    async def count() -> None:
        await stores.create_tables(TABLES)
        stores.wire_to = counting  # type: ignore[assignment]
        await counted(asked.purchases, counts.count, dynamodb=TABLES)

    with tempfile.TemporaryDirectory() as folder, ministack(Path(folder)) as address:
        os.environ.update(found_as(address))
        asyncio.run(count())
    _show(counts, asked.purchases)


def _show(counts: Counts, purchases: int) -> None:
    table = Listing("request", "a purchase", "items", "read units", "write units")
    own = {"read": 0.0, "write": 0.0}
    for name, count in counts.requests.most_common():
        units = {kind: counts.units[name, kind] / purchases for kind in own}
        table.add(name, *(f"{one:.2f}" for one in (count / purchases, counts.items[name] / purchases, *units.values())))
        if "background" not in name:
            own = {kind: own[kind] + units[kind] for kind in own}
    table.add("all, without background", "", "", f"{own['read']:.1f}", f"{own['write']:.1f}")
    table.print()
    _show_parts(counts.written, purchases)
    dollars = {kind: own[kind] * PURCHASES_A_SECOND * SECONDS_A_MONTH / 1e6 * price for kind, price in PRICES.items()}
    print(
        f"{PURCHASES_A_SECOND} purchases a second for a month, on demand: ({own['read']:.1f} x {PRICES['read']} + "
        f"{own['write']:.1f} x {PRICES['write']}) x {PURCHASES_A_SECOND} x {SECONDS_A_MONTH:,} / 1,000,000 = "
        f"{sum(dollars.values()):,.0f} dollars"
    )


def _show_parts(written: Counter[str], purchases: int) -> None:
    """How many purchases a second the parts of each kind take; what has copies is declared in one of them."""
    table = Listing("kind", "table", "parts", "write units a purchase", "purchases a second")
    parts = {kind: LAYOUT[kind].shards * LAYOUT[kind].copies for kind in written if kind not in NOT_BY_PURCHASE}
    carried = {kind: count * PART_WRITE_UNITS * purchases / written[kind] for kind, count in parts.items()}
    for kind in sorted(carried, key=lambda kind: carried[kind]):
        units = f"{written[kind] / purchases:.2f}"
        table.add(kind, LAYOUT[kind].table, str(parts[kind]), units, f"{carried[kind]:,.0f}")
    table.print()


if __name__ == "__main__":
    main()

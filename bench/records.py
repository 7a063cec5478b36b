"""`python -m bench.records`: what one purchase reads and writes in the store, counted and not timed; also one that is
cancelled with its payment under way, or whose hold is extended before it is paid (`--ending`).

The whole platform runs in this process, and fans buy one after the other, as in `bench.purchase`. Every transaction is
named by the rule that decided in it, in the order of a purchase, with the kinds of what it writes. A read is a `get` or
a `scan` (one round trip each on a store that is far away); records and bytes are those written or removed, and what an
outbox removes of several commits at once is shared out.
"""

import argparse
import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import grpc
import structlog

from bench.__main__ import event_file, reservations
from bench.purchase import begun, bought, purchase
from bench.servers import free_port
from traffic_tacos.app import embedded, stores
from traffic_tacos.app.config import Config
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.sqlite import SqliteStore
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from traffic_tacos.gen.payment.v1 import payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.operations import logs
from traffic_tacos.ports.store import Decision, Key, Prefix, Reads, View, numbered, writes_of

T = TypeVar("T")
R = TypeVar("R")
RESTED_AFTER = 35.0  # seconds: the last job about a payment is due half a minute after it
ENDED_AFTER = 65.0  # and the one that looks at a hold, after the minute that it has


class CountedStore(SqliteStore):
    """Counts while `counting`: single reads by kind, and by rule transactions with the records and bytes of each."""

    counting = False
    reads: ClassVar[Counter[str]] = Counter()
    transactions: ClassVar[Counter[str]] = Counter()
    declared: ClassVar[Counter[str]] = Counter()
    records: ClassVar[Counter[str]] = Counter()
    bytes: ClassVar[Counter[str]] = Counter()
    kinds: ClassVar[dict[str, dict[str, None]]] = {}

    @classmethod
    def count(cls, is_counting: bool) -> None:
        cls.counting = is_counting

    async def get(self, key: Key[T]) -> T | None:
        self.reads[f"get {key.kind.name}"] += self.counting
        return await super().get(key)

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        self.reads[f"scan {prefix.kind.name}"] += self.counting
        return await super().scan(prefix, after=after, limit=limit)

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        rule = decide.func if isinstance(decide, partial) else decide
        name = f"{rule.__module__.removeprefix('traffic_tacos.')} {rule.__qualname__.partition('.<locals>')[0]}"

        def counted(view: View) -> Decision[R]:
            decision = decide(view)
            if self.counting:
                written = writes_of(decision, numbered(0))
                shown = name if written else f"{name} (nothing to write)"
                self.transactions[shown] += 1
                self.declared[shown] += len(reads)
                self.records[shown] += len(written)
                self.kinds.setdefault(shown, {}).update(dict.fromkeys(one.kind.name for one in written))
                self.bytes[shown] += sum(len(one.path) + len(_encoded(one)) for one in written)
            return decision

        return await super().transact(reads, counted)


def _encoded(write: Any) -> bytes:
    return b"" if write.value is None else write.kind.encode(write.value)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.records")
    parser.add_argument("--purchases", type=int, default=40)
    parser.add_argument("--ending", choices=ENDINGS, default="bought")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    stores.SqliteStore = CountedStore  # type: ignore[misc]
    asyncio.run(counted(asked.purchases, CountedStore.count, asked.ending))
    _show(asked.purchases)


async def counted(purchases: int, count: Callable[[bool], None], ending: str = "bought", **more: Any) -> None:
    """Fans buy so much, one after the other; `count` is told when to begin, and when all is at rest."""
    act, rested_after = ENDINGS[ending]
    with tempfile.TemporaryDirectory() as folder:
        event, data = event_file(Path(folder)), Path(folder) / "data"
        config = Config(
            data=data,
            grpc=Address("127.0.0.1", free_port()),
            http=Address("127.0.0.1", free_port()),
            time_scale=1000,
            **more,
        )

        async def prepare(platform: Any) -> None:
            await platform.put_on_sale(event.read_text())

        async with embedded.running(config, logs.LogRing(), prepare):
            bodies, tokens = reservations(data, purchases + 1)
            async with grpc.aio.insecure_channel(str(config.grpc)) as channel:
                gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
                payments = payment_pb2_grpc.PaymentServiceStub(channel)
                for number, (body, token) in enumerate(zip(bodies[: purchases + 1], tokens, strict=False)):
                    count(number > 0)  # the first one warms the caches
                    request = gateway_pb2.CreateReservationRequest.FromString(body)
                    await act(channel, gateway, payments, request, (("authorization", f"Bearer {token}"),))
            print(f"{purchases} purchases; waiting {rested_after:.0f} s for what comes after them …")
            await asyncio.sleep(rested_after)
            count(False)


async def _bought(_: Any, gateway: Any, payments: Any, request: Any, mine: Any) -> None:
    await purchase(gateway, payments, request, mine)


async def _cancelled(_: Any, gateway: Any, payments: Any, request: Any, mine: Any) -> None:
    held, _ = await begun(gateway, request, mine)
    cancel = gateway_pb2.CancelReservationRequest(
        reservation_id=held.reservation_id, user_id=request.user_id, idempotency_key=f"x-{request.idempotency_key}"
    )
    answer = await gateway.CancelReservation(cancel, metadata=mine)
    assert not answer.HasField("error"), answer.error


async def _extended(channel: Any, gateway: Any, payments: Any, request: Any, mine: Any) -> None:
    held, intent = await begun(gateway, request, mine)
    extend = reservation_pb2.ExtendHoldRequest(
        reservation_id=held.reservation_id,
        user_id=request.user_id,
        extension_seconds=60,
        idempotency_key=f"e-{request.idempotency_key}",
    )
    answer = await reservation_pb2_grpc.ReservationServiceStub(channel).ExtendHold(extend, metadata=mine)
    assert not answer.HasField("error"), answer.error
    await bought(gateway, payments, request, mine, held, intent)


# How a purchase ends, and after how many seconds nothing more comes of it.
ENDINGS: dict[str, tuple[Callable[..., Awaitable[None]], float]] = {
    "bought": (_bought, RESTED_AFTER),
    "cancelled": (_cancelled, ENDED_AFTER),
    "extended": (_extended, RESTED_AFTER),
}


def _show(purchases: int) -> None:
    def each(count: int) -> str:
        return f"{count / purchases:.2f}"

    reads = Listing("single read", "a purchase")
    for name, count in CountedStore.reads.most_common():
        reads.add(name, each(count))
    reads.add("all", each(CountedStore.reads.total()))
    reads.print()
    table = Listing("transaction", "a purchase", "keys read", "records", "bytes", "kinds")
    for name, count in CountedStore.transactions.items():
        amounts = (CountedStore.declared[name], CountedStore.records[name], CountedStore.bytes[name])
        table.add(name, each(count), *map(each, amounts), " ".join(CountedStore.kinds[name]))
    counters = (CountedStore.transactions, CountedStore.declared, CountedStore.records, CountedStore.bytes)
    table.add("all", *(each(counter.total()) for counter in counters), "")
    table.print()


if __name__ == "__main__":
    main()

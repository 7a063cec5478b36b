"""`python -m bench.queue`: the waiting room with 1,000, 100,000 and 1,000,000 people in it.

The echo runs beside each size, in the same run, on the same kind of server: rates are compared to it.
A line is filled by writing its records into the store, as if all had joined; so starting again with so
many is measured as well. Memory is what the process takes more than with an empty line.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

import msgspec
from rich.console import Console

from bench import load, servers
from bench.echo import PATH as ECHO
from traffic_tacos.app.config import STORE_FILE
from traffic_tacos.calls import keys
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.kernel.tokens import Ticket, seal_ticket, session_hash
from traffic_tacos.ports.store import Write, put
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.records import LINE_HEAD, LineHead, TicketRecord, member_keys, ticket_key

EVENT = "evt_queue"
FILE = f"""
id: {EVENT}
name: Bench
currency: KRW
admission: {{rate_per_second: 1, waiting_max: 2000000, active_max: 1}}
sections: [{{id: PIT, name: Pit, price: 1000, standing: 1000}}]
"""
STATUS = "/gateway.v1.QueueService/GetQueueStatus"
JOIN = "/gateway.v1.QueueService/JoinQueue"
SIZES = (1_000, 100_000, 1_000_000)
BATCH = 20_000
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.queue")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--requests", type=int, default=60_000)
    parser.add_argument("--joins", type=int, default=6_000)
    asked = parser.parse_args()
    if load.H2LOAD is None:
        raise SystemExit("h2load is needed: Debian's package nghttp2-client")
    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        empty = _measured(Path(folder) / "empty", 0, asked, None)
        for size in asked.sizes:
            console.print(f"{size:,} waiting …")
            rows.append(_measured(Path(folder) / str(size), size, asked, empty))
    table = Listing("waiting", *(f"{size:,}" for size in asked.sizes))
    for name in rows[0]:
        table.add(name, *(row[name] for row in rows))
    table.print()
    for size in (100_000, 1_000_000):
        started = time.perf_counter()
        draw = Draw(b"k" * 32, size)
        for number in range(1, size + 1):
            draw.rank(number)
        console.print(f"a draw of {size:,}: {time.perf_counter() - started:.2f} s")


def _measured(data: Path, size: int, asked, empty: int | None):
    """A row of the table; for the empty line, what the process takes by itself."""
    event = data.parent / "event.yaml"
    event.write_text(FILE)
    with servers.platform(data, "--event", str(event)):
        pass
    _fill(data, size)
    started = time.perf_counter()
    with servers.platform(data) as (pid, address):
        start = time.perf_counter() - started - 0.5
        memory = servers.memory_bytes(pid)
        if empty is None:
            return memory
        secret = keys.read(data).waiting
        number = max(2, size // 2)
        token = seal_ticket(Ticket(EVENT, number, session_hash(f"s{number}")), secret)
        body = queue_pb2.GetQueueStatusRequest(waiting_token=token).SerializeToString()
        with servers.echo("native") as (echo_pid, echo_address):
            load.h2load(echo_address, ECHO, body, asked.requests // 4)
            load.h2load(address, STATUS, body, asked.requests // 4)
            echoes, statuses, echo_us, status_us = [], [], [], []
            for _ in range(3):  # turn about, so that a noisy neighbour meets both
                spent, measured = servers.cpu_us(
                    echo_pid, lambda: load.h2load(echo_address, ECHO, body, asked.requests)
                )
                echoes.append(measured.requests / measured.seconds)
                echo_us.append(spent)
                spent, measured = servers.cpu_us(pid, lambda: load.h2load(address, STATUS, body, asked.requests))
                statuses.append(measured.requests / measured.seconds)
                status_us.append(spent)
        joins = [
            queue_pb2.JoinQueueRequest(event_id=EVENT, session_id=f"new{number}").SerializeToString()
            for number in range(asked.joins)
        ]
        with servers.echo("native") as (echo_pid, echo_address):
            call_us, _ = servers.cpu_us(
                echo_pid, lambda: asyncio.run(load.callers(echo_address, ECHO, [body] * asked.joins, (), 64))
            )
        join_us, (joined, answers) = servers.cpu_us(
            pid, lambda: asyncio.run(load.callers(address, JOIN, joins, (), 64))
        )
        tokens = [queue_pb2.JoinQueueResponse.FromString(answer).waiting_token for answer in answers]
        assert all(tokens)
        firsts = [queue_pb2.GetQueueStatusRequest(waiting_token=token).SerializeToString() for token in tokens]
        first_us, _ = servers.cpu_us(pid, lambda: asyncio.run(load.callers(address, STATUS, firsts, (), 64)))
    echo, status = sorted(echoes)[1], sorted(statuses)[1]
    return {
        "bare echo, h2load, requests/s": f"{echo:,.0f}",
        "GetQueueStatus, h2load, requests/s": f"{status:,.0f}",
        "  of the echo": f"{status / echo:.0%}",
        "  CPU us, echo and status": f"{sorted(echo_us)[1]:.0f}, {sorted(status_us)[1]:.0f}",
        "bare echo, 64 callers, CPU us": f"{call_us:.0f}",
        "GetQueueStatus, 64 callers, each ticket's first, CPU us": f"{first_us:.0f}",
        "JoinQueue, 64 callers, durable, CPU us": f"{join_us:.0f}",
        "  requests/s": f"{joined.requests / joined.seconds:,.0f}",
        "  p95 ms": f"{joined.p95_ms:.0f}",
        "starting again, s": f"{start:.1f}",
        "memory, bytes per ticket": f"{(memory - empty) / size:.0f}",
    }


def _fill(data: Path, size: int) -> None:
    """So many tickets, as joining would have left them."""
    now = SystemClock().now()
    with closing(sqlite3.connect(data / STORE_FILE)) as store:
        for first in range(1, size + 1, BATCH):
            writes: list[Write] = []
            for number in range(first, min(first + BATCH, size + 1)):
                session = f"s{number}"
                record = TicketRecord(number, session_hash(session).hex(), "", now)
                writes.append(put(ticket_key(EVENT, number), record))
                writes += [put(key, number) for key in member_keys(EVENT, session, "")]
            _write(store, writes)
        if size:
            _write(store, [put(LINE_HEAD.key(EVENT), LineHead(size))])
        store.commit()


def _write(store: sqlite3.Connection, writes: list[Write]) -> None:
    rows = [(write.path, msgspec.json.encode(write.value).decode()) for write in writes]
    store.executemany("INSERT OR REPLACE INTO records (path, value) VALUES (?, ?)", rows)


if __name__ == "__main__":
    main()

"""`python -m bench.queue_redis`: the queue of several processes on one Valkey: what its log costs, without the calls.

Joins a second by one and by two processes, with nobody to wait for and with one replica (WAIT); 10,000 fans who join
and ask at two processes in turn until all are admitted; and what a ticket takes. The records of tickets are in memory,
of each process its own: what DynamoDB takes for them is not in these figures. Valkey shares this machine's cores.
"""

import asyncio
import itertools
import os
import random
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from tests import emulators
from tests.emulators import Valkey

from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.redis_log import redis_log
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import session_hash
from traffic_tacos.rooms.waiting_room.commands import Batch, Join
from traffic_tacos.rooms.waiting_room.machine import LineMachine, member_of
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLine, ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import Limits, State, Terms
from traffic_tacos.rooms.waiting_room.view import place

JOINS, CALLERS = 6000, 256
FANS, RATE, CAP = 10_000, 1000, 2000
STATUSES = 100_000
TICKETS = 100_000
SECRET, SEED = b"s" * 32, bytes(32)
STANDING = Limits(rate_per_second=1, active_max=1)


class Joined(NamedTuple):
    numbers: Sequence[int]
    seconds: float
    cpu_seconds: float
    times: Sequence[float]  # of each, in seconds, ascending


def main() -> None:
    joins = Listing("processes", "replicas", "joins/s", "CPU us/join", "Valkey us/join", "p50 ms", "p99 ms")
    with tempfile.TemporaryDirectory() as folder, emulators.valkey(Path(folder) / "primary") as primary:
        with emulators.valkey(Path(folder) / "replica", primary=primary):
            for processes, replicas in ((1, 0), (1, 1), (2, 0), (2, 1)):
                joins.add(*_joins(primary, processes, replicas))
        joins.print()
        for line in (*asyncio.run(_through_two(primary)), *_sizes()):
            Console().print(line)


@asynccontextmanager
async def _line(
    url: str, event: str, limits: Limits, store: MemoryStore, replicas: int = 0
) -> AsyncIterator[tuple[ReplicatedLines, ReplicatedLine]]:
    """A line as a process has it, with what goes on in the background."""
    async with redis_log(url, replicas) as log:
        engine = ReplicatedLines(log, store, SystemClock(), random.SystemRandom(), SECRET)
        line = await engine.open(event, Terms(limits, None, None), SEED, lambda _: None)
        reading = asyncio.create_task(engine.run())
        try:
            yield engine, line
        finally:
            reading.cancel()


def _joins(server: Valkey, processes: int, replicas: int) -> list[str]:
    event, before = f"evt{processes}{replicas}", _cpu_of(server.pid)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        asked = [
            pool.submit(_join, server.url, event, replicas, number, JOINS // processes) for number in range(processes)
        ]
        found = [one.result() for one in asked]
    numbers = [number for one in found for number in one.numbers]
    assert sorted(numbers) == list(range(1, JOINS + 1)), "each number once"
    times = sorted(time for one in found for time in one.times)
    return [
        str(processes),
        str(replicas),
        f"{JOINS / max(one.seconds for one in found):,.0f}",
        f"{sum(one.cpu_seconds for one in found) / JOINS * 1e6:.0f}",
        f"{(_cpu_of(server.pid) - before) / JOINS * 1e6:.0f}",
        f"{times[len(times) // 2] * 1e3:.1f}",
        f"{times[len(times) * 99 // 100] * 1e3:.1f}",
    ]


def _join(url: str, event: str, replicas: int, number: int, count: int) -> Joined:
    async def run() -> Joined:
        async with _line(url, event, STANDING, MemoryStore(), replicas) as (_, line):
            names, numbers, times = iter(range(count)), [], []

            async def caller() -> None:
                for name in names:
                    asked_at = time.perf_counter()
                    numbers.append((await line.join(f"{number}-{name}", "", {}, 0)).number)
                    times.append(time.perf_counter() - asked_at)

            started, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(caller() for _ in range(CALLERS // 2)))
            return Joined(numbers, time.perf_counter() - started, time.process_time() - cpu, times)

    return asyncio.run(run())


async def _through_two(server: Valkey) -> list[str]:
    """What went wrong between two processes, and what a status costs them."""
    limits, store = Limits(rate_per_second=RATE, active_max=CAP), MemoryStore()
    async with _line(server.url, "two", limits, store) as first, _line(server.url, "two", limits, store) as second:
        engines, lines = zip(first, second, strict=True)
        joined = [await lines[fan % 2].join(f"fan{fan}", f"fan{fan}", {}, 0) for fan in range(64)]
        joined += await asyncio.gather(
            *(lines[fan % 2].join(f"fan{fan}", f"fan{fan}", {}, 0) for fan in range(64, FANS))
        )
        told = {answer.number: FANS for answer in joined}
        rises, granted, most, turn = 0, {}, 0, 0
        while len(granted) < FANS:
            await asyncio.gather(*(line.advance() for line in lines))
            turn += 1
            engine, line = engines[turn % 2], lines[turn % 2]
            await engine.catch_up()
            view, ready = line.view(), []
            for number in told:
                seen = place(view, number)
                line.visit(number)
                if seen.position:
                    rises += seen.position > told[number]
                    told[number] = seen.position
                if seen.state is State.READY:
                    ready.append(number)
            figures = line.figures()
            most = max(most, figures.ready + figures.admitted)
            answers = await asyncio.gather(
                *(lines[number % 2].claim(number, "") for number in ready), return_exceptions=True
            )
            for answer in answers:
                if answer is not None and not isinstance(answer, BaseException):
                    granted[answer.number] = answer.granted_at
            await asyncio.gather(
                *(lines[number % 2].release(number, State.DONE) for number in list(granted)[-len(ready) :])
            )
            for number in granted:
                told.pop(number, None)
        times = [granted[number] for number in sorted(granted)]
        inversions = sum(later < earlier - SECOND for earlier, later in itertools.pairwise(times))
        ordered = sorted(times)
        too_fast = sum(later - earlier < SECOND for earlier, later in zip(ordered, ordered[RATE:], strict=False))
        cpu = await _status_cpu(*first)
    return [
        f"{FANS:,} fans through two processes: {rises} places rose, {inversions} were let in a second before whoever "
        f"was ahead, {too_fast} above {RATE} a second, at most {most} of {CAP} at once",
        f"a status: {cpu:.1f} us of CPU, what is read of the log in it",
    ]


async def _status_cpu(engine: ReplicatedLines, line: ReplicatedLine) -> float:
    numbers = iter(range(STATUSES))

    async def caller() -> None:
        for asked in numbers:
            await engine.catch_up()
            number = asked % FANS + 1
            line.visit(number)
            place(line.view(), number)

    cpu = time.process_time()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return (time.process_time() - cpu) / STATUSES * 1e6


def _sizes() -> list[str]:
    """What a ticket takes in each process, and in the log's base."""
    tracemalloc.start()
    machine = LineMachine("large", lambda *_: b"", STANDING)
    now = SystemClock().now()
    for number in range(TICKETS):
        hashed = session_hash(f"fan{number}")
        machine.apply(Batch(1, number, [Join(member_of(f"fan{number}", hashed), hashed, 0)]), now + number)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    started = time.perf_counter()
    state = machine.frozen()
    froze, started = time.perf_counter() - started, time.perf_counter()
    LineMachine.thawed("large", lambda *_: b"", state)
    return [
        f"{TICKETS:,} tickets: {held / TICKETS:.0f} bytes each in a process, {len(state) / TICKETS:.0f} in the base, "
        f"which is made in {froze * 1e3:.0f} ms and taken up in {(time.perf_counter() - started) * 1e3:.0f} ms",
    ]


def _cpu_of(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()

"""`python -m bench.processes`: seats held a second by one to eight processes on one DynamoDB (an emulator).

So many callers, shared out among the processes, name no seats: all want the best that are left of 20,000. Whoever gets
UNAVAILABLE asks again under the same key. The first process has the queue as well. The emulator carries out one request
after the other, and processes and callers share this machine's cores with it: what counts is the comparison, and CPU.
Where processes have no rows of their own, all want the same seats (`bench/naive.py`): that is the naive way.

`--sold-out` sells a house of 10,000 seats to its last seat, with 64 callers at each of two processes; and once more
while one of them is killed in the middle and started again. Every seat that was acknowledged is held once, and the
invariants hold.
"""

import argparse
import asyncio
import os
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import grpc
import httpx
from rich.console import Console
from tests.e2e.process import TACOS, UpProcess
from tests.emulators import found_as, ministack

from bench import servers
from bench.__main__ import ROWS, event_file, reservations
from traffic_tacos.app.stores import create_tables
from traffic_tacos.cli.shown import Listing
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from traffic_tacos.kernel.limits import HOLD_SECONDS_MAX


class Run(NamedTuple):
    """So many callers at all processes together; `rows` of seats are on sale, and `holds` of them are wanted."""

    processes: int
    callers: int
    rows: int
    holds: int
    is_killed: bool = False
    has_own_rows: bool = True


COUNTS = (1, 2, 4, 8)
SOLD_OUT = [Run(2, 128, 125, 5000), Run(2, 128, 125, 5000, is_killed=True)]
# Codes of those who may ask again.
UNSURE = (errors_pb2.ERROR_CODE_UNAVAILABLE, errors_pb2.ERROR_CODE_UPSTREAM_TIMEOUT, errors_pb2.ERROR_CODE_TIMEOUT)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.processes")
    parser.add_argument("--holds", type=int, default=1500, help="by all processes together")
    parser.add_argument("--callers", type=int, default=16, help="at all processes together")
    parser.add_argument("--sold-out", action="store_true", help="sell a house to its last seat")
    asked = parser.parse_args()
    own = [Run(count, asked.callers, ROWS, asked.holds) for count in COUNTS]
    runs = SOLD_OUT if asked.sold_out else [*own, *(one._replace(has_own_rows=False) for one in own[1:])]
    table = Listing(
        "processes", "callers", "holds", "holds/s", "CPU ms/hold", "p50 ms", "p99 ms", "conflicts/hold", "asked again"
    )
    with tempfile.TemporaryDirectory() as folder, ministack(Path(folder)) as address:
        os.environ.update(found_as(address))
        for number, run in enumerate(runs):
            Console().print(f"{run.holds} holds by {_said(run)} …")
            table.add(*_measured(Path(folder) / str(number), f"bench{number}-", run))
    table.print()


def _measured(folder: Path, tables: str, run: Run) -> list[str]:
    folder.mkdir()
    asyncio.run(create_tables(tables))
    event = event_file(folder, run.rows, HOLD_SECONDS_MAX)
    first = UpProcess(folder / "first", "--event", str(event), "--dynamodb", tables)
    others = ["--elsewhere", f"waiting_room={first.grpc}", "--keys-of", str(first.data), "--dynamodb", tables]
    platforms = [first, *(UpProcess(folder / str(number), *others) for number in range(1, run.processes))]
    try:
        for platform in platforms:
            platform.module = TACOS if run.has_own_rows else "bench.naive"
            platform.start()
        bodies, tokens = reservations(first.data, run.holds + run.callers)
        begun, before = time.perf_counter(), _cpu_seconds(platforms)
        sale = Sale(list(zip(bodies, tokens, strict=True)), run.holds)
        asyncio.run(sale.hold(platforms, run))
        seconds, cpu = time.perf_counter() - begun, _cpu_seconds(platforms) - before
        conflicts = sum(_conflicts(platform) for platform in platforms)
        if (code := first.tacos("verify", "--dynamodb", tables).returncode) != 0:
            raise RuntimeError(f"verify ended with {code}")
    finally:
        for platform in platforms:
            platform.ensure_stopped()
    took, holds = sorted(sale.took), len(sale.took)
    # What a process had used before it was killed is not known.
    used = "" if run.is_killed else f"{cpu * 1000 / holds:.1f}"
    return [
        _said(run),
        str(run.callers),
        f"{holds:,}",
        f"{holds / seconds:,.0f}",
        used,
        f"{took[holds // 2] * 1000:,.0f}",
        f"{took[holds * 99 // 100] * 1000:,.0f}",
        f"{conflicts / holds:.2f}",
        str(sale.again),
    ]


def _said(run: Run) -> str:
    killed = ", one killed" if run.is_killed else ""
    return f"{run.processes}{killed}{'' if run.has_own_rows else ', naive'}"


class Sale:
    """What callers hold until so many holds are done, or nothing is left: how long each took, in seconds, and how often
    somebody had to ask again.
    """

    def __init__(self, waiting: list[tuple[bytes, str]], holds: int) -> None:
        self.took: list[float] = []
        self.again = self._asking = 0
        self._waiting = waiting[::-1]
        self._holds = holds
        self._seats: set[str] = set()

    async def hold(self, platforms: Sequence[UpProcess], run: Run) -> None:
        """RuntimeError when a seat is held twice, or somebody is refused while seats are left."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(run.callers):
                tasks.create_task(self._call(platforms[number % len(platforms)].grpc))
            if run.is_killed:
                tasks.create_task(self._kill(platforms[-1]))
        if len(self.took) < self._holds:
            raise RuntimeError(f"only {len(self.took)} holds of {self._holds}")

    async def _kill(self, platform: UpProcess) -> None:
        while len(self.took) < self._holds // 2:
            await asyncio.sleep(0.05)
        platform.kill()
        await asyncio.to_thread(platform.start)

    async def _call(self, address: str) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
            while len(self.took) < self._holds and self._waiting:
                body, token = self._waiting.pop()
                begun = time.perf_counter()
                self._asking += 1
                answer = await self._held(gateway, gateway_pb2.CreateReservationRequest.FromString(body), token)
                self._asking -= 1
                if answer.error.code == errors_pb2.ERROR_CODE_INSUFFICIENT_INVENTORY and self._is_all_asked_for():
                    return
                if answer.HasField("error"):
                    raise RuntimeError(f"refused: {answer.error}")
                seats = {seat.id for seat in answer.reserved_seats}
                if seats & self._seats:
                    raise RuntimeError(f"held twice: {seats & self._seats}")
                self._seats |= seats
                self.took.append(time.perf_counter() - begun)

    def _is_all_asked_for(self) -> bool:
        """Whether those who are being answered now have all that is left."""
        return len(self.took) + self._asking >= self._holds

    async def _held(
        self,
        gateway: gateway_pb2_grpc.GatewayServiceStub,
        request: gateway_pb2.CreateReservationRequest,
        token: str,
    ) -> gateway_pb2.CreateReservationResponse:
        """The answer, once there is one; under the same key."""
        metadata = (("authorization", f"Bearer {token}"),)
        while True:
            try:
                answer = await gateway.CreateReservation(request, metadata=metadata)
                if answer.error.code not in UNSURE:
                    return answer
            except grpc.aio.AioRpcError as failure:  # the process was killed
                if failure.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            self.again += 1
            await asyncio.sleep(0.1)


def _cpu_seconds(platforms: Sequence[UpProcess]) -> float:
    return sum(servers.cpu_seconds(platform.pid) for platform in platforms)


def _conflicts(platform: UpProcess) -> float:
    """Decisions of this process that another was faster with, and that were made once more."""
    shown = httpx.get(f"http://{platform.http}/metrics").text
    (count,) = re.findall(r'^tacos_store_retries{reason="conflict"} (.*)$', shown, re.MULTILINE)
    return float(count)


if __name__ == "__main__":
    main()

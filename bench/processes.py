"""`python -m bench.processes`: seats held a second by one, two and four processes on one DynamoDB (an emulator).

So many callers, shared out among the processes, name no seats: all want the best that are left of 20,000. Who hears
UNAVAILABLE asks again under the same key. The first process has the queue as well. The emulator carries out one request
after the other, and processes and callers share this machine's cores with it: what counts is the comparison, and CPU.
"""

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import grpc
from rich.console import Console
from tests.emulators import found_as, ministack

from bench import servers
from bench.__main__ import event_file, reservations
from traffic_tacos.app.stores import create_tables
from traffic_tacos.cli.shown import Listing
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc

# Codes of those who may ask again.
UNSURE = (errors_pb2.ERROR_CODE_UNAVAILABLE, errors_pb2.ERROR_CODE_UPSTREAM_TIMEOUT, errors_pb2.ERROR_CODE_TIMEOUT)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.processes")
    parser.add_argument("--holds", type=int, default=1500, help="by all processes together")
    parser.add_argument("--callers", type=int, default=16, help="at all processes together")
    asked = parser.parse_args()
    table = Listing("processes", "callers", "holds", "holds/s", "CPU ms/hold", "p50 ms", "p99 ms", "asked again")
    with tempfile.TemporaryDirectory() as folder, ministack(Path(folder)) as address:
        os.environ.update(found_as(address))
        for count in (1, 2, 4):
            Console().print(f"{asked.holds} holds by {count} …")
            table.add(str(count), str(asked.callers), *_measured(Path(folder) / str(count), count, asked))
    table.print()


def _measured(folder: Path, count: int, asked: argparse.Namespace) -> list[str]:
    folder.mkdir()
    holds = asked.holds
    tables = f"bench{count}-"
    asyncio.run(create_tables(tables))
    with ExitStack() as running:
        first, event = folder / "first", event_file(folder)
        started = [running.enter_context(servers.platform(first, "--event", str(event), "--dynamodb", tables))]
        for number in range(1, count):
            others = ["--elsewhere", f"waiting_room={started[0][1]}", "--keys-of", str(first)]
            platform = servers.platform(folder / str(number), "--dynamodb", tables, *others)
            started.append(running.enter_context(platform))
        bodies, tokens = reservations(first, holds)
        before = sum(servers.cpu_seconds(pid) for pid, _ in started)
        begun = time.perf_counter()
        callers = [started[number % count][1] for number in range(asked.callers)]
        took, again = asyncio.run(_hold(callers, bodies[:holds], tokens[:holds]))
        took.sort()
        seconds = time.perf_counter() - begun
        cpu = (sum(servers.cpu_seconds(pid) for pid, _ in started) - before) / holds
    times = (took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000)
    return [f"{holds:,}", f"{holds / seconds:,.0f}", f"{cpu * 1000:.1f}", *(f"{ms:,.0f}" for ms in times), str(again)]


async def _hold(callers: list[str], bodies: list[bytes], tokens: list[str]) -> tuple[list[float], int]:
    """How long each took, in seconds, and how often somebody had to ask again. RuntimeError when one is refused."""
    waiting, took, again = list(zip(bodies, tokens, strict=True)), list[float](), 0

    async def call(address: str) -> None:
        nonlocal again
        async with grpc.aio.insecure_channel(address) as channel:
            gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
            while waiting:
                body, token = waiting.pop()
                begun = time.perf_counter()
                request = gateway_pb2.CreateReservationRequest.FromString(body)
                metadata = (("authorization", f"Bearer {token}"),)
                while (answer := await gateway.CreateReservation(request, metadata=metadata)).HasField("error"):
                    if answer.error.code not in UNSURE:
                        raise RuntimeError(f"refused: {answer.error}")
                    again += 1
                    await asyncio.sleep(0.1)
                took.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as tasks:
        for address in callers:
            tasks.create_task(call(address))
    return took, again


if __name__ == "__main__":
    main()

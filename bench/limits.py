"""`python -m bench.limits`: one caller at ten times their limit, and what everybody else notices of it.

Sixteen fans ask for their reservation twenty times a second each. In turns, nobody else does anything; one more asks
just within the limit of a fan; a bare echo beside the platform is asked ten times as often, which costs the two cores
the caller and little else; and the platform is. Compared is the P95 of the sixteen: the last to the one before, for
what the caller's own process takes from the cores is no fault of the platform's. Each round has a ratio; shown is
their median.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
from rich.console import Console

from bench import servers
from bench.__main__ import event_file
from bench.echo import PATH as ECHO
from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.ports.settings import FAN_LIMIT, SETTINGS

FANS, EACH_PER_SECOND = 16, 20
LIMIT = int(SETTINGS[FAN_LIMIT].default)
NOBODY, WITHIN, ELSEWHERE, BEYOND = (
    "nobody else",
    "one more, within the limit",
    "ten times the limit, of an echo",
    "ten times the limit, here",
)
RATE = {WITHIN: LIMIT * 9 // 10, ELSEWHERE: LIMIT * 10, BEYOND: LIMIT * 10}
COMPARED = {WITHIN: NOBODY, BEYOND: ELSEWHERE}
SHOW = gateway_pb2.GetReservationRequest(reservation_id="rsv_none")
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.limits")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--flood", nargs=3, metavar=("ADDRESS", "TOKEN", "RATE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.flood:
        address, token, rate = asked.flood
        asyncio.run(_flood(address, token, float(rate), asked.seconds))
        return
    took: dict[str, list[list[float]]] = {name: [] for name in (NOBODY, WITHIN, ELSEWHERE, BEYOND)}
    heard: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        event, data = event_file(Path(folder)), Path(folder) / "data"
        with servers.echo("native") as (_, echo), servers.platform(data, "--event", str(event)) as (_, address):
            tokens = [options.issued(data, Caller(Role.FAN, f"fan{number}")) for number in range(FANS + 1)]
            for turn in range(asked.rounds):
                console.print(f"round {turn + 1} of {asked.rounds} …")
                for name, rounds in took.items():
                    where = echo if name == ELSEWHERE else address
                    flood = _flooding(where, tokens[-1], RATE[name], asked.seconds) if name in RATE else None
                    rounds.append(sorted(asyncio.run(_ask(address, tokens[:-1], asked.seconds))))
                    if flood is not None:
                        heard[name] = flood.communicate()[0].strip()
    table = Listing("beside sixteen fans", "their calls", "p50 ms", "p95 ms", "p99 ms", "ratio of p95", "answers")
    for name, rounds in took.items():
        times = sorted(seconds for one in rounds for seconds in one)
        shown = (f"{_at(times, share) * 1000:.2f}" for share in (50, 95, 99))
        table.add(name, f"{len(times):,}", *shown, _ratio(took, name), heard.get(name, ""))
    table.print()


def _ratio(took: dict[str, list[list[float]]], name: str) -> str:
    if name not in COMPARED:
        return ""
    pairs = zip(took[name], took[COMPARED[name]], strict=True)
    ratios = [_at(here, 95) / _at(there, 95) for here, there in pairs]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _at(times: list[float], share: int) -> float:
    return times[len(times) * share // 100]


async def _ask(address: str, tokens: Sequence[str], seconds: float) -> list[float]:
    """How long the calls of the fans took, evenly spread over the time."""
    took: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
        await gateway.GetReservation(SHOW, metadata=options.bearer(tokens[0]))
        end = time.perf_counter() + seconds

        async def fan(number: int) -> None:
            due = time.perf_counter() + number / FANS / EACH_PER_SECOND
            while due < end:
                await asyncio.sleep(max(0, due - time.perf_counter()))
                begun = time.perf_counter()
                await gateway.GetReservation(SHOW, metadata=options.bearer(tokens[number]))
                took.append(time.perf_counter() - begun)
                due += 1 / EACH_PER_SECOND

        await asyncio.gather(*(fan(number) for number in range(len(tokens))))
    return took


def _flooding(address: str, token: str, rate: float, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.limits", "--seconds", str(seconds)]
    return subprocess.Popen([*command, "--flood", address, token, str(rate)], stdout=subprocess.PIPE, text=True)


async def _flood(address: str, token: str, rate: float, seconds: float) -> None:
    """Ask so often, without waiting for answers; then say what was answered."""
    codes: dict[str, int] = {}
    async with grpc.aio.insecure_channel(address) as channel:
        body, metadata = SHOW.SerializeToString(), options.bearer(token)
        call = channel.unary_unary("/gateway.v1.GatewayService/GetReservation")
        decode = gateway_pb2.GetReservationResponse.FromString
        try:
            await call(body, metadata=metadata)
        except grpc.aio.AioRpcError:
            call, decode = channel.unary_unary(ECHO), lambda _: gateway_pb2.GetReservationResponse()  # this is the echo

        async def ask() -> None:
            answer = decode(await call(body, metadata=metadata))
            name = errors_pb2.ErrorCode.Name(answer.error.code).removeprefix("ERROR_CODE_")
            codes[name] = codes.get(name, 0) + 1

        begun, asked = time.perf_counter(), set()
        while (passed := time.perf_counter() - begun) < seconds:
            while len(asked) < passed * rate:
                asked.add(asyncio.create_task(ask()))
            await asyncio.sleep(0.002)
        await asyncio.gather(*asked)
    print(", ".join(f"{count:,} {name}" for name, count in sorted(codes.items())))


if __name__ == "__main__":
    main()

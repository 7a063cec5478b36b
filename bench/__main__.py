"""`python -m bench`: rate and CPU per request of the first calls, beside bare echoes, in one run.

CPU is the server process's own (user and system), so the load generator on the same cores costs rate
but not CPU. Machines are noisy: compare the ratios to the echoes, not the figures of two runs.
"""

import argparse
import asyncio
import math
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import load, servers
from bench.echo import PATH as ECHO
from traffic_tacos.app import keys
from traffic_tacos.app.policy import SCOPES
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import MINUTE
from traffic_tacos.kernel.tokens import ReservationToken, UserToken, sign_reservation, sign_user

EVENT = "evt_bench"
ROWS, SEATS = 250, 80
FANS = 200
BUDGET_US = {"GetQueueStatus": 35, "JoinQueue": 120, "CreateReservation": 450}
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--requests", type=int, default=6000, help="prepared requests of each call")
    parser.add_argument("--status-requests", type=int, default=60000, help="repeated requests of h2load")
    parser.add_argument("--at-once", type=int, default=64)
    asked = parser.parse_args()
    table = Table("what", "load", "requests/s", "CPU us/request", "to native echo", "budget", "p50 ms", "p95 ms")
    base: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("native", "grpcio"):
            with servers.echo(kind) as (pid, address):
                _echo(kind, pid, address, asked, table, base)
        _platform(Path(folder), asked, table, base)
    console.print(table)
    if load.H2LOAD is None:
        console.print("h2load was not found: only the Python callers were used, and they limit the rate.")


def _echo(kind: str, pid: int, address: str, asked, table: Table, base: dict[str, float]) -> None:
    console.print(f"bare {kind} echo …")
    body = b"x" * 60
    if load.H2LOAD:
        cpu, measured = servers.cpu_us(pid, lambda: load.h2load(address, ECHO, body, asked.status_requests))
        base.setdefault("h2load", cpu)
        _row(table, f"echo on {kind}", "h2load", cpu, measured, base["h2load"])
    run = load.callers(address, ECHO, [body] * asked.requests, (), asked.at_once)
    cpu, (measured, _) = servers.cpu_us(pid, lambda: asyncio.run(run))
    base.setdefault("callers", cpu)
    _row(table, f"echo on {kind}", f"{asked.at_once} callers", cpu, measured, base["callers"])


def _platform(folder: Path, asked, table: Table, base: dict[str, float]) -> None:
    event, data = event_file(folder), folder / "data"
    with servers.platform(data, "--event", str(event)) as (pid, address):
        at_once = f"{asked.at_once} callers"
        console.print("JoinQueue, durable …")
        joins = [
            queue_pb2.JoinQueueRequest(event_id=EVENT, session_id=f"s{number}").SerializeToString()
            for number in range(asked.requests)
        ]
        run = load.callers(address, "/gateway.v1.QueueService/JoinQueue", joins, (), asked.at_once)
        cpu, (joined, answers) = servers.cpu_us(pid, lambda: asyncio.run(run))
        _row(table, "JoinQueue", at_once, cpu, joined, base["callers"])
        token = queue_pb2.JoinQueueResponse.FromString(answers[-1]).waiting_token
        status = queue_pb2.GetQueueStatusRequest(waiting_token=token).SerializeToString()
        path = "/gateway.v1.QueueService/GetQueueStatus"
        console.print(f"GetQueueStatus with {asked.requests} waiting …")
        if load.H2LOAD:
            cpu, measured = servers.cpu_us(pid, lambda: load.h2load(address, path, status, asked.status_requests))
            _row(table, "GetQueueStatus", "h2load", cpu, measured, base["h2load"])
        run = load.callers(address, path, [status] * asked.requests, (), asked.at_once)
        cpu, (measured, _) = servers.cpu_us(pid, lambda: asyncio.run(run))
        _row(table, "GetQueueStatus", at_once, cpu, measured, base["callers"])
        console.print("CreateReservation through the gateway, two best seats of 20,000, durable …")
        bodies, tokens = reservations(data, asked.requests)
        for callers, share in ((1, len(bodies) // 6), (asked.at_once, len(bodies))):
            run = load.callers(
                address, "/gateway.v1.GatewayService/CreateReservation", bodies[:share], tokens[:share], callers
            )
            cpu, (measured, answers) = servers.cpu_us(pid, lambda run=run: asyncio.run(run))
            refused = sum(
                gateway_pb2.CreateReservationResponse.FromString(answer).HasField("error") for answer in answers
            )
            _row(table, "CreateReservation", f"{callers} callers", cpu, measured, base["callers"])
            if refused:
                console.print(f"[red]{refused} of {len(answers)} reservations were refused[/]")
            bodies, tokens = bodies[share:], tokens[share:]


def event_file(folder: Path) -> Path:
    """A house of 20,000 seats."""
    event = folder / "event.yaml"
    rows = ", ".join(f"{{id: R{number}, seats: {SEATS}, aisles: [20, 60]}}" for number in range(ROWS))
    event.write_text(
        f"id: {EVENT}\nname: Bench\ncurrency: KRW\nadmission: {{rate_per_second: 1}}\n"
        f"sections: [{{id: MAIN, name: Main, price: 1000, rows: [{rows}]}}]\n"
    )
    return event


def reservations(data: Path, count: int) -> tuple[list[bytes], list[str]]:
    """Requests of fans who were all admitted, and their tokens: both signed with the platform's keys.

    Every admission is new to the platform. Fans come again, so that their own tokens are known to it, as
    they are by the time somebody who joined and was admitted makes a reservation.
    """
    signing, now = keys.read(data).signing, SystemClock().now()
    bodies, tokens = [], []
    signed: dict[str, str] = {}
    for number in range(count + count // 6):
        fan = f"fan{number % FANS}"
        admission = ReservationToken(f"{EVENT}/{10**9 + number}", EVENT, fan, now + 5 * MINUTE)
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT,
            quantity=2 if number * 2 < ROWS * SEATS * 0.8 else 1,
            user_id=fan,
            reservation_token=sign_reservation(signing, admission, now),
            idempotency_key=f"k{number}",
        )
        bodies.append(request.SerializeToString())
        if fan not in signed:
            user = UserToken(Caller(Role.FAN, fan), SCOPES[Role.FAN], now + 60 * MINUTE)
            signed[fan] = sign_user(signing, user, now)
        tokens.append(signed[fan])
    return bodies, tokens


def _row(table: Table, what: str, how: str, cpu: float, measured: load.Measured, base: float) -> None:
    budget = BUDGET_US.get(what)
    table.add_row(
        what,
        how,
        f"{measured.requests / measured.seconds:,.0f}",
        f"{cpu:.0f}",
        f"{cpu / base:.1f}x",
        f"{budget} us" if budget else "",
        _shown(measured.p50_ms),
        _shown(measured.p95_ms),
    )


def _shown(ms: float) -> str:
    return "" if math.isnan(ms) else f"{ms:.1f}"


if __name__ == "__main__":
    main()

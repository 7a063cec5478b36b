"""`python -m bench.cloud`: what a call costs with one edge and one sale, and with two of each, on the same emulators.

Fans join, wait, hold, pay and see their order, at all edges in turn. Emulators, processes and callers share the cores
of this machine, and the emulator of DynamoDB carries out one request after the other: so what is compared is the CPU of
a call, without what the processes use when nobody calls.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from tests.cloud import PROCESSES, Cloud, running
from tests.cloud_chaos import Fans, event_file

from bench import servers
from traffic_tacos.cli.shown import Listing

LAYOUTS = {
    "one edge, one sale": ("sale-1", "worker-1", "relay-1", "edge-1"),
    "two edges, two sales": ("sale-1", "sale-2", "worker-1", "relay-1", "edge-1", "edge-2"),
}
MEASURED = ("edge", "sale", "worker", "relay")
WARM_PURCHASES, IDLE_SECONDS = 20, 8.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cloud")
    parser.add_argument("--purchases", type=int, default=150)
    parser.add_argument("--at-once", type=int, default=8, help="how many fans buy at one moment")
    asked = parser.parse_args()
    table = Listing(
        "processes",
        "purchases/s",
        "calls",
        "CPU ms/call",
        *(f"{role}s" for role in MEASURED),
        "idle CPU ms/s",
        "asked again",
    )
    for name, processes in LAYOUTS.items():
        Console().print(f"{asked.purchases} purchases with {name} …")
        with tempfile.TemporaryDirectory() as folder:
            event = event_file(Path(folder), asked.purchases + WARM_PURCHASES)
            with running(Path(folder), processes, event=[str(event)], time_scale=100.0) as cloud:
                table.add(name, *asyncio.run(_measured(cloud, asked.purchases, asked.at_once)))
    table.print()


async def _measured(cloud: Cloud, purchases: int, at_once: int) -> list[str]:
    warm = Fans(cloud, WARM_PURCHASES, at_once, "warm")
    await warm.buy()
    await warm.close()
    before = _cpu_seconds(cloud)
    await asyncio.sleep(IDLE_SECONDS)
    idle = {role: (used - before[role]) / IDLE_SECONDS for role, used in _cpu_seconds(cloud).items()}
    fans = Fans(cloud, purchases, at_once)
    before, begun = _cpu_seconds(cloud), time.perf_counter()
    await fans.buy()
    seconds = time.perf_counter() - begun
    used = {role: after - before[role] - idle[role] * seconds for role, after in _cpu_seconds(cloud).items()}
    await fans.close()
    return [
        f"{purchases / seconds:.1f}",
        f"{fans.answers:,}",
        *(f"{cpu * 1000 / fans.answers:.2f}" for cpu in (sum(used.values()), *(used[role] for role in MEASURED))),
        f"{sum(idle.values()) * 1000:.0f}",
        str(fans.asked_again.total()),
    ]


def _cpu_seconds(cloud: Cloud) -> Mapping[str, float]:
    """What the processes of each role have used."""
    found = dict.fromkeys(MEASURED, 0.0)
    for name, process in cloud.processes.items():
        found[PROCESSES[name]] += servers.cpu_seconds(process.pid)
    return found


if __name__ == "__main__":
    main()

"""`python -m bench.sizes`: how many processes a rush needs, computed from measured costs (docs/sizing.md).

No machine here carries 30,000 calls a second, so this is arithmetic: what a call costs a process of each role, times
how many come, over the part of a core that a process may use.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from traffic_tacos.cli.shown import Listing

ROLES = ("edge", "sale", "worker")
# A process has one event loop, which is one core. Above this its answers are late: bench.mixed leaves its P95 at 25 %
# of its mixture, which is 0.67 of a core by the costs of single calls.
BUSY_MAX = 0.6


class Load(NamedTuple):
    """What comes a second, and milliseconds of CPU that each costs a process of these roles."""

    what: str
    per_second: int
    ms: Mapping[str, float]


# Of docs/benchmarks.md; where DynamoDB is asked, 0.5 ms for each request are added to the cost on one machine.
RUSH = (
    Load("GetQueueStatus", 27_000, {"edge": 0.047}),
    Load("JoinQueue, 3 requests", 1_000, {"edge": 0.21 + 3 * 0.5}),
    Load("RequestAdmission, 2 requests", 1_000, {"edge": 0.25 + 2 * 0.5}),
    Load("a purchase: 4 calls passed on", 500, {"edge": 4 * 0.3}),
    Load("a purchase: held, intent, paid, 10 requests", 500, {"sale": 2.4 + 10 * 0.5}),
    Load("a purchase: result, order, webhooks, 20 requests", 500, {"worker": 0.6 + 20 * 0.5}),
)


def cores(loads: tuple[Load, ...], role: str) -> float:
    return sum(load.per_second * load.ms.get(role, 0) for load in loads) / 1000


def processes(loads: tuple[Load, ...], role: str) -> int:
    return math.ceil(cores(loads, role) / BUSY_MAX)


def shown(loads: tuple[Load, ...]) -> list[list[str]]:
    """A row for each load, the sum, and the processes."""
    rows = [
        [load.what, f"{load.per_second:,}", *(f"{load.ms[role]:.2f}" if role in load.ms else "" for role in ROLES)]
        for load in loads
    ]
    rows.append(["cores", "", *(f"{cores(loads, role):.1f}" for role in ROLES)])
    return [*rows, [f"processes, each {BUSY_MAX:.0%} busy", "", *(str(processes(loads, role)) for role in ROLES)]]


def main() -> None:
    table = Listing("what", "a second", *(f"{role}, ms" for role in ROLES))
    for row in shown(RUSH):
        table.add(*row)
    table.print()


if __name__ == "__main__":
    main()

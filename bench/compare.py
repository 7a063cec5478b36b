"""`python -m bench.compare DIRECTORY …`: the medians of several runs of `python -m bench`, of one checkout or of some.

Checkouts are measured turn about, each with the Python and the packages of its own `.venv`: what else the machine does
meets all of them alike. CPU and its multiple of the bare echo of the same run and the same kind of callers.
"""

import argparse
import subprocess
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.console import Console

from traffic_tacos.cli.shown import Listing

console = Console(stderr=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.compare")
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path()], help="this one unless named")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    table = Listing("RPC", "load", *(f"{head}, {path}" for path in asked.checkouts for head in ("CPU us", "echoes")))
    for (name, load), of_each in medians(asked.checkouts, asked.rounds).items():
        cells = (shown for path in asked.checkouts for shown in of_each.get(path, ("", "")))
        table.add(name, load, *cells)
    table.print()


def medians(checkouts: list[Path], rounds: int) -> dict[tuple[str, str], dict[Path, tuple[str, str]]]:
    """By RPC and load, of each checkout: the median CPU in microseconds, and the median multiple of the echo."""
    found: dict[tuple[str, str], dict[Path, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(rounds):
        for path in checkouts if turn % 2 == 0 else reversed(checkouts):
            console.print(f"round {turn + 1} of {rounds}: {path} …")
            for row in measured(path):
                found[row["rpc"], row["load"]][path].append((float(row["cpu_us"]), float(row["echoes"])))
    return {
        what: {
            path: (f"{median(cpu for cpu, _ in runs):,.0f}", f"{median(times for _, times in runs):.1f}")
            for path, runs in of_each.items()
        }
        for what, of_each in found.items()
    }


def measured(path: Path) -> list[dict[str, Any]]:
    """The rows of one run."""
    python = (path / ".venv" / "bin" / "python").absolute()
    run = subprocess.run([python, "-m", "bench", "--json"], cwd=path, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{path}: the bench failed: {run.stderr.strip().splitlines()[-1]}")
    rows: list[dict[str, Any]] = msgspec.json.decode(run.stdout)
    return rows


if __name__ == "__main__":
    main()

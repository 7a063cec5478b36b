"""`python -m tests.simulation --seed N` runs one sale and shows it; `--seeds N` runs many."""

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.sale import Outcome, simulate


def _tried(seed: int) -> tuple[int, Outcome | None, str]:
    try:
        return seed, simulate(seed), ""
    except Exception as error:
        return seed, None, repr(error)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one, and print its trace")
    parser.add_argument("--seeds", type=int, default=200, help="run so many")
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    if asked.seed is not None:
        outcome = simulate(asked.seed)
        print("\n".join(outcome.trace))
        print(f"seed {outcome.seed}: {outcome.commits} commits, {outcome.crashes} crashes, {outcome.outcomes}")
        print(f"trace {outcome.digest}")
        return
    started, failed, totals = time.monotonic(), [], Counter[str]()
    with ProcessPoolExecutor() as pool:
        for done, (seed, outcome, error) in enumerate(
            pool.map(_tried, range(asked.first, asked.first + asked.seeds)), 1
        ):
            if outcome is None:
                failed.append(seed)
                print(f"\nseed {seed}: {error}")
            else:
                totals.update(outcome.outcomes)
            print(f"\r{done}/{asked.seeds} seeds, {len(failed)} failed", end="", flush=True)
    print(f"\nin {time.monotonic() - started:.0f} s; fans: {dict(totals.most_common())}")
    if failed:
        raise SystemExit(f"failed seeds: {failed}")


if __name__ == "__main__":
    main()

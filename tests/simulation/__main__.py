"""`python -m tests.simulation --seed N` runs one sale and shows it; `--seeds N` runs many."""

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation import world
from tests.simulation.on_dynamodb import OnDynamoDB
from tests.simulation.races import simulate_race
from tests.simulation.replicas import Replicas
from tests.simulation.sale import simulate
from tests.simulation.world import World

REPLICAS = {"memory": Replicas, "dynamodb": OnDynamoDB}


def _on(engine: str) -> None:
    """Every process of the pool runs on this store."""
    world.ENGINE = engine


def _tried(seed: int) -> tuple[int, dict[str, int], str]:
    try:
        return seed, simulate(seed).outcomes, ""
    except Exception as error:
        return seed, {}, repr(error)


def _replicated(seed: int) -> tuple[int, dict[str, int], str]:
    try:
        return seed, simulate(seed, REPLICAS[world.ENGINE]).outcomes, ""
    except Exception as error:
        return seed, {}, repr(error)


def _raced(seed: int) -> tuple[int, dict[str, int], str]:
    try:
        return seed, {simulate_race(seed): 1}, ""
    except Exception as error:
        return seed, {}, repr(error)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one, and print its trace")
    parser.add_argument("--seeds", type=int, default=200, help="run so many")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--engine", choices=sorted(world.STORES), default="memory", help="what the store is")
    parser.add_argument("--races", action="store_true", help="races of one reservation instead of whole sales")
    parser.add_argument("--replicas", action="store_true", help="two to four processes on one store")
    parser.add_argument("--processes", type=int, help="how many at once; as many as there are cores")
    asked = parser.parse_args()
    _on(asked.engine)
    if asked.seed is not None:
        outcome = simulate(asked.seed, REPLICAS[asked.engine] if asked.replicas else World)
        print("\n".join(outcome.trace))
        print(f"seed {outcome.seed}: {outcome.commits} commits, {outcome.crashes} crashes, {outcome.outcomes}")
        print(f"trace {outcome.digest}")
        return
    started, failed, totals = time.monotonic(), [], Counter[str]()
    with ProcessPoolExecutor(asked.processes, initializer=_on, initargs=(asked.engine,)) as pool:
        tried = _raced if asked.races else _replicated if asked.replicas else _tried
        for done, (seed, outcomes, error) in enumerate(
            pool.map(tried, range(asked.first, asked.first + asked.seeds)), 1
        ):
            if error:
                failed.append(seed)
                print(f"\nseed {seed}: {error}")
            totals.update(outcomes)
            print(f"\r{done}/{asked.seeds} seeds, {len(failed)} failed", end="", flush=True)
    print(f"\nin {time.monotonic() - started:.0f} s: {dict(totals.most_common())}")
    if failed:
        raise SystemExit(f"failed seeds: {failed}")


if __name__ == "__main__":
    main()

"""`python -m tests.fuzz --minutes 60`: a platform of its own, attacked from all sides at once.

Fails on any bug in an answer or in the log, on a 5xx that is not "busy", on a promise broken, and on memory that
goes on growing. Prints its seed; the same seed sends the same requests.
"""

import argparse
import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.e2e.process import Shopper, UpProcess
from tests.fuzz.attacks import Target, event_files, grpc_messages, http_requests

EVENT = "evt_taco_club"
FOUND_MAX = 50
SHOWN_SECONDS = 5.0
GROWTH_BYTES_MAX = 200_000_000  # between the middle and the end of a run: caches are full by then
ATTACKS = {"grpc": grpc_messages, "http": http_requests, "files": event_files}


class Tally:
    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.found: list[str] = []

    def count(self, attack: str, finding: str) -> None:
        self.requests[attack] += 1
        if finding and len(self.found) < FOUND_MAX:
            self.found.append(f"{attack}: {finding}")
            print(f"\nFOUND {self.found[-1][:2000]}", flush=True)


def begun(folder: Path) -> Target:
    """A platform in which a few things are known: a held reservation, an intent, a place in the queue."""
    platform = UpProcess(folder / "data", "--time-scale", "10").start()
    tokens = tuple(platform.token(role, name) for role, name in (("user", "ana"), ("service", "fuzz"), ("admin", "op")))
    client = platform.client()
    for limit in ("fan_per_second", "service_per_second", "address_per_second"):
        fields = {"service": "gateway", "config_key": f"limits.{limit}", "config_value": "0"}
        client("common.v1.AdminService", "UpdateConfig", {**fields, "reason": "fuzzing"}, tokens[2])
    shopper = Shopper(client, tokens[0], "ana", EVENT)
    shopper.join()
    shopper.wait_for_turn()
    shopper.be_admitted()
    held = shopper.reserve()
    shopper.pay()
    known = {
        "event_id": [EVENT],
        "user_id": ["ana", "ben"],
        "session_id": ["ana", "ben"],
        "reservation_id": [held.reservation_id],
        "payment_intent_id": [shopper.acknowledged["paid"]],
        "reservation_token": [shopper.acknowledged["reservation_token"]],
        "waiting_token": [shopper.acknowledged["waiting_token"]],
        "seat_ids": ["SEATS-A-1", "FLOOR-S1-1"],
        "idempotency_key": ["k1", "k2", "k3"],
        "currency": ["KRW", "EUR", "CLF", "KWR"],
        "webhook_url": ["http://127.0.0.1:9/hook"],
        "endpoint_url": ["http://127.0.0.1:9/hook"],
        "service": ["queue", "worker", "gateway"],
        "source": ["payment-sim-api", "fuzz"],
    }
    return Target(platform, tokens, known)


async def attacked(target: Target, seed: str, seconds: float, tally: Tally) -> list[int]:
    """Attack for so long; how much memory the platform had, now and then."""
    until, memory = time.monotonic() + seconds, []

    async def run(name: str, attack: Callable[[Target, random.Random], AsyncIterator[str]]) -> None:
        async for finding in attack(target, random.Random(f"{seed}-{name}")):
            tally.count(name, finding)
            if time.monotonic() > until:
                return

    async with asyncio.TaskGroup() as tasks:
        for name, attack in ATTACKS.items():
            tasks.create_task(run(name, attack))
        while time.monotonic() < until:
            await asyncio.sleep(min(SHOWN_SECONDS, seconds / 4))
            memory.append(target.platform.memory_bytes())
            shown = ", ".join(f"{count} {name}" for name, count in tally.requests.items())
            left = max(0, until - time.monotonic())
            print(
                f"\r{shown}; {len(tally.found)} found; {memory[-1] >> 20} MiB; {left:.0f} s left ", end="", flush=True
            )
    return memory


def described(target: Target, seed: str, seconds: float, tally: Tally) -> None:
    """schemathesis over /openapi.json, when it is installed (make fuzz installs it)."""
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    if program is None:
        print("schemathesis is not installed; skipped")
        return
    checks = "not_a_server_error,content_type_conformance,unsupported_method,ignored_auth,response_schema_conformance"
    answer = subprocess.run(
        [program, "run", f"http://{target.platform.http}/openapi.json", "--checks", checks, "--no-color",
         "--max-time", str(round(seconds)), "--header", f"Authorization: Bearer {target.tokens[0]}",
         "--seed", str(random.Random(seed).getrandbits(32)), "--phases", "coverage,fuzzing", "--continue-on-failure"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(answer.stdout[-6000:], answer.stderr[-2000:])
    tally.count("openapi", f"schemathesis: {answer.stdout[-4000:]}" if answer.returncode else "")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", default=str(random.SystemRandom().getrandbits(32)))
    asked = parser.parse_args()
    seconds = asked.minutes * 60
    print(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        target, tally = begun(Path(folder)), Tally()
        try:
            memory = asyncio.run(attacked(target, asked.seed, seconds * 0.75, tally))
            described(target, asked.seed, seconds * 0.25, tally)
            if not target.platform.is_running():
                tally.count("platform", "it ended by itself")
        finally:
            target.platform.ensure_stopped()
        log = target.platform.log.read_text()
        for line in log.splitlines():
            if '"bug"' in line or "Traceback" in line:
                tally.count("log", line[:1500])
        grown = memory[-1] - memory[len(memory) // 2]
        if grown > GROWTH_BYTES_MAX:
            tally.count("memory", f"{grown >> 20} MiB more at the end than in the middle: {memory}")
        target.platform.verify()
    print(f"\n{sum(tally.requests.values())} requests, {len(tally.found)} found; the log has {len(log) >> 10} KiB")
    if tally.found:
        raise SystemExit(f"seed {asked.seed} found {len(tally.found)}")


if __name__ == "__main__":
    main()

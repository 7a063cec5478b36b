"""Load: prepared requests, so many at once, from this process; or h2load where one request will do."""

import asyncio
import re
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

import grpc

H2LOAD = shutil.which("h2load")


class Measured(NamedTuple):
    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


async def callers(
    address: str, path: str, bodies: Sequence[bytes], tokens: Sequence[str], at_once: int
) -> tuple[Measured, list[bytes]]:
    """Send every body once, `at_once` at a time; the answers in the order of the bodies."""
    answers: list[bytes] = [b""] * len(bodies)
    took: list[float] = []
    indexes = iter(range(len(bodies)))
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(path)

        async def caller() -> None:
            for index in indexes:
                metadata = (("authorization", f"Bearer {tokens[index]}"),) if tokens else ()
                begun = time.perf_counter()
                answers[index] = await call(bodies[index], timeout=30, metadata=metadata)
                took.append(time.perf_counter() - begun)

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(at_once)))
        seconds = time.perf_counter() - started
    took.sort()
    return Measured(len(bodies), seconds, *(took[len(took) * share // 100] * 1000 for share in (50, 95, 99))), answers


def h2load(address: str, path: str, body: bytes, requests: int) -> Measured:
    """One request over and over, from h2load on the same cores."""
    assert H2LOAD is not None
    with tempfile.NamedTemporaryFile() as data:
        data.write(b"\x00" + struct.pack(">I", len(body)) + body)
        data.flush()
        headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        shape = ["-n", str(requests), "-c", "8", "-m", "32", "-t", "1"]
        run = subprocess.run(
            [H2LOAD, *shape, *headers, "-d", data.name, f"http://{address}{path}"],
            capture_output=True,
            text=True,
            check=True,
        )
    seconds = float(re.search(r"finished in ([\d.]+)(m?s)", run.stdout)[1])
    seconds /= 1000 if "ms," in run.stdout.split("finished in")[1][:20] else 1
    succeeded = int(re.search(r"(\d+) succeeded", run.stdout)[1])
    return Measured(succeeded, seconds, *[float("nan")] * 3)

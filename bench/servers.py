"""Processes under measurement: started for it, and how much CPU and memory they take."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import load

TACOS = [sys.executable, "-c", "from traffic_tacos.cli import main; main()"]
STARTED_WITHIN = 120
CLOCK_OF_A_PROCESS = 2  # the clock that clock_getcpuclockid(3) gives for a process id; Linux


@contextmanager
def echo(kind: str) -> Iterator[tuple[int, str]]:
    """A bare echo on this kind of server: its pid and address."""
    address = f"127.0.0.1:{free_port()}"
    with _running([sys.executable, "-m", "bench.echo", kind, address], address) as pid:
        yield pid, address


@contextmanager
def platform(data: Path, *arguments: str) -> Iterator[tuple[int, str]]:
    """`tacos up` on this data folder: its pid and address."""
    address = f"127.0.0.1:{free_port()}"
    where = ["--data", str(data), "--grpc", address, "--http", f"127.0.0.1:{free_port()}"]
    with _running([*TACOS, "up", *where, *arguments], address) as pid:
        yield pid, address


def cpu_us(pid: int, run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU microseconds (user and system) per request of the process while `run` ran, and what it measured."""
    before = cpu_seconds(pid)
    result = run()
    spent = cpu_seconds(pid) - before
    measured = result if isinstance(result, load.Measured) else result[0]
    return spent * 1e6 / measured.requests, result


def cpu_seconds(pid: int) -> float:
    """What all threads of the process have used, to the nanosecond: /proc counts in hundredths of a second."""
    return time.clock_gettime(~pid << 3 | CLOCK_OF_A_PROCESS)


def memory_bytes(pid: int) -> int:
    """Resident memory of the process now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def _running(command: list[str], address: str) -> Iterator[int]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            host, port = address.split(":")
            deadline = time.monotonic() + STARTED_WITHIN
            while time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex((host, int(port))) == 0:
                        break
                time.sleep(0.05)
            time.sleep(0.5)
            yield process.pid
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

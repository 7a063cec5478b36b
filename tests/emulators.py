"""What speaks as DynamoDB does, on this machine, for as long as a test takes. `make engines` installs it."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

ENGINES = Path(__file__).parents[1] / ".venv-engines" / "bin"
STARTED_WITHIN = 30
MISSING = "there are no emulators here: `make engines` installs them"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Its address. Everything is in memory."""
    port = free_port()
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "dynamodb"}
    with _running(["ministack"], port, folder, settings) as address:
        yield address


@contextmanager
def roto(folder: Path) -> Iterator[str]:
    """A second opinion, by others."""
    port = free_port()
    with _running(
        ["roto-server", "--host", "127.0.0.1", "--port", str(port), "--ephemeral"], port, folder, {}
    ) as address:
        yield address


@contextmanager
def losing_answers(upstream: str, actions: Sequence[str], probability: float, folder: Path) -> Iterator[str]:
    """Before an engine: of these actions some are carried out, and their answers never arrive."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    lost = {"probability": probability, "response": {"abort_bytes": 0}}
    rules = [{"service": "dynamodb", "operation": action} | lost for action in actions]
    settings = {"upstream": upstream, "port": port, "host": "127.0.0.1", "rules": rules}
    (folder / "rules.yaml").write_text(yaml.safe_dump(settings))
    with _running(["microburst", "--config", "rules.yaml"], port, folder, {}) as address:
        yield address


@contextmanager
def _running(command: list[str], port: int, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    if not (ENGINES / command[0]).exists():
        pytest.skip(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [str(ENGINES / command[0]), *command[1:]],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(folder), **settings},
        )
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "engine.log").read_text()[-2000:]
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


def found_as(address: str) -> dict[str, str]:
    """The environment in which AWS's own tools find this engine."""
    return {
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_DYNAMODB": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }

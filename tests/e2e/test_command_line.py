"""`tacos` as a person and as a program meet it: its answers, its errors, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e import process
from tests.e2e.process import UpProcess

EVENT = "evt_hundred"
NOWHERE = "127.0.0.1:9"
INSTALLED = Path(sys.executable).with_name("tacos")


def tacos(*arguments, **environment):
    """In a terminal that is narrower than any message."""
    return process.tacos(*arguments, **{"COLUMNS": "40", **environment})


def error_of(answer, code):
    """The one line that a failed command says, on standard error."""
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


def test_it_says_its_version_and_where_its_options_come_from():
    assert tacos("--version").stdout.startswith("tacos 0.")
    for command in (["event", "list"], ["buy"], ["admin", "health"], ["queue", "watch"], ["verify"], ["up"]):
        helped = tacos(*command, "--help", COLUMNS="200").stdout
        assert "TACOS_GRPC" in helped
        assert "TACOS_DATA" in helped or command == ["event", "list"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A data folder with keys, and no platform on it."""
    data = tmp_path_factory.mktemp("keys") / "data"
    process = UpProcess(data)
    process.start()
    assert process.stop() == 0
    return data


@pytest.mark.parametrize(
    "command",
    [
        "buy evt_hundred",
        "event list",
        "event show evt_hundred",
        "event create examples/events/club.yaml",
        "event block evt_hundred SEAT --reason x",
        "queue watch evt_hundred --once",
        "queue stop --reason x",
        "draw show evt_hundred",
        "draw verify evt_hundred",
        "webhook list",
        "webhook dead",
        "reconcile",
        "admin health",
        "admin metrics",
        "admin logs",
        "admin settings",
        "admin audit",
        "admin set maintenance x --reason x",
    ],
)
def test_nothing_answers_is_said_with_the_address(command, keys):
    answer = tacos(*command.split(), TACOS_GRPC=NOWHERE, TACOS_DATA=str(keys))
    assert f"nothing answers at {NOWHERE}" in error_of(answer, 1)


def test_a_platform_that_cannot_be_asked_for_its_invariants_is_named(keys):
    answer = tacos("verify", TACOS_GRPC=NOWHERE, TACOS_DATA=str(keys))
    assert f"nothing answers at {NOWHERE}" in error_of(answer, 1)
    assert tacos("verify", "--data", str(keys), TACOS_GRPC=NOWHERE).returncode == 0


def unusable(kind: str, folder: Path, keys: Path) -> Path:
    """A data folder that cannot be used, and why."""
    data = folder / "data"
    if kind == "not a folder":
        data.write_text("x")
    elif kind == "nowhere":
        return Path("/proc/nope")
    else:
        subprocess.run(["cp", "-r", str(keys), str(data)], check=True)
        (data / "store.db-wal").unlink(missing_ok=True)
        broken = {"store": data / "store.db", "key": data / "keys" / "signing.pem"}[kind.split()[0]]
        broken.unlink()
        if kind.endswith("folder"):
            broken.mkdir()
        else:
            broken.write_text("nonsense " * 100)
    return data


@pytest.mark.parametrize(
    "kind", ["not a folder", "nowhere", "store garbage", "store folder", "key garbage", "key folder"]
)
@pytest.mark.parametrize("command", ["up", "token --user ana", "verify", "keys rotate"])
def test_a_data_folder_that_cannot_be_used_is_named(kind, command, keys, tmp_path):
    if kind.startswith("key") and command == "verify":
        return  # reads no keys
    if kind.startswith("store") and command not in ("up", "verify"):
        return  # reads no store
    data = unusable(kind, tmp_path, keys)
    where = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0") if command == "up" else ()
    answer = tacos(*command.split(), *where, "--data", str(data))
    assert answer.returncode in (1, 2)
    assert str(data) in error_of(answer, answer.returncode)


def test_lists_are_whole_on_a_pipe_and_json_for_programs(up):
    platform = up()
    where = {"TACOS_GRPC": platform.grpc, "TACOS_DATA": str(platform.data)}
    assert tacos("buy", EVENT, **where).returncode == 0
    for command, known in [
        ("event list", EVENT),
        ("admin settings", "limits.service_per_second"),
        ("admin metrics", "gateway.v1.GatewayService/CreateReservation"),
        ("admin health", "waiting_room"),
        ("admin audit", None),
        ("admin logs", None),
        ("queue watch evt_hundred --once", EVENT),
        ("webhook list", None),
        ("webhook dead", None),
        ("reconcile --dry-run", None),
        ("verify", "no seat"),
        ("event show evt_hundred", None),
        ("draw show evt_hundred", None),
    ]:
        if not command.startswith("draw"):
            shown = tacos(*command.split(), **where)
            assert shown.returncode == 0, shown.stderr
            assert "…" not in shown.stdout
            assert known is None or known in shown.stdout, command
            asked = tacos(*command.removesuffix(" --once").split(), "--json", **where)
            assert asked.returncode == 0, asked.stderr
            json.loads(asked.stdout)
    (listed,) = [one for one in json.loads(tacos("event", "list", "--json", **where).stdout) if one["event"] == EVENT]
    assert (listed["seats"], listed["sale"]) == (100, "open")


def test_buying_is_checked_before_anybody_joins_and_a_decline_is_called_one(up):
    platform = up()
    where = {"TACOS_GRPC": platform.grpc, "TACOS_DATA": str(platform.data)}
    for arguments, code, said in [
        (["evt_none"], 1, "there is no event evt_none"),
        ([EVENT, "--quantity", "0"], 2, "quantity: must be 1 to"),
        ([EVENT, "--quantity", "700"], 2, "quantity: must be 1 to"),
        ([EVENT, "--seats", "NOWHERE-1"], 2, "seats: must be seats of evt_hundred"),
        ([EVENT, "--scenario", "luck"], 2, "scenario: must be one of"),
    ]:
        assert said in error_of(tacos("buy", *arguments, **where), code)
    line = json.loads(tacos("queue", "watch", EVENT, "--json", **where).stdout)
    assert "0 now of" in next(one["value"] for one in line if one["figure"] == "admitted")
    declined = tacos("buy", EVENT, "--scenario", "fail", **where)
    assert "declined" in error_of(declined, 1)


def listens_to_ctrl_c() -> None:
    """As in a terminal: what a shell starts in the background ignores it, and so would what that starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_whoever_waits_is_told_their_place_and_time_and_ctrl_c_ends_it_cleanly(up):
    platform = up()
    where = {"TACOS_GRPC": platform.grpc, "TACOS_DATA": str(platform.data)}
    assert tacos("queue", "stop", EVENT, "--reason", "a test", **where).returncode == 0
    buying = subprocess.Popen(
        [INSTALLED, "buy", EVENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **where, "PYTHONUNBUFFERED": "1"},
        preexec_fn=listens_to_ctrl_c,
    )
    assert buying.stdout is not None
    lines = [buying.stdout.readline(), buying.stdout.readline()]
    assert "joined the queue" in lines[0]
    assert "waiting at place 1" in lines[1]
    buying.send_signal(signal.SIGINT)
    _, errors = buying.communicate(timeout=10)
    assert (buying.returncode, errors) == (130, "")


@pytest.mark.skipif(not INSTALLED.exists(), reason="the console script is not installed here")
def test_the_command_that_a_start_prints_can_be_run_as_it_is_printed(tmp_path):
    process = UpProcess(tmp_path / "data")
    process.executable = os.path.relpath(INSTALLED)
    process.start()
    try:
        deadline = time.monotonic() + 10
        while "In a browser" not in (told := process.log.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        line = next(line for line in told.splitlines() if line.startswith("Buy two tickets"))
        assert line.split(":", 1)[1].split()[0] == os.path.relpath(INSTALLED)
        page = next(line for line in told.splitlines() if line.startswith("In a browser")).split()[-1]
        with urlopen(page) as response:
            assert "text/html" in response.headers["content-type"]
    finally:
        process.stop()

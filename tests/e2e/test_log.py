"""The log as an operator reads it: what started, what was changed, what was refused, and each call when asked for."""

import json
import time

from tests.e2e.process import GATEWAY

EVENT = "evt_hundred"


def lines(platform, event, level="debug"):
    """The lines of one kind that the platform has kept, by its own public answer."""
    answer = platform.tacos(
        "admin", "logs", "--json", "--limit", "1000", "--level", level,
        "--data", str(platform.data), "--grpc", platform.grpc,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert all(line["trace_id"] for line in found)
    return [line for line in found if line["event"] == event]


def until(look, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return found


def test_starts_changes_and_refusals_are_told_and_a_thousand_refusals_are_a_line_or_two(up):
    platform = up()
    (started,) = lines(platform, "platform_started")
    assert (started["grpc"], started["http"], started["events"]) == (platform.grpc, platform.http, "1")
    assert started["version"]
    assert started["data"] == str(platform.data)
    client, token = platform.client(), platform.token("user", "ana")
    for number in range(300):
        client(GATEWAY, "GetReservation", {"reservation_id": f"rsv_{number}"}, token)
    refused = until(lambda: lines(platform, "calls_refused"))
    about = [one for one in refused if one["method"] == "/gateway.v1.GatewayService/GetReservation"]
    assert 1 <= len(about) <= 4
    assert about[0]["code"] in ("ERROR_CODE_NOT_FOUND", "ERROR_CODE_RATE_LIMITED")
    where = ["--data", str(platform.data), "--grpc", platform.grpc]
    stopped = platform.tacos("queue", "stop", EVENT, "--reason", "a fire alarm", "--as", "ana.operator", *where)
    assert stopped.returncode == 0
    (action,) = lines(platform, "operator_action")
    assert (action["actor"], action["reason"], action["new"]) == ("ana.operator", "a fire alarm", "true")
    assert platform.stop() == 0
    told = [json.loads(line) for line in platform.log.read_text().splitlines() if line.startswith("{")]
    assert [one["event"] for one in told if one["event"].startswith("platform_")] == [
        "platform_started",
        "platform_stopping",
        "platform_stopped",
    ]
    assert token not in platform.log.read_text()


def test_every_call_is_told_when_the_level_is_debug_and_none_otherwise(up):
    platform = up()
    where = ["--data", str(platform.data), "--grpc", platform.grpc]
    assert platform.tacos("buy", EVENT, *where).returncode == 0
    assert lines(platform, "call") == []
    set_level = ["admin", "set", "log.level"]
    assert platform.tacos(*set_level, "debug", "--reason", "a test", *where).returncode == 0
    assert platform.tacos("buy", EVENT, *where).returncode == 0
    calls = {one["method"].rpartition("/")[2]: one for one in lines(platform, "call")}
    for method, role in (("JoinQueue", "fan"), ("GetQueueStatus", "anonymous"), ("ProcessPayment", "fan")):
        assert (calls[method]["role"], calls[method]["code"]) == (role, "OK")
        assert int(calls[method]["ms"]) >= 0
    assert platform.tacos(*set_level, "", "--reason", "a test", *where).returncode == 0
    before = len(lines(platform, "call"))
    assert platform.tacos("buy", EVENT, *where).returncode == 0
    assert len(lines(platform, "call")) == before

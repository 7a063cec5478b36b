"""The clients of others, under Node, where a machine has Node and its package registry: connect-node and grpc-js.

They are pinned in tests/node/package-lock.json, and installed from there by `make node-clients`.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "node"
NPM, NODE = shutil.which("npm"), shutil.which("node")
OK = {"status": "OK"}


@pytest.fixture
def clients(tmp_path) -> Path:
    """Where the clients are, installed: by make, or else here."""
    if NPM is None or NODE is None:
        pytest.skip("there is no Node here")
    if (CLIENTS / "node_modules").is_dir():
        return CLIENTS
    folder = tmp_path / "node"
    shutil.copytree(CLIENTS, folder)
    installed = subprocess.run([NPM, "ci"], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if installed.returncode:
        pytest.skip(f"npm could not install: {installed.stderr[-200:]}")
    return folder


def cases(clients: Path, script: str, platform, *addresses: str) -> list[dict]:
    """What each case of a script came to."""
    run = subprocess.run(
        [NODE, script, *addresses],
        cwd=clients,
        env={
            **os.environ,
            "TOKEN": platform.token("user", "ana"),
            "EVENT": "evt_hundred",
            "CONTRACT": str(ROOT / "proto" / "baseline.binpb"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


DETAILED = {"hasDetail": True}
ENDS_BY_ITSELF = "a stream of one's own"  # after the time that its client gives it
# What connect-node makes of each case, over every transport.
CONNECT = {
    "an answer": {"healthy": True},
    "a join": {"hasToken": True},
    "its stream": {"messages": 1},
    ENDS_BY_ITSELF: {"messages": 0, "code": "DeadlineExceeded", "field": ""},
    "a stream that is refused": {"messages": 0, "code": "PermissionDenied", "field": "", **DETAILED},
    "a stream without a token": {"messages": 0, "code": "Unauthenticated", "field": "", **DETAILED},
    "nothing there": {"code": "NotFound", "field": "", **DETAILED},
    "a wrong field": {"code": "InvalidArgument", "field": "session_id", **DETAILED},
    "no token": {"code": "Unauthenticated", "field": "", **DETAILED},
    "not for fans": {"code": "PermissionDenied", "field": "", **DETAILED},
}
# Over gRPC a refusal is the response's `error` unless the caller asks for a status, so these are answers.
IN_RESPONSE = ("nothing there", "a wrong field", "no token", "not for fans")
TRANSPORTS = ("Connect, JSON", "Connect, protobuf", "Connect, JSON, gzip", "Connect, protobuf, gzip", "gRPC")


def test_connect_node(up, clients):
    platform = up()
    found = cases(clients, "connect.js", platform, f"http://{platform.http}", f"http://{platform.grpc}")
    came = {(one.pop("transport"), one.pop("case")): one for one in found}
    assert set(came) == {(transport, case) for transport in TRANSPORTS for case in CONNECT}
    for (transport, case), one in came.items():
        if transport == "gRPC" and case in IN_RESPONSE:
            assert "error" in one.get("answered", ()), (transport, case, one)
        else:
            if case == ENDS_BY_ITSELF:
                del one["hasDetail"]  # only when it is the server whose clock is first
            assert one == CONNECT[case], (transport, case)


GRPC = {
    "an answer": {**OK, "error": "", "field": ""},
    "a join": {**OK, "error": "", "field": "", "hasToken": True},
    "its stream": {"messages": 1, "status": "CANCELLED"},
    "a stream that has no more time": {"messages": 0, "status": "DEADLINE_EXCEEDED"},
    "a stream that is refused": {"messages": 0, "status": "PERMISSION_DENIED"},
    "nothing there, in the response": {**OK, "error": "ERROR_CODE_NOT_FOUND", "field": ""},
    "nothing there, as a status": {"status": "NOT_FOUND", "hasDetails": True, "code": "ERROR_CODE_NOT_FOUND"},
    "a wrong field, in the response": {**OK, "error": "ERROR_CODE_INVALID_ARGUMENT", "field": "session_id"},
    "a wrong field, as a status": {
        "status": "INVALID_ARGUMENT",
        "hasDetails": True,
        "code": "ERROR_CODE_INVALID_ARGUMENT",
    },
    "no token, in the response": {**OK, "error": "ERROR_CODE_UNAUTHENTICATED", "field": ""},
    "no token, as a status": {"status": "UNAUTHENTICATED", "hasDetails": True, "code": "ERROR_CODE_UNAUTHENTICATED"},
    "an unknown mode": {"status": "INVALID_ARGUMENT", "hasDetails": True, "code": "ERROR_CODE_INVALID_ARGUMENT"},
    "no time": {"status": "DEADLINE_EXCEEDED", "hasDetails": False, "code": ""},
}


@pytest.mark.parametrize("server", ["native", "grpcio"])
def test_grpc_js(up, clients, server):
    platform = up("--server", server)
    found = cases(clients, "grpc.js", platform, platform.grpc)
    assert {one.pop("case"): one for one in found} == GRPC

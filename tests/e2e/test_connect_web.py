"""The example for `@connectrpc/connect-web`, under Node, where a machine has Node and its package registry."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NPM, NODE = shutil.which("npm"), shutil.which("node")


@pytest.fixture
def example(tmp_path):
    """The example as it stands in the repository, with what it needs beside it."""
    if NPM is None or NODE is None:
        pytest.skip("there is no Node here")
    folder = tmp_path / "examples" / "connect-web"
    shutil.copytree(ROOT / "examples" / "connect-web", folder, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "proto").mkdir()
    shutil.copy(ROOT / "proto" / "baseline.binpb", tmp_path / "proto")
    installed = subprocess.run([NPM, "ci"], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if installed.returncode:
        pytest.skip(f"npm could not install: {installed.stderr[-200:]}")
    return folder


def test_a_purchase_as_a_browser_makes_it_in_json_and_in_protobuf(up, example):
    platform = up()
    bought = subprocess.run(
        [NODE, "buy.js", "evt_hundred", "ana", f"http://{platform.http}"],
        cwd=example,
        env={**os.environ, "TOKEN": platform.token("user", "ana")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert bought.returncode == 0, bought.stdout + bought.stderr
    said = bought.stdout.splitlines()
    for line, refused, name in zip(said[::2], said[1::2], ("JSON", "protobuf"), strict=True):
        assert line.startswith(f"{name}: MAIN-")
        assert "order ord_" in line
        assert refused == f"{name}: [not_found] reservation_id: there is no reservation rsv_none"
    platform.verify()

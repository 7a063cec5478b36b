"""The pages' commands, run as they stand against a platform, and what they promise of a backup."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from tests.e2e.forking import command
from tests.e2e.process import UpProcess
from tests.e2e.test_examples import EVENT

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CLUB = ROOT / "examples" / "events" / "club.yaml"


def script(page: Path) -> str:
    """The commands of a page's `console` blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return "\n".join(line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line[:2] == "$ ")


PAGES = [page for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))) if script(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_does_what_it_should(page, up, tmp_path):
    platform = up("--event", str(CLUB))
    commands = (
        script(page).replace(".venv/bin/tacos", "tacos").replace("http://127.0.0.1:8080", f"http://{platform.http}")
    )
    if "curl" in commands and not shutil.which("curl"):
        pytest.skip("there is no curl")
    folder, inherited = command(tmp_path)
    path = f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    where = {"TACOS_DATA": str(platform.data), "TACOS_GRPC": platform.grpc, "TACOS_HTTP": platform.http, "PATH": path}
    done = subprocess.run(
        ["bash", "-exuo", "pipefail", "-c", commands],
        cwd=ROOT, env=os.environ | where, capture_output=True, text=True, check=False, timeout=100,
        pass_fds=[inherited],
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_the_pages_with_commands_are_all_there():
    assert len(PAGES) >= 6


def test_the_python_that_verifies_a_webhook_takes_ours_and_nothing_else():
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "integration.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"type": "payment.approved"}'
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body.decode()),
    }
    check = names["is_from_the_platform"]
    assert check(secret, body, headers) is True
    assert check(secret, body + b" ", headers) is False


def test_a_copied_folder_is_a_backup(up, tmp_path):
    platform = up()
    where = ("--data", str(platform.data), "--grpc", platform.grpc)
    assert platform.tacos("buy", EVENT, "--quantity", "2", *where).returncode == 0
    platform.stop()
    shutil.copytree(platform.data, tmp_path / "copy")
    restored = UpProcess(tmp_path / "copy")
    assert restored.tacos("verify", "--data", str(tmp_path / "copy")).returncode == 0
    try:
        restored.start()
        shown = httpx.get(f"http://{restored.http}/api/v1/events/{EVENT}/availability").json()
        assert shown["total_available"] == 98
        assert restored.tacos("verify", "--data", str(tmp_path / "copy")).returncode == 0
    finally:
        restored.ensure_stopped()

"""What checks the files in deploy/. `make deploy-checks` installs it in an environment of its own."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_BIN = ROOT / ".venv-deploy" / "bin"
_SECONDS_MAX = 60


def checked(tool: str, *arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """What a tool says; skips the test where it is not installed."""
    if not (_BIN.parent / ".installed").exists():
        pytest.skip("what checks deploy/ is not here: `make deploy-checks` installs it")
    return subprocess.run(
        [_BIN / tool, *map(str, arguments)],
        input=given, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX, cwd=ROOT,
    )  # fmt: skip


def faults_of(kind: str, things: Sequence[object]) -> list[str]:
    """What a validator of `validators.py` finds in each; empty for nothing."""
    said = checked("python", Path(__file__).with_name("validators.py"), kind, given=json.dumps(things))
    assert said.returncode == 0, said.stderr
    found: list[str] = json.loads(said.stdout)
    return found

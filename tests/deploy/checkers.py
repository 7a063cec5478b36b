"""What checks the files in deploy/. `make deploy-checks` installs it in an environment of its own."""

import subprocess
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

"""The pages' scripts have types, in their comments; TypeScript checks them where Node is."""

import shutil
import subprocess
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "src" / "traffic_tacos" / "web" / "static"
TSC = Path(__file__).parents[1] / "node" / "node_modules" / ".bin" / "tsc"
OPTIONS = [
    "--noEmit", "--allowJs", "--checkJs", "--strict", "--noUnusedLocals", "--target", "es2022", "--module", "es2022",
    "--moduleResolution", "bundler", "--lib", "es2023,dom,dom.iterable",
]  # fmt: skip


@pytest.mark.skipif(not TSC.exists() or shutil.which("node") is None, reason="`make node-clients` installs TypeScript")
def test_the_scripts_of_the_pages_have_no_type_errors():
    entries = sorted(
        str(file) for folder in ("account", "fan", "scan", "i18n") for file in (STATIC / folder).rglob("*.js")
    )
    assert entries
    checked = subprocess.run([TSC, *OPTIONS, *entries], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")

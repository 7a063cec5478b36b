"""The lock files are complete: whatever a pinned package needs, with the extras it is asked for, is pinned too.

`make` installs from them without resolving, so what is missing here would be missing on a fresh machine. A package
that is not installed on this machine (it is pinned for another one) cannot be asked what it needs, and is passed over.
"""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


def environments() -> Iterator[dict[str, str]]:
    for python in PYTHONS:
        for platform, system in PLATFORMS.items():
            yield {
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": platform,
                "platform_system": system,
                "os_name": "nt" if platform == "win32" else "posix",
            }


def pins(text: str) -> list[Requirement]:
    lines = text.replace("\\\n", " ").splitlines()
    return [Requirement(line.partition(" --hash")[0]) for line in lines if line and line[0] not in " #"]


def holds(requirement: Requirement, environment: dict[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})


@cache
def described(package: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in requires(package) or ()]
    except PackageNotFoundError:
        return []


def needs(pin: Requirement, environment: dict[str, str]) -> list[Requirement]:
    return [one for one in described(pin.name) if any(holds(one, environment, extra) for extra in ("", *pin.extras))]


def unmet(wanted: Iterable[Requirement], locked: list[Requirement], environment: dict[str, str]) -> list[str]:
    """What is wanted and not pinned at a version, and with the extras, that would do."""
    here = {canonicalize_name(pin.name): pin for pin in locked if holds(pin, environment)}
    missing = []
    for one in wanted:
        pin = here.get(canonicalize_name(one.name))
        fits = pin is not None and one.specifier.contains(str(pin.specifier).removeprefix("=="), prereleases=True)
        if pin is None or not fits or not one.extras <= pin.extras:
            missing.append(f"{one} ({environment['python_version']}, {environment['sys_platform']})")
    return missing


def open_ends(lock: str, wanted: list[str]) -> set[str]:
    """What is asked for, by the project or by a pinned package, and is not in the lock."""
    locked = pins(lock)
    found: set[str] = set()
    for environment in environments():
        asked = [one for one in map(Requirement, wanted) if holds(one, environment)]
        for pin in locked:
            if holds(pin, environment):
                asked += needs(pin, environment)
        found.update(unmet(asked, locked, environment))
    return found


def asked_for(*groups: str, extras: bool = False) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    for group in groups:
        wanted += project["dependency-groups"][group]
    if extras:
        for extra in project["project"]["optional-dependencies"].values():
            wanted += extra
    return wanted


LOCKS = {
    "requirements.lock": asked_for("build"),
    "requirements-dev.lock": asked_for("build", "dev", extras=True),
    "requirements-fuzz.lock": asked_for("fuzz"),
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_all_that_its_packages_need(lock: str):
    assert open_ends((ROOT / lock).read_text(), LOCKS[lock]) == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_each_package_by_hash_and_names_no_index(lock: str):
    text = (ROOT / lock).read_text()
    blocks = text.replace("\\\n", " ").splitlines()
    assert all("==" in line and "--hash=sha256:" in line for line in blocks if line and line[0] not in " #")
    assert "://" not in text


@pytest.mark.parametrize(
    "broken, missing",
    [
        (("coverage[toml]==", "coverage=="), "coverage[toml]"),
        (("pluggy==1.", "pluggy==0."), "pluggy"),
        (("iniconfig==", "iniconfig-other=="), "iniconfig"),
    ],
)
def test_a_lock_that_would_still_resolve_is_found(broken: tuple[str, str], missing: str):
    lock = (ROOT / "requirements-dev.lock").read_text()
    found = open_ends(lock.replace(*broken), LOCKS["requirements-dev.lock"])
    assert any(one.startswith(missing) for one in found)

"""The image: linted, made of what was tested, and without anything that is not needed."""

import fnmatch
import re
import tomllib

from tests.deploy.checkers import DEPLOY, ROOT, checked

CONTAINERFILE = DEPLOY / "Containerfile"
MUTATIONS = {
    "DL3006": (" python:${PYTHON} AS build", " python AS build"),
    "DL3002": ("USER 10001:10001", "USER root"),
    "DL4000": ('CMD ["--help"]', 'CMD ["--help"]\nMAINTAINER somebody'),
}


def linted(text: str) -> str:
    return checked("hadolint", "--no-color", "-", given=text).stdout


def test_the_containerfile_is_linted():
    assert linted(CONTAINERFILE.read_text()) == ""


def test_the_linter_finds_what_is_wrong():
    for rule, (good, bad) in MUTATIONS.items():
        text = CONTAINERFILE.read_text()
        assert good in text
        assert rule in linted(text.replace(good, bad)), rule


def pinned(lock: str) -> dict[str, str]:
    """Names and versions of a lock."""
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_image_has_what_was_tested_with_every_extra():
    image, tested = pinned("requirements-container.lock"), pinned("requirements-dev.lock")
    assert image == {name: tested.get(name) for name in image}, "run `make lock`"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert {re.split(r"[^\w.-]", one)[0].lower() for one in wanted} <= set(image), "run `make lock`"


def test_everything_in_the_image_is_installed_by_hash_and_nothing_is_compiled():
    installs = re.findall(r"^.*? install .*?(?=&&|^[A-Z])", CONTAINERFILE.read_text(), re.MULTILINE | re.DOTALL)
    installs = [one for one in installs if "pip" in one]
    assert len(installs) == 3
    for one in installs:
        assert "--no-index" in one or ("--require-hashes" in one and "--only-binary :all:" in one), one


def test_only_what_is_copied_gets_into_the_context():
    lines = (ROOT / ".containerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE.read_text(), re.MULTILINE)
    assert "*" in lines
    assert allowed == {name for names in copied for name in names.split()}
    assert all((ROOT / name).exists() for name in allowed)
    assert not [name for name in allowed if fnmatch.fnmatch(name, ".tacos*")]

"""The pages say what is so: those that are generated are current, commands exist, paths and links lead somewhere."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.contract.reference import DOCS, PAGES
from traffic_tacos.cli import app

ROOT = DOCS.parent
README = ROOT / "README.md"
WRITTEN = [README, *(page for page in DOCS.rglob("*.md") if "decisions" not in page.parts)]
README_LINES_MAX = 120
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_as_the_code_is(path):
    assert (DOCS / path).read_text() == PAGES[path](), "run `.venv/bin/python -m tests.contract.reference`"


def commands() -> list[tuple[str, str]]:
    """Every `tacos` command in the pages: the page, and the command."""
    found = []
    for page in WRITTEN:
        text = page.read_text().replace("\\\n", " ")
        prose = re.sub(FENCED, "", text).replace("\n", " ")
        inline = re.findall(r"`((?:\.venv/bin/)?tacos [^`]+)`", prose)
        blocks = "\n".join(re.findall(FENCED, text))
        lines = re.findall(r"^(?:\$ )?((?:\.venv/bin/)?tacos .+?)(?:   .*)?$", blocks, re.MULTILINE)
        within = re.findall(r"\$\(((?:\.venv/bin/)?tacos [^)]+)\)", text)
        found += [(page.name, command) for command in dict.fromkeys([*inline, *lines, *within])]
    return found


def fault_of(command: str) -> str:
    """What is wrong with the subcommands and option names of a command; empty for nothing. Values are not looked at."""
    words = shlex.split(command)[1:]
    known: Any = typer.main.get_command(app)
    while words and (subcommands := getattr(known, "commands", {})) and not words[0].startswith("-"):
        word = words.pop(0)
        if word.isupper() or word == "…":
            return ""
        if word not in subcommands:
            return f"there is no {word}"
        known = subcommands[word]
    options = {name for parameter in known.params for name in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
    return f"there is no option {unknown[0]}" if unknown else ""


def test_every_command_in_the_pages_exists():
    found = commands()
    assert len(found) > 60
    assert [(page, command, fault) for page, command in found if (fault := fault_of(command))] == []


@pytest.mark.parametrize("command", ["tacos bye evt", "tacos admin sett x", "tacos buy evt --quantities 2"])
def test_a_command_that_does_not_exist_is_found(command):
    assert fault_of(command)


def test_every_target_of_make_in_the_pages_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {target for page in WRITTEN for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.M)}
    assert asked and asked <= targets


def test_every_file_that_the_pages_name_exists():
    named = {
        (page.name, path)
        for page in WRITTEN
        for path in re.findall(r"`((?:src|tests|docs|proto|deploy|examples|bench)/[^`*\s]*)`", page.read_text())
    }
    assert len(named) > 40
    assert [one for one in sorted(named) if not (ROOT / one[1]).exists()] == []


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


def test_every_link_of_the_readme_leads_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", README.read_text())
    assert len(links) > 15
    for path, anchor in links:
        assert (ROOT / path).is_file(), path
        assert not anchor or anchor in anchors(ROOT / path), f"{path}#{anchor}"


def test_the_readme_has_two_screens():
    assert len(README.read_text().splitlines()) <= README_LINES_MAX


def test_every_setting_of_the_pages_is_explained_in_the_reference():
    reference = (DOCS / "reference" / "settings.md").read_text()
    for page, command in commands():
        if match := re.match(r"tacos admin set (?:events/\w+/)?([a-z]+\.\w+)", command):
            assert f"`{match[1]}`" in reference, (page, command)

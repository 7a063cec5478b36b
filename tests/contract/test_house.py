"""The picture of the house in docs/development.md is that of the imports."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "traffic_tacos"
PAGE = ROOT / "docs" / "development.md"
Arrow = tuple[str, str]


def drawn() -> set[Arrow]:
    lines = re.findall(r"^(\w+) -> (.+)$", PAGE.read_text(), re.MULTILINE)
    return {(start, end) for start, ends in lines for end in ends.split(", ")}


def imported(source: str, folder: str) -> Iterator[Arrow]:
    """The arrows that one file of a folder draws."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "traffic_tacos":
            names = [f"traffic_tacos.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "traffic_tacos" and rest and (end := rest.split(".")[0]) != folder:
                yield folder, end


def real() -> set[Arrow]:
    found = set()
    for file in SOURCE.rglob("*.py"):
        folder = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        if folder != "gen":
            found |= set(imported(file.read_text(), folder))
    return found


def test_every_import_has_an_arrow_and_every_arrow_an_import():
    assert real() - drawn() == set(), "imports without an arrow in docs/development.md"
    assert drawn() - real() == set(), "arrows in docs/development.md without an import"


@pytest.mark.parametrize(
    "source",
    [
        "import traffic_tacos.rooms.gateway",
        "from traffic_tacos.rooms.gateway import rpc",
        "from traffic_tacos import rooms",
        "def late():\n    from traffic_tacos.rooms import gateway",
    ],
)
def test_an_import_is_seen_in_whatever_way_it_is_written(source):
    assert set(imported(source, "engines")) == {("engines", "rooms")}
    assert ("engines", "rooms") not in drawn()


def test_every_folder_and_file_of_the_house_is_explained():
    page = PAGE.read_text()
    for path in SOURCE.iterdir():
        if path.name in ("__pycache__", "__init__.py", "py.typed"):
            continue
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in page, path

"""The picture of the house in docs/development.md is that of the imports, and no function is longer than a screen."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "traffic_tacos"
PAGE = ROOT / "docs" / "development.md"
Arrow = tuple[str, str]
FUNCTION_LINES_MAX = 40
# Longer ones, and why they read better so.
LONGER = {
    "rooms/waiting_room/model.py LineModel.__init__": "All that a queue remembers, in one list; nothing happens in it.",
}


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


def functions(source: str) -> Iterator[tuple[str, int]]:
    """The functions of a file by name, and how many lines each has."""

    def inside(node: ast.AST, outer: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            name = f"{outer}.{child.name}".strip(".") if hasattr(child, "name") else outer
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                assert child.end_lineno is not None
                yield name, child.end_lineno - child.lineno + 1
            yield from inside(child, name)

    return inside(ast.parse(source), "")


def test_no_function_is_longer_than_a_screen_but_for_those_that_have_a_reason():
    longer = {
        f"{file.relative_to(SOURCE)} {name}"
        for file in SOURCE.rglob("*.py")
        if "gen" not in file.relative_to(SOURCE).parts
        for name, lines in functions(file.read_text())
        if lines > FUNCTION_LINES_MAX
    }
    assert longer == set(LONGER)


def test_a_function_is_measured_wherever_it_stands():
    source = "class A:\n    async def b(self):\n        if self:\n            def c():\n                return 1\n"
    assert list(functions(source)) == [("A.b", 4), ("A.b.c", 2)]


def test_no_test_imports_what_belongs_to_a_module_alone():
    """What it reads of an object is looked at by ruff (SLF001)."""
    private = [
        f"{file.relative_to(ROOT)} {alias.name}"
        for folder in ("tests", "bench")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert private == []

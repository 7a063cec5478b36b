"""What people read says `queue`: `line` is a word for inside the code of the waiting room."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from traffic_tacos.cli import app

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "traffic_tacos"
ROOMS = sorted(file for file in (SOURCE / "rooms").glob("*/*.py") if file.parent.name != "catalog")
"""Catalog's lines are those of event files."""
LINE = re.compile(r"(\b|_)[Ll]ines?(\b|_)")
STORED = {"line", "line_settings"}  # kinds of records: stored under these names


def said(source: str) -> Iterator[str]:
    """The texts in a file that may reach somebody: refusals, logs, names of metrics. No docstrings."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("file", ROOMS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_that_a_service_says_calls_the_queue_a_line(file):
    assert [text for text in said(file.read_text()) if LINE.search(text) and text not in STORED] == []


@pytest.mark.parametrize(
    "source", ['raise Refusal("join the line again")', 'log.error(f"line_failed {x}")', 'Gauge("tacos_line_waiting")']
)
def test_a_word_is_seen_in_whatever_text_it_stands(source):
    assert [text for text in said(f'"""A line."""\n{source}') if LINE.search(text)]


@pytest.mark.parametrize("command", ["queue", "queue watch", "queue stop", "buy", "admin drain", "admin settings"])
def test_no_help_calls_the_queue_a_line(command):
    answer = CliRunner().invoke(app, [*command.split(), "--help"])
    assert answer.exit_code == 0
    assert not LINE.search(answer.output)


@pytest.mark.parametrize("folder", ["deploy", "docs", "examples"])
def test_no_metric_or_alert_has_the_old_name(folder):
    files = [
        file
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix in (".md", ".json", ".yaml", ".yml")
    ]
    assert files
    assert [str(file) for file in files if re.search(r"tacos_line_|TacosLine", file.read_text())] == []

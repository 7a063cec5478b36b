"""Lists are never cut: not on a narrow terminal, not on a pipe, not in JSON."""

import io
import json

import pytest
from rich.console import Console

from traffic_tacos.cli.shown import Listing

LONG = "evt_" + "x" * 60 + "_end"
AWKWARD = ["a [bold]name[/]", "[/]", "two\nlines", "꽃 [red"]


def listing() -> Listing:
    found = Listing("event", "last error", "seats")
    found.add(LONG, "why not", 12000)
    return found


@pytest.mark.parametrize("width", [20, 40, 200])
def test_a_terminal_wraps_what_is_too_long_and_cuts_nothing(width):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    console.print(listing().table())
    shown = console.file.getvalue()
    assert "…" not in shown
    assert "".join(line.split("│")[1].strip() for line in shown.splitlines() if line.startswith("│")) == LONG


def test_a_pipe_has_a_whole_line_for_each_record_under_its_heads(capsys):
    listing().print()
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split() == ["event", "last", "error", "seats"]
    assert row.split() == [LONG, "why", "not", "12,000"]
    assert heads.index("last error") == row.index("why not")


def test_json_is_one_document_with_numbers_as_numbers(capsys):
    listing().print(as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"event": LONG, "last_error": "why not", "seats": 12000}]


@pytest.mark.parametrize("name", AWKWARD)
def test_what_others_named_is_shown_as_it_stands(name, capsys):
    found = Listing("name")
    found.add(name)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    console.print(found.table())
    for part in name.split("\n"):
        assert part in console.file.getvalue()
    found.print()
    assert capsys.readouterr().out.splitlines()[1] == name.replace("\n", " ")

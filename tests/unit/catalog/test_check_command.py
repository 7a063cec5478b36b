"""`tacos event check` looks, asks nobody, and says every mistake as a line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from traffic_tacos.cli.event import app

EXAMPLES = Path(__file__).parents[3] / "examples" / "events"
PRICED = "id: evt_x\nname: X\ncurrency: EUR\nprices: {S: 0500}\n"
PLAN = """{"zones": [{"name": "Z", "rows": [{"row_number": "A", "seats": [
  {"seat_guid": "a", "seat_number": "1", "position": {"x": 0, "y": 0}, "category": "S"}]}]}]}"""


def check(*arguments: str):
    return CliRunner().invoke(app, ["check", *arguments])


@pytest.mark.parametrize("name", ["club.yaml", "theatre.yaml", "arena.yaml", "studio.json", "studio.yaml"])
def test_the_examples_are_good(name):
    result = check(str(EXAMPLES / name))
    assert (result.exit_code, "is good" in result.output) == (0, True)


def test_every_mistake_is_a_line_with_file_line_path_and_what_would_be_right(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(
        "id: evt_x\nname: X\ncurrency: EUR\nsections:\n - {id: M, name: M, price: 12:50, rows: []}\ncolour: red\n"
    )
    result = check(str(file))
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{file}:5", "sections[0].price"],
        [f"{file}:5", "sections[0]"],
        [f"{file}:6", "colour"],
    ]
    assert lines[0].endswith("in decimal digits alone (is 12:50)")


@pytest.mark.parametrize("asked", ["night.yaml", "night.json"])
def test_the_plan_beside_it_is_looked_at_too_whichever_is_named(tmp_path, asked):
    (tmp_path / "night.yaml").write_text(PRICED)
    (tmp_path / "night.json").write_text(PLAN)
    assert check(str(tmp_path / asked)).exit_code == 0
    (tmp_path / "night.yaml").write_text(PRICED.replace("EUR", "eur"))
    (tmp_path / "night.json").write_text(PLAN.replace('"x": 0', '"x": NaN'))
    lines = check(str(tmp_path / asked)).stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{tmp_path}/night.yaml:3", "currency"],
        [f"{tmp_path}/night.json:2", "zones[0].rows[0].seats[0].position.x"],
    ]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b""])
def test_what_cannot_be_read_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "night.yaml").write_bytes(content)
    result = check(str(tmp_path / "night.yaml"))
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_plan_without_a_file_of_prices_is_told(tmp_path):
    (tmp_path / "night.json").write_text(PLAN)
    result = check(str(tmp_path / "night.json"))
    assert result.exit_code == 1

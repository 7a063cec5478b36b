"""What people read has one word for each thing: the field's, where it has one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from traffic_tacos.cli import app

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "traffic_tacos"
DOCS = ROOT / "docs"
# What nobody who uses or runs the platform reads any more, and what is said instead.
RETIRED = {
    r"(?<!waiting )(?<!waiting-)\brooms?\b": "service",
    r"\btacos_line|\bTacosLine|(?<!command )\bthe line\b(?! of)": "queue",
    r"\blanes?\b": "concurrency limit",
    r"\bparked\b": "blocked",
    r"\blevers?\b": "emergency action",
    r"\bupkeep\b": "caches",
    r"\bleft in peace\b": "circuit open",
    r"\bengine lag\b|\bdelay lately\b": "event loop lag",
    r"\bjobs given up\b": "dead letters",
    r"\bevents not told\b": "outbox backlog",
    r"\bfirst told\b|\bqueue_told": "estimate",
    r"\blowered\b": "reduced",
    r"\bpostponed\b": "deferred",
    r"(?<!bare )\bechoes\b": "bare echoes",
    r"\b(HTTP|gRPC) doors?\b": "HTTP, gRPC",
}
# To developers, a room is a folder of ours, and a line what it has.
OF_DEVELOPERS = ("service", "queue")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted([*DOCS.glob("*.md"), *DOCS.glob("reference/*.md")])]
LANGUAGE = sorted((SOURCE / "web" / "static" / "i18n").rglob("en.js"))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
DEPLOYED = sorted(file for file in (ROOT / "deploy").rglob("*") if file.suffix in (".json", ".yaml", ".md"))
ROOMS = sorted(file for file in (SOURCE / "rooms").glob("*/*.py") if file.parent.name != "catalog")
"""Catalog's lines are those of event files."""
# Names that developers use no more, as whole words of an identifier, and what they use instead.
RETIRED_NAMES = {
    "hear": "on_..., handle, subscribe",
    "heard": "handled, received",
    "hearer": "listener, subscriber",
    "hearers": "listeners, subscribers",
    "tell": "publish, notify, send",
    "told": "sent, published",
    "settle": "finish (a job), apply_payment_result",
    "settled": "finished",
    "lever": "emergency action",
    "lane": "concurrency limit",
    "parked": "blocked",
    "postponed": "deferred",
    "lowered": "writes_of",
    "patience": "breaker policy",
}
# As stored states, messages and topics have them, by file.
STORED_NAMES = {
    "rooms/waiting_room/model.py": {"_told", "_told_ever", "_told_kept"},
    "rooms/waiting_room/rpc.py": {"told", "told_kept"},
    "cli/queue.py": {"told", "told_kept"},
}
STORED_TOPIC = "SETTLE_PAYMENT_RESULT"
SCRIPTS = sorted(file for file in (SOURCE / "web" / "static").rglob("*.js") if "i18n" not in file.parts)
MODULES = sorted(file for file in SOURCE.rglob("*.py") if file.relative_to(SOURCE).parts[0] not in ("gen",))
LINE = re.compile(r"(\b|_)[Ll]ines?(\b|_)")
STORED = {"line", "line_settings"}  # kinds of records: stored under these names
NO_TEXTS = {"traffic_tacos.rooms."}  # names of modules


def retired(text: str, *, unless: tuple[str, ...] = ()) -> list[str]:
    """What a text says that is not said any more."""
    text = re.sub(r"\s+", " ", text)
    wrong = (pattern for pattern, instead in RETIRED.items() if instead not in unless)
    return [text[max(0, hit.start() - 40) : hit.end() + 40] for one in wrong for hit in re.finditer(one, text, re.I)]


def prose(page: str) -> str:
    """A page without what is code, and without where its links lead."""
    return re.sub(r"```.*?```|`[^`]*`|(?<=\])\([^)]*\)", "", page, flags=re.DOTALL)


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)


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


def names(source: str) -> Iterator[str]:
    """Every name that a file gives or uses."""
    for node in ast.walk(ast.parse(source)):
        for field in ("id", "attr", "name", "arg"):
            if isinstance(name := getattr(node, field, None), str):
                yield name


def test_no_name_says_a_word_that_is_not_said_any_more():
    assert {
        f"{file.relative_to(SOURCE)}: {name}"
        for file in MODULES
        for name in names(file.read_text())
        if name not in STORED_NAMES.get(str(file.relative_to(SOURCE)), ())
        and name != STORED_TOPIC
        and RETIRED_NAMES.keys() & set(re.split("_+", name.lower()))
    } == set()


@pytest.mark.parametrize(
    "source", ["def _heard(x): ...", "for tell_all in x: ...", "x.was_told()", "class Hearers: ..."]
)
def test_a_retired_name_is_seen(source):
    assert any(RETIRED_NAMES.keys() & set(re.split("_+", name.lower())) for name in names(source))


def names_of_script(source: str) -> Iterator[str]:
    """Every name in a script: no comments, and of its texts what is put into them."""
    source = re.sub(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"", " ", source, flags=re.DOTALL)
    yield from re.findall(r"[A-Za-z_]\w*", source)


def words_of(name: str) -> set[str]:
    """Those of an identifier of a script, as `askedNear` and `ASKED_NEAR` have two."""
    return set(re.split("_+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()))


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: str(file.relative_to(SOURCE / "web" / "static")))
def test_no_name_in_a_script_does(file):
    assert [name for name in names_of_script(file.read_text()) if RETIRED_NAMES.keys() & words_of(name)] == []


@pytest.mark.parametrize("source", ["const told = 1;", "function tellAll() {}", "x.lastHeard", "const PATIENCE = 3;"])
def test_a_retired_name_is_seen_in_a_script(source):
    assert any(RETIRED_NAMES.keys() & words_of(name) for name in names_of_script(source))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_nothing_hears(file):
    """Listeners listen, handlers handle, subscribers are given: a picture word would hide which."""
    assert re.findall(r".*\bhear(?:s|d|ers?)?\b.*", file.read_text()) == []


@pytest.mark.parametrize("file", ROOMS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_that_a_service_says_calls_the_queue_a_line(file):
    assert [text for text in said(file.read_text()) if LINE.search(text) and text not in STORED] == []


@pytest.mark.parametrize(
    "source", ['raise Refusal("join the line again")', 'log.error(f"line_failed {x}")', 'Gauge("tacos_line_waiting")']
)
def test_a_word_is_seen_in_whatever_text_it_stands(source):
    assert [text for text in said(f'"""A line."""\n{source}') if LINE.search(text)]


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS], ids=lambda page: page.name)
def test_no_page_says_a_word_that_is_not_said_any_more(page):
    of_developers = page in DECISIONS or page.name == "development.md"
    assert retired(prose(page.read_text()), unless=OF_DEVELOPERS if of_developers else ()) == []


@pytest.mark.parametrize("file", DEPLOYED, ids=lambda file: file.name)
def test_no_dashboard_alert_or_template_does(file):
    assert retired(file.read_text()) == []


def test_no_refusal_log_or_metric_does():
    """What a service logs and refuses, and what its metrics are called, is a text of its source."""
    texts = [
        text
        for file in SOURCE.rglob("*.py")
        if "gen" not in file.relative_to(SOURCE).parts
        for text in said(file.read_text())
    ]
    assert [wrong for text in texts if text not in NO_TEXTS for wrong in retired(text)] == []


@pytest.mark.parametrize("path", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_no_help_does(path):
    answer = CliRunner().invoke(app, [*path, "--help"])
    assert answer.exit_code == 0
    assert retired(re.sub("[│╭╮╰╯─]", " ", answer.output)) == []
    assert not LINE.search(answer.output) or path[:1] != ("queue",)


@pytest.mark.parametrize("file", LANGUAGE, ids=lambda file: file.parent.name)
def test_no_page_for_fans_does(file):
    assert retired(" ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', file.read_text()))) == []


@pytest.mark.parametrize(
    "text", ["this room is away", "the HTTP door", "stands in the line", "pull a lever", "tacos_line_waiting"]
)
def test_a_retired_word_is_seen(text):
    assert retired(text)


@pytest.mark.parametrize("text", ["the waiting room", "the command line", "the line of the file", "door token"])
def test_what_only_looks_like_one_is_not(text):
    assert not retired(text)


def test_the_glossary_has_each_word_once():
    glossary = (ROOT / "README.md").read_text().partition("| Word | Meaning |")[2].partition("\n\n")[0]
    words = [word.strip() for row in glossary.splitlines()[2:] for word in row.split("|")[1].split(",")]
    assert len(words) >= 10
    assert len(words) == len(set(words))
    assert not any(retired(row) for row in glossary.splitlines())

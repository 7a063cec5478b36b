"""YAML and JSON text as trees of nodes that know their lines; no text is a number yet.

What a plain scalar means is decided by whoever knows which type is expected there (`schema`): only so is `0500` the
number that a person reads, and the row `06` still `06`. Anchors, aliases, tags and a second document are refused: an
event file needs none of them, and each is a way to say something else than what is seen.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import yaml

from traffic_tacos.kernel.errors import Detail

DEPTH_MAX = 20
NODES_MAX = 400_000


class Flaw(msgspec.Struct, frozen=True):
    """Why a node must not be written as it is, whatever is expected there."""

    reason: str
    value: str


class Scalar(msgspec.Struct, frozen=True):
    """`is_plain`: written without quotes, so that it may be a number, a time or nothing."""

    text: str
    line: int
    is_plain: bool = False
    flaw: Flaw | None = None


class Sequence(msgspec.Struct, frozen=True):
    items: list["Node"]
    line: int
    flaw: Flaw | None = None


class Mapping(msgspec.Struct, frozen=True):
    """Keys in order, twice where they are given twice."""

    entries: list[tuple[Scalar, "Node"]]
    line: int
    flaw: Flaw | None = None


Node: TypeAlias = Scalar | Sequence | Mapping


class Unreadable(Exception):
    """A text that is no tree at all; says where it stops being one, and what would be right there."""

    def __init__(self, line: int, reason: str, value: str = "") -> None:
        super().__init__(reason)
        self.line = line
        self.detail = Detail("", reason, value)


def yaml_nodes(text: str) -> Node:
    """The one document of a YAML text."""
    builder = _Builder()
    documents = 0
    for event in _yaml_events(text.removeprefix("\ufeff")):
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise Unreadable(line, "must be one document; a second one begins here")
            case yaml.AliasEvent():
                alias = f"*{event.anchor}"
                builder.add(Scalar(alias, line, flaw=Flaw("must not be an alias; write out what is meant", alias)))
            case yaml.ScalarEvent():
                builder.add(Scalar(event.value, line, event.implicit[0], _flaw(event)))
            case yaml.SequenceStartEvent():
                builder.open(Sequence([], line, _flaw(event)))
            case yaml.MappingStartEvent():
                builder.open(Mapping([], line, _flaw(event)))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                builder.close()
    if builder.root is None:
        raise Unreadable(1, "must not be empty")
    return builder.root


def json_nodes(text: str) -> Node:
    """The value of a JSON text that `check_json` has nothing against."""
    builder = _Builder()
    line, end = 1, 0
    for token in _JSON_TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        match token[0][0]:
            case "{":
                builder.open(Mapping([], line))
            case "[":
                builder.open(Sequence([], line))
            case "}" | "]":
                builder.close()
            case '"':
                builder.add(Scalar(json.loads(token[0]), line))
            case _:
                builder.add(Scalar(token[0], line, is_plain=True))
    if builder.root is None:
        raise Unreadable(1, "must not be empty")
    return builder.root


def check_json(text: str) -> None:
    """Raise Unreadable where a text is not JSON; and DuplicateKey when it is, but for a key that is given twice."""
    twice = []

    def distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.append(pairs)
        return found

    try:
        json.loads(text, object_pairs_hook=distinct, parse_constant=float, parse_int=float)
    except json.JSONDecodeError as error:
        raise Unreadable(error.lineno, f"must be JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        raise Unreadable(1, f"must not be nested deeper than {DEPTH_MAX}") from None
    if twice:
        raise DuplicateKey


class DuplicateKey(Exception):
    """Somewhere in a JSON text a key is given twice; its nodes say where."""


def twice(root: Node) -> Iterator[Scalar]:
    """Every key that is given again in one mapping."""
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, Sequence):
            todo += node.items
        elif isinstance(node, Mapping):
            todo += [value for _, value in node.entries]
            seen: set[str] = set()
            for key, _ in node.entries:
                if key.text in seen:
                    yield key
                seen.add(key.text)


def line_of(root: Node, path: str) -> int:
    """The line of what a path as in `sections[0].rows[2].aisles` names, or of the nearest thing around it."""
    node = root
    for name, index in _STEP.findall(path):
        if index and isinstance(node, Sequence) and int(index) < len(node.items):
            node = node.items[int(index)]
        elif name and isinstance(node, Mapping) and (found := _value(node, name)) is not None:
            node = found
        else:
            break
    return node.line


def _value(node: Mapping, name: str) -> Node | None:
    return next((value for key, value in node.entries if key.text == name), None)


def _yaml_events(text: str) -> Iterator[Any]:
    """The parser's events, one by one, so that depth and size are bounded while reading."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise Unreadable(1 if mark is None else mark.line + 1, f"must be YAML: {problem}") from None
    except UnicodeError:
        raise Unreadable(1, "must be UTF-8 text") from None


def _flaw(event: Any) -> Flaw | None:
    if event.anchor is not None:
        return Flaw("must not have an anchor; write out what is meant wherever it is meant", f"&{event.anchor}")
    if event.tag is not None:
        return Flaw("must not have a tag; write the value alone", event.tag.replace(_TAGS, "!!"))
    return None


class _Builder:
    """Puts a tree together from its parts in the order of the text."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[tuple[Sequence | Mapping, list[Scalar]]] = []
        self._count = 0

    def open(self, node: Sequence | Mapping) -> None:
        self.add(node)
        self._open.append((node, []))
        if len(self._open) > DEPTH_MAX:
            raise Unreadable(node.line, f"must not be nested deeper than {DEPTH_MAX}")

    def close(self) -> None:
        self._open.pop()

    def add(self, node: Node) -> None:
        self._count += 1
        if self._count > NODES_MAX:
            raise Unreadable(node.line, f"must not have more than {NODES_MAX:,} values")
        if not self._open:
            self.root = node
            return
        parent, key = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key:
            parent.entries.append((key.pop(), node))
        elif isinstance(node, Scalar):
            key.append(node)
        else:
            key.append(Scalar("?", node.line, flaw=Flaw("must have names as keys, not lists or mappings", "")))


_TAGS = "tag:yaml.org,2002:"
_JSON_TOKEN = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*"|[^\s{}\[\]",:]+')
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

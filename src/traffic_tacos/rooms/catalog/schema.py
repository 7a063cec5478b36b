"""Trees of nodes as typed structs, with every mistake in them at once.

The expected type decides what a plain scalar means, by YAML 1.2's core schema and no further: whole numbers are decimal
digits, `yes`, `off` and `12:50` are text. Where something is wrong a stand-in takes its place, so that the rest can be
looked at too; the result is only good when there are no mistakes.
"""

import math
import re
from collections.abc import Callable, Hashable
from collections.abc import Mapping as Mapping_
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from traffic_tacos.kernel.errors import VALUE_SHOWN_MAX, Detail
from traffic_tacos.kernel.ids import has_control_characters
from traffic_tacos.rooms.catalog.nodes import Mapping, Node, Scalar, Sequence

TEXT_LENGTH_MAX = 200
NUMBER_MAX = 1e9
LINES, HINT = "lines", "hint"  # what else a type says: that a text may have several lines; what would be right
TIME_EXAMPLE = "2027-03-01T20:00:00+09:00"

T = TypeVar("T")
Note = Callable[..., None]
NOTHING: Mapping_[str, Any] = {}


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong at a path of a file; `line` counts from 1."""

    line: int
    detail: Detail


def converted(root: Node, type_: type[T]) -> tuple[T, list[Mistake]]:
    """The struct that a tree is, and every mistake in its shape."""
    mistakes: list[Mistake] = []

    def note(node: Node, path: str, reason: str, value: str = "") -> None:
        mistakes.append(Mistake(node.line, Detail(path, reason, shortened(value))))

    struct: T = _convert(root, _info(cast(Hashable, type_)), "", note)
    return struct, mistakes


def shortened(value: str) -> str:
    """A value as an error shows it: on one line, and no longer than that."""
    value = repr(value)[1:-1] if has_control_characters(value) else value
    return value if len(value) <= VALUE_SHOWN_MAX else value[:VALUE_SHOWN_MAX] + "…"


_info = cache(inspect.type_info)


def _convert(node: Node, type_: inspect.Type, path: str, note: Note, extra: Mapping_[str, Any] = NOTHING) -> Any:
    if node.flaw is not None:
        note(node, path, node.flaw.reason, node.flaw.value)
        return _stand_in(type_)
    match type_:
        case inspect.Metadata():
            return _convert(node, type_.type, path, note, type_.extra or NOTHING)
        case inspect.UnionType():
            if _is_null(node) and type_.includes_none:
                return None
            given = [one for one in type_.types if not isinstance(one, inspect.NoneType)]
            # A label may be written as a number; what was written is the label.
            label = next((one for one in given if isinstance(one, inspect.StrType)), given[0])
            return _convert(node, label, path, note, extra)
        case inspect.StructType():
            return _struct(node, type_, path, note)
        case inspect.VarTupleType():
            return _items(node, type_, path, note)
        case inspect.DictType():
            return _dict(node, type_, path, note)
        case inspect.IntType():
            return _integer(node, type_, path, note, extra.get(HINT, ""))
        case inspect.BoolType():
            return _boolean(node, path, note)
        case inspect.FloatType():
            return _number(node, path, note)
        case inspect.DateTimeType():
            return _time(node, path, note)
        case inspect.AnyType():
            return _value(node)
        case _:
            return _text(node, type_, path, note, may_have_lines=LINES in extra)


def _struct(node: Node, type_: inspect.StructType, path: str, note: Note) -> Any:
    fields = {field.encode_name: field for field in type_.fields}
    if not isinstance(node, Mapping):
        note(node, path, f"must be a mapping with the fields {', '.join(fields)}", _shown(node))
        return _stand_in(type_)
    known = {}
    for key, value in _entries(node, path, note):
        field = fields.get(key.text)
        if field is not None:
            known[field.name] = _convert(value, field.type, _joined(path, key.text), note)
        elif type_.forbid_unknown_fields:
            meant = get_close_matches(key.text, fields, 1)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            note(key, _joined(path, shortened(key.text)), f"must be one of {', '.join(fields)}{hint}")
    for field in type_.fields:
        if field.required and field.name not in known:
            note(node, _joined(path, field.encode_name), "is required")
            known[field.name] = _stand_in(field.type)
    return type_.cls(**known)


def _items(node: Node, type_: inspect.VarTupleType, path: str, note: Note) -> tuple[Any, ...]:
    if not isinstance(node, Sequence):
        note(node, path, "must be a list", _shown(node))
        return ()
    return tuple(_convert(item, type_.item_type, f"{path}[{at}]", note) for at, item in enumerate(node.items))


def _dict(node: Node, type_: inspect.DictType, path: str, note: Note) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        note(node, path, "must be a mapping of names and values", _shown(node))
        return {}
    found = {}
    for key, value in _entries(node, path, note):
        text = _text(key, type_.key_type, path, note)
        found[text] = _convert(value, type_.value_type, _joined(path, text), note)
    return found


def _entries(node: Mapping, path: str, note: Note) -> list[tuple[Scalar, Node]]:
    """The entries of a mapping, each key once."""
    lines: dict[str, int] = {}
    entries = []
    for key, value in node.entries:
        if key.flaw is not None:
            note(key, path, key.flaw.reason, key.flaw.value)
        elif key.text in lines:
            where = _joined(path, shortened(key.text))
            note(key, where, f"must be given once; it stands in line {lines[key.text]} already", _shown(value))
        else:
            lines[key.text] = key.line
            entries.append((key, value))
    return entries


def _text(node: Node, type_: inspect.Type, path: str, note: Note, *, may_have_lines: bool = False) -> str:
    least = getattr(type_, "min_length", None) or 0
    most = getattr(type_, "max_length", None) or TEXT_LENGTH_MAX
    pattern = getattr(type_, "pattern", None)
    if not isinstance(node, Scalar):
        note(node, path, "must be text", _shown(node))
    elif _is_null(node):
        if least or pattern:
            note(node, path, "must have a value; put text that looks like none into quotes", node.text)
    elif len(node.text) > most:
        note(node, path, f"must have at most {most:,} characters, not {len(node.text):,}", node.text)
    elif has_control_characters(node.text, may_have_lines=may_have_lines):
        note(node, path, "must not have control characters", node.text)
    elif len(node.text.strip()) < least:
        note(node, path, "must not be empty")
    elif pattern is not None and re.fullmatch(pattern, node.text) is None:
        note(node, path, "must start with a letter or digit and have only letters, digits and _ . : -", node.text)
    else:
        return node.text
    return ""


def _integer(node: Node, type_: inspect.IntType, path: str, note: Note, hint: str) -> int:
    low, high = type_.ge, type_.le
    text = node.text if isinstance(node, Scalar) and node.is_plain else ""
    if _INTEGER.fullmatch(text) is None:
        note(node, path, f"must be a whole number{hint}{_between(low, high)}, in decimal digits alone", _shown(node))
    elif len(text) > DIGITS_MAX or (low is not None and int(text) < low) or (high is not None and int(text) > high):
        note(node, path, f"must be a whole number{hint}{_between(low, high)}", text)
    else:
        return int(text)
    return int(low or 0)


def _boolean(node: Node, path: str, note: Note) -> bool:
    text = node.text if isinstance(node, Scalar) and node.is_plain else ""
    if text not in _BOOLEANS:
        note(node, path, "must be true or false", _shown(node))
    return _BOOLEANS.get(text, False)


def _between(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return ""
    return f" of at least {low:,}" if high is None else f" from {low or 0:,} to {high:,}"


def _number(node: Node, path: str, note: Note) -> float:
    text = node.text if isinstance(node, Scalar) and node.is_plain else ""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if abs(value) <= NUMBER_MAX:
        return value
    note(node, path, f"must be a number from {-NUMBER_MAX:,.0f} to {NUMBER_MAX:,.0f}", _shown(node))
    return 0.0


def _time(node: Node, path: str, note: Note) -> datetime | None:
    text = node.text if isinstance(node, Scalar) else ""
    written = _TIME.fullmatch(text)
    if written is None:
        note(node, path, f"must be a date and a time, as in {TIME_EXAMPLE}", _shown(node))
        return None
    day, clock, zone = written.groups()
    if zone is None:
        note(node, path, f"must have a time zone, as in {TIME_EXAMPLE}", text)
        return None
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone.upper().replace('Z', '+00:00')}")
    except ValueError as error:
        note(node, path, f"must be a date and a time that there are, as in {TIME_EXAMPLE}: {error}", text)
        return None


def _value(node: Node) -> Any:
    """Whatever it is, as JSON would have it."""
    match node:
        case Scalar():
            number = node.is_plain and _NUMBER.fullmatch(node.text)
            return float(node.text) if number else node.text
        case Sequence():
            return [_value(item) for item in node.items]
        case Mapping():
            return {key.text: _value(value) for key, value in node.entries}


def _stand_in(type_: inspect.Type) -> Any:
    """Something of the type, in the place of what is missing or wrong."""
    match type_:
        case inspect.Metadata():
            return _stand_in(type_.type)
        case inspect.IntType():
            return int(type_.ge or 0)
        case inspect.VarTupleType():
            return ()
        case inspect.DictType():
            return {}
        case inspect.StructType():
            return type_.cls(**{field.name: _stand_in(field.type) for field in type_.fields if field.required})
        case inspect.StrType():
            return ""
        case _:
            return None


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_plain and node.text in _NULLS


def _shown(node: Node) -> str:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return "a list"
        case _:
            return "a mapping"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


DIGITS_MAX = 18
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})  # YAML 1.2.2, 10.3.2
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}  # likewise
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt]|\s+)([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"\s*([Zz]|[-+][0-9]{2}:[0-9]{2})?"
)

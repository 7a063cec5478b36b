"""Answers as whoever reads them wants them: a table on a terminal, whole lines on a pipe, JSON for a program.

Nothing is ever cut off. A terminal wraps what is too long for its column; a pipe has one line a record, its columns
aligned by spaces, without colours or frames.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

Cell: TypeAlias = str | int | float | bool | Sequence[str] | None
GAP = "  "


class Listing:
    """Records under their heads. A head is also the name of its field in JSON: `last error` is `last_error`."""

    def __init__(self, *heads: str, title: str = "") -> None:
        self.heads = heads
        self.title = title
        self.rows: list[tuple[Cell, ...]] = []
        self._styles: list[str] = []

    def add(self, *cells: Cell, style: str = "") -> None:
        assert len(cells) == len(self.heads)
        self.rows.append(cells)
        self._styles.append(style)

    def records(self) -> list[dict[str, Cell]]:
        """What JSON says: numbers stay numbers, lists stay lists."""
        names = [_field(head) for head in self.heads]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def table(self) -> Table:
        """For a terminal: what is too long for its column goes on in the next line of it."""
        table = Table(*(Column(Text(head), overflow="fold") for head in self.heads), title_justify="left")
        table.title = Text(self.title) if self.title else None
        for row, style in zip(self.rows, self._styles, strict=True):
            table.add_row(*(Text(_shown(cell, "\n"), style=style) for cell in row))
        return table

    def lines(self) -> list[str]:
        """For a pipe: a line a record, whole, under a line of heads."""
        rows = [self.heads, *(tuple(_shown(cell, "; ").replace("\n", " ") for cell in row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        aligned = [GAP.join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return [self.title, *aligned] if self.title else aligned

    def print(self, *, as_json: bool = False) -> None:
        console = Console()
        if as_json:
            print_json(self.records())
        elif console.is_terminal:
            console.print(self.table())
        else:
            print("\n".join(self.lines()))


def print_json(document: Any) -> None:
    """One JSON document."""
    print(msgspec.json.format(msgspec.json.encode(document)).decode())


def time(message: Any, field: str) -> str | None:
    """A time of a message as RFC 3339; None when it is not set."""
    if not message.HasField(field):
        return None
    moment: Timestamp = getattr(message, field)
    return moment.ToJsonString()


def _field(head: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", head.lower()).strip("_")


def _shown(cell: Cell, between: str) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case str():
            return cell
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.1f}".removesuffix(".0")
    return between.join(cell)

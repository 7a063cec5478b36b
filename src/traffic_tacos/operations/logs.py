"""Logs: one JSON object a line on standard error, flat fields, never a token, a card or a body.

The last few thousand lines are kept in memory as well, for whoever has no access to the machine.
"""

import logging
import sys
from collections import Counter, deque
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any

import structlog

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.figures import LogLine

LINES_MAX = 5000
FIELD_LENGTH_MAX, TRACEBACK_LENGTH_MAX = 500, 20_000
LINES_OF_ONE_EVENT_MAX = 300  # in a minute
LEVELS = ("debug", "info", "warning", "error", "critical")
_LEVEL_OF_METHOD = {"warn": "warning", "exception": "error", "fatal": "critical"}
_OWN = ("timestamp", "level", "event", "trace_id")


class Thinned:
    """At most so many lines of one event a minute, so that nobody can fill the log with what they make happen: calls
    that time out, or a bug that was found out. The first line of a later minute says how many were left out.
    """

    def __init__(self) -> None:
        self._minute = ""
        self._written: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def __call__(self, _: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of structlog. What is asked for by the level debug is not thinned."""
        event, minute = str(line["event"]), line["timestamp"][: len("2027-01-15T08:00")]
        if minute != self._minute:
            self._minute = minute
            self._written.clear()
        if line["level"] == "debug":
            return line
        self._written[event] += 1
        if self._written[event] > LINES_OF_ONE_EVENT_MAX:
            self._left_out[event] += 1
            raise structlog.DropEvent
        if left_out := self._left_out.pop(event, 0):
            line["left_out"] = left_out
        return line


def shorten(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: no field is longer than its bound, whatever somebody sent."""
    for name, value in line.items():
        length_max = TRACEBACK_LENGTH_MAX if name == "exception" else FIELD_LENGTH_MAX
        if isinstance(value, str) and len(value) > length_max:
            line[name] = value[:length_max] + "…"
    return line


class LogRing:
    """The newest lines of the log."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=LINES_MAX)
        self._level = LEVELS.index("info")

    def set_level(self, level: str) -> None:
        self._level = LEVELS.index(level)

    def drop_lower(self, _: Any, level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of structlog: lines below the level go no further."""
        if LEVELS.index(_LEVEL_OF_METHOD.get(level, level)) < self._level:
            raise structlog.DropEvent
        return line

    def remember(self, _: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of structlog: keeps the line and lets it pass."""
        self._lines.append(
            LogLine(
                at=round(datetime.fromisoformat(line["timestamp"]).timestamp() * SECOND),
                level=line["level"],
                event=str(line["event"]),
                trace_id=str(line.get("trace_id", "")),
                fields={name: str(value)[:FIELD_LENGTH_MAX] for name, value in line.items() if name not in _OWN},
            )
        )
        return line

    def find(
        self, level: str, service: str, since: Instant, until: Instant, text: str, limit: int
    ) -> tuple[list[LogLine], bool]:
        levels = LEVELS[LEVELS.index(level) :]
        found = [
            line
            for line in reversed(self._lines)
            if line.level in levels
            and service in line.fields.get("method", "")
            and since <= line.at < until
            and text.lower() in _searched(line)
        ]
        return found[:limit], len(found) > limit


class _Forward(logging.Handler):
    """What libraries log, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        structlog.get_logger().log(
            record.levelno,
            "library",
            logger=record.name,
            message=record.getMessage(),
            exc_info=record.exc_info if level in ("error", "critical") else None,
        )


def configure(ring: LogRing, trace_id: str = "") -> None:
    """Log to standard error and the ring; `trace_id` is that of all lines which belong to no call."""
    global _own_trace_id
    _own_trace_id = trace_id
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)
    structlog.configure(
        processors=[
            ring.drop_lower,
            _add_trace_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            Thinned(),
            structlog.processors.format_exc_info,
            shorten,
            ring.remember,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def use_trace(current: Callable[[], str]) -> None:
    """Write the trace that `current` names into every line that names none itself."""
    global _current_trace_id
    _current_trace_id = current


def _add_trace_id(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    line["trace_id"] = line.get("trace_id") or _current_trace_id() or _own_trace_id
    return line


_current_trace_id: Callable[[], str] = str
_own_trace_id = ""


def _searched(line: LogLine) -> str:
    return " ".join((line.event, line.trace_id, *line.fields.values())).lower()

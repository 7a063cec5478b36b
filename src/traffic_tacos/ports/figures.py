"""What an operator asks of the platform's own memory: how calls went over time, and what was logged."""

from typing import Protocol

import msgspec

from traffic_tacos.kernel.instants import Instant


class CallFigures(msgspec.Struct, frozen=True):
    """The calls of one RPC in some time. Times are upper bounds of the histogram's buckets, in milliseconds."""

    method: str
    calls: int
    errors: dict[str, int]
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Gauge(msgspec.Struct, frozen=True):
    """Something that stands, as it is at one moment. `name` is that of /metrics."""

    name: str
    labels: dict[str, str]
    value: float


class Figures(Protocol):
    def calls(self, since: Instant, until: Instant) -> list[CallFigures]:
        """Every RPC that was called in this time, as far back as is remembered."""
        ...

    def gauges_now(self) -> tuple[Instant, list[Gauge]]:
        """What stands as it is now."""
        ...

    def gauges(self, since: Instant, until: Instant, samples_max: int) -> list[tuple[Instant, list[Gauge]]]:
        """What stood at the looks in this time, as far back as is remembered: at most so many, evenly spread."""
        ...


class LogLine(msgspec.Struct, frozen=True):
    """One line of the log. `level` is `debug`, `info`, `warning`, `error` or `critical`."""

    at: Instant
    level: str
    event: str
    trace_id: str
    fields: dict[str, str]


class Logs(Protocol):
    def find(
        self, level: str, service: str, since: Instant, until: Instant, text: str, limit: int
    ) -> tuple[list[LogLine], bool]:
        """The newest lines of at least this level, about calls of this service (empty for all), that have the text
        anywhere; and whether there are more.
        """
        ...

    def set_level(self, level: str) -> None:
        """Log from this level on."""
        ...

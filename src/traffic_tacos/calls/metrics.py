"""What is counted, as Prometheus reads it. One registry a platform, so that several can live in one process.

Calls are counted in plain integers and turned into metrics when somebody asks: a counter of the library
costs a lock, and on the shortest calls two of them were a tenth of the call.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.figures import Gauge

OK = "OK"
log = structlog.get_logger()
_Read: TypeAlias = Callable[[], Sequence[tuple[Sequence[str], float]]]
BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


# What 95 % of a service's calls are to be answered within (API specification, performance requirements).
TARGET_MS = {
    "gateway.v1.QueueService": 50,
    "gateway.v1.GatewayService": 100,
    "gateway.v1.WebhookService": 100,
    "payment.v1.PaymentService": 100,
    "reservation.v1.ReservationService": 200,
    "reservation.v1.Inventory": 50,
    "reservation.v1.WorkerService": 80,
}
TARGET_MS_ELSE = 1000


class Slow(NamedTuple):
    """Calls that took longer than their target; the trace is that of the worst."""

    calls: int
    worst_ms: Instant
    trace_id: str


class MethodFigures:
    """What is counted of one RPC."""

    __slots__ = ("_slow", "buckets", "by_code", "ms", "path", "target_ms", "traces")

    def __init__(self, path: str) -> None:
        self.path = path
        self.target_ms = TARGET_MS.get(path.split("/")[1], TARGET_MS_ELSE)
        self.traces: dict[str, str] = {}
        self._slow: Slow | None = None
        self.by_code = {OK: 0}
        self.buckets = [0] * (len(BOUNDS_MS) + 1)
        self.ms = 0

    def count(self, code: str, trace_id: str = "") -> None:
        self.by_code[code] = self.by_code.get(code, 0) + 1
        if code != OK:
            self.traces[code] = trace_id

    def took(self, ms: Instant, trace_id: str = "") -> None:
        self.buckets[bisect_left(BOUNDS_MS, ms)] += 1
        self.ms += ms
        if ms > self.target_ms:
            before = self._slow or Slow(0, 0, "")
            worst = (ms, trace_id) if ms >= before.worst_ms else (before.worst_ms, before.trace_id)
            self._slow = Slow(before.calls + 1, *worst)

    def taken_slow(self) -> Slow | None:
        """What took longer than its target since this was last asked."""
        slow, self._slow = self._slow, None
        return slow


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._methods: dict[str, MethodFigures] = {}
        self._gauges: list[tuple[str, list[str], _Read]] = []
        self.registry.register(_Collected(self._of_calls))

    def method(self, path: str) -> MethodFigures:
        return self._methods.setdefault(path, MethodFigures(path))

    def methods(self) -> Iterable[MethodFigures]:
        return self._methods.values()

    def add_gauge(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """A figure of the platform, read when somebody asks."""
        self._add(name, documentation, [], lambda: [((), read())])

    def add_gauges(
        self, name: str, documentation: str, label: str, read: Callable[[], Iterable[tuple[str, float]]]
    ) -> None:
        """A figure of several things, read when somebody asks: pairs of the thing's name and its value."""
        self._add(name, documentation, [label], lambda: [((thing,), value) for thing, value in read()])

    def gauge_names(self) -> list[str]:
        return [name for name, _, _ in self._gauges]

    def gauges(self) -> list[Gauge]:
        """All of them, read now."""
        return [
            Gauge(name, dict(zip(labels, things, strict=True)), value)
            for name, labels, read in self._gauges
            for things, value in read()
        ]

    def _add(self, name: str, documentation: str, labels: list[str], read_or_fail: _Read) -> None:
        def read() -> Sequence[tuple[Sequence[str], float]]:
            try:
                return read_or_fail()
            except Exception as error:  # one figure that cannot be read takes nobody the others
                log.error("gauge_failed", gauge=name, exc_info=error)
                return []

        def collect() -> Iterator[Metric]:
            family = GaugeMetricFamily(name, documentation, labels=labels)
            for things, value in read():
                family.add_metric(things, value)
            yield family

        self._gauges.append((name, labels, read))
        self.registry.register(_Collected(collect))

    def _of_calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("tacos_calls", "Calls by method and outcome", labels=["method", "code"])
        seconds = HistogramMetricFamily("tacos_call_seconds", "How long calls took", labels=["method"])
        for method in self._methods.values():
            for code, count in method.by_code.items():
                calls.add_metric([method.path, code], count)
            below, buckets = 0, []
            for bound, count in zip([*(str(ms / SECOND) for ms in BOUNDS_MS), "+Inf"], method.buckets, strict=True):
                below += count
                buckets.append((bound, float(below)))
            seconds.add_metric([method.path], buckets, method.ms / SECOND)
        yield calls
        yield seconds


class _Collected(Collector):
    def __init__(self, collect: Callable[[], Iterator[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterator[Metric]:
        return self._collect()

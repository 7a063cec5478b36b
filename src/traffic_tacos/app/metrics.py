"""What is counted, as Prometheus reads it. One registry a platform, so that several can live in one process.

Calls are counted in plain integers and turned into metrics when somebody asks: a counter of the library
costs a lock, and on the shortest calls two of them were a tenth of the call.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.figures import Gauge

OK = "OK"
_Read: TypeAlias = Callable[[], Sequence[tuple[Sequence[str], float]]]
BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class MethodFigures:
    """What is counted of one RPC."""

    __slots__ = ("buckets", "by_code", "ms", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.by_code = {OK: 0}
        self.buckets = [0] * (len(BOUNDS_MS) + 1)
        self.ms = 0

    def count(self, code: str) -> None:
        self.by_code[code] = self.by_code.get(code, 0) + 1

    def took(self, ms: Instant) -> None:
        self.buckets[bisect_left(BOUNDS_MS, ms)] += 1
        self.ms += ms


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

    def _add(self, name: str, documentation: str, labels: list[str], read: _Read) -> None:
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

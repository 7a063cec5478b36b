"""Traces and metrics by OpenTelemetry, for whoever collects them: an extra, and nothing at all while it is off.

One span for each RPC, job and decision. A call that came with a W3C trace context (`traceparent`) goes on in that
trace; any other begins one under the trace id that the answer and the log have. Metrics are those of /metrics.
Exporters and sampling are set by OpenTelemetry's own environment variables (OTEL_…).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from traffic_tacos.calls.dispatch import Calls, Method
from traffic_tacos.calls.metrics import Metrics
from traffic_tacos.kernel.addresses import origin
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.http import HttpAnswer, HttpPost
from traffic_tacos.ports.jobs import Handler
from traffic_tacos.ports.store import Decision, Job, Key, Prefix, Reads, Store, View

NAME = "traffic-tacos"
TRACE_ID_DIGITS = 32

T = TypeVar("T")
R = TypeVar("R")


class Platform(Protocol):
    @property
    def calls(self) -> Calls: ...

    handlers: Mapping[str, Handler]


class Telemetry:
    """`spans` takes the spans that have ended, `reader` the metrics."""

    def __init__(self, spans: SpanProcessor, reader: MetricReader, version: str, clock: Clock) -> None:
        resource = Resource.create({"service.name": NAME, "service.version": version})
        self._clock = clock
        self._tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._tracers.add_span_processor(spans)
        self._meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._tracer: Tracer = self._tracers.get_tracer(NAME)
        self._meter: Meter = self._meters.get_meter(NAME)
        self._seconds: Histogram = self._meter.create_histogram("rpc.server.call.duration", "s", "How long calls took")

    def follow(self, platform: Platform) -> None:
        """A span for each call and each job of the platform, and its metrics."""
        self.trace_calls(platform.calls)
        self.observe(platform.calls.metrics)
        platform.handlers = self.traced_jobs(platform.handlers)

    def trace_calls(self, calls: Calls) -> None:
        """A span for each call of each method, and how long it took."""
        for method in calls.methods.values():
            if method.is_stream:
                method.handler = self._traced_stream(method)
            elif method.is_async:
                method.handler = self._traced_async(method)
            else:
                method.handler = self._traced_sync(method)

    def traced_store(self, store: Store) -> Store:
        return TracedStore(store, self._tracer)

    def traced_jobs(self, handlers: Mapping[str, Handler]) -> dict[str, Handler]:
        return {topic: self._traced_job(handler) for topic, handler in handlers.items()}

    def traced_post(self, post: HttpPost) -> HttpPost:
        """Webhooks carry the trace that they are sent in."""

        async def traced(url: str, headers: dict[str, str], body: bytes, seconds: float) -> HttpAnswer:
            where = {"server.address": origin(url)}  # the rest of an address may be somebody's secret
            with self._tracer.start_as_current_span("POST", kind=SpanKind.CLIENT, attributes=where) as span:
                carried = dict(headers)
                propagate.inject(carried)
                answer = await post(url, carried, body, seconds)
                span.set_attribute("http.response.status_code", answer.status)
                return answer

        return traced

    def observe(self, metrics: Metrics) -> None:
        """What /metrics has: counts of calls by method and code, and every gauge."""

        def count(_: CallbackOptions) -> Iterable[Observation]:
            return [
                Observation(count, {"rpc.method": method.path, "code": code})
                for method in metrics.methods()
                for code, count in method.by_code.items()
            ]

        self._meter.create_observable_counter("tacos_calls", [count], description="Calls by method and outcome")
        for name in metrics.gauge_names():
            self._meter.create_observable_gauge(name, [_reader(metrics, name)])

    def close(self) -> None:
        """Send what is left."""
        self._tracers.shutdown()
        self._meters.shutdown()

    def _traced_async(self, method: Method) -> Callable[..., Any]:
        handler = method.handler

        async def traced(request: Any, call: Call) -> Any:
            with self._span(method, call):
                return await handler(request, call)

        return traced

    def _traced_sync(self, method: Method) -> Callable[..., Any]:
        handler = method.handler
        if method.is_plain:

            def plain(request: Any) -> Any:
                with self._span(method, None):
                    return handler(request)

            return plain

        def traced(request: Any, call: Call) -> Any:
            with self._span(method, call):
                return handler(request, call)

        return traced

    def _traced_stream(self, method: Method) -> Callable[..., Any]:
        handler = method.handler

        async def traced(request: Any, call: Call) -> AsyncGenerator[Any, None]:
            # The generator runs in whoever reads it, so nothing may be left in their context.
            span = self._tracer.start_span(_name(method), _parent(call), SpanKind.SERVER, _attributes(method))
            try:
                async for message in handler(request, call):
                    yield message
            except Exception as error:
                _mark_failed(span, error)
                raise
            finally:
                span.end()

        return traced

    def _traced_job(self, handler: Handler) -> Handler:
        async def traced(job: Job) -> None:
            attributes: dict[str, Any] = {"tacos.job.id": job.id, "tacos.job.attempts": job.attempts}
            with self._tracer.start_as_current_span(f"job {job.topic}", kind=SpanKind.CONSUMER, attributes=attributes):
                await handler(job)

        return traced

    @contextmanager
    def _span(self, method: Method, call: Call | None) -> Iterator[None]:
        kind = SpanKind.INTERNAL if trace.get_current_span().is_recording() else SpanKind.SERVER
        begun = self._clock.now()
        attributes = _attributes(method)
        with self._tracer.start_as_current_span(
            _name(method), _parent(call), kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                attributes = {**attributes, "error.type": _mark_failed(span, error)}
                raise
            finally:
                self._seconds.record((self._clock.now() - begun) / SECOND, attributes)


class TracedStore:
    """A span for each decision, under the name of the function that decides."""

    def __init__(self, store: Store, tracer: Tracer) -> None:
        self._store = store
        self._tracer = tracer

    async def get(self, key: Key[T]) -> T | None:
        return await self._store.get(key)

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        return await self._store.scan(prefix, after=after, limit=limit)

    def damaged(self) -> Mapping[str, str]:
        return self._store.damaged()

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        name = getattr(decide, "__qualname__", "decide").replace(".<locals>", "")
        with self._tracer.start_as_current_span(f"decide {name}", attributes={"tacos.store.reads": len(reads)}):
            return await self._store.transact(reads, decide)


def exporting(endpoint: str, version: str, clock: Clock) -> Telemetry:
    """Telemetry that goes to a collector by OTLP over HTTP at this address, as in http://127.0.0.1:4318."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    base = endpoint.rstrip("/")
    spans = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{base}/v1/traces"))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{base}/v1/metrics"))
    return Telemetry(spans, reader, version, clock)


def current_trace_id() -> str:
    """The trace that whoever asks is part of, in hex; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def _parent(call: Call | None) -> Context | None:
    """What a span is part of: what runs here already, else what the caller sent, else the call's own trace id."""
    if call is None or trace.get_current_span().get_span_context().is_valid:
        return None
    if call.traceparent:
        return propagate.extract({"traceparent": call.traceparent})
    if len(call.trace_id) != TRACE_ID_DIGITS or not _is_hex(call.trace_id):
        return None
    trace_id = int(call.trace_id, 16)
    parent = SpanContext(trace_id, trace_id & 0xFFFFFFFFFFFFFFFF or 1, True, TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(parent))


def _is_hex(text: str) -> bool:
    try:
        return int(text, 16) > 0
    except ValueError:
        return False


def _name(method: Method) -> str:
    return method.path.strip("/")


def _attributes(method: Method) -> dict[str, Any]:
    return {"rpc.system.name": "grpc", "rpc.method": _name(method)}


def _mark_failed(span: trace.Span, error: Exception) -> str:
    """Write down how it ended: a refusal is an answer, anything else an error."""
    if isinstance(error, Refusal):
        span.set_attribute("tacos.refusal", error.code.name)
        return error.code.name
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
    return type(error).__name__


def _reader(metrics: Metrics, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(one.value, one.labels) for one in metrics.gauges() if one.name == name]

    return read

"""Traces and metrics as a collector receives them from `tacos up`: OTLP over HTTP."""

import gzip

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.process import Shopper
from tests.e2e.receiving import receiver


@pytest.fixture
def collector():
    with receiver() as server:
        yield server


def sent(collector, path, kind):
    """Everything that came to a path, as messages of its kind."""
    return [
        kind.FromString(gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body)
        for at, headers, body in collector.received
        if at == path
    ]


def test_a_collector_receives_the_purchase(up, collector):
    platform = up("--telemetry", f"http://127.0.0.1:{collector.server_port}")
    shopper = Shopper(platform.client(), platform.token("user", "ana"), "ana", "evt_hundred")
    for step in (shopper.join, shopper.wait_for_turn, shopper.be_admitted, shopper.reserve, shopper.pay, shopper.own):
        step()
    assert platform.stop() == 0  # what is left is sent
    traces = sent(collector, "/v1/traces", ExportTraceServiceRequest)
    spans = [span for one in traces for r in one.resource_spans for scope in r.scope_spans for span in scope.spans]
    names = {span.name for span in spans}
    assert {"gateway.v1.GatewayService/CreateReservation", "job webhook.send", "POST"} <= names
    by_id = {span.span_id: span for span in spans}
    inner = next(span for span in spans if span.name == "reservation.v1.ReservationService/CreateReservation")
    assert by_id[inner.parent_span_id].name == "gateway.v1.GatewayService/CreateReservation"
    metrics = sent(collector, "/v1/metrics", ExportMetricsServiceRequest)
    found = {
        m.name for one in metrics for r in one.resource_metrics for scope in r.scope_metrics for m in scope.metrics
    }
    assert {"tacos_calls", "rpc.server.call.duration", "tacos_disk_free_bytes"} <= found

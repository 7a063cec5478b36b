"""Traces and metrics by OpenTelemetry: what they tell of a reservation, and that they are nothing while off."""

import sys

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.rpc.desk import GATEWAY, QUEUE, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, websocket_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.operations.telemetry import Telemetry

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def traced(desk):
    """The desk's platform once more, with telemetry; where its spans and metrics go."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    desk.telemetry = Telemetry(SimpleSpanProcessor(spans), reader, "1", desk.clock)
    await desk.crash()
    return spans, reader


async def ask(desk, path, request, **headers):
    method = desk.platform.calls.methods["/" + path]
    given = (("authorization", f"Bearer {desk.token(Role.FAN, 'ana')}"), *headers.items())
    return await desk.platform.calls.answer(
        method, request, desk.platform.calls.call(method, request, given, desk.peer)
    )


@on_platform
async def test_a_reservation_is_one_trace_from_the_callers_span_to_each_decision(desk):
    spans, _ = await traced(desk)
    request = gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID,
        quantity=2,
        user_id="ana",
        reservation_token=await desk.admitted("ana"),
        idempotency_key="k",
    )
    spans.clear()
    answer = await ask(desk, GATEWAY + "CreateReservation", request, traceparent=f"00-{TRACE}-{PARENT}-01")
    assert code(answer) == ""
    found = {span.name: span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == TRACE}
    outer = found["gateway.v1.GatewayService/CreateReservation"]
    assert f"{outer.parent.span_id:016x}" == PARENT
    room = found["reservation.v1.ReservationService/CreateReservation"]
    assert room.parent.span_id == outer.context.span_id
    decisions = [span for name, span in found.items() if name.startswith("decide ")]
    assert {span.parent.span_id for span in decisions} == {room.context.span_id}
    assert all(span.end_time is not None for span in found.values())


@on_platform
async def test_a_call_without_a_context_begins_a_trace_under_the_id_it_answers_with(desk):
    spans, _ = await traced(desk)
    spans.clear()
    show = gateway_pb2.GetReservationRequest(reservation_id="rsv_none")
    answer = await ask(desk, GATEWAY + "GetReservation", show)
    outer = spans.get_finished_spans()[-1]
    assert f"{outer.context.trace_id:032x}" == answer.error.trace_id
    assert outer.attributes["tacos.refusal"] == "NOT_FOUND"
    assert outer.status.is_ok or outer.status.is_unset  # a refusal is an answer
    named = await ask(desk, GATEWAY + "GetReservation", show, **{"x-trace-id": "not hex at all"})
    assert named.error.trace_id == "not hex at all"


@on_platform
async def test_plain_calls_streams_and_jobs_have_spans_and_metrics_are_those_of_the_door(desk):
    spans, reader = await traced(desk)
    joined = await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s"))
    await desk.ask(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=joined.waiting_token))
    request = websocket_pb2.StreamQueueRequest(waiting_token=joined.waiting_token, session_id="s")
    stream = desk.stream("gateway.v1.WebSocketService/StreamQueueUpdates", request)
    await anext(stream)
    await stream.aclose()
    await desk.pay("ana", await desk.held("ana", 1))
    await desk.clock.sleep(10)
    names = {span.name for span in spans.get_finished_spans()}
    assert {
        QUEUE + "JoinQueue", QUEUE + "GetQueueStatus", "gateway.v1.WebSocketService/StreamQueueUpdates",
        "job payment.outcome", "job webhook.send", "POST",
    } <= names  # fmt: skip
    told = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    metrics = {metric.name: metric for metric in told}
    calls = {
        point.attributes["rpc.method"]: point.value
        for point in metrics["tacos_calls"].data.data_points
        if point.attributes["code"] == "OK"
    }
    assert calls["/" + QUEUE + "JoinQueue"] == 2
    assert metrics["rpc.server.call.duration"].data.data_points
    gauges = {gauge.name for gauge in desk.platform.calls.metrics.gauges()}
    assert gauges <= set(metrics)


@on_platform
async def test_while_off_nothing_is_wrapped(desk):
    for method in desk.platform.calls.methods.values():
        assert "telemetry" not in method.handler.__module__, method.path
    assert type(desk.platform.engines.store).__name__ == "FaultyStore"


def test_without_the_extra_it_says_what_is_missing(monkeypatch):
    from pathlib import Path

    from traffic_tacos.app import embedded
    from traffic_tacos.app.config import Config
    from traffic_tacos.engines.clock import SystemClock
    from traffic_tacos.kernel.errors import Refusal

    assert embedded.exporting(Config(), SystemClock()) is None
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    for name in [name for name in sys.modules if name.startswith("traffic_tacos.operations.telemetry")]:
        monkeypatch.delitem(sys.modules, name)
    import traffic_tacos.operations

    monkeypatch.delattr(traffic_tacos.operations, "telemetry", raising=False)
    with pytest.raises(Refusal, match="needs the extra"):
        embedded.exporting(Config(data=Path("x"), telemetry="http://127.0.0.1:4318"), SystemClock())

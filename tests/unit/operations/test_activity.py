"""What the log says of calls, counted: a line for each kind, whatever their number."""

import logging

import pytest
import structlog

from traffic_tacos.calls.metrics import OK, Metrics
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.operations.activity import Activity

STATUS = "/gateway.v1.QueueService/GetQueueStatus"


@pytest.fixture
def told():
    """Metrics, and what is written of them."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    metrics = Metrics()
    activity = Activity(metrics, SystemClock())

    def written():
        with structlog.testing.capture_logs() as lines:
            activity.write()
        return lines

    yield metrics, written
    structlog.configure(**before)


def test_ten_thousand_refusals_are_one_line_with_their_number_and_the_latest_trace(told):
    metrics, written = told
    figures = metrics.method(STATUS)
    for number in range(10_000):
        figures.count("ERROR_CODE_NOT_FOUND", f"trace-{number}")
        figures.count(OK)
    (line,) = written()
    assert (line["event"], line["method"], line["code"]) == ("calls_refused", STATUS, "ERROR_CODE_NOT_FOUND")
    assert (line["count"], line["trace_id"]) == (10_000, "trace-9999")
    assert written() == []
    figures.count("ERROR_CODE_NOT_FOUND", "again")
    assert [(line["count"], line["trace_id"]) for line in written()] == [(1, "again")]


def test_calls_over_their_target_are_one_line_with_the_worst(told):
    metrics, written = told
    figures = metrics.method(STATUS)
    for ms, trace_id in ((50, "in time"), (51, "a"), (900, "b"), (70, "c")):
        figures.took(ms, trace_id)
    (line,) = written()
    assert (line["event"], line["count"], line["worst_ms"], line["target_ms"]) == ("calls_slow", 3, 900, 50)
    assert line["trace_id"] == "b"
    assert written() == []

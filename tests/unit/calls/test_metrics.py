"""Figures as Prometheus reads them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from traffic_tacos.calls.metrics import BOUNDS_MS, OK, Metrics
from traffic_tacos.ports.figures import Gauge

METHOD = "/gateway.v1.GatewayService/CreateReservation"


def exposed(metrics):
    """The samples as a scrape finds them: (name, labels) to value."""
    text = generate_latest(metrics.registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def taken(*times_ms):
    """What a scrape finds of a method whose calls took so long."""
    metrics = Metrics()
    for ms in times_ms:
        metrics.method(METHOD).count(OK)
        metrics.method(METHOD).took(ms)
    return exposed(metrics)


def bucket(samples, bound):
    return samples["tacos_call_seconds_bucket", (("le", bound), ("method", METHOD))]


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "0.001"),
        (1, "0.001"),
        (2, "0.002"),
        (3, "0.005"),
        (10, "0.01"),
        (11, "0.025"),
        (100, "0.1"),
        (999, "1.0"),
        (1000, "1.0"),
        (1001, "2.5"),
        (2500, "2.5"),
        (2501, "+Inf"),
        (10**9, "+Inf"),
    ],
)
def test_a_call_is_in_the_bucket_of_the_first_bound_that_it_did_not_exceed(ms, expected):
    samples = taken(ms)
    bounds = [*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf"]
    assert [bucket(samples, bound) for bound in bounds] == [
        float(position >= bounds.index(expected)) for position in range(len(bounds))
    ]


@given(st.lists(st.integers(0, 5000), max_size=50))
def test_buckets_are_cumulative_and_agree_with_count_and_sum(times_ms):
    samples = taken(*times_ms)
    if not times_ms:
        assert ("tacos_call_seconds_count", (("method", METHOD),)) not in samples
        return
    for bound in BOUNDS_MS:
        assert bucket(samples, str(bound / 1000)) == sum(1 for ms in times_ms if ms <= bound)
    assert bucket(samples, "+Inf") == len(times_ms)
    assert samples["tacos_call_seconds_count", (("method", METHOD),)] == len(times_ms)
    assert math.isclose(samples["tacos_call_seconds_sum", (("method", METHOD),)], sum(times_ms) / 1000)


def test_calls_are_counted_by_method_and_code():
    metrics = Metrics()
    for path, code in [("/a", OK), ("/a", OK), ("/a", "NOT_FOUND"), ("/b", "INTERNAL")]:
        metrics.method(path).count(code)
    counted = {labels: value for (name, labels), value in exposed(metrics).items() if name == "tacos_calls_total"}
    assert counted == {
        (("code", "OK"), ("method", "/a")): 2,
        (("code", "NOT_FOUND"), ("method", "/a")): 1,
        (("code", "OK"), ("method", "/b")): 0,
        (("code", "INTERNAL"), ("method", "/b")): 1,
    }
    assert [one.path for one in metrics.methods()] == ["/a", "/b"]


def test_gauges_are_read_when_somebody_asks():
    metrics, waiting, seats = Metrics(), [7], {"evt_a": 1, "evt_b": 2}
    metrics.add_gauge("tacos_waiting", "Those who wait", lambda: waiting[0])
    metrics.add_gauges("tacos_seats", "Seats by event", "event", seats.items)
    assert metrics.gauge_names() == ["tacos_waiting", "tacos_seats"]
    assert metrics.gauges() == [
        Gauge("tacos_waiting", {}, 7),
        Gauge("tacos_seats", {"event": "evt_a"}, 1),
        Gauge("tacos_seats", {"event": "evt_b"}, 2),
    ]
    waiting[0] = 8
    del seats["evt_a"]
    assert metrics.gauges() == [Gauge("tacos_waiting", {}, 8), Gauge("tacos_seats", {"event": "evt_b"}, 2)]
    assert exposed(metrics) == {("tacos_waiting", ()): 8, ("tacos_seats", (("event", "evt_b"),)): 2}


def test_two_platforms_in_one_process_count_apart():
    one, other = Metrics(), Metrics()
    one.method(METHOD).count(OK)
    one.add_gauge("tacos_waiting", "Those who wait", lambda: 1.0)
    other.add_gauge("tacos_waiting", "Those who wait", lambda: 2.0)
    assert (exposed(one)["tacos_waiting", ()], exposed(other)) == (1.0, {("tacos_waiting", ()): 2.0})

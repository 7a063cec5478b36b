"""How calls went over time, from counters that are looked at every ten seconds."""

import asyncio
import random
from math import ceil, inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clocks import HandClock
from tests.simulation.loop import EPOCH, LoopClock, VirtualLoop, run
from traffic_tacos.calls.metrics import BOUNDS_MS, OK, Metrics
from traffic_tacos.kernel.instants import HOUR, SECOND
from traffic_tacos.operations.history import EVERY_SECONDS, LOOKS_MAX, History
from traffic_tacos.ports.figures import CallFigures, Gauge

METHOD = "/gateway.v1.GatewayService/CreateReservation"


def over_time(story):
    """Run a story with metrics, their history that looks by itself, and a clock that jumps."""
    loop = VirtualLoop(random.Random(1))

    async def main():
        metrics, clock = Metrics(), LoopClock(loop)
        history = History(metrics, clock)
        looking = asyncio.create_task(history.run())
        await story(metrics, history, clock)
        looking.cancel()

    run(main(), loop)


def at(seconds):
    return EPOCH + round(seconds * SECOND)


def call(metrics, ms=1, code=OK, path=METHOD, count=1):
    for _ in range(count):
        metrics.method(path).count(code)
        metrics.method(path).took(ms)


def figures_of(*times_ms):
    """Of calls that took so long, all now."""
    metrics, clock = Metrics(), HandClock()
    history = History(metrics, clock)
    for ms in times_ms:
        call(metrics, ms)
    [figures] = history.calls(0, clock.now())
    return figures


@pytest.mark.parametrize(
    ("times_ms", "expected"),
    [
        ([0], (1, 1, 1)),
        ([3], (5, 5, 5)),
        ([1, 2], (1, 2, 2)),
        ([1, 2, 2], (2, 2, 2)),
        ([1] * 95 + [100] * 5, (1, 1, 100)),
        ([1] * 94 + [100] * 6, (1, 100, 100)),
        ([1] * 99 + [100], (1, 1, 1)),
        ([1] * 98 + [100] * 2, (1, 1, 100)),
        ([2500], (2500, 2500, 2500)),
        ([2501], (inf, inf, inf)),
        ([1] * 9 + [60_000], (1, inf, inf)),
    ],
)
def test_percentiles_are_the_upper_bounds_of_their_buckets(times_ms, expected):
    figures = figures_of(*times_ms)
    assert (figures.p50_ms, figures.p95_ms, figures.p99_ms) == expected


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=60))
def test_a_percentile_is_never_below_the_true_one_and_never_by_more_than_its_bucket(times_ms):
    figures = figures_of(*times_ms)
    bounds = [*BOUNDS_MS, inf]
    for hundredths, told in [(50, figures.p50_ms), (95, figures.p95_ms), (99, figures.p99_ms)]:
        true = sorted(times_ms)[ceil(hundredths * len(times_ms) / 100) - 1]
        assert told == min(bound for bound in bounds if true <= bound)


def test_calls_that_took_no_time_of_their_own_have_no_percentiles():
    metrics, clock = Metrics(), HandClock()
    history = History(metrics, clock)
    metrics.method("/stream").count(OK)
    clock.advance(4)
    assert history.calls(0, clock.now()) == [CallFigures("/stream", 1, {}, 0.25, 0, 0, 0)]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(0, 100, 40, id="all"),
        pytest.param(-1000, 100, 40, id="from before it began"),
        pytest.param(0, 10, 10, id="the first ten seconds"),
        pytest.param(10, 20, 0, id="nothing in the second ten"),
        pytest.param(10, 30, 20, id="the third ten"),
        pytest.param(19.999, 30, 20, id="from the look before"),
        pytest.param(20, 30, 20, id="from the look itself"),
        pytest.param(0, 29.999, 10, id="until the look before"),
        pytest.param(30, 34, 0, id="not looked at yet"),
        pytest.param(30, 34.5, 10, id="until now, since the clock went on after the caller read it"),
        pytest.param(30, 35, 10, id="until now"),
        pytest.param(35, 35, 0, id="no time at all"),
        pytest.param(-50, -10, 0, id="before it began"),
    ],
)
def test_calls_of_some_time_are_those_between_two_looks(since, until, expected):
    async def story(metrics, history, clock):
        await clock.sleep(5)
        call(metrics, count=10)
        await clock.sleep(20)
        call(metrics, count=20)
        await clock.sleep(8)
        call(metrics, count=10)
        await clock.sleep(2)
        assert sum(one.calls for one in history.calls(at(since), at(until))) == expected

    over_time(story)


def test_figures_of_a_time_have_nothing_of_another():
    async def story(metrics, history, clock):
        call(metrics, ms=3000, code="INTERNAL", count=50)
        call(metrics, path="/before")
        await clock.sleep(15)
        call(metrics, ms=2, count=7)
        call(metrics, ms=40, code="NOT_FOUND", count=1)
        call(metrics, code="UNAVAILABLE", path="/since", count=2)
        await clock.sleep(7)
        assert history.calls(at(10), at(20)) == [
            CallFigures(METHOD, 8, {"NOT_FOUND": 1}, 0.8, 2, 50, 50),
            CallFigures("/since", 2, {"UNAVAILABLE": 2}, 0.2, 1, 1, 1),
        ]

    over_time(story)


def test_a_method_that_was_never_called_is_not_shown():
    metrics, clock = Metrics(), HandClock()
    history = History(metrics, clock)
    metrics.method("/never")
    assert history.calls(0, clock.now()) == []


def test_an_hour_is_remembered_and_no_more():
    async def story(metrics, history, clock):
        for _ in range(2 * LOOKS_MAX):
            call(metrics)
            await clock.sleep(EVERY_SECONDS)
        await clock.sleep(1)
        [figures] = history.calls(0, clock.now())
        assert EVERY_SECONDS * LOOKS_MAX * SECOND == HOUR
        assert figures.calls == LOOKS_MAX - 1
        assert len(history.gauges(0, clock.now(), 10_000)) == LOOKS_MAX

    over_time(story)


def test_gauges_are_kept_as_they_stood():
    async def story(metrics, history, clock):
        standing = [1.0]
        metrics.add_gauge("tacos_waiting", "Those who wait", lambda: standing[0])
        await clock.sleep(15)
        standing[0] = 2.0
        await clock.sleep(10)
        standing[0] = 3.0
        assert history.gauges(at(0), at(25), 10) == [
            (at(10), [Gauge("tacos_waiting", {}, 1.0)]),
            (at(20), [Gauge("tacos_waiting", {}, 2.0)]),
        ]
        assert history.gauges_now() == (at(25), [Gauge("tacos_waiting", {}, 3.0)])

    over_time(story)


@pytest.mark.parametrize(
    ("since", "until", "samples_max", "expected"),
    [
        (0, 100, 100, [10, 20, 30, 40, 50, 60, 70]),
        (20, 40, 100, [20, 30, 40]),
        (20.001, 39.999, 100, [30]),
        (0, 100, 7, [10, 20, 30, 40, 50, 60, 70]),
        (0, 100, 6, [10, 30, 50, 70]),
        (0, 100, 4, [10, 30, 50, 70]),
        (0, 100, 3, [10, 40, 70]),
        (0, 100, 2, [30, 70]),
        (0, 100, 1, [70]),
        (41, 49, 1, []),
    ],
)
def test_samples_are_spread_evenly_and_end_with_the_newest(since, until, samples_max, expected):
    async def story(metrics, history, clock):
        await clock.sleep(75)
        found = history.gauges(at(since), at(until), samples_max)
        assert [(moment - EPOCH) // SECOND for moment, _ in found] == expected

    over_time(story)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(1, 5)), min_size=1, max_size=20), st.integers(0, 500))
def test_two_times_that_meet_have_together_what_the_whole_has(steps, middle):
    async def story(metrics, history, clock):
        for pause, count in steps:
            await clock.sleep(pause)
            call(metrics, count=count)
        now = clock.now()
        between = min(at(middle), now - SECOND)
        parts = [*history.calls(0, between), *history.calls(between, now)]
        [whole] = history.calls(0, now)
        assert sum(one.calls for one in parts) == whole.calls == sum(count for _, count in steps)

    over_time(story)

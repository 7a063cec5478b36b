"""The circuit breaker: when an attempt is made, and when not."""

from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.kernel.circuit import BreakerPolicy, Circuit, failed, pause, succeeded, try_acquire
from traffic_tacos.kernel.instants import SECOND

BREAKER = BreakerPolicy(failures_max=3, pause_first=2 * SECOND, pause_max=10 * SECOND)


def after(*steps, policy=BREAKER):
    """The circuit after steps of (what happened, at which second); an attempt may take half a second."""
    circuit = Circuit()
    for what, second in steps:
        now = round(second * SECOND)
        if what == "ask":
            circuit = try_acquire(circuit, 0.5, now)
            assert circuit is not None, f"nothing is asked at {second} s"
        elif what == "fail":
            circuit = failed(circuit, f"down at {second} s", now, policy)
        else:
            circuit = succeeded(circuit, now)
    return circuit


def is_asked(circuit, second):
    return try_acquire(circuit, 0.5, round(second * SECOND)) is not None


OPEN = (("fail", 1), ("fail", 2), ("fail", 3))  # until second 5
PROBED = (*OPEN, ("ask", 5))  # half-open: one attempt, until second 5.5
AGAIN = (*PROBED, ("fail", 5.5))  # for 4 seconds, until second 9.5


@pytest.mark.parametrize(
    ("steps", "second", "expected"),
    [
        pytest.param((), 0, True, id="closed from the start"),
        pytest.param(OPEN[:2], 2, True, id="one failure too few"),
        pytest.param(OPEN, 3, False, id="opens with the last failure"),
        pytest.param(OPEN, 4.999, False, id="open until its pause is over"),
        pytest.param(OPEN, 5, True, id="then asked once"),
        pytest.param(PROBED, 5, False, id="while that attempt runs nobody else asks"),
        pytest.param(PROBED, 5.499, False, id="while that attempt may run nobody else asks"),
        pytest.param(PROBED, 5.5, True, id="an attempt that was never heard of is made again"),
        pytest.param((*PROBED, ("succeed", 5.1)), 5.1, True, id="closes with a success"),
        pytest.param((*PROBED, ("succeed", 5.1), *OPEN[:2]), 5.2, True, id="a success forgets all failures"),
        pytest.param((*OPEN[:2], ("succeed", 2), *OPEN[:2]), 5.2, True, id="only failures in a row count"),
        pytest.param(AGAIN, 9.499, False, id="one more failure and it stays open twice as long"),
        pytest.param(AGAIN, 9.5, True, id="no longer than twice as long"),
        pytest.param((*AGAIN, ("ask", 9.5), ("fail", 10)), 17.999, False, id="and again twice as long"),
        pytest.param((*AGAIN, ("ask", 9.5), ("fail", 10)), 18, True, id="four times the first pause"),
        pytest.param((*AGAIN, ("ask", 10), ("fail", 10), ("ask", 18), ("fail", 20)), 29.999, False, id="at most"),
        pytest.param((*AGAIN, ("ask", 10), ("fail", 10), ("ask", 18), ("fail", 20)), 30, True, id="the longest"),
        pytest.param((*AGAIN, ("ask", 9.5), ("succeed", 10), *((f, s + 9) for f, s in OPEN)), 14, True, id="new row"),
    ],
)
def test_an_attempt_is_made_when_it_may_succeed(steps, second, expected):
    assert is_asked(after(*steps), second) is expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), Circuit()),
        (OPEN[:1], Circuit(failures=1, failed=1, last_error="down at 1 s")),
        ((*OPEN, ("succeed", 4)), Circuit(succeeded=1, failed=3, last_succeeded_at=4 * SECOND)),
        ((("succeed", 1), ("succeed", 2)), Circuit(succeeded=2, last_succeeded_at=2 * SECOND)),
        (
            (("succeed", 1), *OPEN[:2]),
            Circuit(failures=2, succeeded=1, failed=2, last_error="down at 2 s", last_succeeded_at=SECOND),
        ),
    ],
)
def test_what_was_counted_stays_and_what_was_wrong_is_forgotten_with_a_success(steps, expected):
    assert after(*steps) == expected


def test_an_open_circuit_says_so_until_it_closes():
    shown = [after(*steps).is_open for steps in (OPEN[:2], OPEN, PROBED, AGAIN, (*PROBED, ("succeed", 5.1)))]
    assert shown == [False, True, True, True, False]


@pytest.mark.parametrize("late", [1, 2, 50])
def test_attempts_that_were_under_way_when_it_opened_lengthen_no_pause(late):
    circuit = after(*OPEN, *[("fail", 3)] * late)
    assert (circuit.failures, is_asked(circuit, 4.999), is_asked(circuit, 5)) == (3 + late, False, True)
    probed = after(*OPEN, *[("fail", 4)] * late, ("ask", 5), ("fail", 5.5), *[("fail", 6)] * late)
    assert (is_asked(probed, 9.499), is_asked(probed, 9.5)) == (False, True)


@given(st.integers(1, 10), st.integers(1, 10**9), st.integers(1, 10**12), st.integers(1, 60))
def test_pauses_double_from_the_first_to_the_longest(failures_max, pause_first, pause_max, rounds):
    policy, circuit, now = BreakerPolicy(failures_max, pause_first, pause_max), Circuit(), 0
    expected = min(pause_first, pause_max)
    for number in count(1):
        circuit = failed(try_acquire(circuit, 0.5, now), "down", now, policy)
        if number < failures_max:
            assert not circuit.is_open
            continue
        assert (circuit.open_until - now, pause(circuit, policy)) == (expected, expected)
        if number == failures_max + rounds:
            break
        now, expected = circuit.open_until, min(2 * expected, pause_max)


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=60))
def test_who_does_not_answer_is_asked_by_one_at_a_time(steps):
    circuit, now, attempts = after(*OPEN), 3 * SECOND, []
    for step, fails in steps:
        now += step
        if fails:
            circuit = failed(circuit, "down", now, BREAKER)
        elif (attempt := try_acquire(circuit, 0.5, now)) is not None:
            circuit = attempt
            attempts.append(now)
        assert circuit.is_open
        assert circuit.open_until <= now + BREAKER.pause_max
    assert all(later - earlier >= SECOND // 2 for earlier, later in pairwise(attempts))

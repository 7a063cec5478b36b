"""Pauses double up to the longest, however often something has failed."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.kernel.instants import MINUTE, SECOND
from traffic_tacos.kernel.retries import RetryPolicy


def test_pauses_double_up_to_the_longest():
    policy = RetryPolicy(pause_max=MINUTE)
    pauses = [policy.pause(failures) // SECOND for failures in range(10)]
    assert pauses == [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(st.integers(1, 10**6), st.integers(1, 10**9), st.integers(0, 10**6))
def test_a_pause_is_never_shorter_than_the_one_before_nor_longer_than_the_longest(first, longest, failures):
    policy = RetryPolicy(pause_max=longest, pause_first=first)
    pauses = [policy.pause(failures + more) for more in range(3)]
    assert all(before <= after <= longest for before, after in pairwise(pauses))
    assert policy.pause(10**9) == longest


def test_the_last_attempt_is_the_last():
    policy = RetryPolicy(pause_max=MINUTE, attempts_max=3)
    assert [policy.is_over(failures) for failures in range(5)] == [False, False, False, True, True]
    assert not RetryPolicy(pause_max=MINUTE).is_over(10**12)

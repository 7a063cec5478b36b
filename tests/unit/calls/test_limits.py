"""Token buckets: what fits in, what does not, and whom a call is counted for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.calls import limits
from traffic_tacos.calls.limits import BURST_SECONDS, Buckets, address_of
from traffic_tacos.kernel.addresses import parsed_networks

PROXIES = parsed_networks("trusted-proxy", ["10.0.0.0/8", "::1/128"])


def test_a_burst_is_taken_then_the_rate():
    buckets = Buckets()
    taken = [buckets.take("ana", 10, 1000) == 0 for _ in range(25)]
    assert taken == [True] * 20 + [False] * 5
    assert buckets.take("ben", 10, 1000) == 0
    assert buckets.take("ana", 10, 1050) == pytest.approx(50)
    assert buckets.take("ana", 10, 1100) == 0
    assert buckets.take("ana", 10, 1100) == pytest.approx(100)


def test_waiting_as_long_as_was_said_is_enough():
    buckets = Buckets()
    while not (wait := buckets.take("ana", 3, 7)):
        pass
    assert buckets.take("ana", 3, 7 + int(wait)) > 0
    assert buckets.take("ana", 3, 8 + int(wait)) == 0


def test_whoever_was_quiet_is_forgotten_and_loses_nothing():
    buckets = Buckets()
    for number in range(1000):
        buckets.take(f"caller{number}", 10, 0)
    for time in (2000, 4000):
        buckets.take("ana", 10, time)
    assert len(buckets) <= 2


def test_however_many_addresses_come_the_buckets_stay_bounded(monkeypatch):
    monkeypatch.setattr(limits, "BUCKETS_MAX", 100)
    buckets = Buckets()
    for number in range(10_000):
        buckets.take(f"address{number}", 10, 0)
    assert len(buckets) <= 200


@given(st.integers(1, 2000), st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3000)), max_size=200))
def test_in_no_time_does_anybody_get_more_than_burst_and_rate(per_second, asked):
    """The definition of a token bucket: in any span, at most its depth and what flowed in meanwhile."""
    buckets, now = Buckets(), 0
    taken: dict[str, list[int]] = {"a": [], "b": []}
    for name, pause in asked:
        now += pause
        if buckets.take(name, per_second, now) == 0:
            taken[name].append(now)
    for times in taken.values():
        for first in range(len(times)):
            for last in range(first, len(times)):
                span = (times[last] - times[first]) / 1000
                assert last - first + 1 <= (BURST_SECONDS + span) * per_second + 1e-6


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("ipv4:203.0.113.7:4711", [], "203.0.113.7"),
        ("ipv6:[2001:db8::1]:4711", [], "2001:db8::/64"),
        ("ipv6:%5B2001:db8::1%5D:4711", [], "2001:db8::/64"),
        ("2001:db8:0:1:ffff::2", [], "2001:db8:0:1::/64"),
        ("[2001:db8::1]:4711", [], "2001:db8::/64"),
        ("203.0.113.7:4711", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # not a proxy that is believed
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1", "10.9.9.9"], "198.51.100.1"),
        ("10.1.2.3", ["203.0.113.1, nonsense"], "10.1.2.3"),  # counts for the proxy that passed it on
        ("10.1.2.3", ["127.0.0.1"], "127.0.0.1"),  # who is named by a proxy is not on this machine
        ("10.1.2.3", ["::1"], "::/64"),
        ("10.1.2.3", ["10.4.4.4, 10.3.3.3"], "10.4.4.4"),
        ("nonsense", [], "unknown"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("ipv6:[::1]:5", ["203.0.113.9"], "203.0.113.9"),
        ("ipv6:[::ffff:203.0.113.7]:5", [], "203.0.113.7"),
        ("127.0.0.1", ["203.0.113.9"], ""),  # loopback is not limited, and not believed unless allowed
        ("unix:/tmp/socket", [], ""),
        ("", [], ""),
    ],
)
def test_whose_address_it_is(peer, forwarded, address):
    assert address_of(peer, forwarded, PROXIES) == address

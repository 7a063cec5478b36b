"""The log: nobody can fill it, and no field of it is as long as somebody likes."""

import pytest
import structlog

from traffic_tacos.operations.logs import FIELD_LENGTH_MAX, LINES_OF_ONE_EVENT_MAX, Thinned, shorten


def line(event, minute, level="warning"):
    return {"event": event, "level": level, "timestamp": f"2027-01-15T08:{minute:02}:31.123456Z"}


def written(thinned, made):
    try:
        return thinned(None, "", made)
    except structlog.DropEvent:
        return None


def test_of_one_event_there_are_so_many_lines_a_minute_and_then_how_many_were_left_out():
    thinned = Thinned()
    kept = [written(thinned, line("call_timed_out", 1)) for _ in range(10_000)]
    assert sum(one is not None for one in kept) == LINES_OF_ONE_EVENT_MAX
    assert written(thinned, line("stopped", 1)) is not None  # others are not the poorer for it
    assert written(thinned, line("call_timed_out", 1, "debug")) is not None
    assert written(thinned, line("call_timed_out", 2))["left_out"] == 10_000 - LINES_OF_ONE_EVENT_MAX
    assert "left_out" not in written(thinned, line("call_timed_out", 2))


@pytest.mark.parametrize("name", ["error", "event", "exception"])
def test_no_field_is_longer_than_its_bound(name):
    made = shorten(None, "", {**line("x", 1), name: "y" * 1_000_000, "count": 7})
    assert len(made[name]) <= (20_001 if name == "exception" else FIELD_LENGTH_MAX + 1)
    assert made["count"] == 7

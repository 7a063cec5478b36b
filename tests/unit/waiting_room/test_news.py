import msgspec
import pytest

from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.news import Sight, Topic, condition, news
from traffic_tacos.rooms.waiting_room.values import Limits, Place, State

WAITING = Sight(Place(State.WAITING, 7, 3), is_stopped=False, is_sold_out=False, rate_per_second=10)


def but(**changes) -> Sight:
    return msgspec.structs.replace(WAITING, **changes)


AHEAD = but(place=Place(State.WAITING, 6, 3))
READY = but(place=Place(State.READY, 1, 0))
CASES = [
    (None, WAITING, [Topic.PLACE]),
    (None, READY, [Topic.READY]),
    (None, but(place=Place(State.LEFT, 0, 0)), [Topic.ENDED]),
    (None, but(is_stopped=True, is_sold_out=True), [Topic.PAUSED, Topic.SOLD_OUT, Topic.PLACE]),
    (WAITING, WAITING, []),
    (WAITING, but(place=Place(State.WAITING, 7, 2)), []),  # a time alone is not worth a message
    (WAITING, AHEAD, [Topic.PLACE]),
    (WAITING, READY, [Topic.READY]),
    (READY, AHEAD, [Topic.PLACE]),
    (READY, but(place=Place(State.ADMITTED, 0, 0)), [Topic.READY]),
    (WAITING, but(place=Place(State.EXPIRED, 0, 0)), [Topic.ENDED]),
    (WAITING, but(is_stopped=True), [Topic.PAUSED]),
    (but(is_stopped=True), WAITING, [Topic.RESUMED]),
    (WAITING, but(is_sold_out=True), [Topic.SOLD_OUT]),
    (but(is_sold_out=True), WAITING, [Topic.SEATS_AGAIN]),
    (WAITING, but(rate_per_second=11), [Topic.RATE]),
]


@pytest.mark.parametrize(("told", "now", "expected"), CASES)
def test_what_has_changed_is_told_and_nothing_else(told, now, expected):
    assert news(told, now) == expected


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("is_sold_out", [False, True])
@pytest.mark.parametrize("is_stopped", [False, True])
def test_nobody_is_let_in_where_there_is_a_reason_why_not(is_over, is_sold_out, is_stopped):
    line, now = LineModel(Limits(rate_per_second=2, active_max=4, offer_seconds=5)), 10 * SECOND
    line.ends_at = now if is_over else now + 1
    line.is_sold_out = is_sold_out
    line.stop(is_stopped, now)
    assert line.lets_in(now) == (condition(line.view(now), "") is None)
    assert line.lets_in(now) != (is_over or is_sold_out or is_stopped)

"""A line that steps only when something is due is in the same state as one that steps ten times a second."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from traffic_tacos.kernel.instants import MINUTE, SECOND
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.values import ADMISSION_LIFETIME, Admission, Limits, State
from traffic_tacos.rooms.waiting_room.view import place

STEP = 100
START = 1_000_000  # a whole step
LIMITS = Limits(rate_per_second=2, active_max=3, offer_seconds=5, idle_seconds=60, waiting_max=100)
NUMBERS = st.integers(1, 12)
DEEDS = st.one_of(
    st.tuples(st.just("join"), st.integers(1, 3)),
    st.tuples(st.just("touch"), NUMBERS),
    st.tuples(st.just("admit"), NUMBERS),
    st.tuples(st.just("leave"), NUMBERS),
    st.tuples(st.just("done"), NUMBERS),
    st.tuples(st.just("stop"), st.booleans()),
    st.tuples(st.just("sellable"), st.sampled_from([None, 0, 1, 5])),
    st.tuples(st.just("sold out"), st.booleans()),
    st.tuples(st.just("sold for good"), st.booleans()),
    st.tuples(st.just("rate"), st.integers(1, 4)),
)
# Deeds, and how many steps are between them.
SALES = st.lists(st.tuples(st.integers(0, 600), DEEDS), max_size=20)


def a_line(opens_at: int | None, ends_at: int | None, is_pool: bool) -> LineModel:
    one = LineModel(LIMITS)
    one.opens_at, one.ends_at = opens_at, ends_at
    if is_pool:
        one.gather()
    return one


def do(line: LineModel, deed, now: int) -> None:
    name, what = deed
    known = isinstance(what, bool) or what is None or what <= line.last_number
    match name:
        case "join":
            line.joined(line.last_number + what, now)
        case "touch" if known:
            line.touch(what, now)
        case "admit" if known and line.state(what) is State.READY:
            line.admitted(Admission(what, "", now, now + ADMISSION_LIFETIME), now)
        case "leave" if known and line.state(what) <= State.READY:
            line.end(what, State.LEFT)
        case "done" if known and line.state(what) is State.ADMITTED:
            line.end(what, State.DONE)
        case "stop":
            line.stop(what, now)
        case "sellable":
            line.sellable = what
        case "sold out":
            line.is_sold_out = what
        case "sold for good":
            line.is_sold_for_good = what
        case "rate":  # the time since the last step counts at the new one, so there must be one now
            step(line, now)
            line.limits = replace(LIMITS, rate_per_second=what)


def step(line: LineModel, now: int) -> None:
    if line.is_pool and line.opens_at is not None and now >= line.opens_at:
        line.opened(Draw(b"k" * 32, line.last_number))
    line.step(now)
    for number in line.expiring(100):
        line.end(number, State.EXPIRED)


def standing(line: LineModel, now: int):
    states = [line.state(number) for number in range(1, line.last_number + 1)]
    view = line.view(now)
    places = [place(view, number).position for number in range(1, line.last_number + 1)]
    figures = line.figures(now)
    return states, places, figures.waiting, figures.ready, figures.admitted, figures.no_show_share


@settings(max_examples=60)
@example([(2, ("rate", 4)), (0, ("join", 2))], None, None, False)
@given(SALES, st.sampled_from([None, 30, 200]), st.sampled_from([None, 400, 900]), st.booleans())
def test_stepping_when_due_is_stepping_always(sale, opens_after, ends_after, is_pool):
    opens_at = None if opens_after is None else START + opens_after * SECOND
    ends_at = None if ends_after is None else START + ends_after * SECOND
    always, due = (a_line(opens_at, ends_at, is_pool and opens_at is not None) for _ in range(2))
    now, is_woken, steps = START, True, [0, 0]
    for pause, deed in [*sale, (3 * MINUTE // STEP, ("join", 0))]:
        for _ in range(pause):
            now += STEP
            step(always, now)
            steps[0] += 1
            at = due.next_due(now)
            if is_woken or (at is not None and at <= now):
                step(due, now)
                steps[1] += 1
                is_woken = False
            assert standing(always, now) == standing(due, now)
        for line in (always, due):
            do(line, deed, now)
        is_woken = True
    assert steps[1] <= steps[0]


def test_a_line_that_nobody_is_in_has_nothing_due():
    one = a_line(None, None, is_pool=False)
    step(one, START)
    assert one.next_due(START) is None


def test_who_waits_for_an_opening_is_due_then_and_who_waits_for_a_turn_is_due_now():
    opens_at = START + 30 * SECOND
    one = a_line(opens_at, None, is_pool=False)
    one.joined(1, START)
    step(one, START)
    assert one.next_due(START) == opens_at
    assert one.next_due(opens_at) == opens_at
    one.stop(True, opens_at)
    assert one.next_due(opens_at) == START + LIMITS.idle_seconds * SECOND

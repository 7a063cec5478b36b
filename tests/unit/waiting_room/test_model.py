"""First come, first served; a place never rises; three limits at once; people who vanish hold nobody up."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.model import PRESENT_SECONDS, TURNS_PER_TICKET, LineModel
from traffic_tacos.rooms.waiting_room.pacing import Window
from traffic_tacos.rooms.waiting_room.values import ADMISSION_LIFETIME, UNKNOWN, Admission, Limits, Place, State
from traffic_tacos.rooms.waiting_room.view import place

SMALL = Limits(rate_per_second=2, active_max=4, offer_seconds=5, idle_seconds=3600, waiting_max=100)
WIDE = Limits(rate_per_second=100, active_max=100, offer_seconds=5)
GONE = PRESENT_SECONDS * SECOND


def line(joined: int, limits: Limits = SMALL, now: int = 0) -> LineModel:
    one = LineModel(limits)
    if joined:
        one.joined(joined, now)
    return one


def stands(one: LineModel, number: int, now: int) -> Place:
    return place(one.view(now), number)


def begin_grant(one: LineModel, number: int, now: int) -> int | None:
    return one.admissions.begin_grant(number, now, one.limits.rate_per_second)


def admit(one: LineModel, number: int, now: int) -> None:
    one.admitted(Admission(number, "", now, now + ADMISSION_LIFETIME), now)


def positions(one: LineModel, now: int = 0) -> list[int]:
    return [stands(one, number, now).position for number in range(1, one.last_number + 1)]


def expire(one: LineModel) -> list[int]:
    expired = one.expiring(100)
    for number in expired:
        one.end(number, State.EXPIRED)
    return expired


def test_turns_come_in_order_evenly_at_the_rate_and_up_to_the_cap():
    one = line(10)
    assert [one.step(now) for now in (0, 100, 400, 900, 1000, 1400, 2000)] == [[1], [], [2], [], [3], [4], []]
    admit(one, 1, 2000)
    one.end(1, State.DONE)
    assert one.step(2100) == [5]  # four were live


def test_unused_rate_is_not_saved():
    one = line(0, Limits(rate_per_second=100, active_max=1000))
    for second in range(600):
        assert one.step(second * 1000) == []
    one.joined(500, 600_000)
    given = [len(one.step(600_000 + step * 100)) for step in range(20)]
    assert given[0] == 26  # one, and what a quarter of a second gives
    assert sum(given[:10]) == 100
    assert sum(given[10:]) == 100


def test_seats_left_limit_the_turns_and_admissions_with_seats_do_not_count_twice():
    one = line(10, WIDE)
    one.sellable = 3
    assert one.step(0) == [1, 2, 3]
    admit(one, 1, 0)
    one.admissions.hold_seats(1, True)
    one.sellable = 2
    assert one.step(100) == []
    one.end(1, State.DONE)  # bought: two seats left for the two whose turn it is
    assert one.step(200) == []
    one.end(2, State.LEFT)
    assert one.step(300) == [4]


def test_nobody_has_a_turn_when_nothing_is_left():
    one = line(3, WIDE)
    one.is_sold_out = True
    assert one.step(0) == []
    assert stands(one, 1, 0).eta_seconds == UNKNOWN


def test_a_lapsed_offer_is_passed_over_once_and_offered_again_once():
    one = line(3, Limits(rate_per_second=1, active_max=1, offer_seconds=5))
    assert one.step(0) == [1]
    assert one.step(5_000) == [1]  # nobody before it: its second turn
    assert one.step(10_000) == [2]
    assert one.state(1) is State.EXPIRED
    assert stands(one, 2, 10_000).position == 2  # until the end of 1 is durable
    assert expire(one) == [1]
    assert stands(one, 2, 10_000).position == 1


def test_who_is_not_there_takes_no_room_and_loses_nothing_by_coming_back():
    one = line(5, Limits(rate_per_second=1, active_max=1, offer_seconds=60))
    one.touch(4, GONE)
    assert one.step(GONE) == [4]  # 1 to 3 have vanished; it cost 4 nothing
    assert one.touch(2, GONE + 1000)
    assert one.step(GONE + 1000) == []  # the one place is taken
    one.end(4, State.LEFT)
    assert one.step(GONE + 2000) == [2]
    assert positions(one) == [1, 2, 3, 0, 4]


def test_the_vanished_have_two_turns_all_the_same_and_then_expire():
    one = line(3, WIDE)
    now = GONE
    assert (one.step(now), expire(one)) == ([], [])
    now += 5_000
    assert (one.step(now), expire(one)) == ([], [])
    now += 5_000
    assert (one.step(now), expire(one)) == ([], [1, 2, 3])


def test_who_comes_back_and_finds_no_room_does_not_lapse_while_waiting_for_it():
    one = line(2, Limits(rate_per_second=100, active_max=1, offer_seconds=10))
    one.touch(2, GONE)
    assert one.step(GONE) == [2]
    admit(one, 2, GONE)
    for second in range(100):
        one.touch(1, GONE + second * 1000)
        assert one.step(GONE + second * 1000) == []
    assert one.state(1) is State.WAITING
    one.end(2, State.DONE)
    assert one.step(GONE + 99_000) == [1]


def test_no_shows_are_learned_and_made_up_for_at_most_twofold():
    one = line(0, Limits(rate_per_second=10, active_max=10_000, offer_seconds=5))
    now, offered = 0, []
    for step in range(6000):
        now = step * 100
        one.joined(one.last_number + 5, now)
        offered.append(len(one.step(now)))
        expire(one)
    assert one.figures(now).no_show_share > 0.95
    assert 10 * 100 <= sum(offered[:1000]) <= 20 * 100
    assert sum(offered[-100:]) == 200  # twice the rate, and no more


def test_ten_thousand_vanished_at_the_head_cost_those_behind_no_rate():
    rate = 10
    one = line(10_000, Limits(rate_per_second=rate, active_max=5000, offer_seconds=60))
    one.joined(10_100, 0)
    admitted: list[int] = []
    for step in range(1500):
        now = step * 100
        for number in range(10_001, 10_101):
            one.touch(number, now)
        one.step(now)
        expire(one)
        for number in range(10_001, 10_101):
            if one.state(number) is State.READY and begin_grant(one, number, now) is not None:
                admit(one, number, now)
                one.admissions.end_grant(number)
                admitted.append(now)
    assert len(admitted) == 100
    took = (admitted[-1] - admitted[0]) / SECOND
    assert 100 / took >= 0.9 * rate
    assert admitted[0] <= (PRESENT_SECONDS + 2) * SECOND
    assert all(admitted[index] - admitted[index - rate] >= SECOND for index in range(rate, 100))


def test_an_hour_without_a_sign_of_life_ends_a_ticket_that_waits():
    one = line(3, Limits(rate_per_second=1, active_max=0, idle_seconds=3600))
    one.touch(2, 1_800_000)
    one.step(3_599_000)
    assert expire(one) == []
    one.step(3_600_000)
    assert expire(one) == [1, 3]
    assert [one.state(number) for number in (1, 2, 3)] == [State.EXPIRED, State.WAITING, State.EXPIRED]
    one.limits = Limits(rate_per_second=1, active_max=0, idle_seconds=60)
    one.step(3_601_000)
    assert expire(one) == [2]


def test_places_count_the_live_ahead():
    one = line(6, Limits(rate_per_second=100, active_max=2))
    one.step(0)
    assert positions(one) == [1, 2, 3, 4, 5, 6]
    one.end(4, State.LEFT)
    assert positions(one) == [1, 2, 3, 0, 4, 5]
    admit(one, 1, 0)
    assert positions(one) == [0, 1, 2, 0, 3, 4]


def test_an_admission_ends_by_itself():
    one = line(1)
    one.step(0)
    admit(one, 1, 0)
    assert one.state(1) is State.ADMITTED
    one.step(ADMISSION_LIFETIME - 1)
    assert one.state(1) is State.ADMITTED
    one.step(ADMISSION_LIFETIME)
    assert one.state(1) is State.EXPIRED


def test_a_stopped_line_gives_no_turns_and_lets_none_run_out():
    one = line(3, Limits(rate_per_second=100, active_max=1, offer_seconds=5))
    assert one.step(0) == [1]
    one.stop(True, 1000)
    assert stands(one, 2, 1000).eta_seconds == UNKNOWN
    for second in range(60):
        assert one.step(second * 1000) == []
    assert one.state(1) is State.READY
    one.stop(False, 60_000)
    one.step(64_900)
    assert one.state(1) is State.READY
    one.step(65_000)
    assert one.state(1) is State.WAITING or one.figures(65_000).ready == 1


def test_times_come_from_the_configured_rate_and_then_from_how_fast_it_moves():
    one = line(1000, Limits(rate_per_second=10, active_max=100_000))
    assert stands(one, 1000, 0).eta_seconds == 100
    one.step(0)
    one.limits = Limits(rate_per_second=5, active_max=100_000)
    for step in range(1, 300):
        one.step(step * 100)
    waited = stands(one, 1000, 29_900)
    assert abs(waited.eta_seconds - waited.position / 5) <= waited.position / 5 * 0.1


def test_how_good_the_first_told_time_was_is_measured():
    one = line(30, Limits(rate_per_second=1, active_max=1000))
    for number in range(1, 31):
        one.note_estimate(number, stands(one, number, 0), 0)
    for step in range(400):
        for number in range(1, 31):
            one.touch(number, step * 100)
        one.step(step * 100)
    figures = one.figures(40_000)
    assert (figures.estimates, figures.estimates_kept) == (30, 30)
    assert (figures.wait_at(0.5), figures.wait_at(0.95), figures.wait_average) == (14, 28, 14)
    late = line(10, Limits(rate_per_second=100, active_max=1000))
    late.note_estimate(10, stands(late, 10, 0), 0)
    late.is_sold_out = True
    late.step(0)
    late.is_sold_out = False
    late.touch(10, 20_000)
    late.step(20_000)
    assert (late.figures(20_000).estimates, late.figures(20_000).estimates_kept) == (1, 0)


def test_a_pool_has_no_places_until_it_is_drawn_and_those_who_come_later_stand_behind():
    one = LineModel(WIDE)
    one.gather()
    one.opens_at = 10_000
    one.joined(5, 0)
    one.end(3, State.LEFT)
    assert one.waiting() == 4
    assert stands(one, 2, 4_000) == stands(one, 5, 4_000)
    assert (stands(one, 2, 4_000).position, stands(one, 2, 4_000).eta_seconds) == (0, 6)
    assert one.step(4_000) == []
    draw = Draw(b"key", 5)
    one.opened(draw)
    one.joined(7, 10_000)
    assert one.waiting() == 6
    order = [number for number in sorted(range(1, 6), key=draw.rank) if number != 3] + [6, 7]
    assert [stands(one, number, 10_000).position for number in order] == [1, 2, 3, 4, 5, 6]
    assert one.step(9_999) == []
    assert one.step(10_000) == order


def test_a_second_full_of_grants_takes_no_more_and_calls_at_once_are_counted_once():
    one = line(5, SMALL)
    assert [begin_grant(one, number, now) for number, now in ((1, 0), (1, 5), (2, 10), (3, 20))] == [0, 0, 10, None]
    one.admissions.end_grant(1)  # it failed, and is tried again when there is room again, at that time
    assert begin_grant(one, 1, 900) is None
    assert begin_grant(one, 1, 1000) == 1000


def test_a_window_counts_what_happened_within_it():
    window = Window(1000)
    window.add(0, 3)
    window.add(500)
    assert [window.count(now) for now in (999, 1000, 1499, 1500)] == [4, 1, 1, 0]


class AnyLine(RuleBasedStateMachine):
    """Random traces against a list of tickets: order, limits and places, whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.line = LineModel(SMALL)
        self.order: list[int] = []  # numbers, as they are to be admitted
        self.states: dict[int, State] = {}
        self.offers: dict[int, int] = {}
        self.turns: deque[int] = deque()
        self.places: dict[int, int] = {}
        self.seen: dict[int, int] = {}

    @initialize(pool=st.integers(0, 12), leave=st.integers(1, 12))
    def begin(self, pool, leave):
        if not pool:
            return
        self.line.gather()
        self.line.joined(pool, 0)
        if leave <= pool:
            self.line.end(leave, State.LEFT)
        draw = Draw(b"any", pool)
        self.line.opened(draw)
        self.order = sorted(range(1, pool + 1), key=draw.rank)
        self.states = dict.fromkeys(self.order, State.WAITING)
        if leave <= pool:
            self.states[leave] = State.LEFT

    @rule(count=st.integers(1, 4))
    def join(self, count):
        first = len(self.order) + 1
        self.line.joined(first + count - 1, self.now)
        for number in range(first, first + count):
            self.order.append(number)
            self.seen[number] = self.now
            self.states[number] = State.WAITING

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 5.0, 31.0, 301.0]), durable=st.booleans())
    def advance(self, seconds, durable):
        self.now += int(seconds * 1000)
        self._gave(self.line.step(self.now))
        if durable:
            for number in self.line.expiring(100):
                self.line.end(number, State.EXPIRED)
                self.states[number] = State.EXPIRED

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def ask(self, data):
        number = data.draw(st.sampled_from(self.order))
        self.seen[number] = self.now
        if self.line.touch(number, self.now):
            self._gave(self.line.step(self.now))

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def be_admitted(self, data):
        number = data.draw(st.sampled_from(self.order))
        if self.line.state(number) is State.READY:
            admit(self.line, number, self.now)
            self.states[number] = State.ADMITTED

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def leave(self, data):
        number = data.draw(st.sampled_from(self.order))
        if self.line.state(number) <= State.READY:
            self.line.end(number, State.LEFT)
            self.states[number] = State.LEFT

    @rule(stopped=st.booleans())
    def stop(self, stopped):
        self.line.stop(stopped, self.now)

    @invariant()
    def a_place_is_the_live_ahead_and_never_rises(self):
        ahead = 0
        for number in self.order:
            found = stands(self.line, number, self.now)
            if self.states[number] <= State.READY:
                ahead += 1
            if found.position:
                assert found.position == ahead
                assert found.position <= self.places.get(number, found.position)
                self.places[number] = found.position
        assert self.line.waiting() == ahead

    @invariant()
    def no_rolling_second_has_more_turns_than_the_rate_allows(self):
        times, most = list(self.turns), SMALL.rate_per_second * 2
        for index in range(most, len(times)):
            assert times[index] - times[index - most] >= SECOND

    @invariant()
    def no_more_are_live_than_the_cap(self):
        states = [self.line.state(number) for number in self.order]
        assert states.count(State.READY) + states.count(State.ADMITTED) <= SMALL.active_max
        figures = self.line.figures(self.now)
        assert (states.count(State.READY), states.count(State.ADMITTED)) == (figures.ready, figures.admitted)

    @invariant()
    def nobody_is_offered_more_than_their_turns(self):
        assert all(count <= TURNS_PER_TICKET for count in self.offers.values())

    @invariant()
    def what_has_ended_stays_ended(self):
        for number, state in self.states.items():
            assert state <= State.ADMITTED or self.line.state(number) is state
            assert state is not State.ADMITTED or self.line.state(number) in (State.ADMITTED, State.EXPIRED)

    def _gave(self, ready: list[int]) -> None:
        """Whoever got a turn came before everybody who is there and waits."""
        self.turns.extend(self.now for _ in ready)
        for number in ready:
            self.offers[number] = self.offers.get(number, 0) + 1
        there = [
            index
            for index, number in enumerate(self.order)
            if self.line.state(number) is State.WAITING
            and self.seen.get(number, 0) // SECOND > self.now // SECOND - PRESENT_SECONDS
        ]
        assert not ready or not there or max(map(self.order.index, ready)) < there[0]


TestAnyLine = AnyLine.TestCase
TestAnyLine.settings = settings(max_examples=150, stateful_step_count=40)


def test_at_the_end_of_the_sale_all_who_wait_have_ended_at_once_and_are_taken_out_step_by_step():
    one = line(10)
    one.ends_at = 5000
    assert one.step(0) == [1]
    admit(one, 1, 0)
    one.step(500)
    assert stands(one, 3, 4999).position == 2
    assert {stands(one, number, 5000).state for number in range(2, 11)} == {State.EXPIRED}
    assert one.step(5000) == []
    assert (one.waiting(), one.state(10), one.state(1)) == (0, State.EXPIRED, State.ADMITTED)
    taken = []
    while numbers := one.expiring(4):
        taken.append(numbers)
        for number in numbers:
            one.end(number, State.EXPIRED)
    assert taken == [[2, 3, 4, 5], [6, 7, 8, 9], [10]]
    one.ends_at = None  # the sale goes on: who was let go stays so, who joins now is first
    one.joined(11, 6000)
    one.end(1, State.DONE)
    assert one.step(6000) == [11]
    assert (one.waiting(), one.state(5), stands(one, 11, 6000).position) == (1, State.EXPIRED, 1)


def test_a_line_in_a_pool_lets_its_people_go_too():
    one = LineModel(SMALL)
    one.gather()
    one.joined(3, 0)
    one.ends_at = 10
    one.step(10)
    assert expire(one) == [1, 2, 3]
    assert one.waiting() == 0


def test_a_view_has_each_thing_under_its_own_name():
    one = line(3, WIDE, now=1000)
    one.opens_at, one.ends_at, one.sellable = 2000, 9000, 7
    assert not one.view(1000).is_pool
    for name in ("is_sold_out", "is_sold_for_good"):
        setattr(one, name, True)
        seen = one.view(1000, is_closed=True, message="hello")
        assert [field for field in ("is_sold_out", "is_sold_for_good", "is_stopped") if getattr(seen, field)] == [name]
        assert (seen.is_over, seen.sale_is_over) == (name == "is_sold_for_good", False)
        setattr(one, name, False)
    one.stop(True, 1000)
    assert (seen.at, seen.limits, seen.joined, seen.waiting, seen.sellable) == (1000, WIDE, 3, 3, 7)
    assert (seen.opens_at, seen.ends_at, seen.is_closed, seen.message) == (2000, 9000, True, "hello")
    later = one.view(9000)
    assert (later.is_stopped, later.is_over, later.sale_is_over, later.is_closed) == (True, True, True, False)

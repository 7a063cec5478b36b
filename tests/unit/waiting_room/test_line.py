"""First come, first served; a place never rises; three limits at once."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from traffic_tacos.rooms.waiting_room.model import ADMISSION_LIFETIME, Admission, Line, Settings, State, Window

SMALL = Settings(rate_per_second=2, active_max=4, offer_seconds=5, idle_seconds=3600, waiting_max=100)


def line(joined: int, settings_: Settings = SMALL) -> Line:
    one = Line(settings_)
    for number in range(1, joined + 1):
        one.joined(number)
    return one


def admit(one: Line, number: int, now: int) -> None:
    one.admitted(Admission(number, "", now, now + ADMISSION_LIFETIME), now)


def test_turns_come_in_order_at_the_rate_and_up_to_the_cap():
    one = line(10)
    assert one.advance(0) == ([1, 2], [])
    assert one.advance(500) == ([], [])
    assert one.advance(1000) == ([3, 4], [])
    assert one.advance(2000) == ([], [])  # four are live
    admit(one, 1, 2000)
    one.done(1)
    assert one.advance(2100) == ([5], [])


def test_unused_rate_is_not_saved():
    one = line(0)
    for second in range(600):
        assert one.advance(second * 1000) == ([], [])
    for number in range(1, 50):
        one.joined(number)
    assert len(one.advance(600_000)[0]) == 2
    assert one.advance(600_999)[0] == []


def test_seats_left_limit_the_turns_and_admissions_with_seats_do_not_count_twice():
    one = line(10, Settings(rate_per_second=100, active_max=100))
    one.sellable = 3
    assert one.advance(0)[0] == [1, 2, 3]
    admit(one, 1, 0)
    one.holds_seats(1, True)
    one.sellable = 2
    assert one.advance(100)[0] == []
    one.done(1)  # bought: two seats left for the two whose turn it is
    assert one.advance(200)[0] == []
    one.done(2)
    assert one.advance(300)[0] == [4]


def test_a_lapsed_offer_is_passed_over_once_and_offered_again_once():
    one = line(3, Settings(rate_per_second=1, active_max=1, offer_seconds=5))
    assert one.advance(0)[0] == [1]
    assert one.advance(5_000)[0] == [1]  # nobody before it: its second turn
    assert one.advance(10_000) == ([2], [1])
    assert one.state(1) is State.DONE
    assert one.place(2, 10_000).position == 2  # until the end of 1 is durable
    one.done(1)
    assert one.place(2, 10_000).position == 1


def test_places_count_the_live_ahead():
    one = line(6, Settings(rate_per_second=100, active_max=2))
    one.advance(0)
    assert [one.place(number, 0).position for number in range(1, 7)] == [1, 2, 3, 4, 5, 6]
    one.done(4)  # left
    assert [one.place(number, 0).position for number in (3, 5, 6)] == [3, 4, 5]
    admit(one, 1, 0)
    assert [one.place(number, 0).position for number in (2, 3, 5, 6)] == [1, 2, 3, 4]
    assert one.place(1, 0).position == 0


def test_an_admission_ends_by_itself():
    one = line(1)
    one.advance(0)
    admit(one, 1, 0)
    assert one.state(1) is State.ADMITTED
    one.advance(ADMISSION_LIFETIME - 1)
    assert one.state(1) is State.ADMITTED
    one.advance(ADMISSION_LIFETIME)
    assert one.state(1) is State.DONE


def test_a_window_counts_what_happened_within_it():
    window = Window(1000)
    window.add(0, 3)
    window.add(500)
    assert [window.count(now) for now in (999, 1000, 1499, 1500)] == [4, 1, 1, 0]


class AnyLine(RuleBasedStateMachine):
    """Random traces: order, limits and places, whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.line = Line(SMALL)
        self.joined = 0
        self.turned: list[int] = []
        self.turns: deque[int] = deque()
        self.seen: dict[int, int] = {}
        self.ended: set[int] = set()

    @rule(count=st.integers(1, 4))
    def join(self, count):
        for _ in range(count):
            self.joined += 1
            self.line.joined(self.joined)

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 5.0, 301.0]))
    def advance(self, seconds):
        self.now += int(seconds * 1000)
        turns, expired = self.line.advance(self.now)
        self.turned.extend(number for number in turns if number not in self.turned)
        self.turns.extend(self.now for _ in turns)
        for number in expired:
            self.line.done(number)
            self.ended.add(number)

    @precondition(lambda self: self.joined)
    @rule(data=st.data())
    def admit_one(self, data):
        number = data.draw(st.integers(1, self.joined))
        if self.line.state(number) is State.READY:
            admit(self.line, number, self.now)

    @precondition(lambda self: self.joined)
    @rule(data=st.data())
    def end_one(self, data):
        number = data.draw(st.integers(1, self.joined))
        self.line.done(number)
        self.ended.add(number)

    @invariant()
    def first_turns_come_in_the_order_of_joining(self):
        assert self.turned == sorted(self.turned)

    @invariant()
    def no_rolling_second_has_more_turns_than_the_rate(self):
        times = list(self.turns)
        for index in range(SMALL.rate_per_second, len(times)):
            assert times[index] - times[index - SMALL.rate_per_second] >= 1000

    @invariant()
    def no_more_are_live_than_the_cap(self):
        states = [self.line.state(number) for number in range(1, self.joined + 1)]
        assert states.count(State.READY) + states.count(State.ADMITTED) <= SMALL.active_max

    @invariant()
    def a_place_is_the_live_ahead_and_never_rises(self):
        ahead = 0
        for number in range(1, self.joined + 1):
            place = self.line.place(number, self.now)
            if place.position:
                assert place.position == ahead + 1
                assert place.position <= self.seen.get(number, place.position)
                self.seen[number] = place.position
                ahead += 1

    @invariant()
    def what_has_ended_stays_ended(self):
        assert all(self.line.state(number) is State.DONE for number in self.ended)


TestAnyLine = AnyLine.TestCase
TestAnyLine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

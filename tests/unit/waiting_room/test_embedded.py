"""The engine against the model: random traces with lost commits and restarts, and no difference.

The model here is the line as it would be had nothing ever failed and nobody ever stopped: it hears only
what was acknowledged. The engine stands on a store that loses answers, and is thrown away and loaded
again at any moment.
"""

import asyncio
import random

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.clocks import HandClock
from traffic_tacos.engines.faulty import Faults, FaultyStore
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.kernel.tokens import Ticket, seal_ticket, session_hash
from traffic_tacos.rooms.waiting_room import draw
from traffic_tacos.rooms.waiting_room.embedded import EmbeddedLine, opened_draw
from traffic_tacos.rooms.waiting_room.model import Line
from traffic_tacos.rooms.waiting_room.values import Settings, State, Terms

SECRET = b"s" * 32
SEED = bytes(32)
OPENS = 100_000
FAST = Settings(rate_per_second=3, active_max=6, offer_seconds=8, idle_seconds=400)


class EngineAndModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 0
        self.store = MemoryStore()
        self.model = Line(FAST)
        self.tokens: dict[int, str] = {}
        self.held: dict[str, int] = {}
        self.grants: dict[int, object] = {}
        self.places: dict[int, int] = {}
        self.drawn = None

    def teardown(self) -> None:
        self.loop.close()

    @initialize(pool=st.booleans(), seed=st.integers(0, 1000))
    def begin(self, pool, seed):
        self.terms = Terms(FAST, OPENS if pool else None, None)
        self.chance = random.Random(seed)
        self.open()
        if pool:
            self.model.gather()
            self.model.opens_at = OPENS

    def open(self) -> None:
        faulty = FaultyStore(self.store, Faults(), HandClock(), self.chance)
        self.line = EmbeddedLine("evt", faulty, SECRET, self.terms)
        self.run(self.line.load(self.now, SEED))
        self.faulty = faulty
        faulty.faults = Faults(fail_before=0.1, fail_after=0.1, conflict=0.2)

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    def surely(self, ask):
        """Ask until there is an answer: a fault says nothing of whether it was done."""
        while True:
            try:
                return self.run(ask())
            except Fault:
                continue

    @rule(fan=st.integers(1, 12))
    def join(self, fan):
        name = f"fan{fan}"
        joined = self.surely(lambda: joining(self.line, name, "", self.now))
        known = self.held.get(name)
        if known is not None and self.model.state(known) <= State.ADMITTED:
            assert joined.number == known
            return
        assert joined.number == self.model.last_number + 1 or not joined.is_new
        self.held[name] = joined.number
        self.see_pool()
        self.model.joined(joined.number, self.now)
        self.model.touch(joined.number, self.now)
        self.line.model.touch(joined.number, self.now)
        token = seal_ticket(Ticket("evt", joined.number, session_hash(name)), SECRET)
        self.tokens.setdefault(joined.number, token)

    @rule(seconds=st.sampled_from([0.1, 0.4, 1.0, 9.0, 40.0, 450.0]))
    def advance(self, seconds):
        self.now += int(seconds * 1000)
        self.surely(lambda: self.line.advance(self.now))
        self.see_pool()
        self.model.advance(self.now)
        for number in self.model.expiring(1000):
            self.model.end(number, State.EXPIRED)

    @rule()
    def everybody_asks(self):
        for number in self.tokens:
            if self.line.model.touch(number, self.now):
                self.line.model.advance(self.now)
            if self.model.touch(number, self.now):
                self.model.advance(self.now)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def leave(self, data):
        number = data.draw(st.sampled_from(sorted(self.tokens)))
        try:
            self.surely(lambda: self.line.leave(number, self.now))
        except Refusal:
            assert self.model.state(number) not in (State.WAITING, State.READY, State.LEFT)
        else:
            self.model.end(number, State.LEFT)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def claim(self, data):
        number = data.draw(st.sampled_from(sorted(self.tokens)))
        if self.line.model.state(number) not in (State.READY, State.ADMITTED):
            return
        admission = self.surely(lambda: self.line.claim(number, "", self.now))
        assert self.grants.setdefault(number, admission) == admission
        self.model.admitted(admission, self.now)

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def buy(self, data):
        number = data.draw(st.sampled_from(sorted(self.grants)))
        if self.model.state(number) is State.ADMITTED:
            self.surely(lambda: self.line.release(number, State.DONE, self.now))
            self.model.end(number, State.DONE)

    @rule()
    def crash(self):
        """Everything in memory is lost: turns are offered anew, and everybody counts as there."""
        self.store = self.store.reopened(lambda _: None)
        self.open()
        before, self.model = self.model, Line(FAST)
        self.model.opens_at = self.terms.starts_at
        if self.terms.starts_at is not None:
            self.model.gather()
        if not before.is_pool and self.drawn is not None:
            self.model.joined(self.drawn.pool_size, self.now)
            self.model.opened(opened_draw("evt", self.drawn))
        self.model.joined(before.last_number, self.now)
        for number in sorted(self.tokens):
            if number in self.grants:
                self.model.admitted(self.grants[number], self.now)
            if (state := before.state(number)) > State.ADMITTED and number not in before.expiring(1000):
                self.model.end(number, state)

    @invariant()
    def the_engine_is_as_the_model(self):
        for number in self.tokens:
            ours, theirs = (one.place(number, self.now) for one in (self.line.model, self.model))
            assert msgspec.structs.replace(ours, eta_seconds=0) == msgspec.structs.replace(theirs, eta_seconds=0)
        assert self.line.model.waiting() == self.model.waiting()
        ours, theirs = self.line.model.figures(self.now), self.model.figures(self.now)
        assert (ours.ready, ours.admitted, ours.admitted_ever) == (theirs.ready, theirs.admitted, theirs.admitted_ever)

    @invariant()
    def no_place_rises_whatever_was_lost(self):
        for number in self.tokens:
            position = self.line.model.place(number, self.now).position
            if position:
                assert position <= self.places.get(number, position)
                self.places[number] = position

    def see_pool(self) -> None:
        drawn = self.run(self.line.draw())
        if self.model.is_pool and drawn is not None and drawn.closed_at is not None:
            self.drawn = drawn
            entries = [draw.entry(self.tokens[number]) for number in range(1, drawn.pool_size + 1)]
            digest = draw.EMPTY_POOL
            for entry in entries:
                digest = draw.pool_digest(digest, entry)
            assert drawn.pool_digest == digest.hex()
            self.model.opened(opened_draw("evt", drawn))


TestEngineAndModel = EngineAndModel.TestCase
TestEngineAndModel.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


async def joining(line: EmbeddedLine, session: str, user: str, now: int):
    return await line.join(await line.member(session, user), {}, now)


async def opened(terms: Terms = Terms(FAST, None, None)) -> tuple[EmbeddedLine, FaultyStore]:
    store = FaultyStore(MemoryStore(), Faults(), HandClock(), random.Random(1))
    line = EmbeddedLine("evt", store, SECRET, terms)
    await line.load(0, SEED)
    return line, store


async def lost(store: FaultyStore, asked) -> None:
    """The call is done, and its answer is lost."""
    store.faults = Faults(fail_after=1)
    with pytest.raises(Fault):
        await asked
    store.faults = Faults()


async def test_an_admission_whose_answer_was_lost_is_no_ticket_that_expired():
    line, store = await opened()
    await joining(line, "fan", "", 0)
    assert await line.advance(0) == [1]
    await lost(store, line.claim(1, "", 0))
    for now in range(0, 40_000, 1000):
        await line.advance(now)
    assert line.model.state(1) is State.ADMITTED
    assert (await line.claim(1, "", 40_000)).granted_at == 0


async def test_a_leave_whose_answer_was_lost_frees_the_place_in_time():
    line, store = await opened()
    await joining(line, "fan", "", 0)
    await lost(store, line.leave(1, 0))
    assert line.model.state(1) is State.WAITING
    for now in range(0, 60_000, 1000):
        await line.advance(now)
    assert line.model.state(1) is State.LEFT


async def test_a_join_whose_answer_was_lost_is_in_the_pool_all_the_same():
    line, store = await opened(Terms(FAST, OPENS, None))
    await lost(store, joining(line, "fan", "", 0))
    await line.advance(OPENS)
    assert line.model.place(1, OPENS).position == 1


async def test_who_was_drawn_counts_as_there_after_a_restart():
    line, store = await opened(Terms(FAST, OPENS, None))
    await joining(line, "fan", "", OPENS - 1)
    await line.advance(OPENS)
    later = OPENS + 60_000
    again = EmbeddedLine("evt", store, SECRET, Terms(FAST, OPENS, None))
    await again.load(later, SEED)
    assert await again.advance(later) == [1]


async def test_two_tabs_that_join_at_once_have_one_place():
    line, _ = await opened()
    both = await asyncio.gather(*(joining(line, "fan", "ana", 0) for _ in range(2)))
    assert [joined.number for joined in both] == [1, 1]
    assert sorted(joined.is_new for joined in both) == [False, True]


async def test_an_event_that_gets_a_sale_start_before_anybody_joined_is_drawn():
    line, _ = await opened()
    await line.change_terms(Terms(FAST, OPENS, None), 0, SEED)
    await joining(line, "fan", "", 0)
    assert line.model.is_pool
    other, _ = await opened()
    await joining(other, "fan", "", 0)
    await other.change_terms(Terms(FAST, OPENS, None), 0, SEED)
    assert not other.model.is_pool
    assert other.model.advance(0) == []  # it waits for the start all the same, in order

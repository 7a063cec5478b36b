"""What every line promises (`rooms/waiting_room/line.py`), shown on each engine through the protocol's verbs alone.

The oracle is the pure model: the line as it would be had nothing ever failed and nobody ever stopped. It hears only
what was acknowledged. The engine stands on a store that loses answers, and is thrown away and opened again at any
moment; whatever happens, everybody stands where the model says.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis as AsyncRedis

from tests import emulators
from tests.clocks import HandClock
from traffic_tacos.engines.faulty import Faults, FaultyStore
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.memory_log import LogFaults, MemoryLog
from traffic_tacos.engines.redis_log import RedisLog
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import Ticket, seal_ticket, session_hash
from traffic_tacos.ports.log import Log, LogUnavailable
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.waiting_room import draw
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.embedded import EmbeddedLines
from traffic_tacos.rooms.waiting_room.line import Line, LineEngine, PublishedDraw
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.records import SettingsRecord, settings_key
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLine, ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import UNKNOWN, Limits, Place, State, Terms
from traffic_tacos.rooms.waiting_room.view import place

SECRET = b"s" * 32
SEED = bytes(32)
START = 1_800_000_000_000
OPENS = START + 100 * SECOND
PATIENT = Limits(rate_per_second=3, active_max=6, offer_seconds=60, idle_seconds=400)
FAST = Limits(rate_per_second=3, active_max=6, offer_seconds=8, idle_seconds=400)
NOTHING_FAILS = Faults()
ENGINES = ("embedded", "replicated", "redis")
EXAMPLES = {"redis": 12}  # of those that a server takes part in; of the others 150


class LosingLog:
    """A log whose verbs and answers are lost as told."""

    def __init__(self, log: Log, chance: random.Random) -> None:
        self.faults = LogFaults()
        self._log = log
        self._chance = chance

    def __getattr__(self, verb: str) -> Callable[..., Awaitable[Any]]:
        async def losing(*given: Any) -> Any:
            if self._chance.random() < self.faults.fail_before:
                raise LogUnavailable("injected: the log was not reached")
            answer = await getattr(self._log, verb)(*given)
            if self._chance.random() < self.faults.fail_after:
                raise LogUnavailable("injected: the answer of the log was lost")
            return answer

        return losing


class World:
    """One engine, with what it stands on: a clock set by hand, and a store (and a log, where lines are replicated) that
    fails as told and outlives crashes.
    """

    def __init__(self, engine: str, terms: Terms, seed: int = 1, redis_url: str = "") -> None:
        self.engine = engine
        self.terms = terms
        self.clock = HandClock(START)
        self.changed: list[int] = []
        self._redis = AsyncRedis.from_url(redis_url) if redis_url else None
        self.log: Log = MemoryLog(self.clock, random.Random(seed))
        self._chance = random.Random(seed)
        self._records = MemoryStore()
        self._store: FaultyStore | None = None
        self._line: Line | None = None

    async def open(self) -> Line:
        """The line, as after a start; whatever was only in memory before is lost."""
        self._records = self._records.reopened(lambda _: None)
        self._store = FaultyStore(self._records, Faults(), self.clock, self._chance)
        if self._redis is not None and self._line is None:
            await self._redis.flushall()
            self.log = LosingLog(RedisLog(self._redis, 0, lambda: f"{self.clock.now()}-*"), self._chance)
        self.fails(NOTHING_FAILS)
        self._line = await self._engine().open("evt", self.terms, SEED, self._hear)
        return self._line

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def settle(self) -> None:
        """What was told to the line without waiting has come about: at once in one process, soon in many."""
        if isinstance(self._line, ReplicatedLine):
            await self._line.log.flush()

    async def set(self, **values: object) -> None:
        """An operator sets something for all events; in force once the line is configured."""
        record = SettingsRecord(**values)
        await self._records.transact((), lambda _: Decision(None, (put(settings_key(""), record),)))

    def fails(self, faults: Faults) -> None:
        assert self._store is not None
        self._store.faults = faults
        self.log.faults = LogFaults(fail_before=faults.fail_before, fail_after=faults.fail_after)

    def heard(self) -> list[int]:
        """The tickets that have changed since this was asked last."""
        changed, self.changed = self.changed, []
        return changed

    @property
    def is_shared(self) -> bool:
        return self._engine().is_shared

    def _engine(self) -> LineEngine:
        assert self._store is not None
        if self.engine == "embedded":
            return EmbeddedLines(self._store, self.clock, SECRET)
        return ReplicatedLines(self.log, self._store, self.clock, self._chance, SECRET)

    def _hear(self, numbers: Iterable[int]) -> None:
        self.changed += numbers


def drawn(published: PublishedDraw) -> Draw:
    """The permutation of a closed pool, from what is published alone."""
    return Draw(draw.draw_key(published.seed, "evt", published.pool_digest), published.pool_size)


def token(number: int, session: str) -> str:
    return seal_ticket(Ticket("evt", number, session_hash(session)), SECRET)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulators.valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


def url_for(engine: str, request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("redis_url") if engine == "redis" else ""


class LineAndModel(RuleBasedStateMachine):
    engine = ENGINES[0]
    redis_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.model = LineModel(FAST)
        self.tokens: dict[int, str] = {}
        self.held: dict[str, int] = {}
        self.grants: dict[int, object] = {}
        self.places: dict[int, int] = {}
        self.published: PublishedDraw | None = None

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.run(self.world.close())
        self.loop.close()

    @property
    def now(self) -> int:
        return self.world.clock.now()

    @initialize(pool=st.booleans(), seed=st.integers(0, 1000))
    def begin(self, pool, seed):
        self.world = World(self.engine, Terms(FAST, OPENS if pool else None, None), seed, self.redis_url)
        self.open()
        if pool:
            self.model.gather()
            self.model.opens_at = OPENS

    def open(self) -> None:
        self.line = self.run(self.world.open())
        self.world.fails(Faults(fail_before=0.1, fail_after=0.1, conflict=0.2))

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
        known = self.held.get(name)
        joined = self.surely(lambda: self.line.join(name, name, {}, 0))
        if known is not None and self.model.state(known) <= State.ADMITTED:
            assert joined.number == known
        else:
            assert joined.number == self.model.last_number + 1 or not joined.is_new
            self.held[name] = joined.number
            self.tokens.setdefault(joined.number, token(joined.number, name))
            self.see_pool()
            self.model.joined(joined.number, self.now)
        assert joined.session_hash == session_hash(name)
        if self.model.touch(joined.number, self.now) or not self.model.is_held_up:
            self.model.step(self.now)

    @rule(seconds=st.sampled_from([0.1, 0.4, 1.0, 9.0, 40.0, 450.0]))
    def advance(self, seconds):
        self.world.clock.advance(seconds)
        self.surely(self.line.advance)
        self.see_pool()
        self.model.step(self.now)
        for number in self.model.expiring(1000):
            self.model.end(number, State.EXPIRED)

    @rule()
    def everybody_asks(self):
        for number in self.tokens:
            was_waited_for = self.model.touch(number, self.now)
            if was_waited_for:
                self.model.step(self.now)
            assert self.line.visit(number) == was_waited_for
            self.run(self.world.settle())

    @rule()
    def everybody_watches(self):
        self.line.touch(list(self.tokens))
        self.run(self.world.settle())
        for number in self.tokens:
            self.model.touch(number, self.now)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def leave(self, data):
        number = data.draw(st.sampled_from(sorted(self.tokens)))
        try:
            self.surely(lambda: self.line.leave(number))
        except Refusal:
            assert self.model.state(number) not in (State.WAITING, State.READY, State.LEFT)
        else:
            self.model.end(number, State.LEFT)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def claim(self, data):
        number = data.draw(st.sampled_from(sorted(self.tokens)))
        while True:
            self.model.touch(number, self.now)
            self.model.step(self.now)
            state = self.model.state(number)
            try:
                admission = self.surely(lambda: self.line.claim(number, ""))
            except Refusal as refusal:
                if refusal.code is Code.RATE_LIMITED:  # a grant whose answer was lost is counted too
                    self.world.clock.advance(1)
                    continue
                assert state > State.ADMITTED
                return
            break
        if admission is None:
            assert state is State.WAITING
            return
        assert state in (State.READY, State.ADMITTED)
        assert self.grants.setdefault(number, admission) == admission
        self.model.admitted(admission, self.now)

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def buy(self, data):
        number = data.draw(st.sampled_from(sorted(self.grants)))
        if self.model.state(number) is State.ADMITTED:
            self.surely(lambda: self.line.release(number, State.DONE))
            self.model.end(number, State.DONE)

    @rule(sellable=st.sampled_from([None, 0, 2, 9]))
    def stock(self, sellable):
        self.line.stock(sellable, is_sold_out=False, is_all_sold=False)
        self.run(self.world.settle())
        self.model.sellable = sellable

    @rule()
    def crash(self):
        """Everything in memory is lost. Where turns were only there, they are offered anew, and everybody counts as
        there; where other processes have the line, these know them.
        """
        self.open()
        if self.world.is_shared:
            return
        before, self.model = self.model, LineModel(FAST)
        self.model.opens_at = self.world.terms.starts_at
        if self.world.terms.starts_at is not None:
            self.model.gather()
        if self.published is not None and not before.is_pool:
            self.model.joined(self.published.pool_size, self.now)
            self.model.opened(drawn(self.published))
        self.model.joined(before.last_number, self.now)
        for number in sorted(self.tokens):
            if number in self.grants:
                self.model.admitted(self.grants[number], self.now)
            if (state := before.state(number)) > State.ADMITTED and number not in before.expiring(1000):
                self.model.end(number, state)

    @invariant()
    def everybody_stands_where_the_model_says(self):
        ours, theirs = self.line.view(), self.model.view(self.now)
        for number in self.tokens:
            one, other = (place(view, number) for view in (ours, theirs))
            assert msgspec.structs.replace(one, eta_seconds=0) == msgspec.structs.replace(other, eta_seconds=0)
        assert (ours.joined, ours.waiting, ours.is_pool) == (theirs.joined, theirs.waiting, theirs.is_pool)
        one, other = self.line.figures(), self.model.figures(self.now)
        assert (one.ready, one.admitted, one.admitted_ever) == (other.ready, other.admitted, other.admitted_ever)

    @invariant()
    def no_place_rises_whatever_was_lost(self):
        view = self.line.view()
        for number in self.tokens:
            if position := place(view, number).position:
                assert position <= self.places.get(number, position)
                self.places[number] = position

    @invariant()
    def no_rolling_second_grants_more_than_the_rate(self):
        times = sorted(admission.granted_at for admission in self.grants.values())
        for earlier, later in zip(times, times[FAST.rate_per_second :], strict=False):
            assert later - earlier >= SECOND

    def see_pool(self) -> None:
        published = self.run(self.line.draw())
        if self.model.is_pool and published is not None and published.closed_at is not None:
            assert published.pool_size >= self.model.last_number
            self.published = published
            digest = draw.EMPTY_POOL
            for number in range(1, published.pool_size + 1):
                digest = draw.pool_digest(digest, draw.entry(self.tokens[number]))
            assert published.pool_digest == digest
            self.model.opened(drawn(published))


@pytest.mark.parametrize("engine", ENGINES)
def test_everybody_stands_where_they_would_had_nothing_failed(engine, request):
    machine = type("Machine", (LineAndModel,), {"engine": engine, "redis_url": url_for(engine, request)})
    examples = EXAMPLES.get(engine, 150)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30))


@pytest.fixture(params=ENGINES)
async def world(request) -> AsyncIterator[World]:
    world = World(request.param, Terms(FAST, None, None), redis_url=url_for(request.param, request))
    yield world
    await world.close()


async def lost(world: World, asked) -> None:
    """The call is done, and its answer is lost."""
    world.fails(Faults(fail_after=1))
    with pytest.raises(Fault):
        await asked
    world.fails(NOTHING_FAILS)


async def passing(world: World, line: Line, seconds: int) -> None:
    """A step a second, in which nobody shows a sign of life."""
    for _ in range(seconds):
        world.clock.advance(1)
        await line.advance()


async def refused(asked, code: Code, said: str | None = None) -> None:
    with pytest.raises(Refusal, match=said) as caught:
        await asked
    assert caught.value.code is code


def states(line: Line) -> list[State]:
    view = line.view()
    return [view.tickets.state(number) for number in range(1, view.joined + 1)]


async def test_an_admission_whose_answer_was_lost_is_no_ticket_that_expired(world):
    line = await world.open()
    await line.join("fan", "", {}, 0)
    await lost(world, line.claim(1, ""))
    await passing(world, line, 40)
    assert states(line) == [State.ADMITTED]
    assert (await line.claim(1, "")).granted_at == START


async def test_an_admission_is_in_use_at_once_where_the_whole_log_was_lost():
    world = World("replicated", Terms(FAST, None, None))
    line = await world.open()
    await line.join("fan", "", {}, 0)
    admission = await line.claim(1, "")
    world.log = MemoryLog(world.clock, random.Random(2))
    line = await world.open()
    assert (states(line)[0], line.figures().admitted) == (State.ADMITTED, 1)
    assert await line.claim(1, "") == admission


async def test_a_leave_whose_answer_was_lost_frees_the_place_in_time(world):
    line = await world.open()
    await line.join("fan", "", {}, 0)
    await lost(world, line.leave(1))
    assert states(line) == [State.READY]
    await passing(world, line, 60)
    assert states(line) == [State.LEFT]


async def test_a_join_whose_answer_was_lost_is_in_the_pool_all_the_same(world):
    world.terms = Terms(FAST, OPENS, None)
    line = await world.open()
    await lost(world, line.join("fan", "", {}, 0))
    world.clock.advance(100)
    await line.advance()
    assert place(line.view(), 1).position == 1


async def test_who_was_drawn_counts_as_there_after_a_restart_that_forgot_the_signs_of_life():
    world = World("embedded", Terms(FAST, OPENS, None))
    line = await world.open()
    await line.join("fan", "", {}, 0)
    world.clock.advance(160)
    await line.advance()
    line = await world.open()
    await line.advance()
    assert states(line) == [State.READY]


async def test_two_tabs_that_join_at_once_have_one_place(world):
    line = await world.open()
    both = await asyncio.gather(*(line.join("fan", "ana", {}, 0) for _ in range(2)))
    assert [joined.number for joined in both] == [1, 1]
    assert sorted(joined.is_new for joined in both) == [False, True]


async def test_a_line_has_the_numbers_that_were_given_and_no_others(world):
    line = await world.open()
    assert not line.has(1)
    for fan in ("ana", "ben"):
        await line.join(fan, fan, {}, 0)
    await line.leave(1)
    assert [number for number in range(-1, 4) if line.has(number)] == [1, 2]


async def test_an_event_that_gets_a_sale_start_before_anybody_joined_is_drawn(world):
    line, later = await world.open(), Terms(FAST, OPENS, None)
    await line.configure(later, SEED)
    await line.join("fan", "", {}, 0)
    assert line.view().is_pool


async def test_an_event_that_gets_a_sale_start_after_somebody_joined_waits_for_it_in_order(world):
    line = await world.open()
    line.stock(0, is_sold_out=False, is_all_sold=False)
    await line.join("fan", "", {}, 0)
    await line.configure(Terms(FAST, OPENS, None), SEED)
    line.stock(9, is_sold_out=False, is_all_sold=False)
    await line.advance()
    assert (line.view().is_pool, states(line)) == (False, [State.WAITING])


async def test_a_place_without_a_user_is_found_by_who_shows_its_token_and_by_nobody_else(world):
    line = await world.open()
    await line.join("fan", "", {}, 0)
    await refused(line.join("fan", "", {}, 0), Code.ALREADY_EXISTS)
    await refused(line.join("fan", "", {}, 2), Code.ALREADY_EXISTS)
    again = await line.join("fan", "", {}, 1)
    assert (again.number, again.is_new, line.view().joined) == (1, False, 1)
    two = await asyncio.gather(*(line.join("other", "", {}, 0) for _ in range(2)), return_exceptions=True)
    assert [one.code for one in two if isinstance(one, Refusal)] == [Code.ALREADY_EXISTS]


async def test_a_full_line_takes_nobody_new_however_many_come_at_once(world):
    world.terms = Terms(msgspec.structs.replace(FAST, waiting_max=3, active_max=1), OPENS, None)
    line = await world.open()
    asked = await asyncio.gather(*(line.join(f"fan{number}", "", {}, 0) for number in range(9)), return_exceptions=True)
    assert [one.code for one in asked if isinstance(one, Refusal)] == [Code.RATE_LIMITED] * 6
    assert line.view().waiting == 3


@pytest.mark.parametrize("all_sold", [False, True])
async def test_when_nothing_is_left_nobody_joins_or_is_admitted(world, all_sold):
    world.terms = Terms(FAST, None, None, returns_until=0)
    line = await world.open()
    await line.join("fan", "", {}, 0)
    line.stock(0, is_sold_out=True, is_all_sold=all_sold)
    await refused(line.join("other", "", {}, 0), Code.FAILED_PRECONDITION)
    await refused(line.claim(1, ""), Code.FAILED_PRECONDITION)
    await line.advance()
    assert (line.view().is_over, line.view().waiting) == (all_sold, 0 if all_sold else 1)
    await refused(line.claim(1, ""), Code.FAILED_PRECONDITION, "is sold out")


async def test_after_the_end_of_the_sale_nobody_joins_or_is_admitted_and_who_was_goes_on(world):
    world.terms = Terms(FAST, None, START + 10 * SECOND)
    line = await world.open()
    for fan in ("ana", "ben"):
        await line.join(fan, fan, {}, 0)
    await line.claim(1, "ana")
    world.clock.advance(10)
    line.stock(0, is_sold_out=True, is_all_sold=False)
    for asked in (line.join("cho", "cho", {}, 0), line.claim(2, "ben"), line.claim(1, "ana")):
        await refused(asked, Code.FAILED_PRECONDITION, "the sale has ended")
    await line.advance()
    assert states(line) == [State.ADMITTED, State.EXPIRED]


async def test_an_admission_is_its_users_alone(world):
    line = await world.open()
    await line.join("fan", "ana", {}, 0)
    await refused(line.claim(1, "ben"), Code.FORBIDDEN)
    assert states(line) == [State.READY]  # nothing was granted
    assert (await line.claim(1, "")).user_id == "ana"
    await refused(line.claim(1, "ben"), Code.FORBIDDEN)
    holder = await line.holder(1)
    assert (holder.user_id, holder.was_admitted) == ("ana", True)
    assert await line.holder(2) is None


async def test_leaving_again_answers_the_same_and_whoever_is_admitted_cannot(world):
    line = await world.open()
    for fan in ("ana", "ben"):
        await line.join(fan, fan, {}, 0)
    left_at = await line.leave(1)
    world.clock.advance(5)
    assert await line.leave(1) == left_at == START
    await refused(line.claim(1, "ana"), Code.FAILED_PRECONDITION)
    await line.claim(2, "ben")
    await refused(line.leave(2), Code.FAILED_PRECONDITION)


async def test_admissions_with_seats_do_not_count_twice_against_those_that_are_left(world):
    world.terms = Terms(Limits(rate_per_second=100, active_max=100), None, None)
    line = await world.open()
    line.stock(2, is_sold_out=False, is_all_sold=False)
    for number in range(1, 5):
        await line.join(f"fan{number}", "", {}, 0)
    assert states(line) == [State.READY, State.READY, State.WAITING, State.WAITING]
    await line.claim(1, "")
    line.stock(1, is_sold_out=False, is_all_sold=False)  # the seat that 1 holds
    line.hold_seats(1, True)
    await passing(world, line, 2)
    assert states(line) == [State.ADMITTED, State.READY, State.WAITING, State.WAITING]
    line.hold_seats(1, False)
    line.stock(2, is_sold_out=False, is_all_sold=False)
    await line.release(1, State.EXPIRED)
    await passing(world, line, 2)
    assert states(line) == [State.EXPIRED, State.READY, State.READY, State.WAITING]


async def test_whoever_changes_a_ticket_is_heard(world):
    world.terms = Terms(msgspec.structs.replace(FAST, active_max=1), None, None)
    line = await world.open()
    for fan in ("ana", "ben"):
        await line.join(fan, fan, {}, 0)
    assert world.heard() == [1]  # its turn
    await line.claim(1, "ana")
    assert world.heard() == [1]
    await line.release(1, State.DONE)
    assert world.heard() == [1]
    world.clock.advance(1)
    await line.advance()
    assert world.heard() == [2]
    await line.leave(2)
    assert world.heard() == [2]


async def test_advancing_at_once_and_too_often_gives_no_more_than_the_rate(world):
    world.terms = Terms(Limits(rate_per_second=2, active_max=100, offer_seconds=60), None, None)
    line = await world.open()
    for number in range(40):
        await line.join(f"fan{number}", "", {}, 0)
    for _ in range(50):
        world.clock.advance(0.1)
        await asyncio.gather(*(line.advance() for _ in range(4)))
    assert states(line).count(State.READY) <= 2 * 5 + 1


async def test_what_is_published_of_a_draw_says_every_place_and_the_seed_only_once_the_pool_has_closed(world):
    world.terms = Terms(FAST, OPENS, None)
    line = await world.open()
    for number in range(1, 6):
        await line.join(f"fan{number}", "", {}, 0)
    before = await line.draw()
    assert (before.seed, before.pool_size, before.closed_at) == (b"", 5, None)
    world.clock.advance(100)
    await line.advance()
    after = await line.draw()
    assert (after.commitment, draw.commitment(after.seed)) == (before.commitment,) * 2
    entries = await line.entries(0, 3) + await line.entries(3, 9)
    assert [one.number for one in entries] == [1, 2, 3, 4, 5]
    assert [one.entry for one in entries] == [draw.entry(token(number, f"fan{number}")) for number in range(1, 6)]
    published = draw.Published(
        "evt", after.commitment, after.seed, after.pool_digest,
        tuple(one.entry for one in entries), tuple(one.place for one in entries),
    )  # fmt: skip
    assert draw.differences(published) == []


async def test_a_place_is_how_many_live_are_ahead_and_one_and_a_time_goes_by_the_rate(world):
    world.terms = Terms(Limits(rate_per_second=2, active_max=1), None, START + 60 * SECOND)
    line = await world.open()
    for number in range(6):
        await line.join(f"fan{number}", "", {}, 0)
    await line.claim(1, "")
    await line.leave(3)
    view = line.view()
    assert [place(view, number) for number in range(1, 7)] == [
        Place(State.ADMITTED, 0, 0, may_be_admitted=True),
        Place(State.WAITING, 1, 1),
        Place(State.LEFT, 0, 0),
        Place(State.WAITING, 2, 1),
        Place(State.WAITING, 3, 2),
        Place(State.WAITING, 4, 2),
    ]
    line.stock(0, is_sold_out=True, is_all_sold=False)
    await world.settle()
    assert place(line.view(), 4) == Place(State.WAITING, 2, UNKNOWN)
    world.clock.advance(60)
    assert place(line.view(), 4) == Place(State.EXPIRED, 0, 0)  # at once, before any step


async def test_in_a_pool_nobody_has_a_place_and_the_time_is_that_to_the_opening(world):
    world.terms = Terms(FAST, OPENS, None)
    line = await world.open()
    await line.join("fan", "", {}, 0)
    world.clock.advance(40)
    assert place(line.view(), 1) == Place(State.WAITING, 0, 60)


@pytest.fixture
async def crowded(world) -> Line:
    """A line of six whose turn it is, three of whom may be let in a second."""
    world.terms = Terms(PATIENT, None, None)
    line = await world.open()
    for number in range(1, 7):
        await line.join(f"fan{number}", "", {}, 0)
    await passing(world, line, 8)
    assert states(line) == [State.READY] * 6
    return line


async def test_a_second_grants_no_more_than_the_rate_also_across_a_restart(world, crowded):
    for number in (1, 2):
        await crowded.claim(number, "")
    world.clock.advance(0.5)
    await crowded.claim(3, "")
    await refused(crowded.claim(4, ""), Code.RATE_LIMITED)
    again = await world.open()
    await again.advance()
    await refused(again.claim(4, ""), Code.RATE_LIMITED)
    world.clock.advance(0.5)
    assert await again.claim(4, "")


async def test_a_grant_that_failed_is_made_at_its_own_time(world, crowded):
    world.fails(Faults(fail_before=1))
    with pytest.raises(Fault):
        await crowded.claim(1, "")
    world.fails(NOTHING_FAILS)
    world.clock.advance(2)
    assert (await crowded.claim(1, "")).granted_at == world.clock.now()


async def test_a_grant_whose_answer_was_lost_stays_what_it_was(world, crowded):
    at = world.clock.now()
    await lost(world, crowded.claim(1, ""))
    world.clock.advance(2)
    assert (await crowded.claim(1, "")).granted_at == at


async def test_a_stopped_line_admits_nobody_and_a_closed_one_takes_nobody_new(world, crowded):
    await world.set(stopped=True, closed=True, message="come back at nine")
    await crowded.configure(world.terms, SEED)
    view = crowded.view()
    assert (view.is_stopped, view.is_closed, view.message) == (True, True, "come back at nine")
    assert await crowded.claim(1, "") is None
    await refused(crowded.join("late", "", {}, 0), Code.FAILED_PRECONDITION, "closed")
    assert (await crowded.join("fan2", "", {}, 2)).number == 2
    await passing(world, crowded, 70)
    assert states(crowded) == [State.READY] * 6  # no offer runs out while nobody may use it
    await world.set()
    await crowded.configure(world.terms, SEED)
    assert await crowded.claim(1, "")


async def test_what_an_operator_sets_is_in_force_when_it_is_configured_and_after_a_restart(world):
    line = await world.open()
    await world.set(rate_per_second=7, active_max=8)
    assert line.view().limits == FAST
    await line.configure(world.terms, SEED)
    expected = msgspec.structs.replace(FAST, rate_per_second=7, active_max=8)
    assert [one.view().limits for one in (line, await world.open())] == [expected] * 2


async def test_a_sign_of_life_brings_a_turn_that_waited_for_it(world):
    world.terms = Terms(PATIENT, None, None)
    line = await world.open()
    for fan in ("ana", "ben"):
        await line.join(fan, "", {}, 0)
    await passing(world, line, 65)  # nobody is there when their second turns come
    assert states(line) == [State.WAITING, State.WAITING]
    assert line.visit(1)
    await world.settle()
    assert states(line) == [State.READY, State.WAITING]
    line.touch([2])
    await world.settle()
    assert states(line) == [State.READY, State.WAITING]
    world.clock.advance(1)
    await line.advance()
    assert states(line) == [State.READY, State.READY]


async def test_how_good_the_first_told_time_was_is_measured(world):
    world.terms = Terms(Limits(rate_per_second=1, active_max=100), None, None)
    line = await world.open()
    for number in range(1, 5):
        await line.join(f"fan{number}", "", {}, 0)
    view = line.view()
    for number in (2, 3):
        line.note_estimate(number, place(view, number), view.at)
    await passing(world, line, 5)
    figures = line.figures()
    assert (figures.estimates, figures.estimates_kept) == (2, 2)

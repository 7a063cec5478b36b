"""A line in several processes, on one log that loses answers, and whose server is lost, its newest entries too.

Fans ask whichever process they come to. Whatever fails, nobody has another's number, no place rises, and the limits
hold over all processes together.
"""

import asyncio
import random

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

from tests.clocks import HandClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.memory_log import LogFaults, MemoryLog
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.line import Line
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLine, ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import Limits, State, Terms
from traffic_tacos.rooms.waiting_room.view import place

SECRET, SEED = b"s" * 32, bytes(32)
LIMITS = Limits(rate_per_second=3, active_max=6, offer_seconds=8, idle_seconds=400)
OPENS = 1_800_000_100_000
LOSSY = LogFaults(fail_before=0.1, fail_after=0.1)


class Processes:
    """Some processes that have the line of one event, by number; each may be started again."""

    def __init__(self, count: int, terms: Terms, seed: int = 1) -> None:
        self.clock = HandClock()
        self.log = MemoryLog(self.clock, random.Random(seed))
        self.store = MemoryStore()
        self.terms = terms
        self._random = random.Random(seed)
        self.engines: list[ReplicatedLines] = [self._engine() for _ in range(count)]
        self.lines: list[ReplicatedLine] = []

    async def open(self) -> None:
        for number in range(len(self.engines)):
            await self.start(number)

    async def start(self, number: int) -> None:
        """A process, as after a crash: it knows nothing but what is in the log."""
        self.engines[number] = self._engine()
        line = await self.engines[number].open("evt", self.terms, SEED, lambda _: None)
        self.lines[number : number + 1] = [line]

    async def fresh(self, number: int) -> ReplicatedLine:
        """The line of a process as whoever asks for a place sees it."""
        await self.engines[number].read()
        return self.lines[number]

    async def follow(self, number: int, before: str) -> None:
        """A process hears that the server is another than `before`, as it does with whatever it appends next."""
        line = self.lines[number]
        while line.log.mark.epoch == before:
            line.touch([1])
            await line.log.flush()
        await self.fresh(number)

    def _engine(self) -> ReplicatedLines:
        return ReplicatedLines(self.log, self.store, self.clock, random.Random(self._random.random()), SECRET)


class ManyProcesses(RuleBasedStateMachine):
    COUNT = 3

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.numbers: dict[str, int] = {}  # of each fan
        self.owners: dict[int, str] = {}
        self.told: dict[int, int] = {}
        self.grants: dict[int, int] = {}
        self.left: set[int] = set()
        self.servers_lost = 0

    def teardown(self) -> None:
        self.loop.close()

    @initialize(pool=st.booleans(), seed=st.integers(0, 1000))
    def begin(self, pool, seed):
        self.all = Processes(self.COUNT, Terms(LIMITS, OPENS if pool else None, None), seed)
        self.run(self.all.open())
        self.all.log.faults = LOSSY

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    def surely(self, ask):
        """Ask until there is an answer: a fault says nothing of whether it was done."""
        while True:
            try:
                return self.run(ask())
            except Fault:
                continue

    def line(self, process: int) -> Line:
        return self.all.lines[process]

    processes = st.integers(0, COUNT - 1)

    @rule(process=processes, fan=st.integers(1, 15))
    def join(self, process, fan):
        name = f"fan{fan}"
        joined = self.surely(lambda: self.line(process).join(name, name, {}, 0))
        known = self.numbers.get(name)
        if known is not None and joined.number != known:
            state = self.line(process).view().tickets.state(known)
            assert state > State.ADMITTED, f"{name} had {known}, which is {state.name}, and has {joined.number}"
        assert self.owners.setdefault(joined.number, name) == name
        if known != joined.number:
            assert joined.number > max((*self.numbers.values(), 0)), "who joins later is further back"
        self.numbers[name] = joined.number

    @rule(process=processes, seconds=st.sampled_from([0.1, 0.4, 1.0, 9.0]))
    def advance(self, process, seconds):
        self.all.clock.advance(seconds)
        self.surely(self.line(process).advance)

    @rule(process=processes)
    def all_advance_at_once(self, process):
        self.all.clock.advance(0.1)

        async def together():
            await asyncio.gather(*(line.advance() for line in self.all.lines), return_exceptions=True)

        self.run(together())

    @rule(process=processes)
    def everybody_asks(self, process):
        line = self.surely(lambda: self.all.fresh(process))
        for number in self.owners:
            line.visit(number)
        self.run(line.log.flush())

    @precondition(lambda self: self.owners)
    @rule(process=processes, data=st.data())
    def claim(self, process, data):
        number = data.draw(st.sampled_from(sorted(self.owners)))
        try:
            admission = self.surely(lambda: self.line(process).claim(number, ""))
        except Refusal:
            return
        if admission is not None:
            assert self.grants.setdefault(number, admission.granted_at) == admission.granted_at

    @precondition(lambda self: self.owners)
    @rule(process=processes, data=st.data())
    def leave(self, process, data):
        number = data.draw(st.sampled_from(sorted(self.owners)))
        try:
            self.surely(lambda: self.line(process).leave(number))
        except Refusal:
            return
        self.left.add(number)

    @precondition(lambda self: self.grants)
    @rule(process=processes, data=st.data())
    def buy(self, process, data):
        number = data.draw(st.sampled_from(sorted(self.grants)))
        self.surely(lambda: self.line(process).release(number, State.DONE))

    @rule(process=processes, sellable=st.sampled_from([None, 2, 9]))
    def stock(self, process, sellable):
        self.line(process).stock(sellable, is_sold_out=False, is_all_sold=False)

    @rule(process=processes)
    def save(self, process):
        self.surely(self.line(process).log.save)

    @rule(process=processes)
    def crash(self, process):
        self.surely(lambda: self.all.start(process))

    @precondition(lambda self: self.servers_lost < 2)  # each skips many numbers
    @rule(lost=st.integers(0, 8), order=st.permutations(range(COUNT)), process=processes, data=st.data())
    def the_server_is_lost(self, lost, order, process, data):
        """Whatever the next server lacks, whoever answered it has applied; others may not have heard of it."""
        for _ in range(data.draw(st.integers(0, 2))):
            self.join(process, data.draw(st.integers(1, 15)))
        if self.owners and data.draw(st.booleans()):
            self.leave(process, data)
        self.servers_lost += 1
        before = self.all.lines[0].log.mark.epoch
        self.all.log.promote(lost)
        for number in order:
            self.surely(lambda number=number: self.all.follow(number, before))

    @invariant()
    def no_place_rises_whichever_process_is_asked(self):
        for process in range(self.COUNT):
            view = self.surely(lambda process=process: self.all.fresh(process)).view()
            for number in self.owners:
                if position := place(view, number).position:
                    assert position <= self.told.get(number, position), f"{number} at {process}"
                    self.told[number] = position

    @invariant()
    def all_processes_are_alike(self):
        lines = [self.surely(lambda process=process: self.all.fresh(process)) for process in range(self.COUNT)]
        one, *others = [
            (line.view().joined, line.view().waiting, line.figures().ready, line.figures().admitted, line.reckoning())
            for line in lines
        ]
        assert others == [one] * len(others)

    @invariant()
    def no_rolling_second_grants_more_than_the_rate_and_no_moment_has_more_than_the_cap(self):
        times = sorted(self.grants.values())
        for earlier, later in zip(times, times[LIMITS.rate_per_second :], strict=False):
            assert later - earlier >= SECOND
        figures = self.all.lines[0].figures()
        assert figures.ready + figures.admitted <= LIMITS.active_max


def test_fans_of_several_processes_stand_in_one_line_whatever_fails():
    run_state_machine_as_test(ManyProcesses, settings=settings(max_examples=25, stateful_step_count=25))

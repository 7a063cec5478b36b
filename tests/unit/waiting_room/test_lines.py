"""The queues that a process has open, when a version with other rules has them too."""

import random
from types import SimpleNamespace

import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.memory_log import MemoryLog
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import Ticket, session_hash
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.waiting_room.line import OtherRules
from traffic_tacos.rooms.waiting_room.line_log import LEFT_AFTER
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.waiting_room.records import LINE_HEAD, LineHead
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import Limits, Terms

CALL = Call(Caller(Role.SERVICE, "test"), "trace")


async def terms(*_):
    return Terms(Limits(rate_per_second=1, active_max=1), None, None)


async def seats_left(*_):
    return SimpleNamespace(sellable=9, is_sold_out=False, all_sold=False)


class Versions:
    """The queues of two processes, the second with other rules than the first."""

    def __init__(self):
        self.clock, self.store = HandClock(), MemoryStore()
        self.log = MemoryLog(self.clock, random.Random(1))
        self.engines = [self._engine(rules) for rules in (1, 2)]
        self.first, self.second = map(self._lines, self.engines)

    def _engine(self, rules):
        return ReplicatedLines(self.log, self.store, self.clock, random.Random(rules), b"s" * 32, rules=rules)

    def _lines(self, engine):
        catalog, inventory = SimpleNamespace(terms=terms), SimpleNamespace(seats_left=seats_left)
        settings = SimpleNamespace(text=lambda _: "")
        return Lines(self.store, self.clock, random.Random(1), catalog, inventory, engine, settings, lambda: True)

    async def opened(self):
        """The first process has the queue, somebody waits in it, and the store knows of it."""
        await self.store.transact((), lambda _: Decision(None, [put(LINE_HEAD.key("evt"), LineHead(0))]))
        opened = await self.first.of("evt", CALL)
        await opened.line.join("ana", "", {}, 0)
        return opened

    def left(self):
        self.clock.advance(LEFT_AFTER / SECOND)


async def test_a_process_is_not_ready_while_a_queue_is_run_by_other_rules_and_opens_it_when_those_have_left():
    both = Versions()
    opened = await both.opened()
    await both.second.load()
    [said] = both.second.unready()
    assert (
        "the queue of evt is run by processes with version 1 of the queue's rules, and this one has version 2" in said
    )
    assert said in both.second.issues()[0]
    await opened.line.join("ben", "", {}, 0)
    both.left()
    await both.second.step()
    assert both.second.unready() == [said], "the first goes on"
    both.left()
    await both.second.step()
    assert (both.second.unready(), [*both.second.all()]) == ([], ["evt"])


async def test_a_process_that_lost_a_queue_to_other_rules_ends_its_streams_and_answers_nothing_for_it():
    both = Versions()
    opened = await both.opened()
    watcher, ticket = opened.watchers.add(1), Ticket("evt", 1, session_hash("ana"))
    assert await both.first.found(ticket, CALL) is opened
    await both.second.load()
    both.left()
    await both.second.step()
    await both.engines[0].read()
    await both.first.step()
    assert (watcher.is_displaced, watcher.news.is_set(), opened.is_lost) == (True, True, True)
    assert both.first.all() == {}
    assert "was taken over by processes with version 2" in both.first.unready()[0]
    with pytest.raises(OtherRules):
        await both.first.found(ticket, CALL)
    assert await both.second.found(ticket, CALL)

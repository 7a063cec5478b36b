"""Processes whose rules differ never have one queue together."""

import hashlib
import random

import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.memory_log import MemoryLog
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room import commands as c
from traffic_tacos.rooms.waiting_room.frozen import freeze
from traffic_tacos.rooms.waiting_room.line import OtherRules
from traffic_tacos.rooms.waiting_room.line_log import LEFT_AFTER
from traffic_tacos.rooms.waiting_room.machine import FORMAT, RULES, LineMachine, member_of
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLines
from traffic_tacos.rooms.waiting_room.values import Limits, State, Terms
from traffic_tacos.rooms.waiting_room.view import place

LIMITS = Limits(rate_per_second=3, active_max=6, offer_seconds=8, idle_seconds=400)
NOW = 1_800_000_000_000
# What came of the commands below, by the version of the rules; and the names of what is frozen, by its format.
DIGESTS = {1: "3e0b33b110726d317c382033035a42ffe144281ffcea9a5c94cba28be574f471"}
FIELDS = {1: "c6abd1b3c8df22a31f42ac96710b5b03ca3d2c0c15adb29dabe0fe6f1259d64c"}


def some_command(chance, last):
    number = chance.randrange(1, last + 2)
    session = chance.randrange(60).to_bytes(8)
    return chance.choice(
        [
            c.Join(member_of("", session), session, 0),
            c.Join(member_of(f"fan{chance.randrange(30)}", session), session, 0),
            c.Claim(number, b""),
            c.End([(number, State.LEFT)]),
            c.HoldSeats(number, chance.random() < 0.5),
            c.Stock(chance.randrange(40), is_sold_out=False, is_sold_for_good=False),
            c.Configure(LIMITS, None, None, chance.random() < 0.2, is_closed=False, message=""),
            c.Touch(c.packed([number, number + 3])),
            c.Advance(),
        ]
    )


def test_whoever_changes_what_the_rules_decide_gives_them_a_new_version():
    chance, line, now, told = random.Random(1), LineMachine("evt", lambda *_: b"", LIMITS), NOW, []
    for serial in range(3000):
        now += chance.choice((0, 10, 100, 2000))
        batch = c.Batch(1, serial, [some_command(chance, line.model.last_number)])
        applied = line.apply(c.decoded(c.encoded(batch)), now)
        view = line.model.view(now)
        places = [repr(place(view, number)) for number in range(1, min(line.model.last_number, 40) + 1)]
        outcomes = [one.code.name if isinstance(one, Refusal) else repr(one) for one in applied.outcomes]
        told.append((outcomes, list(applied.changed), places, line.model.waiting()))
    digest = hashlib.sha256(repr(told).encode()).hexdigest()
    assert digest == DIGESTS.get(RULES), "raise RULES in machine.py, and say in the CHANGELOG that the rules change"


def test_a_turn_is_saved_as_its_end_whether_it_is_an_offer_its_number_and_how_many_it_was():
    line = LineModel(LIMITS)
    line.joined(1, NOW)
    line.step(NOW)
    assert freeze(line)["_turns"] == [[1, [NOW + 8 * SECOND, True, 1, 1]]]


def test_whoever_changes_what_is_saved_of_a_queue_gives_it_a_new_format():
    model = LineMachine("evt", lambda *_: b"", LIMITS).model
    named = {name: sorted(vars(value)) if hasattr(value, "__dict__") else "" for name, value in vars(model).items()}
    digest = hashlib.sha256(repr(sorted(named.items())).encode()).hexdigest()
    assert digest == FIELDS.get(FORMAT), "raise FORMAT in machine.py: an older state cannot be read by these names"


class Versions:
    """Two processes, the second with other rules than the first."""

    def __init__(self):
        self.clock, self.store = HandClock(), MemoryStore()
        self.log = MemoryLog(self.clock, random.Random(1))
        self.first, self.second = self.process(1), self.process(2)

    def process(self, rules):
        chance = random.Random(rules)
        return ReplicatedLines(self.log, self.store, self.clock, chance, b"s" * 32, rules=rules)

    async def opened(self, engine):
        return await engine.open("evt", Terms(LIMITS, None, None), bytes(32), lambda _: None)


async def test_a_queue_that_goes_on_is_not_opened_by_a_version_with_other_rules():
    both = Versions()
    line = await both.opened(both.first)
    for fan in range(8):
        await line.join(f"fan{fan}", "", {}, 0)
        both.clock.advance(LEFT_AFTER / SECOND / 2)
        with pytest.raises(OtherRules, match="has version 2: end all of those, and this process takes"):
            await both.opened(both.second)
    assert both.first.lost() == {}


@pytest.mark.parametrize("is_saved", [True, False])
async def test_a_queue_that_its_processes_have_left_is_taken_over_with_every_place(is_saved):
    both = Versions()
    line = await both.opened(both.first)
    numbers = [(await line.join(f"fan{fan}", "", {}, 0)).number for fan in range(20)]
    places = {number: place(line.view(), number).position for number in numbers}
    if is_saved:
        await line.log.save()
    with pytest.raises(OtherRules):
        await both.opened(both.second)
    both.clock.advance(LEFT_AFTER / SECOND)
    new = await both.opened(both.second)
    assert {number: place(new.view(), number).position for number in numbers if places[number]} == {
        number: position for number, position in places.items() if position
    }
    assert both.second.restores == {"server_changed": 0, "from_store": 0, "other_rules": 1}
    later = (await new.join("somebody new", "", {}, 0)).number
    assert later not in numbers

    with pytest.raises(OtherRules, match="was taken over by processes with version 2"):
        await line.join("one more", "", {}, 0)
    await both.first.read()
    assert [*both.first.lost()] == ["evt"]
    both.clock.advance(10 * LEFT_AFTER / SECOND)
    with pytest.raises(OtherRules, match="end this process"):
        await both.opened(both.first)
    again = await both.opened(both.second)
    assert again.view().joined == new.view().joined


async def test_what_others_append_while_a_queue_is_taken_over_is_not_lost():
    both = Versions()
    line = await both.opened(both.first)
    await line.join("ana", "", {}, 0)
    with pytest.raises(OtherRules):
        await both.opened(both.second)
    both.clock.advance(LEFT_AFTER / SECOND)
    begin = both.log.begin

    async def late(*given):
        both.log.begin = begin
        await line.join("ben", "", {}, 0)
        await begin(*given)

    both.log.begin = late
    with pytest.raises(OtherRules):
        await both.opened(both.second)
    await both.first.read()
    assert (both.first.lost(), line.view().joined) == ({}, 2)

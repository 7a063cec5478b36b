"""The state machine of a shared line, by itself: what is saved is all of it, and what is wrong is wrong for all."""

import pytest

from traffic_tacos.kernel.errors import Code, Damaged, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.commands import (
    Advance,
    Batch,
    Claim,
    Join,
    Stock,
    Touch,
    decoded,
    encoded,
    packed,
)
from traffic_tacos.rooms.waiting_room.frozen import freeze
from traffic_tacos.rooms.waiting_room.machine import RETURN_SECONDS, SKIPPED, LineMachine, member_of
from traffic_tacos.rooms.waiting_room.values import Limits, State

NOW = 1_800_000_000_000
LIMITS = Limits(rate_per_second=3, active_max=6, offer_seconds=8, idle_seconds=400, waiting_max=20)


def machine(joined: int = 0) -> LineMachine:
    made = LineMachine("evt", lambda *_: b"", LIMITS)
    for fan in range(joined):
        join(made, fan)
    return made


def join(line: LineMachine, fan: int, now: int = NOW) -> object:
    session = fan.to_bytes(8)
    return line.apply(Batch(1, fan, [Join(member_of(f"fan{fan}", session), session, 0)]), now).outcomes[0]


def does(line: LineMachine, now: int, *commands: object) -> list[object]:
    return list(line.apply(Batch(1, 99, list(commands)), now).outcomes)


def taken_up(line: LineMachine) -> LineMachine:
    return LineMachine.thawed("evt", lambda *_: b"", line.frozen())


def test_whoever_goes_on_from_what_was_saved_does_the_same_from_then_on():
    ours = machine(12)
    does(ours, NOW + SECOND, Touch(packed([1, 2, 5])), Advance(), Claim(1, b""))
    theirs = taken_up(ours)
    assert freeze(theirs.model) == freeze(ours.model)
    for second in range(2, 500, 7):
        batch = [Touch(packed([3, 4])), Advance(), Claim(3, b"")]
        one, other = (repr(does(line, NOW + second * SECOND, *batch)) for line in (ours, theirs))
        assert one == other
        assert theirs.frozen() == ours.frozen()


def test_numbers_that_may_have_been_given_wait_take_no_room_and_expire_unless_somebody_has_one():
    line = machine(3)
    line.skip(NOW)
    first = 4
    does(line, NOW, Stock(0, False, False))  # nobody has a turn
    assert join(line, 77, NOW) == (SKIPPED + 4, NOW)
    assert line.model.waiting() == SKIPPED + 4
    does(line, NOW + SECOND, Touch(packed([first + 5])))
    for second in range(RETURN_SECONDS + 60):
        does(line, NOW + (2 + second) * SECOND, Touch(packed([first + 5, SKIPPED + 4])), Advance())
    gone = set(line.model.expiring(SKIPPED))
    assert first in gone
    assert first + 5 not in gone
    assert SKIPPED + 4 not in gone


def test_numbers_that_perhaps_nobody_has_keep_nobody_out():
    line = machine(3)
    line.skip(NOW)
    for fan in range(100, 117):
        assert isinstance(join(line, fan), tuple)
    refused = join(line, 200)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.RATE_LIMITED


def test_a_command_that_comes_upon_a_bug_stops_nobody_and_is_the_same_for_all():
    line = machine(1)
    bug, admission = does(line, NOW, Claim(10**6, b""), Claim(1, b""))
    assert isinstance(bug, IndexError)
    assert line.model.state(1) is State.ADMITTED
    assert admission.number == 1


def test_what_another_version_has_written_is_damaged_and_not_skipped():
    with pytest.raises(Damaged, match="cannot be read"):
        decoded(encoded(Batch(1, 1, [Advance()]))[:-1])
    with pytest.raises(Damaged):
        LineMachine.thawed("evt", lambda *_: b"", b"\x91\x63")

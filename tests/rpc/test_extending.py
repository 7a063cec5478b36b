"""A hold may be extended once, while it lives and nobody is kept waiting by it."""

import asyncio

import pytest

from tests.rpc.desk import QUEUE, RESERVATION, code, on_platform
from tests.rpc.test_waiting_room import configure
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.kernel.seats import SeatStatus


async def extend(desk, fan, held, seconds=60, key=None):
    request = pb.ExtendHoldRequest(
        reservation_id=held.reservation_id,
        user_id=fan,
        extension_seconds=seconds,
        reason="the bank is slow",
        idempotency_key=key or desk.key(),
    )
    return await desk.as_fan(RESERVATION + "ExtendHold", request, fan)


@on_platform
async def test_an_extended_hold_lives_on_and_can_be_paid_and_then_no_longer(desk):
    held = await desk.held("ana", 2)
    await desk.clock.sleep(50)
    answer = await extend(desk, "ana", held, key="k")
    assert (answer.extension_allowed, answer.extended_seconds) == (True, 60)
    assert answer.new_expires_at.seconds == held.hold_expires_at.seconds + 60
    assert (await extend(desk, "ana", held, key="k")).SerializeToString() == answer.SerializeToString()
    again = await extend(desk, "ana", held)
    assert (code(again), again.extension_allowed) == ("FAILED_PRECONDITION", False)
    await desk.clock.sleep(40)  # past the first deadline
    assert (await desk.stats()).reserved_seats == 2
    await desk.pay("ana", held)
    await desk.clock.sleep(10)
    assert (await desk.reservation(held.reservation_id)).status == pb.RESERVATION_STATUS_CONFIRMED


@pytest.mark.parametrize("without", [frozenset(), frozenset({"worker"})])
def test_an_extended_hold_that_is_not_paid_ends_at_its_new_deadline(without):
    @on_platform
    async def on_desk(desk):
        await desk.crash(without=without)
        held = await desk.held("ana", 2)
        await extend(desk, "ana", held, 30)
        await desk.clock.sleep(85)
        assert (await desk.reservation(held.reservation_id)).status == pb.RESERVATION_STATUS_PENDING
        await desk.clock.sleep(10)
        assert (await desk.reservation(held.reservation_id)).status == pb.RESERVATION_STATUS_EXPIRED
        assert (await desk.stats()).available_seats == 15
        assert code(await extend(desk, "ana", held)) == "RESERVATION_EXPIRED"
        assert desk.jobs() == [] or without

    on_desk()


@on_platform
async def test_a_hold_is_not_extended_while_somebody_waits_for_seats_and_there_are_none(desk):
    await configure(desk, "admission.active_max", "20")
    held = [await desk.held(f"fan{n}", 1) for n in range(15)]
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s")
    waiting = await desk.ask(QUEUE + "JoinQueue", request)
    refused = await extend(desk, "fan14", held[14])
    assert (code(refused), "waiting" in refused.error.message) == ("FAILED_PRECONDITION", True)
    await desk.ask(QUEUE + "LeaveQueue", queue_pb2.LeaveQueueRequest(waiting_token=waiting.waiting_token))
    assert (await extend(desk, "fan14", held[14])).extension_allowed


WRONG = [(0, "INVALID_ARGUMENT"), (-5, "INVALID_ARGUMENT"), (61, "INVALID_ARGUMENT"), (2**31 - 1, "INVALID_ARGUMENT")]


@pytest.mark.parametrize(("seconds", "expected"), WRONG)
def test_a_wrong_extension_is_refused_and_loses_nothing(seconds, expected):
    @on_platform
    async def on_desk(desk):
        held = await desk.held("ana", 1)
        assert code(await extend(desk, "ana", held, seconds)) == expected
        assert (await extend(desk, "ana", held)).extension_allowed

    on_desk()


@on_platform
async def test_only_its_owner_extends_a_hold(desk):
    held = await desk.held("ana", 1)
    assert code(await extend(desk, "ben", held)) == "NOT_FOUND"
    request = pb.ExtendHoldRequest(reservation_id=held.reservation_id, user_id="ana", extension_seconds=60)
    assert code(await desk.as_fan(RESERVATION + "ExtendHold", request, "ben")) == "FORBIDDEN"
    assert code(await desk.as_fan(RESERVATION + "ExtendHold", request, "ana")) == "IDEMPOTENCY_REQUIRED"


@pytest.mark.parametrize("at", [59.9, 59.99, 60.0, 60.01])
def test_extend_and_expire_at_the_same_moment_leave_one_truth(at):
    """Either it was extended, and lives on, or it has expired, and its seats are free."""

    @on_platform
    async def on_desk(desk):
        held = await desk.held("ana", 2)
        await desk.pay("ana", held, scenario=5)  # a payment that never answers is under way
        now = desk.clock.now()
        await desk.clock.sleep((held.hold_expires_at.ToMilliseconds() - now) / 1000 - 60 + at)
        answers = await asyncio.gather(*(extend(desk, "ana", held) for _ in range(3)))
        allowed = [answer for answer in answers if answer.extension_allowed]
        assert len(allowed) == (1 if at < 60 else 0)
        await desk.clock.sleep(5)
        status = (await desk.reservation(held.reservation_id)).status
        seats = await desk.stats()
        if allowed:
            assert (status, seats.reserved_seats) == (pb.RESERVATION_STATUS_PENDING, 2)
        else:
            assert (status, seats.available_seats) == (pb.RESERVATION_STATUS_EXPIRED, 15)
        await desk.clock.sleep(120)
        assert (await desk.stats()).available_seats == 15

    on_desk()


@on_platform
async def test_what_is_cancelled_or_bought_is_not_extended_and_stays_so(desk):
    cancelled = await desk.held("ana", 1)
    await desk.cancel("ana", cancelled)
    assert code(await extend(desk, "ana", cancelled)) == "FAILED_PRECONDITION"
    bought = await desk.held("ben", 1)
    await desk.pay("ben", bought)
    await desk.clock.sleep(10)
    assert code(await extend(desk, "ben", bought)) == "FAILED_PRECONDITION"
    (seat,) = (await desk.reservation(bought.reservation_id)).seats
    assert seat.status == SeatStatus.SOLD.value
    assert isinstance(seat, types_pb2.Seat)


@pytest.mark.parametrize("commits", [0, 1])
def test_a_crash_leaves_seats_and_reservation_extended_together_or_not_at_all(commits):
    @on_platform
    async def on_desk(desk):
        held = await desk.held("ana", 2)
        begun = desk.commits
        extending = asyncio.ensure_future(extend(desk, "ana", held))
        await desk.commits_reach_unless(begun + commits, extending)
        await desk.crash()
        await asyncio.gather(extending, return_exceptions=True)
        await desk.clock.sleep(62)
        is_extended = (await desk.reservation(held.reservation_id)).status == pb.RESERVATION_STATUS_PENDING
        assert (is_extended, (await desk.stats()).reserved_seats) in ((True, 2), (False, 0))
        assert is_extended or not commits
        await desk.clock.sleep(60)
        assert (await desk.reservation(held.reservation_id)).status == pb.RESERVATION_STATUS_EXPIRED
        assert (await desk.stats()).available_seats == 15

    on_desk()

"""The gateway between callers and rooms that fail: one more try, a circuit, and deadlines that are passed on."""

import asyncio

import grpc
import pytest

from tests.rpc.desk import GATEWAY, code, on_platform
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.gateway.clients import Rooms
from traffic_tacos.upstream import Upstream, UpstreamFault

ROOM = "/reservation.v1.ReservationService/GetReservation"
SHOW = gateway_pb2.GetReservationRequest(reservation_id="rsv_1")


class Room:
    """The reservation room's GetReservation, answering as it is told."""

    def __init__(self, desk):
        self.desk, self.asked, self.fails, self.seconds, self.left = desk, [], 0, 0.0, []
        desk.platform.calls.methods[ROOM].handler = self.answer

    async def answer(self, request, call):
        self.asked.append(self.desk.clock.now())
        self.left.append(call.deadline - self.desk.clock.now())
        await self.desk.clock.sleep(self.seconds)
        if self.fails:
            self.fails -= 1
            raise Fault("injected: the room is away")
        return reservation_pb2.GetReservationResponse()

    async def ask(self):
        return code(await self.desk.as_fan(GATEWAY + "GetReservation", SHOW, "ana"))


@on_platform
async def test_a_room_that_fails_once_is_asked_once_more_after_a_moment(desk):
    room = Room(desk)
    room.fails = 1
    assert await room.ask() == ""
    assert len(room.asked) == 2
    assert 10 <= room.asked[1] - room.asked[0] <= 41
    room.fails = 2
    assert await room.ask() == "UNAVAILABLE"
    assert len(room.asked) == 4


@on_platform
async def test_a_refusal_is_an_answer_and_is_not_asked_again(desk):
    room = Room(desk)

    async def refuse(request, call):
        room.asked.append(0)
        raise Refusal(Code.NOT_FOUND, "reservation_id: there is no reservation")

    desk.platform.calls.methods[ROOM].handler = refuse
    for _ in range(50):  # nor do refusals open the circuit
        assert await room.ask() == "NOT_FOUND"
    assert len(room.asked) == 50


@on_platform
async def test_a_room_gets_half_a_second_or_what_is_left(desk):
    room = Room(desk)
    room.seconds = 2.0
    begun = desk.clock.now()
    assert await room.ask() == "UNAVAILABLE"
    assert 500 <= desk.clock.now() - begun <= 1200  # the first half second, a pause, the second
    assert all(left <= 500 for left in room.left)


@on_platform
async def test_callers_who_leave_no_time_do_not_make_a_room_unreachable_for_others(desk):
    rooms = Rooms(
        Upstream(desk.platform.channel("gateway"), desk.clock), desk.clock, desk.random, desk.platform.engines.settings
    )

    async def slow(request, timeout, metadata):
        await desk.clock.sleep(timeout)
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, nothing, nothing)

    async def asked(seconds):
        call = Call(Caller(Role.FAN, "mallory"), "trace", desk.clock.now() + round(seconds * SECOND))
        with pytest.raises(UpstreamFault):
            await rooms.ask(rooms.payment, slow, None, call)

    for _ in range(60):
        await asked(0.02)
    assert rooms.open_circuits()["payment"] == ""
    for _ in range(20):
        await asked(10)
    assert "DEADLINE_EXCEEDED" in rooms.open_circuits()["payment"]


@on_platform
async def test_a_room_that_goes_on_failing_is_left_in_peace_and_found_again(desk):
    room = Room(desk)
    room.fails = 1000
    for _ in range(10):
        assert await room.ask() == "UNAVAILABLE"
    assert len(room.asked) == 20
    answers = await asyncio.gather(*(room.ask() for _ in range(200)))
    assert set(answers) == {"UNAVAILABLE"}
    assert len(room.asked) == 20  # nobody asked it
    assert 'tacos_circuit_open{service="reservation"} 1.0' in (await desk.http("GET", "/metrics")).text
    await desk.clock.sleep(1)
    answers = await asyncio.gather(*(room.ask() for _ in range(200)))
    assert len(room.asked) == 21  # one asked whether it is back
    room.fails = 0
    await desk.clock.sleep(2.1)
    assert await room.ask() == ""
    assert set(await asyncio.gather(*(room.ask() for _ in range(50)))) == {""}
    assert len(room.asked) == 21 + 51

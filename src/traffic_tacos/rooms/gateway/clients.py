"""The rooms behind the gateway. Their messages pass through it, so there are no words of its own to speak.

What a room cannot answer is asked for once more, after a pause that differs from caller to caller: every call the
gateway makes may be repeated, since it only reads or carries an idempotency key. The circuit of
a room that goes on failing is open for a while, so that callers are refused at once and it can recover; an operator can
hold it open as well.
"""

import random
from typing import Any, TypeVar

import grpc

from traffic_tacos.gen.payment.v1 import payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import inventory_pb2_grpc, reservation_pb2_grpc
from traffic_tacos.kernel import circuit
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.circuit import BreakerPolicy, Circuit
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.settings import CIRCUITS, Settings
from traffic_tacos.upstream import Answer, Upstream, UpstreamFault, seconds_left

SERVICE_SECONDS = 0.5
HELD_OPEN = "by the operator"
PAUSE_SECONDS = (0.01, 0.04)  # before asking once more
BREAKER = BreakerPolicy(failures_max=20, pause_first=SECOND, pause_max=10 * SECOND)

A = TypeVar("A", bound=Answer)


class Room:
    """One room: its stub, and how it has been doing."""

    def __init__(self, name: str, stub: Any) -> None:
        self.name = name
        self.stub = stub
        self.circuit = Circuit()


class Rooms:
    def __init__(self, upstream: Upstream, clock: Clock, randomness: random.Random, settings: Settings) -> None:
        self.reservation = Room("reservation", reservation_pb2_grpc.ReservationServiceStub(upstream.channel))
        self.payment = Room("payment", payment_pb2_grpc.PaymentServiceStub(upstream.channel))
        self.inventory = Room("inventory", inventory_pb2_grpc.InventoryStub(upstream.channel))
        self._upstream = upstream
        self._clock = clock
        self._random = randomness
        self._settings = settings

    async def ask(self, room: Room, method: "grpc.aio.UnaryUnaryMultiCallable[Any, A]", request: Any, call: Call) -> A:
        """The room's answer within what the caller's deadline leaves; its refusal raised."""
        try:
            return await self._ask(room, method, request, call)
        except UpstreamFault as fault:
            pause = self._random.uniform(*PAUSE_SECONDS)
            left = seconds_left(call, self._clock.now(), SERVICE_SECONDS)
            if fault.status is grpc.StatusCode.DEADLINE_EXCEEDED or left <= pause:
                raise
            await self._clock.sleep(pause)
            return await self._ask(room, method, request, call)

    async def _ask(self, room: Room, method: "grpc.aio.UnaryUnaryMultiCallable[Any, A]", request: Any, call: Call) -> A:
        now = self._clock.now()
        seconds = seconds_left(call, now, SERVICE_SECONDS)
        asked = None if self._settings.is_on(CIRCUITS[room.name]) else circuit.try_acquire(room.circuit, seconds, now)
        if asked is None:
            raise Refusal(
                Code.UNAVAILABLE,
                f"the {room.name} service does not answer (its circuit is open); try again in a second",
            )
        room.circuit = asked
        try:
            answer = await self._upstream.ask(method, request, call, SERVICE_SECONDS)
        except UpstreamFault as fault:
            if seconds == SERVICE_SECONDS:  # a caller who leaves it no time says nothing about the room
                room.circuit = circuit.failed(room.circuit, str(fault), self._clock.now(), BREAKER)
            raise
        except Refusal:
            self._is_well(room)
            raise
        self._is_well(room)
        return answer

    def _is_well(self, room: Room) -> None:
        """Nothing to write down while nothing was wrong: this is the way of nearly every call."""
        if room.circuit.failures:
            room.circuit = circuit.succeeded(room.circuit, self._clock.now())

    def open_circuits(self) -> dict[str, str]:
        """Every room, and why it is not asked now: empty when it is."""
        now = self._clock.now()
        return {
            room.name: HELD_OPEN if self._settings.is_on(CIRCUITS[room.name]) else self._why_not(room, now)
            for room in (self.reservation, self.payment, self.inventory)
        }

    def _why_not(self, room: Room, now: Instant) -> str:
        return room.circuit.last_error if room.circuit.is_open and now < room.circuit.open_until else ""

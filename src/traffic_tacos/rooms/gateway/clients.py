"""The rooms behind the gateway. Their messages pass through it, so there are no words of its own to speak."""

from collections.abc import Awaitable
from typing import Any, TypeVar

import grpc

from traffic_tacos import wire
from traffic_tacos.gen.payment.v1 import payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import inventory_pb2_grpc, reservation_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.ports.clock import Clock

SERVICE_SECONDS = 0.5

A = TypeVar("A", bound=wire.Answer)


class Rooms:
    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self.reservation = reservation_pb2_grpc.ReservationServiceStub(channel)
        self.payment = payment_pb2_grpc.PaymentServiceStub(channel)
        self.inventory = inventory_pb2_grpc.InventoryStub(channel)
        self._clock = clock

    async def ask(self, method: "grpc.aio.UnaryUnaryMultiCallable[Any, A]", request: Any, call: Call) -> A:
        """The room's answer within what the caller's deadline leaves; its refusal raised."""
        seconds = wire.seconds_left(call, self._clock.now(), SERVICE_SECONDS)
        pending: Awaitable[A] = method(request, timeout=seconds, metadata=wire.metadata(call))
        return await wire.answered(pending)

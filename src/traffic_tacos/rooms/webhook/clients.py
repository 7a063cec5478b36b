"""Reservation and payment, in the webhook room's words: whether what a webhook speaks of exists."""

import grpc

from traffic_tacos import wire
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant

ROOM_SECONDS = 1.0


class ReservationClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = reservation_pb2_grpc.ReservationServiceStub(channel)

    async def hold_expires_at(self, reservation_id: str, call: Call) -> Instant:
        """When its hold ends, or has ended; NOT_FOUND when there is no such reservation."""
        request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id)
        asked = self._stub.GetReservation(request, timeout=ROOM_SECONDS, metadata=wire.metadata(call))
        return wire.instant((await wire.answered(asked)).reservation, "hold_expires_at") or 0


class PaymentClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = payment_pb2_grpc.PaymentServiceStub(channel)

    async def reservation_of(self, payment_intent_id: str, call: Call) -> str:
        """The reservation that a payment is for; NOT_FOUND when there is no such payment."""
        request = payment_pb2.GetPaymentStatusRequest(payment_intent_id=payment_intent_id)
        asked = self._stub.GetPaymentStatus(request, timeout=ROOM_SECONDS, metadata=wire.metadata(call))
        return (await wire.answered(asked)).payment.reservation_id

"""Reservation, worker and payment, in the webhook room's words."""

from traffic_tacos import wire
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc, worker_pb2, worker_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.upstream import Upstream

ROOM_SECONDS = 1.0
APPLY_SECONDS = 5.0


class ReservationClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)

    async def hold_expires_at(self, reservation_id: str, call: Call) -> Instant:
        """When its hold ends, or has ended; NOT_FOUND when there is no such reservation."""
        request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id)
        asked = self._upstream.ask(self._stub.GetReservation, request, call, ROOM_SECONDS)
        return wire.instant((await asked).reservation, "hold_expires_at") or 0


class WorkerClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = worker_pb2_grpc.WorkerServiceStub(upstream.channel)

    async def apply_payment_result(self, reservation_id: str, payment_intent_id: str, call: Call) -> bool:
        """Do with a reservation what its payment's own status asks for; False when that must be tried again.

        Repeating it has no second effect.
        """
        request = worker_pb2.ProcessPaymentRequest(reservation_id=reservation_id, payment_intent_id=payment_intent_id)
        answer = await self._upstream.ask(self._stub.ProcessPaymentResult, request, call, APPLY_SECONDS)
        return answer.status in (worker_pb2.PROCESSING_STATUS_SUCCESS, worker_pb2.PROCESSING_STATUS_SKIPPED)


class PaymentClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = payment_pb2_grpc.PaymentServiceStub(upstream.channel)

    async def reservation_of(self, payment_intent_id: str, call: Call) -> str:
        """The reservation that a payment is for; NOT_FOUND when there is no such payment."""
        request = payment_pb2.GetPaymentStatusRequest(payment_intent_id=payment_intent_id)
        asked = self._upstream.ask(self._stub.GetPaymentStatus, request, call, ROOM_SECONDS)
        return (await asked).payment.reservation_id

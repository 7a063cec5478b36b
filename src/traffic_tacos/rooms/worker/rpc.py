"""WorkerService on the wire."""

from traffic_tacos import wire
from traffic_tacos.gen.reservation.v1 import worker_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.ports.clock import Clock
from traffic_tacos.rooms.worker.model import NEXT_ACTION, Done, Processing
from traffic_tacos.rooms.worker.service import Worker


class WorkerRpc:
    def __init__(self, worker: Worker, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock

    async def ProcessReservationExpiry(self, request: pb.ProcessExpiryRequest, call: Call) -> pb.ProcessExpiryResponse:
        reservation_id = checked_id("reservation_id", request.reservation_id)
        try:
            done = await self._worker.expire(reservation_id, call)
        except Fault:
            done = Done(Processing.RETRY)
        return pb.ProcessExpiryResponse(
            status=_status(done.status),
            released_seats=wire.seats(done.seats),
            processed_at=wire.timestamp(self._clock.now()),
            next_action=NEXT_ACTION[done.status],
        )

    async def ProcessPaymentResult(self, request: pb.ProcessPaymentRequest, call: Call) -> pb.ProcessPaymentResponse:
        reservation_id = checked_id("reservation_id", request.reservation_id)
        intent_id = checked_id("payment_intent_id", request.payment_intent_id)
        try:
            done = await self._worker.settle(reservation_id, intent_id, call)
        except Fault:
            done = Done(Processing.RETRY)
        return pb.ProcessPaymentResponse(
            status=_status(done.status),
            order_id=done.order_id,
            affected_seats=wire.seats(done.seats),
            processed_at=wire.timestamp(self._clock.now()),
            next_action=NEXT_ACTION[done.status],
        )


def _status(status: Processing) -> pb.ProcessingStatus:
    return status.value  # type: ignore[return-value]  # same numbers, see model.Processing

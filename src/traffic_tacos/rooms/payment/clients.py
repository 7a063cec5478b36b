"""The reservation room of another process, in payment's words (`ports/amounts.py`)."""

from traffic_tacos import wire
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.gen.reservation.v1 import reservation_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.ports.amounts import AmountDue, check_payable
from traffic_tacos.upstream import Upstream

RESERVATION_SECONDS = 0.5


class ReservationClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)

    async def of(self, reservation_id: str, user_id: str, call: Call) -> AmountDue:
        answer = await self._upstream.ask(
            self._stub.GetReservation,
            pb.GetReservationRequest(reservation_id=reservation_id, user_id=user_id),
            call,
            RESERVATION_SECONDS,
        )
        check_payable(answer.reservation.status)
        amount = wire.plain_money(answer.reservation.total_amount)
        return AmountDue((), lambda _: amount)

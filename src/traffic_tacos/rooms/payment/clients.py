"""The reservation room, in payment's words."""

import msgspec

from traffic_tacos import wire
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.gen.reservation.v1 import reservation_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.upstream import Upstream

RESERVATION_SECONDS = 0.5


class Owed(msgspec.Struct, frozen=True):
    """What a reservation that waits for its payment costs."""

    amount: Money


class ReservationClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)

    async def owed(self, reservation_id: str, user_id: str, call: Call) -> Owed:
        """What the user's reservation costs; refused when it is not theirs or no longer waits to be paid."""
        answer = await self._upstream.ask(
            self._stub.GetReservation,
            pb.GetReservationRequest(reservation_id=reservation_id, user_id=user_id),
            call,
            RESERVATION_SECONDS,
        )
        status = answer.reservation.status
        if status == pb.RESERVATION_STATUS_EXPIRED:
            raise Refusal(Code.RESERVATION_EXPIRED, "reservation_id: the hold has ended")
        if status != pb.RESERVATION_STATUS_PENDING:
            raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: is not waiting for a payment")
        return Owed(wire.plain_money(answer.reservation.total_amount))

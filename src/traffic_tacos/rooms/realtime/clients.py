"""Reservation and payment, in realtime's words: how a user's things stand now."""

from collections.abc import Awaitable, Callable, Sequence

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.rooms.realtime.model import Subject, Update
from traffic_tacos.upstream import Upstream

ROOM_SECONDS = 1.0
PAGE, PAGES_MAX = 100, 20


class ReservationClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)

    async def present(self, user_id: str, ids: Sequence[str], call: Call) -> list[Update]:
        """How these reservations of the user stand, or all of theirs; NOT_FOUND when one is not theirs."""

        async def one(reservation_id: str) -> Update:
            request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id, user_id=user_id)
            asked = self._upstream.ask(self._stub.GetReservation, request, call, ROOM_SECONDS)
            return _reservation((await asked).reservation)

        async def page(at: types_pb2.Pagination) -> tuple[list[Update], str]:
            request = reservation_pb2.ListReservationsRequest(user_id=user_id, pagination=at)
            asked = self._upstream.ask(self._stub.ListReservations, request, call, ROOM_SECONDS)
            answer = await asked
            return [_reservation(found) for found in answer.reservations], answer.page_info.next_cursor

        return [await one(thing_id) for thing_id in ids] if ids else await _all_pages(page)


class PaymentClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = payment_pb2_grpc.PaymentServiceStub(upstream.channel)

    async def present(self, user_id: str, ids: Sequence[str], call: Call) -> list[Update]:
        """How these payments of the user stand, or all of theirs; NOT_FOUND when one is not theirs."""

        async def one(intent_id: str) -> Update:
            request = payment_pb2.GetPaymentStatusRequest(payment_intent_id=intent_id, user_id=user_id)
            asked = self._upstream.ask(self._stub.GetPaymentStatus, request, call, ROOM_SECONDS)
            return _payment((await asked).payment)

        async def page(at: types_pb2.Pagination) -> tuple[list[Update], str]:
            request = payment_pb2.ListPaymentsRequest(user_id=user_id, pagination=at)
            asked = self._upstream.ask(self._stub.ListPayments, request, call, ROOM_SECONDS)
            answer = await asked
            return [_payment(found) for found in answer.payments], answer.page_info.next_cursor

        return [await one(thing_id) for thing_id in ids] if ids else await _all_pages(page)


async def _all_pages(page: Callable[[types_pb2.Pagination], Awaitable[tuple[list[Update], str]]]) -> list[Update]:
    """Everything of a list, within PAGES_MAX pages."""
    found: list[Update] = []
    cursor = ""
    for _ in range(PAGES_MAX):
        more, cursor = await page(types_pb2.Pagination(page_size=PAGE, cursor=cursor))
        found += more
        if not cursor:
            break
    return found


def _reservation(message: reservation_pb2.Reservation) -> Update:
    status, at = ReservationStatus(message.status), wire.instant(message, "updated_at") or 0
    until = wire.instant(message, "hold_expires_at")
    return Update(Subject.RESERVATION, message.reservation_id, None, status, at, until)


def _payment(message: payment_pb2.Payment) -> Update:
    status, at = PaymentStatus(message.status), wire.instant(message, "updated_at") or 0
    return Update(Subject.PAYMENT, message.payment_intent_id, None, status, at)

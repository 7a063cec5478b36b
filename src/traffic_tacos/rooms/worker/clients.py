"""The reservation and its lifecycle, inventory and payment, in the worker's words."""

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import (
    inventory_pb2,
    inventory_pb2_grpc,
    reservation_pb2,
    reservation_pb2_grpc,
)
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2, lifecycle_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.worker.model import Done, PaymentView, Processing, ReservationView
from traffic_tacos.upstream import Upstream

LIFECYCLE_SECONDS = 5.0
PAYMENT_SECONDS = 0.5
RESERVATION_SECONDS = 1.0
INVENTORY_SECONDS = 0.25
PAYMENTS_MAX = 100

_UNDER_WAY = (payment_pb2.PAYMENT_STATUS_PENDING, payment_pb2.PAYMENT_STATUS_PROCESSING)


class LifecycleClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = lifecycle_pb2_grpc.LifecycleServiceStub(upstream.channel)

    async def expire(self, reservation_id: str, call: Call) -> Done:
        answer = await self._upstream.ask(
            self._stub.ExpireReservation,
            lifecycle_pb2.ExpireReservationRequest(reservation_id=reservation_id),
            call,
            LIFECYCLE_SECONDS,
        )
        return Done(_status(answer.changed), wire.plain_seats(answer.released_seats))

    async def apply_payment_result(self, reservation_id: str, payment_intent_id: str, call: Call) -> Done:
        answer = await self._upstream.ask(
            self._stub.SettleReservation,
            lifecycle_pb2.SettleReservationRequest(reservation_id=reservation_id, payment_intent_id=payment_intent_id),
            call,
            LIFECYCLE_SECONDS,
        )
        return Done(_status(answer.changed), wire.plain_seats(answer.seats), answer.order_id)


class ReservationClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)

    async def find(self, reservation_id: str, call: Call) -> ReservationView | None:
        request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id)
        asked = self._upstream.ask(self._stub.GetReservation, request, call, RESERVATION_SECONDS)
        try:
            found = (await asked).reservation
        except Refusal as refusal:
            if refusal.code is Code.NOT_FOUND:
                return None
            raise
        return ReservationView(
            found.reservation_id,
            found.event_id,
            found.user_id,
            is_open=found.status == reservation_pb2.RESERVATION_STATUS_PENDING,
            is_bought=found.status == reservation_pb2.RESERVATION_STATUS_CONFIRMED,
            is_given_back=found.status == reservation_pb2.RESERVATION_STATUS_REFUNDED,
            payment_intent_id=found.payment_intent_id,
            order_id=found.order_id,
        )

    async def cancel(self, reservation: ReservationView, reason: str, call: Call) -> bool:
        """Cancel it, or give it back when it was bought. The same reservation is cancelled once."""
        bought = ":bought" if reservation.is_bought else ""
        request = reservation_pb2.CancelReservationRequest(
            reservation_id=reservation.id,
            user_id=reservation.user_id,
            reason=reason,
            idempotency_key=f"compensation:{reservation.id}{bought}",
        )
        asked = self._upstream.ask(self._stub.CancelReservation, request, call, RESERVATION_SECONDS)
        await asked
        return True


class InventoryClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = inventory_pb2_grpc.InventoryStub(upstream.channel)

    async def release(self, reservation_id: str, event_id: str, call: Call) -> bool:
        """Free what the reservation holds; whether it held anything."""
        request = inventory_pb2.ReleaseHoldRequest(
            reservation_id=reservation_id,
            event_id=event_id,
            reason="compensation",
            idempotency_key=f"compensation:{call.trace_id}",
        )
        asked = self._upstream.ask(self._stub.ReleaseHold, request, call, INVENTORY_SECONDS)
        try:
            return bool((await asked).released_seats)
        except Refusal as refusal:
            if refusal.code is Code.NOT_FOUND and not refusal.details:
                return False
            raise


class PaymentClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = payment_pb2_grpc.PaymentServiceStub(upstream.channel)

    async def refund(self, payment_intent_id: str, owed: Money | None, reason: str, call: Call) -> None:
        """See to it that so much of a payment has gone back in all (None: everything); one under way is cancelled.

        Asking again is harmless whatever the key, since the amount is a total; a new key never gets an old answer.
        """
        await self._upstream.ask(
            self._stub.CancelPayment,
            payment_pb2.CancelPaymentRequest(
                payment_intent_id=payment_intent_id,
                reason=reason,
                refund_amount=wire.money(owed),
                idempotency_key=f"refund:{call.trace_id}",
            ),
            call,
            PAYMENT_SECONDS,
        )

    async def of_reservation(self, reservation_id: str, call: Call) -> list[PaymentView]:
        answer = await self._upstream.ask(
            self._stub.ListPayments,
            payment_pb2.ListPaymentsRequest(
                reservation_id=reservation_id, pagination=types_pb2.Pagination(page_size=PAYMENTS_MAX)
            ),
            call,
            PAYMENT_SECONDS,
        )
        return [
            PaymentView(
                payment.payment_intent_id,
                is_completed=payment.status == payment_pb2.PAYMENT_STATUS_COMPLETED,
                is_under_way=payment.status in _UNDER_WAY,
            )
            for payment in answer.payments
        ]


def _status(changed: bool) -> Processing:
    return Processing.SUCCESS if changed else Processing.SKIPPED

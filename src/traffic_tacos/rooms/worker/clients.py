"""The reservation's lifecycle and payment, in the worker's words."""

import grpc

from traffic_tacos import wire
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2, lifecycle_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.worker.model import Done, Processing

LIFECYCLE_SECONDS = 5.0
PAYMENT_SECONDS = 0.5


class LifecycleClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = lifecycle_pb2_grpc.LifecycleServiceStub(channel)

    async def expire(self, reservation_id: str, call: Call) -> Done:
        answer = await wire.answered(
            self._stub.ExpireReservation(
                lifecycle_pb2.ExpireReservationRequest(reservation_id=reservation_id),
                timeout=LIFECYCLE_SECONDS,
                metadata=wire.metadata(call),
            )
        )
        return Done(_status(answer.changed), wire.plain_seats(answer.released_seats))

    async def settle(self, reservation_id: str, payment_intent_id: str, call: Call) -> Done:
        answer = await wire.answered(
            self._stub.SettleReservation(
                lifecycle_pb2.SettleReservationRequest(
                    reservation_id=reservation_id, payment_intent_id=payment_intent_id
                ),
                timeout=LIFECYCLE_SECONDS,
                metadata=wire.metadata(call),
            )
        )
        return Done(_status(answer.changed), wire.plain_seats(answer.seats), answer.order_id)


class PaymentClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = payment_pb2_grpc.PaymentServiceStub(channel)

    async def refund(self, payment_intent_id: str, part: Money | None, reason: str, call: Call) -> None:
        """Part of a payment goes back, or everything that is left; a payment under way is cancelled.

        A part that is more than what is left by now is everything that is left.
        """
        key = f"refund:{payment_intent_id}"
        try:
            await self._cancel(payment_intent_id, part, reason, key, call)
        except Refusal as refusal:
            if part is None or refusal.code is not Code.INVALID_ARGUMENT:
                raise
            await self._cancel(payment_intent_id, None, reason, f"{key}:left", call)

    async def _cancel(self, payment_intent_id: str, part: Money | None, reason: str, key: str, call: Call) -> None:
        await wire.answered(
            self._stub.CancelPayment(
                payment_pb2.CancelPaymentRequest(
                    payment_intent_id=payment_intent_id,
                    reason=reason,
                    refund_amount=wire.money(part),
                    idempotency_key=key,
                ),
                timeout=PAYMENT_SECONDS,
                metadata=wire.metadata(call),
            )
        )


def _status(changed: bool) -> Processing:
    return Processing.SUCCESS if changed else Processing.SKIPPED

"""The part of WebSocketService that is about what a user has; the queue's own stream is in the waiting room."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import cast

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import websocket_pb2 as pb
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.statuses import AnyStatus, PaymentStatus, ReservationStatus
from traffic_tacos.rooms.realtime.model import Message, Subject, Update
from traffic_tacos.rooms.realtime.service import Realtime, Send

RESERVATION_NEWS: Mapping[AnyStatus, tuple[pb.ReservationEventType, str]] = {
    ReservationStatus.PENDING: (pb.RESERVATION_EVENT_TYPE_CREATED, "held for you"),
    ReservationStatus.CONFIRMED: (pb.RESERVATION_EVENT_TYPE_CONFIRMED, "yours"),
    ReservationStatus.CANCELLED: (pb.RESERVATION_EVENT_TYPE_CANCELLED, "cancelled"),
    ReservationStatus.EXPIRED: (pb.RESERVATION_EVENT_TYPE_EXPIRED, "the hold has ended"),
    ReservationStatus.REFUNDED: (pb.RESERVATION_EVENT_TYPE_CANCELLED, "given back"),
}
PAYMENT_NEWS: Mapping[AnyStatus, tuple[pb.PaymentEventType, str]] = {
    PaymentStatus.PENDING: (pb.PAYMENT_EVENT_TYPE_CREATED, "waits to be paid"),
    PaymentStatus.PROCESSING: (pb.PAYMENT_EVENT_TYPE_PROCESSING, "the bank is being asked"),
    PaymentStatus.COMPLETED: (pb.PAYMENT_EVENT_TYPE_COMPLETED, "paid"),
    PaymentStatus.FAILED: (pb.PAYMENT_EVENT_TYPE_FAILED, "the bank said no"),
    PaymentStatus.CANCELLED: (pb.PAYMENT_EVENT_TYPE_FAILED, "cancelled; nothing was charged"),
    PaymentStatus.EXPIRED: (pb.PAYMENT_EVENT_TYPE_FAILED, "expired; nothing was charged"),
    PaymentStatus.REFUNDED: (pb.PAYMENT_EVENT_TYPE_REFUNDED, "refunded"),
}
_MESSAGE_TYPES = set(pb.MessageType.values()) - {0}
_PRIORITIES = set(pb.MessagePriority.values())


class RealtimeRpc:
    def __init__(self, realtime: Realtime) -> None:
        self._realtime = realtime

    async def StreamReservationUpdates(
        self, request: pb.StreamReservationRequest, call: Call
    ) -> AsyncIterator[pb.ReservationUpdateEvent]:
        ids = tuple(request.reservation_ids)
        watching = self._realtime.watch(Subject.RESERVATION, request.user_id, request.session_id, ids, call)
        async with aclosing(watching) as news:
            async for update in news:
                yield _reservation_event(update, call)

    async def StreamPaymentUpdates(
        self, request: pb.StreamPaymentRequest, call: Call
    ) -> AsyncIterator[pb.PaymentUpdateEvent]:
        ids = tuple(request.payment_intent_ids)
        watching = self._realtime.watch(Subject.PAYMENT, request.user_id, request.session_id, ids, call)
        async with aclosing(watching) as news:
            async for update in news:
                yield _payment_event(update, call)

    async def SendMessage(self, request: pb.SendMessageRequest, call: Call) -> pb.SendMessageResponse:
        if request.message_type not in _MESSAGE_TYPES:
            names = ", ".join(name.removeprefix("MESSAGE_TYPE_") for name in pb.MessageType.keys()[1:])
            raise Refusal.of_field("message_type", f"must be one of {names}", request.message_type)
        if request.priority not in _PRIORITIES:
            names = ", ".join(name.removeprefix("MESSAGE_PRIORITY_") for name in pb.MessagePriority.keys()[1:])
            raise Refusal.of_field("priority", f"must be one of {names}", request.priority)
        message, delivered = await self._realtime.send(
            Send(
                request.target_user_id,
                request.target_session_id,
                request.message_type,
                request.title,
                request.content,
                dict(request.data),
                request.priority or pb.MESSAGE_PRIORITY_NORMAL,
            )
        )
        return pb.SendMessageResponse(
            delivered=delivered, message_id=message.id, sent_at=wire.timestamp(message.sent_at)
        )


def _reservation_event(update: Update | Message, call: Call) -> pb.ReservationUpdateEvent:
    if isinstance(update, Message):
        return pb.ReservationUpdateEvent(
            type=pb.EVENT_TYPE_MESSAGE,
            reservation_update=pb.ReservationUpdate(message=update.text),
            timestamp=wire.timestamp(update.sent_at),
            correlation_id=update.id,
        )
    kind, says = RESERVATION_NEWS[update.new]
    if update.old == update.new:
        kind, says = pb.RESERVATION_EVENT_TYPE_UNSPECIFIED, "held for longer"
    if update.is_reminder:
        kind, says = pb.RESERVATION_EVENT_TYPE_EXPIRING_SOON, "the hold ends in 15 seconds"
    return pb.ReservationUpdateEvent(
        type=pb.EVENT_TYPE_RESERVATION_UPDATE,
        reservation_update=pb.ReservationUpdate(
            reservation_id=update.id,
            old_status=_reservation_status(update.old),
            new_status=_reservation_status(update.new),
            hold_expires_at=wire.timestamp(update.hold_expires_at),
            message=says,
            event_type=kind,
        ),
        timestamp=wire.timestamp(update.at),
        correlation_id=call.trace_id,
    )


def _payment_event(update: Update | Message, call: Call) -> pb.PaymentUpdateEvent:
    if isinstance(update, Message):
        return pb.PaymentUpdateEvent(
            type=pb.EVENT_TYPE_MESSAGE,
            payment_update=pb.PaymentUpdate(message=update.text),
            timestamp=wire.timestamp(update.sent_at),
            correlation_id=update.id,
        )
    kind, says = PAYMENT_NEWS[update.new]
    return pb.PaymentUpdateEvent(
        type=pb.EVENT_TYPE_PAYMENT_UPDATE,
        payment_update=pb.PaymentUpdate(
            payment_intent_id=update.id,
            old_status=_payment_status(update.old),
            new_status=_payment_status(update.new),
            message=says,
            event_type=kind,
        ),
        timestamp=wire.timestamp(update.at),
        correlation_id=call.trace_id,
    )


def _reservation_status(status: AnyStatus | None) -> reservation_pb2.ReservationStatus:
    return cast(reservation_pb2.ReservationStatus, status or 0)  # same numbers, see kernel.statuses


def _payment_status(status: AnyStatus | None) -> payment_pb2.PaymentStatus:
    return cast(payment_pb2.PaymentStatus, status or 0)  # same numbers, see kernel.statuses

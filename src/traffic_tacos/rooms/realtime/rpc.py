"""The part of WebSocketService that is about what a user has; the queue's own stream is in the waiting room."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import cast

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import websocket_pb2 as pb
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.rooms.realtime.model import Kind, Message, Update
from traffic_tacos.rooms.realtime.service import Realtime, Send

_RESERVATION_NEWS = {
    "PENDING": (pb.RESERVATION_EVENT_TYPE_CREATED, "held for you"),
    "CONFIRMED": (pb.RESERVATION_EVENT_TYPE_CONFIRMED, "yours"),
    "CANCELLED": (pb.RESERVATION_EVENT_TYPE_CANCELLED, "cancelled"),
    "EXPIRED": (pb.RESERVATION_EVENT_TYPE_EXPIRED, "the hold has ended"),
    "REFUNDED": (pb.RESERVATION_EVENT_TYPE_CANCELLED, "given back"),
}
_PAYMENT_NEWS = {
    "PENDING": (pb.PAYMENT_EVENT_TYPE_CREATED, "waits to be paid"),
    "PROCESSING": (pb.PAYMENT_EVENT_TYPE_PROCESSING, "the bank is being asked"),
    "COMPLETED": (pb.PAYMENT_EVENT_TYPE_COMPLETED, "paid"),
    "FAILED": (pb.PAYMENT_EVENT_TYPE_FAILED, "the bank said no"),
    "CANCELLED": (pb.PAYMENT_EVENT_TYPE_FAILED, "cancelled; nothing was charged"),
    "EXPIRED": (pb.PAYMENT_EVENT_TYPE_FAILED, "expired; nothing was charged"),
    "REFUNDED": (pb.PAYMENT_EVENT_TYPE_REFUNDED, "refunded"),
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
        watching = self._realtime.watch(Kind.RESERVATION, request.user_id, request.session_id, ids, call)
        async with aclosing(watching) as news:
            async for told in news:
                yield _reservation_event(told, call)

    async def StreamPaymentUpdates(
        self, request: pb.StreamPaymentRequest, call: Call
    ) -> AsyncIterator[pb.PaymentUpdateEvent]:
        ids = tuple(request.payment_intent_ids)
        watching = self._realtime.watch(Kind.PAYMENT, request.user_id, request.session_id, ids, call)
        async with aclosing(watching) as news:
            async for told in news:
                yield _payment_event(told, call)

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


def _reservation_event(told: Update | Message, call: Call) -> pb.ReservationUpdateEvent:
    if isinstance(told, Message):
        return pb.ReservationUpdateEvent(
            type=pb.EVENT_TYPE_MESSAGE,
            reservation_update=pb.ReservationUpdate(message=told.text),
            timestamp=wire.timestamp(told.sent_at),
            correlation_id=told.id,
        )
    kind, says = _RESERVATION_NEWS[told.new]
    if told.old == told.new:
        kind, says = pb.RESERVATION_EVENT_TYPE_UNSPECIFIED, "held for longer"
    if told.is_reminder:
        kind, says = pb.RESERVATION_EVENT_TYPE_EXPIRING_SOON, "the hold ends in 15 seconds"
    return pb.ReservationUpdateEvent(
        type=pb.EVENT_TYPE_RESERVATION_UPDATE,
        reservation_update=pb.ReservationUpdate(
            reservation_id=told.id,
            old_status=_reservation_status(told.old),
            new_status=_reservation_status(told.new),
            hold_expires_at=wire.timestamp(told.hold_expires_at),
            message=says,
            event_type=kind,
        ),
        timestamp=wire.timestamp(told.at),
        correlation_id=call.trace_id,
    )


def _payment_event(told: Update | Message, call: Call) -> pb.PaymentUpdateEvent:
    if isinstance(told, Message):
        return pb.PaymentUpdateEvent(
            type=pb.EVENT_TYPE_MESSAGE,
            payment_update=pb.PaymentUpdate(message=told.text),
            timestamp=wire.timestamp(told.sent_at),
            correlation_id=told.id,
        )
    kind, says = _PAYMENT_NEWS[told.new]
    return pb.PaymentUpdateEvent(
        type=pb.EVENT_TYPE_PAYMENT_UPDATE,
        payment_update=pb.PaymentUpdate(
            payment_intent_id=told.id,
            old_status=_payment_status(told.old),
            new_status=_payment_status(told.new),
            message=says,
            event_type=kind,
        ),
        timestamp=wire.timestamp(told.at),
        correlation_id=call.trace_id,
    )


def _reservation_status(name: str) -> reservation_pb2.ReservationStatus:
    value = reservation_pb2.ReservationStatus.Value(f"RESERVATION_STATUS_{name or 'UNSPECIFIED'}")
    return cast(reservation_pb2.ReservationStatus, value)


def _payment_status(name: str) -> payment_pb2.PaymentStatus:
    value = payment_pb2.PaymentStatus.Value(f"PAYMENT_STATUS_{name or 'UNSPECIFIED'}")
    return cast(payment_pb2.PaymentStatus, value)

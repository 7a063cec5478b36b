"""Catalog, inventory, line and payment, in reservation's words."""

import msgspec

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2, catalog_pb2_grpc
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2 as own_inventory_pb2
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2_grpc as own_inventory_pb2_grpc
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2, waiting_room_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.event_info import ALWAYS, SaleWindow, sale_window
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.limits import HOLD_SECONDS
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.reservation.model import RefundPolicy
from traffic_tacos.upstream import Upstream

CATALOG_SECONDS = 0.5
INVENTORY_SECONDS = 0.25
PAYMENT_SECONDS = 0.5
LINE_SECONDS = 0.25
PAYMENTS_PER_RESERVATION_MAX = 100


class EventTerms(msgspec.Struct, frozen=True):
    """What an event asks of a reservation."""

    max_per_order: int
    refunds: RefundPolicy
    sale: SaleWindow = ALWAYS
    hold: Instant = HOLD_SECONDS * SECOND


class CatalogClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = catalog_pb2_grpc.CatalogServiceStub(upstream.channel)

    async def terms(self, event_id: str, call: Call) -> EventTerms:
        answer = await self._upstream.ask(
            self._stub.GetEvent,
            catalog_pb2.GetEventRequest(event_id=event_id, without_sections=True),
            call,
            CATALOG_SECONDS,
        )
        plan = answer.plan
        starts_at = wire.instant(plan.event, "start_time")
        refunds = RefundPolicy(plan.refunds.hours_before, plan.refunds.percent, starts_at)
        hold = (plan.hold_seconds or HOLD_SECONDS) * SECOND
        return EventTerms(plan.max_per_order, refunds, sale_window(wire.plain_event(plan.event)), hold)


class InventoryClient:
    """How many seats are left; which of them are whose is decided with the reservations (`ports/seats.py`)."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = own_inventory_pb2_grpc.HoldServiceStub(upstream.channel)

    async def is_all_taken(self, event_id: str, call: Call) -> bool:
        """Whether nothing of the event is free now."""
        answer = await self._upstream.ask(
            self._stub.CountSeats,
            own_inventory_pb2.CountSeatsRequest(event_id=event_id),
            call,
            INVENTORY_SECONDS,
        )
        return not answer.available


class LineClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = waiting_room_pb2_grpc.LineServiceStub(upstream.channel)

    async def waiting(self, event_id: str, call: Call) -> int:
        """How many wait in the event's line."""
        answer = await self._upstream.ask(
            self._stub.CountWaiting, waiting_room_pb2.CountWaitingRequest(event_id=event_id), call, LINE_SECONDS
        )
        return answer.waiting


class PaymentView(msgspec.Struct, frozen=True):
    """What a reservation must know of a payment."""

    id: str
    reservation_id: str
    user_id: str
    amount: Money
    is_completed: bool
    is_under_way: bool
    is_refunded: bool


class PaymentClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = payment_pb2_grpc.PaymentServiceStub(upstream.channel)

    async def show(self, payment_intent_id: str, call: Call) -> PaymentView:
        answer = await self._upstream.ask(
            self._stub.GetPaymentStatus,
            payment_pb2.GetPaymentStatusRequest(payment_intent_id=payment_intent_id),
            call,
            PAYMENT_SECONDS,
        )
        return _payment(answer.payment)

    async def of_reservation(self, reservation_id: str, call: Call) -> list[PaymentView]:
        answer = await self._upstream.ask(
            self._stub.ListPayments,
            payment_pb2.ListPaymentsRequest(
                reservation_id=reservation_id,
                pagination=types_pb2.Pagination(page_size=PAYMENTS_PER_RESERVATION_MAX),
            ),
            call,
            PAYMENT_SECONDS,
        )
        return [_payment(payment) for payment in answer.payments]


def _payment(message: payment_pb2.Payment) -> PaymentView:
    status = message.status
    return PaymentView(
        id=message.payment_intent_id,
        reservation_id=message.reservation_id,
        user_id=message.user_id,
        amount=wire.plain_money(message.amount),
        is_completed=status == payment_pb2.PAYMENT_STATUS_COMPLETED,
        is_under_way=status in (payment_pb2.PAYMENT_STATUS_PENDING, payment_pb2.PAYMENT_STATUS_PROCESSING),
        is_refunded=status == payment_pb2.PAYMENT_STATUS_REFUNDED,
    )

"""The payment page behind `payment_url`: a reservation, a card, and what became of it (docs/decisions/0013).

It is a client of the rooms like any other. The id in its address is 100 random bits, and all it opens is the
sum, the seats and a form to pay them with; whoever pays somebody else's tickets has made a present.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import grpc
import jinja2

from traffic_tacos import wire
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.payment.model import TEST_CARDS

PATH = "/pay"
STYLE = (files("traffic_tacos.web") / "pay.css").read_bytes()
CARD_FIELDS = ("card_number", "expiry_month", "expiry_year", "cvv", "cardholder_name")
FORM_BYTES_MAX = 8 * 1024
ROOM_SECONDS = 1.0

_TEMPLATE = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(
    (files("traffic_tacos.web") / "pay.html").read_text()
)
_SHOWN: dict[str, Any] = {"amount": "", "seats": (), "problem": "", "key": "", "again": "", "test_cards": ()}
_ENDED = {
    payment_pb2.PAYMENT_STATUS_CANCELLED: "This payment was cancelled. Nothing was charged.",
    payment_pb2.PAYMENT_STATUS_EXPIRED: "This payment has expired. Nothing was charged.",
    payment_pb2.PAYMENT_STATUS_REFUNDED: "This payment was refunded.",
}


class PayPage:
    """`webhook_url` is where the platform hears of payments."""

    def __init__(self, channel: grpc.aio.Channel, webhook_url: str) -> None:
        self._payments = payment_pb2_grpc.PaymentServiceStub(channel)
        self._reservations = reservation_pb2_grpc.ReservationServiceStub(channel)
        self._webhook_url = webhook_url

    async def show(self, thing_id: str, call: Call, problem: str = "") -> str:
        """The page of a payment, or of a reservation that is yet to be paid. `call.trace_id` keys its form."""
        if thing_id.startswith("rsv_"):
            return _reservation_page(await self._reservation(thing_id, call), call, problem)
        payment = await self._payment(thing_id, call)
        reservation = await self._reservation(payment.reservation_id, call)
        return _payment_page(payment, reservation, call, problem)

    async def take(self, thing_id: str, form: bytes, call: Call) -> str:
        """What the form asks for; the id of the payment that it led to."""
        fields = {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}
        key = f"page:{fields.get('key', '')}"
        if thing_id.startswith("rsv_"):
            return await self._intent(await self._reservation(thing_id, call), key, call)
        await self._process(thing_id, fields, key, call)
        return thing_id

    async def _intent(self, reservation: reservation_pb2.Reservation, key: str, call: Call) -> str:
        request = payment_pb2.CreatePaymentIntentRequest(
            reservation_id=reservation.reservation_id,
            amount=reservation.total_amount,
            user_id=reservation.user_id,
            method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
            scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
            webhook_url=self._webhook_url,
            idempotency_key=key,
        )
        asked = self._payments.CreatePaymentIntent(request, timeout=ROOM_SECONDS, metadata=wire.metadata(call))
        return (await wire.answered(asked)).payment_intent_id

    async def _process(self, intent_id: str, fields: Mapping[str, str], key: str, call: Call) -> None:
        card = {name: fields.get(name, "") for name in CARD_FIELDS}
        request = payment_pb2.ProcessPaymentRequest(
            payment_intent_id=intent_id,
            payment_details=payment_pb2.PaymentDetails(credit_card=payment_pb2.CreditCardDetails(**card)),
            idempotency_key=key,
        )
        await wire.answered(self._payments.ProcessPayment(request, timeout=ROOM_SECONDS, metadata=wire.metadata(call)))

    async def _payment(self, intent_id: str, call: Call) -> payment_pb2.Payment:
        request = payment_pb2.GetPaymentStatusRequest(payment_intent_id=intent_id)
        asked = self._payments.GetPaymentStatus(request, timeout=ROOM_SECONDS, metadata=wire.metadata(call))
        return (await wire.answered(asked)).payment

    async def _reservation(self, reservation_id: str, call: Call) -> reservation_pb2.Reservation:
        request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id)
        asked = self._reservations.GetReservation(request, timeout=ROOM_SECONDS, metadata=wire.metadata(call))
        return (await wire.answered(asked)).reservation


def refused_page(refusal: Refusal) -> str:
    """There is nothing to pay here."""
    return _page(state="REFUSED", title="Nothing to pay", says="There is nothing to pay here.", problem=refusal.message)


def _reservation_page(reservation: reservation_pb2.Reservation, call: Call, problem: str) -> str:
    total = wire.plain_money(reservation.total_amount)
    is_held = reservation.status == reservation_pb2.RESERVATION_STATUS_PENDING and bool(total.amount)
    status = reservation_pb2.ReservationStatus.Name(reservation.status).removeprefix("RESERVATION_STATUS_").lower()
    until = datetime.fromtimestamp((wire.instant(reservation, "hold_expires_at") or 0) / SECOND, UTC)
    return _page(
        state="HELD" if is_held else "ENDED",
        title="Your seats",
        amount=total.for_people(),
        says=f"Held for you until {until:%H:%M:%S} UTC." if is_held else f"This reservation is {status}.",
        seats=[seat.id for seat in reservation.seats],
        key=call.trace_id,
        problem=problem,
    )


def _payment_page(
    payment: payment_pb2.Payment, reservation: reservation_pb2.Reservation, call: Call, problem: str
) -> str:
    shown: dict[str, Any] = {"amount": wire.plain_money(payment.amount).for_people(), "title": "Payment"}
    match payment.status:
        case payment_pb2.PAYMENT_STATUS_PENDING:
            cards = [(number, reason.value.replace("_", " ")) for number, reason in TEST_CARDS.items()]
            shown |= {"state": "CARD", "says": "Pay with a test card.", "key": call.trace_id, "test_cards": cards}
        case payment_pb2.PAYMENT_STATUS_PROCESSING:
            shown |= {"state": "PROCESSING", "says": "The bank is being asked …"}
        case payment_pb2.PAYMENT_STATUS_COMPLETED if reservation.order_id:
            seats = [seat.id for seat in reservation.seats]
            shown |= {"state": "ENDED", "says": f"Paid. Your order is {reservation.order_id}.", "seats": seats}
        case payment_pb2.PAYMENT_STATUS_COMPLETED:
            shown |= {"state": "PROCESSING", "says": "Paid. Your seats are being confirmed …"}
        case payment_pb2.PAYMENT_STATUS_FAILED:
            reason = payment.result.failure_reason.replace("_", " ")
            again = f"{PATH}/{payment.reservation_id}"
            shown |= {"state": "ENDED", "says": f"The bank said no: {reason}. Nothing was charged.", "again": again}
        case ended:
            shown |= {"state": "ENDED", "says": _ENDED.get(ended, "")}
    return _page(problem=problem, **shown)


def _page(**shown: Any) -> str:
    return _TEMPLATE.render(**{**_SHOWN, **shown})

"""The payment page behind `payment_url`: a reservation, a card, and what became of it (docs/decisions/0013).

It is a client of the rooms like any other. The id in its address is 100 random bits, and all it opens is the
sum, the seats and a form to pay them with; whoever pays somebody else's tickets has made a present.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import jinja2

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2, catalog_pb2_grpc
from traffic_tacos.kernel import paths
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.cards import TEST_CARDS, Reason
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.upstream import Upstream

STYLE = (files("traffic_tacos.web") / "pay.css").read_bytes()
CARD_FIELDS = {
    "card_number": "Card number",
    "expiry_month": "Month",
    "expiry_year": "Year",
    "cvv": "CVC",
    "cardholder_name": "Name on the card",
}
KEPT_FIELDS = ("card_number", "expiry_month", "expiry_year", "cardholder_name")  # after a mistake; never the CVC
TYPED_LENGTH_MAX = 100
FORM_BYTES_MAX = 8 * 1024
ROOM_SECONDS = 1.0
ASKED_AGAIN_SECONDS = 1  # while the bank is asked
TOLD_AGAIN_SECONDS = 5  # how much time is left, where nothing is being typed

_TEMPLATE = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(
    (files("traffic_tacos.web") / "pay.html").read_text()
)
_SHOWN: dict[str, Any] = dict.fromkeys(
    ("amount", "event", "starts", "left", "problem", "wrong_field", "key", "next", "again", "again_says"), ""
) | {"seats": (), "test_cards": (), "typed": {}, "refresh": 0}
# What has become of it, and what to do next.
_AGAIN = "The seats are on sale again. To try once more, join the queue of the event and reserve again."
_PAYMENT_ENDED = {
    payment_pb2.PAYMENT_STATUS_CANCELLED: "This payment was cancelled. Nothing was charged.",
    payment_pb2.PAYMENT_STATUS_EXPIRED: "This payment has expired. Nothing was charged.",
    payment_pb2.PAYMENT_STATUS_REFUNDED: "This payment was refunded: all of it goes back.",
}
_RESERVATION_ENDED = {
    reservation_pb2.RESERVATION_STATUS_CANCELLED: "This reservation was cancelled.",
    reservation_pb2.RESERVATION_STATUS_EXPIRED: "This reservation has expired: its time to pay is over.",
    reservation_pb2.RESERVATION_STATUS_REFUNDED: "These tickets were given back. What the event promised goes back.",
}


class PayPage:
    """`webhook_url` is where the platform hears of payments."""

    def __init__(self, upstream: Upstream, clock: Clock, webhook_url: str) -> None:
        self._upstream = upstream
        self._payments = payment_pb2_grpc.PaymentServiceStub(upstream.channel)
        self._reservations = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)
        self._catalog = catalog_pb2_grpc.CatalogServiceStub(upstream.channel)
        self._clock = clock
        self._webhook_url = webhook_url

    async def show(self, thing_id: str, call: Call, refusal: Refusal | None = None, form: bytes = b"") -> str:
        """The page of a payment, or of a reservation that is yet to be paid. `call.trace_id` keys its form.

        After a refusal with what was typed, but for the CVC, so that only the mistake must be typed again.
        """
        now = self._clock.now()
        payment = None if thing_id.startswith("rsv_") else await self._payment(thing_id, call)
        reservation = await self._reservation(payment.reservation_id if payment is not None else thing_id, call)
        plan = await self._plan(reservation.event_id, call)
        zone = timezone(timedelta(minutes=plan.utc_offset_minutes if plan is not None else 0))
        if payment is None:
            shown = _reservation_shown(reservation, now, zone)
        else:
            shown = _payment_shown(payment, reservation, now, zone)
        typed = {name: value[:TYPED_LENGTH_MAX] for name, value in _fields(form).items() if name in KEPT_FIELDS}
        about = {} if plan is None else _event_shown(plan.event, zone)
        return _page(key=call.trace_id, typed=typed, **about, **_problem(refusal), **shown)

    async def take(self, thing_id: str, form: bytes, call: Call) -> str:
        """What the form asks for; the id of the payment that it led to, or of the reservation when that is free."""
        fields = _fields(form)
        key = f"page:{fields.get('key', '')}"
        payment = None if thing_id.startswith("rsv_") else await self._payment(thing_id, call)
        if payment is not None and payment.amount.amount:
            await self._process(thing_id, fields, key, call)
            return thing_id
        reservation = await self._reservation(payment.reservation_id if payment is not None else thing_id, call)
        if reservation.total_amount.amount:
            return await self._intent(reservation, key, call)
        await self._confirm(reservation, key, call)
        return reservation.reservation_id

    async def _confirm(self, reservation: reservation_pb2.Reservation, key: str, call: Call) -> None:
        """What costs nothing is had without a payment."""
        request = reservation_pb2.ConfirmReservationRequest(
            reservation_id=reservation.reservation_id, user_id=reservation.user_id, idempotency_key=key
        )
        asked = self._upstream.ask(self._reservations.ConfirmReservation, request, call, ROOM_SECONDS)
        await asked

    async def _plan(self, event_id: str, call: Call) -> catalog_pb2.EventPlan | None:
        """The event, when it can be had: what is paid for does not depend on it."""
        request = catalog_pb2.GetEventRequest(event_id=event_id, without_sections=True)
        asked = self._upstream.ask(self._catalog.GetEvent, request, call, ROOM_SECONDS)
        try:
            return (await asked).plan
        except (Refusal, Fault):
            return None

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
        asked = self._upstream.ask(self._payments.CreatePaymentIntent, request, call, ROOM_SECONDS)
        return (await asked).payment_intent_id

    async def _process(self, intent_id: str, fields: Mapping[str, str], key: str, call: Call) -> None:
        card = {name: fields.get(name, "") for name in CARD_FIELDS}
        request = payment_pb2.ProcessPaymentRequest(
            payment_intent_id=intent_id,
            payment_details=payment_pb2.PaymentDetails(credit_card=payment_pb2.CreditCardDetails(**card)),
            idempotency_key=key,
        )
        await self._upstream.ask(self._payments.ProcessPayment, request, call, ROOM_SECONDS)

    async def _payment(self, intent_id: str, call: Call) -> payment_pb2.Payment:
        request = payment_pb2.GetPaymentStatusRequest(payment_intent_id=intent_id)
        asked = self._upstream.ask(self._payments.GetPaymentStatus, request, call, ROOM_SECONDS)
        return (await asked).payment

    async def _reservation(self, reservation_id: str, call: Call) -> reservation_pb2.Reservation:
        request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id)
        asked = self._upstream.ask(self._reservations.GetReservation, request, call, ROOM_SECONDS)
        return (await asked).reservation


def refused_page(refusal: Refusal) -> str:
    """There is nothing to pay here."""
    return _page(state="REFUSED", title="Nothing to pay", says="There is nothing to pay here.", problem=refusal.message)


def _reservation_shown(reservation: reservation_pb2.Reservation, now: Instant, zone: timezone) -> dict[str, Any]:
    """What a page says of a reservation."""
    total = wire.plain_money(reservation.total_amount)
    shown: dict[str, Any] = {"amount": total.for_people(), "title": "Your seats", "seats": _seats(reservation.seats)}
    if reservation.status == reservation_pb2.RESERVATION_STATUS_PENDING:
        state, says = ("HELD", "Held for you until they are paid.") if total.amount else ("FREE", "Nothing to pay.")
        left = _left(reservation, now, zone)
        return shown | {"state": state, "says": says, "refresh": TOLD_AGAIN_SECONDS, "left": left}
    if reservation.status == reservation_pb2.RESERVATION_STATUS_CONFIRMED:
        return shown | _bought(reservation)
    says = _RESERVATION_ENDED.get(reservation.status, "This reservation has ended.")
    return shown | {"state": "ENDED", "says": says, "next": _AGAIN}


def _payment_shown(
    payment: payment_pb2.Payment, reservation: reservation_pb2.Reservation, now: Instant, zone: timezone
) -> dict[str, Any]:
    """What a page says of a payment; while it can be made, only as long as its reservation can be paid."""
    about = _reservation_shown(reservation, now, zone)
    can_be_paid = reservation.status == reservation_pb2.RESERVATION_STATUS_PENDING
    shown = about | {"title": "Payment", "refresh": 0, "left": ""}
    match payment.status:
        case payment_pb2.PAYMENT_STATUS_PENDING if can_be_paid and payment.amount.amount:
            return shown | _card(reservation, now, zone)
        case payment_pb2.PAYMENT_STATUS_PENDING:
            return about
        case payment_pb2.PAYMENT_STATUS_PROCESSING:
            return shown | {"state": "PROCESSING", "says": "The bank is being asked …", "refresh": ASKED_AGAIN_SECONDS}
        case payment_pb2.PAYMENT_STATUS_COMPLETED if can_be_paid:
            says = "Paid. Your seats are being confirmed …"
            return shown | {"state": "PROCESSING", "says": says, "refresh": ASKED_AGAIN_SECONDS}
        case payment_pb2.PAYMENT_STATUS_COMPLETED if reservation.payment_intent_id != payment.payment_intent_id:
            says = "Paid, but too late for the seats: all of it goes back."
            return shown | {"state": "ENDED", "says": says, "next": _AGAIN}
        case payment_pb2.PAYMENT_STATUS_COMPLETED:
            return shown
        case payment_pb2.PAYMENT_STATUS_FAILED:
            reason = payment.result.failure_reason.replace("_", " ")
            says = f"The bank said no: {reason}. Nothing was charged."
            return shown | {"state": "ENDED", "says": says} | _what_next(reservation, can_be_paid=can_be_paid)
        case ended:
            says = _PAYMENT_ENDED.get(ended, "This payment has ended.")
            return shown | {"state": "ENDED", "says": says} | _what_next(reservation, can_be_paid=can_be_paid)


def _card(reservation: reservation_pb2.Reservation, now: Instant, zone: timezone) -> dict[str, Any]:
    """The form for a card. It goes by itself when the time to pay is over, and not before: somebody is typing."""
    left = _seconds_left(reservation, now)
    cards = [(number, _CARD_SAYS.get(reason, reason.value.replace("_", " "))) for number, reason in TEST_CARDS.items()]
    shown = {"state": "CARD", "says": "Pay with a test card.", "test_cards": cards, "refresh": left + 1}
    return shown | {"left": _left(reservation, now, zone), "next": ""}


def _bought(reservation: reservation_pb2.Reservation) -> dict[str, Any]:
    paid = "Paid. " if reservation.total_amount.amount else ""
    says = f"{paid}Your order is {reservation.order_id}."
    return {"state": "ENDED", "says": says, "next": "The tickets are yours; this page can be closed."}


def _what_next(reservation: reservation_pb2.Reservation, *, can_be_paid: bool) -> dict[str, Any]:
    """After a payment that came to nothing: the seats are still held, bought by another payment, or gone."""
    page = f"{paths.PAY}/{reservation.reservation_id}"
    if can_be_paid:
        return {"again": page, "again_says": "Try another card", "next": "Your seats are still held."}
    is_bought = reservation.status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    ended = "The seats are bought already." if is_bought else _AGAIN
    return {"again": page, "again_says": "See the reservation", "next": ended}


def _left(reservation: reservation_pb2.Reservation, now: Instant, zone: timezone) -> str:
    minutes, seconds = divmod(_seconds_left(reservation, now), 60)
    until = _time(wire.instant(reservation, "hold_expires_at") or now, "%H:%M:%S", zone)
    return f"{minutes}:{seconds:02} minutes left, until {until}."


def _seconds_left(reservation: reservation_pb2.Reservation, now: Instant) -> int:
    return max(0, (wire.instant(reservation, "hold_expires_at") or now) - now) // SECOND


def _event_shown(event: types_pb2.Event, zone: timezone) -> dict[str, Any]:
    starts = wire.instant(event, "start_time")
    venue = [event.venue.name] if event.venue.name else []
    when = [] if starts is None else [_time(starts, "%A %-d %B %Y, %H:%M", zone)]
    return {"event": event.name, "starts": ", ".join([*when, *venue])}


def _seats(seats: Sequence[types_pb2.Seat]) -> list[dict[str, str]]:
    return [
        {
            "id": seat.id,
            "name": f"{seat.section}, row {seat.row}, seat {seat.number}",
            "price": wire.plain_money(seat.price).for_people(),
        }
        for seat in seats
    ]


def _time(at: Instant, form: str, zone: timezone) -> str:
    """A moment as the clocks at the event show it; in UTC when its start time does not say where they stand."""
    return f"{datetime.fromtimestamp(at / SECOND, zone):{form}} {zone}"


def _problem(refusal: Refusal | None) -> dict[str, str]:
    """What is wrong, in the words of the form, and at which of its fields."""
    if refusal is None:
        return {}
    detail = refusal.details[0] if refusal.details else None
    name = detail.field.rpartition(".")[2] if detail is not None else ""
    if detail is None or name not in CARD_FIELDS:
        return {"problem": refusal.message}
    return {"problem": f"{CARD_FIELDS[name]}: {detail.reason}.", "wrong_field": name}


def _fields(form: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}


def _page(**shown: Any) -> str:
    return _TEMPLATE.render(**{**_SHOWN, **shown})


_CARD_SAYS = {Reason.APPROVED: "as the scenario says: approved on this page"}

"""The payment page behind `payment_url`: a reservation, a card, and what became of it (docs/decisions/0013).

It is a client of the rooms like any other. The id in its address is 100 random bits, and all it opens is the
sum, the seats and a form to pay them with; whoever pays somebody else's tickets has made a present.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta, timezone
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import jinja2

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2, reservation_pb2_grpc
from traffic_tacos.gen.tacos.web.v1 import web_pb2, web_pb2_grpc
from traffic_tacos.kernel import paths
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.cards import TEST_CARDS
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.ports.clock import Clock
from traffic_tacos.transport.pay_words import CARD_FIELDS, Words
from traffic_tacos.transport.seat_names import seat_name, several
from traffic_tacos.upstream import Upstream

STYLE = (files("traffic_tacos.web") / "pay.css").read_bytes()
KEPT_FIELDS = ("card_number", "expiry_month", "expiry_year", "cardholder_name")  # after a mistake; never the CVC
TYPED_LENGTH_MAX = 100
FORM_BYTES_MAX = 8 * 1024
ROOM_SECONDS = 1.0
# While the bank is asked. No other page loads itself anew: somebody may be reading it aloud or typing (WCAG 2.2.1).
ASKED_AGAIN_SECONDS = 1

_TEMPLATE = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(
    (files("traffic_tacos.web") / "pay.html").read_text()
)
_SHOWN: dict[str, Any] = dict.fromkeys(
    ("amount", "event", "starts", "left", "until", "problem", "wrong_field", "key", "again", "again_says"), ""
) | {"says": (), "seats": (), "test_cards": (), "typed": {}, "refresh": 0}
_PAID = (payment_pb2.PAYMENT_STATUS_COMPLETED, payment_pb2.PAYMENT_STATUS_REFUNDED)


class PayPage:
    """`webhook_url` is where the platform is notified of payments."""

    def __init__(self, upstream: Upstream, clock: Clock, webhook_url: str) -> None:
        self._upstream = upstream
        self._payments = payment_pb2_grpc.PaymentServiceStub(upstream.channel)
        self._reservations = reservation_pb2_grpc.ReservationServiceStub(upstream.channel)
        self._sales = web_pb2_grpc.SaleServiceStub(upstream.channel)
        self._clock = clock
        self._webhook_url = webhook_url

    async def show(self, thing_id: str, call: Call, t: Words, refusal: Refusal | None = None, form: bytes = b"") -> str:
        """The page of a payment, or of a reservation that is yet to be paid. `call.trace_id` keys its form.

        After a refusal with what was typed, but for the CVC, so that only the mistake must be typed again.
        """
        now = self._clock.now()
        payment = None if thing_id.startswith("rsv_") else await self._payment(thing_id, call)
        reservation = await self._reservation(payment.reservation_id if payment is not None else thing_id, call)
        sale = await self._sale(reservation.event_id, call)
        zone = timezone(timedelta(minutes=sale.utc_offset_minutes))
        page = _Shown(t, reservation, sale, now, zone)
        shown = page.of_reservation() if payment is None else page.of_payment(payment)
        typed = {name: value[:TYPED_LENGTH_MAX] for name, value in _fields(form).items() if name in KEPT_FIELDS}
        about = _event_shown(t, sale.event, zone)
        problem, wrong_field = ("", "") if refusal is None else t.wrong(refusal)
        return _page(t, key=call.trace_id, typed=typed, problem=problem, wrong_field=wrong_field, **about, **shown)

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

    async def _sale(self, event_id: str, call: Call) -> web_pb2.Sale:
        """The event, or an empty one where it cannot be had: what is paid for does not depend on it."""
        request = web_pb2.GetSaleRequest(event_id=event_id)
        asked = self._upstream.ask(self._sales.GetSale, request, call, ROOM_SECONDS)
        try:
            return (await asked).sale
        except (Refusal, Fault):
            return web_pb2.Sale()

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


def refused_page(t: Words, refusal: Refusal) -> str:
    """There is nothing to pay here."""
    why = t("pay_nowhere") if refusal.code in (Code.NOT_FOUND, Code.INVALID_ARGUMENT) else t.why(refusal)
    return _page(t, state="REFUSED", title=t("nothing_to_pay"), problem=why)


class _Shown:
    """What a page says of a reservation, and of a payment for it."""

    def __init__(
        self, t: Words, reservation: reservation_pb2.Reservation, sale: web_pb2.Sale, now: Instant, zone: timezone
    ) -> None:
        self._t = t
        self._reservation = reservation
        self._sale = sale
        self._page = f"{paths.PAY}/{reservation.reservation_id}{language_query(t)}"
        self._amount = t.money(wire.plain_money(reservation.total_amount))
        deadline = wire.instant(reservation, "hold_expires_at") or now
        self._seconds_left = max(0, deadline - now) // SECOND
        self._until = t.clock(deadline, zone)

    def of_reservation(self) -> dict[str, Any]:
        t, reservation = self._t, self._reservation
        if reservation.status == reservation_pb2.RESERVATION_STATUS_PENDING:
            shown = self._shown("HELD", t("held_title")) | self._left()
            if reservation.total_amount.amount:
                return shown
            return shown | {"state": "FREE", "says": (t("nothing_to_pay"),)}
        if reservation.status == reservation_pb2.RESERVATION_STATUS_CONFIRMED:
            return self._shown("ENDED", t("bought_title"), t("pay_order", order=reservation.order_id))
        return self._ended(None)

    def of_payment(self, payment: payment_pb2.Payment) -> dict[str, Any]:
        """While it can be made, only as long as its reservation can be paid."""
        match payment.status:
            case payment_pb2.PAYMENT_STATUS_PENDING:
                is_card = self._is(reservation_pb2.RESERVATION_STATUS_PENDING) and payment.amount.amount
                return self._card() if is_card else self.of_reservation()
            case payment_pb2.PAYMENT_STATUS_PROCESSING:
                return self._asking(self._t("asking_says"))
            case payment_pb2.PAYMENT_STATUS_COMPLETED if self._is(reservation_pb2.RESERVATION_STATUS_PENDING):
                return self._asking(self._t("pay_confirming"))
        if self._is(reservation_pb2.RESERVATION_STATUS_PENDING):
            return self._to_be_tried_again(payment)
        if self._is(reservation_pb2.RESERVATION_STATUS_CONFIRMED):
            is_ours = self._reservation.payment_intent_id == payment.payment_intent_id
            return self.of_reservation() if is_ours else self._bought_otherwise(payment)
        return self._ended(payment)

    def _is(self, status: reservation_pb2.ReservationStatus) -> bool:
        return self._reservation.status == status

    def _shown(self, state: str, title: str, *says: str, refresh: int = 0) -> dict[str, Any]:
        shown = {"state": state, "title": title, "says": says, "refresh": refresh}
        return shown | {"amount": self._amount, "seats": self._seats()}

    def _seats(self) -> list[dict[str, str]]:
        """One line for each seat; places to stand, which are alike, have one together."""
        seats = self._reservation.seats
        lines = Counter((seat_name(self._t, seat, self._sale), wire.plain_money(seat.price)) for seat in seats)
        return [
            {
                "name": several(name, count),
                "price": self._t.money(Money(price.amount * count, price.currency)),
            }
            for (name, price), count in lines.items()
        ]

    def _left(self) -> dict[str, Any]:
        minutes, seconds = divmod(self._seconds_left, 60)
        return {"left": f"{minutes}:{seconds:02}", "until": self._until}

    def _card(self) -> dict[str, Any]:
        cards = [(number, self._t.of_card(reason.value)) for number, reason in TEST_CARDS.items()]
        shown = self._shown("CARD", self._t("held_title"))
        return shown | self._left() | {"test_cards": cards}

    def _asking(self, says: str) -> dict[str, Any]:
        return self._shown("PROCESSING", self._t("asking_title"), says, refresh=ASKED_AGAIN_SECONDS)

    def _to_be_tried_again(self, payment: payment_pb2.Payment) -> dict[str, Any]:
        """A payment that came to nothing, and seats that are still held."""
        t = self._t
        again = {"again": self._page, "again_says": t("pay_other_card")}
        if payment.status == payment_pb2.PAYMENT_STATUS_FAILED:
            said, held = self._bank_said(payment), t("pay_still_held")
            return self._shown("ENDED", t("declined_title"), said, held) | again
        charged = t("pay_goes_back" if payment.status in _PAID else "pay_still_held")
        return self._shown("ENDED", t("pay_ended"), charged) | again

    def _bought_otherwise(self, payment: payment_pb2.Payment) -> dict[str, Any]:
        t = self._t
        charged = t("pay_goes_back" if payment.status in _PAID else "pay_not_charged")
        again = {"again": self._page, "again_says": t("your_seats")}
        return self._shown("ENDED", t("pay_bought_already"), charged) | again

    def _ended(self, payment: payment_pb2.Payment | None) -> dict[str, Any]:
        """The seats are gone: what happened to the money, and where to go from here."""
        t = self._t
        again = {"again": f"/e/{self._reservation.event_id}", "again_says": t("join_again")}
        if self._is(reservation_pb2.RESERVATION_STATUS_REFUNDED):
            return self._shown("ENDED", t("refunded_title"), t("refunded_says")) | again
        if payment is not None and payment.status in _PAID:
            return self._shown("ENDED", t("late_title"), t("late_says")) | again
        if payment is not None and payment.status == payment_pb2.PAYMENT_STATUS_FAILED:
            return self._shown("ENDED", t("declined_title"), self._bank_said(payment), t("declined_says")) | again
        if self._is(reservation_pb2.RESERVATION_STATUS_EXPIRED):
            return self._shown("ENDED", t("expired_title"), t("expired_says")) | again
        return self._shown("ENDED", t("pay_cancelled"), t("released_says")) | again

    def _bank_said(self, payment: payment_pb2.Payment) -> str:
        return self._t("bank_said", reason=self._t.of_card(payment.result.failure_reason))


def language_query(t: Words) -> str:
    """What leads to the next page in the language of this one; "" where the browser asks for it anyway."""
    return f"?lang={t.language}" if t.is_chosen else ""


def _event_shown(t: Words, event: types_pb2.Event, zone: timezone) -> dict[str, Any]:
    starts = wire.instant(event, "start_time")
    venue = [event.venue.name] if event.venue.name else []
    when = [] if starts is None else [t.when(starts, zone)]
    return {"event": event.name, "starts": ", ".join([*when, *venue])}


def _fields(form: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}


def _page(t: Words, **shown: Any) -> str:
    return _TEMPLATE.render({**_SHOWN, "t": t, **shown})

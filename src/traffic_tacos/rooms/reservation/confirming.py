"""Confirming a reservation, and undoing that: seats, order, admission and jobs in one commit each, and repeatable.

Who confirms looks at the payment first, and it may be given back by hand at the same moment. Whoever decides on the
reservation second sees what the first has written: so the order is undone, or the payment can buy nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.payment_results import NOTHING_BESIDE, Beside
from traffic_tacos.ports.payments import payment_job_id
from traffic_tacos.ports.seats import Freeing, Rule, Seats
from traffic_tacos.ports.store import Decision, Reads, Store, View, Write, drop_job, put
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import PaymentClient, PaymentView
from traffic_tacos.rooms.reservation.model import Reservation
from traffic_tacos.rooms.reservation.records import (
    ORDER,
    expiry_job_id,
    finishing_job,
    refund_jobs,
    reservation_key,
    step_reads,
    taken_by,
    transition,
)

# The last one: its user has bought as many seats of the event meanwhile as one person may have.
SEATS_GONE = frozenset(
    {
        Code.INVENTORY_CONFLICT,
        Code.RESERVATION_EXPIRED,
        Code.NOT_FOUND,
        Code.INSUFFICIENT_INVENTORY,
        Code.QUOTA_EXCEEDED,
    }
)


class RefundOwed(Refusal):
    """The payment can have no order any more. Its refund became a job in the commit that decided so: final."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(code, message, is_final=True)


class Bought(NamedTuple):
    """A reservation with its order, and the reply of what was committed beside."""

    reservation: Reservation
    beside: object


class Confirming:
    def __init__(self, store: Store, clock: Clock, seats: Callable[[], Seats], payments: PaymentClient) -> None:
        self._store = store
        self._clock = clock
        self._seats = seats
        self._payments = payments

    async def confirm(
        self,
        reservation: Reservation,
        payment_intent_id: str,
        call: Call,
        known: PaymentView | None = None,
        beside: Beside[Any] = NOTHING_BESIDE,
    ) -> Bought:
        """The reservation with its order. `known` is the payment, when the caller has just looked at it.

        PAYMENT_NOT_APPROVED when the payment is not this reservation's, not of its amount or not completed;
        RefundOwed when the reservation has ended or its seats are gone.
        """
        if reservation.total.amount or payment_intent_id:
            payment = known or await self._payments.show(_required(payment_intent_id), call)
            _check_approved(reservation, payment)
        return await self._bought(reservation, payment_intent_id, call, beside)

    async def _bought(
        self, reservation: Reservation, payment_intent_id: str, call: Call, beside: Beside[Any] = NOTHING_BESIDE
    ) -> Bought:
        """The reservation with its order, for a payment that is good; RefundOwed when it can have none."""
        now = self._clock.now()

        async def commit(reads: Reads, sell: Rule[None]) -> Bought | Refusal:
            def rule(view: View) -> Decision[Bought | Refusal]:
                noted = beside.rule(view)
                before = view.get(reservation_key(reservation.id)) or reservation
                superseded = _superseded(before, payment_intent_id)
                try:
                    after = model.confirmed(before, payment_intent_id, now)
                except Refusal as refusal:
                    refund = refund_jobs(before.id, payment_intent_id, now, before.owed_back(payment_intent_id))
                    return Decision(RefundOwed(refusal.code, refusal.message), jobs=refund)
                bought = Bought(after, noted.reply)
                if after is before:
                    return Decision(bought).beside(noted)
                try:
                    sold = sell(view)
                except Refusal as refusal:
                    if refusal.code not in SEATS_GONE:
                        raise
                    says = "reservation_id: the seats are gone; the payment is being refunded"
                    owed, after = RefundOwed(Code.INVENTORY_CONFLICT, says), model.lost(before, payment_intent_id, now)
                    refund = refund_jobs(after.id, payment_intent_id, now)
                    return transition(view, before, after, owed, writes=superseded, jobs=refund, tidy_at=now)
                order = put(ORDER.key(after.order_id), model.order_of(after))
                dropped = (drop_job(expiry_job_id(after.id)), *superseded)
                return transition(view, before, after, bought, writes=(order, *dropped)).beside(sold).beside(noted)

            return await self._store.transact((*step_reads(reservation), *reads, *beside.reads), rule)

        answer: Bought | Refusal = await self._seats().sell(taken_by(reservation), payment_intent_id, call, commit)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def undo(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Reservation:
        """All the money went back, by whoever's hand: what it bought goes back too, and it buys nothing any more.

        A confirmation that version 0.1.0 has begun is completed first, so that there is one way to give seats back.
        """
        if model.is_confirming(reservation, payment_intent_id):
            reservation = (await self._bought(reservation, payment_intent_id, call)).reservation
        now = self._clock.now()

        async def commit(reads: Reads, let_go: Freeing) -> Reservation:
            def rule(view: View) -> Decision[Reservation]:
                before = view.get(reservation_key(reservation.id)) or reservation
                after = model.refunded_by_hand(before, payment_intent_id, now)
                decision = transition(view, before, after, after)
                return (
                    decision.beside(let_go(view, (payment_intent_id,)))
                    if after.status is ReservationStatus.REFUNDED
                    else decision
                )

            return await self._store.transact((*step_reads(reservation), *reads), rule)

        after: Reservation = await self._seats().let_go(taken_by(reservation), call, commit)
        return after


def _superseded(before: Reservation, payment_intent_id: str) -> tuple[Write, ...]:
    """The end of the job that would do the same; there is none for what is free of charge, but from version 0.1.0."""
    if payment_intent_id:
        return (drop_job(payment_job_id(payment_intent_id)),)
    return (drop_job(finishing_job(before.id, "", 0).id),) if before.confirming else ()


def _required(payment_intent_id: str) -> str:
    if not payment_intent_id:
        raise Refusal.of_field("payment_intent_id", "is required")
    return payment_intent_id


def _check_approved(reservation: Reservation, payment: PaymentView) -> None:
    """PAYMENT_NOT_APPROVED unless the payment pays for this reservation."""
    if payment.reservation_id != reservation.id or payment.user_id != reservation.user_id:
        raise Refusal(Code.PAYMENT_NOT_APPROVED, "payment_intent_id: is not a payment of this reservation")
    if payment.amount != reservation.total:
        raise Refusal(Code.PAYMENT_NOT_APPROVED, f"payment_intent_id: must be of {reservation.total}")
    already = reservation.status is ReservationStatus.CONFIRMED and reservation.payment_intent_id == payment.id
    if not payment.is_completed and not already:
        raise Refusal(Code.PAYMENT_NOT_APPROVED, "payment_intent_id: is not completed")

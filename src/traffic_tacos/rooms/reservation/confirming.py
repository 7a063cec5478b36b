"""Confirming a reservation: three steps over two rooms, each repeatable, with a job that finishes what a crash cut off.

1. write down that it is under way, together with the job;
2. sell the seats (after the deadline: only if the very same seats can be held once more);
3. write the order and take the job away; or, when the seats are gone, leave the refund as a job.
"""

from __future__ import annotations

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import MINUTE, SECOND
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Store, View, drop_job, put
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import InventoryClient, PaymentClient, PaymentView
from traffic_tacos.rooms.reservation.model import Reservation
from traffic_tacos.rooms.reservation.records import (
    ORDER,
    cleanup_job,
    expiry_job_id,
    finishing_job,
    refund_jobs,
    reservation_key,
    step_reads,
    transition,
)

FINISHED_AFTER = 5 * SECOND
HELD_AGAIN = MINUTE
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


class Confirming:
    def __init__(self, store: Store, clock: Clock, inventory: InventoryClient, payments: PaymentClient) -> None:
        self._store = store
        self._clock = clock
        self._inventory = inventory
        self._payments = payments

    async def confirm(
        self, reservation: Reservation, payment_intent_id: str, call: Call, known: PaymentView | None = None
    ) -> Reservation:
        """The reservation with its order. `known` is the payment, when the caller has just looked at it.

        PAYMENT_NOT_APPROVED when the payment is not this reservation's, not of its amount or not completed;
        RefundOwed when the reservation has ended or its seats are gone.
        """
        if reservation.total.amount or payment_intent_id:
            payment = known or await self._payments.show(_required(payment_intent_id), call)
            _check_approved(reservation, payment)
        under_way = await self._begin(reservation, payment_intent_id)
        if under_way.status is ReservationStatus.CONFIRMED:
            return under_way
        if payment_intent_id and not (await self._payments.show(payment_intent_id, call)).is_completed:
            # It was refunded by hand in between. Others may be completing this confirmation: there is no way back
            # from it but through its end.
            await self.undo(under_way, payment_intent_id, call)
            raise Refusal(Code.PAYMENT_NOT_APPROVED, "payment_intent_id: was refunded")
        return await self._complete(under_way, payment_intent_id, call)

    async def undo(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Reservation | None:
        """All the money went back, by whoever's hand: what it bought goes back too. None when it bought nothing.

        A confirmation under way is completed first, so that there is one way to give seats back.
        """
        if model.is_confirming(reservation, payment_intent_id):
            reservation = await self._complete(reservation, payment_intent_id, call)
        if reservation.status is not ReservationStatus.CONFIRMED or reservation.payment_intent_id != payment_intent_id:
            return None
        now = self._clock.now()

        def decide(view: View) -> Decision[Reservation]:
            before = view.get(reservation_key(reservation.id)) or reservation
            after = model.refunded_by_hand(before, now)
            return transition(view, before, after, after, tidy_at=now)

        return await self._store.transact(step_reads(reservation), decide)

    async def _begin(self, reservation: Reservation, payment_intent_id: str) -> Reservation:
        """Write down that the confirmation is under way, with the job that will finish it.

        When the reservation can have no order under this payment, the refund becomes due in the same
        commit, and the refusal is raised.
        """
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[Reservation | Refusal]:
            before = view.get(key) or reservation
            try:
                after = model.begin_confirmation(before, payment_intent_id, now)
            except Refusal as refusal:
                owed = RefundOwed(refusal.code, refusal.message)
                refund = refund_jobs(reservation.id, payment_intent_id, now, before.owed_back(payment_intent_id))
                return Decision(owed, jobs=refund)
            if after == before:
                return Decision(after)
            finishing = finishing_job(after.id, payment_intent_id, now + FINISHED_AFTER)
            return Decision(after, (put(key, after),), (finishing,))

        answer = await self._store.transact((key,), decide)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def _complete(self, under_way: Reservation, payment_intent_id: str, call: Call) -> Reservation:
        """Sell and write the order of a confirmation that was begun; RefundOwed when the seats are gone."""
        try:
            order_id = await self._sell(under_way, payment_intent_id, call)
        except Refusal as refusal:
            if refusal.code not in SEATS_GONE:
                raise
            await self._lose(under_way, payment_intent_id)
            raise RefundOwed(
                Code.INVENTORY_CONFLICT, "reservation_id: the seats are gone; the payment is being refunded"
            ) from None
        return await self._finish(under_way, payment_intent_id, order_id)

    async def _sell(self, reservation: Reservation, payment_intent_id: str, call: Call) -> str:
        """Sell the seats; past the deadline, hold the very same seats once more and sell those."""
        try:
            return await self._inventory.sell(reservation, payment_intent_id, call)
        except Refusal as refusal:
            if refusal.code not in SEATS_GONE:
                raise
        deadline = self._clock.now() + HELD_AGAIN
        try:
            await self._inventory.hold(
                reservation.id,
                reservation.event_id,
                reservation.user_id,
                tuple(seat.id for seat in reservation.seats),
                len(reservation.seats),
                deadline,
                call,
            )
        except Refusal as refusal:
            if refusal.code is not Code.FAILED_PRECONDITION:  # which says that they are sold to it already
                raise
        return await self._inventory.sell(reservation, payment_intent_id, call)

    async def _finish(self, reservation: Reservation, payment_intent_id: str, order_id: str) -> Reservation:
        """The order. RefundOwed when somebody else has ended this confirmation meanwhile: then its seats go back."""
        now = self._clock.now()

        def decide(view: View) -> Decision[Reservation]:
            before = view.get(reservation_key(reservation.id)) or reservation
            after = model.confirmed(before, payment_intent_id, order_id, now)
            if after.status is not ReservationStatus.CONFIRMED:
                return Decision(after, jobs=(cleanup_job(after, now),))
            order = put(ORDER.key(order_id), model.order_of(after))
            dropped = (drop_job(expiry_job_id(after.id)), drop_job(finishing_job(after.id, payment_intent_id, now).id))
            return transition(view, before, after, after, writes=(order, *dropped))

        finished = await self._store.transact(step_reads(reservation), decide)
        if finished.status is not ReservationStatus.CONFIRMED:
            raise RefundOwed(Code.INVENTORY_CONFLICT, "reservation_id: has ended; the payment is being refunded")
        return finished

    async def _lose(self, reservation: Reservation, payment_intent_id: str) -> None:
        """The seats are gone: the reservation has expired and its payment is owed back, in one commit."""
        now = self._clock.now()

        def decide(view: View) -> Decision[None]:
            before = view.get(reservation_key(reservation.id)) or reservation
            after = model.lost(before, payment_intent_id, now)
            dropped = (drop_job(finishing_job(after.id, payment_intent_id, now).id),)
            refund = refund_jobs(after.id, payment_intent_id, now)
            return transition(view, before, after, None, writes=dropped, jobs=refund, tidy_at=now)

        await self._store.transact(step_reads(reservation), decide)


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

"""What ends a reservation: confirmation, expiry, and what its payment says. Every step may be repeated.

Confirming is three steps over two rooms, each repeatable, with a job that finishes what a crash cut off:
1. write down that it is under way, together with the job;
2. sell the seats (after the deadline: only if the very same seats can be held once more);
3. write the order and take the job away; or, when the seats are gone, leave the refund as a job.
"""

from __future__ import annotations

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.ids import derived_id
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.kernel.topics import SETTLE_PAYMENT_RESULT
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Job, Store, View, drop_job, put
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import InventoryClient, PaymentClient, PaymentView
from traffic_tacos.rooms.reservation.model import FREE_OF_CHARGE, Reservation, Status
from traffic_tacos.rooms.reservation.records import (
    ORDER,
    about,
    admission_key,
    changed,
    cleanup_job,
    expiry_job_id,
    refund_jobs,
    reservation_key,
    step_writes,
)

FINISHED_AFTER = 5 * SECOND
SEATS_GONE = frozenset({Code.INVENTORY_CONFLICT, Code.RESERVATION_EXPIRED, Code.NOT_FOUND, Code.INSUFFICIENT_INVENTORY})


class RefundOwed(Refusal):
    """The payment can have no order any more. Its refund became a job in the commit that decided so: final."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(code, message, is_final=True)


class NotYet(Fault):
    """The deadline has not come, or another payment is being confirmed: ask again."""


class Ended(msgspec.Struct, frozen=True):
    """What a step led to; `changed` is False when there was nothing to do."""

    reservation: Reservation
    changed: bool
    released: tuple[Seat, ...] = ()


class Lifecycle:
    def __init__(self, store: Store, clock: Clock, inventory: InventoryClient, payments: PaymentClient) -> None:
        self._store = store
        self._clock = clock
        self._inventory = inventory
        self._payments = payments

    async def confirm(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Reservation:
        """The reservation with its order.

        PAYMENT_NOT_APPROVED when the payment is not this reservation's, not of its amount or not completed;
        RefundOwed when the reservation has ended or its seats are gone.
        """
        if reservation.total.amount or payment_intent_id:
            await self._check_payment(reservation, payment_intent_id, call)
        under_way = await self._begin(reservation, payment_intent_id)
        if under_way.status is Status.CONFIRMED:
            return under_way
        if payment_intent_id and not (await self._payments.show(payment_intent_id, call)).is_completed:
            # It was refunded by hand in between. Others may be completing this confirmation: there is no way back
            # from it but through its end.
            await self._settle_refunded(under_way, payment_intent_id, call)
            raise Refusal(Code.PAYMENT_NOT_APPROVED, "payment_intent_id: was refunded")
        return await self._complete(under_way, payment_intent_id, call)

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

    async def expire(self, reservation_id: str, call: Call) -> Ended:
        """End a reservation past its deadline; tidy up behind one that has ended.

        A payment under way is cancelled first; if that finds it completed, the reservation is confirmed.
        Raises NotYet before the deadline.
        """
        reservation = await self._get(reservation_id)
        now = self._clock.now()
        if reservation.confirming or reservation.status is Status.CONFIRMED:
            return Ended(reservation, changed=False)
        if reservation.status is Status.REFUNDED:
            returned = await self._inventory.give_back(reservation.id, reservation.event_id, call)
            return Ended(reservation, bool(returned), returned)
        if reservation.status is Status.PENDING and now < reservation.hold_expires_at:
            raise NotYet(f"the hold ends at {reservation.hold_expires_at}")
        completed = await self._stop_payments(reservation, call)
        if completed is not None:
            ended = await self.settle(reservation_id, completed.id, call)
            reservation = ended.reservation
            if reservation.confirming or reservation.status is Status.CONFIRMED:
                return ended
        after, was_changed = await self._expire(reservation)
        if after.confirming or after.status is Status.CONFIRMED:
            return Ended(after, changed=False)
        released = await self._release(after, call)
        return Ended(after, was_changed or bool(released), released)

    async def settle(self, reservation_id: str, payment_intent_id: str, call: Call) -> Ended:
        """Do what the payment's own status asks for: confirm, cancel, or nothing."""
        reservation = await self._get(reservation_id)
        if not payment_intent_id and reservation.confirming == FREE_OF_CHARGE:
            return await self._settle_completed(reservation, "", call)
        payment = await self._payments.show(payment_intent_id, call)
        if payment.reservation_id != reservation_id:
            raise Refusal.of_field("payment_intent_id", "must be a payment of this reservation", payment_intent_id)
        if payment.is_completed:
            return await self._settle_completed(reservation, payment_intent_id, call)
        if payment.is_refunded:
            return await self._settle_refunded(reservation, payment_intent_id, call)
        if payment.is_under_way or reservation.status is not Status.PENDING:
            return Ended(reservation, changed=False)
        others = await self._payments.of_reservation(reservation_id, call)
        if any(other.is_completed or other.is_under_way for other in others):
            return Ended(reservation, changed=False)
        return await self._cancel(reservation, call)

    async def _settle_completed(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Ended:
        """Money was taken: it becomes an order, or it goes back."""
        try:
            after = await self.confirm(reservation, payment_intent_id, call)
        except RefundOwed:
            return Ended(await self._get(reservation.id), changed=True)
        except Refusal as refusal:
            if refusal.code is not Code.PAYMENT_NOT_APPROVED:
                raise
            refund = refund_jobs(reservation.id, payment_intent_id, self._clock.now())
            await self._store.transact((), lambda _: Decision(None, jobs=refund))
            return Ended(reservation, changed=True)
        return Ended(after, changed=after != reservation)

    async def _settle_refunded(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Ended:
        """All the money went back, by whoever's hand: what it bought goes back too.

        A confirmation under way is completed first, so that there is one way to give seats back.
        """
        if reservation.confirming == payment_intent_id:
            try:
                reservation = await self._complete(reservation, payment_intent_id, call)
            except RefundOwed:
                return Ended(await self._get(reservation.id), changed=True)
        if reservation.status is not Status.CONFIRMED or reservation.payment_intent_id != payment_intent_id:
            return Ended(reservation, changed=False)
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[Reservation]:
            before = view.get(key) or reservation
            if before.status is not Status.CONFIRMED:
                return Decision(before)
            after = model.refunded(before, before.total.amount, now)
            jobs = (cleanup_job(after, now),)
            return Decision(after, step_writes(view, after), jobs, (changed(after, before),))

        after = await self._store.transact((key, admission_key(reservation)), decide)
        returned = await self._inventory.give_back(after.id, after.event_id, call)
        return Ended(after, changed=True, released=returned)

    async def _check_payment(self, reservation: Reservation, payment_intent_id: str, call: Call) -> None:
        if not payment_intent_id:
            raise Refusal.of_field("payment_intent_id", "is required")
        payment = await self._payments.show(payment_intent_id, call)
        if payment.reservation_id != reservation.id or payment.user_id != reservation.user_id:
            raise Refusal(Code.PAYMENT_NOT_APPROVED, "payment_intent_id: is not a payment of this reservation")
        if payment.amount != reservation.total:
            raise Refusal(Code.PAYMENT_NOT_APPROVED, f"payment_intent_id: must be of {reservation.total}")
        already = reservation.status is Status.CONFIRMED and reservation.payment_intent_id == payment.id
        if not payment.is_completed and not already:
            raise Refusal(Code.PAYMENT_NOT_APPROVED, "payment_intent_id: is not completed")

    async def _begin(self, reservation: Reservation, payment_intent_id: str) -> Reservation:
        """Write down that the confirmation is under way, with the job that will finish it.

        When the reservation can have no order under this payment, the refund becomes due in the same
        commit, and the refusal is raised.
        """
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[Reservation | Refusal]:
            before = view.get(key) or reservation
            if before.confirming not in ("", payment_intent_id or FREE_OF_CHARGE):
                raise NotYet("another payment of this reservation is being confirmed")
            try:
                after = model.begin_confirmation(before, payment_intent_id, now)
            except Refusal as refusal:
                owed = RefundOwed(refusal.code, refusal.message)
                refund = refund_jobs(reservation.id, payment_intent_id, now, before.owed_back(payment_intent_id))
                return Decision(owed, jobs=refund)
            if after == before:
                return Decision(after)
            return Decision(after, (put(key, after),), (finishing_job(after, payment_intent_id, now + FINISHED_AFTER),))

        answer = await self._store.transact((key,), decide)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def _sell(self, reservation: Reservation, payment_intent_id: str, call: Call) -> str:
        """Sell the seats; past the deadline, hold the very same seats once more and sell those."""
        name = f"{reservation.id}:{payment_intent_id}"
        try:
            return await self._inventory.commit(reservation, payment_intent_id, f"commit:{name}", call)
        except Refusal as refusal:
            if refusal.code not in SEATS_GONE:
                raise
        deadline = (self._clock.now() // MINUTE + 2) * MINUTE  # the same for a retry soon after, hence the keys too
        try:
            await self._inventory.reserve(
                reservation.id,
                reservation.event_id,
                reservation.user_id,
                tuple(seat.id for seat in reservation.seats),
                len(reservation.seats),
                deadline,
                f"reacquire:{name}:{deadline}",
                call,
            )
        except Refusal as refusal:
            if refusal.code is not Code.FAILED_PRECONDITION:  # which says that they are sold to it already
                raise
        return await self._inventory.commit(reservation, payment_intent_id, f"recommit:{name}:{deadline}", call)

    async def _finish(self, reservation: Reservation, payment_intent_id: str, order_id: str) -> Reservation:
        """The order. RefundOwed when somebody else has ended this confirmation meanwhile: then its seats go back."""
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[Reservation | None]:
            before = view.get(key) or reservation
            if before.status is Status.CONFIRMED:
                return Decision(before)
            if before.confirming != (payment_intent_id or FREE_OF_CHARGE):
                return Decision(None, jobs=(cleanup_job(before, now),))
            after, order = model.confirmed(before, payment_intent_id, order_id, now)
            writes = [
                *step_writes(view, after),
                put(ORDER.key(order.id), order),
                drop_job(expiry_job_id(after.id)),
                drop_job(finishing_job(after, payment_intent_id, now).id),
            ]
            return Decision(after, writes, events=(changed(after, before),))

        finished = await self._store.transact((key, admission_key(reservation)), decide)
        if finished is None:
            raise RefundOwed(Code.INVENTORY_CONFLICT, "reservation_id: has ended; the payment is being refunded")
        return finished

    async def _lose(self, reservation: Reservation, payment_intent_id: str) -> None:
        """The seats are gone: the reservation has expired and its payment is owed back, in one commit."""
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[None]:
            before = view.get(key) or reservation
            if before.confirming != (payment_intent_id or FREE_OF_CHARGE):
                return Decision(None)
            after = model.lost(before, payment_intent_id, now)
            writes = [
                *step_writes(view, after),
                drop_job(finishing_job(after, payment_intent_id, now).id),
            ]
            jobs = (*refund_jobs(after.id, payment_intent_id, now), cleanup_job(after, now))
            return Decision(None, writes, jobs, (changed(after, before),))

        await self._store.transact((key, admission_key(reservation)), decide)

    async def _stop_payments(self, reservation: Reservation, call: Call) -> PaymentView | None:
        """Cancel what is under way; the payment that had completed before it could be, if there is one."""
        for payment in await self._payments.of_reservation(reservation.id, call):
            if payment.is_completed and payment.id not in reservation.refunds:
                return payment
            if payment.is_under_way:
                try:
                    await self._payments.cancel_only(payment, f"end:{reservation.id}:{payment.id}", call)
                except Refusal as refusal:
                    if refusal.code is not Code.FAILED_PRECONDITION:
                        raise
                    again = await self._payments.show(payment.id, call)
                    if again.is_completed:
                        return again
        return None

    async def _expire(self, reservation: Reservation) -> tuple[Reservation, bool]:
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[tuple[Reservation, bool]]:
            before = view.get(key) or reservation
            after = model.expired(before, now)
            if after is None:
                return Decision((before, False))
            return Decision((after, True), step_writes(view, after), events=(changed(after, before),))

        return await self._store.transact((key, admission_key(reservation)), decide)

    async def _cancel(self, reservation: Reservation, call: Call) -> Ended:
        """The payment failed and no other is under way."""
        now = self._clock.now()
        key = reservation_key(reservation.id)

        def decide(view: View) -> Decision[Reservation | None]:
            before = view.get(key) or reservation
            if before.status is not Status.PENDING or before.confirming or now >= before.hold_expires_at:
                return Decision(None)
            after = model.cancelled(before, now)
            jobs = (cleanup_job(after, now + FINISHED_AFTER),)
            return Decision(after, step_writes(view, after), jobs, (changed(after, before),))

        after = await self._store.transact((key, admission_key(reservation)), decide)
        if after is None:
            return Ended(reservation, changed=False)
        return Ended(after, changed=True, released=await self._release(after, call))

    async def _release(self, reservation: Reservation, call: Call) -> tuple[Seat, ...]:
        """Free what a reservation without an order holds, or was sold by a confirmation that came to nothing.

        A payment in `refunds` can confirm nothing any more, so what was sold under it is nobody's. What is sold
        under any other payment may be about to become an order.
        """
        try:
            return await self._inventory.release(
                reservation.id, reservation.event_id, reservation.status.name, f"release:{reservation.id}", call
            )
        except Refusal as refusal:
            if refusal.code is not Code.FAILED_PRECONDITION or not reservation.refunds:
                return ()  # it holds nothing, or it owns what it held
        try:
            return await self._inventory.give_back(reservation.id, reservation.event_id, call, reservation.refunds)
        except Refusal:
            return ()

    async def _get(self, reservation_id: str) -> Reservation:
        reservation = await self._store.get(reservation_key(reservation_id))
        if reservation is None:
            raise unknown(reservation_id)
        return reservation


def unknown(reservation_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"reservation_id: there is no reservation {reservation_id}")


def finishing_job(reservation: Reservation, payment_intent_id: str, due_at: Instant) -> Job:
    """The job that finishes a confirmation which a crash cut off."""
    name = derived_id("confirm", reservation.id, payment_intent_id)
    payload = about(reservation.id, payment_intent_id)
    return Job(f"{SETTLE_PAYMENT_RESULT}:{name}", SETTLE_PAYMENT_RESULT, due_at, payload, group=reservation.id)

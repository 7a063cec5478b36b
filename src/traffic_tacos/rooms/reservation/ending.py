"""What ends a reservation: its deadline, and what its payment says. Every step may be repeated."""

from __future__ import annotations

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Store, View
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import InventoryClient, PaymentClient, PaymentView
from traffic_tacos.rooms.reservation.confirming import FINISHED_AFTER, Confirming, RefundOwed
from traffic_tacos.rooms.reservation.model import FREE_OF_CHARGE, NotYet, Reservation
from traffic_tacos.rooms.reservation.records import refund_jobs, reservation_key, step_reads, transition


class Ended(msgspec.Struct, frozen=True):
    """What a step led to; `changed` is False when there was nothing to do."""

    reservation: Reservation
    changed: bool
    released: tuple[Seat, ...] = ()


class Ending:
    def __init__(
        self, store: Store, clock: Clock, inventory: InventoryClient, payments: PaymentClient, confirming: Confirming
    ) -> None:
        self._store = store
        self._clock = clock
        self._inventory = inventory
        self._payments = payments
        self._confirming = confirming

    async def expire(self, reservation_id: str, call: Call) -> Ended:
        """End a reservation past its deadline; tidy up behind one that has ended.

        A payment under way is cancelled first; if that finds it completed, the reservation is confirmed.
        Raises NotYet before the deadline.
        """
        reservation = await existing(self._store, reservation_id)
        if _is_bought(reservation):
            return Ended(reservation, changed=False)
        if reservation.status is ReservationStatus.REFUNDED:
            return await self._given_back(reservation, call)
        if model.is_held(reservation, self._clock.now()):
            raise NotYet(f"the hold ends at {reservation.hold_expires_at}")
        completed = await self._stop_payments(reservation, call)
        if completed is not None:
            ended = await self.settle(reservation_id, completed.id, call)
            if _is_bought(ended.reservation):
                return ended
            reservation = ended.reservation
        after, was_changed = await self._expire(reservation)
        if _is_bought(after):
            return Ended(after, changed=False)
        released = await self._release(after, call)
        return Ended(after, was_changed or bool(released), released)

    async def settle(self, reservation_id: str, payment_intent_id: str, call: Call) -> Ended:
        """Do what the payment's own status asks for: confirm, cancel, or nothing."""
        reservation = await existing(self._store, reservation_id)
        if not payment_intent_id and reservation.confirming == FREE_OF_CHARGE:
            return await self._settle_completed(reservation, "", call)
        payment = await self._payments.show(payment_intent_id, call)
        if payment.reservation_id != reservation_id:
            raise Refusal.of_field("payment_intent_id", "must be a payment of this reservation", payment_intent_id)
        if payment.is_completed:
            return await self._settle_completed(reservation, payment_intent_id, call, payment)
        if payment.is_refunded:
            return await self._settle_refunded(reservation, payment_intent_id, call)
        if payment.is_under_way or reservation.status is not ReservationStatus.PENDING:
            return Ended(reservation, changed=False)
        others = await self._payments.of_reservation(reservation_id, call)
        if any(other.is_completed or other.is_under_way for other in others):
            return Ended(reservation, changed=False)
        return await self._cancel(reservation, call)

    async def _settle_completed(
        self, reservation: Reservation, payment_intent_id: str, call: Call, known: PaymentView | None = None
    ) -> Ended:
        """Money was taken: it becomes an order, or it goes back."""
        try:
            after = await self._confirming.confirm(reservation, payment_intent_id, call, known)
        except RefundOwed:
            return Ended(await existing(self._store, reservation.id), changed=True)
        except Refusal as refusal:
            if refusal.code is not Code.PAYMENT_NOT_APPROVED:
                raise
            refund = refund_jobs(reservation.id, payment_intent_id, self._clock.now())
            await self._store.transact((), lambda _: Decision(None, jobs=refund))
            return Ended(reservation, changed=True)
        return Ended(after, changed=after != reservation)

    async def _settle_refunded(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Ended:
        try:
            after = await self._confirming.undo(reservation, payment_intent_id, call)
        except RefundOwed:
            return Ended(await existing(self._store, reservation.id), changed=True)
        if after is None:
            return Ended(reservation, changed=False)
        return msgspec.structs.replace(await self._given_back(after, call), changed=True)

    async def _given_back(self, reservation: Reservation, call: Call) -> Ended:
        """The seats of a refunded reservation, on sale again."""
        returned = await self._inventory.give_back(reservation.id, reservation.event_id, call)
        return Ended(reservation, bool(returned), returned)

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
        """The reservation as it stands, and whether this call has ended it."""
        now = self._clock.now()

        def decide(view: View) -> Decision[tuple[Reservation, bool]]:
            before = view.get(reservation_key(reservation.id)) or reservation
            after = model.expired(before, now)
            return transition(view, before, after, (after, after != before))

        return await self._store.transact(step_reads(reservation), decide)

    async def _cancel(self, reservation: Reservation, call: Call) -> Ended:
        """The payment failed and no other is under way."""
        now = self._clock.now()

        def decide(view: View) -> Decision[tuple[Reservation, bool]]:
            before = view.get(reservation_key(reservation.id)) or reservation
            after = model.unpaid(before, now)
            return transition(view, before, after, (after, after != before), tidy_at=now + FINISHED_AFTER)

        after, was_changed = await self._store.transact(step_reads(reservation), decide)
        if not was_changed:
            return Ended(reservation, changed=False)
        return Ended(after, changed=True, released=await self._release(after, call))

    async def _release(self, reservation: Reservation, call: Call) -> tuple[Seat, ...]:
        """Free what a reservation without an order holds, or was sold by a confirmation that came to nothing.

        A payment in `refunds` can confirm nothing any more, so what was sold under it is nobody's. What is sold
        under any other payment may be about to become an order.
        """
        try:
            return await self._inventory.free(reservation.id, reservation.event_id, call)
        except Refusal as refusal:
            if refusal.code is not Code.FAILED_PRECONDITION or not reservation.refunds:
                return ()  # it holds nothing, or it owns what it held
        try:
            return await self._inventory.give_back(reservation.id, reservation.event_id, call, reservation.refunds)
        except Refusal:
            return ()


def _is_bought(reservation: Reservation) -> bool:
    return bool(reservation.confirming) or reservation.status is ReservationStatus.CONFIRMED


async def existing(store: Store, reservation_id: str) -> Reservation:
    """The reservation, as it is stored; NOT_FOUND when there is none."""
    reservation = await store.get(reservation_key(reservation_id))
    if reservation is None:
        raise unknown(reservation_id)
    return reservation


def unknown(reservation_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"reservation_id: there is no reservation {reservation_id}")

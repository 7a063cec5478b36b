"""What ends a reservation: its deadline, and what its payment says. Every step frees its seats in the same commit, and
may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.payment_results import NOTHING_BESIDE, Beside
from traffic_tacos.ports.payments import NOTHING_TO_STOP, RECORDS_OF_A_STOP, PaymentStops, Stop
from traffic_tacos.ports.seats import Freeing, Seats
from traffic_tacos.ports.store import COMMIT_RECORDS_MAX, Decision, Reads, Store, View
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import PaymentClient, PaymentView
from traffic_tacos.rooms.reservation.confirming import Confirming, RefundOwed
from traffic_tacos.rooms.reservation.model import FREE_OF_CHARGE, NotYet, Reservation
from traffic_tacos.rooms.reservation.records import (
    refund_jobs,
    reservation_key,
    step_reads,
    taken_by,
    transition,
)

RECORDS_OF_AN_END = 6  # the reservation, its admission, its hold, the news of it, the remembered answer, a refund

Step: TypeAlias = Callable[[Reservation, Instant], Reservation]


class Ended(msgspec.Struct, frozen=True):
    """What a step led to; `changed` is False when there was nothing to do, and while a payment in `charged` is in the
    way, for which money was taken. `beside` is the reply of what was committed with it; None when nothing was.
    """

    reservation: Reservation
    changed: bool
    released: tuple[Seat, ...] = ()
    charged: tuple[str, ...] = ()
    beside: object = None


class Ending:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        seats: Callable[[], Seats],
        payment_stops: Callable[[], PaymentStops],
        payments: PaymentClient,
        confirming: Confirming,
    ) -> None:
        self._store = store
        self._clock = clock
        self._seats = seats
        self._payment_stops = payment_stops
        self._payments = payments
        self._confirming = confirming

    async def expire(self, reservation_id: str, call: Call) -> Ended:
        """End a reservation past its deadline; tidy up behind one that has ended.

        A payment under way is cancelled with it; one that has completed by then confirms it, or is refunded.
        Raises NotYet before the deadline.
        """
        reservation = await existing(self._store, reservation_id)
        if _is_bought(reservation):
            return Ended(reservation, changed=False)
        if reservation.status is ReservationStatus.REFUNDED:
            return await self._end(reservation, model.expired, call)
        if model.is_held(reservation, self._clock.now()):
            raise NotYet(f"the hold ends at {reservation.hold_expires_at}")
        applied = set(reservation.refunds)
        while True:
            stop = await self.stop_of(reservation, applied)
            ended = await self._end(reservation, model.expired, call, stop)
            if not ended.charged:
                return ended
            applied.add(ended.charged[0])
            ended = await self.apply_payment_result(reservation_id, ended.charged[0], call)
            if _is_bought(ended.reservation):
                return ended
            reservation = ended.reservation

    async def stop_of(self, reservation: Reservation, passed_over: Collection[str] = ()) -> Stop:
        """What stops the payments of a reservation in the commit that ends it. If more are under way than there is room
        for in that commit, the others are stopped before it.
        """
        stops = self._payment_stops()
        room = COMMIT_RECORDS_MAX - RECORDS_OF_AN_END - len(reservation.seats)  # each may be in a row of its own
        count = max(1, room // RECORDS_OF_A_STOP)  # what makes a reservation of so many rows has more records beside
        while not (stop := await stops.stop(reservation.id, passed_over, count)).is_all:
            some = await stops.stop(reservation.id, passed_over, COMMIT_RECORDS_MAX // RECORDS_OF_A_STOP)
            await self._store.transact(some.reads, some.rule)
        return stop

    async def apply_payment_result(
        self, reservation_id: str, payment_intent_id: str, call: Call, beside: Beside[Any] = NOTHING_BESIDE
    ) -> Ended:
        """Do what the payment's own status asks for: confirm, with `beside` in the same commit; cancel, or nothing."""
        reservation = await existing(self._store, reservation_id)
        if not payment_intent_id and reservation.confirming == FREE_OF_CHARGE:
            return await self._apply_completed(reservation, "", call)
        payment = await self._payments.show(payment_intent_id, call)
        if payment.reservation_id != reservation_id:
            raise Refusal.of_field("payment_intent_id", "must be a payment of this reservation", payment_intent_id)
        if payment.is_completed:
            return await self._apply_completed(reservation, payment_intent_id, call, payment, beside)
        if payment.is_refunded:
            return await self._apply_refunded(reservation, payment_intent_id, call)
        if payment.is_under_way or reservation.status is not ReservationStatus.PENDING:
            return Ended(reservation, changed=False)
        others = await self._payments.of_reservation(reservation_id, call)
        if any(other.is_completed or other.is_under_way for other in others):
            return Ended(reservation, changed=False)
        return await self._end(reservation, model.unpaid, call)

    async def _apply_completed(
        self,
        reservation: Reservation,
        payment_intent_id: str,
        call: Call,
        known: PaymentView | None = None,
        beside: Beside[Any] = NOTHING_BESIDE,
    ) -> Ended:
        """Money was taken: it becomes an order, or it goes back."""
        try:
            bought = await self._confirming.confirm(reservation, payment_intent_id, call, known, beside)
        except RefundOwed:
            return Ended(await existing(self._store, reservation.id), changed=True)
        except Refusal as refusal:
            if refusal.code is not Code.PAYMENT_NOT_APPROVED:
                raise
            refund = refund_jobs(reservation.id, payment_intent_id, self._clock.now())
            await self._store.transact((), lambda _: Decision(None, jobs=refund))
            return Ended(reservation, changed=True)
        after = bought.reservation
        return Ended(after, changed=after != reservation, beside=bought.beside)

    async def _apply_refunded(self, reservation: Reservation, payment_intent_id: str, call: Call) -> Ended:
        try:
            after = await self._confirming.undo(reservation, payment_intent_id, call)
        except RefundOwed:
            return Ended(await existing(self._store, reservation.id), changed=True)
        return Ended(after, changed=after != reservation)

    async def _end(self, reservation: Reservation, step: Step, call: Call, stop: Stop = NOTHING_TO_STOP) -> Ended:
        """Take a step that may end the reservation. One that has ended holds and owns no seats any more, whoever ended
        it: what it held is free, and so is what was sold under a payment that can buy it nothing. Its payments are
        stopped; where one has completed instead, nothing changes.
        """
        now = self._clock.now()

        async def commit(reads: Reads, let_go: Freeing) -> Ended:
            def rule(view: View) -> Decision[Ended]:
                before = view.get(reservation_key(reservation.id)) or reservation
                after = step(before, now)
                if _is_bought(after) or after.status is ReservationStatus.PENDING:
                    return Decision(Ended(after, changed=False))
                stopped = stop.rule(view)
                if stopped.reply:
                    return Decision(Ended(before, changed=False, charged=stopped.reply))
                free = let_go(view, sold_in_vain(after))
                ended = Ended(after, after != before or bool(free.reply), free.reply)
                return transition(view, before, after, ended).beside(free).beside(stopped)

            return await self._store.transact((*step_reads(reservation), *stop.reads, *reads), rule)

        ended: Ended = await self._seats().let_go(taken_by(reservation), call, commit)
        return ended


def sold_in_vain(reservation: Reservation) -> tuple[str, ...]:
    """The payments under which seats were sold to a reservation that has no order any more; or never got one, from
    version 0.1.0, which sold before that.
    """
    if reservation.status is ReservationStatus.REFUNDED:
        return (reservation.payment_intent_id,)
    return reservation.refunds


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

"""Undoing what was left half done. Each step says what it did, and may be repeated.

A compensation never undoes what is whole: seats that are sold stay sold, and a payment that pays for an order
is refunded by giving the reservation back. What cannot be undone by rule is for a person to look at.
"""

from collections.abc import Awaitable, Mapping

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.ports.clock import Clock
from traffic_tacos.rooms.worker.clients import InventoryClient, LifecycleClient, PaymentClient, ReservationClient
from traffic_tacos.rooms.worker.model import Action, ActionType, Compensation, PaymentView, ReservationView

INVENTORY, PAYMENT, RESERVATION = "inventory", "payment", "reservation"


class Compensations:
    def __init__(
        self,
        clock: Clock,
        lifecycle: LifecycleClient,
        reservations: ReservationClient,
        payments: PaymentClient,
        inventory: InventoryClient,
    ) -> None:
        self._clock = clock
        self._lifecycle = lifecycle
        self._reservations = reservations
        self._payments = payments
        self._inventory = inventory

    async def undo(
        self, reservation_id: str, kind: Compensation, context: Mapping[str, str], reason: str, call: Call
    ) -> list[Action]:
        """What was done, in order; nothing when there was nothing to undo. Raises a fault when it must be tried
        again.
        """
        reservation = await self._reservations.find(reservation_id, call)
        match kind:
            case Compensation.RELEASE_SEATS:
                return await self._release(reservation_id, reservation, context, call)
            case Compensation.REFUND_PAYMENT:
                return await self._refund(reservation_id, reservation, context.get("payment_intent_id", ""), call)
            case Compensation.CANCEL_RESERVATION:
                return await self._cancel(reservation_id, reservation, reason, call)
            case Compensation.CLEANUP_ORPHANED:
                refunded = await self._refund(reservation_id, reservation, "", call)
                if reservation is not None and (reservation.is_open or reservation.is_bought):
                    return refunded  # its seats are its own
                return [*refunded, *await self._release(reservation_id, reservation, context, call)]

    async def _release(
        self, reservation_id: str, reservation: ReservationView | None, context: Mapping[str, str], call: Call
    ) -> list[Action]:
        if reservation is None:
            event_id = checked_id("context.event_id", context.get("event_id", ""))
            released = self._inventory.release(reservation_id, event_id, call)
            return await self._done(ActionType.INVENTORY_RELEASE, INVENTORY, "a hold without a reservation", released)
        if reservation.is_open:
            return [self._not_done(INVENTORY, "the reservation is open: cancel it")]
        if reservation.is_bought:
            return [self._not_done(INVENTORY, f"the seats are sold, order {reservation.order_id}: cancel it")]
        return await self._done(
            ActionType.INVENTORY_RELEASE,
            INVENTORY,
            "seats of a reservation that has ended",
            self._tidied(reservation, call),
        )

    async def _refund(
        self, reservation_id: str, reservation: ReservationView | None, only: str, call: Call
    ) -> list[Action]:
        actions: list[Action] = []
        for payment in await self._payments.of_reservation(reservation_id, call):
            if (only and payment.id != only) or not (payment.is_completed or payment.is_under_way):
                continue
            actions += await self._refund_one(payment, reservation, call, is_asked_for=bool(only))
        return actions

    async def _refund_one(
        self, payment: PaymentView, reservation: ReservationView | None, call: Call, *, is_asked_for: bool
    ) -> list[Action]:
        """A payment that buys nothing goes back; one that may yet buy something is given its result or left alone."""
        if reservation is None:
            refund = self._payments.refund(payment.id, None, "there is no such reservation", call)
            return await self._done(
                ActionType.PAYMENT_REFUND, PAYMENT, f"{payment.id}, of no reservation", _quietly(refund)
            )
        whole = ""
        if payment.is_completed and reservation.payment_intent_id == payment.id:
            whole = f"{payment.id} pays for order {reservation.order_id}: cancel it"
        if payment.is_under_way and reservation.is_open:
            whole = f"{payment.id} may yet be paid: cancel the reservation"
        if whole:
            return [self._not_done(PAYMENT, whole)] if is_asked_for else []
        if payment.is_under_way:
            refund = self._payments.refund(payment.id, None, "the reservation has ended", call)
            return await self._done(ActionType.PAYMENT_REFUND, PAYMENT, f"{payment.id}, cancelled", _quietly(refund))
        ended = await self._lifecycle.apply_payment_result(reservation.id, payment.id, call)
        what = "confirmed" if ended.order_id else "no ticket for it: refunded"
        return [self._action(ActionType.PAYMENT_REFUND, PAYMENT, f"{payment.id}, {what}", success=True)]

    async def _cancel(
        self, reservation_id: str, reservation: ReservationView | None, reason: str, call: Call
    ) -> list[Action]:
        if reservation is None:
            raise Refusal(Code.NOT_FOUND, f"reservation_id: there is no reservation {reservation_id}")
        if not (reservation.is_open or reservation.is_bought):
            return []
        cancelled = self._reservations.cancel(reservation, reason, call)
        return await self._done(ActionType.RESERVATION_CANCEL, RESERVATION, "with its seats and its payment", cancelled)

    async def _tidied(self, reservation: ReservationView, call: Call) -> bool:
        """Whether it still held or owned seats. Its payments under way are stopped as well."""
        held = False
        if not reservation.is_given_back:
            held = await self._inventory.release(reservation.id, reservation.event_id, call)
        ended = await self._lifecycle.expire(reservation.id, call)
        return held or (reservation.is_given_back and bool(ended.seats))

    async def _done(self, kind: ActionType, room: str, what: str, work: Awaitable[bool]) -> list[Action]:
        """The action, once the work is done; none when there was none to do. A refusal is for a person."""
        try:
            did_something = await work
        except Refusal as refusal:
            return [self._not_done(room, f"{what}: {refusal.message}")]
        return [self._action(kind, room, what, success=True)] if did_something else []

    def _not_done(self, room: str, why: str) -> Action:
        return self._action(ActionType.MANUAL_REVIEW, room, why, success=False)

    def _action(self, kind: ActionType, room: str, what: str, *, success: bool) -> Action:
        return Action(kind, room, what, success, self._clock.now())


async def _quietly(work: Awaitable[None]) -> bool:
    """Work that always has something to do."""
    await work
    return True

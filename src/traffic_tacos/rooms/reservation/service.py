"""Reservation's verbs for callers: create, show, list, extend, confirm, cancel, and what cancelling would come to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from traffic_tacos.kernel.calls import TRUSTED, Call
from traffic_tacos.kernel.domain_events import DomainEvent, EventChanged
from traffic_tacos.kernel.errors import Code, Precondition, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_reason, checked_user_id, derived_id_at
from traffic_tacos.kernel.instants import DAY, Instant
from traffic_tacos.kernel.limits import EXTENSION_SECONDS_MAX
from traffic_tacos.kernel.money import Money, total
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.kernel.tokens import ReservationToken
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.idempotency import Answers, IdempotentCall, Keyed
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.paging import Asked, Page, page_of
from traffic_tacos.ports.payments import NOTHING_TO_STOP
from traffic_tacos.ports.sales import sale_key, window_in_force
from traffic_tacos.ports.seats import Freeing, Held, Rule, Seats, Wanted
from traffic_tacos.ports.store import Decision, Reads, Store, View
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import CatalogClient, EventTerms, InventoryClient, LineClient
from traffic_tacos.rooms.reservation.confirming import Confirming
from traffic_tacos.rooms.reservation.ending import Ending, sold_in_vain, unknown
from traffic_tacos.rooms.reservation.model import Metadata, RefundQuote, Reservation, Wish
from traffic_tacos.rooms.reservation.records import (
    ADMISSION_USE,
    begun,
    expiry_job,
    listing,
    refund_jobs,
    reservation_key,
    step_reads,
    taken_by,
    transition,
)
from traffic_tacos.rooms.reservation.stopping import is_stopped, reservations_stopped, stop_keys

MONEY_KEY_WINDOW = DAY
TERMS_MAX = 1000

T = TypeVar("T")


class Create(Keyed, frozen=True):
    event_id: str
    seat_ids: tuple[str, ...]
    quantity: int
    user_id: str
    reservation_token: str
    idempotency_key: str
    metadata: Metadata
    wish: Wish = Wish()


class Created(msgspec.Struct, frozen=True):
    reservation_id: str
    status: ReservationStatus
    hold_expires_at: Instant
    seats: tuple[Seat, ...]
    total: Money


class Confirm(Keyed, frozen=True):
    reservation_id: str
    payment_intent_id: str
    user_id: str
    idempotency_key: str


class Confirmed(msgspec.Struct, frozen=True):
    order_id: str
    status: ReservationStatus
    confirmed_at: Instant
    seats: tuple[Seat, ...]


class Extend(Keyed, frozen=True):
    reservation_id: str
    user_id: str
    seconds: int
    reason: str
    idempotency_key: str


class Extended(msgspec.Struct, frozen=True):
    hold_expires_at: Instant
    seconds: int


class Cancel(Keyed, frozen=True):
    reservation_id: str
    user_id: str
    reason: str
    idempotency_key: str


class Cancelled(msgspec.Struct, frozen=True):
    status: ReservationStatus
    cancelled_at: Instant
    released_seats: tuple[Seat, ...]


class Reservations:
    """`keyring` knows which admissions are ours."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        confirming: Confirming,
        ending: Ending,
        catalog: CatalogClient,
        seats: Callable[[], Seats],
        inventory: InventoryClient,
        line: LineClient,
        keyring: Keyring,
    ) -> None:
        self._store = store
        self._clock = clock
        self._confirming = confirming
        self._ending = ending
        self._catalog = catalog
        self._seats = seats
        self._inventory = inventory
        self._line = line
        self._keyring = keyring
        self._answers = Answers(store, clock)
        self.terms: dict[str, EventTerms] = {}

    async def handle(self, event: DomainEvent) -> None:
        """Ask the catalog anew about an event that has changed."""
        if isinstance(event, EventChanged):
            self.terms.pop(event.event_id, None)

    async def create(self, request: Create, call: Call) -> Created:
        """Hold seats for as long as the event says: the seats, the reservation with its expiry job, its admission and
        the answer are one commit.
        """
        act = partial(self._create, request, call)
        return await self._answered("create", request, Created, call, act, model.CREATE_KEY_WINDOW)

    async def _create(self, request: Create, call: Call, idempotent: IdempotentCall[Created]) -> Created:
        now = self._clock.now()
        checked_id("event_id", request.event_id)
        token = self._keyring.admission_of(request.reservation_token, request.event_id, now)
        if token.user_id and token.user_id != request.user_id:
            raise Refusal(Code.FORBIDDEN, "reservation_token: was given to another user")
        terms = await self._event_terms(request.event_id, call)
        asked = request.quantity or len(request.seat_ids)
        if not 1 <= asked <= terms.max_per_order:
            raise Refusal.of_field("quantity", f"must be 1 to {terms.max_per_order}", asked)
        reservation_id = derived_id_at("rsv", now, request.user_id, request.idempotency_key, idempotent.digest)
        return await self._hold(reservation_id, request, token, terms, now, call, idempotent)

    async def _hold(
        self,
        reservation_id: str,
        request: Create,
        token: ReservationToken,
        terms: EventTerms,
        now: Instant,
        call: Call,
        idempotent: IdempotentCall[Created],
    ) -> Created:
        use_key = ADMISSION_USE.key(token.admission_id)

        async def commit(reads: Reads, hold: Rule[Held]) -> Created:
            def rule(view: View) -> Decision[Created]:
                window_in_force(view, request.event_id, terms.sale).check_open(now)
                use = view.get(use_key)
                model.check_usable(use, request.user_id, now)
                if is_stopped(view, request.event_id):
                    raise reservations_stopped()
                held = hold(view)
                reservation = _pending(reservation_id, request, token, terms, held.reply, now)
                in_use = model.used(use, request.user_id, reservation_id, reservation.hold_expires_at, now)
                return begun(reservation, in_use, _created(reservation)).beside(held)

            own = (use_key, sale_key(request.event_id), *stop_keys(request.event_id))
            return await idempotent.commit(tuple(dict.fromkeys((*own, *reads))), rule)

        wanted = _wanted(reservation_id, request, now + terms.hold)
        created: Created = await self._seats().hold(wanted, call, commit)
        return created

    async def show(self, reservation_id: str, user_id: str, call: Call) -> Reservation:
        reservation = await self._store.get(reservation_key(checked_id("reservation_id", reservation_id)))
        if reservation is None or not call.may_act_for(reservation.user_id):
            raise unknown(reservation_id)
        if user_id and reservation.user_id != user_id:
            raise unknown(reservation_id)
        return reservation.as_read(self._clock.now())

    async def list(self, user_id: str, event_id: str, status: int, asked: Asked, call: Call) -> Page[Reservation]:
        """A page of a user's reservations, or of an event's, oldest first."""
        if user_id:
            call.require_user(user_id)
        elif call.caller.role not in TRUSTED:
            raise Refusal.of_field("user_id", "is required")
        elif not event_id:
            raise Refusal.of_field("user_id", "is required, or event_id")
        if status and status not in set(ReservationStatus):
            names = ", ".join(known.name for known in ReservationStatus)
            raise Refusal.of_field("status", f"must be one of {names}", status)
        now = self._clock.now()

        def matches(reservation: Reservation) -> bool:
            of_event = event_id in ("", reservation.event_id)
            return of_event and (not status or reservation.as_read(now).status == status)

        is_filtered = status or (user_id and event_id)
        page = await page_of(
            self._store, listing(user_id, event_id), reservation_key, matches if is_filtered else None, asked
        )
        return msgspec.structs.replace(page, records=[reservation.as_read(now) for reservation in page.records])

    async def confirm(self, request: Confirm, call: Call) -> Confirmed:
        """The order of a paid reservation. Repeating it answers the same; see `Confirming.confirm`."""
        return await self._answered("confirm", request, Confirmed, call, partial(self._confirm, request, call))

    async def _confirm(self, request: Confirm, call: Call, idempotent: IdempotentCall[Confirmed]) -> Confirmed:
        reservation = await self._own(request.reservation_id, request.user_id)
        after = (await self._confirming.confirm(reservation, request.payment_intent_id, call)).reservation
        reply = Confirmed(after.order_id, after.status, after.confirmed_at or after.updated_at, after.seats)
        return await idempotent.commit((), lambda _: Decision(reply))

    async def extend(self, request: Extend, call: Call) -> Extended:
        """Hold the seats for longer: once, and only while nobody waits for seats."""
        return await self._answered("extend", request, Extended, call, partial(self._extend, request, call))

    async def _extend(self, request: Extend, call: Call, idempotent: IdempotentCall[Extended]) -> Extended:
        known = await self._own(request.reservation_id, request.user_id)
        if not 1 <= request.seconds <= EXTENSION_SECONDS_MAX:
            raise Refusal.of_field("extension_seconds", f"must be 1 to {EXTENSION_SECONDS_MAX}", request.seconds)
        checked_reason(request.reason)
        now = self._clock.now()
        later = model.extended(known, request.seconds, now)
        if await self._line.waiting(known.event_id, call) and await self._inventory.is_all_taken(known.event_id, call):
            says = "others are waiting for these seats"
            raise Refusal.of_precondition("reservation_id", says, Precondition.NO_EXTENSION)

        own = step_reads(known)

        async def commit(reads: Reads, extend: Rule[None]) -> Extended:
            def rule(view: View) -> Decision[Extended]:
                before = view.get(own[0]) or known
                after = model.extended(before, request.seconds, now)
                reply = Extended(after.hold_expires_at, request.seconds)
                return transition(view, before, after, reply, jobs=(expiry_job(after),)).beside(extend(view))

            return await idempotent.commit((*own, *reads), rule)

        extended: Extended = await self._seats().extend(taken_by(known), later.hold_expires_at, call, commit)
        return extended

    async def cancel(self, request: Cancel, call: Call) -> Cancelled:
        """Give the seats back, and refund what was paid.

        Payments under way are stopped in the same commit. One that is made at the same moment is stopped by the expiry
        job, at the deadline that the hold had.
        """
        return await self._answered("cancel", request, Cancelled, call, partial(self._cancel, request, call))

    async def _cancel(self, request: Cancel, call: Call, idempotent: IdempotentCall[Cancelled]) -> Cancelled:
        known = await self._own(request.reservation_id, request.user_id)
        policy = (await self._event_terms(known.event_id, call)).refunds
        own = step_reads(known)
        stop = await self._ending.stop_of(known) if known.status is ReservationStatus.PENDING else NOTHING_TO_STOP
        now = self._clock.now()

        async def commit(reads: Reads, let_go: Freeing) -> Cancelled:
            def rule(view: View) -> Decision[Cancelled]:
                before = view.get(own[0]) or known
                was_bought = before.status in (ReservationStatus.CONFIRMED, ReservationStatus.REFUNDED)
                after = model.given_back(before, policy, now) if was_bought else model.cancelled(before, now)
                owed = after.owed_back(after.payment_intent_id)
                refund = refund_jobs(after.id, after.payment_intent_id, now, owed) if was_bought else ()
                reply = Cancelled(after.status, after.updated_at, after.seats)
                if after == before:
                    return Decision(reply)
                stopped = NOTHING_TO_STOP.rule(view) if was_bought else stop.rule(view)
                for payment_intent_id in stopped.reply:
                    refund += refund_jobs(after.id, payment_intent_id, now)
                step = transition(view, before, after, reply, jobs=refund)
                return step.beside(let_go(view, sold_in_vain(after))).beside(stopped)

            return await idempotent.commit((*own, *stop.reads, *reads), rule)

        cancelled: Cancelled = await self._seats().let_go(taken_by(known), call, commit)
        return cancelled

    async def refund_quote(self, reservation_id: str, user_id: str, call: Call) -> tuple[Reservation, RefundQuote]:
        """A reservation, and what giving it back would come to now: `cancel` decides by the same rule."""
        known = await self.show(reservation_id, user_id, call)
        policy = (await self._event_terms(known.event_id, call)).refunds
        return known, model.refund_quote(known, policy, self._clock.now())

    async def _event_terms(self, event_id: str, call: Call) -> EventTerms:
        terms = self.terms.get(event_id)
        if terms is None:
            terms = await self._catalog.terms(event_id, call)
            if len(self.terms) >= TERMS_MAX:
                self.terms.clear()
            self.terms[event_id] = terms
        return terms

    async def _own(self, reservation_id: str, user_id: str) -> Reservation:
        reservation = await self._store.get(reservation_key(checked_id("reservation_id", reservation_id)))
        if reservation is None or reservation.user_id != user_id:
            raise unknown(reservation_id)
        return reservation

    async def _answered(
        self,
        method: str,
        request: Create | Confirm | Extend | Cancel,
        reply: type[T],
        call: Call,
        act: Callable[[IdempotentCall[T]], Awaitable[T]],
        window: Instant = MONEY_KEY_WINDOW,
    ) -> T:
        call.require_user(checked_user_id("user_id", request.user_id))
        scope, key = ("reservation", method, request.user_id), request.idempotency_key
        return await self._answers.answer(scope, key, request, reply, act, window=window, trace_id=call.trace_id)


def _wanted(reservation_id: str, request: Create, deadline: Instant) -> Wanted:
    return Wanted(
        reservation_id,
        request.event_id,
        request.user_id,
        request.seat_ids,
        request.quantity,
        deadline,
        request.wish.section,
        request.wish.price_max,
    )


def _pending(
    reservation_id: str, request: Create, token: ReservationToken, terms: EventTerms, held: Held, now: Instant
) -> Reservation:
    return Reservation(
        id=reservation_id,
        event_id=request.event_id,
        user_id=request.user_id,
        admission_id=token.admission_id,
        seats=held.seats,
        total=total((seat.price for seat in held.seats), held.seats[0].price.currency),
        created_at=now,
        updated_at=now,
        hold_expires_at=held.expires_at,
        refund_policy=terms.refunds,
        metadata=request.metadata,
    )


def _created(reservation: Reservation) -> Created:
    return Created(
        reservation.id, reservation.status, reservation.hold_expires_at, reservation.seats, reservation.total
    )

"""Reservation's verbs for callers: create, show, list, extend, confirm, cancel, and what cancelling would come to."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec

from traffic_tacos.kernel.calls import TRUSTED, Call
from traffic_tacos.kernel.domain_events import DomainEvent, EventChanged
from traffic_tacos.kernel.errors import Code, Precondition, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_reason, checked_user_id, derived_id
from traffic_tacos.kernel.instants import DAY, Instant
from traffic_tacos.kernel.limits import EXTENSION_SECONDS_MAX
from traffic_tacos.kernel.money import Money, total
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.kernel.tokens import ReservationToken
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.idempotency import Answers, Keyed, Once
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.paging import Asked, Page, page_of
from traffic_tacos.ports.sales import sale_key
from traffic_tacos.ports.store import Decision, Store, View, put
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import CatalogClient, EventTerms, InventoryClient, LineClient
from traffic_tacos.rooms.reservation.confirming import FINISHED_AFTER, Confirming
from traffic_tacos.rooms.reservation.ending import Ending, unknown
from traffic_tacos.rooms.reservation.model import Metadata, RefundQuote, Reservation, Wish
from traffic_tacos.rooms.reservation.records import (
    ADMISSION_USE,
    RESERVATION,
    admission_key,
    changed,
    expiry_job,
    index_writes,
    listing,
    refund_jobs,
    reservation_key,
    step_reads,
    transition,
)
from traffic_tacos.rooms.reservation.stopping import is_stopped, reservations_stopped, stop_keys

MONEY_KEY_WINDOW = DAY
TERMS_MAX = 1000
IDS_TRIED_MAX = 100

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
        inventory: InventoryClient,
        line: LineClient,
        keyring: Keyring,
    ) -> None:
        self._store = store
        self._clock = clock
        self._confirming = confirming
        self._ending = ending
        self._catalog = catalog
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
        """Hold seats for as long as the event says.

        The hold comes first, under a deadline of its own, then the reservation with its expiry job, its
        answer and its admission in one commit. A crash in between leaves a hold that lapses by itself.
        """
        act = partial(self._create, request, call)
        return await self._once("create", request, Created, call, act, model.CREATE_KEY_WINDOW)

    async def _create(self, request: Create, call: Call, once: Once[Created]) -> Created:
        now = self._clock.now()
        token = await self._admitted(request, call, now)
        for stop in stop_keys(request.event_id):
            if await self._store.get(stop) is not None:
                raise reservations_stopped()
        reservation_id = await self._unused_id(request, once.digest)
        terms = await self._event_terms(request.event_id, call)
        deadline = now + terms.hold
        seats, held_until = await self._inventory.hold(
            reservation_id,
            request.event_id,
            request.user_id,
            request.seat_ids,
            request.quantity,
            deadline,
            call,
            request.wish,
        )
        reservation = Reservation(
            id=reservation_id,
            event_id=request.event_id,
            user_id=request.user_id,
            admission_id=token.admission_id,
            seats=seats,
            total=total((seat.price for seat in seats), seats[0].price.currency),
            created_at=now,
            updated_at=now,
            hold_expires_at=held_until,
            refund_policy=terms.refunds,
            metadata=request.metadata,
        )
        return await self._created(once, reservation, call)

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
        return await self._once("confirm", request, Confirmed, call, partial(self._confirm, request, call))

    async def _confirm(self, request: Confirm, call: Call, once: Once[Confirmed]) -> Confirmed:
        reservation = await self._own(request.reservation_id, request.user_id)
        after = await self._confirming.confirm(reservation, request.payment_intent_id, call)
        reply = Confirmed(after.order_id, after.status, after.confirmed_at or after.updated_at, after.seats)
        return await once.commit((), lambda _: Decision(reply))

    async def extend(self, request: Extend, call: Call) -> Extended:
        """Hold the seats for longer: once, and only while nobody waits for seats.

        The seats come first, then the reservation: a crash in between leaves seats that the reservation's
        own deadline frees.
        """
        return await self._once("extend", request, Extended, call, partial(self._extend, request, call))

    async def _extend(self, request: Extend, call: Call, once: Once[Extended]) -> Extended:
        known = await self._own(request.reservation_id, request.user_id)
        if not 1 <= request.seconds <= EXTENSION_SECONDS_MAX:
            raise Refusal.of_field("extension_seconds", f"must be 1 to {EXTENSION_SECONDS_MAX}", request.seconds)
        checked_reason(request.reason)
        after = model.extended(known, request.seconds, self._clock.now())
        if await self._line.waiting(known.event_id, call) and await self._inventory.is_all_taken(known.event_id, call):
            says = "others are waiting for these seats"
            raise Refusal.of_precondition("reservation_id", says, Precondition.NO_EXTENSION)
        await self._inventory.extend(known.id, known.event_id, after.hold_expires_at, call)
        now = self._clock.now()

        def rule(view: View) -> Decision[Extended]:
            before = view.get(reservation_key(known.id)) or known
            later = model.extended(before, request.seconds, now)
            reply = Extended(later.hold_expires_at, request.seconds)
            return transition(view, before, later, reply, jobs=(expiry_job(later),))

        return await once.commit(step_reads(known), rule)

    async def cancel(self, request: Cancel, call: Call) -> Cancelled:
        """Give the seats back, and stop a payment under way or refund what was paid.

        The seats are freed in the same breath. The job that is committed with it comes a little later: it frees what
        a crash or a room that cannot be asked left held.
        """
        return await self._once("cancel", request, Cancelled, call, partial(self._cancel, request, call))

    async def _cancel(self, request: Cancel, call: Call, once: Once[Cancelled]) -> Cancelled:
        known = await self._own(request.reservation_id, request.user_id)
        policy = (await self._event_terms(known.event_id, call)).refunds
        now = self._clock.now()

        def rule(view: View) -> Decision[Cancelled]:
            before = view.get(reservation_key(known.id)) or known
            was_bought = before.status in (ReservationStatus.CONFIRMED, ReservationStatus.REFUNDED)
            after = model.given_back(before, policy, now) if was_bought else model.cancelled(before, now)
            owed = after.owed_back(after.payment_intent_id)
            refund = refund_jobs(after.id, after.payment_intent_id, now, owed) if was_bought else ()
            reply = Cancelled(after.status, after.updated_at, after.seats)
            return transition(view, before, after, reply, jobs=refund, tidy_at=now + FINISHED_AFTER)

        cancelled = await once.commit(step_reads(known), rule)
        try:
            await self._ending.expire(known.id, call)
        except Exception:  # noqa: BLE001 - it is cancelled; what is left to tidy, the job does
            return cancelled
        return cancelled

    async def refund_quote(self, reservation_id: str, user_id: str, call: Call) -> tuple[Reservation, RefundQuote]:
        """A reservation, and what giving it back would come to now: `cancel` decides by the same rule."""
        known = await self.show(reservation_id, user_id, call)
        policy = (await self._event_terms(known.event_id, call)).refunds
        return known, model.refund_quote(known, policy, self._clock.now())

    async def _admitted(self, request: Create, call: Call, now: Instant) -> ReservationToken:
        """The admission behind the request, once everything about it that can be wrong was looked at."""
        checked_id("event_id", request.event_id)
        token = self._keyring.admission_of(request.reservation_token, request.event_id, now)
        if token.user_id and token.user_id != request.user_id:
            raise Refusal(Code.FORBIDDEN, "reservation_token: was given to another user")
        terms = await self._event_terms(request.event_id, call)
        asked = request.quantity or len(request.seat_ids)
        if not 1 <= asked <= terms.max_per_order:
            raise Refusal.of_field("quantity", f"must be 1 to {terms.max_per_order}", asked)
        sale = await self._store.get(sale_key(request.event_id))
        (terms.sale if sale is None else sale.now.window).check_open(now)
        use = await self._store.get(ADMISSION_USE.key(token.admission_id))
        model.check_usable(use, request.user_id, now)
        return token

    async def _event_terms(self, event_id: str, call: Call) -> EventTerms:
        terms = self.terms.get(event_id)
        if terms is None:
            terms = await self._catalog.terms(event_id, call)
            if len(self.terms) >= TERMS_MAX:
                self.terms.clear()
            self.terms[event_id] = terms
        return terms

    async def _unused_id(self, request: Create, digest: str) -> str:
        """The id that this request under this key always leads to, so that a retry finds its own hold.

        Once a reservation exists under it (the key's window is over), the next one.
        """
        for attempt in range(IDS_TRIED_MAX):
            parts = (request.user_id, request.idempotency_key, digest, str(attempt))
            reservation_id = derived_id("rsv", *parts)
            if await self._store.get(RESERVATION.key(reservation_id)) is None:
                return reservation_id
        raise Refusal(Code.QUOTA_EXCEEDED, "idempotency_key: was used too often; use a new one")

    async def _created(self, once: Once[Created], reservation: Reservation, call: Call) -> Created:
        key, use_key = reservation_key(reservation.id), admission_key(reservation)

        def rule(view: View) -> Decision[Created]:
            if (known := view.get(key)) is not None:
                return Decision(_created(known))
            if is_stopped(view, reservation.event_id):
                raise reservations_stopped()
            use = model.used(
                view.get(use_key),
                reservation.user_id,
                reservation.id,
                reservation.hold_expires_at,
                reservation.created_at,
            )
            return Decision(
                _created(reservation),
                (put(key, reservation), put(use_key, use), *index_writes(reservation)),
                (expiry_job(reservation),),
                (changed(reservation, None),),
            )

        stops = stop_keys(reservation.event_id)
        try:
            created = await once.commit((key, use_key, *stops), rule)
        except Refusal:
            await self._give_back(reservation, call)
            raise
        if created.reservation_id != reservation.id:
            await self._give_back(reservation, call)
        return created

    async def _give_back(self, reservation: Reservation, call: Call) -> None:
        """Free a hold that found no reservation; if that fails, it lapses."""
        try:
            await self._inventory.free(reservation.id, reservation.event_id, call)
        except Exception:  # noqa: BLE001 - the caller's answer is decided; the hold's own deadline frees it
            return

    async def _own(self, reservation_id: str, user_id: str) -> Reservation:
        reservation = await self._store.get(reservation_key(checked_id("reservation_id", reservation_id)))
        if reservation is None or reservation.user_id != user_id:
            raise unknown(reservation_id)
        return reservation

    async def _once(
        self,
        method: str,
        request: Create | Confirm | Extend | Cancel,
        reply: type[T],
        call: Call,
        act: Callable[[Once[T]], Awaitable[T]],
        window: Instant = MONEY_KEY_WINDOW,
    ) -> T:
        call.require_user(checked_user_id("user_id", request.user_id))
        scope, key = ("reservation", method, request.user_id), request.idempotency_key
        return await self._answers.once(scope, key, request, reply, act, window=window, trace_id=call.trace_id)


def _created(reservation: Reservation) -> Created:
    return Created(
        reservation.id, reservation.status, reservation.hold_expires_at, reservation.seats, reservation.total
    )

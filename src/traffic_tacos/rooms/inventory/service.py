"""Inventory's verbs: check, reserve, commit, release, count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.domain_events import DomainEvent, EventChanged
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.ids import checked_id, checked_reason, order_id
from traffic_tacos.kernel.instants import DAY, SECOND, Instant
from traffic_tacos.kernel.limits import HOUSE_SEATS_MAX, SEATS_PER_RESERVATION_MAX
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.ports import seats as port
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.idempotency import Answers, IdempotentCall, Keyed
from traffic_tacos.ports.peers import Share, whole
from traffic_tacos.ports.sales import sale_key, window_in_force
from traffic_tacos.ports.store import COMMIT_RECORDS_MAX, Decision, Key, Prefix, Store, View
from traffic_tacos.rooms.inventory import model
from traffic_tacos.rooms.inventory.clients import CatalogClient
from traffic_tacos.rooms.inventory.model import Claim, Counts, Hold, HoldStatus
from traffic_tacos.rooms.inventory.offering import own_first, sections_named, wished
from traffic_tacos.rooms.inventory.persons import MovedPerson, Person
from traffic_tacos.rooms.inventory.records import EventKeys, hold_key, person_key
from traffic_tacos.rooms.inventory.rows import EventPlan, RowState, SectionPlan, free, free_in_order, masks

KEY_WINDOW = DAY
HOLD_AGAIN = SECOND  # for seats that are sold in the commit that holds them once more
TRIES_MAX = 5  # of a decision whose person made another reservation meanwhile
PLANS_MAX = 1000
HOUSE_ROWS_MAX = COMMIT_RECORDS_MAX - 2  # beside the audit log's entry and its head: all are kept, or none
SEATS_SHOWN_MAX = 1000  # of a section's free seats, in one answer

R = TypeVar("R")


class MovedHold(Fault):
    """What a decision needs was found, and moved before it was made: try again."""


class Reserve(Keyed, frozen=True):
    """Named seats, or the best available: of a section, by its id or name, and of at most this price each."""

    reservation_id: str
    event_id: str
    seat_ids: tuple[str, ...]
    quantity: int
    user_id: str
    hold_expires_at: Instant | None
    idempotency_key: str = ""
    section: str = ""
    price_max: Money | None = None


class Commit(Keyed, frozen=True):
    reservation_id: str
    event_id: str
    seat_ids: tuple[str, ...]
    quantity: int
    payment_intent_id: str
    user_id: str = ""
    idempotency_key: str = ""


class Release(Keyed, frozen=True):
    reservation_id: str
    event_id: str
    seat_ids: tuple[str, ...]
    quantity: int
    reason: str = ""
    idempotency_key: str = ""


class House(msgspec.Struct, frozen=True):
    """Seats that somebody wants the house to keep, or to keep no longer."""

    event_id: str
    seat_ids: tuple[str, ...]
    actor: str
    reason: str


class Reserved(port.Held, frozen=True):
    hold_id: str
    status: HoldStatus


class Sold(msgspec.Struct, frozen=True):
    order_id: str
    seats: tuple[Seat, ...]
    committed_at: Instant


class Released(msgspec.Struct, frozen=True):
    seats: tuple[Seat, ...]
    released_at: Instant
    was_released: bool


class Availability(msgspec.Struct, frozen=True):
    available: bool
    seats: tuple[Seat, ...]
    unavailable: tuple[str, ...]
    remaining: int


class SectionCounts(msgspec.Struct, frozen=True):
    id: str
    name: str
    counts: Counts
    price_min: int
    price_max: int


class InventoryStatus(msgspec.Struct, frozen=True):
    plan: EventPlan
    sections: tuple[SectionCounts, ...]
    total: Counts
    counted_at: Instant


class SeatStates(msgspec.Struct, frozen=True):
    """`free` is as `free_in_order` packs it."""

    plan: EventPlan
    free: bytes
    counts: Counts
    at: Instant


class Inventory:
    def __init__(self, store: Store, clock: Clock, catalog: CatalogClient, share: Callable[[], Share] = whole) -> None:
        """`share` says how many processes sell from this store, and which of them this one is."""
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._share = share
        self._answers = Answers(store, clock)
        self.plans: dict[str, tuple[EventPlan, EventKeys]] = {}

    async def handle(self, event: DomainEvent) -> None:
        """Ask the catalog anew about an event that has changed."""
        if isinstance(event, EventChanged):
            self.plans.pop(event.event_id, None)

    async def reserve(self, request: Reserve, call: Call) -> Reserved:
        """Hold seats until the deadline; see `model.reserve` for what is refused."""
        return await self._answered(
            "reserve", request, Reserved, call, lambda idempotent: self.hold(_wanted(request), call, idempotent.commit)
        )

    async def hold(self, wanted: port.Wanted, call: Call, commit: port.Commit[Reserved]) -> Any:
        checked_id("reservation_id", wanted.reservation_id)
        plan, keys = await self._plan(wanted.event_id, call)
        now = self._clock.now()
        claim, tried = _claim(plan, wanted, now), self._tried(plan, wanted)
        model.checked_claim(plan, claim, now)
        hold_at, known_sale = hold_key(wanted.event_id, wanted.reservation_id), sale_window(plan.info)
        indexes = masks(plan, claim.seat_ids)
        rows: list[Key[RowState] | Prefix[RowState]] = [keys.rows[index] for index in indexes] or [keys.all]

        async def hold(person: Person) -> Any:
            def rule(view: View) -> Decision[Reserved]:
                states: Mapping[int, RowState]
                if indexes:
                    states, asked = keys.some(view, indexes), claim
                else:  # a range is read once: on DynamoDB it is put together each time
                    states = found = keys.looked_up(view)
                    asked = replace(claim, sections=keys.narrowed(found, tried, claim.quantity, now))
                before, others = view.get(hold_at), person.others(view)
                sale = window_in_force(view, wanted.event_id, known_sale)
                change = model.reserve(plan, states, before, asked, now, sale, others.values())
                seats = model.described(plan, change.hold.rows, SeatStatus.RESERVED)
                held = Reserved(seats, change.hold.deadline, change.hold.reservation_id, change.hold.status)
                return Decision(held, (*keys.writes(before, change), *person.writes(others, now)))

            return await commit((hold_at, sale_key(wanted.event_id), *person.reads, *rows), rule)

        return await self._for_person(plan, claim, hold)

    def _tried(self, plan: EventPlan, wanted: port.Wanted) -> tuple[SectionPlan, ...]:
        """The sections that are tried for who names no seats."""
        asked = wished(plan, wanted.section, wanted.price_max)
        return own_first(plan.by_price if asked is None else asked, *self._share())

    async def commit(self, request: Commit, call: Call) -> Sold:
        """Sell what the reservation holds, all or none; see `model.commit` for what is refused."""
        return await self._answered(
            "commit", request, Sold, call, lambda idempotent: self._commit(request, call, idempotent)
        )

    async def _commit(self, request: Commit, call: Call, idempotent: IdempotentCall[Sold]) -> Sold:
        now = self._clock.now()
        plan, keys = await self._plan(request.event_id, call)
        hold_at, hold = await self._hold(request.event_id, request.reservation_id)
        indexes = () if hold is None else tuple(hold.rows)

        def rule(view: View) -> Decision[Sold]:
            before = view.get(hold_at)
            _check_same_rows(before, indexes)
            _check_names(plan, before, request.seat_ids, request.quantity)
            change = model.commit(keys.some(view, indexes), before, request.payment_intent_id, now)
            seats = model.described(plan, change.hold.rows, SeatStatus.SOLD)
            sold = Sold(order_id(request.reservation_id), seats, change.hold.committed_at or now)
            return Decision(sold, keys.writes(before, change))

        return await idempotent.commit((hold_at, *(keys.rows[index] for index in indexes)), rule)

    async def sell(self, taken: port.Taken, payment_intent_id: str, call: Call, commit: port.Commit[None]) -> Any:
        now = self._clock.now()
        plan, keys = await self._plan(taken.event_id, call)
        model.known(plan, taken.seat_ids)
        hold_at, indexes = hold_key(taken.event_id, taken.reservation_id), masks(plan, taken.seat_ids)
        again = Claim(taken.reservation_id, taken.user_id, taken.seat_ids, len(taken.seat_ids), now + HOLD_AGAIN)

        async def sell(person: Person) -> Any:
            def rule(view: View) -> Decision[None]:
                before, states = view.get(hold_at), keys.some(view, indexes)
                _check_names(plan, before, taken.seat_ids, len(taken.seat_ids))
                try:
                    return Decision(None, keys.writes(before, model.commit(states, before, payment_intent_id, now)))
                except Refusal:
                    if before is None or before.status is HoldStatus.COMMITTED:
                        raise
                others = person.others(view)
                change = model.commit_late(plan, states, before, again, payment_intent_id, now, others.values())
                return Decision(None, (*keys.writes(before, change), *person.writes(others, now)))

            return await commit((hold_at, *person.reads, *(keys.rows[index] for index in indexes)), rule)

        return await self._for_person(plan, again, sell)

    async def release(self, request: Release, call: Call) -> Released:
        """Free what the reservation holds, never what it owns."""
        return await self._answered(
            "release", request, Released, call, lambda idempotent: self._release(request, call, idempotent)
        )

    async def _release(self, request: Release, call: Call, idempotent: IdempotentCall[Released]) -> Released:
        now = self._clock.now()
        plan, keys = await self._plan(request.event_id, call)
        hold_at, hold = await self._hold(request.event_id, request.reservation_id)
        indexes = () if hold is None else tuple(hold.rows)

        def rule(view: View) -> Decision[Released]:
            before = view.get(hold_at)
            _check_same_rows(before, indexes)
            _check_names(plan, before, request.seat_ids, request.quantity)
            change = model.release(keys.some(view, indexes), before)
            seats = model.described(plan, change.freed, SeatStatus.AVAILABLE)
            return Decision(Released(seats, now, was_released=not seats), keys.writes(before, change))

        return await idempotent.commit((hold_at, *(keys.rows[index] for index in indexes)), rule)

    async def extend(self, taken: port.Taken, deadline: Instant, call: Call, commit: port.Commit[None]) -> Any:
        now = self._clock.now()
        plan, keys = await self._plan(taken.event_id, call)
        model.known(plan, taken.seat_ids)
        hold_at, indexes = hold_key(taken.event_id, taken.reservation_id), masks(plan, taken.seat_ids)

        def rule(view: View) -> Decision[None]:
            before = view.get(hold_at)
            _check_names(plan, before, taken.seat_ids, len(taken.seat_ids))
            return Decision(None, keys.writes(before, model.extend(keys.some(view, indexes), before, deadline, now)))

        return await commit((hold_at, *(keys.rows[index] for index in indexes)), rule)

    async def let_go(self, taken: port.Taken, call: Call, commit: port.LetGo) -> Any:
        plan, keys = await self._plan(taken.event_id, call)
        hold_at = hold_key(taken.event_id, taken.reservation_id)
        indexes = masks(plan, (seat_id for seat_id in taken.seat_ids if seat_id in plan.places))

        def rule(view: View, sold_under: Sequence[str]) -> Decision[tuple[Seat, ...]]:
            before = view.get(hold_at)
            if before is None or before.rows != indexes:
                return Decision(())
            change = model.let_go(keys.some(view, indexes), before, sold_under)
            return Decision(model.described(plan, change.freed, SeatStatus.AVAILABLE), keys.writes(before, change))

        return await commit((hold_at, *(keys.rows[index] for index in indexes)), rule)

    async def block(self, house: House, call: Call) -> tuple[Seat, ...]:
        """Take seats off sale for the house, all or none; those that were not blocked before."""
        return await self._keep(house, SeatStatus.BLOCKED, model.block, call)

    async def unblock(self, house: House, call: Call) -> tuple[Seat, ...]:
        """Put seats of the house on sale; those that it had kept."""
        return await self._keep(
            house, SeatStatus.AVAILABLE, lambda _, states, wanted, __: model.unblock(states, wanted), call
        )

    async def check(
        self, event_id: str, seat_ids: tuple[str, ...], quantity: int, section_id: str, call: Call
    ) -> Availability:
        """Whether the named seats can be had now, or so many that anybody may be given, in a section or in any.

        The seats are those named that can be had; for a quantity those that would be given; for neither the
        free ones, at most SEATS_SHOWN_MAX of them.
        """
        plan, keys = await self._plan(event_id, call)
        now = self._clock.now()
        if len(seat_ids) > SEATS_SHOWN_MAX:
            raise Refusal.of_field("seat_ids", f"must be at most {SEATS_SHOWN_MAX}", len(seat_ids))
        model.known(plan, seat_ids)
        if not 0 <= quantity <= SEATS_PER_RESERVATION_MAX:
            raise Refusal.of_field("quantity", f"must be 0 to {SEATS_PER_RESERVATION_MAX}", quantity)
        if seat_ids and quantity not in (0, len(seat_ids)):
            raise Refusal.of_field("quantity", f"must equal the number of seat_ids ({len(seat_ids)})", quantity)
        sections = sections_named(plan, section_id)
        states = await self._states(keys)
        remaining = sum(model.counts(section.rows, states, now).available for section in sections)
        if seat_ids:
            wanted = masks(plan, seat_ids)
            can_be_had = {index: mask & free(plan.rows[index], states[index], now) for index, mask in wanted.items()}
            unavailable = tuple(
                seat_id for seat_id in seat_ids if not can_be_had[plan.places[seat_id][0]] & plan.places[seat_id][1]
            )
        else:
            tried = plan.by_price if quantity and not section_id else sections
            can_be_had = model.to_be_given(tried, states, quantity, SEATS_SHOWN_MAX, now)
            unavailable = ()
        seats = model.described(plan, can_be_had, SeatStatus.AVAILABLE)
        return Availability(bool(seats) and not unavailable, seats, unavailable, remaining)

    async def count(self, event_id: str, call: Call) -> Counts:
        """How many seats of an event are left, and for whom."""
        plan, keys = await self._plan(event_id, call)
        return model.counts(plan.rows, await self._states(keys), self._clock.now())

    async def seat_states(self, event_id: str, call: Call) -> SeatStates:
        """Which seats can be had now by their names."""
        plan, keys = await self._plan(event_id, call)
        states, now = await self._states(keys), self._clock.now()
        return SeatStates(plan, free_in_order(plan.rows, states, now), model.counts(plan.rows, states, now), now)

    async def status(self, event_id: str, section_id: str, call: Call) -> InventoryStatus:
        plan, keys = await self._plan(event_id, call)
        now = self._clock.now()
        states = await self._states(keys)
        sections = []
        for section in sections_named(plan, section_id):
            counts = model.counts(section.rows, states, now)
            sections.append(SectionCounts(section.id, section.name, counts, section.price_min, section.price_max))
        total = sum((section.counts for section in sections), Counts())
        return InventoryStatus(plan, tuple(sections), total, now)

    async def _keep(
        self,
        house: House,
        after: SeatStatus,
        rule: Callable[[EventPlan, Mapping[int, RowState], Mapping[int, int], Instant], dict[int, RowState]],
        call: Call,
    ) -> tuple[Seat, ...]:
        """Change what the house keeps, and write down who did it."""
        plan, keys = await self._plan(house.event_id, call)
        if not 1 <= len(house.seat_ids) <= HOUSE_SEATS_MAX:
            raise Refusal.of_field("seat_ids", f"must be 1 to {HOUSE_SEATS_MAX} seats", len(house.seat_ids))
        model.known(plan, house.seat_ids)
        checked_reason(house.reason)
        now = self._clock.now()
        wanted = masks(plan, house.seat_ids)
        if len(wanted) > HOUSE_ROWS_MAX:
            raise Refusal.of_field("seat_ids", f"must be seats of at most {HOUSE_ROWS_MAX} rows", len(wanted))

        def decide(view: View) -> Decision[tuple[Seat, ...]]:
            before = keys.some(view, wanted)
            rows = rule(plan, before, wanted, now)
            changed = {index: state.blocked ^ before[index].blocked for index, state in rows.items()}
            seats = model.described(plan, changed, after)
            if not seats:
                return Decision(())
            entry = Audited(
                at=now,
                actor=house.actor,
                action="seats",
                subject=f"{house.event_id} {', '.join(seat.id for seat in seats)}",
                old="",
                new=after.name,
                reason=house.reason,
                trace_id=call.trace_id,
            )
            return Decision(seats, (*keys.row_writes(rows), *audited(view, entry)))

        return await self._store.transact([CHAIN_END, *(keys.rows[index] for index in wanted)], decide)

    async def _answered(
        self,
        method: str,
        request: Reserve | Commit | Release,
        reply: type[R],
        call: Call,
        act: Callable[[IdempotentCall[R]], Awaitable[R]],
    ) -> R:
        scope, key = ("inventory", method, call.caller.name), request.idempotency_key
        return await self._answers.answer(scope, key, request, reply, act, window=KEY_WINDOW, trace_id=call.trace_id)

    async def _plan(self, event_id: str, call: Call) -> tuple[EventPlan, EventKeys]:
        known = self.plans.get(event_id)
        if known is None:
            plan = await self._catalog.plan(checked_id("event_id", event_id), call)
            if len(self.plans) >= PLANS_MAX:
                self.plans.clear()
            known = self.plans[event_id] = plan, EventKeys(plan)
        return known

    async def _hold(self, event_id: str, reservation_id: str) -> tuple[Key[Hold], Hold | None]:
        key = hold_key(event_id, checked_id("reservation_id", reservation_id))
        return key, await self._store.get(key)

    async def _for_person(self, plan: EventPlan, claim: Claim, act: Callable[[Person], Awaitable[Any]]) -> Any:
        """What `act` commits for the claim's user, of whom it must know what else they have of an event that limits it.

        Most have nothing else: so nothing is read before, and again with what they have when there is something.
        """
        is_limited = bool(plan.max_per_person and claim.user_id)
        key = person_key(plan.info.id, claim.user_id) if is_limited else None
        known: tuple[str, ...] = ()
        for _ in range(TRIES_MAX):
            with suppress(MovedPerson):
                return await act(Person(plan.info.id, claim, key, known))
            if key is not None:
                known = await self._store.get(key) or ()
        raise MovedPerson("the person makes too many reservations at once; try again")

    async def _states(self, keys: EventKeys) -> dict[int, RowState]:
        return await self._store.transact((keys.all,), lambda view: Decision(keys.every(view)))


def _claim(plan: EventPlan, wanted: port.Wanted, now: Instant) -> Claim:
    quantity = wanted.quantity or len(wanted.seat_ids)
    deadline = now + plan.hold if wanted.deadline is None else wanted.deadline
    return Claim(wanted.reservation_id, wanted.user_id, wanted.seat_ids, quantity, deadline)


def _wanted(request: Reserve) -> port.Wanted:
    return port.Wanted(
        request.reservation_id,
        request.event_id,
        request.user_id,
        request.seat_ids,
        request.quantity,
        request.hold_expires_at,
        request.section,
        request.price_max,
    )


def _check_same_rows(hold: Hold | None, indexes: tuple[int, ...]) -> None:
    """The hold was read before the decision, to know its rows; it must not have moved to others since."""
    if hold is not None and tuple(hold.rows) != indexes:
        raise MovedHold("the hold has moved to other rows; try again")


def _check_names(plan: EventPlan, hold: Hold | None, seat_ids: tuple[str, ...], quantity: int) -> None:
    """What the caller says the hold has must be what it has."""
    if hold is None:
        return
    model.known(plan, seat_ids)
    if seat_ids and masks(plan, seat_ids) != hold.rows:
        raise Refusal.of_field("seat_ids", "must be the seats that the reservation holds")
    count = sum(map(int.bit_count, hold.rows.values()))
    if quantity and quantity != count:
        raise Refusal.of_field("quantity", f"must be the number of seats held ({count})", quantity)

"""Seats: AVAILABLE --reserve--> RESERVED(reservation, deadline) --commit--> SOLD(reservation) --refund--> AVAILABLE.

BLOCKED is the house's.

A hold past its deadline holds nothing, on reading it: nobody has to come by and free it.
What a reservation holds, row by row, is in its own `Hold`, so every release and commit touches only
what that reservation still owns.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import msgspec

from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.event_info import ALWAYS, SaleWindow
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.limits import SEATS_PER_RESERVATION_MAX
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.rooms.inventory.best_available import choose
from traffic_tacos.rooms.inventory.rows import (
    UNTOUCHED,
    EventPlan,
    RowHold,
    RowPlan,
    RowSale,
    RowState,
    SectionPlan,
    bits,
    free,
    lowest,
    masks,
    offered,
    with_hold,
    with_holds,
)

HOLD_MAX = 15 * MINUTE
DECIDED_WITHIN = 10 * SECOND  # from looking at the clock to the commit; no call takes longer
TAKEN_SHOWN_MAX = 100


class HoldStatus(Enum):
    ACTIVE = "active"
    RELEASED = "released"
    COMMITTED = "committed"


class Hold(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one reservation holds or owns. `deadline` is exclusive: at it, the hold has lost."""

    reservation_id: str
    user_id: str
    rows: dict[int, int]  # row index -> seat mask
    deadline: Instant
    status: HoldStatus
    payment_intent_id: str = ""
    committed_at: Instant | None = None
    held_at: Instant | None = None  # when these seats were first held; unknown of holds from before this was kept
    person_max: int = 0  # how many seats of the event one person might have when they were held; 0 for any number

    def is_live(self, now: Instant) -> bool:
        return self.status is HoldStatus.ACTIVE and now < self.deadline

    @property
    def quantity(self) -> int:
        return sum(map(int.bit_count, self.rows.values()))

    def counts_for_person(self, now: Instant) -> bool:
        """Whether its seats are its user's, or may be yet: a sale that looked at the clock before the deadline may be
        decided after it.
        """
        may_be_sold = self.status is HoldStatus.ACTIVE and now < self.deadline + DECIDED_WITHIN
        return may_be_sold or self.status is HoldStatus.COMMITTED


class Claim(msgspec.Struct, frozen=True):
    """What a reservation asks for: named seats, or the best available `quantity` of `sections`, the first ones first;
    None for those of the whole event, the cheapest first.
    """

    reservation_id: str
    user_id: str
    seat_ids: tuple[str, ...]
    quantity: int
    deadline: Instant
    sections: tuple[SectionPlan, ...] | None = None


class Change(msgspec.Struct, frozen=True):
    """The hold after a step, and the rows that the step changed."""

    hold: Hold
    rows: dict[int, RowState]

    @property
    def freed(self) -> dict[int, int]:
        """Of a step that frees seats: which."""
        return {index: self.hold.rows[index] for index in self.rows}


def checked_claim(plan: EventPlan, claim: Claim, now: Instant) -> Claim:
    """The claim, when it can be meant: INVALID_ARGUMENT or NOT_FOUND otherwise."""
    count = len(claim.seat_ids)
    if count > SEATS_PER_RESERVATION_MAX:
        raise Refusal.of_field("seat_ids", f"must be at most {SEATS_PER_RESERVATION_MAX}", count)
    if claim.quantity < 0 or claim.quantity > SEATS_PER_RESERVATION_MAX:
        raise Refusal.of_field("quantity", f"must be 1 to {SEATS_PER_RESERVATION_MAX}", claim.quantity)
    if count and claim.quantity and claim.quantity != count:
        raise Refusal.of_field("quantity", f"must equal the number of seat_ids ({count})", claim.quantity)
    if not count and not claim.quantity:
        raise Refusal.of_field("quantity", "is required when no seat_ids are given")
    if len(set(claim.seat_ids)) != count:
        raise Refusal.of_field("seat_ids", "must not name a seat twice")
    known(plan, claim.seat_ids)
    if not now < claim.deadline <= now + HOLD_MAX:
        raise Refusal.of_field("hold_expires_at", f"must be within {HOLD_MAX // SECOND} seconds from now")
    return claim


def known(plan: EventPlan, seat_ids: Iterable[str]) -> None:
    """Refuse with NOT_FOUND when a seat is not of this event."""
    unknown = [seat_id for seat_id in seat_ids if seat_id not in plan.places]
    if unknown:
        details = (Detail("seat_ids", "must be a seat of this event", seat_id[:80]) for seat_id in unknown[:20])
        raise Refusal(Code.NOT_FOUND, f"seat_ids: there is no seat {unknown[0][:80]} in this event", *details)


def reserve(
    plan: EventPlan,
    states: Mapping[int, RowState],
    hold: Hold | None,
    claim: Claim,
    now: Instant,
    sale: SaleWindow = ALWAYS,
    others: Iterable[Hold] = (),
) -> Change:
    """The claim's seats, reserved until its deadline.

    Repeating it under the same reservation changes nothing while the hold lives. INVENTORY_CONFLICT
    names taken seats; INSUFFICIENT_INVENTORY when nothing fits; FAILED_PRECONDITION outside of the sale, but for
    the very seats that this reservation held before, since what was held may be paid; QUOTA_EXCEEDED when the user's
    `others` leave no room for so many; then nothing has changed.
    Without `seat_ids`, `states` must have every row of the event.
    """
    if hold is not None and hold.status is HoldStatus.COMMITTED:
        raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: its seats are sold already")
    if hold is not None and hold.is_live(now):
        if _asks_for(plan, claim) not in (hold.rows, hold.quantity):
            raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: holds other seats already")
        return Change(hold, {})
    if hold is not None and masks(plan, claim.seat_ids) == hold.rows:
        held_at = hold.held_at
    else:
        sale.check_open(now)
        held_at = now
    check_person(plan.max_per_person, claim, others, now)
    wanted = _named(plan, states, claim, now) if claim.seat_ids else _best(plan, states, claim, now)
    taken = Hold(
        claim.reservation_id,
        claim.user_id,
        wanted,
        claim.deadline,
        HoldStatus.ACTIVE,
        held_at=held_at,
        person_max=plan.max_per_person,
    )
    return Change(taken, _held(states, wanted, claim, now))


def check_person(seats_max: int, claim: Claim, others: Iterable[Hold], now: Instant) -> None:
    """Refuse with QUOTA_EXCEEDED when the claim would give its user more seats of the event than one person may have,
    with what their other reservations hold and own. 0 is any number.
    """
    has = sum(hold.quantity for hold in others if hold.counts_for_person(now))
    left = max(0, seats_max - has)
    if seats_max and claim.quantity > left:
        raise Refusal(
            Code.QUOTA_EXCEEDED,
            f"user_id: has {has} of the {seats_max} seats of this event that one person may have",
            Detail("quantity", f"must be at most {left}", str(claim.quantity)),
        )


def commit(states: Mapping[int, RowState], hold: Hold | None, payment_intent_id: str, now: Instant) -> Change:
    """The held seats, sold: all or none.

    RESERVATION_EXPIRED at or after the deadline, INVENTORY_CONFLICT when a seat is no longer held by
    this reservation, NOT_FOUND when it never held any. Repeating a success changes nothing.
    """
    if hold is None:
        raise Refusal(Code.NOT_FOUND, "reservation_id: holds no seats of this event")
    if hold.status is HoldStatus.COMMITTED:
        if hold.payment_intent_id != payment_intent_id:
            raise Refusal(Code.INVENTORY_CONFLICT, "payment_intent_id: the seats were sold under another payment")
        return Change(hold, {})
    if hold.status is HoldStatus.RELEASED:
        raise Refusal(Code.INVENTORY_CONFLICT, "reservation_id: its seats were released")
    if not hold.is_live(now):
        raise Refusal(Code.RESERVATION_EXPIRED, "reservation_id: the hold passed its deadline")
    rows = {}
    for index, seats in hold.rows.items():
        state = states[index]
        if _held_by(state, hold.reservation_id) != seats:
            raise Refusal(Code.INVENTORY_CONFLICT, "reservation_id: a seat is held by somebody else")
        rows[index] = msgspec.structs.replace(
            _without_hold(state, hold.reservation_id),
            sold=(*state.sold, RowSale(hold.reservation_id, seats)),
            gone=state.gone | seats,
        )
    sold = msgspec.structs.replace(
        hold, status=HoldStatus.COMMITTED, payment_intent_id=payment_intent_id, committed_at=now
    )
    return Change(sold, rows)


def commit_late(
    plan: EventPlan,
    states: Mapping[int, RowState],
    hold: Hold,
    again: Claim,
    payment_intent_id: str,
    now: Instant,
    others: Iterable[Hold],
) -> Change:
    """The seats of a hold that has ended, held once more and sold: if all of them are free. See `reserve` for what is
    refused; `again` claims the very same seats.
    """
    held = reserve(plan, states, hold, again, now, others=others)
    sold = commit({**states, **held.rows}, held.hold, payment_intent_id, now)
    return Change(sold.hold, held.rows | sold.rows)


def extend(states: Mapping[int, RowState], hold: Hold | None, deadline: Instant, now: Instant) -> Change:
    """The held seats, reserved until a later deadline; an earlier one changes nothing.

    NOT_FOUND when the reservation never held any, FAILED_PRECONDITION when it owns them,
    RESERVATION_EXPIRED when the hold has ended: then nothing has changed.
    """
    if hold is None:
        raise Refusal(Code.NOT_FOUND, "reservation_id: holds no seats of this event")
    if hold.status is HoldStatus.COMMITTED:
        raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: its seats are sold already")
    if not hold.is_live(now):
        raise Refusal(Code.RESERVATION_EXPIRED, "reservation_id: the hold has ended")
    if not deadline <= now + HOLD_MAX:
        raise Refusal.of_field("hold_expires_at", f"must be within {HOLD_MAX // SECOND} seconds from now")
    if deadline <= hold.deadline:
        return Change(hold, {})
    rows = {
        index: _with_hold(states[index], RowHold(hold.reservation_id, seats, deadline), now)
        for index, seats in hold.rows.items()
    }
    return Change(msgspec.structs.replace(hold, deadline=deadline), rows)


def release(states: Mapping[int, RowState], hold: Hold | None) -> Change:
    """The held seats, free again; a released hold stays as it is.

    NOT_FOUND when the reservation never held any, FAILED_PRECONDITION when it owns them: a release never
    frees a sold seat.
    """
    if hold is None:
        raise Refusal(Code.NOT_FOUND, "reservation_id: holds no seats of this event")
    if hold.status is HoldStatus.COMMITTED:
        raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: its seats are sold; a refund frees them")
    if hold.status is HoldStatus.RELEASED:
        return Change(hold, {})
    rows = {
        index: _without_hold(states[index], hold.reservation_id)
        for index in hold.rows
        if _held_by(states[index], hold.reservation_id)
    }
    return Change(msgspec.structs.replace(hold, status=HoldStatus.RELEASED), rows)


def give_back(states: Mapping[int, RowState], hold: Hold | None, sold_under: Sequence[str] = ()) -> Change:
    """The owned seats, on sale again; what was given back or released stays so, and may be another's by now.

    NOT_FOUND when the reservation never had any, FAILED_PRECONDITION when they are only held, or were sold
    under none of the payments in `sold_under`, if it names any.
    """
    if hold is None:
        raise Refusal(Code.NOT_FOUND, "reservation_id: has no seats of this event")
    if hold.status is HoldStatus.RELEASED:
        return Change(hold, {})
    if hold.status is not HoldStatus.COMMITTED:
        raise Refusal(Code.FAILED_PRECONDITION, "reservation_id: its seats are not sold; release them")
    if sold_under and hold.payment_intent_id not in sold_under:
        raise Refusal(Code.FAILED_PRECONDITION, "sold_under: must name the payment that the seats were sold under")
    rows = {
        index: msgspec.structs.replace(
            states[index],
            sold=tuple(sale for sale in states[index].sold if sale.reservation_id != hold.reservation_id),
            gone=states[index].gone & ~seats,
        )
        for index, seats in hold.rows.items()
    }
    return Change(msgspec.structs.replace(hold, status=HoldStatus.RELEASED), rows)


def let_go(states: Mapping[int, RowState], hold: Hold, sold_under: Sequence[str]) -> Change:
    """What is held, free again, and what was sold under one of these payments on sale again; anything else stays."""
    if hold.status is HoldStatus.ACTIVE:
        return release(states, hold)
    if hold.status is HoldStatus.COMMITTED and hold.payment_intent_id in sold_under:
        return give_back(states, hold, sold_under)
    return Change(hold, {})


def block(
    plan: EventPlan, states: Mapping[int, RowState], wanted: Mapping[int, int], now: Instant
) -> dict[int, RowState]:
    """The rows with these seats kept by the house; what it keeps already stays so.

    INVENTORY_CONFLICT names those that somebody holds or owns: then nothing has changed.
    """
    taken = {
        index: mask & ~states[index].blocked & ~free(plan.rows[index], states[index], now)
        for index, mask in wanted.items()
    }
    if any(taken.values()):
        raise _not_available([seat.id for seat in described(plan, taken, SeatStatus.RESERVED)])
    return {
        index: msgspec.structs.replace(
            states[index], blocked=states[index].blocked | mask, gone=states[index].gone | mask
        )
        for index, mask in wanted.items()
        if mask & ~states[index].blocked
    }


def unblock(states: Mapping[int, RowState], wanted: Mapping[int, int]) -> dict[int, RowState]:
    """The rows without the house's claim to these seats; what it does not keep stays as it is."""
    return {
        index: msgspec.structs.replace(
            states[index],
            blocked=states[index].blocked & ~mask,
            gone=states[index].gone & ~(mask & states[index].blocked),
        )
        for index, mask in wanted.items()
        if mask & states[index].blocked
    }


def status(row: RowPlan, state: RowState, mask: int, now: Instant) -> SeatStatus:
    if mask & state.blocked:
        return SeatStatus.BLOCKED
    if mask & state.gone:
        return SeatStatus.SOLD
    return SeatStatus.AVAILABLE if mask & free(row, state, now) else SeatStatus.RESERVED


def described(plan: EventPlan, rows: Mapping[int, int], seat_status: SeatStatus) -> tuple[Seat, ...]:
    """The seats of these masks, in order."""
    return tuple(
        seat(plan, plan.rows[index], number, seat_status)
        for index, mask in sorted(rows.items())
        for number in bits(mask)
    )


def seat(plan: EventPlan, row: RowPlan, number: int, seat_status: SeatStatus) -> Seat:
    planned = row.seats[number]
    price = Money(planned.price, plan.currency)
    section, label = row.section_label or row.section, row.label or row.row
    return Seat(planned.id, section, label, planned.number, price, seat_status)


class Counts(msgspec.Struct, frozen=True):
    """`blocked` is what nobody is given: what the house keeps, and the free seats kept for who needs them.

    `accessible` are those seats alone, and `accessible_held` those of the reserved.
    """

    total: int = 0
    available: int = 0
    reserved: int = 0
    sold: int = 0
    blocked: int = 0
    accessible: int = 0
    accessible_held: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


def counts(rows: Iterable[RowPlan], states: Mapping[int, RowState], now: Instant) -> Counts:
    """available + reserved + sold + blocked = total."""
    total = available = blocked = gone = accessible = accessible_held = 0
    for row in rows:
        state, kept = states.get(row.index, UNTOUCHED), row.kept
        seats = free(row, state, now)
        total += len(row.seats)
        available += (seats & ~kept).bit_count()  # as `offered` has it
        gone += state.gone.bit_count()
        if kept:
            accessible += (seats & kept).bit_count()
            accessible_held += (kept & ~seats & ~state.gone).bit_count()
        if state.blocked:
            blocked += state.blocked.bit_count()
    reserved = total - available - accessible - gone
    return Counts(total, available, reserved, gone - blocked, blocked + accessible, accessible, accessible_held)


def to_be_given(
    sections: Sequence[SectionPlan], states: Mapping[int, RowState], quantity: int, seats_max: int, now: Instant
) -> dict[int, int]:
    """The best available `quantity`, none when there are not so many; for 0 all that are free, within the maximum."""
    if quantity:
        try:
            return choose(sections, states, quantity, now)
        except Refusal:
            return {}
    found: dict[int, int] = {}
    for row in (row for section in sections for row in section.rows):
        seats = offered(row, states.get(row.index, UNTOUCHED), now)
        if seats.bit_count() >= seats_max:
            found[row.index] = lowest(seats, seats_max)
            break
        seats_max -= seats.bit_count()
        if seats:
            found[row.index] = seats
    return found


def _best(plan: EventPlan, states: Mapping[int, RowState], claim: Claim, now: Instant) -> dict[int, int]:
    """As many seats as are wanted, the best of where they may be; INSUFFICIENT_INVENTORY when nothing fits."""
    sections = plan.by_price if claim.sections is None else claim.sections
    return choose(sections, states, claim.quantity, now)


def _held(states: Mapping[int, RowState], wanted: Mapping[int, int], claim: Claim, now: Instant) -> dict[int, RowState]:
    """The rows of the wanted seats, with the claim's hold."""
    return {
        index: _with_hold(states[index], RowHold(claim.reservation_id, seats, claim.deadline), now)
        for index, seats in wanted.items()
    }


def _named(plan: EventPlan, states: Mapping[int, RowState], claim: Claim, now: Instant) -> dict[int, int]:
    wanted = masks(plan, claim.seat_ids)
    taken = [
        seat_id
        for seat_id in claim.seat_ids
        for index, mask in (plan.places[seat_id],)
        if not mask & free(plan.rows[index], states[index], now)
    ]
    if taken:
        raise _not_available(taken)
    return wanted


def _not_available(seat_ids: Sequence[str]) -> Refusal:
    details = (Detail("seat_ids", "must be available", seat_id) for seat_id in seat_ids[:TAKEN_SHOWN_MAX])
    shown = ", ".join(seat_ids[:TAKEN_SHOWN_MAX])
    return Refusal(Code.INVENTORY_CONFLICT, f"seat_ids: not available: {shown}", *details)


def _asks_for(plan: EventPlan, claim: Claim) -> dict[int, int] | int:
    return masks(plan, claim.seat_ids) if claim.seat_ids else claim.quantity


def _held_by(state: RowState, reservation_id: str) -> int:
    return next((hold.seats for hold in state.held if hold.reservation_id == reservation_id), 0)


def _with_hold(state: RowState, hold: RowHold, now: Instant) -> RowState:
    """The row with one more hold, without those that are past their deadline."""
    own = hold.reservation_id
    if now < state.lapses_at and own not in [one.reservation_id for one in state.held]:  # all go on: nearly always so
        return with_hold(state, hold)
    return with_holds(state, [*(one for one in state.held if now < one.deadline and one.reservation_id != own), hold])


def _without_hold(state: RowState, reservation_id: str) -> RowState:
    return with_holds(state, (hold for hold in state.held if hold.reservation_id != reservation_id))

"""Rows of seats: what never changes of them, what does, and which of their seats are free.

A row is one record: seat `i` of the row is bit `i` of every mask. A standing block is a row without
neighbours. Pure, like `model`.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from traffic_tacos.kernel.event_info import EventInfo
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.limits import HOLD_SECONDS


class SeatPlan(msgspec.Struct, frozen=True):
    id: str
    number: str
    price: int


class RowPlan(msgspec.Struct, frozen=True):
    """What never changes of a row.

    `joined` has bit `i` where seats `i` and `i + 1` are adjacent; `depth` is the distance from the
    section's focal point and `middle` the seat nearest to it, both counted in seats. `kept` are the
    accessible seats, which only their names sell. The labels are what people call row and section.
    """

    index: int
    section: str
    row: str
    seats: tuple[SeatPlan, ...]
    full: int
    joined: int
    standing: bool
    depth: float
    middle: float
    kept: int = 0
    label: str = ""
    section_label: str = ""


class SectionPlan(msgspec.Struct, frozen=True):
    """A section; `rows` from the nearest to its focal point outwards. Prices are in minor units.

    Where somebody knows that the others have none, `tidy` are those of the rows that may have a place which leaves no
    single seat, and `fitting` those that may have any place.
    """

    id: str
    name: str
    rows: tuple[RowPlan, ...]
    price_min: int = 0
    price_max: int = 0
    tidy: tuple[RowPlan, ...] | None = None
    fitting: tuple[RowPlan, ...] | None = None


class EventPlan(msgspec.Struct, frozen=True):
    info: EventInfo
    currency: str
    sections: tuple[SectionPlan, ...]
    rows: tuple[RowPlan, ...]
    places: dict[str, tuple[int, int]]  # seat id -> row index and seat mask
    hold: Instant = HOLD_SECONDS * SECOND
    revision: str = ""  # a digest of the seating
    max_per_person: int = 0  # seats in all orders together; 0 for any number
    by_price: tuple[SectionPlan, ...] = ()  # in the order in which who names nothing is given seats


class RowHold(msgspec.Struct, frozen=True, array_like=True, gc=False):
    reservation_id: str
    seats: int
    deadline: Instant


class RowSale(msgspec.Struct, frozen=True, array_like=True, gc=False):
    reservation_id: str
    seats: int


class RowState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What changes of a row: who holds and who owns which of its seats.

    `gone` is sold and blocked together; `held_seats` and `lapses_at` sum up the holds, so that a search
    looks at single holds only where one has lapsed. `with_holds` keeps them true.
    """

    held: tuple[RowHold, ...] = ()
    sold: tuple[RowSale, ...] = ()
    blocked: int = 0
    gone: int = 0
    held_seats: int = 0
    lapses_at: Instant = 0


UNTOUCHED = RowState()


def free(row: RowPlan, state: RowState, now: Instant) -> int:
    """The seats that can be had by name: nobody owns them or holds them, and the house does not keep them."""
    if now < state.lapses_at:
        return row.full & ~(state.gone | state.held_seats)
    mask = row.full & ~state.gone
    for hold in state.held:
        if now < hold.deadline:
            mask &= ~hold.seats
    return mask


def offered(row: RowPlan, state: RowState, now: Instant) -> int:
    """The free seats that anybody may be given: all but those kept for who needs them.

    This is what "available" means wherever seats are counted, searched or waited for.
    """
    return free(row, state, now) & ~row.kept


def with_holds(state: RowState, held: Iterable[RowHold]) -> RowState:
    """The row with these holds."""
    held = tuple(held)
    seats = lapses_at = 0
    for hold in held:
        seats |= hold.seats
        if hold.deadline < lapses_at or not lapses_at:
            lapses_at = hold.deadline
    return RowState(held, state.sold, state.blocked, state.gone, seats, lapses_at)


def with_hold(state: RowState, hold: RowHold) -> RowState:
    """The row with one more hold; the same as `with_holds` says, without looking at the others again."""
    lapses_at = min(state.lapses_at, hold.deadline) if state.held else hold.deadline
    held, seats = (*state.held, hold), state.held_seats | hold.seats
    return RowState(held, state.sold, state.blocked, state.gone, seats, lapses_at)


def masks(plan: EventPlan, seat_ids: Iterable[str]) -> dict[int, int]:
    """Seat ids as masks by row."""
    rows: dict[int, int] = {}
    for seat_id in seat_ids:
        index, mask = plan.places[seat_id]
        rows[index] = rows.get(index, 0) | mask
    return rows


def bits(mask: int) -> Iterator[int]:
    """The numbers of the set bits, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def lowest(seats: int, quantity: int) -> int:
    """The lowest of these seats."""
    mask = 0
    for _ in range(quantity):
        low = seats & -seats
        mask |= low
        seats ^= low
    return mask


def free_in_order(rows: Iterable[RowPlan], states: Mapping[int, RowState], now: Instant) -> bytes:
    """The free seats of these rows, one after the other: seat i is bit i % 8, from the lowest, of byte i // 8."""
    packed = bytearray()
    pending = count = 0
    for row in rows:
        pending |= free(row, states.get(row.index, UNTOUCHED), now) << count
        count += len(row.seats)
        whole = count // 8
        packed += (pending & (1 << 8 * whole) - 1).to_bytes(whole, "little")
        pending >>= 8 * whole
        count -= 8 * whole
    return bytes(packed) + pending.to_bytes((count + 7) // 8, "little")

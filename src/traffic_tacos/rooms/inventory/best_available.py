"""The best available seats: adjacent in one row, leaving nobody's future neighbour alone, near the focal point.

Chosen inside the decision that takes them, so a crowd never picks the same ones. Pure, like `model`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.rooms.inventory.rows import UNTOUCHED, RowPlan, RowState, SectionPlan, lowest, offered

PLACES_REMEMBERED = 50_000


def choose(
    sections: Sequence[SectionPlan], states: Mapping[int, RowState], quantity: int, now: Instant
) -> dict[int, int]:
    """Adjacent in one row, section by section; then spread over a section in as few pieces as there are.

    A place that leaves a seat alone is taken only when no section of the same price has a better one.
    """
    untidy: dict[int, int] | None = None
    costs = 0
    for section in sections:
        if untidy is not None and section.price_max != costs:
            return untidy
        found = None if section.tidy is None else best_in_section(section.tidy, states, quantity, now)
        if found is None or found[0]:
            found = best_in_section(section.rows if section.fitting is None else section.fitting, states, quantity, now)
        if found is not None:
            leaves_one, row, mask = found
            if not leaves_one:
                return {row.index: mask}
            untidy, costs = untidy or {row.index: mask}, section.price_max
    if untidy is not None:
        return untidy
    for section in sections:
        spread = _spread(section.rows, states, quantity, now)
        if spread is not None:
            return spread
    raise Refusal(
        Code.INSUFFICIENT_INVENTORY,
        f"quantity: no section has {quantity} seats left",
        Detail("quantity", "must be at most what a section has left", str(quantity)),
    )


def best_in_section(
    rows: Sequence[RowPlan], states: Mapping[int, RowState], quantity: int, now: Instant
) -> tuple[bool, RowPlan, int] | None:
    """The best adjacent place in one row: whether it leaves a seat alone, the row, the seats. None when none fits.

    First those that leave no single seat, among them the nearest to the focal point. `rows` come
    nearest first, so the search ends where no further row can be nearer.
    """
    best: tuple[tuple[bool, float], RowPlan, int] | None = None
    half = (quantity - 1) / 2
    block = (1 << quantity) - 1
    for row in rows:
        state = states.get(row.index, UNTOUCHED)
        taken = state.gone | state.held_seats
        if now >= state.lapses_at and state.held:
            seats = offered(row, state, now)
        elif taken == row.full:
            continue  # most rows near the focal point are sold out, once a sale is under way
        else:  # as `offered`, in place and without single holds: a call for each row takes as long as all else
            seats = row.full & ~(taken | row.kept)
        if not seats:
            continue
        depth = row.depth * row.depth
        if best is not None and not best[0][0] and depth > best[0][1]:
            break
        if seats.bit_count() < quantity:
            continue
        if row.standing:
            rank, mask = (False, depth), lowest(seats, quantity)
        else:
            place = place_in_row(row.joined, row.middle, seats, quantity)
            if place is None:
                continue
            leaves_one, start = place
            rank, mask = (leaves_one, depth + (start + half - row.middle) ** 2), block << start
        if best is None or rank < best[0]:
            best = rank, row, mask
    return None if best is None else (best[0][0], best[1], best[2])


@lru_cache(maxsize=PLACES_REMEMBERED)
def place_in_row(joined: int, middle: float, seats: int, quantity: int) -> tuple[bool, int] | None:
    """Where in a row `quantity` sit best: whether that leaves a seat alone, and the first seat.

    A pure function of four numbers, remembered because a crowd asks it of the same rows again and again.
    """
    starts = fitting(joined, seats, quantity)
    if not starts:
        return None
    tidy = starts & ~_leaving_one(joined, seats, quantity)
    return not tidy, _nearest(tidy or starts, middle - (quantity - 1) / 2)


def fitting(joined: int, seats: int, quantity: int) -> int:
    """The mask of seats from which `quantity` free seats run on, each adjacent to the next."""
    found = _fitting_by_size(joined, seats, quantity)
    return found[-1] if len(found) == quantity else 0


def _leaving_one(joined: int, seats: int, quantity: int) -> int:
    """The starts at which a run of `quantity` would leave exactly one free seat beside it."""
    left = ((seats & joined) << 1) & seats  # a free neighbour on the left
    lonely_left = left & ~(left << 1)
    right = (seats >> quantity) & (joined >> (quantity - 1))  # a free neighbour behind the run
    lonely_right = right & ~((seats >> (quantity + 1)) & (joined >> quantity))
    return lonely_left | lonely_right


def _nearest(starts: int, target: float) -> int:
    """The set bit nearest to the target."""
    at = max(0, round(target))
    above = starts >> at
    below = starts & ((1 << at) - 1)
    up = at + (above & -above).bit_length() - 1 if above else None
    down = below.bit_length() - 1 if below else None
    if up is None or down is None:
        return up if down is None else down  # type: ignore[return-value]  # starts is not empty
    return up if abs(up - target) <= abs(target - down) else down


def _spread(
    rows: Sequence[RowPlan], states: Mapping[int, RowState], quantity: int, now: Instant
) -> dict[int, int] | None:
    """Longest runs first, in the rows nearest to each other: a party is cut as little as can be."""
    frees = {row.index: mask for row in rows if (mask := offered(row, states.get(row.index, UNTOUCHED), now))}
    if sum(map(int.bit_count, frees.values())) < quantity:
        return None
    some = [row for row in rows if row.index in frees]
    starts = {row.index: _starts_by_size(row, frees[row.index], quantity) for row in some}
    chosen: dict[int, int] = {}
    last: RowPlan | None = None
    left = quantity
    for size in range(quantity, 0, -1):
        while left >= size:
            fits = [row for row in some if len(starts[row.index]) >= size]
            if not fits:
                break
            near = last.depth if last is not None else fits[0].depth
            row = min(fits, key=lambda fit: abs(fit.depth - near))
            mask = ((1 << size) - 1) << _nearest(starts[row.index][size - 1], row.middle)
            if row.standing:
                mask = lowest(frees[row.index], size)
            chosen[row.index] = chosen.get(row.index, 0) | mask
            frees[row.index] &= ~mask
            starts[row.index] = _starts_by_size(row, frees[row.index], quantity)
            left -= size
            last = row
    return chosen


def _starts_by_size(row: RowPlan, seats: int, size_max: int) -> list[int]:
    if row.standing:
        return [seats] * min(size_max, seats.bit_count())
    return _fitting_by_size(row.joined, seats, size_max)


def _fitting_by_size(joined: int, seats: int, size_max: int) -> list[int]:
    """Where one seat, two, three … next to each other begin, as long as there are any; each from the one before."""
    found: list[int] = []
    starts = seats
    while starts and len(found) < size_max:
        found.append(starts)
        step = len(found)
        starts &= (seats >> step) & (joined >> (step - 1))
    return found

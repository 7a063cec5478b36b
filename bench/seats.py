"""`python -m bench.seats`: how long the search for the best available seats takes, in houses of 10,000 and 50,000.

The search is a pure function, timed by itself: no store, no wire. Houses are filled by the search itself, with
parties of two to six, and then thinned out at random, as by cancellations. A *cold* search has its memory of
rows cleared first.
"""

import random
import time

from rich.console import Console

from traffic_tacos.cli.shown import Listing
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.event_info import EventInfo
from traffic_tacos.rooms.inventory import best_available
from traffic_tacos.rooms.inventory.best_available import choose
from traffic_tacos.rooms.inventory.rows import EventPlan, RowPlan, RowState, SeatPlan, SectionPlan

SEATS_PER_ROW, ROWS_PER_SECTION = 50, 200
NOW = 1000
SEARCHES = 2000
THINNED_OUT = 0.02


def main() -> None:
    table = Listing("seats", "sold", "party", "warm p50 us", "warm p95 us", "cold p50 us", "cold p95 us")
    console = Console()
    for sections in (1, 5):
        plan = house(sections)
        for sold in (0.0, 0.5, 0.9, 0.99):
            console.print(f"{len(plan.places):,} seats, {sold:.0%} sold …")
            states = filled(plan, sold)
            for party in (2, 6):
                warm, cold = timed(plan, states, party, cold=False), timed(plan, states, party, cold=True)
                shown = [f"{value:,.0f}" for value in (*warm, *cold)]
                table.add(f"{len(plan.places):,}", f"{sold:.0%}", str(party), *shown)
    table.print()


def house(sections: int) -> EventPlan:
    rows: list[RowPlan] = []
    planned = []
    for section in range(sections):
        own = [_row(len(rows) + at, f"S{section}", at) for at in range(ROWS_PER_SECTION)]
        rows += own
        planned.append(SectionPlan(f"S{section}", f"S{section}", tuple(own)))
    places = {seat.id: (row.index, 1 << bit) for row in rows for bit, seat in enumerate(row.seats)}
    return EventPlan(EventInfo("e", "E"), "KRW", tuple(planned), tuple(rows), places)


def filled(plan: EventPlan, share: float) -> dict[int, RowState]:
    """So much of the house sold, party by party, with a few seats given back here and there."""
    chance, gone = random.Random(1), dict.fromkeys(range(len(plan.rows)), 0)
    wanted, sold = int(len(plan.places) * min(1.0, share * (1 + THINNED_OUT))), 0
    states: dict[int, RowState] = {}
    while sold < wanted:
        try:
            chosen = choose(plan.sections, states, chance.randint(2, 6), NOW)
        except Refusal:
            break
        for index, mask in chosen.items():
            gone[index] |= mask
            sold += mask.bit_count()
            states[index] = RowState(gone=gone[index])
    for index in [index for index, mask in gone.items() if mask]:
        for bit in range(SEATS_PER_ROW):
            if gone[index] >> bit & 1 and chance.random() < THINNED_OUT:
                gone[index] &= ~(1 << bit)
        states[index] = RowState(gone=gone[index])
    return states


def timed(plan: EventPlan, states: dict[int, RowState], party: int, *, cold: bool) -> tuple[float, float]:
    """Microseconds of a search: the median, and the 95th percentile."""
    took = []
    for _ in range(SEARCHES // (10 if cold else 1)):
        if cold:
            best_available.place_in_row.cache_clear()
        begun = time.perf_counter()
        try:
            choose(plan.sections, states, party, NOW)
        except Refusal:
            pass
        took.append((time.perf_counter() - begun) * 1e6)
    took.sort()
    return took[len(took) // 2], took[len(took) * 95 // 100]


def _row(index: int, section: str, at: int) -> RowPlan:
    seats = tuple(SeatPlan(f"{section}-{at}-{number}", str(number), 10) for number in range(SEATS_PER_ROW))
    full = (1 << SEATS_PER_ROW) - 1
    joined = (full >> 1) & ~(1 << 11) & ~(1 << 37)
    return RowPlan(index, section, str(at), seats, full, joined, False, float(at), (SEATS_PER_ROW - 1) / 2)


if __name__ == "__main__":
    main()

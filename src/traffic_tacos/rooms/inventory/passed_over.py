"""Rows that have no good place for a party are passed over by a search before it begins: once a sale is under way, most
of the rows that it would look at are such rows, and it would look at them for every reservation.

What is remembered of a row is the very state that had no such place. So a row that anybody has changed meanwhile is
looked at again, and what a search finds depends on nothing but the states of now.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import is_

from msgspec.structs import replace

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.rooms.inventory.best_available import place_in_row
from traffic_tacos.rooms.inventory.rows import EventPlan, RowPlan, RowState, SectionPlan

LOOKED_AGAIN_AFTER = 64  # searches: then rows that have filled since are passed over too
FOR_EVER = 2**63


class PassedOver:
    """Of an event, by section and by the size of a party. `paths` are the paths of the rows' records."""

    def __init__(self, plan: EventPlan, paths: Sequence[str]) -> None:
        self._paths = paths
        self._sections = {id(section): section for section in (*plan.by_price, *plan.sections)}  # which the plan keeps
        self._known: dict[tuple[int, int], _Rows] = {}

    def narrowed(
        self, sections: Sequence[SectionPlan], states: Mapping[str, RowState], quantity: int, now: Instant
    ) -> tuple[SectionPlan, ...]:
        """The sections, with those of their rows that may have a tidy place; one that was made for a single search
        stays as it is.
        """
        return tuple(
            replace(section, tidy=self._rows(section, quantity).tidy(states, now))
            if id(section) in self._sections
            else section
            for section in sections
        )

    def _rows(self, section: SectionPlan, quantity: int) -> "_Rows":
        what = id(section), quantity
        known = self._known.get(what)
        if known is None:
            known = self._known[what] = _Rows({self._paths[row.index]: row for row in section.rows}, quantity)
        return known


class _Rows:
    """The rows of one section by path, nearest first, for parties of one size."""

    def __init__(self, rows: dict[str, RowPlan], quantity: int) -> None:
        self._rows = rows
        self._quantity = quantity
        self._over: dict[str, RowState] = {}  # the rows that are passed over, as they were when they were looked at
        self._tidy = tuple(rows.values())
        self._until: Instant = FOR_EVER  # no hold in those that are passed over lapses before
        self._searches = 0

    def tidy(self, states: Mapping[str, RowState], now: Instant) -> tuple[RowPlan, ...]:
        self._searches += 1
        if self._searches % LOOKED_AGAIN_AFTER == 1 or now >= self._until:
            self._until = FOR_EVER
            self._look(self._rows, states, now)
        elif not all(map(is_, map(states.get, self._over), self._over.values())):
            self._look([path for path, state in self._over.items() if states.get(path) is not state], states, now)
        return self._tidy

    def _look(self, paths: Iterable[str], states: Mapping[str, RowState], now: Instant) -> None:
        """Look at these rows, those that were passed over or may be from now on."""
        count_before, is_back = len(self._over), False
        for path in paths:
            state = states.get(path)
            if state is not None and now < _lapses_at(state) and not self._has_tidy_place(self._rows[path], state):
                self._over[path] = state
                self._until = min(self._until, _lapses_at(state))
            elif self._over.pop(path, None) is not None:
                is_back = True
        if is_back or len(self._over) != count_before:
            self._tidy = tuple(row for path, row in self._rows.items() if path not in self._over)

    def _has_tidy_place(self, row: RowPlan, state: RowState) -> bool:
        seats = row.full & ~(state.gone | state.held_seats | row.kept)
        if row.standing:
            return seats.bit_count() >= self._quantity
        place = place_in_row(row.joined, row.middle, seats, self._quantity)
        return place is not None and not place[0]


def _lapses_at(state: RowState) -> Instant:
    """When a seat of the row comes free by time alone."""
    return state.lapses_at if state.held else FOR_EVER

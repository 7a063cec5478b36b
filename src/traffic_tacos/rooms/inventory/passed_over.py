"""Rows that have no good place for a party are passed over by a search before it begins: once a sale is under way, most
of the rows that it would look at are such rows, and it would look at them for every reservation.

What is remembered of a row is the very state that had no such place, or none at all. So a row that anybody has changed
meanwhile is looked at again, and what a search finds depends on nothing but the states of now.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import is_

from msgspec.structs import replace

from traffic_tacos.kernel.instants import FOR_EVER, Instant
from traffic_tacos.rooms.inventory.best_available import place_in_row
from traffic_tacos.rooms.inventory.rows import EventPlan, RowPlan, RowState, SectionPlan, offered

LOOKED_AGAIN_AFTER = 64  # searches: then rows that have filled since are passed over too
TIDY, LEAVES_ONE, NONE = range(3)  # the best place that a row may have


class PassedOver:
    """Of an event, by section and by the size of a party. `paths` are the paths of the rows' records."""

    def __init__(self, plan: EventPlan, paths: Sequence[str]) -> None:
        self._paths = paths
        self._sections = {id(section): section for section in (*plan.by_price, *plan.sections)}  # which the plan keeps
        self._known: dict[tuple[int, int], _Rows] = {}

    def narrowed(
        self, sections: Sequence[SectionPlan], states: Mapping[str, RowState], quantity: int, now: Instant
    ) -> tuple[SectionPlan, ...]:
        """The sections, with those of their rows that may have a tidy place, and those that may have any; one that was
        made for a single search stays as it is.
        """
        return tuple(
            self._rows(section, quantity).narrowed(section, states, now) if id(section) in self._sections else section
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
        self._places = dict.fromkeys(rows, TIDY)
        self._tidy = self._fitting = tuple(rows.values())
        self._until: Instant = FOR_EVER  # no hold in those that are passed over lapses before
        self._searches = 0

    def narrowed(self, section: SectionPlan, states: Mapping[str, RowState], now: Instant) -> SectionPlan:
        self._searches += 1
        if self._searches % LOOKED_AGAIN_AFTER == 1 or now >= self._until:
            self._until = FOR_EVER
            self._look(self._rows, states, now)
        elif not all(map(is_, map(states.get, self._over), self._over.values())):
            self._look([path for path, state in self._over.items() if states.get(path) is not state], states, now)
        return replace(section, tidy=self._tidy, fitting=self._fitting)

    def _look(self, paths: Iterable[str], states: Mapping[str, RowState], now: Instant) -> None:
        """Look at these rows, those that were passed over or may be from now on."""
        is_changed = False
        for path in paths:
            state, place = states.get(path), TIDY
            if state is not None and now < _lapses_at(state):
                place = self._best_place(self._rows[path], state, now)
            if state is None or place == TIDY:
                self._over.pop(path, None)
            else:
                self._over[path] = state
                self._until = min(self._until, _lapses_at(state))
            if place != self._places[path]:
                self._places[path], is_changed = place, True
        if is_changed:
            self._tidy = tuple(self._rows[path] for path, place in self._places.items() if place == TIDY)
            self._fitting = tuple(self._rows[path] for path, place in self._places.items() if place != NONE)

    def _best_place(self, row: RowPlan, state: RowState, now: Instant) -> int:
        seats = offered(row, state, now)
        if row.standing:
            return TIDY if seats.bit_count() >= self._quantity else NONE
        place = place_in_row(row.joined, row.middle, seats, self._quantity)
        if place is None:
            return NONE
        leaves_one, _ = place
        return LEAVES_ONE if leaves_one else TIDY


def _lapses_at(state: RowState) -> Instant:
    """When a seat of the row comes free by time alone."""
    return state.lapses_at if state.held else FOR_EVER

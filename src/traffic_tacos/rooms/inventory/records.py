"""Inventory records: a row of seats under `row/EVENT/SECTION/ROW`, a hold under `hold/EVENT/RESERVATION`, and the
reservations of a person under `person/EVENT/USER`, where the event says how many seats one person may have.

A row that nobody has touched has no record.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, Kind, Prefix, View, Write, delete, put
from traffic_tacos.rooms.inventory.model import Change, Hold
from traffic_tacos.rooms.inventory.passed_over import PassedOver
from traffic_tacos.rooms.inventory.rows import UNTOUCHED, EventPlan, RowPlan, RowState, SectionPlan

ROW = Kind("row", RowState)
HOLD = Kind("hold", Hold)
PERSON = Kind("person", tuple[str, ...])


def row_key(event_id: str, row: RowPlan) -> Key[RowState]:
    return ROW.key(event_id, row.section, row.row)


def rows_of(event_id: str) -> Prefix[RowState]:
    return ROW.prefix(event_id)


def hold_key(event_id: str, reservation_id: str) -> Key[Hold]:
    return HOLD.key(event_id, reservation_id)


def person_key(event_id: str, user_id: str) -> Key[tuple[str, ...]]:
    return PERSON.key(event_id, user_id)


class EventKeys:
    """The keys of an event's rows, made once."""

    def __init__(self, plan: EventPlan) -> None:
        self.event_id = plan.info.id
        self.rows = [row_key(self.event_id, row) for row in plan.rows]
        self.all = rows_of(self.event_id)
        self._indexes = {key.path: index for index, key in enumerate(self.rows)}
        self._paths = list(self._indexes)
        self._passed_over = PassedOver(plan, self._paths)

    def narrowed(
        self, states: "RowsLookedUp", sections: Sequence[SectionPlan], quantity: int, now: Instant
    ) -> tuple[SectionPlan, ...]:
        """The sections, with the rows that a search of these states looks at first."""
        return self._passed_over.narrowed(sections, states.by_path, quantity, now)

    def looked_up(self, view: View) -> "RowsLookedUp":
        """All rows, each looked up when it is asked for; the view must have declared `all`."""
        return RowsLookedUp(self._paths, view.range(self.all))

    def every(self, view: View) -> dict[int, RowState]:
        """All rows that were ever touched, by index; the view must have declared `all`."""
        return self.indexed(view.range(self.all))

    def indexed(self, states: Mapping[str, RowState]) -> dict[int, RowState]:
        return _Touched(zip(map(self._indexes.__getitem__, states), states.values(), strict=True))

    def some(self, view: View, indexes: Iterable[int]) -> dict[int, RowState]:
        """These rows; the view must have declared their keys."""
        return {index: view.get(self.rows[index]) or UNTOUCHED for index in indexes}

    def writes(self, before: Hold | None, change: Change) -> tuple[Write, ...]:
        """What makes a change durable; nothing when nothing changed."""
        writes = self.row_writes(change.rows)
        if change.hold != before:
            writes.append(put(hold_key(self.event_id, change.hold.reservation_id), change.hold))
        return tuple(writes)

    def row_writes(self, rows: Mapping[int, RowState]) -> list[Write]:
        return [
            delete(self.rows[index]) if state == UNTOUCHED else put(self.rows[index], state)
            for index, state in rows.items()
        ]


class RowsLookedUp(Mapping[int, RowState]):
    """The states of an event's rows by index, for who needs few of them."""

    def __init__(self, paths: Sequence[str], by_path: Mapping[str, RowState]) -> None:
        self._paths = paths
        self.by_path = by_path

    def __getitem__(self, index: int) -> RowState:
        return self.by_path.get(self._paths[index], UNTOUCHED)

    def get(self, index: int, default: Any = None) -> Any:
        return self.by_path.get(self._paths[index], default)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._paths)))

    def __len__(self) -> int:
        return len(self._paths)


class _Touched(dict[int, RowState]):
    def __missing__(self, index: int) -> RowState:
        return UNTOUCHED

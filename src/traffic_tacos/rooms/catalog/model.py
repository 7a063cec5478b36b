"""Events, their seats and their prices.

Seat ids are unique in an event and never change: `SECTION-ROW-NUMBER`, or the plan's own guid.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from traffic_tacos.kernel.errors import Detail
from traffic_tacos.kernel.event_info import EventInfo, sale_window
from traffic_tacos.kernel.limits import HOLD_SECONDS, HOLD_SECONDS_MAX, HOLD_SECONDS_MIN, SEATS_MAX
from traffic_tacos.kernel.money import is_currency

SEATS_PER_ROW_MAX = 400
STANDING_BLOCK = 100


class Admission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """How fast and how far the line is let in."""

    rate_per_second: int = 1000
    active_max: int = 5000
    offer_seconds: int = 60
    idle_seconds: int = 3600
    waiting_max: int = 1_000_000


class Point(msgspec.Struct, frozen=True, gc=False):
    x: float
    y: float


class Refunds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Until how long before the start a bought reservation can be given back, and how much comes back."""

    hours_before: int = 24
    percent: int = 100


class Seat(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`accessible` seats are kept for who needs them: sold only by name."""

    id: str
    number: str
    price: int
    position: Point | None = None
    accessible: bool = False


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Seats in order. After `aisles[i]` seats the row is cut: seats across an aisle are not adjacent.

    `label` is what people call it, when that is not its id.
    """

    id: str
    seats: tuple[Seat, ...]
    aisles: tuple[int, ...] = ()
    standing: bool = False
    label: str = ""


class Section(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    id: str
    name: str
    rows: tuple[Row, ...]
    focal_point: Point | None = None  # without positions: seats from the row's middle, rows from the front
    label: str = ""  # what people call it on a ticket, when that is not its id


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the organizer decides beside seats and times, under the names that an event file has for it."""

    max_per_order: int = 8
    admission: Admission = Admission()
    refunds: Refunds = Refunds()
    hold_seconds: int = HOLD_SECONDS
    max_per_person: int = 0  # seats in all orders together; 0 for any number
    guests: bool | None = None  # whether who has no account may buy; None: as the platform has it


class Event(Rules, frozen=True, omit_defaults=True, gc=False):
    info: EventInfo
    currency: str
    sections: tuple[Section, ...]
    utc_offset_minutes: int | None = None  # of the clocks at the event, as its start time was written

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def seat_count(self) -> int:
        return sum(len(row.seats) for section in self.sections for row in section.rows)


def problems(event: Event) -> Iterator[Detail]:
    """What makes no sense in an event, each with its path in an event file."""
    yield from _bounds("max_per_order", event.max_per_order, 1, 100)
    yield from _bounds("max_per_person", event.max_per_person, 0, 10_000)
    yield from _bounds("hold_seconds", event.hold_seconds, HOLD_SECONDS_MIN, HOLD_SECONDS_MAX)
    for name in ("rate_per_second", "active_max", "offer_seconds", "idle_seconds", "waiting_max"):
        yield from _bounds(f"admission.{name}", getattr(event.admission, name), 1, 10_000_000)
    yield from _bounds("refunds.hours_before", event.refunds.hours_before, 0, 10_000)
    yield from _bounds("refunds.percent", event.refunds.percent, 0, 100)
    yield from _time_problems(event.info)
    if not event.sections:
        yield Detail("sections", "must have at least one section")
    if event.seat_count > SEATS_MAX:
        yield Detail("sections", f"must have at most {SEATS_MAX} seats together", str(event.seat_count))
    yield from _repeated("sections[{}].id", (section.id for section in event.sections))
    for index, section in enumerate(event.sections):
        yield from _section_problems(f"sections[{index}]", section)
    rows = [(section.id, row.id) for section in event.sections for row in section.rows]
    if len(set(rows)) == len(rows):  # else this is only what follows
        ids = (seat.id for section in event.sections for row in section.rows for seat in row.seats)
        yield from islice(_repeated("sections", ids, "seat ids of the event"), 1)


def differing(event: Event, other: Event) -> list[str]:
    """What differs between two versions of an event, by the names of an event file."""
    pairs: list[tuple[msgspec.Struct, msgspec.Struct]] = [(event.info, other.info), (event, other)]
    return [
        name
        for one, another in pairs
        for name in one.__struct_fields__
        if name != "info" and getattr(one, name) != getattr(another, name)
    ]


def with_known_seating(event: Event, known: Event) -> Event:
    """The event on the seating that was published, when it promises buyers the same seats at the same prices.

    How a seating plan is read may differ between versions; rows, once published, stay as they are.
    """
    if event.sections == known.sections or _seats(event) != _seats(known) or _rows(event) == _rows(known):
        return event
    return msgspec.structs.replace(event, sections=known.sections)


def is_same(event: Event, known: Event) -> bool:
    """Whether an event is the published one. How a document is read may differ between versions."""
    if known.utc_offset_minutes is None:  # stored before it was kept
        event = msgspec.structs.replace(event, utc_offset_minutes=None)
    return known == with_known_seating(event, known)


def same_promise(event: Event, known: Event) -> bool:
    """Whether seats, prices, currency and refunds are the same: what buyers were promised.

    A currency that does not exist, stored before codes were checked, may be put right.
    """
    same_currency = event.currency == known.currency or not is_currency(known.currency)
    return same_currency and (event.id, event.refunds, _rows(event)) == (known.id, known.refunds, _rows(known))


def standing_rows(section_id: str, places: int, price: int) -> tuple[Row, ...]:
    """A standing section as blocks of at most 100 places, so that two buyers rarely meet in one record."""
    rows = []
    for block, start in enumerate(range(0, places, STANDING_BLOCK), 1):
        count = min(STANDING_BLOCK, places - start)
        seats = tuple(
            Seat(f"{section_id}-S{block}-{number}", str(start + number), price) for number in range(1, count + 1)
        )
        rows.append(Row(f"S{block}", seats, standing=True))
    return tuple(rows)


def _seats(event: Event) -> dict[str, tuple[str, int, bool]]:
    return {
        seat.id: (seat.number, seat.price, seat.accessible)
        for section in event.sections
        for row in section.rows
        for seat in row.seats
    }


def _rows(event: Event) -> list[tuple[str, str, bool, list[tuple[str, str, int, bool]]]]:
    """Seats by section and row, in order: all but what the best seats are chosen by, which may change."""
    return [
        (section.id, row.id, row.standing, [(seat.id, seat.number, seat.price, seat.accessible) for seat in row.seats])
        for section in event.sections
        for row in section.rows
    ]


def _time_problems(info: EventInfo) -> Iterator[Detail]:
    for early, late in TIME_ORDER:
        before, after = getattr(info, early), getattr(info, late)
        if before is not None and after is not None and before >= after:
            yield Detail(late, f"must be after {early}")
    if info.sale_end_time is not None and info.end_time is not None and info.sale_end_time > info.end_time:
        yield Detail("sale_end_time", "must not be after end_time")
    ends_with_start = info.sale_end_time is None and info.end_time is None
    if ends_with_start and info.sale_start_time is not None and sale_window(info).is_over(info.sale_start_time):
        yield Detail("sale_start_time", "must be before start_time, or end_time or sale_end_time must be given")


def _section_problems(path: str, section: Section) -> Iterator[Detail]:
    if not section.rows:
        yield Detail(path, "must have rows or standing places")
    yield from _repeated(path + ".rows[{}].id", (row.id for row in section.rows))
    for index, row in enumerate(section.rows):
        at = f"{path}.rows[{index}]"
        yield from _bounds(f"{at}.seats", len(row.seats), 1, SEATS_PER_ROW_MAX)
        for aisle in row.aisles:
            yield from _bounds(f"{at}.aisles", aisle, 1, max(1, len(row.seats) - 1))
        for seat in row.seats:
            if seat.price < 0:
                yield Detail(f"{at}.price", "must not be negative", str(seat.price))
                break


def _bounds(field: str, value: int, low: int, high: int) -> Iterator[Detail]:
    if not low <= value <= high:
        yield Detail(field, f"must be between {low} and {high}", str(value))


def _repeated(path: str, names: Iterable[str], what: str = "ids") -> Iterator[Detail]:
    """Each name that stands twice, but for stand-ins of names that are wrong themselves."""
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen and name:
            yield Detail(path.format(at), f"{what} must differ", name)
        seen.add(name)


TIME_ORDER = (
    ("start_time", "end_time"),
    ("sale_start_time", "sale_end_time"),
    ("sale_start_time", "end_time"),
)

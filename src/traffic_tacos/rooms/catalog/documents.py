"""Event files: our own YAML, and the open seating-plan JSON of pretix with a YAML of prices beside it.

A wrong file is refused as a whole, with the path of what is wrong and what would be right. msgspec
checks the shape and names the path; `model.checked` checks the sense.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, TypeVar

import msgspec
import yaml

from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.events import EventInfo, Venue
from traffic_tacos.kernel.ids import checked_id, checked_text
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.money import AMOUNT_MAX, checked_currency
from traffic_tacos.rooms.catalog.model import (
    Admission,
    Event,
    Point,
    Refunds,
    Row,
    Seat,
    Section,
    checked,
    standing_rows,
)

DOCUMENT_LENGTH_MAX = 4_000_000
NAME_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 10_000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
Part = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$", max_length=40)]
Price = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]
Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]

T = TypeVar("T")


class RowFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Part | Annotated[int, msgspec.Meta(ge=0)]  # YAML reads `id: 7` as a number
    seats: Annotated[int, msgspec.Meta(ge=1, le=400)]
    aisles: tuple[int, ...] = ()
    first: Annotated[int, msgspec.Meta(ge=0)] = 1
    accessible: tuple[int, ...] = ()  # seat numbers


class FocalPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The seat that the others of a section are best near to."""

    row: Part | Annotated[int, msgspec.Meta(ge=0)]
    seat: int


class SectionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Part
    name: Name
    price: Price
    rows: tuple[RowFile, ...] = ()
    standing: Count | None = None
    focal_point: FocalPoint | None = None


class EventFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The YAML format. `prices` by category, instead of `sections`, when a seating plan gives the seats."""

    id: str
    name: Name
    currency: str
    sections: tuple[SectionFile, ...] = ()
    prices: dict[str, Price] = {}
    description: Annotated[str, msgspec.Meta(max_length=DESCRIPTION_LENGTH_MAX)] = ""
    venue: Venue = Venue()
    start_time: datetime | None = None
    end_time: datetime | None = None
    sale_start_time: datetime | None = None
    sale_end_time: datetime | None = None
    max_per_order: int = 8
    admission: Admission = Admission()
    refunds: Refunds = Refunds()


class PlanPoint(msgspec.Struct, frozen=True):
    x: float = 0
    y: float = 0


class PlanSeat(msgspec.Struct, frozen=True):
    seat_guid: str
    seat_number: str
    position: PlanPoint = PlanPoint()
    category: str = ""


class PlanRow(msgspec.Struct, frozen=True):
    row_number: str
    seats: tuple[PlanSeat, ...]
    position: PlanPoint = PlanPoint()


class PlanZone(msgspec.Struct, frozen=True):
    name: str
    rows: tuple[PlanRow, ...] = ()
    position: PlanPoint = PlanPoint()


class PlanCategory(msgspec.Struct, frozen=True):
    name: str
    color: str = ""


class PlanSize(msgspec.Struct, frozen=True):
    width: float = 0
    height: float = 0


class SeatingPlan(msgspec.Struct, frozen=True):
    """The open seating-plan format of pretix; drawing-only parts (areas, colours) are not kept."""

    name: str
    categories: tuple[PlanCategory, ...]
    zones: tuple[PlanZone, ...]
    size: PlanSize = PlanSize()


def parsed(document: str, seating_plan: str = "", event_id: str = "") -> Event:
    """The event of a document, checked. `event_id` replaces the document's own id."""
    if not document.strip():
        raise Refusal.of_field("document", "is required: a YAML event file")
    if len(document) + len(seating_plan) > DOCUMENT_LENGTH_MAX:
        raise Refusal.of_field("document", f"must have at most {DOCUMENT_LENGTH_MAX} characters")
    file = _decoded("document", _yaml(document), EventFile)
    plan = _decoded("seating_plan", _json(seating_plan), SeatingPlan) if seating_plan else None
    if (plan is None) != (not file.prices):
        raise Refusal.of_field("prices", "must be given with a seating plan, and only with one")
    if plan is not None and file.sections:
        raise Refusal.of_field("sections", "must not be given with a seating plan, which has the seats")
    sections = _planned(plan, file.prices) if plan is not None else tuple(map(_section, file.sections))
    info = EventInfo(
        id=checked_id("id", event_id or file.id),
        name=checked_text("name", file.name, NAME_LENGTH_MAX),
        description=file.description,
        venue=file.venue,
        start_time=_instant("start_time", file.start_time),
        end_time=_instant("end_time", file.end_time),
        sale_start_time=_instant("sale_start_time", file.sale_start_time),
        sale_end_time=_instant("sale_end_time", file.sale_end_time),
    )
    currency = checked_currency("currency", file.currency)
    return checked(Event(info, currency, sections, file.max_per_order, file.admission, file.refunds))


def is_seating_plan(text: str) -> bool:
    """Whether a file is a seating plan, by its content."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(value, dict) and "zones" in value


def _section(file: SectionFile) -> Section:
    if (file.standing is None) == (not file.rows):
        raise Refusal.of_field(f"sections.{file.id}", "must have either rows or standing")
    if file.standing is not None:
        if file.focal_point is not None:
            raise Refusal.of_field(f"sections.{file.id}.focal_point", "must not be given for standing places")
        return Section(file.id, file.name, standing_rows(file.id, file.standing, file.price))
    rows = []
    for row in file.rows:
        numbers = range(row.first, row.first + row.seats)
        if unknown := set(row.accessible) - set(numbers):
            field = f"sections.{file.id}.rows.{row.id}.accessible"
            raise Refusal.of_field(
                field, f"must be seat numbers of the row, {numbers[0]} to {numbers[-1]}", min(unknown)
            )
        seats = tuple(
            Seat(f"{file.id}-{row.id}-{number}", str(number), file.price, accessible=number in row.accessible)
            for number in numbers
        )
        rows.append(Row(str(row.id), seats, tuple(sorted(row.aisles))))
    return Section(file.id, file.name, tuple(rows), _focal_seat(file))


def _focal_seat(file: SectionFile) -> Point | None:
    """Where the focal seat is: seats from the middle of its row, rows from the front."""
    if file.focal_point is None:
        return None
    for at, row in enumerate(file.rows):
        place = file.focal_point.seat - row.first
        if str(row.id) == str(file.focal_point.row) and 0 <= place < row.seats:
            return Point(place - (row.seats - 1) / 2, at)
    raise Refusal.of_field(
        f"sections.{file.id}.focal_point", "must be a row and a seat number of the section", file.focal_point
    )


def _planned(plan: SeatingPlan, prices: Mapping[str, int]) -> tuple[Section, ...]:
    categories = {category.name for category in plan.categories}
    if unknown := sorted(set(prices) - categories):
        raise Refusal.of_field("prices", f"must name categories of the plan: {sorted(categories)}", unknown[0])
    return tuple(_zone(index, zone, prices) for index, zone in enumerate(plan.zones) if zone.rows)


def _zone(index: int, zone: PlanZone, prices: Mapping[str, int]) -> Section:
    rows = []
    for at, row in enumerate(zone.rows):
        seats = []
        for number, seat in enumerate(row.seats):
            path = f"seating_plan.zones[{index}].rows[{at}].seats[{number}]"
            if seat.category not in prices:
                raise Refusal.of_field("prices", f"must have a price for the category of {path}", seat.category)
            x = zone.position.x + row.position.x + seat.position.x
            y = zone.position.y + row.position.y + seat.position.y
            guid = checked_id(f"{path}.seat_guid", seat.seat_guid)
            seats.append(Seat(guid, seat.seat_number, prices[seat.category], Point(x, y)))
        rows.append(Row(row.row_number or str(at + 1), tuple(seats), _gaps(seats)))
    return Section(zone.name, zone.name, tuple(rows), _focal_point(rows))


def _gaps(seats: list[Seat]) -> tuple[int, ...]:
    """Aisles where the drawing leaves one and a half times the usual space between neighbours."""
    points = [seat.position for seat in seats if seat.position is not None]
    steps = [((b.x - a.x) ** 2 + (b.y - a.y) ** 2) ** 0.5 for a, b in pairwise(points)]
    usual = sorted(steps)[len(steps) // 2] if steps else 0.0
    return tuple(after for after, step in enumerate(steps, 1) if step > 1.5 * usual > 0)


def _focal_point(rows: list[Row]) -> Point | None:
    """The middle of the front row, which the format lists first."""
    points = [seat.position for seat in rows[0].seats if seat.position is not None] if rows else []
    if not points:
        return None
    return Point(sum(point.x for point in points) / len(points), sum(point.y for point in points) / len(points))


def _yaml(document: str) -> object:
    try:
        return yaml.load(document, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise Refusal.of_field("document", f"{where}must be YAML: {getattr(error, 'problem', error)}") from None


def _json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Refusal.of_field("seating_plan", f"must be JSON: {error}") from None


def _decoded(name: str, value: object, type_: type[T]) -> T:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        field = path.rstrip("`").removeprefix("$").lstrip(".") or name
        raise Refusal(Code.INVALID_ARGUMENT, f"{field}: {reason}", Detail(field, reason)) from None


def _instant(field: str, value: datetime | None) -> Instant | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise Refusal.of_field(field, "must have a time zone, as in 2027-03-01T20:00:00+09:00", value.isoformat())
    if value.year < 1970 or value.year > 9998:
        raise Refusal.of_field(field, "must be between 1970 and 9999", value.isoformat())
    return int((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)

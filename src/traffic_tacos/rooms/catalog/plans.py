"""Seating plans in pretix's open JSON format, as sections with prices.

https://github.com/pretix/pretix, `seating-plan.schema.json`. What only draws (colours, outlines) is not kept. A plan's
labels are for people and may stand twice; a seat's guid is its identity. The walls between seats come from the drawing
(`layout`), never from the order of the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec

from traffic_tacos.kernel.drawing import Place, usual_step
from traffic_tacos.kernel.errors import Detail
from traffic_tacos.kernel.ids import ID_LENGTH_MAX, has_control_characters
from traffic_tacos.rooms.catalog.labels import distinct_ids, safe_id
from traffic_tacos.rooms.catalog.layout import aisles, along, middle_of
from traffic_tacos.rooms.catalog.model import SEATS_PER_ROW_MAX, Point, Row, Seat, Section
from traffic_tacos.rooms.catalog.schema import NUMBER_MAX, TEXT_LENGTH_MAX, shortened

PLAN = "seating_plan"
STAGES = frozenset(
    ["stage", "bühne", "buehne", "scène", "scena", "escenario", "palco", "podium", "сцена", "무대", "舞台", "ステージ"]
)
SIDES = ("top", "bottom", "left", "right")


Label: TypeAlias = str | int  # some editors write `7` where others write `"7"`


class PlanPoint(msgspec.Struct, frozen=True):
    x: float = 0
    y: float = 0


ORIGIN = PlanPoint()


class PlanSeat(msgspec.Struct, frozen=True):
    seat_guid: Label
    seat_number: Label | None = None
    position: PlanPoint | None = None
    category: Label | None = None


class PlanRow(msgspec.Struct, frozen=True):
    row_number: Label | None = None
    seats: tuple[PlanSeat, ...] | None = None
    position: PlanPoint | None = None


class PlanZone(msgspec.Struct, frozen=True):
    name: Label | None = None
    rows: tuple[PlanRow, ...] | None = None
    position: PlanPoint | None = None
    areas: Any = None


class PlanCategory(msgspec.Struct, frozen=True):
    name: Label


class SeatingPlan(msgspec.Struct, frozen=True):
    zones: tuple[PlanZone, ...]
    categories: tuple[PlanCategory, ...] | None = None
    name: Label | None = None


class Tariff(msgspec.Struct, frozen=True):
    """What an event file says about a plan: `price` is for seats whose category has none of its own, and seats of the
    `accessible` categories are kept for who needs them.
    """

    prices: Mapping[str, int]
    price: int | None = None
    not_for_sale: tuple[str, ...] = ()
    focal_point: Point | None = None
    stage_side: str = ""
    accessible: tuple[str, ...] = ()

    def of(self, category: Label | None) -> int | None:
        """What a seat of a category costs; None when it is not for sale, or nobody has said."""
        name = str(category or "")
        return None if name in self.not_for_sale else self.prices.get(name, self.price)


def planned(plan: SeatingPlan, tariff: Tariff) -> tuple[tuple[Section, ...], list[Detail]]:
    """The sections of a plan, and everything that is wrong with it or with its prices."""
    plan = _with_texts(plan)
    problems = [*_labels(plan), *_seats(plan), *_tariff(plan, tariff)]
    if problems:
        return (), problems
    focal = _focal_point(plan, tariff)
    zones = [(zone, _rows(zone, tariff)) for zone in plan.zones]
    zones = [(zone, rows) for zone, rows in zones if rows]
    labels = [str(zone.name or f"Zone {at}") for at, (zone, _) in enumerate(zones, 1)]
    sections = [
        Section(id_, label, rows, _front(rows, focal), _unless(id_, label))
        for id_, label, (_, rows) in zip(distinct_ids(labels), labels, zones, strict=True)
    ]
    if focal is not None:
        sections.sort(key=lambda section: _distance(section, focal))
    return tuple(sections), []


def _with_texts(plan: SeatingPlan) -> SeatingPlan:
    """The plan with all labels as text."""
    replace = msgspec.structs.replace
    return replace(
        plan,
        categories=tuple(PlanCategory(str(category.name)) for category in plan.categories or ()),
        zones=tuple(
            replace(
                zone, rows=tuple(replace(row, seats=tuple(map(_with_text, row.seats or ()))) for row in zone.rows or ())
            )
            for zone in plan.zones
        ),
    )


def _with_text(seat: PlanSeat) -> PlanSeat:
    category = "" if seat.category is None else str(seat.category)
    return PlanSeat(str(seat.seat_guid), seat.seat_number, seat.position, category)


def _rows(zone: PlanZone, tariff: Tariff) -> tuple[Row, ...]:
    """The rows of a zone with the seats that are for sale, in the order in which they stand."""
    listed = [_in_order(zone, row) for row in zone.rows or () if row.seats]
    usual = usual_step([places for _, places in listed])
    labels = [_label(row.row_number, at) for at, row in enumerate((row for row in zone.rows or () if row.seats), 1)]
    rows = []
    for (seats, places), id_, label in zip(listed, distinct_ids(labels), labels, strict=True):
        walls = aisles(places, usual)
        for_sale = [at for at, seat in enumerate(seats) if tariff.of(seat.category) is not None]
        cuts = tuple(
            count
            for count, (before, after) in enumerate(pairwise(for_sale), 1)
            if after > before + 1 or any(before < wall <= after for wall in walls)
        )
        sold = tuple(_seat(seats[at], places[at] if places else None, tariff) for at in for_sale)
        if sold:
            rows.append(Row(id_, sold, cuts, label=_unless(id_, label)))
    return tuple(rows)


def _in_order(zone: PlanZone, row: PlanRow) -> tuple[list[PlanSeat], list[Place]]:
    """The seats of a row from one end to the other and where they are; without places as they are listed."""
    places = _places(zone, row)
    seats = [
        msgspec.structs.replace(seat, seat_number=_label(seat.seat_number, at))
        for at, seat in enumerate(row.seats or (), 1)
    ]
    order = along(places) if places else range(len(seats))
    return [seats[index] for index in order], [places[index] for index in order] if places else []


def _seat(seat: PlanSeat, place: Place | None, tariff: Tariff) -> Seat:
    position = None if place is None else Point(*place)
    price = tariff.of(seat.category) or 0
    is_kept = str(seat.category or "") in tariff.accessible
    return Seat(safe_id(str(seat.seat_guid), ID_LENGTH_MAX), str(seat.seat_number), price, position, is_kept)


def _places(zone: PlanZone, row: PlanRow) -> list[Place]:
    """Where the seats of a row are; nothing when one of them is nowhere."""
    zoned, of_row = zone.position or ORIGIN, row.position or ORIGIN
    x, y = zoned.x + of_row.x, zoned.y + of_row.y
    places = [(x + seat.position.x, y + seat.position.y) for seat in row.seats or () if seat.position is not None]
    return places if len(places) == len(row.seats or ()) else []


def _unless(id_: str, label: str) -> str:
    return "" if label == id_ else label


def _label(label: Label | None, at: int) -> str:
    return str(at) if label is None or label == "" else str(label)


# Where the front is.


def _focal_point(plan: SeatingPlan, tariff: Tariff) -> Place | None:
    """What all sections look at: what the event file names, else the plan's stage, else nobody knows."""
    if tariff.focal_point is not None:
        return tariff.focal_point.x, tariff.focal_point.y
    if not tariff.stage_side:
        return next(_stages(plan), None)
    places = [place for zone in plan.zones for row in zone.rows or () for place in _places(zone, row)]
    if not places:
        return None
    xs, ys = [x for x, _ in places], [y for _, y in places]
    across, down = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    sides = {"top": (across, min(ys)), "bottom": (across, max(ys)), "left": (min(xs), down), "right": (max(xs), down)}
    return sides[tariff.stage_side]


def _stages(plan: SeatingPlan) -> Iterator[Place]:
    """The middles of the areas that say they are a stage; areas have many shapes, and few are looked at."""
    for zone in plan.zones:
        for area in zone.areas if isinstance(zone.areas, list) else ():
            match area:
                case {"text": {"text": str(text)}, "position": {"x": int() | float() as x, "y": int() | float() as y}}:
                    if text.strip().casefold() in STAGES and _is_near(x, y):
                        zoned, (half_width, half_height) = zone.position or ORIGIN, _half(area.get("rectangle"))
                        yield zoned.x + x + half_width, zoned.y + y + half_height


def _half(rectangle: object) -> Place:
    match rectangle:
        case {"width": int() | float() as width, "height": int() | float() as height} if _is_near(width, height):
            return width / 2, height / 2
    return 0.0, 0.0


def _front(rows: Sequence[Row], focal: Place | None) -> Point | None:
    """What the seats of a section are best near to; without any stage the middle of its first row."""
    if any(seat.position is None for row in rows for seat in row.seats):
        return None
    return Point(*(focal or middle_of([(seat.position.x, seat.position.y) for seat in rows[0].seats if seat.position])))


def _distance(section: Section, focal: Place) -> float:
    places = [seat.position for row in section.rows for seat in row.seats if seat.position is not None]
    return min(((place.x - focal[0]) ** 2 + (place.y - focal[1]) ** 2 for place in places), default=float("inf"))


# What may be wrong.


def _labels(plan: SeatingPlan) -> Iterator[Detail]:
    for at, zone in enumerate(plan.zones):
        path = f"{PLAN}.zones[{at}]"
        yield from _place(f"{path}.position", zone.position)
        yield from _text(f"{path}.name", zone.name)
        for row_at, row in enumerate(zone.rows or ()):
            of_row = f"{path}.rows[{row_at}]"
            yield from _place(f"{of_row}.position", row.position)
            yield from _text(f"{of_row}.row_number", row.row_number)
            if len(row.seats or ()) > SEATS_PER_ROW_MAX:
                yield Detail(f"{of_row}.seats", f"must be at most {SEATS_PER_ROW_MAX}", str(len(row.seats or ())))


def _seats(plan: SeatingPlan) -> Iterator[Detail]:
    seen: dict[str, str] = {}
    for path, seat in _every_seat(plan):
        guid = str(seat.seat_guid)
        if not guid:
            yield Detail(f"{path}.seat_guid", "must not be empty: it is what a seat is known by")
        elif guid in seen:
            yield Detail(f"{path}.seat_guid", f"must differ from that of {seen[guid]}", shortened(guid))
        else:
            seen[guid] = path
        yield from _text(f"{path}.seat_guid", guid)
        yield from _text(f"{path}.seat_number", seat.seat_number)
        yield from _text(f"{path}.category", seat.category)
        yield from _place(f"{path}.position", seat.position)


def _place(path: str, place: PlanPoint | None) -> Iterator[Detail]:
    if place is not None and not _is_near(place.x, place.y):
        yield Detail(path, f"must be within {NUMBER_MAX:,.0f} of the drawing's origin", f"{place.x}, {place.y}")


def _is_near(x: float, y: float) -> bool:
    return abs(x) <= NUMBER_MAX and abs(y) <= NUMBER_MAX


def _text(path: str, label: Label | None) -> Iterator[Detail]:
    text = "" if label is None else str(label)
    if len(text) > TEXT_LENGTH_MAX:
        yield Detail(path, f"must have at most {TEXT_LENGTH_MAX} characters, not {len(text):,}", shortened(text))
    elif has_control_characters(text):
        yield Detail(path, "must not have control characters", shortened(text))


def _tariff(plan: SeatingPlan, tariff: Tariff) -> Iterator[Detail]:
    """Every category has a price or is not for sale, once; and nothing else has."""
    used: dict[str, str] = {}
    for path, seat in _every_seat(plan):
        used.setdefault(str(seat.category), path)
    categories = {str(category.name) for category in plan.categories or ()} | used.keys() - {""}
    must = f"must be a category of the plan: {', '.join(map(repr, sorted(categories)[:20])) or 'it has none'}"
    for name in tariff.prices:
        if name not in categories:
            yield Detail(f"prices.{shortened(name)}", must, shortened(name))
    for at, name in enumerate(tariff.not_for_sale):
        if name not in categories:
            yield Detail(f"not_for_sale[{at}]", must, shortened(name))
        elif name in tariff.prices:
            yield Detail(f"not_for_sale[{at}]", "must not be a category that has a price", shortened(name))
    for at, name in enumerate(tariff.accessible):
        if name not in categories:
            yield Detail(f"accessible[{at}]", must, shortened(name))
        elif name in tariff.not_for_sale:
            yield Detail(f"accessible[{at}]", "must not be a category that is not for sale", shortened(name))
    for category, path in used.items():
        if category in tariff.not_for_sale or tariff.of(category) is not None:
            continue
        if category:
            reason = f"must have a price for the category of {path}, or not_for_sale must name it"
            yield Detail("prices", reason, shortened(category))
        else:
            yield Detail("price", f"is required: the price of seats without a category, such as {path}")
    if not used or all(category in tariff.not_for_sale for category in used):
        yield Detail(f"{PLAN}.zones", "must have at least one seat that is for sale")


def _every_seat(plan: SeatingPlan) -> Iterator[tuple[str, PlanSeat]]:
    for at, zone in enumerate(plan.zones):
        for row_at, row in enumerate(zone.rows or ()):
            for seat_at, seat in enumerate(row.seats or ()):
                yield f"{PLAN}.zones[{at}].rows[{row_at}].seats[{seat_at}]", seat

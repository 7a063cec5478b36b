"""Event files: our own YAML, and the open seating-plan JSON of pretix with a YAML of prices beside it.

A wrong file is refused as a whole, with every mistake in it: the line, the path, and what would be right. `schema`
checks the shape, `plans` the seating plan, `model.problems` the sense.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.event_info import EventInfo, Venue
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.limits import DOCUMENT_BYTES_MAX, PLAN_BYTES_MAX, SEATS_MAX
from traffic_tacos.kernel.money import AMOUNT_MAX, checked_currency
from traffic_tacos.rooms.catalog.model import (
    SEATS_PER_ROW_MAX,
    Event,
    Point,
    Row,
    Rules,
    Seat,
    Section,
    problems,
    standing_rows,
)
from traffic_tacos.rooms.catalog.nodes import (
    DuplicateKey,
    Mapping,
    Node,
    Unreadable,
    check_json,
    json_nodes,
    line_of,
    twice,
    yaml_nodes,
)
from traffic_tacos.rooms.catalog.plans import PLAN, SIDES, SeatingPlan, Tariff, planned
from traffic_tacos.rooms.catalog.schema import HINT, LINES, TEXT_LENGTH_MAX, Mistake, converted, shortened

DESCRIPTION_LENGTH_MAX = 10_000
MISTAKES_SHOWN_MAX = 50
DOCUMENT = "document"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX)]
Part = Annotated[str, msgspec.Meta(pattern=r"[A-Za-z0-9][A-Za-z0-9_.:-]*", max_length=40)]
Description = Annotated[str, msgspec.Meta(max_length=DESCRIPTION_LENGTH_MAX, extra={LINES: True})]
Price = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX, extra={HINT: " of minor units (1250 for 12.50 EUR)"})]
Count = Annotated[int, msgspec.Meta(ge=1, le=SEATS_MAX)]
Number = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]

T = TypeVar("T")


class RowFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Part
    seats: Annotated[int, msgspec.Meta(ge=1, le=SEATS_PER_ROW_MAX)]
    aisles: tuple[int, ...] = ()
    first: Number = 1
    accessible: tuple[Number, ...] = ()  # seat numbers


class FocalSeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The seat that the others of a section are best near to."""

    row: Part
    seat: Number


class SectionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Part
    name: Name
    price: Price
    rows: tuple[RowFile, ...] = ()
    standing: Count | None = None
    focal_point: FocalSeat | None = None


class FocalPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The place on a seating plan that its seats are best near to, in the plan's coordinates."""

    x: float
    y: float


class EventFile(Rules, frozen=True, forbid_unknown_fields=True):
    """The YAML format. With a seating plan, which gives the seats, the six fields after `sections` instead of it."""

    id: str
    name: Name
    currency: str
    sections: tuple[SectionFile, ...] = ()
    prices: dict[str, Price] = msgspec.field(default_factory=dict)
    price: Price | None = None
    not_for_sale: tuple[str, ...] = ()
    accessible: tuple[str, ...] = ()
    focal_point: FocalPoint | None = None
    stage_side: str = ""
    description: Description = ""
    venue: Venue = Venue()
    start_time: datetime | None = None
    end_time: datetime | None = None
    sale_start_time: datetime | None = None
    sale_end_time: datetime | None = None


def parsed(document: str, seating_plan: str = "", event_id: str = "") -> Event:
    """The event of a document, checked. `event_id` replaces the document's own id.

    INVALID_ARGUMENT has a detail for each mistake, with its line, at most 50 of them.
    """
    event, mistakes = read(document, seating_plan, event_id)
    if event is None:
        shown = [_detail(mistake) for mistake in mistakes[:MISTAKES_SHOWN_MAX]]
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise Refusal(Code.INVALID_ARGUMENT, f"{shown[0].field}: {shown[0].reason}{more}", *shown)
    return event


def read(document: str, seating_plan: str = "", event_id: str = "") -> tuple[Event | None, list[Mistake]]:
    """The event of a document, or every mistake in it, by line; those of the plan have paths under `seating_plan`."""
    try:
        root = _document(document)
    except Unreadable as error:
        return None, [_unreadable(DOCUMENT, error)]
    file, mistakes = converted(root, EventFile)
    plan, wrong_in_plan = _plan(seating_plan) if seating_plan else (None, [])
    event, senseless = _event(file, plan, event_id, is_planned=bool(seating_plan))
    noticed = {mistake.detail.field for mistake in (*mistakes, *wrong_in_plan)}
    senseless = [one for one in senseless if not _is_noticed(one.field, noticed)]
    mistakes += [Mistake(line_of(root, one.field), one) for one in senseless if not _is_of_plan(one)]
    if of_plan := [one for one in senseless if _is_of_plan(one)]:
        tree = json_nodes(seating_plan)
        wrong_in_plan += [Mistake(line_of(tree, one.field.removeprefix(PLAN)), one) for one in of_plan]
    mistakes = sorted(mistakes, key=_line) + sorted(wrong_in_plan, key=_line)
    return (None if mistakes else event), mistakes


def is_seating_plan(text: str) -> bool:
    """Whether a file is a seating plan and no event file, by how it begins and what it has."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and '"zones"' in text


def has_sections(document: str) -> bool:
    """Whether an event file names its seats itself; else they come from a seating plan."""
    try:
        root = _document(document)
    except Unreadable:
        return True
    return isinstance(root, Mapping) and any(key.text == "sections" for key, _ in root.entries)


def _document(text: str) -> Node:
    _check_size(text, DOCUMENT_BYTES_MAX)
    if not text.strip():
        raise Unreadable(1, "is required: a YAML event file")
    return yaml_nodes(text)


def _check_size(text: str, bytes_max: int) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > bytes_max:
        raise Unreadable(1, f"must have at most {bytes_max:,} bytes, not {size:,}")


def _plan(text: str) -> tuple[SeatingPlan | None, list[Mistake]]:
    """The seating plan of a JSON text. msgspec reads it; only when it cannot, each value is looked at by itself."""
    try:
        _check_size(text, PLAN_BYTES_MAX)
        text = text.removeprefix("\ufeff")
        try:
            check_json(text)
            return msgspec.json.decode(text, type=SeatingPlan), []
        except (DuplicateKey, msgspec.MsgspecError, UnicodeError):
            root = json_nodes(text)
    except Unreadable as error:
        return None, [_unreadable(PLAN, error)]
    plan, mistakes = converted(root, SeatingPlan)
    mistakes = mistakes or [
        Mistake(key.line, Detail("", "must be given once", shortened(key.text))) for key in twice(root)
    ]
    return (None if mistakes else plan), [
        Mistake(one.line, msgspec.structs.replace(one.detail, field=_under(PLAN, one.detail.field))) for one in mistakes
    ]


def _event(file: EventFile, plan: SeatingPlan | None, event_id: str, *, is_planned: bool) -> tuple[Event, list[Detail]]:
    """The event of a file, and what makes no sense in it."""
    found: list[Detail] = []

    def tried(check: Callable[..., T], *args: object, otherwise: T) -> T:
        try:
            return check(*args)
        except Refusal as refusal:
            found.extend(refusal.details)
            return otherwise

    id_ = tried(checked_id, "id", event_id or file.id, otherwise="")
    currency = tried(checked_currency, "currency", file.currency, otherwise="")
    times = {name: tried(_instant, name, getattr(file, name), otherwise=None) for name in TIMES}
    sections: tuple[Section, ...] = ()
    found += _misplaced(file, is_planned=is_planned)
    if plan is not None:
        sections, wrong = planned(plan, _tariff(file))
        found += wrong
    elif not is_planned:
        sections = tuple(_section(at, section, found) for at, section in enumerate(file.sections))
    info = EventInfo(id_, file.name, file.description, file.venue, **times)
    offset = None if file.start_time is None else file.start_time.utcoffset()
    minutes = None if offset is None else int(offset.total_seconds()) // 60
    rules = {name: getattr(file, name) for name in Rules.__struct_fields__}
    event = Event(info, currency, sections, minutes, **rules)
    found += [one for one in problems(event) if sections or not is_planned or not one.field.startswith("sections")]
    return event, found


def _misplaced(file: EventFile, *, is_planned: bool) -> Iterator[Detail]:
    """Fields that go with a seating plan, and only with one."""
    if is_planned:
        if file.sections:
            yield Detail("sections", "must not be given with a seating plan, which has the seats")
        if not file.prices and file.price is None:
            yield Detail("prices", "must be given with a seating plan: a price for each of its categories")
        if file.stage_side and file.stage_side not in SIDES:
            yield Detail("stage_side", f"must be one of {', '.join(SIDES)}", file.stage_side)
        if file.stage_side and file.focal_point is not None:
            yield Detail("stage_side", "must not be given together with focal_point")
        return
    for name in ("prices", "price", "not_for_sale", "accessible", "focal_point", "stage_side"):
        if getattr(file, name) not in (None, {}, (), ""):
            yield Detail(name, "must be given with a seating plan, and only with one")


def _tariff(file: EventFile) -> Tariff:
    focal = None if file.focal_point is None else Point(file.focal_point.x, file.focal_point.y)
    side = file.stage_side if file.stage_side in SIDES else ""
    return Tariff(file.prices, file.price, file.not_for_sale, focal, side, file.accessible)


def _section(at: int, file: SectionFile, found: list[Detail]) -> Section:
    path = f"sections[{at}]"
    if file.standing is not None and file.rows:
        found.append(Detail(path, "must have either rows or standing"))
    if file.standing is not None:
        if file.focal_point is not None:
            found.append(Detail(f"{path}.focal_point", "must not be given for standing places"))
        return Section(file.id, file.name, standing_rows(file.id, file.standing, file.price))
    rows = tuple(_row(f"{path}.rows[{index}]", file, row, found) for index, row in enumerate(file.rows))
    return Section(file.id, file.name, rows, _focal_seat(path, file, found))


def _row(path: str, section: SectionFile, file: RowFile, found: list[Detail]) -> Row:
    numbers = range(file.first, file.first + file.seats)
    if unknown := set(file.accessible) - set(numbers):
        reason = f"must be seat numbers of the row, {numbers[0]} to {numbers[-1]}"
        found.append(Detail(f"{path}.accessible", reason, str(min(unknown))))
    kept = set(file.accessible)
    seats = tuple(
        Seat(f"{section.id}-{file.id}-{number}", str(number), section.price, accessible=number in kept)
        for number in numbers
    )
    return Row(file.id, seats, tuple(sorted(set(file.aisles))))


def _focal_seat(path: str, file: SectionFile, found: list[Detail]) -> Point | None:
    """Where the focal seat is: seats from the middle of its row, rows from the front."""
    if file.focal_point is None:
        return None
    for at, row in enumerate(file.rows):
        place = file.focal_point.seat - row.first
        if row.id == file.focal_point.row and 0 <= place < row.seats:
            return Point(place - (row.seats - 1) / 2, at)
    named = f"row {file.focal_point.row}, seat {file.focal_point.seat}"
    found.append(Detail(f"{path}.focal_point", "must be a row and a seat number of the section", named))
    return None


def _instant(field: str, value: datetime | None) -> Instant | None:
    if value is None:
        return None
    if value.year < 1970 or value.year > 9998:
        raise Refusal.of_field(field, "must be between 1970 and 9999", value.isoformat())
    return int((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _is_noticed(field: str, noticed: set[str]) -> bool:
    """Whether a mistake in the shape of the very same thing has been shown already."""
    return any(one in noticed for one in (field, f"{field}.rows", f"{field}.standing"))


def _is_of_plan(detail: Detail) -> bool:
    return detail.field.startswith(PLAN)


def _line(mistake: Mistake) -> int:
    return mistake.line


def _under(root: str, path: str) -> str:
    return f"{root}.{path}" if path else root


def _unreadable(name: str, error: Unreadable) -> Mistake:
    return Mistake(error.line, msgspec.structs.replace(error.detail, field=name))


def _detail(mistake: Mistake) -> Detail:
    field, reason, value = mistake.detail.field or DOCUMENT, mistake.detail.reason, mistake.detail.value
    return Detail(field, f"line {mistake.line}: {reason}", value)


TIMES: Sequence[str] = ("start_time", "end_time", "sale_start_time", "sale_end_time")

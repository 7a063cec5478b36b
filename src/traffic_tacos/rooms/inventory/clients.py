"""The catalog, in inventory's words."""

from math import hypot

from traffic_tacos import wire
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.drawing import Place, usual_step
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.limits import HOLD_SECONDS
from traffic_tacos.rooms.inventory.offering import by_price
from traffic_tacos.rooms.inventory.rows import EventPlan, RowPlan, SeatPlan, SectionPlan
from traffic_tacos.upstream import Upstream

CATALOG_SECONDS = 5.0  # a hundred thousand seats take most of a second
SAME_SHARE = 0.001  # of a seat's width: no difference in distance


class CatalogClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = catalog_pb2_grpc.CatalogServiceStub(upstream.channel)

    async def plan(self, event_id: str, call: Call) -> EventPlan:
        """The seats of an event; NOT_FOUND when there is none."""
        answer = await self._upstream.ask(
            self._stub.GetEvent, pb.GetEventRequest(event_id=event_id), call, CATALOG_SECONDS
        )
        return event_plan(answer.plan)


def event_plan(message: pb.EventPlan) -> EventPlan:
    rows: list[RowPlan] = []
    sections = []
    for section in message.sections:
        first = len(rows)
        pitch = usual_step([_places(row) for row in section.rows]) or 1.0
        rows.extend(_row(section, row, first, at, pitch) for at, row in enumerate(section.rows))
        nearest_first = tuple(sorted(rows[first:], key=lambda row: row.depth))
        prices = {seat.price for row in nearest_first for seat in row.seats}
        sections.append(SectionPlan(section.id, section.name, nearest_first, min(prices), max(prices)))
    places = {seat.id: (row.index, 1 << bit) for row in rows for bit, seat in enumerate(row.seats)}
    hold = (message.hold_seconds or HOLD_SECONDS) * SECOND
    info = wire.plain_event(message.event)
    return EventPlan(
        info,
        message.currency,
        tuple(sections),
        tuple(rows),
        places,
        hold,
        message.revision,
        message.max_per_person,
        by_price(sections),
    )


def _row(section: pb.Section, row: pb.Row, first: int, at: int, pitch: float) -> RowPlan:
    count = len(row.seats)
    joined = 0 if row.standing else (1 << (count - 1)) - 1
    for aisle in row.aisles:
        joined &= ~(1 << (aisle - 1))
    depth, middle = _from_focal_point(section, row, at, pitch)
    return RowPlan(
        index=first + at,
        section=section.id,
        row=row.id,
        seats=tuple(SeatPlan(seat.id, seat.number, seat.price) for seat in row.seats),
        full=(1 << count) - 1,
        joined=joined,
        standing=row.standing,
        depth=depth,
        middle=middle,
        kept=sum(1 << bit for bit, seat in enumerate(row.seats) if seat.accessible),
        label=row.label,
        section_label=section.label,
    )


def _from_focal_point(section: pb.Section, row: pb.Row, at: int, pitch: float) -> tuple[float, float]:
    """How far the row is from the focal point and which seat is nearest to it, in seats; `pitch` is a seat's width.

    Without a drawing: rows as they are listed, from the front, and seats from the middle of the row.
    """
    focal, places = section.focal_point, _places(row)
    if not section.HasField("focal_point") or not places:
        last = len(row.seats) - 1
        return abs(at - focal.y), min(max(0.0, last / 2 + focal.x), last)
    distances = [hypot(x - focal.x, y - focal.y) for x, y in places]
    nearest = min(distances)
    # Of seats equally near the middle one: a focal point may lie between two of them.
    middles = [index for index, distance in enumerate(distances) if distance - nearest < pitch * SAME_SHARE]
    return nearest / pitch, sum(middles) / len(middles)


def _places(row: pb.Row) -> list[Place]:
    """Where the seats of a row are; nothing when one of them is nowhere."""
    places = [(seat.position.x, seat.position.y) for seat in row.seats if seat.HasField("position")]
    return places if len(places) == len(row.seats) else []

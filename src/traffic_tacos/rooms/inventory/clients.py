"""The catalog, in inventory's words."""

import grpc

from traffic_tacos import wire
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.rooms.inventory.rows import EventPlan, RowPlan, SeatPlan, SectionPlan

CATALOG_SECONDS = 0.5


class CatalogClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = catalog_pb2_grpc.CatalogServiceStub(channel)

    async def plan(self, event_id: str, call: Call) -> EventPlan:
        """The seats of an event; NOT_FOUND when there is none."""
        answer = await wire.answered(
            self._stub.GetEvent(
                pb.GetEventRequest(event_id=event_id), timeout=CATALOG_SECONDS, metadata=wire.metadata(call)
            )
        )
        return event_plan(answer.plan)


def event_plan(message: pb.EventPlan) -> EventPlan:
    rows: list[RowPlan] = []
    sections = []
    for section in message.sections:
        first = len(rows)
        rows.extend(_row(section, row, first, at) for at, row in enumerate(section.rows))
        nearest_first = tuple(sorted(rows[first:], key=lambda row: row.depth))
        prices = {seat.price for row in nearest_first for seat in row.seats}
        sections.append(SectionPlan(section.id, section.name, nearest_first, min(prices), max(prices)))
    places = {seat.id: (row.index, 1 << bit) for row in rows for bit, seat in enumerate(row.seats)}
    return EventPlan(wire.plain_event(message.event), message.currency, tuple(sections), tuple(rows), places)


def _row(section: pb.Section, row: pb.Row, first: int, at: int) -> RowPlan:
    count = len(row.seats)
    joined = 0 if row.standing else (1 << (count - 1)) - 1
    for aisle in row.aisles:
        joined &= ~(1 << (aisle - 1))
    depth, middle = _from_focal_point(section, row, at)
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
    )


def _from_focal_point(section: pb.Section, row: pb.Row, at: int) -> tuple[float, float]:
    """How far the row is from the focal point and which seat is nearest to it, in seats.

    Without a drawing: rows as they are listed, from the front, and seats from the middle of the row.
    """
    focal = section.focal_point
    if not section.HasField("focal_point") or not all(seat.HasField("position") for seat in row.seats):
        last = len(row.seats) - 1
        return abs(at - focal.y), min(max(0.0, last / 2 + focal.x), last)
    distances = [((seat.position.x - focal.x) ** 2 + (seat.position.y - focal.y) ** 2) ** 0.5 for seat in row.seats]
    middle = min(range(len(distances)), key=distances.__getitem__)
    ends = row.seats[0].position, row.seats[-1].position
    length = ((ends[1].x - ends[0].x) ** 2 + (ends[1].y - ends[0].y) ** 2) ** 0.5
    pitch = length / (len(row.seats) - 1) if len(row.seats) > 1 and length else 1.0
    return distances[middle] / pitch, float(middle)

"""CatalogService on the wire."""

from typing import get_type_hints

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.limits import CLIENT_MESSAGE_BYTES
from traffic_tacos.rooms.catalog.clients import InventoryClient
from traffic_tacos.rooms.catalog.model import Event, Point, Row, Rules, Section
from traffic_tacos.rooms.catalog.seat_map import revision
from traffic_tacos.rooms.catalog.service import Catalog, Unreadable

PLANS_KEPT_MAX = 20
ROOM_FOR_THE_REST = 1024  # of the answer


# The rules of an event that are numbers, passed on under their own names.
NUMBERS = tuple(name for name, kind in get_type_hints(Rules).items() if kind is int)


class CatalogRpc:
    """`house` keeps the seats that are not on sale."""

    def __init__(self, catalog: Catalog, house: InventoryClient) -> None:
        self._catalog = catalog
        self._house = house
        self._plans: dict[str, tuple[Event, pb.EventPlan]] = {}

    async def CreateEvent(self, request: pb.CreateEventRequest, call: Call) -> pb.CreateEventResponse:
        event = await self._catalog.create(
            request.document, request.seating_plan, request.event_id, request.reason, call
        )
        return pb.CreateEventResponse(plan=_within(self._plan(event)))

    async def GetEvent(self, request: pb.GetEventRequest, call: Call) -> pb.GetEventResponse:
        event = await self._catalog.show(request.event_id)
        plan = self._plan(event, with_sections=False) if request.without_sections else self._whole(event)
        return pb.GetEventResponse(plan=plan)

    def _whole(self, event: Event) -> pb.EventPlan:
        """The event with all its seats, made once as long as it stays: everybody may ask, and it may be large."""
        known = self._plans.get(event.id)
        if known is None or known[0] is not event:
            if len(self._plans) >= PLANS_KEPT_MAX:
                self._plans.clear()
            known = self._plans[event.id] = event, self._plan(event)
        return known[1]

    def _listed(self, event: Event | Unreadable) -> pb.EventPlan:
        if isinstance(event, Unreadable):
            return pb.EventPlan(event=types_pb2.Event(id=event.id), unreadable=event.why)
        return self._plan(event, with_sections=False)

    def _plan(self, event: Event, *, with_sections: bool = True) -> pb.EventPlan:
        return plan_message(event, guests=self._catalog.takes_guests(event), with_sections=with_sections)

    async def ListEvents(self, request: pb.ListEventsRequest, call: Call) -> pb.ListEventsResponse:
        page = await self._catalog.list(wire.asked_page(request.pagination))
        return pb.ListEventsResponse(
            plans=[self._listed(event) for event in page.records], page_info=wire.page_info(page)
        )

    async def UpdateEvent(self, request: pb.UpdateEventRequest, call: Call) -> pb.UpdateEventResponse:
        event = await self._catalog.update(
            request.event_id, request.document, request.seating_plan, request.reason, call
        )
        return pb.UpdateEventResponse(plan=_within(self._plan(event)))

    async def BlockSeats(self, request: pb.BlockSeatsRequest, call: Call) -> pb.BlockSeatsResponse:
        blocked = await self._house.block(request.event_id, tuple(request.seat_ids), request.reason, call)
        return pb.BlockSeatsResponse(seats=wire.seats(blocked))

    async def UnblockSeats(self, request: pb.UnblockSeatsRequest, call: Call) -> pb.UnblockSeatsResponse:
        freed = await self._house.unblock(request.event_id, tuple(request.seat_ids), request.reason, call)
        return pb.UnblockSeatsResponse(seats=wire.seats(freed))


def _within(plan: pb.EventPlan) -> pb.EventPlan:
    """The plan, without its sections where stock clients could not take the answer."""
    if plan.ByteSize() > CLIENT_MESSAGE_BYTES - ROOM_FOR_THE_REST:
        plan.ClearField("sections")
    return plan


def plan_message(event: Event, *, guests: bool = False, with_sections: bool = True) -> pb.EventPlan:
    admission = event.admission
    return pb.EventPlan(
        event=wire.event(event.info, event.seat_count),
        currency=event.currency,
        **{name: getattr(event, name) for name in NUMBERS},
        admission=pb.Admission(
            rate_per_second=admission.rate_per_second,
            active_max=admission.active_max,
            offer_seconds=admission.offer_seconds,
            idle_seconds=admission.idle_seconds,
            waiting_max=admission.waiting_max,
        ),
        sections=[_section(section) for section in event.sections] if with_sections else (),
        refunds=pb.Refunds(hours_before=event.refunds.hours_before, percent=event.refunds.percent),
        utc_offset_minutes=event.utc_offset_minutes,
        revision=revision(event) if with_sections else "",
        guests=guests,
    )


def _section(section: Section) -> pb.Section:
    return pb.Section(
        id=section.id,
        name=section.name,
        rows=[_row(row) for row in section.rows],
        focal_point=_point(section.focal_point),
        label=section.label,
    )


def _row(row: Row) -> pb.Row:
    seats = [
        pb.PlanSeat(
            id=seat.id,
            number=seat.number,
            price=seat.price,
            position=_point(seat.position),
            accessible=seat.accessible,
        )
        for seat in row.seats
    ]
    return pb.Row(id=row.id, seats=seats, aisles=row.aisles, standing=row.standing, label=row.label)


def _point(point: Point | None) -> pb.Point | None:
    return None if point is None else pb.Point(x=point.x, y=point.y)

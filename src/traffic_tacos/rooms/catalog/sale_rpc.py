"""SaleService on the wire: events and plans as pages show them."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from traffic_tacos import wire
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.web.v1 import web_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Damaged, Refusal
from traffic_tacos.kernel.event_info import SaleWindow
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.money import DECIMALS, DECIMALS_OF_OTHERS
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.paging import PAGE_MAX, Asked
from traffic_tacos.rooms.catalog.clients import InventoryClient, SeatsLeft
from traffic_tacos.rooms.catalog.model import Event, Row, Section
from traffic_tacos.rooms.catalog.seat_map import SectionMap, revision, seat_map
from traffic_tacos.rooms.catalog.service import Catalog, Unreadable

PLANS_KEPT_MAX = 20
FACTS_KEPT_MAX = 1000


class _Facts(NamedTuple):
    """What is found by looking at every seat, once as long as the event stays."""

    event: Event
    revision: str
    seats: int
    price_min: int
    price_max: int


class SaleRpc:
    """`inventory` says how many seats are left. `plans` are remembered while their events stay."""

    def __init__(self, catalog: Catalog, inventory: InventoryClient, clock: Clock) -> None:
        self._catalog = catalog
        self._inventory = inventory
        self._clock = clock
        self.plans: dict[str, tuple[Event, pb.Plan]] = {}
        self._facts: dict[str, _Facts] = {}

    async def ListSales(self, request: pb.ListSalesRequest, call: Call) -> pb.ListSalesResponse:
        page = await self._catalog.list(Asked(page_size=request.page_size or PAGE_MAX, cursor=request.cursor))
        sales = []
        for event in page.records:
            with suppress(Damaged):  # one that cannot be read takes down nothing but itself
                sales += [] if isinstance(event, Unreadable) else [await self._sale(event, call)]
        return pb.ListSalesResponse(
            sales=sales,
            next_cursor=page.next_cursor,
            at=wire.timestamp(self._clock.now()),
        )

    async def GetSale(self, request: pb.GetSaleRequest, call: Call) -> pb.GetSaleResponse:
        event = await self._catalog.show(request.event_id)
        sale = await self._sale(event, call)
        said = {section: section.label or section.id for section in event.sections}
        sale.section_names.update({label: section.name for section, label in said.items() if label != section.name})
        with_rows = {label for section, label in said.items() if not section.rows[0].standing}
        sale.standing_sections.extend(label for label in dict.fromkeys(said.values()) if label not in with_rows)
        return pb.GetSaleResponse(sale=sale, at=wire.timestamp(self._clock.now()))

    async def GetPlan(self, request: pb.GetPlanRequest, call: Call) -> pb.GetPlanResponse:
        event = await self._catalog.show(request.event_id)
        known = self.plans.get(event.id)
        if known is None or known[0] is not event:
            if len(self.plans) >= PLANS_KEPT_MAX:
                self.plans.clear()
            known = self.plans[event.id] = event, plan(event)
        if request.revision not in ("", known[1].revision):
            raise Refusal(Code.NOT_FOUND, f"revision: must be the one in force, {known[1].revision}")
        return pb.GetPlanResponse(plan=known[1])

    async def _sale(self, event: Event, call: Call) -> pb.Sale:
        window = await self._catalog.window(event)
        left = await self._inventory.left(event.id, call)
        facts = self._facts_of(event)
        return pb.Sale(
            event=wire.event(event.info, facts.seats, left.available),
            opens_at=wire.timestamp(window.opens_at),
            closes_at=wire.timestamp(window.ends_at),
            state=state(window, left, self._clock.now()),
            currency=event.currency,
            decimals=_decimals(event),
            price_min=facts.price_min,
            price_max=facts.price_max,
            accessible_seats=left.accessible,
            max_per_order=event.max_per_order,
            max_per_person=event.max_per_person,
            hold_seconds=event.hold_seconds,
            refunds=catalog_pb2.Refunds(hours_before=event.refunds.hours_before, percent=event.refunds.percent),
            utc_offset_minutes=event.utc_offset_minutes,
            revision=facts.revision,
            guests=self._catalog.takes_guests(event),
        )

    def _facts_of(self, event: Event) -> _Facts:
        known = self._facts.get(event.id)
        if known is None or known.event is not event:
            if len(self._facts) >= FACTS_KEPT_MAX:
                self._facts.clear()
            prices = [seat.price for section in event.sections for row in section.rows for seat in row.seats]
            known = self._facts[event.id] = _Facts(event, revision(event), len(prices), min(prices), max(prices))
        return known


def state(window: SaleWindow, left: SeatsLeft, now: Instant) -> pb.SaleState:
    if window.is_over(now):
        return pb.SALE_STATE_OVER
    if left.is_sold_out:
        return pb.SALE_STATE_SOLD_OUT
    return pb.SALE_STATE_OPEN if window.has_opened(now) else pb.SALE_STATE_BEFORE


def plan(event: Event) -> pb.Plan:
    """The plan of an event: some milliseconds for each ten thousand seats."""
    drawn = seat_map(event)
    sections, first = [], 0
    for section, shape in zip(event.sections, drawn.sections, strict=True):
        sections.append(_section(section, shape, first))
        first += sections[-1].seats
    return pb.Plan(
        event_id=event.id,
        revision=revision(event),
        currency=event.currency,
        decimals=_decimals(event),
        width=drawn.width,
        height=drawn.height,
        drawn=drawn.is_drawn,
        stage=drawn.stage,
        sections=sections,
    )


def _section(section: Section, shape: SectionMap, first: int) -> pb.PlanSection:
    rows = []
    for row, at in zip(section.rows, shape.rows, strict=True):
        rows.append(_row(row, at, first))
        first += len(row.seats)
    prices = [price for row in rows for price in row.prices]
    return pb.PlanSection(
        id=section.id,
        name=section.name,
        label=section.label,
        standing=section.rows[0].standing,
        price_min=min(prices),
        price_max=max(prices),
        seats=sum(row.seats for row in rows),
        outline=shape.outline,
        rows=rows,
    )


def _row(row: Row, at: Sequence[int], first: int) -> pb.PlanRow:
    """What can be reckoned is left out: ids that end in the seat's number, numbers that go up by one, one price."""
    ids, numbers = [seat.id for seat in row.seats], [seat.number for seat in row.seats]
    prices = [seat.price for seat in row.seats]
    begins = int(numbers[0]) if numbers[0].isascii() and numbers[0].isdigit() and len(numbers[0]) < 10 else 0
    counts_up = numbers == [str(begins + step) for step in range(len(numbers))]
    prefix = ids[0].removesuffix(numbers[0])
    is_prefixed = prefix != ids[0] and all(id_ == prefix + number for id_, number in zip(ids, numbers, strict=True))
    return pb.PlanRow(
        id=row.id,
        label=row.label,
        first=first,
        seats=len(row.seats),
        id_prefix=prefix if is_prefixed else "",
        ids=() if is_prefixed else ids,
        first_number=begins if counts_up else 0,
        numbers=() if counts_up else numbers,
        prices=prices[:1] if len(set(prices)) == 1 else prices,
        at=at,
        aisles=row.aisles,
        accessible=[place for place, seat in enumerate(row.seats) if seat.accessible],
    )


def _decimals(event: Event) -> int:
    return DECIMALS.get(event.currency, DECIMALS_OF_OTHERS)

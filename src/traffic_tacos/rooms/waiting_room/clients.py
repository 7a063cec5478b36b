"""Catalog and inventory, in the waiting room's words."""

import msgspec

from traffic_tacos import wire
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2, catalog_pb2_grpc
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.instants import HOUR
from traffic_tacos.rooms.waiting_room.values import Limits, Terms
from traffic_tacos.upstream import Upstream

CATALOG_SECONDS = 0.5
INVENTORY_SECONDS = 0.25


class SeatsLeft(msgspec.Struct, frozen=True):
    """Free, held, and free for who needs them: those last ones are sold by name only. `all_sold`: the house keeps none
    either.
    """

    available: int
    reserved: int
    accessible: int
    all_sold: bool

    @property
    def is_sold_out(self) -> bool:
        """Nobody can get a seat, not even by its name, and none that anybody may be given can come back."""
        return not (self.available or self.reserved or self.accessible)

    @property
    def sellable(self) -> int | None:
        """Seats to give turns for. None when only those are left that few people need: who comes for one must be
        let in, and nobody can be made to wait for a seat that they will not get.
        """
        return None if self.accessible and not (self.available or self.reserved) else self.available


class CatalogClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = catalog_pb2_grpc.CatalogServiceStub(upstream.channel)

    async def terms(self, event_id: str, call: Call) -> Terms:
        answer = await self._upstream.ask(
            self._stub.GetEvent,
            catalog_pb2.GetEventRequest(event_id=event_id, without_sections=True),
            call,
            CATALOG_SECONDS,
        )
        admission, info, refunds = answer.plan.admission, wire.plain_event(answer.plan.event), answer.plan.refunds
        sale, returns_until = sale_window(info), None if refunds.percent else 0
        if refunds.percent and info.start_time is not None:
            returns_until = info.start_time - refunds.hours_before * HOUR
        return Terms(
            Limits(
                rate_per_second=admission.rate_per_second,
                active_max=admission.active_max,
                offer_seconds=admission.offer_seconds,
                idle_seconds=admission.idle_seconds,
                waiting_max=admission.waiting_max,
            ),
            sale.opens_at,
            sale.ends_at,
            returns_until,
            answer.plan.guests,
        )


class InventoryClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = inventory_pb2_grpc.HoldServiceStub(upstream.channel)

    async def seats_left(self, event_id: str, call: Call) -> SeatsLeft:
        answer = await self._upstream.ask(
            self._stub.CountSeats, inventory_pb2.CountSeatsRequest(event_id=event_id), call, INVENTORY_SECONDS
        )
        return SeatsLeft(answer.available, answer.reserved, answer.accessible, answer.all_sold)

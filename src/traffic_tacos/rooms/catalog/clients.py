"""Inventory, in the catalog's words: it knows which seats are whose."""

import msgspec

from traffic_tacos import wire
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.upstream import Upstream

INVENTORY_SECONDS = 2.0


class SeatsLeft(msgspec.Struct, frozen=True):
    """Free for anybody, held, and free for who needs them: those last ones are sold by name only."""

    available: int
    reserved: int
    accessible: int

    @property
    def is_sold_out(self) -> bool:
        """No seat is free, and none is held that could come back."""
        return not (self.available or self.reserved or self.accessible)


class InventoryClient:
    """How many seats are left; and the house's seats, blocked and unblocked in the name of the call's caller."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = inventory_pb2_grpc.HoldServiceStub(upstream.channel)

    async def left(self, event_id: str, call: Call) -> SeatsLeft:
        request = inventory_pb2.CountSeatsRequest(event_id=event_id)
        answer = await self._upstream.ask(self._stub.CountSeats, request, call, INVENTORY_SECONDS)
        return SeatsLeft(answer.available, answer.reserved, answer.accessible)

    async def block(self, event_id: str, seat_ids: tuple[str, ...], reason: str, call: Call) -> tuple[Seat, ...]:
        """Take seats off sale, all or none; those that this call has blocked."""
        request = inventory_pb2.BlockSeatsRequest(
            event_id=event_id, seat_ids=seat_ids, actor=call.caller.name, reason=reason
        )
        pending = self._upstream.ask(self._stub.BlockSeats, request, call, INVENTORY_SECONDS)
        return wire.plain_seats((await pending).seats)

    async def unblock(self, event_id: str, seat_ids: tuple[str, ...], reason: str, call: Call) -> tuple[Seat, ...]:
        """Put the house's seats on sale; those that this call has freed."""
        request = inventory_pb2.UnblockSeatsRequest(
            event_id=event_id, seat_ids=seat_ids, actor=call.caller.name, reason=reason
        )
        pending = self._upstream.ask(self._stub.UnblockSeats, request, call, INVENTORY_SECONDS)
        return wire.plain_seats((await pending).seats)

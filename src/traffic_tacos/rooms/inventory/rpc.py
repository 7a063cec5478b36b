"""Inventory on the wire, under both its names."""

from traffic_tacos import wire
from traffic_tacos.gen.reservation.v1 import inventory_pb2 as pb
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2 as own
from traffic_tacos.gen.tacos.web.v1 import web_pb2 as web
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.inventory.model import Counts, HoldStatus
from traffic_tacos.rooms.inventory.service import Commit, House, Inventory, Release, Reserve, SectionCounts

_HOLD_STATUS = {
    HoldStatus.ACTIVE: pb.HOLD_STATUS_ACTIVE,
    HoldStatus.RELEASED: pb.HOLD_STATUS_RELEASED,
    HoldStatus.COMMITTED: pb.HOLD_STATUS_COMMITTED,
}
_COMMIT_FAILURE = {
    Code.RESERVATION_EXPIRED: pb.COMMIT_STATUS_FAILED_EXPIRED,
    Code.INVENTORY_CONFLICT: pb.COMMIT_STATUS_FAILED_CONFLICT,
    Code.NOT_FOUND: pb.COMMIT_STATUS_FAILED_CONFLICT,
}
_RELEASE_FAILURE = {
    Code.NOT_FOUND: pb.RELEASE_STATUS_NOT_FOUND,
    Code.FAILED_PRECONDITION: pb.RELEASE_STATUS_FAILED,
}


class InventoryRpc:
    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def CheckAvailability(self, request: pb.CheckAvailabilityRequest, call: Call) -> pb.CheckAvailabilityResponse:
        found = await self._inventory.check(
            request.event_id, tuple(request.seat_ids), request.quantity, request.section, call
        )
        return pb.CheckAvailabilityResponse(
            available=found.available,
            available_seats=wire.seats(found.seats),
            unavailable_seat_ids=found.unavailable,
            remaining_in_section=found.remaining,
        )

    async def ReserveSeat(self, request: pb.ReserveSeatRequest, call: Call) -> pb.ReserveSeatResponse:
        held = await self._inventory.reserve(
            Reserve(
                request.reservation_id,
                request.event_id,
                tuple(request.seat_ids),
                request.quantity,
                request.user_id,
                wire.instant(request, "hold_expires_at"),
                request.idempotency_key,
            ),
            call,
        )
        return pb.ReserveSeatResponse(
            hold_id=held.hold_id,
            reserved_seats=wire.seats(held.seats),
            hold_expires_at=wire.timestamp(held.expires_at),
            status=_HOLD_STATUS[held.status],
        )

    async def CommitReservation(self, request: pb.CommitReservationRequest, call: Call) -> pb.CommitReservationResponse:
        try:
            sold = await self._inventory.commit(
                Commit(
                    request.reservation_id,
                    request.event_id,
                    tuple(request.seat_ids),
                    request.quantity,
                    request.payment_intent_id,
                    request.user_id,
                    request.idempotency_key,
                ),
                call,
            )
        except Refusal as refusal:
            status = _COMMIT_FAILURE.get(refusal.code, pb.COMMIT_STATUS_UNSPECIFIED)
            return pb.CommitReservationResponse(status=status, error=wire.error(refusal, call.trace_id))
        return pb.CommitReservationResponse(
            order_id=sold.order_id,
            sold_seats=wire.seats(sold.seats),
            status=pb.COMMIT_STATUS_SUCCESS,
            committed_at=wire.timestamp(sold.committed_at),
        )

    async def ReleaseHold(self, request: pb.ReleaseHoldRequest, call: Call) -> pb.ReleaseHoldResponse:
        try:
            released = await self._inventory.release(
                Release(
                    request.reservation_id,
                    request.event_id,
                    tuple(request.seat_ids),
                    request.quantity,
                    request.reason,
                    request.idempotency_key,
                ),
                call,
            )
        except Refusal as refusal:
            status = _RELEASE_FAILURE.get(refusal.code, pb.RELEASE_STATUS_UNSPECIFIED)
            return pb.ReleaseHoldResponse(status=status, error=wire.error(refusal, call.trace_id))
        was_released = released.was_released
        return pb.ReleaseHoldResponse(
            released_seats=wire.seats(released.seats),
            status=pb.RELEASE_STATUS_ALREADY_RELEASED if was_released else pb.RELEASE_STATUS_SUCCESS,
            released_at=wire.timestamp(released.released_at),
        )

    async def GetInventoryStatus(
        self, request: pb.GetInventoryStatusRequest, call: Call
    ) -> pb.GetInventoryStatusResponse:
        status = await self._inventory.status(request.event_id, request.section, call)
        plan, total = status.plan, status.total
        seats = sum(len(row.seats) for row in plan.rows)
        return pb.GetInventoryStatusResponse(
            event=wire.event(plan.info, seats, total.available),
            sections=[_section(section, plan.currency) for section in status.sections],
            stats=pb.InventoryStats(
                total_seats=total.total,
                available_seats=total.available,
                reserved_seats=total.reserved,
                sold_seats=total.sold,
                blocked_seats=total.blocked,
                availability_percentage=_percentage(total),
                last_updated=wire.timestamp(status.counted_at),
            ),
        )


def _section(section: SectionCounts, currency: str) -> pb.SectionInventory:
    counts = section.counts
    return pb.SectionInventory(
        section_id=section.id,
        section_name=section.name,
        total_seats=counts.total,
        available_seats=counts.available,
        reserved_seats=counts.reserved,
        sold_seats=counts.sold,
        blocked_seats=counts.blocked,
        min_price=wire.money(Money(section.price_min, currency)),
        max_price=wire.money(Money(section.price_max, currency)),
    )


def _percentage(counts: Counts) -> float:
    return 100 * counts.available / counts.total if counts.total else 0.0


class HoldRpc:
    """What other rooms ask beyond the contract."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def BlockSeats(self, request: own.BlockSeatsRequest, call: Call) -> own.BlockSeatsResponse:
        return own.BlockSeatsResponse(seats=wire.seats(await self._inventory.block(_house(request), call)))

    async def UnblockSeats(self, request: own.UnblockSeatsRequest, call: Call) -> own.UnblockSeatsResponse:
        return own.UnblockSeatsResponse(seats=wire.seats(await self._inventory.unblock(_house(request), call)))

    async def CountSeats(self, request: own.CountSeatsRequest, call: Call) -> own.CountSeatsResponse:
        counts = await self._inventory.count(request.event_id, call)
        return own.CountSeatsResponse(
            available=counts.available,
            reserved=counts.reserved - counts.accessible_held,
            accessible=counts.accessible,
            all_sold=counts.sold == counts.total,
        )


class SeatRpc:
    """What pages ask of seats."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def GetSeatStates(self, request: web.GetSeatStatesRequest, call: Call) -> web.GetSeatStatesResponse:
        found = await self._inventory.seat_states(request.event_id, call)
        return web.GetSeatStatesResponse(
            states=web.SeatStates(
                event_id=request.event_id,
                revision=found.plan.revision,
                seats=found.counts.total,
                free=found.free,
                free_count=found.counts.available,
                accessible_free=found.counts.accessible,
                at=wire.timestamp(found.at),
            )
        )


def _house(request: own.BlockSeatsRequest | own.UnblockSeatsRequest) -> House:
    return House(request.event_id, tuple(request.seat_ids), request.actor, request.reason)

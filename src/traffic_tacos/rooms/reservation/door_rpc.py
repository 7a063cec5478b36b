"""TicketService and DoorService on the wire."""

import asyncio

import segno

from traffic_tacos import wire
from traffic_tacos.gen.tacos.admission.v1 import admission_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.rooms.reservation.door import Door, Scan
from traffic_tacos.rooms.reservation.entering import entry_of
from traffic_tacos.rooms.reservation.model import Entry

QR_MASK = 3  # any of the eight can be read; choosing the best one takes most of the time


class TicketRpc:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def ListTickets(self, request: pb.ListTicketsRequest, call: Call) -> pb.ListTicketsResponse:
        tickets = await self._door.tickets(request.reservation_id, request.user_id, call)
        shown = []
        for ticket in tickets:
            seat = ticket.reservation.seats[ticket.place]
            entry = entry_of(ticket.reservation, seat.id)
            checked_in = None if entry is None else _checked_in(ticket.reservation.id, entry)
            side, qr = _qr_code(ticket.token)
            shown.append(
                pb.Ticket(ticket=ticket.token, seat=wire.seat(seat), checked_in=checked_in, qr=qr, qr_side=side)
            )
            await asyncio.sleep(0)  # drawing one takes milliseconds, in which others wait
        return pb.ListTicketsResponse(tickets=shown)


class DoorRpc:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def CheckIn(self, request: pb.CheckInRequest, call: Call) -> pb.CheckInResponse:
        scanned_at = wire.instant(request, "scanned_at")
        found = await self._door.check_in(
            Scan(request.ticket, request.event_id, request.scanner_id, request.scan_id, scanned_at)
        )
        return pb.CheckInResponse(entered=found.is_new, checked_in=_checked_in(found.reservation_id, found.entry))

    async def UndoCheckIn(self, request: pb.UndoCheckInRequest, call: Call) -> pb.UndoCheckInResponse:
        changed = await self._door.undo(request.ticket, request.event_id, request.reason, call)
        return pb.UndoCheckInResponse(changed=changed)

    async def ListCheckIns(self, request: pb.ListCheckInsRequest, call: Call) -> pb.ListCheckInsResponse:
        page = await self._door.entries(request.event_id, wire.asked_page(request.pagination))
        entries = [_checked_in(one.id, entry) for one in page.records for entry in one.entries]
        return pb.ListCheckInsResponse(check_ins=entries, page_info=wire.page_info(page))

    async def ListReturned(self, request: pb.ListReturnedRequest, call: Call) -> pb.ListReturnedResponse:
        page = await self._door.returned(request.event_id, wire.asked_page(request.pagination))
        return pb.ListReturnedResponse(reservation_ids=[one.id for one in page.records], page_info=wire.page_info(page))


def _qr_code(text: str) -> tuple[int, bytes]:
    """How many modules a side has, and the modules row by row."""
    code = segno.make(text, error="m", micro=False, boost_error=False, mask=QR_MASK)
    modules = [module & 1 for row in code.matrix for module in row]
    packed = bytearray((len(modules) + 7) // 8)
    for place, is_dark in enumerate(modules):
        packed[place // 8] |= is_dark << place % 8
    return len(code.matrix), bytes(packed)


def _checked_in(reservation_id: str, entry: Entry) -> pb.CheckedIn:
    return pb.CheckedIn(
        reservation_id=reservation_id,
        seat_id=entry.seat_id,
        scanner_id=entry.scanner_id,
        scan_id=entry.scan_id,
        scanned_at=wire.timestamp(entry.scanned_at),
        recorded_at=wire.timestamp(entry.recorded_at),
    )

"""Tickets, and the door at which each of them lets one person in.

Whether somebody enters is decided on the reservation itself, in one commit: so neither two scanners nor somebody who
gives the ticket back at the same moment can both have their way.
"""

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Detail, Refusal
from traffic_tacos.kernel.ids import checked_foreign_id, checked_id, required_reason
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.tokens import TicketToken, sign_ticket, verify_ticket
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.paging import Asked, Page, page_of
from traffic_tacos.ports.store import Decision, Store, View, delete, put
from traffic_tacos.rooms.reservation.ending import existing
from traffic_tacos.rooms.reservation.entering import entered, entry_of, require_bought, undone
from traffic_tacos.rooms.reservation.model import Entry, Reservation
from traffic_tacos.rooms.reservation.records import ENTERED_BY_EVENT, RETURNED_BY_EVENT, entered_at, reservation_key
from traffic_tacos.rooms.reservation.service import Reservations


class Scan(msgspec.Struct, frozen=True):
    """A ticket that a scanner has seen at an event; `scanned_at` is None for now."""

    ticket: str
    event_id: str
    scanner_id: str
    scan_id: str
    scanned_at: Instant | None


class Entered(msgspec.Struct, frozen=True):
    """Whether this scan lets somebody in, and the entry in force: this one's, or that of the scan before."""

    reservation_id: str
    entry: Entry
    is_new: bool


class Ticket(msgspec.Struct, frozen=True):
    token: str
    reservation: Reservation
    place: int  # of its seat among those of the reservation


class Door:
    def __init__(self, store: Store, clock: Clock, keyring: Keyring, reservations: Reservations) -> None:
        self._reservations = reservations
        self._store = store
        self._clock = clock
        self._keyring = keyring

    async def tickets(self, reservation_id: str, user_id: str, call: Call) -> tuple[Ticket, ...]:
        """One for each seat, for whoever bought them."""
        reservation = await self._reservations.show(reservation_id, user_id, call)
        require_bought(reservation)
        bought_at = reservation.confirmed_at or reservation.updated_at
        return tuple(
            Ticket(
                sign_ticket(
                    self._keyring.signing, TicketToken(reservation.event_id, reservation.id, seat.id, bought_at)
                ),
                reservation,
                place,
            )
            for place, seat in enumerate(reservation.seats)
        )

    async def check_in(self, scan: Scan) -> Entered:
        """Let somebody in, once for each ticket; the same scan again is the same answer."""
        checked_foreign_id("scanner_id", scan.scanner_id)
        checked_foreign_id("scan_id", scan.scan_id)
        now = self._clock.now()
        ticket = self._verified(scan.ticket, scan.event_id, now)
        known = await self._of(ticket)
        scanned_at = now if scan.scanned_at is None else scan.scanned_at
        entry = Entry(ticket.seat_id, scan.scanner_id, scan.scan_id, scanned_at, now)

        def decide(view: View) -> Decision[Entered]:
            before = view.get(reservation_key(known.id)) or known
            after = entered(before, entry)
            first = entry_of(after, ticket.seat_id) or entry
            is_ours = (first.scanner_id, first.scan_id) == (scan.scanner_id, scan.scan_id)
            reply = Entered(after.id, first, is_ours)
            if after is before:
                return Decision(reply)
            return Decision(reply, (put(reservation_key(after.id), after), put(entered_at(after), after.id)))

        return await self._store.transact((reservation_key(known.id),), decide)

    async def undo(self, ticket_text: str, event_id: str, reason: str, call: Call) -> bool:
        """Nobody has entered with this ticket; False when nobody had."""
        required_reason(reason)
        now = self._clock.now()
        ticket = self._verified(ticket_text, event_id, now)
        known = await self._of(ticket)

        def decide(view: View) -> Decision[bool]:
            before = view.get(reservation_key(known.id)) or known
            entry = entry_of(before, ticket.seat_id)
            if entry is None:
                return Decision(False)
            after = undone(before, ticket.seat_id)
            kept = () if after.entries else (delete(entered_at(after)),)
            note = Audited(
                at=now,
                actor=call.caller.name,
                action="check-in",
                subject=f"{after.id} {ticket.seat_id}",
                old=f"entered by {entry.scanner_id}",
                new="undone",
                reason=reason,
                trace_id=call.trace_id,
            )
            return Decision(True, (put(reservation_key(after.id), after), *kept, *audited(view, note)))

        return await self._store.transact((reservation_key(known.id), CHAIN_END), decide)

    async def entries(self, event_id: str, asked: Asked) -> Page[Reservation]:
        """The orders of an event with whose tickets somebody has entered."""
        index = ENTERED_BY_EVENT.prefix(checked_id("event_id", event_id))
        return await page_of(self._store, index, reservation_key, None, asked)

    async def returned(self, event_id: str, asked: Asked) -> Page[Reservation]:
        """The orders of an event that were given back."""
        index = RETURNED_BY_EVENT.prefix(checked_id("event_id", event_id))
        return await page_of(self._store, index, reservation_key, None, asked)

    def _verified(self, text: str, event_id: str, now: Instant) -> TicketToken:
        """What is refused is the ticket, and says so in its details: else a scanner would take it for its own token."""
        try:
            return verify_ticket(text, self._keyring.verifying, checked_id("event_id", event_id), now)
        except Refusal as refusal:
            if refusal.details:
                raise
            raise _of_ticket(refusal.code, refusal.message.removeprefix("ticket: ")) from None

    async def _of(self, ticket: TicketToken) -> Reservation:
        known = await existing(self._store, checked_id("reservation_id", ticket.reservation_id))
        if known.event_id != ticket.event_id:
            raise _of_ticket(Code.FORBIDDEN, "is for another event")
        return known


def _of_ticket(code: Code, says: str) -> Refusal:
    return Refusal(code, f"ticket: {says}", Detail("ticket", says))

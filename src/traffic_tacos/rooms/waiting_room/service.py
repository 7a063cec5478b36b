"""The line's verbs: join, show, admit; and the step that gives turns.

Reading is memory only. Joins and admissions are durable before they are answered.
"""

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Detail, Fault, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_text
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.tokens import (
    ReservationToken,
    Ticket,
    open_ticket,
    seal_ticket,
    session_hash,
    sign_reservation,
)
from traffic_tacos.kernel.topics import EVENT_CHANGED, RESERVATION_CHANGED
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Event, Key, Store, View, put
from traffic_tacos.rooms.waiting_room import model
from traffic_tacos.rooms.waiting_room.clients import CatalogClient, InventoryClient, Sale
from traffic_tacos.rooms.waiting_room.model import Admission, Line, Place, State
from traffic_tacos.rooms.waiting_room.records import (
    HEAD,
    TICKET,
    Head,
    TicketRecord,
    admission_id,
    admission_number,
    member_keys,
    ticket_key,
)

STEP_SECONDS = 0.1
SEATS_ASKED_EVERY = SECOND
SESSION_LENGTH_MAX = 200
METADATA_LENGTH_MAX = 500
METADATA_ENTRIES_MAX = 30
SCAN_PAGE = 5000


class Standing(msgspec.Struct, frozen=True):
    """Where a ticket stands; `is_new` is False for one that was held already."""

    token: str
    place: Place
    expires_at: Instant
    is_new: bool


class Grant(msgspec.Struct, frozen=True):
    token: str
    granted_at: Instant
    expires_at: Instant


class EventLine:
    """A line with what surrounds it: the sale it belongs to, and how fresh that knowledge is."""

    def __init__(self, sale: Sale) -> None:
        self.sale = sale
        self.line = Line(sale.settings)
        self.sale_is_stale = False
        self.seats_asked_at: Instant | None = None


class WaitingRoom:
    """`token_secret` seals waiting tokens, `signing_key` signs reservation tokens."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        catalog: CatalogClient,
        inventory: InventoryClient,
        token_secret: bytes,
        signing_key: Ed25519PrivateKey,
    ) -> None:
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._inventory = inventory
        self._token_secret = token_secret
        self._signing_key = signing_key
        self._lines: dict[str, EventLine] = {}

    async def load(self) -> None:
        """Everybody stands where they stood, and no admission lived on while the platform was down."""
        call, now = self._own_call(), self._clock.now()
        granted: dict[str, list[Instant]] = {}
        after: Key[TicketRecord] | None = None
        while page := await self._store.scan(TICKET.prefix(), after=after, limit=SCAN_PAGE):
            for key, record in page:
                event_id = key.path.split("/")[1]
                line = (await self._line(event_id, call)).line
                line.joined(record.number)
                if record.granted_at is not None and record.granted_at > now - SECOND:
                    granted.setdefault(event_id, []).append(record.granted_at)
                if record.is_done:
                    line.done(record.number)
                elif record.admission_expires_at is not None:
                    line.admitted(_admission(record), now)
            after = page[-1][0]
        for event_id, entry in self._lines.items():
            head = await self._store.get(HEAD.key(event_id))
            entry.line.joined(head.last_number if head is not None else 0)
            entry.line.recall_grants(granted.get(event_id, ()))

    async def join(
        self, event_id: str, session_id: str, user_id: str, metadata: dict[str, str], call: Call
    ) -> Standing:
        """A place at the end of the line, or the one that this session or user has."""
        entry = await self._checked_join(event_id, session_id, user_id, metadata, call)
        now = self._clock.now()
        members = member_keys(event_id, session_id, user_id)
        head_key = HEAD.key(event_id)
        known = [found for key in members if (found := await self._store.get(key)) is not None]
        live = next((found for found in known if entry.line.state(found) is not State.DONE), None)
        hashed = session_hash(session_id)

        def decide(view: View) -> Decision[tuple[int, bool]]:
            present = [found for key in members if (found := view.get(key)) is not None]
            if newer := [found for found in present if found not in known]:
                return Decision((newer[0], False))  # the same member joined in between
            if live is not None:
                return Decision((live, False), [put(key, live) for key in members if view.get(key) is None])
            head = view.get(head_key)
            number = 1 if head is None else head.last_number + 1
            record = TicketRecord(number, hashed.hex(), user_id, now, metadata=metadata)
            return Decision(
                (number, True),
                (
                    put(head_key, Head(number)),
                    put(ticket_key(event_id, number), record),
                    *(put(key, number) for key in members),
                ),
            )

        number, is_new = await self._store.transact((head_key, *members), decide)
        if is_new:
            entry.line.joined(number)
            entry.line.advance(now)
        else:
            record = await self._store.get(ticket_key(event_id, number))
            hashed = hashed if record is None else bytes.fromhex(record.session_hash)
        token = seal_ticket(Ticket(event_id, number, hashed), self._token_secret)
        return Standing(token, entry.line.place(number, now), self._expires_at(entry, now), is_new)

    def show(self, token: str) -> tuple[Place, Instant]:
        """Where the ticket stands and until when; no store, no wait."""
        ticket = open_ticket(token, self._token_secret)
        entry = self._known(ticket)
        now = self._clock.now()
        return entry.line.place(ticket.number, now), self._expires_at(entry, now)

    async def admit(self, token: str, event_id: str, user_id: str, call: Call) -> Grant | None:
        """The admission of a ticket whose turn it is; None before its turn. Repeating it answers the same.

        FAILED_PRECONDITION when the event is sold out or the ticket has ended; RATE_LIMITED when this
        second is full.
        """
        ticket = open_ticket(token, self._token_secret)
        if event_id != ticket.event_id:
            raise Refusal(Code.FORBIDDEN, "event_id: must be the event that the waiting_token is for")
        if user_id:
            call.require_user(user_id)
        entry = self._known(ticket)
        now = self._clock.now()
        entry.line.advance(now)
        state = entry.line.state(ticket.number)
        if state is State.DONE:
            raise Refusal(Code.FAILED_PRECONDITION, "waiting_token: this place has ended; join the line again")
        if state is State.WAITING:
            if entry.line.is_sold_out:
                raise Refusal(Code.FAILED_PRECONDITION, f"event_id: {event_id} is sold out")
            return None
        if state is State.READY and not entry.line.take_grant_room(now):
            raise rate_limited(1)
        admission = entry.line.admissions.get(ticket.number) or await self._grant(entry, ticket, user_id, now)
        if admission.user_id and user_id and admission.user_id != user_id:
            raise Refusal(Code.FORBIDDEN, "user_id: the place belongs to another user")
        granted = ReservationToken(
            admission_id(event_id, ticket.number), event_id, admission.user_id, admission.expires_at
        )
        signed = sign_reservation(self._signing_key, granted, admission.granted_at)
        return Grant(signed, admission.granted_at, admission.expires_at)

    async def step(self) -> None:
        """Give turns in every line, and learn how many seats are left. Called every STEP_SECONDS."""
        for event_id, entry in list(self._lines.items()):  # others may join a new line meanwhile
            try:
                await self._step_line(event_id, entry, self._clock.now())
            except (Fault, Refusal):
                continue  # the store or a room is away: this line stands still until the next step

    async def run(self) -> None:
        """Step until cancelled."""
        while True:
            await self.step()
            await self._clock.sleep(STEP_SECONDS)

    async def hear(self, event: Event) -> None:
        """News of reservations free places in the sale; news of an event refreshes its settings."""
        if event.topic == EVENT_CHANGED and (entry := self._lines.get(event.payload["event_id"])) is not None:
            entry.sale_is_stale = True
        if event.topic != RESERVATION_CHANGED:
            return
        event_id, new = event.payload["event_id"], event.payload["new"]
        entry = self._lines.get(event_id)
        if entry is None:
            return
        number = admission_number(event.payload["admission_id"])
        entry.line.holds_seats(number, new == "PENDING")
        entry.seats_asked_at = None
        if new in ("CONFIRMED", "EXPIRED"):
            entry.line.done(number)
            await self._end(event_id, number)

    async def _checked_join(
        self, event_id: str, session_id: str, user_id: str, metadata: dict[str, str], call: Call
    ) -> EventLine:
        """Everything that can be wrong with a join, before a number is taken."""
        checked_id("event_id", event_id)
        if not session_id:
            raise Refusal.of_field("session_id", "is required")
        checked_text("session_id", session_id, SESSION_LENGTH_MAX)
        if user_id:
            call.require_user(checked_id("user_id", user_id))
        if len(metadata) > METADATA_ENTRIES_MAX:
            raise Refusal.of_field("metadata", f"must have at most {METADATA_ENTRIES_MAX} entries", len(metadata))
        for name, value in metadata.items():
            checked_text(f"metadata.{name[:40]}", value, METADATA_LENGTH_MAX)
        entry = await self._line(event_id, call)
        now = self._clock.now()
        if entry.sale.starts_at is not None and now < entry.sale.starts_at:
            raise Refusal(Code.FAILED_PRECONDITION, "event_id: the sale has not started")
        if entry.sale.ends_at is not None and now >= entry.sale.ends_at:
            raise Refusal(Code.FAILED_PRECONDITION, "event_id: the sale has ended")
        if entry.line.is_sold_out:
            raise Refusal(Code.FAILED_PRECONDITION, f"event_id: {event_id} is sold out")
        if entry.line.waiting() >= entry.line.settings.waiting_max:
            raise rate_limited(entry.line.settings.offer_seconds)
        return entry

    async def _step_line(self, event_id: str, entry: EventLine, now: Instant) -> None:
        if entry.line.waiting() or entry.line.is_sold_out:
            await self._ask_seats(event_id, entry, now)
        _, expired = entry.line.advance(now)
        for number in expired:
            await self._end(event_id, number)
            entry.line.done(number)

    async def _grant(self, entry: EventLine, ticket: Ticket, user_id: str, now: Instant) -> Admission:
        key = ticket_key(ticket.event_id, ticket.number)

        def decide(view: View) -> Decision[TicketRecord]:
            record = view.get(key)
            if record is None or record.is_done:
                raise Refusal(Code.FAILED_PRECONDITION, "waiting_token: this place has ended; join the line again")
            if record.granted_at is not None:
                return Decision(record)
            granted = msgspec.structs.replace(
                record,
                user_id=record.user_id or user_id,
                granted_at=now,
                # Whole seconds, as the token has them.
                admission_expires_at=-(-(now + model.ADMISSION_LIFETIME) // SECOND) * SECOND,
            )
            return Decision(granted, (put(key, granted),))

        admission = _admission(await self._store.transact((key,), decide))
        entry.line.admitted(admission, now)
        return admission

    async def _end(self, event_id: str, number: int) -> None:
        """The ticket is done, durably: its holder may join anew, at the end of the line."""
        key = ticket_key(event_id, number)

        def decide(view: View) -> Decision[None]:
            record = view.get(key)
            if record is None or record.is_done:
                return Decision(None)
            return Decision(None, (put(key, msgspec.structs.replace(record, is_done=True)),))

        await self._store.transact((key,), decide)

    async def _ask_seats(self, event_id: str, entry: EventLine, now: Instant) -> None:
        if entry.seats_asked_at is not None and now < entry.seats_asked_at + SEATS_ASKED_EVERY:
            return
        entry.seats_asked_at = now
        left = await self._inventory.seats_left(event_id, self._own_call())
        entry.line.sellable = left.available
        entry.line.is_sold_out = left.available == 0 and left.reserved == 0

    async def _line(self, event_id: str, call: Call) -> EventLine:
        entry = self._lines.get(event_id)
        if entry is None or entry.sale_is_stale:
            sale = await self._catalog.sale(event_id, call)
            entry = self._lines.setdefault(event_id, EventLine(sale))
            entry.sale, entry.line.settings, entry.sale_is_stale = sale, sale.settings, False
        return entry

    def _known(self, ticket: Ticket) -> EventLine:
        entry = self._lines.get(ticket.event_id)
        if entry is None or not 0 < ticket.number < entry.line.next_number:
            raise Refusal(Code.NOT_FOUND, "waiting_token: there is no such place in this line")
        return entry

    def _expires_at(self, entry: EventLine, now: Instant) -> Instant:
        return now + entry.line.settings.idle_seconds * SECOND

    def _own_call(self) -> Call:
        return Call(Caller(Role.SERVICE, "waiting_room"), "waiting-room-step")


def rate_limited(seconds: int) -> Refusal:
    return Refusal(
        Code.RATE_LIMITED, f"try again in {seconds} seconds", Detail("retry_after_seconds", "wait", str(seconds))
    )


def _admission(record: TicketRecord) -> Admission:
    assert record.granted_at is not None
    assert record.admission_expires_at is not None
    return Admission(record.number, record.user_id, record.granted_at, record.admission_expires_at)

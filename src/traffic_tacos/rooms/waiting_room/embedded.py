"""A line of one process: the model in memory for reading, and the store for everything that must last.

A join, an admission, a leave, an end and a setting are durable before they are answered, and only then
does the model hear of them: so after a crash everybody stands where they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import structlog

from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.tokens import Ticket, seal_ticket, session_hash
from traffic_tacos.ports.sales import sale_key, window_in_force
from traffic_tacos.ports.sessions import is_owner, place_owner, session_key, user_owner
from traffic_tacos.ports.store import Decision, Key, Store, View, Write, put
from traffic_tacos.rooms.waiting_room import draw, model
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.model import Line
from traffic_tacos.rooms.waiting_room.records import (
    DRAW,
    HEAD,
    NOTHING_SET,
    TICKET,
    DrawRecord,
    Head,
    TicketRecord,
    member_keys,
    settings_key,
    ticket_key,
)
from traffic_tacos.rooms.waiting_room.values import Admission, Settings, State, Terms

SCAN_PAGE = 5000
PROGRESS_EVERY = 100_000
EXPIRED_AT_ONCE_MAX = 500
log = structlog.get_logger()


class Joined(msgspec.Struct, frozen=True):
    """`is_new` is False for a ticket that this member had already; `session_hash` is its own."""

    number: int
    session_hash: bytes
    is_new: bool


class Member(NamedTuple):
    """Who joins: the user, where one is signed in, else the session. `known` are the tickets under their name, `live`
    the one of them that is theirs and goes on, if any.
    """

    session_id: str
    user_id: str
    keys: list[Key[int]]
    known: list[int]
    live: int | None


class EmbeddedLine:
    """One event's line. `load` it before anything else; `token_secret` seals waiting tokens; `maintenance` says why
    nobody may begin anything now, which stops the line too. `is_closed`: nobody new may join. `message`
    is what the operators say to all who wait.
    """

    def __init__(
        self, event_id: str, store: Store, token_secret: bytes, terms: Terms, maintenance: Callable[[], str] = str
    ) -> None:
        self.is_closed = False
        self.message = ""
        self.maintenance = maintenance
        self.event_id = event_id
        self.terms = terms
        self.model = Line(terms.settings)
        self._store = store
        self._token_secret = token_secret
        self._set_for_all = self._set_for_this = NOTHING_SET
        self._head_key, self._draw_key = HEAD.key(event_id), DRAW.key(event_id)

    async def load(self, now: Instant, seed: bytes) -> None:
        """Everybody stands where they stood, and no timer ran while the platform was down."""
        await self._read_settings()
        drawn = await self._committed_draw(now, seed)
        if drawn is not None:
            self.model.gather()
        self._apply_settings(now)
        self._draw_closed(drawn, now)
        grants: list[Instant] = []
        after: Key[TicketRecord] | None = None
        while page := await self._store.scan(TICKET.prefix(self.event_id), after=after, limit=SCAN_PAGE):
            for _, record in page:
                self.model.joined(record.number, now, record.joined_at)
                if record.granted_at is not None:
                    grants.append(record.granted_at)
                    self.model.admitted(_admission(record), now)
                if record.ended:
                    self.model.end(record.number, State[record.ended])
            after = page[-1][0]
            if self.model.last_number % PROGRESS_EVERY < SCAN_PAGE:
                log.info("taking_up_line", event_id=self.event_id, tickets=self.model.last_number)
        self.model.recall_grants(time for time in grants if time > now - SECOND)

    async def change_terms(self, terms: Terms, now: Instant, seed: bytes) -> None:
        """The event has changed, or what an operator set. Its first joiners decide whether there is a draw."""
        self.terms = terms
        await self._read_settings()
        if self.model.last_number == 0 and not self.model.is_pool:
            drawn = await self._committed_draw(now, seed)
            if self.model.last_number == 0 and drawn is not None and drawn.closed_at is None:
                self.model.gather()
        self._apply_settings(now)

    async def member(self, session_id: str, user_id: str) -> Member:
        """Who wants to join, and what they have in this line already."""
        keys = member_keys(self.event_id, session_id, user_id)
        known = [found for key in keys if (found := await self._store.get(key)) is not None]
        live = next(filter(self._may_go_on, known), None)
        if live is not None and not user_id and await self._has_user(live):
            live = None  # who only names a session is nobody's user
        return Member(session_id, user_id, keys, known, live)

    async def join(self, member: Member, metadata: dict[str, str], now: Instant) -> Joined:
        """A number at the end of the line, or the one that this user has, or this session without one.

        FAILED_PRECONDITION when the sale is over.
        """
        head_key, draw_key, sale_at = self._head_key, self._draw_key, sale_key(self.event_id)
        members, known, live = member.keys, member.known, member.live
        hashed = session_hash(member.session_id)

        def decide(view: View) -> Decision[tuple[int, bool, DrawRecord | None]]:
            present = [found for key in members if (found := view.get(key)) is not None]
            head, drawn = view.get(head_key) or Head(0), view.get(draw_key)
            if newer := [found for found in present if found not in known]:
                return Decision((newer[0], False, drawn))  # the same member joined in between
            if live is not None:
                missing = [put(key, live) for key in members if view.get(key) is None]
                return Decision((live, False, drawn), missing)
            window_in_force(view, self.event_id, self.terms.window).check_not_over(now)
            number = head.last_number + 1
            writes: list[Write] = [put(key, number) for key in members]
            digest = ""
            if drawn is not None and drawn.closed_at is None:
                if self._sale_is_due(now):
                    drawn = _closed(drawn, head, now)
                    writes.append(put(draw_key, drawn))
                else:
                    token = seal_ticket(Ticket(self.event_id, number, hashed), self._token_secret)
                    before = bytes.fromhex(head.pool_digest) or draw.EMPTY_POOL
                    digest = draw.pool_digest(before, draw.entry(token)).hex()
            record = TicketRecord(number, hashed.hex(), member.user_id, now, metadata=metadata)
            _, claim = is_owner(view, member.session_id, _names(self.event_id, record), now)
            writes += claim
            writes += [put(head_key, Head(number, digest)), put(ticket_key(self.event_id, number), record)]
            return Decision((number, True, drawn), writes)

        number, is_new, drawn = await self._store.transact(
            (head_key, draw_key, sale_at, session_key(member.session_id), *members), decide
        )
        self._draw_closed(drawn, now)
        self.model.joined(number, now)
        if not is_new and (record := await self._store.get(ticket_key(self.event_id, number))) is not None:
            hashed = bytes.fromhex(record.session_hash)
        return Joined(number, hashed, is_new)

    async def claim(self, number: int, user_id: str, now: Instant) -> Admission:
        """The admission of a ticket; claiming again answers the same.

        FORBIDDEN when it is another user's, FAILED_PRECONDITION when it has ended, or the sale has.
        """
        key, sale_at = ticket_key(self.event_id, number), sale_key(self.event_id)

        def decide(view: View) -> Decision[TicketRecord]:
            record = view.get(key)
            if record is None or record.ended:
                raise place_ended()
            if record.user_id and user_id and record.user_id != user_id:
                raise of_another_user()
            if record.granted_at is not None:
                return Decision(record)
            window_in_force(view, self.event_id, self.terms.window).check_not_over(now)
            granted = msgspec.structs.replace(
                record,
                user_id=record.user_id or user_id,
                granted_at=now,
                # Whole seconds, as the token has them.
                admission_expires_at=-(-(now + model.ADMISSION_LIFETIME) // SECOND) * SECOND,
            )
            return Decision(granted, (put(key, granted),))

        admission = _admission(await self._store.transact((key, sale_at), decide))
        self.model.admitted(admission, now)
        return admission

    async def leave(self, number: int, now: Instant) -> Instant:
        """When the ticket left; leaving again answers the same. FAILED_PRECONDITION once it is admitted or ended."""
        key = ticket_key(self.event_id, number)

        def decide(view: View) -> Decision[Instant]:
            record = view.get(key)
            if record is not None and record.ended == State.LEFT.name and record.ended_at is not None:
                return Decision(record.ended_at)
            if record is None or record.ended:
                raise place_ended()
            if record.granted_at is not None:
                raise Refusal(Code.FAILED_PRECONDITION, "waiting_token: is admitted already; its admission lapses")
            return Decision(now, (put(key, _ended(record, State.LEFT, now)),))

        left_at = await self._store.transact((key,), decide)
        self.model.end(number, State.LEFT)
        return left_at

    async def release(self, number: int, state: State, now: Instant) -> None:
        """The admission is over: its holder has bought (DONE), or their reservation has expired (EXPIRED)."""
        key = ticket_key(self.event_id, number)

        def decide(view: View) -> Decision[None]:
            record = view.get(key)
            if record is None or record.ended:
                return Decision(None)
            return Decision(None, (put(key, _ended(record, state, now)),))

        await self._store.transact((key,), decide)
        self.model.end(number, state)

    async def advance(self, now: Instant) -> list[int]:
        """One step of the line: the numbers whose state has changed."""
        if self.model.is_pool and self._sale_is_due(now):
            await self._close_pool(now)
        changed = self.model.advance(now)
        if expiring := self.model.expiring(EXPIRED_AT_ONCE_MAX):
            for record in await self._expire(expiring, now):
                if record.ended:
                    self.model.end(record.number, State[record.ended])
                else:
                    self.model.admitted(_admission(record), now)
            changed = [*changed, *expiring]
        return changed

    async def belongs_to(self, number: int, caller: Caller) -> bool:
        """Whether the ticket is this user's, whichever session joined."""
        record = await self._store.get(ticket_key(self.event_id, number))
        return record is not None and caller.role is Role.FAN and record.user_id == caller.name

    async def names(self, number: int) -> tuple[str, ...]:
        """Who has the ticket, as `ports.sessions` names them."""
        record = await self._store.get(ticket_key(self.event_id, number))
        return () if record is None else _names(self.event_id, record)

    async def draw(self) -> DrawRecord | None:
        return await self._store.get(self._draw_key)

    async def entries(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Number and published entry of tickets in order of joining, from behind `after`."""
        start = ticket_key(self.event_id, after)
        page = await self._store.scan(TICKET.prefix(self.event_id), after=start, limit=limit)
        return [
            (record.number, draw.entry(seal_ticket(ticket, self._token_secret)))
            for _, record in page
            for ticket in [Ticket(self.event_id, record.number, bytes.fromhex(record.session_hash))]
        ]

    async def _has_user(self, number: int) -> bool:
        record = await self._store.get(ticket_key(self.event_id, number))
        return record is not None and bool(record.user_id)

    def _may_go_on(self, number: int) -> bool:
        return number > self.model.last_number or self.model.state(number) <= State.ADMITTED

    def _sale_is_due(self, now: Instant) -> bool:
        return self.terms.starts_at is None or now >= self.terms.starts_at

    async def _read_settings(self) -> None:
        self._set_for_all = await self._store.get(settings_key("")) or NOTHING_SET
        self._set_for_this = await self._store.get(settings_key(self.event_id)) or NOTHING_SET

    def _apply_settings(self, now: Instant) -> None:
        given = msgspec.structs.asdict(self.terms.settings)
        is_stopped = bool(self.maintenance())
        self.is_closed = False
        for record in (self._set_for_all, self._set_for_this):
            given |= {name: value for name in given if (value := getattr(record, name)) is not None}
            is_stopped = is_stopped or bool(record.stopped)
            self.is_closed = self.is_closed or bool(record.closed)
        self.message = self._set_for_this.message or self._set_for_all.message or ""
        self.model.settings = Settings(**given)
        self.model.opens_at, self.model.ends_at = self.terms.starts_at, self.terms.ends_at
        self.model.stop(is_stopped, now)

    async def _committed_draw(self, now: Instant, seed: bytes) -> DrawRecord | None:
        """The draw of this line, committed to now when the sale is yet to start and nobody has joined."""
        head_key, draw_key = self._head_key, self._draw_key

        def decide(view: View) -> Decision[DrawRecord | None]:
            drawn = view.get(draw_key)
            if drawn is not None or view.get(head_key) is not None or self._sale_is_due(now):
                return Decision(drawn)
            drawn = DrawRecord(seed.hex(), now)
            return Decision(drawn, (put(draw_key, drawn),))

        return await self._store.transact((head_key, draw_key), decide)

    async def _close_pool(self, now: Instant) -> None:
        head_key, draw_key = self._head_key, self._draw_key

        def decide(view: View) -> Decision[DrawRecord | None]:
            drawn = view.get(draw_key)
            if drawn is None or drawn.closed_at is not None:
                return Decision(drawn)
            drawn = _closed(drawn, view.get(head_key) or Head(0), now)
            return Decision(drawn, (put(draw_key, drawn),))

        self._draw_closed(await self._store.transact((head_key, draw_key), decide), now)

    def _draw_closed(self, drawn: DrawRecord | None, now: Instant) -> None:
        if self.model.is_pool and drawn is not None and drawn.closed_at is not None:
            # A join whose caller went away before its answer is durable all the same.
            self.model.joined(drawn.pool_size, now, drawn.closed_at)
            self.model.opened(opened_draw(self.event_id, drawn))

    async def _expire(self, numbers: Sequence[int], now: Instant) -> list[TicketRecord]:
        """Expire the tickets, and say how they are then: one that was granted or had left, although the
        answer to it was lost, stays so.
        """
        keys = [ticket_key(self.event_id, number) for number in numbers]

        def decide(view: View) -> Decision[list[TicketRecord]]:
            after, writes = [], []
            for key in keys:
                record = view.get(key)
                if record is None:
                    continue
                if not record.ended and record.granted_at is None:
                    record = _ended(record, State.EXPIRED, now)
                    writes.append(put(key, record))
                after.append(record)
            return Decision(after, writes)

        return await self._store.transact(keys, decide)


def opened_draw(event_id: str, drawn: DrawRecord) -> Draw:
    """The permutation of a closed pool."""
    key = draw.draw_key(bytes.fromhex(drawn.seed), event_id, bytes.fromhex(drawn.pool_digest))
    return Draw(key, drawn.pool_size)


def place_ended() -> Refusal:
    return Refusal(Code.FAILED_PRECONDITION, "waiting_token: this place has ended; join the line again")


def of_another_user() -> Refusal:
    return Refusal(Code.FORBIDDEN, "user_id: the place belongs to another user")


def _closed(drawn: DrawRecord, head: Head, now: Instant) -> DrawRecord:
    digest = head.pool_digest or draw.EMPTY_POOL.hex()
    return msgspec.structs.replace(drawn, pool_size=head.last_number, pool_digest=digest, closed_at=now)


def _names(event_id: str, record: TicketRecord) -> tuple[str, ...]:
    """Who joined without a user is known by the place; the user whom it was admitted for may have come later."""
    place = place_owner(event_id, record.number)
    return (user_owner(record.user_id), place) if record.user_id else (place,)


def _ended(record: TicketRecord, state: State, now: Instant) -> TicketRecord:
    return msgspec.structs.replace(record, ended=state.name, ended_at=now)


def _admission(record: TicketRecord) -> Admission:
    assert record.granted_at is not None
    assert record.admission_expires_at is not None
    return Admission(record.number, record.user_id, record.granted_at, record.admission_expires_at)

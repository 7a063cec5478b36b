"""What is decided of a line where its records are: pure functions of what the store holds, each one commit.

A decision may be made more than once before it is committed, so none of them changes anything.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.tokens import Ticket, seal_ticket
from traffic_tacos.ports.sales import sale_key, window_in_force
from traffic_tacos.ports.sessions import Session, is_owner, place_owner, user_owner
from traffic_tacos.ports.store import Decision, Key, View, Write, put
from traffic_tacos.rooms.waiting_room import draw, guards
from traffic_tacos.rooms.waiting_room.commands import Configure
from traffic_tacos.rooms.waiting_room.records import (
    DrawRecord,
    LineHead,
    SettingsRecord,
    TicketRecord,
    draw_key,
    head_key,
    ticket_key,
)
from traffic_tacos.rooms.waiting_room.values import Limits, State, Terms, admission_end


class Member(msgspec.Struct, frozen=True):
    """Who joins: the user, where one is signed in, else the session. `session_hash` is what their ticket has of the
    session, `draw` the draw that they may be part of, None where there can be none. `refused` is why nobody may have a
    new number now, if so; `past` is a ticket under their name that is not theirs any more, 0 for none.
    """

    user_id: str
    session_hash: bytes
    key: Key[int]
    session: Key[Session]
    draw: Key[DrawRecord] | None
    refused: Refusal | None
    past: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """Of a join; `drawn` is the draw as it is then, if it was looked at."""

    number: int
    is_new: bool
    drawn: DrawRecord | None


class Deciding(NamedTuple):
    """Whose line it is, under which terms, and the secret that seals its waiting tokens."""

    event_id: str
    terms: Terms
    token_secret: bytes

    def sale_is_due(self, now: Instant) -> bool:
        return self.terms.starts_at is None or now >= self.terms.starts_at

    def entry(self, number: int, hashed: bytes) -> bytes:
        """What is published of a ticket in the pool."""
        return draw.entry(seal_ticket(Ticket(self.event_id, number, hashed), self.token_secret))


def join_reads(on: Deciding, member: Member) -> tuple[Key[Any], ...]:
    reads = (head_key(on.event_id), sale_key(on.event_id), member.session, member.key)
    return reads if member.draw is None else (*reads, member.draw)


def join(view: View, on: Deciding, member: Member, metadata: dict[str, str], now: Instant) -> Decision[Outcome]:
    """The number that the member has, or else the next one: FAILED_PRECONDITION when the sale is over."""
    drawn = None if member.draw is None else view.get(member.draw)
    session, kept = view.get(member.session), view.get(member.key)
    known = kept
    if known is None and session is not None and not member.user_id:
        known = _place_in(on.event_id, session)
    if known is not None and known != member.past:
        return Decision(Outcome(known, False, drawn))
    if member.refused is not None:
        raise member.refused
    window_in_force(view, on.event_id, on.terms.window).check_not_over(now)
    head = view.get(head_key(on.event_id)) or LineHead(0)
    number = head.last_number + 1
    writes: list[Write] = []
    digest = ""
    if member.draw is not None and drawn is not None and drawn.closed_at is None:
        if on.sale_is_due(now):
            drawn = _closed(drawn, head, now)
            writes.append(put(member.draw, drawn))
        else:
            before = bytes.fromhex(head.pool_digest) or draw.EMPTY_POOL
            digest = draw.pool_digest(before, on.entry(number, member.session_hash)).hex()
    record = TicketRecord(number, member.session_hash.hex(), member.user_id, now, metadata=metadata)
    # A record that is there already goes before the session's own, so it is the one that must say the newest place.
    is_first = session is None and kept is None and not member.user_id
    if not is_first:
        writes.append(put(member.key, number))
    place = (on.event_id, number) if is_first else None
    _, claim = is_owner(view, member.session, names(on.event_id, record), now, place)
    writes += claim
    writes += [put(head_key(on.event_id), LineHead(number, digest)), put(ticket_key(on.event_id, number), record)]
    return Decision(Outcome(number, True, drawn), writes)


def join_numbered(
    view: View,
    on: Deciding,
    number: int,
    hashed: bytes,
    session: Key[Session],
    user_id: str,
    metadata: dict[str, str],
    now: Instant,
) -> Decision[tuple[TicketRecord, bool]]:
    """The ticket with a number that was given elsewhere, and whether it is new. FAILED_PRECONDITION
    when the sale is over.
    """
    record = view.get(ticket_key(on.event_id, number))
    if record is not None:
        return Decision((record, False))
    window_in_force(view, on.event_id, on.terms.window).check_not_over(now)
    record = TicketRecord(number, hashed.hex(), user_id, now, metadata=metadata)
    _, claim = is_owner(view, session, names(on.event_id, record), now)
    writes: list[Write] = [put(ticket_key(on.event_id, number), record), *claim]
    if number == 1:  # a record that all join at would be a hot one
        writes.append(put(head_key(on.event_id), LineHead(number)))
    return Decision((record, True), writes)


def claim(view: View, on: Deciding, number: int, user_id: str, now: Instant) -> Decision[TicketRecord]:
    """The ticket, granted now or earlier."""
    key = ticket_key(on.event_id, number)
    record = view.get(key)
    if record is None or record.ended:
        raise guards.place_ended()
    if record.user_id and user_id and record.user_id != user_id:
        raise guards.of_another_user()
    if record.granted_at is not None:
        return Decision(record)
    window_in_force(view, on.event_id, on.terms.window).check_not_over(now)
    granted = msgspec.structs.replace(
        record,
        user_id=record.user_id or user_id,
        granted_at=now,
        admission_expires_at=admission_end(now),
    )
    return Decision(granted, (put(key, granted),))


def leave(view: View, key: Key[TicketRecord], now: Instant) -> Decision[Instant]:
    """When the ticket left, now or earlier."""
    record = view.get(key)
    if record is not None and record.ended == State.LEFT.name and record.ended_at is not None:
        return Decision(record.ended_at)
    if record is None or record.ended:
        raise guards.place_ended()
    if record.granted_at is not None:
        raise Refusal(Code.FAILED_PRECONDITION, "waiting_token: was admitted already; its admission ends by itself")
    return Decision(now, (put(key, _ended(record, State.LEFT, now)),))


def release(view: View, key: Key[TicketRecord], state: State, now: Instant) -> Decision[None]:
    record = view.get(key)
    if record is None or record.ended:
        return Decision(None)
    return Decision(None, (put(key, _ended(record, state, now)),))


def expire(view: View, keys: Sequence[Key[TicketRecord]], now: Instant) -> Decision[list[TicketRecord]]:
    """The tickets, expired, as they are then: one that was granted or had left, although the answer to it was lost,
    stays so.
    """
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


def commit_draw(view: View, on: Deciding, seed: bytes, now: Instant) -> Decision[DrawRecord | None]:
    """The draw of this line, committed to now when the sale is yet to start and nobody has joined."""
    drawn = view.get(draw_key(on.event_id))
    if drawn is not None or view.get(head_key(on.event_id)) is not None or on.sale_is_due(now):
        return Decision(drawn)
    drawn = DrawRecord(seed.hex(), now)
    return Decision(drawn, (put(draw_key(on.event_id), drawn),))


def close_pool(view: View, on: Deciding, now: Instant, head: LineHead | None = None) -> Decision[DrawRecord | None]:
    """The draw, with its pool closed now or earlier: with all who have joined, as the store knows them, or `head`."""
    drawn = view.get(draw_key(on.event_id))
    if drawn is None or drawn.closed_at is not None:
        return Decision(drawn)
    drawn = _closed(drawn, head or view.get(head_key(on.event_id)) or LineHead(0), now)
    return Decision(drawn, (put(draw_key(on.event_id), drawn),))


def in_force(terms: Terms, for_all: SettingsRecord, for_this: SettingsRecord, *, is_stopped: bool) -> Configure:
    """What the event file says, and over it what an operator set; stopped and closed when anything says so."""
    given = msgspec.structs.asdict(terms.limits)
    is_closed = False
    for record in (for_all, for_this):
        given |= {name: value for name in given if (value := getattr(record, name)) is not None}
        is_stopped = is_stopped or bool(record.stopped)
        is_closed = is_closed or bool(record.closed)
    message = for_this.message or for_all.message or ""
    return Configure(Limits(**given), terms.starts_at, terms.ends_at, is_stopped, is_closed, message)


def names(event_id: str, record: TicketRecord) -> tuple[str, ...]:
    """Who joined without a user is known by the place; the user whom it was admitted for may have come later."""
    place = place_owner(event_id, record.number)
    return (user_owner(record.user_id), place) if record.user_id else (place,)


def _place_in(event_id: str, session: Session) -> int | None:
    """The number that the session's first place has, where it is in this line."""
    return session.place[1] if session.place is not None and session.place[0] == event_id else None


def _closed(drawn: DrawRecord, head: LineHead, now: Instant) -> DrawRecord:
    digest = head.pool_digest or draw.EMPTY_POOL.hex()
    return msgspec.structs.replace(drawn, pool_size=head.last_number, pool_digest=digest, closed_at=now)


def _ended(record: TicketRecord, state: State, now: Instant) -> TicketRecord:
    return msgspec.structs.replace(record, ended=state.name, ended_at=now)

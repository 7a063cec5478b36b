"""What the store has of one event's line, whichever engine keeps its order: its tickets, its draw, its settings.

Each verb that changes something is one commit of a rule in `decisions`.
"""

from collections.abc import AsyncIterator, Iterable
from functools import partial

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.sales import sale_key
from traffic_tacos.ports.store import Store
from traffic_tacos.rooms.waiting_room import decisions, draw
from traffic_tacos.rooms.waiting_room.decisions import Deciding
from traffic_tacos.rooms.waiting_room.line import Holder, PublishedDraw
from traffic_tacos.rooms.waiting_room.records import (
    NOTHING_SET,
    TICKET,
    DrawRecord,
    LineHead,
    SettingsRecord,
    TicketRecord,
    draw_key,
    head_key,
    settings_key,
    ticket_key,
)
from traffic_tacos.rooms.waiting_room.values import Admission, State

SCAN_PAGE = 5000
EXPIRED_AT_ONCE_MAX = 500
FENCES = 1  # that a store may declare beside what is decided here


class LineStore:
    def __init__(self, store: Store, event_id: str) -> None:
        self._store = store
        self._event_id = event_id
        self._draw_reads = (head_key(event_id), draw_key(event_id))

    # Tickets.

    async def ticket(self, number: int) -> TicketRecord | None:
        return await self._store.get(ticket_key(self._event_id, number))

    async def tickets(self, after: int = 0) -> AsyncIterator[TicketRecord]:
        """Those with numbers above this one, in order."""
        last = ticket_key(self._event_id, after)
        while page := await self._store.scan(TICKET.prefix(self._event_id), after=last, limit=SCAN_PAGE):
            for _, record in page:
                yield record
            last = page[-1][0]

    async def holder(self, number: int) -> Holder | None:
        record = await self.ticket(number)
        if record is None:
            return None
        return Holder(record.user_id, decisions.names(self._event_id, record), record.granted_at is not None)

    async def claim(self, on: Deciding, number: int, user_id: str, now: Instant) -> Admission:
        record = await self._store.transact(
            (ticket_key(self._event_id, number), sale_key(self._event_id)),
            lambda view: decisions.claim(view, on, number, user_id, now),
        )
        return admission_of(record)

    async def leave(self, number: int, now: Instant) -> Instant:
        key = ticket_key(self._event_id, number)
        return await self._store.transact((key,), lambda view: decisions.leave(view, key, now))

    async def release(self, number: int, state: State, now: Instant) -> None:
        key = ticket_key(self._event_id, number)
        await self._store.transact((key,), lambda view: decisions.release(view, key, state, now))

    async def expire(self, numbers: Iterable[int], now: Instant) -> list[TicketRecord]:
        """The tickets as they are then; see `decisions.expire`. In one commit, so as many as one may have."""
        keys = [ticket_key(self._event_id, number) for number in numbers]
        return await self._store.transact(keys, partial(decisions.expire, keys=keys, now=now))

    # Settings, and the draw.

    async def settings(self) -> tuple[SettingsRecord, SettingsRecord]:
        """What an operator set for all events, and for this one."""
        for_all = await self._store.get(settings_key("")) or NOTHING_SET
        for_this = await self._store.get(settings_key(self._event_id)) or NOTHING_SET
        return for_all, for_this

    async def commit_draw(self, on: Deciding, seed: bytes, now: Instant) -> DrawRecord | None:
        return await self._store.transact(self._draw_reads, lambda view: decisions.commit_draw(view, on, seed, now))

    async def close_pool(self, on: Deciding, now: Instant, head: LineHead | None = None) -> DrawRecord | None:
        return await self._store.transact(self._draw_reads, lambda view: decisions.close_pool(view, on, now, head))

    async def draw(self, opens_at: Instant | None, joined: int, *, is_closed: bool) -> PublishedDraw | None:
        """What may be published of the draw; None when there is none. `is_closed`: the line has places by it."""
        drawn = await self._store.get(draw_key(self._event_id))
        if drawn is None:
            return None
        seed = bytes.fromhex(drawn.seed)
        return PublishedDraw(
            commitment=draw.commitment(seed),
            committed_at=drawn.committed_at,
            opens_at=opens_at,
            closed_at=drawn.closed_at if is_closed else None,
            pool_size=drawn.pool_size if is_closed else joined,
            pool_digest=bytes.fromhex(drawn.pool_digest) if is_closed else b"",
            seed=seed if is_closed else b"",
        )


def admission_of(record: TicketRecord) -> Admission:
    """That of a ticket which was granted."""
    assert record.granted_at is not None
    assert record.admission_expires_at is not None
    return Admission(record.number, record.user_id, record.granted_at, record.admission_expires_at)


def key_of(drawn: DrawRecord, event_id: str) -> bytes:
    """The key of a draw whose pool has closed; empty before."""
    if drawn.closed_at is None:
        return b""
    return draw.draw_key(bytes.fromhex(drawn.seed), event_id, bytes.fromhex(drawn.pool_digest))

"""A line of one process: the model in memory for reading, and the store for everything that must last.

A join, an admission, a leave, an end and a setting are durable before they are answered, and only then
is the model changed: so after a crash everybody stands where they stood. Nothing else in the
room touches the model.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import msgspec
import structlog

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.tokens import session_hash
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.sessions import session_key
from traffic_tacos.ports.store import Store, in_commits
from traffic_tacos.rooms.waiting_room import decisions, guards
from traffic_tacos.rooms.waiting_room.decisions import Deciding, Member
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.line import Holder, Joined, Listener, OtherRules, PublishedDraw, PublishedEntry
from traffic_tacos.rooms.waiting_room.line_store import EXPIRED_AT_ONCE_MAX, FENCES, LineStore, admission_of, key_of
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.records import (
    NOTHING_SET,
    TICKET,
    DrawRecord,
    draw_key,
    member_key,
    ticket_key,
)
from traffic_tacos.rooms.waiting_room.values import Admission, Figures, Place, Reckoning, State, Terms
from traffic_tacos.rooms.waiting_room.view import LineView

PROGRESS_EVERY = 100_000
log = structlog.get_logger()


class EmbeddedLines:
    """The engine. `token_secret` seals waiting tokens; `maintenance` says why nobody may begin anything now, which
    stops every line too.
    """

    is_shared = False

    def __init__(self, store: Store, clock: Clock, token_secret: bytes, maintenance: Callable[[], str] = str) -> None:
        self.store = store
        self.clock = clock
        self.token_secret = token_secret
        self.maintenance = maintenance

    async def open(self, event_id: str, terms: Terms, seed: bytes, listener: Listener) -> "EmbeddedLine":
        line = EmbeddedLine(self, event_id, terms, listener)
        await line.load(seed)
        return line

    def issues(self) -> list[str]:
        return []

    async def catch_up(self) -> None:
        """Nobody else has answered anything."""

    def lost(self) -> Mapping[str, OtherRules]:
        return {}


class EmbeddedLine:
    """One event's line; see `line.Line` for what its verbs promise."""

    def __init__(self, engine: EmbeddedLines, event_id: str, terms: Terms, listener: Listener) -> None:
        self._store = engine.store
        self._stored = LineStore(engine.store, event_id)
        self._clock = engine.clock
        self._maintenance = engine.maintenance
        self._listener = listener
        self._on = Deciding(event_id, terms, engine.token_secret)
        self._model = LineModel(terms.limits)
        self._set = (NOTHING_SET, NOTHING_SET)  # for all events, and for this one
        self._joining = 0  # joins under way
        self._is_drawn = False  # for whoever joins from now on: there is no draw, or its pool has closed
        self._is_closed = False
        self._message = ""

    @property
    def terms(self) -> Terms:
        return self._on.terms

    async def load(self, seed: bytes) -> None:
        """Everybody stands where they stood, and no timer ran while the platform was down."""
        now = self._clock.now()
        self._set = await self._stored.settings()
        drawn = await self._stored.commit_draw(self._on, seed, now)
        if drawn is not None:
            self._model.gather()
        self._apply_settings(now)
        self._draw_closed(drawn, now)
        grants: list[Instant] = []
        async for record in self._stored.tickets():
            self._model.joined(record.number, now, record.joined_at)
            if record.granted_at is not None:
                grants.append(record.granted_at)
                self._model.admitted(admission_of(record), now)
            if record.ended:
                self._model.end(record.number, State[record.ended])
            if record.number % PROGRESS_EVERY == 0:
                log.info("taking_up_queue", event_id=self._on.event_id, tickets=record.number)
        self._model.admissions.recall_grants(time for time in grants if time > now - SECOND)

    # What a fan does.

    async def join(self, session_id: str, user_id: str, metadata: dict[str, str], shown: int) -> Joined:
        event_id, now = self._on.event_id, self._clock.now()
        member = Member(
            user_id,
            session_hash(session_id),
            member_key(event_id, session_id, user_id),
            session_key(session_id),
            None if self._is_drawn else draw_key(event_id),
            self._refused(now),
        )
        self._joining += 1
        try:
            joined = await self._commit_join(member, metadata, now)
        finally:
            self._joining -= 1
        if not user_id and not joined.is_new:
            guards.check_shown(joined.number, shown)
        now = self._clock.now()
        if self._model.touch(joined.number, now) or not self._model.is_held_up:
            self._step(now)
        return joined

    def visit(self, number: int) -> bool:
        now = self._clock.now()
        if not self._model.touch(number, now):
            return False
        self._step(now)
        return True

    def touch(self, numbers: Iterable[int]) -> None:
        now = self._clock.now()
        for number in numbers:
            self._model.touch(number, now)

    async def claim(self, number: int, user_id: str) -> Admission | None:
        model, now = self._model, self._clock.now()
        model.touch(number, now)
        self._step(now)
        if not guards.may_be_granted(model, self._on.event_id, self._on.terms.window, number, now):
            return None
        admission = model.admissions.get(number) or await self._grant(number, user_id, now)
        if admission.user_id and user_id and admission.user_id != user_id:
            raise guards.of_another_user()
        return admission

    async def leave(self, number: int) -> Instant:
        left_at = await self._stored.leave(number, self._clock.now())
        self._end(number, State.LEFT)
        return left_at

    # What the sale does.

    async def release(self, number: int, state: State) -> None:
        await self._stored.release(number, state, self._clock.now())
        self._end(number, state)

    def hold_seats(self, number: int, holds: bool) -> None:
        self._model.admissions.hold_seats(number, holds)

    def stock(self, sellable: int | None, *, is_sold_out: bool, is_all_sold: bool) -> None:
        self._model.sellable = sellable
        self._model.is_sold_out = is_sold_out
        self._model.is_sold_for_good = is_all_sold and self.terms.keeps_all_sold(self._clock.now())

    async def configure(self, terms: Terms, seed: bytes) -> None:
        now = self._clock.now()
        self._on = self._on._replace(terms=terms)
        self._set = await self._stored.settings()
        if self._model.last_number == 0 and not self._model.is_pool:
            drawn = await self._stored.commit_draw(self._on, seed, now)
            if self._model.last_number == 0 and drawn is not None and drawn.closed_at is None:
                self._model.gather()
        self._apply_settings(now)

    async def advance(self) -> None:
        now = self._clock.now()
        if self._model.is_pool and self._on.sale_is_due(now):
            await self._close_pool(now)
        changed = self._model.step(now)
        expiring = self._model.expiring(EXPIRED_AT_ONCE_MAX)
        for some in in_commits(expiring, FENCES):
            for record in await self._stored.expire(some, now):
                if record.ended:
                    self._model.end(record.number, State[record.ended])
                else:
                    self._model.admitted(admission_of(record), now)
        self._listener([*changed, *expiring])

    def gives_turns(self) -> bool:
        return True

    def next_due(self) -> Instant | None:
        return self._model.next_due(self._clock.now())

    # What is asked of it.

    def has(self, number: int) -> bool:
        return 0 < number <= self._model.last_number

    def lets_in(self) -> bool:
        return self._model.lets_in(self._clock.now())

    def view(self) -> LineView:
        return self._model.view(self._clock.now(), is_closed=self._is_closed, message=self._message)

    def note_estimate(self, number: int, place: Place, at: Instant) -> None:
        self._model.note_estimate(number, place, at)

    def figures(self) -> Figures:
        return self._model.figures(self._clock.now())

    def reckoning(self) -> Reckoning:
        return self._model.reckoning()

    async def holder(self, number: int) -> Holder | None:
        return await self._stored.holder(number)

    async def draw(self) -> PublishedDraw | None:
        model = self._model
        return await self._stored.draw(self.terms.starts_at, model.last_number, is_closed=not model.is_pool)

    async def entries(self, after: int, limit: int) -> list[PublishedEntry]:
        start = ticket_key(self._on.event_id, after)
        page = await self._store.scan(TICKET.prefix(self._on.event_id), after=start, limit=limit)
        return [
            PublishedEntry(
                record.number,
                self._on.entry(record.number, bytes.fromhex(record.session_hash)),
                self._model.rank(record.number),
            )
            for _, record in page
        ]

    # Joining.

    def _refused(self, now: Instant) -> Refusal | None:
        """Why nobody may have a new number now, if so."""
        try:
            guards.check_joinable(
                self._model,
                self._on.event_id,
                self._on.terms.window,
                now,
                is_closed=self._is_closed,
                joining=self._joining,
            )
        except Refusal as refusal:
            return refusal
        return None

    async def _commit_join(self, member: Member, metadata: dict[str, str], now: Instant) -> Joined:
        while True:
            outcome = await self._store.transact(
                decisions.join_reads(self._on, member),
                partial(decisions.join, on=self._on, member=member, metadata=metadata, now=now),
            )
            number = outcome.number
            # Nobody commits to a draw once somebody has joined, and a pool that has closed stays so.
            self._is_drawn = self._is_drawn or outcome.drawn is None or outcome.drawn.closed_at is not None
            self._draw_closed(outcome.drawn, now)
            self._model.joined(number, now)
            if outcome.is_new:
                return Joined(number, member.session_hash, True)
            record = await self._stored.ticket(number)
            is_anothers = record is not None and record.user_id and not member.user_id  # who names a session is no user
            if self._model.state(number) <= State.ADMITTED and not is_anothers:
                hashed = member.session_hash if record is None else bytes.fromhex(record.session_hash)
                return Joined(number, hashed, False)
            member = msgspec.structs.replace(member, past=number)

    # Admitting, and ending.

    async def _grant(self, number: int, user_id: str, now: Instant) -> Admission:
        granted_at = self._model.admissions.begin_grant(number, now, self._model.limits.rate_per_second)
        if granted_at is None:
            raise Refusal.rate_limited(1)
        try:
            admission = await self._stored.claim(self._on, number, user_id, granted_at)
            self._model.admitted(admission, granted_at)
        finally:
            self._model.admissions.end_grant(number)
        self._listener((number,))
        return admission

    def _step(self, now: Instant) -> None:
        self._listener(self._model.step(now))

    def _end(self, number: int, state: State) -> None:
        self._model.end(number, state)
        self._listener((number,))

    # Settings, and the draw.

    def _apply_settings(self, now: Instant) -> None:
        in_force = decisions.in_force(self.terms, *self._set, is_stopped=bool(self._maintenance()))
        self._is_closed, self._message = in_force.is_closed, in_force.message
        self._model.configure(in_force, now)

    async def _close_pool(self, now: Instant) -> None:
        self._draw_closed(await self._stored.close_pool(self._on, now), now)

    def _draw_closed(self, drawn: DrawRecord | None, now: Instant) -> None:
        if self._model.is_pool and drawn is not None and drawn.closed_at is not None:
            # A join whose caller went away before its answer is durable all the same.
            self._model.joined(drawn.pool_size, now, drawn.closed_at)
            self._model.opened(Draw(key_of(drawn, self._on.event_id), drawn.pool_size))

"""A line of many processes: a log that all share has the order, and each applies it to a machine of its own.

What is asked for is appended to the log (line_log.py), and is decided where it stands there (machine.py), so every
process decides the same and none has to ask another: neither for a place nor for a turn. Two that give turns at once
give no more than the rate, for the second finds in the model what the first has given. Whoever gave the last turns goes
on giving them; when nobody has for a while, anybody does.

The store has what belongs to a ticket and not to the order: who has it, when it was admitted, how it ended. A join, an
admission, a leave and an end are in both before they are answered. Of the two the one that decides is first: the log
for a number and an admission, the store for a leave and an end; what a crash leaves between them is found when it is
asked for again, or when the ticket expires. So a log that was lost can be made anew from the store, and a server that
lacks the newest entries makes nobody lose a place: its numbers are skipped (`LineMachine.skip`), and whoever has one
of them has it still.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

import structlog

from traffic_tacos.kernel.errors import Damaged, Fault
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.tokens import session_hash
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.log import Log
from traffic_tacos.ports.sales import sale_key
from traffic_tacos.ports.sessions import session_key
from traffic_tacos.ports.store import Store, in_commits
from traffic_tacos.rooms.waiting_room import decisions, guards
from traffic_tacos.rooms.waiting_room.commands import (
    Admit,
    Advance,
    Claim,
    Configure,
    End,
    Gather,
    HoldSeats,
    Join,
    Open,
    Stock,
    Touch,
    packed,
)
from traffic_tacos.rooms.waiting_room.decisions import Deciding
from traffic_tacos.rooms.waiting_room.line import Holder, Joined, Listener, OtherRules, PublishedDraw, PublishedEntry
from traffic_tacos.rooms.waiting_room.line_log import LineLog, Process
from traffic_tacos.rooms.waiting_room.line_store import EXPIRED_AT_ONCE_MAX, FENCES, LineStore, admission_of, key_of
from traffic_tacos.rooms.waiting_room.machine import RULES, LineMachine, Pool, member_of
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.records import (
    DrawRecord,
    LineHead,
    ticket_key,
)
from traffic_tacos.rooms.waiting_room.recovery import pool_digest, rebuilt, recalled
from traffic_tacos.rooms.waiting_room.values import Admission, Figures, Place, Reckoning, State, Terms
from traffic_tacos.rooms.waiting_room.view import LineView

READ_EVERY_SECONDS = 0.05  # so much is a process behind the others
READ_TOGETHER_SECONDS = 0.01  # who asks for a place waits so long, so that very many rest on one read
CAUGHT_UP_WITHIN_SECONDS = 2.0  # then the log is away: what is known is answered at once until it is read again
SILENT_SECONDS = 5
RECALLED_AFTER = 10 * SECOND  # whoever was joining when the server was lost has their ticket in the store by then


log = structlog.get_logger()


class ReplicatedLines:
    """The engine; `run` goes on in the background. `token_secret` seals waiting tokens; `maintenance` says why nobody
    may begin anything now, which stops every line too; `rules` is which version of the rules this process has.
    """

    is_shared = True

    def __init__(
        self,
        shared: Log,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        token_secret: bytes,
        maintenance: Callable[[], str] = str,
        rules: int = RULES,
    ) -> None:
        self.process = Process(shared, clock, randomness, rules)
        self.store = store
        self.clock = clock
        self.token_secret = token_secret
        self.maintenance = maintenance
        self._log = shared
        self._lines: dict[str, ReplicatedLine] = {}
        self._read_at = clock.now()
        self._next_read: asyncio.Task[None] | None = None
        self._is_away = False  # the log, when it was last asked
        self._lost: dict[str, OtherRules] = {}

    async def open(self, event_id: str, terms: Terms, seed: bytes, listener: Listener) -> "ReplicatedLine":
        if (why := self._lost.get(event_id)) is not None:
            raise why
        line = ReplicatedLine(self, event_id, terms, listener)
        await line.load(seed)
        self._lines[event_id] = line
        return line

    async def run(self) -> None:
        """Apply what other processes have appended, and pass on signs of life, until cancelled."""
        while True:
            try:
                await self.read()
            except Fault as fault:
                log.warning("queue_log_not_read", error=str(fault))
            await self.clock.sleep(READ_EVERY_SECONDS)

    async def read(self) -> None:
        """Everything that was appended before this call is seen by every line that is open here."""
        marks = {name: line.log.mark for name, line in self._lines.items()}
        try:
            found = await self._log.read(marks) if marks else {}
        except Fault:
            self._is_away = True
            raise
        self._is_away = False
        self._read_at = self.clock.now()
        for name, entries in found.items():
            try:
                if entries is None:
                    await self._lines[name].log.reload()
                else:
                    self._lines[name].log.apply(entries, marks[name].epoch)
            except Damaged as damage:  # one queue's trouble is not the others'
                log.error("queue_log_damaged", event_id=name, error=str(damage))
            except OtherRules as other:
                log.error("queue_taken_over", event_id=name, error=str(other))
                self._lost[name] = other
                self._lines.pop(name).end()

    @property
    def restores(self) -> Mapping[str, int]:
        """How many queues this process has restored, by why."""
        return self.process.restores

    def issues(self) -> list[str]:
        """What keeps the queues here from being those of the others."""
        silent = (self.clock.now() - self._read_at) // SECOND if self._lines else 0
        return [f"the log of the queues was read {silent} seconds ago"] if silent >= SILENT_SECONDS else []

    def lost(self) -> Mapping[str, OtherRules]:
        return self._lost

    def behind_seconds(self) -> float:
        """How long ago everything that others had appended was known here."""
        return max(0, self.clock.now() - self._read_at) / SECOND if self._lines else 0.0

    async def catch_up(self) -> None:
        """While the log is away, nobody waits for it: it is asked again in the background (`run`)."""
        if self._is_away:
            return
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_soon())
        try:
            async with asyncio.timeout(CAUGHT_UP_WITHIN_SECONDS):
                await asyncio.shield(self._next_read)
        except TimeoutError:
            self._is_away = True

    async def _read_soon(self) -> None:
        await self.clock.sleep(READ_TOGETHER_SECONDS)
        self._next_read = None  # whoever comes from here on waits for the next one
        with suppress(Fault):
            await self.read()


class ReplicatedLine:
    """One event's line; see `line.Line` for what its verbs promise."""

    def __init__(self, engine: ReplicatedLines, event_id: str, terms: Terms, listener: Listener) -> None:
        self.name = event_id
        self._store = engine.store
        self._stored = LineStore(engine.store, event_id)
        self._clock = engine.clock
        self._maintenance = engine.maintenance
        self._listener = listener
        self._on = Deciding(event_id, terms, engine.token_secret)
        empty = LineMachine(event_id, self._on.entry, terms.limits)
        self.log = LineLog(engine.process, event_id, empty, self._rebuilt, listener)
        self._seed = b""

    @property
    def terms(self) -> Terms:
        return self._on.terms

    @property
    def _machine(self) -> LineMachine:
        return self.log.machine

    @property
    def _model(self) -> LineModel:
        return self.log.model

    async def load(self, seed: bytes) -> None:
        """Everybody stands where they stood."""
        self._seed = seed
        await self.log.take_up()
        await self.configure(self.terms, seed)

    def end(self) -> None:
        """Nothing is answered here any more; whoever watches is woken."""
        self._listener(range(1, self._model.last_number + 1))

    # What a fan does.

    async def join(self, session_id: str, user_id: str, metadata: dict[str, str], shown: int) -> Joined:
        hashed, session = session_hash(session_id), session_key(session_id)
        event_id, instead_of = self._on.event_id, 0
        member = member_of(user_id, hashed)
        while True:
            number, joined_at = await self.log.ask(Join(member, hashed, instead_of))
            record, is_new = await self._store.transact(
                (ticket_key(event_id, number), sale_key(event_id), session),
                partial(
                    decisions.join_numbered,
                    on=self._on,
                    number=number,
                    hashed=hashed,
                    session=session,
                    user_id=user_id,
                    metadata=metadata,
                    now=joined_at,
                ),
            )
            # Who only names a session is nobody's user; and a number that a lost server gave may be somebody else's.
            if record.user_id == user_id and (user_id or record.session_hash == hashed.hex()):
                break
            instead_of = number
        if not user_id and not is_new:
            guards.check_shown(number, shown)
        return Joined(number, bytes.fromhex(record.session_hash), is_new)

    def visit(self, number: int) -> bool:
        is_awaited = self._model.is_awaited(number)
        self.log.note_signs((number,))
        if is_awaited:
            self.log.post(Touch(packed([number])))
            self.log.post(Advance())
        return is_awaited

    def touch(self, numbers: Iterable[int]) -> None:
        self.log.note_signs(numbers)

    async def claim(self, number: int, user_id: str) -> Admission | None:
        granted: Admission | None = await self.log.ask(Claim(number, member_of(user_id, b"") if user_id else b""))
        if granted is None and self._machine.gap is not None:
            granted = await self._recall_admission(number)
        if granted is None:
            return None
        return await self._stored.claim(self._on, number, user_id, granted.granted_at)

    async def leave(self, number: int) -> Instant:
        left_at = await self._stored.leave(number, self._clock.now())
        await self._end({number: State.LEFT})
        return left_at

    # What the sale does.

    async def release(self, number: int, state: State) -> None:
        if self._model.has_ended(number):
            return  # another process was given it as well
        await self._stored.release(number, state, self._clock.now())
        await self._end({number: state})

    def hold_seats(self, number: int, holds: bool) -> None:
        admission = self._model.admissions.get(number)
        if admission is not None and admission.holds_seats != holds:
            self.log.post(HoldSeats(number, holds))

    def stock(self, sellable: int | None, *, is_sold_out: bool, is_all_sold: bool) -> None:
        known = self._model
        stock = Stock(sellable, is_sold_out, is_all_sold and self.terms.keeps_all_sold(self._clock.now()))
        if stock != Stock(known.sellable, known.is_sold_out, known.is_sold_for_good):
            self.log.post(stock)

    async def configure(self, terms: Terms, seed: bytes) -> None:
        self._on = self._on._replace(terms=terms)
        wanted = await self._wanted()
        self._seed = seed
        if wanted != self._machine.settings:
            await self.log.ask(wanted)
        if self._model.last_number == 0 and self._machine.pool is None:
            drawn = await self._committed_draw()
            if drawn is not None and drawn.closed_at is None:
                await self.log.ask(Gather())
        self.log.is_configured = True

    async def advance(self) -> None:
        now = self._clock.now()
        if not self.log.is_configured:
            await self.configure(self.terms, self._seed)
        if not self.log.is_ours(now):
            await self.log.flush_due(now)
            return
        await self._recall(now)
        await self.log.ask(Advance())
        pool = self._machine.pool
        if pool is not None and pool.closed_at is not None and not pool.key:
            await self._close_pool(pool)
        await self._expire()
        await self.log.save_due()

    def gives_turns(self) -> bool:
        return self.log.is_ours(self._clock.now())

    def next_due(self) -> Instant | None:
        now = self._clock.now()
        due = self._model.next_due(now)
        if due is not None and not self.log.is_ours(now):
            due = max(due, self.log.taken_over_at)
        return min((one for one in (due, self.log.sent_at(now)) if one is not None), default=None)

    # What is asked of it.

    def has(self, number: int) -> bool:
        return 0 < number <= self._model.last_number

    def lets_in(self) -> bool:
        return self._model.lets_in(self._clock.now())

    def view(self) -> LineView:
        settings = self._machine.settings
        return self._model.view(self._clock.now(), is_closed=settings.is_closed, message=settings.message)

    def note_estimate(self, number: int, place: Place, at: Instant) -> None:
        self._model.note_estimate(number, place, at)

    def figures(self) -> Figures:
        return self._model.figures(self._clock.now())

    def reckoning(self) -> Reckoning:
        return self._model.reckoning()

    async def holder(self, number: int) -> Holder | None:
        return await self._stored.holder(number)

    async def draw(self) -> PublishedDraw | None:
        pool = self._machine.pool
        if pool is None:
            return None
        return await self._stored.draw(self.terms.starts_at, self._model.last_number, is_closed=bool(pool.key))

    async def entries(self, after: int, limit: int) -> list[PublishedEntry]:
        last = min(self._model.last_number, after + limit)
        return [
            PublishedEntry(number, self._on.entry(number, self._machine.session_hash(number)), self._model.rank(number))
            for number in range(after + 1, last + 1)
        ]

    # What the store knows.

    async def _rebuilt(self) -> LineMachine:
        return await rebuilt(
            self._stored, self._on, await self._wanted(), await self._committed_draw(), self._clock.now()
        )

    async def _recall(self, now: Instant) -> None:
        """Ask the store who has the numbers that a lost server may have given."""
        gap = self._machine.gap
        if gap is None or gap.is_recalled or now < gap.since + RECALLED_AFTER:
            return
        for command in await recalled(self._stored, gap):
            await self.log.ask(command)

    async def _recall_admission(self, number: int) -> Admission | None:
        """One that a lost server had granted."""
        record = await self._stored.ticket(number)
        if record is None or record.ended or record.granted_at is None:
            return None
        admission = admission_of(record)
        await self.log.ask(Admit(number, admission.granted_at, admission.expires_at))
        return admission

    async def _wanted(self) -> Configure:
        was_set = await self._stored.settings()
        return decisions.in_force(self.terms, *was_set, is_stopped=bool(self._maintenance()))

    async def _committed_draw(self) -> DrawRecord | None:
        return await self._stored.commit_draw(self._on, self._seed, self._clock.now())

    async def _close_pool(self, pool: Pool) -> None:
        """Its size is decided by the log; what is drawn is durable before anybody has a place by it."""
        digest, closed_at = pool.digest, pool.closed_at
        assert closed_at is not None
        if self._machine.gap is not None:
            digest = pool_digest(self._machine, self._on, pool.size)
        drawn = await self._stored.close_pool(self._on, closed_at, LineHead(pool.size, digest.hex()))
        assert drawn is not None
        await self.log.ask(Open(drawn.pool_size, key_of(drawn, self.name)))
        await self.log.ask(Advance())

    async def _expire(self) -> None:
        """Tickets that have expired leave durably. One that was granted or had left, although the answer to it was
        lost, stays so.
        """
        now, expiring, gap = self._clock.now(), self._model.expiring(EXPIRED_AT_ONCE_MAX), self._machine.gap
        if gap is not None and gap.is_recalled:  # the store has nothing of what nobody has
            nobodys = [number for number in expiring if not any(self._machine.owner(number))]
            if nobodys:
                await self._end(dict.fromkeys(nobodys, State.EXPIRED))
            expiring = sorted({*expiring} - {*nobodys})
        for some in in_commits(expiring, FENCES):
            ended = dict.fromkeys(some, State.EXPIRED)
            for record in await self._stored.expire(some, now):
                if record.ended:
                    ended[record.number] = State[record.ended]
                else:
                    del ended[record.number]
                    admission = admission_of(record)
                    self.log.post(Admit(admission.number, admission.granted_at, admission.expires_at))
            await self._end(ended)

    async def _end(self, ended: Mapping[int, State]) -> None:
        await self.log.ask(End(list(ended.items())))

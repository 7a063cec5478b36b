"""A line of many processes: a log that all share has the order, and each applies it to a machine of its own.

What is asked for is appended to the log, and is decided where it stands there (machine.py), so every process decides
the same and none has to ask another: neither for a place nor for a turn. Two that give turns at once give no more than
the rate, for the second finds in the model what the first has given. Whoever gave the last turns goes on giving them;
when nobody has for a while, anybody does.

The store has what belongs to a ticket and not to the order: who has it, when it was admitted, how it ended. A join, an
admission, a leave and an end are in both before they are answered. Of the two the one that decides is first: the log
for a number and an admission, the store for a leave and an end; what a crash leaves between them is found when it is
asked for again, or when the ticket expires. So a log that was lost can be made anew from the store, and a server that
lacks the newest entries makes nobody lose a place: its numbers are skipped (`LineMachine.skip`), and whoever has one
of them has it still.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from traffic_tacos.kernel.errors import Damaged, Fault
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.tokens import session_hash
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.log import START, BaseMoved, Entry, Log, LogUnavailable, Mark, Position, ServerChanged
from traffic_tacos.ports.sales import sale_key
from traffic_tacos.ports.sessions import session_key
from traffic_tacos.ports.store import Store, in_commits
from traffic_tacos.rooms.waiting_room import decisions, guards
from traffic_tacos.rooms.waiting_room.commands import (
    Admit,
    Advance,
    Batch,
    Claim,
    Command,
    Configure,
    End,
    Gather,
    HoldSeats,
    Join,
    Open,
    Stock,
    Touch,
    decoded,
    encoded,
    packed,
)
from traffic_tacos.rooms.waiting_room.decisions import Deciding
from traffic_tacos.rooms.waiting_room.line import Holder, Joined, Listener, OtherRules, PublishedDraw, PublishedEntry
from traffic_tacos.rooms.waiting_room.line_store import EXPIRED_AT_ONCE_MAX, FENCES, LineStore, admission_of, key_of
from traffic_tacos.rooms.waiting_room.machine import RULES, Applied, LineMachine, Pool, member_of
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
SIGNS_SENT_EVERY = SECOND
TAKEN_OVER_AFTER = SECOND // 2  # nobody has given turns for so long, and as much again at random
RECALLED_AFTER = 10 * SECOND  # whoever was joining when the server was lost has their ticket in the store by then
SAVED_AT_BYTES = 1_000_000  # of entries, and as many as the state has
LEFT_AFTER = 3 * SECOND  # nothing was appended for so long: those who had the queue have ended, or nobody waits
APPENDED_AT_MOST = 4  # times, for one batch

RESTORES = ("server_changed", "from_store", "other_rules")

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
        self.log = shared
        self.rules = rules
        self.store = store
        self.clock = clock
        self.randomness = randomness
        self.token_secret = token_secret
        self.maintenance = maintenance
        self.author = randomness.getrandbits(63)  # this process, in every log
        self._lines: dict[str, ReplicatedLine] = {}
        self._read_at = clock.now()
        self._next_read: asyncio.Task[None] | None = None
        self._is_away = False  # the log, when it was last asked
        self.restores = dict.fromkeys(RESTORES, 0)  # of queues, by this process
        self._lost: dict[str, OtherRules] = {}
        self._of_others: dict[str, tuple[Position, Instant]] = {}  # logs with other rules: their end, and since when

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
        marks = {name: line.mark for name, line in self._lines.items()}
        try:
            found = await self.log.read(marks) if marks else {}
        except Fault:
            self._is_away = True
            raise
        self._is_away = False
        self._read_at = self.clock.now()
        for name, entries in found.items():
            try:
                if entries is None:
                    await self._lines[name].reload()
                else:
                    self._lines[name].apply(entries, marks[name].epoch)
            except Damaged as damage:  # one queue's trouble is not the others'
                log.error("queue_log_damaged", event_id=name, error=str(damage))
            except OtherRules as other:
                log.error("queue_taken_over", event_id=name, error=str(other))
                self._lost[name] = other
                self._lines.pop(name).end()

    def issues(self) -> list[str]:
        """What keeps the queues here from being those of the others."""
        silent = (self.clock.now() - self._read_at) // SECOND if self._lines else 0
        return [f"the log of the queues was read {silent} seconds ago"] if silent >= SILENT_SECONDS else []

    def lost(self) -> Mapping[str, OtherRules]:
        return self._lost

    def is_left(self, name: str, end: Position) -> bool:
        """Whether nothing was appended to a log of others any more that ended here when it was last looked at."""
        now = self.clock.now()
        position, since = self._of_others.get(name, (START, now))
        if position != end:
            self._of_others[name] = end, now
        return position == end and now >= since + LEFT_AFTER

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


class _Replica:
    """A machine, and how far it has come in the log."""

    def __init__(self, machine: LineMachine, mark: Mark, size: int) -> None:
        self.machine = machine
        self.mark = mark
        self.base_size = size
        self.read_size = 0  # bytes of entries since the base

    def apply(self, entries: Sequence[Entry], applied: Callable[[Batch, Applied], None]) -> None:
        """Those that are new, for entries may come more than once; `applied` is given what came of each batch."""
        for position, payload in entries:
            if position <= self.mark.position:
                continue
            if payload:
                batch = decoded(payload)
                applied(batch, self.machine.apply(batch, position.at))
            self.mark = self.mark._replace(position=position)
            self.read_size += len(payload)


class ReplicatedLine:
    """One event's line; see `line.Line` for what its verbs promise."""

    def __init__(self, engine: ReplicatedLines, event_id: str, terms: Terms, listener: Listener) -> None:
        self.name = event_id
        self._engine = engine
        self._log = engine.log
        self._store = engine.store
        self._stored = LineStore(engine.store, event_id)
        self._clock = engine.clock
        self._listener = listener
        self._on = Deciding(event_id, terms, engine.token_secret)
        self._replica = _Replica(LineMachine(event_id, self._on.entry, terms.limits), Mark("", START), 0)
        self._serial = 0
        self._sending = asyncio.Lock()
        self._pending: list[tuple[Command, asyncio.Future[Any] | None]] = []
        self._signs: dict[int, None] = {}  # of life, not sent to the others yet
        self._signs_sent_at: Instant = 0
        self._outcomes: dict[int, Sequence[Any]] = {}  # of our batch that is under way, by serial
        self._advanced_at: Instant = 0  # when we saw the last step, by our clock
        self._takeover_delay: Instant = 0
        self._sender: asyncio.Task[None] | None = None
        self._seed = b""
        self._is_configured = True

    @property
    def terms(self) -> Terms:
        return self._on.terms

    @property
    def mark(self) -> Mark:
        return self._replica.mark

    @property
    def _machine(self) -> LineMachine:
        return self._replica.machine

    @property
    def _model(self) -> LineModel:
        return self._replica.machine.model

    async def load(self, seed: bytes) -> None:
        """Everybody stands where they stood."""
        self._seed = seed
        async with self._sending:
            self._replica = await self._taken_up(may_take_over=True)
        await self.configure(self.terms, seed)

    def end(self) -> None:
        """Nothing is answered here any more; whoever watches is woken."""
        self._listener(range(1, self._model.last_number + 1))

    async def reload(self) -> None:
        """Go on from the log's base: it has moved past what was read here."""
        async with self._sending:
            await self._reload()

    def apply(self, entries: Sequence[Entry], epoch: str) -> None:
        """What was read of the log, unless that has moved on to another epoch meanwhile."""
        if epoch == self.mark.epoch:
            self._replica.apply(entries, self._applied)

    async def flush(self) -> None:
        """Send the others what waits to be sent."""
        async with self._sending:
            await self._send()

    async def save(self) -> None:
        """A new base. Once the log is as long as the state, keeping it costs as much as making this."""
        replica = self._replica
        state = replica.machine.frozen()
        await self._log.save(self.name, replica.mark, state)
        replica.base_size, replica.read_size = len(state), 0

    # What a fan does.

    async def join(self, session_id: str, user_id: str, metadata: dict[str, str], shown: int) -> Joined:
        hashed, event_id, instead_of = session_hash(session_id), self._on.event_id, 0
        member = member_of(user_id, hashed)
        while True:
            number, joined_at = await self._ask(Join(member, hashed, instead_of))
            record, is_new = await self._store.transact(
                (ticket_key(event_id, number), sale_key(event_id), session_key(session_id)),
                partial(
                    decisions.join_numbered,
                    on=self._on,
                    number=number,
                    session_id=session_id,
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
        self._signs[number] = None
        if is_awaited:
            self._post(Touch(packed([number])))
            self._post(Advance())
        return is_awaited

    def touch(self, numbers: Iterable[int]) -> None:
        self._signs |= dict.fromkeys(numbers)

    async def claim(self, number: int, user_id: str) -> Admission | None:
        granted: Admission | None = await self._ask(Claim(number, member_of(user_id, b"") if user_id else b""))
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
            self._post(HoldSeats(number, holds))

    def stock(self, sellable: int | None, *, is_sold_out: bool, is_all_sold: bool) -> None:
        known = self._model
        stock = Stock(sellable, is_sold_out, is_all_sold and self.terms.keeps_all_sold(self._clock.now()))
        if stock != Stock(known.sellable, known.is_sold_out, known.is_sold_for_good):
            self._post(stock)

    async def configure(self, terms: Terms, seed: bytes) -> None:
        self._on = self._on._replace(terms=terms)
        wanted = await self._wanted()
        self._seed = seed
        if wanted != self._machine.settings:
            await self._ask(wanted)
        if self._model.last_number == 0 and self._machine.pool is None:
            drawn = await self._committed_draw()
            if drawn is not None and drawn.closed_at is None:
                await self._ask(Gather())
        self._is_configured = True

    async def advance(self) -> None:
        now = self._clock.now()
        if not self._is_configured:
            await self.configure(self.terms, self._seed)
        if not self._is_ours(now):
            if self._pending or now >= self._signs_sent_at + SIGNS_SENT_EVERY:
                await self.flush()
            return
        await self._recall(now)
        await self._ask(Advance())
        pool = self._machine.pool
        if pool is not None and pool.closed_at is not None and not pool.key:
            await self._close_pool(pool)
        await self._expire()
        if self._replica.read_size > max(SAVED_AT_BYTES, self._replica.base_size):
            await self.save()

    def gives_turns(self) -> bool:
        return self._is_ours(self._clock.now())

    def next_due(self) -> Instant | None:
        now = self._clock.now()
        due = self._model.next_due(now)
        if due is not None and not self._is_ours(now):
            due = max(due, self._advanced_at + TAKEN_OVER_AFTER + self._takeover_delay)
        sends = now if self._pending else self._signs_sent_at + SIGNS_SENT_EVERY if self._signs else None
        return min((one for one in (due, sends) if one is not None), default=None)

    # What is asked of it.

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

    # The log.

    async def _ask(self, command: Command) -> Any:
        """What came of the command, where it stands in the log. Those who ask meanwhile are answered together."""
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending.append((command, asked))
        if self._sender is None or self._sender.done():  # on its own: who goes away must not take others' answers along
            self._sender = asyncio.create_task(self._send_all())
        return await asked

    def _post(self, command: Command) -> None:
        """It goes to the others with whatever is sent next."""
        self._pending.append((command, None))

    async def _send_all(self) -> None:
        while any(asked for _, asked in self._pending):
            await self.flush()

    async def _send(self) -> None:
        """Append all that waits, as one batch; whoever asked has their outcome then, or its failure."""
        sent, self._pending = self._pending, []
        if self._signs:
            sent.insert(0, (Touch(packed(self._signs)), None))
            self._signs = {}
        self._signs_sent_at = self._clock.now()
        if not sent:
            return
        self._serial += 1
        outcomes: Sequence[Any] = [LogUnavailable("the queue did not answer: this process is being stopped")] * len(
            sent
        )
        try:
            outcomes = await self._appended(Batch(self._engine.author, self._serial, [command for command, _ in sent]))
        except Exception as failure:  # noqa: BLE001 - everybody who asked gets it
            outcomes = [failure] * len(sent)
        finally:
            if isinstance(outcomes[0], LogUnavailable):  # what nobody waits for, nobody would say again
                self._pending[:0] = [(command, None) for command, asked in sent if asked is None]
            for (_, asked), outcome in zip(sent, outcomes, strict=True):
                if asked is None or asked.done():
                    continue
                if isinstance(outcome, Exception):
                    asked.set_exception(outcome)
                else:
                    asked.set_result(outcome)

    async def _appended(self, batch: Batch) -> Sequence[Any]:
        """The outcomes of a batch that is safe in the log. To append it again is harmless."""
        payload, fault = encoded(batch), LogUnavailable("the queue's log grows faster than this process can read it")
        for _ in range(APPENDED_AT_MOST):
            mark = self.mark
            try:
                self.apply(await self._log.append(self.name, mark, payload), mark.epoch)
            except BaseMoved:
                await self._reload()
            except ServerChanged:
                await self._begin_epoch()
                await self._reload()
            except LogUnavailable as unavailable:
                fault = unavailable
            else:
                if (outcomes := self._outcomes.pop(batch.serial, None)) is None:
                    raise LogUnavailable("the outcome of a call about the queue is not known; repeat it")
                return outcomes
        raise fault

    def _applied(self, batch: Batch, applied: Applied) -> None:
        if batch.author == self._engine.author and batch.serial == self._serial:
            self._outcomes = {batch.serial: applied.outcomes}
        if any(isinstance(command, Advance) for command in batch.commands):
            self._advanced_at = self._clock.now()
            self._takeover_delay = self._engine.randomness.randrange(TAKEN_OVER_AFTER)
        if applied.changed or batch.author != self._engine.author:  # what is due may have changed
            self._listener(applied.changed)

    async def _reload(self) -> None:
        """Go on from the base, and bring back what it has forgotten, before anybody sees it."""
        before = self._replica.machine
        for _ in range(APPENDED_AT_MOST):
            new = await self._taken_up()
            if commands := new.machine.lacks(before):
                try:
                    payload = encoded(Batch(self._engine.author, 0, commands))
                    entries = await self._log.append(self.name, new.mark, payload)
                except (BaseMoved, ServerChanged):
                    continue
                new.apply(entries, lambda *_: None)
            self._replica, self._is_configured = new, False
            self._listener(range(1, new.machine.model.last_number + 1))
            return
        raise LogUnavailable("the queue's Redis server changes too often")

    async def _taken_up(self, *, may_take_over: bool = False) -> _Replica:
        """Raises OtherRules."""
        for _ in range(APPENDED_AT_MOST):
            base = await self._log.base(self.name)
            if base is None:
                new = await self._rebuilt()
                new.rules = self._engine.rules
                self._engine.restores["from_store"] += bool(new.model.last_number)
                await self._log.begin(self.name, "", START, new.frozen())
                continue
            machine = LineMachine.thawed(self.name, self._on.entry, base.state)
            replica = _Replica(machine, Mark(base.epoch, base.position), len(base.state))
            entries = (await self._log.read({self.name: replica.mark}))[self.name]
            if entries is not None and machine.rules != self._engine.rules:
                end = entries[-1].position if entries else base.position
                if not may_take_over or not self._engine.is_left(self.name, end):
                    raise self._of_others(machine.rules, may_take_over=may_take_over)
                log.warning("queue_rules_changed", event_id=self.name, before=machine.rules, now=self._engine.rules)
                # What the last entries came to was decided by other rules; the store has what was answered.
                self._engine.restores["other_rules"] += 1
                taken = await self._rebuilt() if entries else machine
                taken.rules = self._engine.rules
                await self._log.begin(self.name, base.epoch, end, taken.frozen())
            elif entries is not None:
                replica.apply(entries, lambda *_: None)
                return replica
        raise LogUnavailable("the queue's log grows faster than this process can read it")

    def _of_others(self, rules: int, *, may_take_over: bool) -> OtherRules:
        said = f"version {rules} of the queue's rules, and this one has version {self._engine.rules}"
        if may_take_over:
            return OtherRules(
                f"the queue of {self.name} is run by processes with {said}: end all of those, and this process takes "
                f"the queue over within seconds"
            )
        return OtherRules(
            f"the queue of {self.name} was taken over by processes with {said}: end this process; or, to keep this "
            f"version, end the others and start this process again"
        )

    async def _begin_epoch(self) -> None:
        """A server that may lack the newest entries has taken over: later numbers are given after a gap."""
        mark = self.mark
        entries = (await self._log.read({self.name: mark}))[self.name]
        if entries is None:
            return  # somebody has begun it
        self.apply(entries, mark.epoch)
        machine = LineMachine.thawed(self.name, self._on.entry, self._machine.frozen())
        machine.skip(self._clock.now())
        log.warning("queue_server_changed", event_id=self.name, numbers_skipped_from=machine.model.last_number)
        self._engine.restores["server_changed"] += 1
        await self._log.begin(self.name, self.mark.epoch, self.mark.position, machine.frozen())

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
            await self._ask(command)

    async def _recall_admission(self, number: int) -> Admission | None:
        """One that a lost server had granted."""
        record = await self._stored.ticket(number)
        if record is None or record.ended or record.granted_at is None:
            return None
        admission = admission_of(record)
        await self._ask(Admit(number, admission.granted_at, admission.expires_at))
        return admission

    async def _wanted(self) -> Configure:
        was_set = await self._stored.settings()
        return decisions.in_force(self.terms, *was_set, is_stopped=bool(self._engine.maintenance()))

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
        await self._ask(Open(drawn.pool_size, key_of(drawn, self.name)))
        await self._ask(Advance())

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
                    self._post(Admit(admission.number, admission.granted_at, admission.expires_at))
            await self._end(ended)

    async def _end(self, ended: Mapping[int, State]) -> None:
        await self._ask(End(list(ended.items())))

    # Whose step it is.

    def _is_ours(self, now: Instant) -> bool:
        if self._machine.advanced_by == self._engine.author:
            return True
        return now >= self._advanced_at + TAKEN_OVER_AFTER + self._takeover_delay

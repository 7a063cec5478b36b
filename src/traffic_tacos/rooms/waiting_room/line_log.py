"""The log of one queue, as a process writes and reads it (`replicated.py` says what it is for).

Commands wait until the batch before theirs is safe in the log, and go there together. What came of each is found when
the batch is read again, in the order that the log has: also when the server was replaced meanwhile, or when the log has
a new base.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import structlog

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.log import START, BaseMoved, Entry, Log, LogUnavailable, Mark, Position, ServerChanged
from traffic_tacos.rooms.waiting_room.commands import Advance, Batch, Command, Touch, decoded, encoded, packed
from traffic_tacos.rooms.waiting_room.line import Listener, OtherRules
from traffic_tacos.rooms.waiting_room.machine import Applied, LineMachine
from traffic_tacos.rooms.waiting_room.model import LineModel

SIGNS_SENT_EVERY = SECOND
TAKEN_OVER_AFTER = SECOND // 2  # nobody has given turns for so long, and as much again at random
SAVED_AT_BYTES = 1_000_000  # of entries, and as many as the state has
LEFT_AFTER = 3 * SECOND  # nothing was appended for so long: those who had the queue have ended, or nobody waits
APPENDED_AT_MOST = 4  # times, for one batch

RESTORES = ("server_changed", "from_store", "other_rules")

log = structlog.get_logger()


class Process:
    """This process, in the logs of all queues; `rules` is which version of the rules it has."""

    def __init__(self, shared: Log, clock: Clock, randomness: random.Random, rules: int) -> None:
        self.log = shared
        self.clock = clock
        self.randomness = randomness
        self.rules = rules
        self.author = randomness.getrandbits(63)
        self.restores = dict.fromkeys(RESTORES, 0)  # of queues, by this process
        self._of_others: dict[str, tuple[Position, Instant]] = {}  # logs with other rules: their end, and since when

    def is_left(self, name: str, end: Position) -> bool:
        """Whether nothing was appended to a log of others any more that ended here when it was last looked at."""
        now = self.clock.now()
        position, since = self._of_others.get(name, (START, now))
        if position != end:
            self._of_others[name] = end, now
        return position == end and now >= since + LEFT_AFTER


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


class LineLog:
    """`empty` is a machine for this queue to which nothing has happened; `rebuilt` makes one of what the store knows.
    `listener` is told which tickets have changed. The log is read from `take_up` on.
    """

    def __init__(
        self,
        process: Process,
        name: str,
        empty: LineMachine,
        rebuilt: Callable[[], Awaitable[LineMachine]],
        listener: Listener,
    ) -> None:
        self.name = name
        self.is_configured = True  # the settings in force were said since it was taken up
        self._process = process
        self._log = process.log
        self._clock = process.clock
        self._rebuilt = rebuilt
        self._listener = listener
        self._replica = _Replica(empty, Mark("", START), 0)
        self._serial = 0
        self._sending = asyncio.Lock()
        self._pending: list[tuple[Command, asyncio.Future[Any] | None]] = []
        self._signs: dict[int, None] = {}  # of life, not sent to the others yet
        self._signs_sent_at: Instant = 0
        self._outcomes: dict[int, Sequence[Any]] = {}  # of our batch that is under way, by serial
        self._advanced_at: Instant = 0  # when we saw the last step, by our clock
        self._takeover_delay: Instant = 0
        self._sender: asyncio.Task[None] | None = None

    @property
    def mark(self) -> Mark:
        return self._replica.mark

    @property
    def machine(self) -> LineMachine:
        return self._replica.machine

    @property
    def model(self) -> LineModel:
        return self._replica.machine.model

    async def take_up(self) -> None:
        """Everybody stands where they stood. Raises OtherRules while processes with other rules have the queue."""
        async with self._sending:
            self._replica = await self._taken_up(may_take_over=True)

    async def reload(self) -> None:
        """Go on from the log's base: it has moved past what was read here."""
        async with self._sending:
            await self._reload()

    def apply(self, entries: Sequence[Entry], epoch: str) -> None:
        """What was read of the log, unless that has moved on to another epoch meanwhile."""
        if epoch == self.mark.epoch:
            self._replica.apply(entries, self._applied)

    async def ask(self, command: Command) -> Any:
        """What came of the command, where it stands in the log. Those who ask meanwhile are answered together."""
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending.append((command, asked))
        if self._sender is None or self._sender.done():  # on its own: who goes away must not take others' answers along
            self._sender = asyncio.create_task(self._send_all())
        return await asked

    def post(self, command: Command) -> None:
        """It goes to the others with whatever is sent next."""
        self._pending.append((command, None))

    def note_signs(self, numbers: Iterable[int]) -> None:
        """These have shown that they are there: the others are told every second."""
        self._signs |= dict.fromkeys(numbers)

    async def flush(self) -> None:
        """Send the others what waits to be sent."""
        async with self._sending:
            await self._send()

    async def flush_due(self, now: Instant) -> None:
        if self._pending or now >= self._signs_sent_at + SIGNS_SENT_EVERY:
            await self.flush()

    def sent_at(self, now: Instant) -> Instant | None:
        """When what waits to be sent goes to the others; None when nothing does."""
        if self._pending:
            return now
        return self._signs_sent_at + SIGNS_SENT_EVERY if self._signs else None

    async def save(self) -> None:
        """A new base. Once the log is as long as the state, keeping it costs as much as making this."""
        replica = self._replica
        state = replica.machine.frozen()
        await self._log.save(self.name, replica.mark, state)
        replica.base_size, replica.read_size = len(state), 0

    async def save_due(self) -> None:
        if self._replica.read_size > max(SAVED_AT_BYTES, self._replica.base_size):
            await self.save()

    # Whose step it is.

    def is_ours(self, now: Instant) -> bool:
        """Whether this process gives the turns now."""
        return self.machine.advanced_by == self._process.author or now >= self.taken_over_at

    @property
    def taken_over_at(self) -> Instant:
        """When this process gives turns, should nobody have done so until then."""
        return self._advanced_at + TAKEN_OVER_AFTER + self._takeover_delay

    # How a batch gets there.

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
            outcomes = await self._appended(Batch(self._process.author, self._serial, [command for command, _ in sent]))
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
        if batch.author == self._process.author and batch.serial == self._serial:
            self._outcomes = {batch.serial: applied.outcomes}
        if any(isinstance(command, Advance) for command in batch.commands):
            self._advanced_at = self._clock.now()
            self._takeover_delay = self._process.randomness.randrange(TAKEN_OVER_AFTER)
        if applied.changed or batch.author != self._process.author:  # what is due may have changed
            self._listener(applied.changed)

    async def _reload(self) -> None:
        """Go on from the base, and bring back what it has forgotten, before anybody sees it."""
        before = self._replica.machine
        for _ in range(APPENDED_AT_MOST):
            new = await self._taken_up()
            if commands := new.machine.lacks(before):
                try:
                    payload = encoded(Batch(self._process.author, 0, commands))
                    entries = await self._log.append(self.name, new.mark, payload)
                except (BaseMoved, ServerChanged):
                    continue
                new.apply(entries, lambda *_: None)
            self._replica, self.is_configured = new, False
            self._listener(range(1, new.machine.model.last_number + 1))
            return
        raise LogUnavailable("the queue's Redis server changes too often")

    async def _taken_up(self, *, may_take_over: bool = False) -> _Replica:
        """Raises OtherRules."""
        for _ in range(APPENDED_AT_MOST):
            base = await self._log.base(self.name)
            if base is None:
                new = await self._rebuilt()
                new.rules = self._process.rules
                self._process.restores["from_store"] += bool(new.model.last_number)
                await self._log.begin(self.name, "", START, new.frozen())
                continue
            machine = LineMachine.thawed(self.name, self.machine.entry, base.state)
            replica = _Replica(machine, Mark(base.epoch, base.position), len(base.state))
            entries = (await self._log.read({self.name: replica.mark}))[self.name]
            if entries is not None and machine.rules != self._process.rules:
                end = entries[-1].position if entries else base.position
                if not may_take_over or not self._process.is_left(self.name, end):
                    raise self._of_others(machine.rules, may_take_over=may_take_over)
                log.warning("queue_rules_changed", event_id=self.name, before=machine.rules, now=self._process.rules)
                # What the last entries came to was decided by other rules; the store has what was answered.
                self._process.restores["other_rules"] += 1
                taken = await self._rebuilt() if entries else machine
                taken.rules = self._process.rules
                await self._log.begin(self.name, base.epoch, end, taken.frozen())
            elif entries is not None:
                replica.apply(entries, lambda *_: None)
                return replica
        raise LogUnavailable("the queue's log grows faster than this process can read it")

    def _of_others(self, rules: int, *, may_take_over: bool) -> OtherRules:
        said = f"version {rules} of the queue's rules, and this one has version {self._process.rules}"
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
        machine = LineMachine.thawed(self.name, self.machine.entry, self.machine.frozen())
        machine.skip(self._clock.now())
        log.warning("queue_server_changed", event_id=self.name, numbers_skipped_from=machine.model.last_number)
        self._process.restores["server_changed"] += 1
        await self._log.begin(self.name, self.mark.epoch, self.mark.position, machine.frozen())

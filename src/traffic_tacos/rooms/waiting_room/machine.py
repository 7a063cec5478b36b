"""A line as a state machine: what its log's commands make of it, the same for everybody who applies them. Pure.

The rules are the model's and the guards'; here is who has which number, and what is in force. `frozen` is all of it,
for whoever goes on from there.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from traffic_tacos.kernel.errors import Damaged, Refusal
from traffic_tacos.kernel.event_info import SaleWindow
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.rooms.waiting_room import draw, guards
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
    Recall,
    Stock,
    Touch,
    unpacked,
)
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.frozen import freeze, thaw
from traffic_tacos.rooms.waiting_room.model import AS_THEY_CAME, LineModel, differing
from traffic_tacos.rooms.waiting_room.values import Admission, Limits, State, admission_end

FORMAT = 1  # of what is frozen
# Of everything that decides what comes of a command: this file, the model and what it uses, guards, commands. Processes
# whose rules differ must not share a queue, so whoever changes what is decided gives them the next number.
RULES = 1
MEMBER_BYTES, SESSION_BYTES = 16, 8
NOBODY = bytes(SESSION_BYTES)
SKIPPED = 20_000  # numbers after a server that may have given some was lost
RETURN_SECONDS = 120  # for who has one of them to show up

Entry = Callable[[int, bytes], bytes]  # what is published of a ticket in the pool: by number and session hash


class Gap(msgspec.Struct, array_like=True):
    """Numbers that may have been given, from `first` to `last`. `is_recalled`: the store was asked who has them."""

    first: int
    last: int
    since: Instant
    is_recalled: bool = False


class Pool(msgspec.Struct, array_like=True):
    """Who came before the sale. `closed_at` is when it began: then `size` and `digest` are final. `key` is the draw's,
    empty until that is made.
    """

    digest: bytes = draw.EMPTY_POOL
    size: int = 0
    closed_at: Instant | None = None
    key: bytes = b""


class _Frozen(msgspec.Struct, array_like=True):
    format: int
    model: dict[str, Any]
    settings: Configure
    pool: Pool | None
    gap: Gap | None
    advanced_by: int
    members: bytes
    sessions: bytes
    rules: int = 1


class Applied(NamedTuple):
    """What came of each command of a batch, an exception where it was refused; and the tickets that have changed."""

    outcomes: Sequence[Any]
    changed: Sequence[int]


class LineMachine:
    """`sessions` is the session hash of each number, one after the other from number 1; zeros where nobody knows."""

    def __init__(self, event_id: str, entry: Entry, limits: Limits) -> None:
        self.model = LineModel(limits)
        self.settings = Configure(limits, None, None, False, False, "")
        self.rules = RULES  # by which all this was decided
        self.pool: Pool | None = None
        self.gap: Gap | None = None
        self.advanced_by = 0  # the author of the newest step
        self.sessions = bytearray()
        self._event_id = event_id
        self.entry = entry
        self._members: dict[bytes, int] = {}
        self.owners = bytearray()  # of each number, as `sessions`
        self._changed: list[int] = []
        self._apply: dict[type[Command], Callable[[Any, Instant], Any]] = {
            Join: self._join,
            Claim: self._claim,
            End: self._end,
            Admit: self._admit,
            HoldSeats: self._hold_seats,
            Stock: self._stock,
            Configure: self.configure,
            Gather: self._gather,
            Open: self._open,
            Touch: self._touch,
            Advance: self._advance,
            Recall: self._recall,
        }

    @property
    def window(self) -> SaleWindow:
        return SaleWindow(self.settings.starts_at, self.settings.ends_at)

    def session_hash(self, number: int) -> bytes:
        return bytes(self.sessions[(number - 1) * SESSION_BYTES : number * SESSION_BYTES])

    def apply(self, batch: Batch, now: Instant) -> Applied:
        """A batch that comes again changes nothing that matters, and has the same outcomes."""
        self._close_pool_if_due(now)
        outcomes: list[Any] = []
        for command in batch.commands:
            if isinstance(command, Advance):
                self.advanced_by = batch.author
            try:
                outcomes.append(self._apply[type(command)](command, now))
            except Exception as failure:  # noqa: BLE001 - a refusal; or a bug, which must not stop every process
                outcomes.append(failure)
        changed, self._changed = self._changed, []
        return Applied(outcomes, changed)

    def give(self, number: int, member: bytes, session_hash: bytes, now: Instant, joined_at: Instant) -> None:
        """Give the member this number; those below it that nobody has are nobody's."""
        self._extend(max(0, number - self.model.last_number))
        self._register(number, member, session_hash)
        self.model.joined(number, now, joined_at)

    def take_draw(self, closed_at: Instant | None, size: int, key: bytes, now: Instant) -> None:
        """The draw that was committed to; `key` is empty while its pool is open. Only before anybody has joined."""
        self.model.gather()
        self.pool = Pool()
        if closed_at is not None:
            self.pool.closed_at = closed_at
            self._open(Open(size, key), now)

    def skip(self, now: Instant) -> None:
        """The server that gave the newest numbers was lost: later ones are given after a gap."""
        first = self.model.last_number + 1
        self.model.skip(SKIPPED, now, RETURN_SECONDS)
        self._extend(SKIPPED)
        self.gap = Gap(first, self.model.last_number, now)

    def lacks(self, before: "LineMachine") -> list[Command]:
        """The commands that bring here what another process had applied, and a lost server has forgotten."""
        ours, theirs = self.model, before.model
        commands: list[Command] = [
            Admit(one.number, one.granted_at, one.expires_at)
            for one in theirs.admissions.live()
            if one.number <= ours.last_number and ours.state(one.number) < State.ADMITTED
        ]
        ended = [
            (number, theirs.state(number))
            for number in ours.differing(theirs)
            if theirs.has_ended(number) and not ours.has_ended(number)
        ]
        known = [
            (number, before.owner(number), before.session_hash(number))
            for number in differing(self.owners, before.owners, MEMBER_BYTES)
            if any(before.owner(number)) and not any(self.owner(number))
        ]
        commands += [End(ended)] if ended else []
        commands += [Recall(known, False)] if known else []
        return commands

    def owner(self, number: int) -> bytes:
        return bytes(self.owners[(number - 1) * MEMBER_BYTES : number * MEMBER_BYTES])

    def frozen(self) -> bytes:
        return msgspec.msgpack.encode(
            _Frozen(
                FORMAT,
                freeze(self.model),
                self.settings,
                self.pool,
                self.gap,
                self.advanced_by,
                bytes(self.owners),
                bytes(self.sessions),
                self.rules,
            )
        )

    @classmethod
    def thawed(cls, event_id: str, entry: Entry, state: bytes) -> "LineMachine":
        """Damaged when this version cannot read it."""
        try:
            fields = msgspec.msgpack.decode(state, type=_Frozen)
        except msgspec.MsgspecError as error:
            raise Damaged(f"the queue of {event_id} cannot be read from its log: {error}") from None
        if fields.format != FORMAT:
            raise Damaged(f"the queue of {event_id} is in format {fields.format}; this version reads {FORMAT}")
        machine = cls(event_id, entry, fields.settings.limits)
        machine.settings, machine.pool, machine.gap = fields.settings, fields.pool, fields.gap
        machine.advanced_by, machine.rules = fields.advanced_by, fields.rules
        machine.owners, machine.sessions = bytearray(fields.members), bytearray(fields.sessions)
        for number in range(1, len(fields.members) // MEMBER_BYTES + 1):
            if any(member := machine.owner(number)):
                machine._members[member] = number
        machine.model = thaw(fields.model, machine._draw())
        return machine

    # The commands.

    def _join(self, command: Join, now: Instant) -> tuple[int, Instant]:
        """The number, and when it was given."""
        model, number = self.model, self._members.get(command.member, 0)
        if not number or number == command.instead_of or model.state(number) > State.ADMITTED:
            is_closed, missing = self.settings.is_closed, self._missing()
            guards.check_joinable(model, self._event_id, self.window, now, is_closed=is_closed, joining=-missing)
            number = model.last_number + 1
            self.give(number, command.member, command.session_hash, now, now)
            if self.pool is not None and self.pool.closed_at is None:
                entry = self.entry(number, command.session_hash)
                self.pool.digest = draw.pool_digest(self.pool.digest, entry)
        if model.touch(number, now) or not model.is_held_up:
            self._step(now)
        return number, min(now, model.joined_at(number))

    def _claim(self, command: Claim, now: Instant) -> Admission | None:
        model, number, owner = self.model, command.number, self.owner(command.number)
        model.touch(number, now)
        self._step(now)
        if not guards.may_be_granted(model, self._event_id, self.window, number, now):
            return None
        if (known := model.admissions.get(number)) is not None:
            return known
        if command.member != owner and command.member and not is_session(owner):
            raise guards.of_another_user()
        granted_at = model.admissions.begin_grant(number, now, model.limits.rate_per_second)
        if granted_at is None:
            raise Refusal.rate_limited(1)
        model.admissions.end_grant(number)
        admission = Admission(number, "", granted_at, admission_end(granted_at))
        model.admitted(admission, now)
        self._changed.append(number)
        return admission

    def _end(self, command: End, _: Instant) -> None:
        for number, state in command.ended:
            self.model.end(number, state)
            self._changed.append(number)

    def _admit(self, command: Admit, now: Instant) -> None:
        if self.model.state(command.number) < State.ADMITTED and command.granted_at > now - SECOND:
            self.model.admissions.recall_grants([command.granted_at])
        self.model.admitted(Admission(command.number, "", command.granted_at, command.expires_at), now)
        self._changed.append(command.number)

    def _hold_seats(self, command: HoldSeats, _: Instant) -> None:
        self.model.admissions.hold_seats(command.number, command.holds)

    def _stock(self, command: Stock, _: Instant) -> None:
        self.model.sellable, self.model.is_sold_out = command.sellable, command.is_sold_out
        self.model.is_sold_for_good = command.is_sold_for_good

    def configure(self, command: Configure, now: Instant) -> None:
        self.settings = command
        self.model.configure(command, now)
        self._close_pool_if_due(now)

    def _gather(self, _: Gather, __: Instant) -> None:
        if self.pool is None and not self.model.last_number:
            self.model.gather()
            self.pool = Pool()

    def _open(self, command: Open, now: Instant) -> None:
        if self.pool is None or self.pool.key:
            return
        if (lost := command.size - self.model.last_number) > 0:  # a lost server had given more numbers
            self.model.joined(command.size, now)
            self._extend(lost)
        self.pool.size, self.pool.key = command.size, command.key
        drawn = self._draw()
        assert drawn is not None
        self.model.opened(drawn)

    def _touch(self, command: Touch, now: Instant) -> None:
        for number in unpacked(command.numbers):
            if number <= self.model.last_number:
                self.model.touch(number, now)

    def _advance(self, _: Advance, now: Instant) -> None:
        self._step(now)

    def _recall(self, command: Recall, now: Instant) -> None:
        for number, member, session_hash in command.tickets:
            if number <= self.model.last_number and not any(self.owner(number)):
                self._register(number, member, session_hash)
                self.model.touch(number, now)
        if self.gap is not None:
            self.gap.is_recalled = self.gap.is_recalled or command.is_all

    # What they have in common.

    def _step(self, now: Instant) -> None:
        self._changed += self.model.step(now)

    def _missing(self) -> int:
        """Numbers that perhaps nobody has: they count for places, and keep nobody out of a line that is nearly full."""
        if self.gap is None:
            return 0
        return self.model.states.count(State.WAITING, self.gap.first, self.gap.last + 1)

    def _close_pool_if_due(self, now: Instant) -> None:
        pool = self.pool
        if pool is not None and pool.closed_at is None and self.window.has_opened(now):
            pool.closed_at, pool.size = now, self.model.last_number

    def _draw(self) -> Draw | None:
        """None while there is a pool; without one, everybody's place is their number."""
        if self.pool is None:
            return AS_THEY_CAME
        return Draw(self.pool.key, self.pool.size) if self.pool.key else None

    def _extend(self, count: int) -> None:
        self.owners.extend(bytes(count * MEMBER_BYTES))
        self.sessions.extend(bytes(count * SESSION_BYTES))

    def _register(self, number: int, member: bytes, session_hash: bytes) -> None:
        self._members[member] = max(number, self._members.get(member, 0))
        self.owners[(number - 1) * MEMBER_BYTES : number * MEMBER_BYTES] = member
        self.sessions[(number - 1) * SESSION_BYTES : number * SESSION_BYTES] = session_hash


def member_of(user_id: str, session_hash: bytes) -> bytes:
    """Who a place belongs to: a user where one is signed in, else a session."""
    if not user_id:
        return session_hash + NOBODY
    return hashlib.blake2b(user_id.encode(), digest_size=MEMBER_BYTES).digest()


def is_session(member: bytes) -> bool:
    return member.endswith(NOBODY)

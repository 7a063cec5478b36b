"""A line of many processes brought back from the store, after its log or the newest entries of it were lost."""

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.rooms.waiting_room import draw
from traffic_tacos.rooms.waiting_room.commands import Admit, Command, Configure, End, Recall
from traffic_tacos.rooms.waiting_room.decisions import Deciding
from traffic_tacos.rooms.waiting_room.line_store import LineStore, admission_of, key_of
from traffic_tacos.rooms.waiting_room.machine import Gap, LineMachine, member_of
from traffic_tacos.rooms.waiting_room.records import DrawRecord
from traffic_tacos.rooms.waiting_room.values import State


async def rebuilt(
    stored: LineStore, on: Deciding, settings: Configure, drawn: DrawRecord | None, now: Instant
) -> LineMachine:
    """A line as the tickets in the store have it: for a log that has not begun, or was lost."""
    machine = LineMachine(on.event_id, on.entry, on.terms.limits)
    machine.configure(settings, now)
    if drawn is not None:
        machine.take_draw(drawn.closed_at, drawn.pool_size, key_of(drawn, on.event_id), now)
    grants: list[Instant] = []
    async for record in stored.tickets():
        hashed = bytes.fromhex(record.session_hash)
        machine.give(record.number, member_of(record.user_id, hashed), hashed, now, record.joined_at)
        if record.granted_at is not None:
            grants.append(record.granted_at)
            machine.model.admitted(admission_of(record), now)
        if record.ended:
            machine.model.end(record.number, State[record.ended])
    machine.model.admissions.recall_grants(time for time in grants if time > now - SECOND)
    if machine.model.last_number:
        machine.skip(now)  # some may be joining
    return machine


async def recalled(stored: LineStore, gap: Gap) -> list[Command]:
    """Who has the numbers that a lost server may have given, and what became of them, as commands for the log."""
    tickets = [record async for record in stored.tickets(gap.first - 1) if record.number <= gap.last]
    known = [
        (record.number, member_of(record.user_id, hashed), hashed)
        for record in tickets
        if (hashed := bytes.fromhex(record.session_hash))
    ]
    granted = [admission_of(record) for record in tickets if record.granted_at is not None]
    admitted = [Admit(one.number, one.granted_at, one.expires_at) for one in granted]
    ended = [(one.number, State[one.ended]) for one in tickets if one.ended]
    return [Recall(known, True), *admitted, *([End(ended)] if ended else [])]


def pool_digest(machine: LineMachine, on: Deciding, size: int) -> bytes:
    """That of a pool whose numbers were given by several servers."""
    digest = draw.EMPTY_POOL
    for number in range(1, size + 1):
        digest = draw.pool_digest(digest, on.entry(number, machine.session_hash(number)))
    return digest

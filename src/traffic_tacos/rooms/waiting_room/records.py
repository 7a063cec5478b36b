"""What of a line is durable: each ticket, who has it, and the last number given.

Turns are not: after a crash they are offered anew, in the same order.
"""

import hashlib

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, Kind


class TicketRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    number: int
    session_hash: str
    user_id: str
    joined_at: Instant
    is_done: bool = False
    granted_at: Instant | None = None
    admission_expires_at: Instant | None = None
    metadata: dict[str, str] = {}


class Head(msgspec.Struct, frozen=True):
    last_number: int


TICKET = Kind("ticket", TicketRecord)
MEMBER = Kind("member", int)
HEAD = Kind("line", Head)


def ticket_key(event_id: str, number: int) -> Key[TicketRecord]:
    return TICKET.key(event_id, f"{number:012d}")


def member_keys(event_id: str, session_id: str, user_id: str) -> list[Key[int]]:
    """Who a place belongs to: a session, and a user where one is signed in."""
    names = [("session", session_id), *([("user", user_id)] if user_id else [])]
    return [MEMBER.key(event_id, kind, hashlib.sha256(name.encode()).hexdigest()) for kind, name in names]


def admission_id(event_id: str, number: int) -> str:
    """The id of a ticket's admission; it travels in reservation tokens and events."""
    return f"{event_id}/{number}"


def admission_number(admission: str) -> int:
    return int(admission.rpartition("/")[2])

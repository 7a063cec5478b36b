"""What of a line is durable: each ticket, who has it, the last number given, the draw, and what an operator set.

Turns are not: after a crash they are offered anew, in the same order.
"""

import hashlib
from functools import lru_cache

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import KEYS_REMEMBERED, Key, Kind


class TicketRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`ended` is the name of the state it ended in, empty while it has not. `metadata` is the operator's."""

    number: int
    session_hash: str
    user_id: str
    joined_at: Instant
    ended: str = ""
    ended_at: Instant | None = None
    granted_at: Instant | None = None
    admission_expires_at: Instant | None = None
    metadata: dict[str, str] = {}


class LineHead(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`pool_digest` is that of all who have joined, while the pool is open."""

    last_number: int
    pool_digest: str = ""


class DrawRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Bytes are hex. Once `closed_at` is set nothing of it changes, and the seed may be shown."""

    seed: str
    committed_at: Instant
    pool_size: int = 0
    pool_digest: str = ""
    closed_at: Instant | None = None


class SettingsRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What an operator set, over the event file: for all events, and over that for one.

    `stopped` and `closed` (nobody new may join) are different: a line is when either says so, so that stopping all
    stops all. `message` is what is said to all who wait.
    """

    rate_per_second: int | None = None
    active_max: int | None = None
    offer_seconds: int | None = None
    idle_seconds: int | None = None
    waiting_max: int | None = None
    stopped: bool | None = None
    closed: bool | None = None
    message: str | None = None


MEMBER_BYTES = 16
NOTHING_SET = SettingsRecord()

TICKET = Kind("ticket", TicketRecord)
MEMBER = Kind("member", int)
LINE_HEAD = Kind("line", LineHead)
DRAW = Kind("draw", DrawRecord)
SETTINGS = Kind("line_settings", SettingsRecord)


@lru_cache(maxsize=KEYS_REMEMBERED)
def head_key(event_id: str) -> Key[LineHead]:
    return LINE_HEAD.key(event_id)


@lru_cache(maxsize=KEYS_REMEMBERED)
def draw_key(event_id: str) -> Key[DrawRecord]:
    return DRAW.key(event_id)


def ticket_key(event_id: str, number: int) -> Key[TicketRecord]:
    return TICKET.key(event_id, f"{number:012d}")


def settings_key(event_id: str) -> Key[SettingsRecord]:
    """An event's own settings, or with an empty id those of all events."""
    return SETTINGS.key("event", event_id) if event_id else SETTINGS.key("all")


def member_key(event_id: str, session_id: str, user_id: str) -> Key[int]:
    """Who a place belongs to: a user where one is signed in, else a session. A session's id is chosen by its client
    and no secret, so a user's place is never found by it. The first place of a session needs no such record: the
    session's own has it (`ports/sessions.py`).
    """
    kind, name = ("user", user_id) if user_id else ("session", session_id)
    return MEMBER.key(event_id, kind, hashlib.blake2b(name.encode(), digest_size=MEMBER_BYTES).hexdigest())


def admission_id(event_id: str, number: int) -> str:
    """The id of a ticket's admission; it travels in reservation tokens and events."""
    return f"{event_id}/{number}"


def admission_number(admission: str) -> int:
    return int(admission.rpartition("/")[2])

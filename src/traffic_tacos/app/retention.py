"""How long everything that is stored is kept, and who removes it: every kind of record, once.

A kind that is missing here fails a test: whatever is stored has somebody who removes it, or a reason to stay.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from traffic_tacos.engines.group_leases import GROUP_LEASE
from traffic_tacos.engines.leases import FENCE, LEASE
from traffic_tacos.engines.presence import PROCESS
from traffic_tacos.engines.purge import Expiry
from traffic_tacos.engines.settings import SETTING
from traffic_tacos.engines.sqs_sweep import COUNTED
from traffic_tacos.kernel.instants import DAY, HOUR, Instant
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.operations.rotations import SEEN as KEYS_SEEN
from traffic_tacos.ports.audit import AUDIT, AUDIT_HEAD
from traffic_tacos.ports.idempotency import IDEMPOTENCY_RECORD
from traffic_tacos.ports.sales import SALE
from traffic_tacos.ports.sessions import SESSION
from traffic_tacos.ports.store import JOB, OUTBOX, Job, Kind
from traffic_tacos.rooms.catalog.records import EVENT
from traffic_tacos.rooms.inventory.records import HOLD, PERSON, ROW
from traffic_tacos.rooms.payment.records import BY_RESERVATION as PAYMENT_BY_RESERVATION
from traffic_tacos.rooms.payment.records import BY_USER as PAYMENT_BY_USER
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.realtime.records import MESSAGE
from traffic_tacos.rooms.reservation.records import (
    ADMISSION_USE,
    BY_EVENT,
    BY_USER,
    ENTERED_BY_EVENT,
    ORDER,
    RESERVATION,
    RETURNED_BY_EVENT,
)
from traffic_tacos.rooms.reservation.stopping import STOP
from traffic_tacos.rooms.waiting_room.records import DRAW, LINE_HEAD, MEMBER, SETTINGS, TICKET
from traffic_tacos.rooms.webhook.records import ENDPOINT, RECEIPT

# Longer than anybody goes on sending a webhook again.
RECEIPTS_KEPT_FOR = 7 * DAY
# A webhook that was given up can be replayed so long.
DEAD_WEBHOOKS_KEPT_FOR = 30 * DAY
GONE_ENDPOINTS_KEPT_FOR = 30 * DAY


class Swept(msgspec.Struct, frozen=True):
    """Removed by the sweeper (`engines/purge.py`) at the time that a record gives; None: not yet.

    `is_remembered` is for what processes have in memory as well: they must learn that it is gone. The others may be
    left to a store that removes what has expired by itself.
    """

    expires_at: Callable[[Any], Instant | None]
    is_remembered: bool = False


class Ended(msgspec.Struct, frozen=True):
    """Removed by the deed that ends it."""

    by: str


class Kept(msgspec.Struct, frozen=True):
    """Kept for ever."""

    why: str


def _dead_webhook(job: Job) -> Instant | None:
    """A dead job of the platform's own is money or seats: it stays until somebody has looked at it."""
    return job.due_at + DEAD_WEBHOOKS_KEPT_FOR if job.is_dead and job.topic == SEND_WEBHOOK else None


_BOOKS = Kept("the books: who held, paid and owns what, which refunds, disputes and audits go back to")
_PLACES = Kept("who came when: a place is kept through every restart, and can be shown afterwards; a few bytes each")

RETENTION: Mapping[Kind[Any], Swept | Ended | Kept] = {
    LEASE: Ended("its holder, or whoever takes it over; there is one for each thing that one process does"),
    PROCESS: Swept(lambda present: present.until + HOUR),  # and when it ends
    FENCE: Kept("one record a lease: a holder of the past must never find the number that it knew"),
    GROUP_LEASE: Swept(lambda lease: lease.until + HOUR),  # and when its job is finished
    COUNTED: Kept("one record: how many jobs there were"),
    SETTING: Ended("whoever sets it to nothing; there is one for each name that exists"),
    KEYS_SEEN: Kept("one record: which keys the audit log has named"),
    AUDIT: Kept("a chain: an entry that is missing breaks it"),
    AUDIT_HEAD: Kept("one record, the end of the chain"),
    IDEMPOTENCY_RECORD: Swept(lambda answer: answer.expires_at),
    JOB: Swept(_dead_webhook, is_remembered=True),  # and when it is done, or with its endpoint
    OUTBOX: Ended("the outbox, once all subscribers have it"),
    EVENT: Kept("what is on sale, by the operator"),
    SALE: Kept("one record an event: when it was on sale, which verify compares with what was sold"),
    ROW: Kept("who owns which seat: as many as the event has rows"),
    HOLD: _BOOKS,
    PERSON: _BOOKS,
    RESERVATION: _BOOKS,
    BY_USER: _BOOKS,
    BY_EVENT: _BOOKS,
    ENTERED_BY_EVENT: _BOOKS,
    RETURNED_BY_EVENT: _BOOKS,
    ORDER: _BOOKS,
    ADMISSION_USE: Kept("an admission buys at most once, however late its token comes again"),
    STOP: Ended("the operator who lets reservations go on"),
    PAYMENT: _BOOKS,
    PAYMENT_BY_RESERVATION: _BOOKS,
    PAYMENT_BY_USER: _BOOKS,
    TICKET: _PLACES,
    MEMBER: _PLACES,
    LINE_HEAD: Kept("one record an event"),
    DRAW: Kept("one record an event: anybody can check the draw afterwards"),
    SETTINGS: Kept("one record an event"),
    SESSION: Swept(lambda session: session.forgotten_at),
    MESSAGE: Swept(lambda message: message.expires_at, is_remembered=True),  # and when its reader has it
    RECEIPT: Swept(lambda receipt: receipt.processed_at + RECEIPTS_KEPT_FOR),
    ENDPOINT: Swept(  # and when its owner removes it
        lambda endpoint: None if endpoint.gone_at is None else endpoint.gone_at + GONE_ENDPOINTS_KEPT_FOR,
        is_remembered=True,
    ),
}

_SWEPT = [(Expiry(kind, how.expires_at), how) for kind, how in RETENTION.items() if isinstance(how, Swept)]
EXPIRIES = tuple(expiry for expiry, _ in _SWEPT)
EXPIRED_BY_THE_STORE = tuple(expiry for expiry, how in _SWEPT if not how.is_remembered)
SWEPT_ON_ANY_STORE = tuple(expiry for expiry, how in _SWEPT if how.is_remembered)

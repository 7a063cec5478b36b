"""What a stream sends: how a reservation or a payment stands, and messages. Pure.

A stream carries states, not steps: who reads slowly, or comes back after a while, is sent how each thing
stands now, and never something older than what was sent before.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.statuses import AnyStatus, PaymentStatus, ReservationStatus

EXPIRING_SOON = 15 * SECOND
PENDING_MAX = 1000
MESSAGE_BYTES = 200  # of its key, id and times


class Subject(Enum):
    """What a stream is about."""

    RESERVATION = "reservation"
    PAYMENT = "payment"


# Which of two states of one millisecond is the later one.
RANKS: Mapping[Subject, tuple[AnyStatus, ...]] = {
    Subject.RESERVATION: (
        ReservationStatus.PENDING,
        ReservationStatus.CANCELLED,
        ReservationStatus.EXPIRED,
        ReservationStatus.CONFIRMED,
        ReservationStatus.REFUNDED,
    ),
    Subject.PAYMENT: (
        PaymentStatus.PENDING,
        PaymentStatus.PROCESSING,
        PaymentStatus.FAILED,
        PaymentStatus.CANCELLED,
        PaymentStatus.EXPIRED,
        PaymentStatus.COMPLETED,
        PaymentStatus.REFUNDED,
    ),
}


class Update(msgspec.Struct, frozen=True):
    """How a thing stands since `at`. `old` is None when the stream has not sent it before."""

    subject: Subject
    id: str
    old: AnyStatus | None
    new: AnyStatus
    at: Instant
    hold_expires_at: Instant | None = None
    is_reminder: bool = False


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message to a user or a session, kept until it was delivered or has expired."""

    id: str
    title: str
    content: str
    type: int
    priority: int
    data: dict[str, str]
    sent_at: Instant
    expires_at: Instant

    @property
    def size(self) -> int:
        """About how many bytes it takes up while it waits."""
        pairs = (part for pair in self.data.items() for part in pair)
        return MESSAGE_BYTES + sum(len(text.encode()) for text in (self.title, self.content, *pairs))

    @property
    def text(self) -> str:
        """As its reader sees it."""
        return f"{self.title}\n{self.content}" if self.title else self.content


class Feed:
    """What one stream has sent, and what it is yet to send: for each thing only the newest."""

    def __init__(self) -> None:
        self._sent: dict[str, Update] = {}
        self._pending: dict[str, Update] = {}
        self._messages: dict[str, Message] = {}
        self._given: dict[str, None] = {}  # the newest messages that were taken, by id
        self._soon: dict[str, Instant] = {}

    def offer(self, update: Update) -> bool:
        """Whether this is news; what is older than what is known already is not."""
        known = self._pending.get(update.id) or self._sent.get(update.id)
        if known is not None and _age(update) <= _age(known):
            return False
        if update.id not in self._pending and len(self._pending) >= PENDING_MAX:
            return False
        first = self._pending.pop(update.id, None)
        self._pending[update.id] = update if first is None else msgspec.structs.replace(update, old=first.old)
        self._soon.pop(update.id, None)
        if update.new is ReservationStatus.PENDING and update.hold_expires_at is not None:
            self._soon[update.id] = update.hold_expires_at - EXPIRING_SOON
        return True

    def offer_message(self, message: Message) -> None:
        """Each is sent once, however often it is offered."""
        if len(self._messages) < PENDING_MAX and message.id not in self._given:
            self._messages.setdefault(message.id, message)

    def take(self, now: Instant) -> list[Update | Message]:
        """All that is to be sent now."""
        for thing_id, at in list(self._soon.items()):
            if now >= at and thing_id not in self._pending:
                del self._soon[thing_id]
                sent = self._sent[thing_id]
                self._pending[thing_id] = msgspec.structs.replace(sent, old=sent.new, is_reminder=True)
        taken: list[Update | Message] = [*self._messages.values(), *self._pending.values()]
        self._sent |= self._pending
        self._given |= dict.fromkeys(self._messages)
        for message_id in list(self._given)[:-PENDING_MAX]:
            del self._given[message_id]
        self._pending, self._messages = {}, {}
        return taken

    def next_reminder(self) -> Instant | None:
        return min(self._soon.values(), default=None)


def _age(update: Update) -> tuple[Instant, int, Instant]:
    return update.at, RANKS[update.subject].index(update.new), update.hold_expires_at or 0

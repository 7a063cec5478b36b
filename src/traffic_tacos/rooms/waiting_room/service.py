"""The line's verbs as a fan knows them: join, show, admit, leave, watch.

Reading is memory only. What is answered to a join, an admission or a leave is durable (embedded.py).
"""

from collections.abc import AsyncGenerator

import msgspec

from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_reason, checked_text, checked_user_id
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.limits import METADATA_ENTRIES_MAX, METADATA_LENGTH_MAX, SESSION_LENGTH_MAX
from traffic_tacos.kernel.tokens import (
    ReservationToken,
    Ticket,
    open_ticket,
    seal_ticket,
    session_hash,
)
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.messages import Inbox, Messages, Text
from traffic_tacos.rooms.waiting_room.line import Holder
from traffic_tacos.rooms.waiting_room.lines import Lines, OpenLine
from traffic_tacos.rooms.waiting_room.news import Condition, Sight, Topic, news
from traffic_tacos.rooms.waiting_room.records import admission_id
from traffic_tacos.rooms.waiting_room.values import Place
from traffic_tacos.rooms.waiting_room.view import LineView
from traffic_tacos.rooms.waiting_room.watchers import STREAMS_PER_LINE_MAX

TOKENS_REMEMBERED_MAX = 100_000  # about 25 MB


class Standing(msgspec.Struct, frozen=True):
    """Where a ticket stands; `is_new` is False for one that was held already."""

    token: str
    place: Place
    expires_at: Instant
    is_new: bool


class Grant(msgspec.Struct, frozen=True):
    token: str
    granted_at: Instant
    expires_at: Instant


class StreamUpdate(msgspec.Struct, frozen=True):
    """One thing that a stream sends, and everything that is so at that moment."""

    topic: Topic
    event_id: str
    sight: Sight
    waiting: int
    at: Instant
    expires_at: Instant


class StreamMessage(msgspec.Struct, frozen=True):
    """A message to whoever watches a place."""

    event_id: str
    text: Text


class WaitingRoom:
    """`keyring` seals waiting tokens and reservation tokens; streams carry what comes in `messages` too."""

    def __init__(self, lines: Lines, keyring: Keyring, messages: Messages) -> None:
        self._messages = messages
        self._lines = lines
        self._token_secret = keyring.waiting
        self._keyring = keyring
        self.checked: dict[str, tuple[OpenLine, int]] = {}

    async def join(
        self, event_id: str, session_id: str, user_id: str, metadata: dict[str, str], call: Call
    ) -> Standing:
        """A place at the end of the line, or the one that this user has. Who calls as a fan joins as that user.

        Without a user the place is its session's: joining again finds it for who shows its token (call.waiting_token)
        and is ALREADY_EXISTS for everybody else, since a session's id is no secret.
        Before the sale starts, a place in the pool. RATE_LIMITED when the line is full,
        FAILED_PRECONDITION when the sale has ended or nothing is left. Nothing is wrong with a join
        that has taken a number.
        """
        checked_id("event_id", event_id)
        if not session_id:
            raise Refusal.of_field("session_id", "is required")
        checked_text("session_id", session_id, SESSION_LENGTH_MAX)
        if user_id:
            call.require_user(checked_user_id("user_id", user_id))
        elif call.caller.role is Role.FAN:
            user_id = call.caller.name
        if len(metadata) > METADATA_ENTRIES_MAX:
            raise Refusal.of_field("metadata", f"must have at most {METADATA_ENTRIES_MAX} entries", len(metadata))
        for name, value in metadata.items():
            checked_text(f"metadata.{name[:40]}", value, METADATA_LENGTH_MAX)
        opened = await self._lines.of(event_id, call)
        joined = await opened.line.join(session_id, user_id, metadata, self._shown(event_id, call))
        self._lines.wake(opened)
        token = seal_ticket(Ticket(event_id, joined.number, joined.session_hash), self._token_secret)
        self._remember(token, (opened, joined.number))
        place, view = opened.status(joined.number)
        return Standing(token, place, _expires_at(view), joined.is_new)

    async def catch_up(self, token: str, call: Call) -> None:
        """Before `show`, where other processes have the same lines: no place rises whichever of them is asked."""
        await self._lines.catch_up()
        known = self.checked.get(token)
        if known is None or known[0].is_lost:
            self.checked.pop(token, None)
            await self._lines.found(open_ticket(token, self._token_secret), call)

    def show(self, token: str) -> tuple[Place, Instant]:
        """Where the ticket stands and until when; no store, no wait. A sign of life."""
        self._lines.check_ours()
        opened, number = self.checked.get(token) or self._check(token)
        if opened.line.visit(number):
            self._lines.wake(opened)
        place, view = opened.status(number)
        return place, _expires_at(view)

    async def admit(self, token: str, event_id: str, user_id: str, call: Call) -> Grant | None:
        """The admission of a ticket whose turn it is; None before its turn. Repeating it answers the same.

        FAILED_PRECONDITION when the event is sold out or the ticket has ended; RATE_LIMITED when this
        second is full.
        """
        ticket = open_ticket(token, self._token_secret)
        if event_id != ticket.event_id:
            raise Refusal(Code.FORBIDDEN, "event_id: must be the event that the waiting_token is for")
        if user_id:
            call.require_user(user_id)
        opened, number = await self._lines.found(ticket, call), ticket.number
        self._lines.wake(opened)
        try:
            admission = await opened.line.claim(number, user_id)
        finally:
            self._lines.wake(opened)
        if admission is None:
            return None
        granted = ReservationToken(admission_id(event_id, number), event_id, admission.user_id, admission.expires_at)
        sealed = self._keyring.seal_admission(granted, admission.granted_at)
        return Grant(sealed, admission.granted_at, admission.expires_at)

    def condition(self, token: str) -> Condition | None:
        """Why nobody is let into the line of this ticket; None when somebody may be, or the token is no good."""
        try:
            opened, _ = self.checked.get(token) or self._check(token)
        except Refusal:
            return None
        return opened.condition()

    def _shown(self, event_id: str, call: Call) -> int:
        """The number of the place in this line whose token the caller shows; 0 when they show none."""
        try:
            shown = open_ticket(call.waiting_token, self._token_secret) if call.waiting_token else None
        except Refusal:
            return 0
        return shown.number if shown is not None and shown.event_id == event_id else 0

    def _check(self, token: str) -> tuple[OpenLine, int]:
        """The place that a token stands for. Who asks for it asks again: it is remembered."""
        ticket = open_ticket(token, self._token_secret)
        place = self._lines.known(ticket), ticket.number
        self._remember(token, place)
        return place

    def _remember(self, token: str, place: tuple[OpenLine, int]) -> None:
        if len(self.checked) >= TOKENS_REMEMBERED_MAX:
            self.checked.clear()
        self.checked[token] = place

    async def leave(self, token: str, reason: str, call: Call) -> Instant:
        """When the ticket left the line, for good. Leaving again answers the same."""
        ticket = open_ticket(token, self._token_secret)
        checked_reason(reason)
        opened = await self._lines.found(ticket, call)
        left_at = await opened.line.leave(ticket.number)
        self._lines.wake(opened)
        return left_at

    async def watch(
        self, token: str, session_id: str, event_id: str, call: Call
    ) -> AsyncGenerator[StreamUpdate | StreamMessage, None]:
        """The present state at once, then every change that matters to this ticket, until it ends; and messages to
        its session, or to the user who watches.

        Who reads slowly gets only the newest. Ends with UNAVAILABLE when the platform stops, or when
        the same ticket is watched too many times over.
        """
        ticket = open_ticket(token, self._token_secret)
        opened, is_holder = await self._watched(ticket, session_id, event_id, call)
        if opened.watchers.count >= STREAMS_PER_LINE_MAX:
            raise Refusal.rate_limited(opened.line.view().limits.offer_seconds)
        watcher = opened.watchers.add(ticket.number)
        self._lines.wake(opened)
        inbox: Inbox | None = None
        try:
            user = call.caller.name if call.caller.role is Role.FAN else ""
            holder = await opened.line.holder(ticket.number) if is_holder else None
            names = () if holder is None else holder.names
            inbox = await self._messages.open(session_id if names else "", names, user, watcher.news.set)
            while not self._lines.is_closing and not watcher.is_displaced:
                watcher.news.clear()
                opened.line.visit(ticket.number)
                sight, view = opened.sight(ticket.number)
                topics, watcher.sent = news(watcher.sent, sight), sight
                for topic in topics:
                    yield StreamUpdate(topic, ticket.event_id, sight, view.waiting, view.at, _expires_at(view))
                if inbox is not None:
                    for text in inbox.take():
                        yield StreamMessage(ticket.event_id, text)
                        await inbox.delivered(text)
                if sight.has_ended:
                    return
                await watcher.news.wait()
        finally:
            if inbox is not None:
                inbox.close()
            opened.watchers.remove(watcher)
        raise Refusal(Code.UNAVAILABLE, "this stream ends here; connect again")

    async def _watched(self, ticket: Ticket, session_id: str, event_id: str, call: Call) -> tuple[OpenLine, bool]:
        """The line of a ticket that the caller may watch, and whether they came with the session that joined."""
        if not session_id:
            raise Refusal.of_field("session_id", "is required")
        if event_id not in ("", ticket.event_id):
            raise Refusal(Code.FORBIDDEN, "event_id: must be the event that the waiting_token is for")
        opened = await self._lines.found(ticket, call)
        is_holder = session_hash(session_id) == ticket.session_hash
        if not is_holder and not _is_users(await opened.line.holder(ticket.number), call.caller):
            raise Refusal(Code.FORBIDDEN, "session_id: must be the session that joined")
        return opened, is_holder


def _is_users(holder: Holder | None, caller: Caller) -> bool:
    """Whether the ticket is this user's, whichever session joined."""
    return holder is not None and caller.role is Role.FAN and holder.user_id == caller.name


def _expires_at(view: LineView) -> Instant:
    return view.at + view.limits.idle_seconds * SECOND

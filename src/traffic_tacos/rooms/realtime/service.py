"""Realtime's verbs: watch, handle, send."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.domain_events import DomainEvent, MessageSent, PaymentChanged, ReservationChanged
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_text, checked_user_id, new_id
from traffic_tacos.kernel.instants import HOUR, SECOND, Instant
from traffic_tacos.kernel.limits import (
    CONTENT_LENGTH_MAX,
    DATA_LENGTH_MAX,
    DATA_MAX,
    SESSION_LENGTH_MAX,
    SUBSCRIPTIONS_MAX,
    TITLE_LENGTH_MAX,
)
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.messages import Inbox, Text
from traffic_tacos.ports.sessions import is_owner, session_key, user_owner
from traffic_tacos.ports.store import (
    COMMIT_RECORDS_MAX,
    Decision,
    Key,
    Store,
    View,
    Write,
    delete,
    put,
    remove,
)
from traffic_tacos.rooms.realtime.clients import PaymentClient, ReservationClient
from traffic_tacos.rooms.realtime.model import Feed, Message, Subject, Update
from traffic_tacos.rooms.realtime.records import MESSAGE, message_key, messages_for

STREAMS_PER_USER_MAX = 8
MESSAGES_KEPT_FOR = HOUR
MESSAGES_PER_TARGET_MAX, BYTES_PER_TARGET_MAX = 100, 200_000
# Of all messages that wait for their readers together.
MESSAGES_WAITING_MAX, BYTES_WAITING_MAX = 100_000, 50_000_000
TAKEN_WITHIN_SECONDS = 0.5
# By a stream of another process, which learns of it a moment later; whether it did is looked for so often.
TAKEN_ELSEWHERE_WITHIN_SECONDS, LOOKED_EVERY_SECONDS = 1.0, 0.1
PAGE = 1000

Target = tuple[str, str]


class Send(msgspec.Struct, frozen=True):
    user_id: str
    session_id: str
    type: int
    title: str
    content: str
    data: dict[str, str]
    priority: int


class Watcher:
    """One open stream. One that is about nothing (`subject` None) gets messages only."""

    def __init__(self, subject: Subject | None, user_id: str, session_id: str, ids: Sequence[str] = ()) -> None:
        self.subject = subject
        named = (("user", user_id), ("session", session_id))
        self.targets: tuple[Target, ...] = tuple(target for target in named if target[1])
        self.user_id = user_id
        self.ids = frozenset(ids)
        self.feed = Feed()
        self.news = asyncio.Event()
        self.wake: Callable[[], None] = self.news.set
        self.is_displaced = False

    def wants(self, update: Update) -> bool:
        return update.subject is self.subject and (not self.ids or update.id in self.ids)


class Realtime:
    """`handle` must be given all events; everything a stream sends comes from there, or from the rooms. `has_peers`:
    streams may be open in other processes.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        reservations: ReservationClient,
        payments: PaymentClient,
        *,
        has_peers: bool = False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = randomness
        self._present = {Subject.RESERVATION: reservations.present, Subject.PAYMENT: payments.present}
        self._watchers: dict[Target, list[Watcher]] = {}
        self._taken: dict[str, asyncio.Event] = {}
        self._has_peers = has_peers
        self._is_closing = False
        # Of each message that waits, by its path, oldest first: its bytes, and until when. One that another process has
        # delivered counts until then.
        self._sizes: dict[str, tuple[int, Instant]] = {}
        self.bytes_waiting = 0

    async def load(self) -> None:
        """Count what waits for its reader since before."""
        after = None
        while page := await self._store.scan(MESSAGE.prefix(), after=after, limit=PAGE):
            self.committed([put(key, message) for key, message in page])
            after = page[-1][0]

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit: messages that wait now, and those that wait no longer."""
        for kind, path, message in writes:
            if kind is MESSAGE:
                self._forget_size(path)
                if message is not None:
                    self._sizes[path] = message.size, message.expires_at
                    self.bytes_waiting += message.size

    def _forget_size(self, path: str) -> None:
        size, _ = self._sizes.pop(path, (0, 0))
        self.bytes_waiting -= size

    def _forget_expired(self, now: Instant) -> None:
        while self._sizes:
            path, (_, expires_at) = next(iter(self._sizes.items()))
            if now < expires_at:
                return
            self._forget_size(path)

    def hang_up(self) -> None:
        """End all streams; their readers are asked to come back."""
        self._is_closing = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.wake()

    async def watch(
        self, subject: Subject, user_id: str, session_id: str, ids: Sequence[str], call: Call
    ) -> AsyncGenerator[Update | Message, None]:
        """How the user's things stand, at once, and then every change of them, and messages.

        Ends with UNAVAILABLE when the platform stops, or when one user watches too many times over.
        """
        user_id = user_id or call.caller.name
        call.require_user(checked_user_id("user_id", user_id))
        checked_text("session_id", session_id, SESSION_LENGTH_MAX)
        if len(ids) > SUBSCRIPTIONS_MAX:
            raise Refusal.of_field("ids", f"must be at most {SUBSCRIPTIONS_MAX}", len(ids))
        if session_id and not await self._is_owner(session_id, (user_owner(user_id),)):
            session_id = ""  # somebody else's: what is sent to it is not for this user
        watcher = Watcher(subject, user_id, session_id, ids)
        self._add(watcher)  # before the present is asked for, so that nothing falls in between
        try:
            for update in await self._present[subject](user_id, ids, call):
                watcher.feed.offer(update)
            await self._take_up(watcher)
            while not self._is_closing and not watcher.is_displaced:
                watcher.news.clear()
                for news in watcher.feed.take(self._clock.now()):
                    yield news
                    if isinstance(news, Message):
                        await self.delivered(news, watcher.targets)
                await self._wait(watcher)
        finally:
            self.remove(watcher)
        raise Refusal(Code.UNAVAILABLE, "this stream ends here; connect again")

    async def open(self, session_id: str, names: Sequence[str], user_id: str, wake: Callable[[], None]) -> Inbox:
        """The inbox of a stream in another room; see `ports.messages`."""
        if session_id and not await self._is_owner(session_id, names):
            session_id = ""
        watcher = Watcher(None, user_id, session_id)
        watcher.wake = wake
        self._listen(watcher)
        try:
            await self._take_up(watcher)
        except BaseException:
            self.remove(watcher)
            raise
        return OpenInbox(self, watcher)

    async def handle(self, event: DomainEvent) -> None:
        """Update the streams of those who watch."""
        match event:
            case ReservationChanged(reservation_id=thing, old=old, new=new, at=at, hold_expires_at=until):
                update = Update(Subject.RESERVATION, thing, old, new, at, until)
            case PaymentChanged(payment_intent_id=thing):
                update = Update(Subject.PAYMENT, thing, event.old, event.new, event.at)
            case MessageSent():
                await self._offer_sent(event)
                return
            case _:
                return
        for watcher in self._watchers.get(("user", event.user_id), ()):
            if watcher.wants(update) and watcher.feed.offer(update):
                watcher.wake()

    async def send(self, request: Send) -> tuple[Message, bool]:
        """A message, and whether a live stream took it. One that none took waits an hour for its reader; of too many
        for one reader the oldest are dropped. QUOTA_EXCEEDED when too many wait altogether.
        """
        target = _target(request)
        now = self._clock.now()
        message = Message(
            id=new_id("msg", now, self._random),
            title=checked_text("title", request.title, TITLE_LENGTH_MAX),
            content=_content(request.content),
            type=request.type,
            priority=request.priority,
            data=_data(request.data),
            sent_at=now,
            expires_at=now + MESSAGES_KEPT_FOR,
        )
        self._forget_expired(now)
        if len(self._sizes) >= MESSAGES_WAITING_MAX or self.bytes_waiting + message.size > BYTES_WAITING_MAX:
            raise Refusal(Code.QUOTA_EXCEEDED, "too many undelivered messages are waiting; try again later")
        too_many = _too_many(await self._waiting(target), message)
        events = (MessageSent(message.id, request.user_id, request.session_id, now),) if self._has_peers else ()
        with_it = COMMIT_RECORDS_MAX - 1 - len(events)
        await remove(self._store, too_many[with_it:])
        key = message_key(target, now, message.id)
        writes = (put(key, message), *map(delete, too_many[:with_it]))
        await self._store.transact((), lambda _: Decision(None, writes, events=events))
        return message, await self._is_taken(target, key, message)

    async def _is_owner(self, session_id: str, names: Sequence[str]) -> bool:
        key, now = session_key(session_id), self._clock.now()

        def decide(view: View) -> Decision[bool]:
            is_theirs, writes = is_owner(view, key, names, now)
            return Decision(is_theirs, writes)

        return await self._store.transact((key,), decide)

    def _offer(self, target: Target, message: Message) -> bool:
        """To the streams that are open here; whether there are some."""
        watchers = self._watchers.get(target, ())
        for watcher in watchers:
            watcher.feed.offer_message(message)
            watcher.wake()
        return bool(watchers)

    async def _offer_sent(self, sent: MessageSent) -> None:
        """To the streams that are open here: what any process has sent, unless it was delivered meanwhile."""
        target: Target = ("user", sent.user_id) if sent.user_id else ("session", sent.session_id)
        if target in self._watchers:
            message = await self._store.get(message_key(target, sent.at, sent.message_id))
            if message is not None and self._clock.now() < message.expires_at:
                self._offer(target, message)

    async def _is_taken(self, target: Target, key: Key[Message], message: Message) -> bool:
        """Whether a stream takes it now, here or elsewhere: then it waits no longer."""
        taken = self._taken[message.id] = asyncio.Event()
        try:
            if self._offer(target, message):
                async with asyncio.timeout(TAKEN_WITHIN_SECONDS):
                    await taken.wait()
                return True
            if not self._has_peers:
                return False
            async with asyncio.timeout(TAKEN_ELSEWHERE_WITHIN_SECONDS):
                while await self._store.get(key) is not None:
                    await self._clock.sleep(LOOKED_EVERY_SECONDS)
                return True
        except TimeoutError:
            return False
        finally:
            del self._taken[message.id]

    async def delivered(self, message: Message, targets: Sequence[Target]) -> None:
        """Its reader has taken it: it waits no longer."""
        if (taken := self._taken.get(message.id)) is not None:
            taken.set()
        writes = [delete(message_key(target, message.sent_at, message.id)) for target in targets]
        await self._store.transact((), lambda _: Decision(None, writes))

    async def _take_up(self, watcher: Watcher) -> None:
        """What waits for its reader already."""
        for target in watcher.targets:
            for _, message in await self._waiting(target):
                watcher.feed.offer_message(message)

    async def _waiting(self, target: Target) -> list[tuple[Key[Message], Message]]:
        """The messages of a target that are still good; what has expired is forgotten."""
        found = await self._store.scan(messages_for(target), limit=2 * MESSAGES_PER_TARGET_MAX)
        now = self._clock.now()
        expired = [key for key, message in found if now >= message.expires_at]
        await remove(self._store, expired)
        return [(key, message) for key, message in found if now < message.expires_at]

    async def _wait(self, watcher: Watcher) -> None:
        """For news, or for the next reminder."""
        reminder = watcher.feed.next_reminder()
        if reminder is None:
            await watcher.news.wait()
            return
        try:
            async with asyncio.timeout(max(0, reminder - self._clock.now()) / SECOND):
                await watcher.news.wait()
        except TimeoutError:
            pass

    def _add(self, watcher: Watcher) -> None:
        """Listen; of too many streams of one user the oldest gives way. Inboxes are the other room's to count."""
        others = [one for one in self._watchers.get(("user", watcher.user_id), []) if one.subject is not None]
        if len(others) >= STREAMS_PER_USER_MAX:  # the oldest gives way: the tab that was left behind
            others[0].is_displaced = True
            others[0].news.set()
            self.remove(others[0])
        self._listen(watcher)

    def _listen(self, watcher: Watcher) -> None:
        for target in watcher.targets:
            self._watchers.setdefault(target, []).append(watcher)

    def remove(self, watcher: Watcher) -> None:
        for target in watcher.targets:
            others = self._watchers.get(target, [])
            if watcher in others:
                others.remove(watcher)
            if not others:
                self._watchers.pop(target, None)


class OpenInbox:
    """The messages of a stream that another room keeps open."""

    def __init__(self, realtime: Realtime, watcher: Watcher) -> None:
        self._realtime = realtime
        self._watcher = watcher
        self._taken: dict[str, Message] = {}

    def take(self) -> list[Text]:
        messages = [one for one in self._watcher.feed.take(0) if isinstance(one, Message)]
        self._taken |= {one.id: one for one in messages}
        return [Text(one.id, one.text, one.sent_at) for one in messages]

    async def delivered(self, text: Text) -> None:
        await self._realtime.delivered(self._taken.pop(text.id), self._watcher.targets)

    def close(self) -> None:
        self._realtime.remove(self._watcher)


def _too_many(waiting: Sequence[tuple[Key[Message], Message]], new: Message) -> list[Key[Message]]:
    """The oldest of a reader's messages, as many as have to go for the new one."""
    size = new.size
    kept = 1
    for _, message in reversed(waiting):
        size += message.size
        if kept >= MESSAGES_PER_TARGET_MAX or size > BYTES_PER_TARGET_MAX:
            break
        kept += 1
    return [key for key, _ in waiting[: len(waiting) - (kept - 1)]]


def _target(request: Send) -> Target:
    if bool(request.user_id) == bool(request.session_id):
        raise Refusal.of_field("target_user_id", "or target_session_id must be given, and not both")
    if request.user_id:
        return "user", checked_user_id("target_user_id", request.user_id)
    return "session", checked_text("target_session_id", request.session_id, SESSION_LENGTH_MAX)


def _content(content: str) -> str:
    if not content:
        raise Refusal.of_field("content", "is required")
    if len(content) > CONTENT_LENGTH_MAX:
        raise Refusal.of_field("content", f"must have at most {CONTENT_LENGTH_MAX} characters", len(content))
    return content


def _data(data: dict[str, str]) -> dict[str, str]:
    if len(data) > DATA_MAX or any(len(name) + len(value) > DATA_LENGTH_MAX for name, value in data.items()):
        raise Refusal.of_field("data", f"must be at most {DATA_MAX} pairs of {DATA_LENGTH_MAX} characters")
    return data

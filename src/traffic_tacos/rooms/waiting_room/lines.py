"""All lines that are open in this process: opened when first needed, kept in step with their sale."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

import structlog

from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.domain_events import DomainEvent, EventChanged, ReservationChanged
from traffic_tacos.kernel.errors import Code, Damaged, Fault, Refusal
from traffic_tacos.kernel.instants import FOR_EVER, MINUTE, SECOND, Instant
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.kernel.tokens import Ticket
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.settings import MAINTENANCE, Settings
from traffic_tacos.ports.store import Key, Prefix, Store
from traffic_tacos.rooms.waiting_room.clients import CatalogClient, InventoryClient
from traffic_tacos.rooms.waiting_room.draw import SEED_BYTES
from traffic_tacos.rooms.waiting_room.line import Line, LineEngine, OtherRules
from traffic_tacos.rooms.waiting_room.news import Condition, Sight, condition, news
from traffic_tacos.rooms.waiting_room.records import DRAW, LINE_HEAD, admission_number
from traffic_tacos.rooms.waiting_room.values import Place, State
from traffic_tacos.rooms.waiting_room.view import LineView, place
from traffic_tacos.rooms.waiting_room.watchers import Watchers

STEP_SECONDS = 0.1
OPENED_AGAIN_AFTER = SECOND
REST_MAX = MINUTE  # the longest sleep, whatever is due
SEATS_ASKED_EVERY, SEATS_ASKED_AT_REST_EVERY = SECOND, 10 * SECOND
SCAN_PAGE = 1000
TAKEN = "another process has the queues now; this one has them again once it is restarted"
# How long a line rests after a bug, so that one that always fails fills no log.
RESTART = RetryPolicy(pause_max=MINUTE)
ERROR_LENGTH_MAX = 200
ENDINGS = {ReservationStatus.CONFIRMED: State.DONE, ReservationStatus.EXPIRED: State.EXPIRED}

log = structlog.get_logger()


Revision: TypeAlias = tuple[int, int]


class OpenLine:
    """A line with what surrounds it: who watches it, and how fresh its knowledge of the sale is. `maintenance` says why
    nobody may begin anything now.
    """

    def __init__(
        self, event_id: str, line: Line, watchers: Watchers, maintenance: Callable[[], str], now: Instant, at: Revision
    ) -> None:
        self.event_id = event_id
        self.line = line
        self.watchers = watchers
        self.revision = at  # of the event and of what was set, when they were last read
        self.seats_asked_at: Instant | None = None
        self.stepped_at = now
        self.is_lost = False  # to processes with other rules
        self.failures = 0  # in a row, each a bug
        self.last_error = ""
        self.rests_until: Instant = 0  # after a bug
        self.due_at: Instant = 0  # the next step, unless somebody asks for one before
        self._maintenance = maintenance

    def next_due(self, now: Instant) -> Instant:
        """When the next step may change anything, or something may have changed elsewhere."""
        if self.watchers.count:
            return now  # whoever watches is sent every change, also of those that time alone brings
        asked_at = self.seats_asked_at
        seats = now if asked_at is None else asked_at + self.seats_asked_every()
        due = self.line.next_due()
        return seats if due is None else min(due, seats)

    def seats_asked_every(self) -> Instant:
        return SEATS_ASKED_EVERY if self.line.view().waiting else SEATS_ASKED_AT_REST_EVERY

    def status(self, number: int) -> tuple[Place, LineView]:
        """Where the ticket stands, as its holder is shown it, and the view that this rests on."""
        view = self.line.view()
        found = place(view, number)
        self.line.note_estimate(number, found, view.at)
        return found, view

    def sight(self, number: int) -> tuple[Sight, LineView]:
        """What the holder of this ticket is shown now."""
        found, view = self.status(number)
        rate = view.limits.rate_per_second
        sight = Sight(found, view.is_stopped, view.is_sold_out, rate, self._maintenance(), view.sale_is_over)
        return sight, view

    def condition(self) -> Condition | None:
        """Why nobody is let in now; None when somebody may be."""
        if self.line.lets_in():
            return None
        return condition(self.line.view(), self._maintenance())

    def look_around(self, now: Instant) -> None:
        """Wake the streams that have something new to send. A stream is a sign of life."""
        looked_at = list(self.watchers.next((now - self.stepped_at) / SECOND))
        self.line.touch([watcher.number for watcher in looked_at])
        for watcher in looked_at:
            if watcher.sent is not None and news(watcher.sent, self.sight(watcher.number)[0]):
                watcher.news.set()
        self.stepped_at = now


class Lines:
    """`engine` opens lines; `randomness` makes the seeds of draws. Where `is_ours` says that another process has taken
    the room, calls are refused with a Fault and streams end: what is remembered here is of the past.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        catalog: CatalogClient,
        inventory: InventoryClient,
        engine: LineEngine,
        settings: Settings,
        is_ours: Callable[[], bool],
    ) -> None:
        self._is_hung_up = False
        self._is_ours = is_ours
        self._store = store
        self._clock = clock
        self._random = randomness
        self._catalog = catalog
        self._inventory = inventory
        self._engine = engine
        self._settings = settings
        self._open: dict[str, OpenLine] = {}
        self._unopened: dict[str, Fault] = {}  # by event, why
        self._opening = asyncio.Lock()
        self._wake = asyncio.Event()
        self._changes = 0  # that may concern every line
        self._changes_of: Counter[str] = Counter()

    @property
    def is_closing(self) -> bool:
        """Whether those who watch have to come back elsewhere."""
        return self._is_hung_up or not self._is_ours()

    def all(self) -> dict[str, OpenLine]:
        return self._open

    async def load(self) -> None:
        """Open every line that somebody has joined, or that a draw was committed to for. Those that cannot be opened
        yet, for what they stand on is away, are tried again in the background.
        """
        found = [*await self._events(LINE_HEAD.prefix()), *await self._events(DRAW.prefix())]
        self._unopened = dict.fromkeys(found, Fault("it has not been opened yet"))
        await self._open_missing()

    async def _open_missing(self) -> None:
        call = _own_call()
        for event_id, before in list(self._unopened.items()):
            try:
                await self._opened(event_id, call)
            except (Damaged, Refusal) as error:
                log.error("queue_not_opened", event_id=event_id, error=str(error))  # all others are
            except Fault as fault:
                self._unopened[event_id] = fault
                if str(before) != str(fault):
                    log.warning("queue_not_opened_yet", event_id=event_id, error=str(fault))
                continue
            del self._unopened[event_id]

    async def of(self, event_id: str, call: Call) -> OpenLine:
        """The line of an event; NOT_FOUND when there is no such event."""
        self.check_ours()
        return await self._opened(event_id, call)

    async def _opened(self, event_id: str, call: Call) -> OpenLine:
        opened = self._open.get(event_id)
        if opened is not None and not self._is_stale(event_id, opened):
            return opened
        async with self._opening:
            opened = self._open.get(event_id)
            revision = self._revision(event_id)  # before anything is read: what changes meanwhile is read once more
            if opened is None:
                terms = await self._catalog.terms(event_id, call)
                watchers = Watchers()
                listener = partial(self._changed, event_id, watchers)
                line = await self._engine.open(event_id, terms, self._seed(), listener)
                opened = OpenLine(event_id, line, watchers, self._maintenance, self._clock.now(), revision)
                self._open[event_id] = opened
                self.wake(opened)
            elif opened.revision != revision:
                terms = await self._catalog.terms(event_id, call)
                await opened.line.configure(terms, self._seed())
                opened.revision = revision
                self.wake(opened)
        return opened

    def wake(self, opened: OpenLine) -> None:
        """Something has happened to this line: it steps soon, whatever was due."""
        opened.due_at = 0
        self._wake.set()

    def _changed(self, event_id: str, watchers: Watchers, numbers: Iterable[int]) -> None:
        """Those who watch these tickets have news; and where others change the line too, something else may be due."""
        watchers.wake(numbers)
        if self._engine.is_shared and (opened := self._open.get(event_id)) is not None:
            self.wake(opened)

    def _revision(self, event_id: str) -> Revision:
        return self._changes, self._changes_of[event_id]

    def _is_stale(self, event_id: str, opened: OpenLine) -> bool:
        return opened.revision != self._revision(event_id)

    def known(self, ticket: Ticket) -> OpenLine:
        """The line that the ticket stands in; NOT_FOUND when it does not stand there."""
        self.check_ours()
        opened = self._open.get(ticket.event_id)
        if opened is None or not opened.line.has(ticket.number):
            raise Refusal(Code.NOT_FOUND, "waiting_token: there is no such place in this queue")
        return opened

    async def found(self, ticket: Ticket, call: Call) -> OpenLine:
        """The line that the ticket stands in, also when another process has given it just now."""
        try:
            return self.known(ticket)
        except Refusal:
            if not self._engine.is_shared:
                raise
        await self.of(ticket.event_id, call)
        await self.catch_up()
        return self.known(ticket)

    async def catch_up(self) -> None:
        """See everything that any process has answered until now."""
        await self._engine.catch_up()
        self._let_go_of_lost()

    def _let_go_of_lost(self) -> None:
        """What processes with other rules have taken over is not answered here; its streams end."""
        for event_id, why in self._engine.lost().items():
            opened = self._open.pop(event_id, None)
            if opened is not None:
                opened.is_lost = True
                opened.watchers.hang_up()
                self._unopened[event_id] = why

    def check_ours(self) -> None:
        """Refuse with a Fault what another process has to answer. Every call asks this, whatever it remembers."""
        if not self._is_ours():
            raise Fault(TAKEN)

    async def step(self) -> None:
        """Give turns in every line, learn how many seats are left, and wake those who watch."""
        if not self._is_ours():
            for opened in self._open.values():
                opened.watchers.wake_all()  # their streams end
            return
        self._let_go_of_lost()
        if self._unopened:
            await self._open_missing()
        for event_id, opened in list(self._open.items()):  # others may join a new line meanwhile
            if self._clock.now() < max(opened.rests_until, opened.due_at):
                continue
            try:
                opened.due_at = FOR_EVER  # who wakes it meanwhile changes that
                await self._step(event_id, opened)
                opened.due_at = min(opened.due_at, opened.next_due(self._clock.now()))
                opened.failures = 0
            except Exception as error:  # a bug in one line is none of the others'
                opened.failures += 1
                pause = RESTART.pause(opened.failures)
                opened.rests_until, opened.last_error = self._clock.now() + pause, repr(error)[:ERROR_LENGTH_MAX]
                opened.due_at = 0
                log.error("queue_failed", event_id=event_id, failures=opened.failures, exc_info=error)

    def issues(self) -> list[str]:
        """Which lines stand still because of a bug, and why; and what is wrong with what all stand on."""
        return (
            ([] if self._is_ours() else [TAKEN])
            + self._engine.issues()
            + [
                f"the queue of {event_id} stands still: {opened.last_error}"
                for event_id, opened in self._open.items()
                if opened.failures
            ]
            + [f"the queue of {event_id} cannot be opened yet: {why}" for event_id, why in self._unopened.items()]
        )

    def unready(self) -> list[str]:
        """Which queues this process must not answer for, and what is to be done."""
        return [str(why) for why in self._unopened.values() if isinstance(why, OtherRules)]

    async def run(self) -> None:
        """Step until cancelled: ten times a second while somebody waits or watches, else when something is due."""
        while True:
            self._wake.clear()
            await self.step()
            await self._clock.sleep(STEP_SECONDS)
            due = min((max(one.rests_until, one.due_at) for one in self._open.values()), default=FOR_EVER)
            if self._unopened:
                due = min(due, self._clock.now() + OPENED_AGAIN_AFTER)
            seconds = max(0, min(due - self._clock.now(), REST_MAX)) / SECOND
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def hang_up(self) -> None:
        """The platform stops: everybody who watches is asked to come back."""
        self._is_hung_up = True
        for opened in self._open.values():
            opened.watchers.wake_all()

    def look_again(self, event_id: str = "") -> None:
        """This line, or every one, reads anew what was set, within a step: also one that is being opened now."""
        if event_id:
            self._changes_of[event_id] += 1
        else:
            self._changes += 1
        for name, opened in self._open.items():
            if event_id in ("", name):
                self.wake(opened)

    async def handle(self, event: DomainEvent) -> None:
        """News of reservations free places in the sale; news of an event refreshes its terms."""
        match event:
            case EventChanged(event_id):
                await self._refresh_event(event_id)
            case ReservationChanged():
                await self._apply_reservation(event)

    async def _refresh_event(self, event_id: str) -> None:
        self.look_again(event_id)
        try:
            await self._opened(event_id, _own_call())  # a draw is committed to before anybody joins
        except (Damaged, Refusal):
            return  # the event is gone, or cannot be read

    async def _apply_reservation(self, event: ReservationChanged) -> None:
        opened = self._open.get(event.event_id)
        if opened is None or event.old is event.new:
            return  # a hold that was extended frees nothing
        number = admission_number(event.admission_id)
        if not opened.line.has(number):
            return  # an admission that was given by nobody here
        opened.line.hold_seats(number, event.new is ReservationStatus.PENDING)
        opened.seats_asked_at = None
        if (state := ENDINGS.get(event.new)) is not None:
            await opened.line.release(number, state)
        self.wake(opened)

    async def _step(self, event_id: str, opened: OpenLine) -> None:
        try:
            if self._is_stale(event_id, opened):
                await self._opened(event_id, _own_call())
            await self._ask_seats(event_id, opened)
            await opened.line.advance()
        except (Fault, Refusal):
            self.wake(opened)  # the store or a room is away: this line stands still until the next step
        opened.look_around(self._clock.now())

    async def _ask_seats(self, event_id: str, opened: OpenLine) -> None:
        now = self._clock.now()
        if not opened.line.gives_turns():
            return
        if opened.seats_asked_at is not None and now < opened.seats_asked_at + opened.seats_asked_every():
            return
        opened.seats_asked_at = now
        left = await self._inventory.seats_left(event_id, _own_call())
        opened.line.stock(left.sellable, is_sold_out=left.is_sold_out, is_all_sold=left.all_sold)

    async def _events(self, prefix: Prefix[Any]) -> list[str]:
        """The events that have a record of this kind."""
        found: list[str] = []
        after: Key[Any] | None = None
        while page := await self._store.scan(prefix, after=after, limit=SCAN_PAGE):
            found += [key.parts[0] for key, _ in page]
            after = page[-1][0]
        return found

    def _maintenance(self) -> str:
        return self._settings.text(MAINTENANCE)

    def _seed(self) -> bytes:
        return self._random.randbytes(SEED_BYTES)


def _own_call() -> Call:
    return Call(Caller(Role.SERVICE, "waiting_room"), "waiting-room-step")

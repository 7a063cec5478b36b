"""One event's line, without I/O: numbers, turns, admissions, places.

    WAITING --turn--> READY --admit--> ADMITTED --bought | lapsed--> done
    READY --offer lapsed--> passed over --turn--> READY --offer lapsed--> EXPIRED

Numbers are given by the store, one after the other from 1, and are the order. Below the *cursor*
every ticket has had its turn: it is open (READY, or passed over once) or it is done. From the cursor
on all wait, but for those that are *gone*. So a place is counting, and it can only fall: what is
ahead of a number never grows.
"""

import heapq
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from enum import Enum

import msgspec

from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant

ADMISSION_LIFETIME = 5 * MINUTE
OFFERS_PER_TICKET = 2
STEP_MAX = 2000
MEASURED_OVER = MINUTE


class Settings(msgspec.Struct, frozen=True):
    """The named limits of a line; see the event file's `admission`."""

    rate_per_second: int = 1000
    active_max: int = 5000
    offer_seconds: int = 60
    idle_seconds: int = 3600
    waiting_max: int = 1_000_000


class State(Enum):
    WAITING = "waiting"
    READY = "ready"
    ADMITTED = "admitted"
    DONE = "done"


class Admission(msgspec.Struct, frozen=True):
    """A granted turn. It counts against the seats that are left until it holds some."""

    number: int
    user_id: str
    granted_at: Instant
    expires_at: Instant
    holds_seats: bool = False


class Place(msgspec.Struct, frozen=True):
    state: State
    position: int
    eta_seconds: int


class Window:
    """How much happened in the second (or minute) before now; no happening is counted twice."""

    def __init__(self, span: Instant) -> None:
        self._span = span
        self._happened: deque[tuple[Instant, int]] = deque()
        self._count = 0

    def add(self, now: Instant, count: int = 1) -> None:
        self._count += count
        if self._happened and self._happened[-1][0] == now:
            count += self._happened.pop()[1]
        self._happened.append((now, count))

    def count(self, now: Instant) -> int:
        while self._happened and self._happened[0][0] <= now - self._span:
            self._count -= self._happened.popleft()[1]
        return self._count


class Line:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.next_number = 1
        self.sellable: int | None = None  # seats left; None while nobody has said
        self.is_sold_out = False
        self.admissions: dict[int, Admission] = {}
        self._cursor = 1
        self._open: list[int] = []  # below the cursor, ascending: READY or passed over
        self._ready: dict[int, Instant] = {}
        self._passed_over: list[int] = []
        self._expiring: set[int] = set()  # have ended, but still count: their end is not durable yet
        self._offers: dict[int, int] = {}
        self._offer_ends: deque[tuple[Instant, int]] = deque()
        self._gone: list[int] = []  # from the cursor on, ascending
        self._admission_ends: list[tuple[Instant, int]] = []
        self._turns = Window(SECOND)
        self._grants = Window(SECOND)
        self._measured = Window(MEASURED_OVER)
        self._holding = 0

    # Reading.

    def state(self, number: int) -> State:
        if number in self._ready:
            return State.READY
        if number in self.admissions:
            return State.ADMITTED
        if number >= self._cursor:
            return State.DONE if _contains(self._gone, number) else State.WAITING
        return State.WAITING if number in self._offers and number not in self._expiring else State.DONE

    def place(self, number: int, now: Instant) -> Place:
        """Where the ticket stands: live tickets ahead plus one; 0 once it is admitted or done."""
        state = self.state(number)
        if state in (State.ADMITTED, State.DONE):
            return Place(state, 0, 0)
        if number < self._cursor:
            ahead = bisect_left(self._open, number)
        else:
            ahead = len(self._open) + number - self._cursor - bisect_left(self._gone, number)
        eta = 0 if state is State.READY else -(-(ahead + 1) // self._pace(now))
        return Place(state, ahead + 1, eta)

    def waiting(self) -> int:
        """Live tickets that are not admitted."""
        return len(self._open) + self.next_number - self._cursor - len(self._gone)

    def take_grant_room(self, now: Instant) -> bool:
        """Whether one more admission stays within the rate of this rolling second; if so, it is counted."""
        if self._grants.count(now) >= self.settings.rate_per_second:
            return False
        self._grants.add(now)
        return True

    # Steps. Each may be repeated.

    def recall_grants(self, times: Iterable[Instant]) -> None:
        """What an earlier process granted counts against the rate of this second too."""
        for time in sorted(times):
            self._grants.add(time)

    def joined(self, number: int) -> None:
        """A number was given out. Answers may arrive out of order; the numbers are gapless all the same."""
        self.next_number = max(self.next_number, number + 1)

    def admitted(self, admission: Admission, now: Instant) -> None:
        """A turn was granted, durably."""
        if admission.number in self.admissions or now >= admission.expires_at:
            self._close(admission.number)
            return
        self._close(admission.number)
        self.admissions[admission.number] = admission
        self._holding += admission.holds_seats
        heapq.heappush(self._admission_ends, (admission.expires_at, admission.number))

    def done(self, number: int) -> None:
        """The ticket has ended: bought, left, expired."""
        admission = self.admissions.pop(number, None)
        if admission is not None:
            self._holding -= admission.holds_seats
        else:
            self._close(number)

    def holds_seats(self, number: int, holds: bool) -> None:
        """The admission's reservation holds seats now, or no longer."""
        admission = self.admissions.get(number)
        if admission is not None and admission.holds_seats != holds:
            self._holding += 1 if holds else -1
            self.admissions[number] = msgspec.structs.replace(admission, holds_seats=holds)

    def advance(self, now: Instant) -> tuple[list[int], list[int]]:
        """One step: lapsed offers and admissions end, and whoever is next gets a turn.

        The numbers that became READY, and those that expired for not having come: `done` takes them
        out of the line once that is durable, so that no crash makes a place rise again. Bounded work:
        at most STEP_MAX turns.
        """
        self._lapse(now)
        turns: list[int] = []
        limit = min(STEP_MAX, self._room(now))
        while len(turns) < limit and (number := self._next()) is not None:
            self._ready[number] = now + self.settings.offer_seconds * SECOND
            self._offers[number] = self._offers.get(number, 0) + 1
            self._offer_ends.append((self._ready[number], number))
            turns.append(number)
        if turns:
            self._turns.add(now, len(turns))
            self._measured.add(now, len(turns))
        return turns, sorted(self._expiring)

    def _room(self, now: Instant) -> int:
        """What the three limits allow: the rate of the rolling second, live admissions, and seats left."""
        live = len(self._ready) + len(self.admissions)
        rooms = [
            self.settings.rate_per_second - self._turns.count(now),
            self.settings.active_max - live,
        ]
        if self.sellable is not None:
            rooms.append(self.sellable - (live - self._holding))
        return max(0, min(rooms))

    def _next(self) -> int | None:
        """The next ticket whose turn it is: those passed over come first, for they came first."""
        if self._passed_over:
            return heapq.heappop(self._passed_over)
        skipped = 0
        while skipped < len(self._gone) and self._gone[skipped] == self._cursor:
            self._cursor += 1
            skipped += 1
        del self._gone[:skipped]
        if self._cursor == self.next_number:
            return None
        self._cursor += 1
        self._open.append(self._cursor - 1)
        return self._cursor - 1

    def _lapse(self, now: Instant) -> None:
        while self._offer_ends and self._offer_ends[0][0] <= now:
            ends, number = self._offer_ends.popleft()
            if self._ready.get(number) != ends:
                continue
            del self._ready[number]
            if self._offers[number] < OFFERS_PER_TICKET:
                heapq.heappush(self._passed_over, number)
            else:
                self._expiring.add(number)
        while self._admission_ends and self._admission_ends[0][0] <= now:
            _, number = heapq.heappop(self._admission_ends)
            self.done(number)

    def _close(self, number: int) -> None:
        """Take a ticket out of the line."""
        if number >= self._cursor:
            if number < self.next_number and not _contains(self._gone, number):
                insort(self._gone, number)
            return
        self._ready.pop(number, None)
        self._expiring.discard(number)
        if self._offers.pop(number, None) is not None:
            self._open.pop(bisect_left(self._open, number))
            if number in self._passed_over:
                self._passed_over.remove(number)
                heapq.heapify(self._passed_over)

    def _pace(self, now: Instant) -> int:
        """Admissions a second: as measured over the last minute, or as configured while nothing is known."""
        measured = self._measured.count(now)
        return max(1, measured * SECOND // MEASURED_OVER) if measured else self.settings.rate_per_second


def _contains(numbers: list[int], number: int) -> bool:
    index = bisect_left(numbers, number)
    return index < len(numbers) and numbers[index] == number

"""One event's line, without I/O: numbers, turns, admissions, places.

    WAITING --turn--> READY --admit--> ADMITTED --bought--> DONE
    WAITING | READY --leave--> LEFT                ADMITTED --lapsed--> EXPIRED
    WAITING --no sign of life for idle_seconds--> EXPIRED
    READY --offer lapsed--> WAITING (passed over) --turn--> READY --offer lapsed--> EXPIRED
    WAITING | READY --the sale has ended, or all is sold for good--> EXPIRED, all at once

Numbers are given one after the other from 1. The *rank* of a number is its place in the order of
admission: the number itself, or for those who came before the sale opened what the draw gave it. Below
the *cursor* every rank has had its turn; from it on all wait, but for those that have ended. A place is
counting the live ranks ahead, and it can only fall: what is ahead of a rank never grows.

A turn whose holder is there is an *offer*: it takes room within the three limits until it is used or
lapses. A turn whose holder is not there (no status call and no stream for PRESENT_SECONDS) takes no
room: it runs all the same, and becomes an offer with the next sign of life. So people who vanish cost
those behind them nothing, and people who come back lose nothing.
"""

import heapq
from array import array
from collections import deque
from collections.abc import Iterator

import msgspec

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.rooms.waiting_room.admissions import Admissions
from traffic_tacos.rooms.waiting_room.commands import Configure
from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.ended import Ended
from traffic_tacos.rooms.waiting_room.pacing import Allowance, Pace, Window
from traffic_tacos.rooms.waiting_room.sightings import Sightings
from traffic_tacos.rooms.waiting_room.values import (
    STATES,
    Admission,
    Figures,
    Limits,
    Place,
    Reckoning,
    State,
)
from traffic_tacos.rooms.waiting_room.view import LineView

TURNS_PER_TICKET = 2
PRESENT_SECONDS = 30
STEP_MAX = 2000
NO_SHOW_WEIGHT = 0.02  # of the newest offer in the moving average
NO_SHOW_FACTOR_MAX = 2.0
WAITS_REMEMBERED = 1000
ESTIMATED_MAX = 2**32 - 1  # seconds since 1970, of what is remembered
COMPARED_AT_ONCE = 1024
AS_THEY_CAME = Draw(b"", 0)


# gc=False: there are very many, none is part of a cycle, and the garbage collector need not walk over them.
class Turn(msgspec.Struct, kw_only=True, gc=False):
    """The turns that a live ticket below the cursor has had. While `ends_at` is None it waits for room.

    The order of the fields is stored.
    """

    ends_at: Instant | None = None
    is_offer: bool = False
    number: int
    turns: int = 0


class LineModel:
    """`draw` is None while places are yet to be drawn. `opens_at` is when the sale starts: nobody has a turn before it;
    and at `ends_at` nobody has one any more. `is_sold_for_good`: no seat can come back while the sale goes on.
    """

    def __init__(self, limits: Limits, draw: Draw | None = AS_THEY_CAME) -> None:
        self.limits = limits
        self.opens_at: Instant | None = None
        self.ends_at: Instant | None = None
        self.is_sold_for_good = False
        self.sellable: int | None = None  # seats left; None while nobody has said
        self.is_sold_out = False
        self.admissions = Admissions()
        self.last_number = 0
        self._is_stopped = False
        self._draw = draw
        self._ended_in_pool: list[int] = []

        # By number; index 0 is nobody's. Times are in seconds.
        self.states = bytearray(1)
        self._joined_at = array("I", [0])
        self._seen_at = array("I", [0])
        self._told = array("I", [0])  # second of the first estimate; 0 without one. Its name is stored
        self._sightings = Sightings()

        # By rank.
        self._ended = Ended()
        self._cursor = 1
        self._next_turns: list[int] = []  # a heap: below the cursor, waiting for room

        self._turns: dict[int, Turn] = {}
        self._turn_ends: list[tuple[Instant, int]] = []
        self._ready = 0
        self._expiring: set[int] = set()  # have ended, but count until that is durable
        self._let_go = 0  # numbers up to this one have ended too, if they still waited; up to `_let_go_seen` they
        self._let_go_seen = 0  # are among `_expiring`, or had ended before

        self._advanced_at: Instant | None = None
        self._allowance = Allowance(limits.rate_per_second)
        self._given = Window(SECOND)
        self._pace = Pace(limits.rate_per_second)
        self.is_held_up = False  # somebody had to wait after the last step

        self._no_shows = 0.0
        self._waits: deque[int] = deque(maxlen=WAITS_REMEMBERED)
        self._told_ever = self._told_kept = 0

    # Reading.

    @property
    def is_pool(self) -> bool:
        """Whether places are yet to be drawn."""
        return self._draw is None

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped

    def state(self, number: int) -> State:
        state = STATES[self.states[number]]
        if state <= State.READY and (number <= self._let_go or number in self._expiring):
            return State.EXPIRED
        return state

    def joined_at(self, number: int) -> Instant:
        """The end of the second in which the ticket joined."""
        return (self._joined_at[number] + 1) * SECOND - 1

    def has_ended(self, number: int) -> bool:
        """Whether the ticket's end is durable."""
        return self.states[number] > State.ADMITTED

    def differing(self, other: "LineModel") -> Iterator[int]:
        """The tickets in both that may be in another state there."""
        return (index - 1 for index in differing(self.states, other.states, 1) if index > 1)

    def is_over(self, now: Instant) -> bool:
        """Whether nobody who waits can have a turn any more."""
        return self.is_sold_for_good or self.sale_is_over(now)

    def sale_is_over(self, now: Instant) -> bool:
        """Whether the sale is over."""
        return self.ends_at is not None and now >= self.ends_at

    def lets_in(self, now: Instant) -> bool:
        """Whether anybody may be let in: the sale goes on, there are seats, and nobody has stopped it."""
        return not (self._is_stopped or self.is_sold_out or self.sale_is_over(now))

    def rank(self, number: int) -> int:
        """The place in the order of admission. Not known while the line is a pool."""
        assert self._draw is not None
        return self._draw.rank(number)

    def waiting(self) -> int:
        """Live tickets that are not admitted."""
        if self._let_go and self._let_go == self.last_number:
            return 0
        return self.last_number - (len(self._ended_in_pool) if self._draw is None else self._ended.total)

    def ended_before(self, rank: int) -> int:
        """How many of the ranks below this one are no longer in the line."""
        return self._ended.before(rank)

    def view(self, now: Instant, *, is_closed: bool = False, message: str = "") -> LineView:
        """The line as it is now; the tickets in it are this model's own, and move on with it."""
        sale_is_over = self.sale_is_over(now)
        # One for each status: by position, which costs half of what it does by name.
        return LineView(
            now,
            self.limits,
            self,
            self.opens_at,
            self.ends_at,
            self.last_number,
            self.waiting(),
            self.sellable,
            self._pace.per_second,
            self._draw is None,
            self._is_stopped,
            self.is_sold_out,
            self.is_sold_for_good,
            self.is_sold_for_good or sale_is_over,
            sale_is_over,
            is_closed,
            message,
        )

    def reckoning(self) -> Reckoning:
        """From what anybody can reckon any place; see `view.place`."""
        begins, counts = self._ended.counts_from(self._cursor)
        return Reckoning(self._cursor, begins, self._ended.before(begins), tuple(counts))

    def note_estimate(self, number: int, place: Place, now: Instant) -> None:
        """The holder was shown this place: the first estimate is compared with the real wait."""
        if not self._told[number] and place.eta_seconds > 0 and place.position:
            self._told[number] = min(ESTIMATED_MAX, now // SECOND + place.eta_seconds)

    def figures(self, now: Instant) -> Figures:
        return Figures(
            waiting=self.waiting(),
            ready=self._ready,
            admitted=len(self.admissions),
            admitted_ever=self.admissions.ever,
            admitted_last_minute=self.admissions.granted_last_minute(now),
            moving_per_second=self._pace.per_second,
            no_show_share=self._no_shows,
            waits=tuple(sorted(self._waits)),
            estimates=self._told_ever,
            estimates_kept=self._told_kept,
        )

    # Steps. Each may be repeated.

    def joined(self, number: int, now: Instant, joined_at: Instant | None = None) -> None:
        """A number was given out, now or earlier. Answers may arrive out of order; numbers are gapless all the same."""
        count = number - self.last_number
        if count <= 0:
            return
        second = now // SECOND
        self._extend(count, (now if joined_at is None else joined_at) // SECOND, second, second)

    def skip(self, count: int, now: Instant, return_seconds: int) -> None:
        """So many numbers may have been given out, and nobody here knows of it: they wait, so that no place behind them
        rises; they take no room; and they expire, but for those that show a sign of life within `return_seconds`.
        """
        second = now // SECOND
        self._extend(count, second, 0, second + return_seconds - self.limits.idle_seconds)

    def gather(self) -> None:
        """Whoever joins from now on is in a pool, until it is `opened`. Only before the first has joined."""
        assert self.last_number == 0
        self._draw = None

    def opened(self, draw: Draw) -> None:
        """The pool has closed, and everybody in it has their place."""
        if self._draw is not None:
            return
        self._draw = draw
        for number in self._ended_in_pool:
            self._ended.add(draw.rank(number))
        self._ended_in_pool = []

    def touch(self, number: int, now: Instant) -> bool:
        """A sign of life. Whether it may bring a turn: then somebody should `step`."""
        self._seen_at[number] = now // SECOND
        if not self.is_awaited(number):
            return False
        turn = self._turns[number]
        turn.turns -= 1  # nobody was there for it
        self._queue(turn)
        return True

    def configure(self, settings: Configure, now: Instant) -> None:
        """These are in force from here on."""
        self.limits, self.opens_at, self.ends_at = settings.limits, settings.starts_at, settings.ends_at
        self.stop(settings.is_stopped, now)

    def stop(self, is_stopped: bool, now: Instant) -> None:
        """Stop or resume admissions. Offers do not run out while nobody may use them."""
        if self._is_stopped and not is_stopped:
            self._turn_ends = []
            for turn in self._turns.values():
                if turn.ends_at is not None:
                    self._run(turn, now)
            self._advanced_at = now
        self._is_stopped = is_stopped

    def admitted(self, admission: Admission, now: Instant) -> None:
        """A turn was granted, durably."""
        number = admission.number
        if self.states[number] >= State.ADMITTED:
            return
        turn = self._turns.get(number)
        if turn is not None and turn.is_offer:
            self._learn(came=True)
        self._close(number, State.ADMITTED)
        self.admissions.add(admission)
        self._lapse_admissions(now)

    def end(self, number: int, state: State) -> None:
        """The ticket has ended, durably: DONE (bought), LEFT, or EXPIRED."""
        if self.admissions.end(number):
            self.states[number] = state
        elif self.states[number] <= State.READY:
            turn = self._turns.get(number)
            if turn is not None and turn.is_offer and number > self._let_go:
                self._learn(came=False)
            self._close(number, state)

    def step(self, now: Instant) -> list[int]:
        """One step: lapsed offers and admissions end, and whoever is next gets a turn.

        The numbers that became READY. Who expired is in `expiring`. Bounded work: at most STEP_MAX
        turns, and STEP_MAX tickets looked at for idleness.
        """
        self._lapse_admissions(now)
        if self.is_over(now):
            self._let_go = self.last_number
        if not self._is_stopped:
            self._lapse_turns(now)
        self._expire_idle(now)
        elapsed = 0 if self._advanced_at is None else now - self._advanced_at
        rate = self.limits.rate_per_second * self._no_show_factor()
        self._allowance.refill(rate, elapsed)
        self._advanced_at = now
        cursor = self._cursor
        ready = self._give_turns(now, rate) if self._somebody_is_next() else []
        if ready:
            self._allowance.take(len(ready))
            self._given.add(now, len(ready))
        self._measure(now, self._cursor - cursor, elapsed)
        return ready

    def next_due(self, now: Instant) -> Instant | None:
        """When the next `step` may change anything, if nothing happens before; None for never.

        Somebody who waits may have a turn whenever there is room, so then it is now.
        """
        if self._expiring or self._let_go_seen < self._let_go:
            return now
        somebody_waits = self._draw is not None and self._somebody_is_next() and self.waiting() > 0
        if somebody_waits and not (self._is_stopped or self.is_sold_out) and not self._opens_after(now):
            return now
        due: list[Instant] = []
        if self.opens_at is not None and (self._draw is None or (somebody_waits and self._opens_after(now))):
            due.append(self.opens_at)
        if self.waiting():
            if self.is_over(now):
                return now
            if self.ends_at is not None:
                due.append(self.ends_at)
        if self._turn_ends and not self._is_stopped:
            due.append(self._turn_ends[0][0])
        if (admission_end := self.admissions.first_end()) is not None:
            due.append(admission_end)
        if (second := self._sightings.first()) is not None:
            due.append((second + self.limits.idle_seconds) * SECOND)
        return min(due, default=None)

    def is_awaited(self, number: int) -> bool:
        """Whether a turn waits for a sign of life of this ticket."""
        turn = self._turns.get(number)
        return turn is not None and not turn.is_offer and turn.ends_at is not None

    def _opens_after(self, now: Instant) -> bool:
        return self.opens_at is not None and now < self.opens_at

    def expiring(self, limit: int) -> list[int]:
        """Tickets that have expired; `end` takes them out of the line once that is durable, so that no
        crash makes a place rise again."""
        while self._let_go_seen < self._let_go and len(self._expiring) < limit:
            self._let_go_seen += 1
            if self.states[self._let_go_seen] <= State.READY:
                self._expiring.add(self._let_go_seen)
        return sorted(self._expiring)[:limit] if self._expiring else []

    def _extend(self, count: int, joined_second: int, seen_second: int, filed_second: int) -> None:
        for _ in range(count):
            self.states.append(State.WAITING)
            self._joined_at.append(joined_second)
            self._seen_at.append(seen_second)
            self._told.append(0)
            self.last_number += 1
            self._sightings.file(self.last_number, filed_second)

    # What the three limits allow.

    def _room(self, now: Instant, rate: float) -> int:
        """The rate (of this instant, and of the rolling second), live admissions, and seats left."""
        if self._is_stopped or self.is_sold_out or self._draw is None or self.is_over(now):
            return 0
        if self.opens_at is not None and now < self.opens_at:
            return 0
        live = self._ready + len(self.admissions)
        in_second = max(1, int(rate)) - self._given.count(now)
        room = min(self._allowance.turns, in_second, self.limits.active_max - live)
        if self.sellable is not None:
            room = min(room, self.sellable - (self._ready + self.admissions.without_seats))
        return max(0, room)

    def _no_show_factor(self) -> float:
        """How many offers to make for one admission, from how many were not used of late; at most twofold."""
        return min(NO_SHOW_FACTOR_MAX, 1 / max(1 - self._no_shows, 1e-9))

    def _learn(self, *, came: bool) -> None:
        self._no_shows += NO_SHOW_WEIGHT * ((0.0 if came else 1.0) - self._no_shows)

    # Turns.

    def _somebody_is_next(self) -> bool:
        """Whether a turn may be given, if there is room. It may be that all who are left have ended."""
        return bool(self._next_turns) or self._cursor <= self.last_number

    def _give_turns(self, now: Instant, rate: float) -> list[int]:
        """Who is next, in the order of ranks, until the room is used up."""
        ready: list[int] = []
        room = self._room(now, rate)
        absent_since = now // SECOND - PRESENT_SECONDS
        for _ in range(STEP_MAX if room else 0):
            if len(ready) == room or (turn := self._next()) is None:
                break
            turn.turns += 1
            self._run(turn, now)
            if self._seen_at[turn.number] > absent_since:
                self._offer(turn, now)
                ready.append(turn.number)
        return ready

    def _next(self) -> Turn | None:
        """The turn of the lowest rank that is to have one."""
        assert self._draw is not None
        while self._next_turns:
            turn = self._turns.get(self._draw.number(heapq.heappop(self._next_turns)))
            if turn is not None and turn.ends_at is None:
                return turn
        while self._cursor <= self.last_number:
            rank = self._cursor
            self._cursor += 1
            number = self._draw.number(rank)
            if rank not in self._ended and number not in self._expiring:
                turn = self._turns[number] = Turn(number=number)
                return turn
        return None

    def _offer(self, turn: Turn, now: Instant) -> None:
        turn.is_offer = True
        self._ready += 1
        self.states[turn.number] = State.READY
        if turn.turns == 1:
            second = now // SECOND
            self._waits.append(second - self._joined_at[turn.number])
            if estimated := self._told[turn.number]:
                self._told_ever += 1
                self._told_kept += second <= estimated
                self._told[turn.number] = 0

    def _run(self, turn: Turn, now: Instant) -> None:
        turn.ends_at = now + self.limits.offer_seconds * SECOND
        heapq.heappush(self._turn_ends, (turn.ends_at, turn.number))

    def _queue(self, turn: Turn) -> None:
        turn.ends_at = None
        heapq.heappush(self._next_turns, self.rank(turn.number))

    def _lapse_turns(self, now: Instant) -> None:
        for _ in range(STEP_MAX):
            if not self._turn_ends or self._turn_ends[0][0] > now:
                return
            ends_at, number = heapq.heappop(self._turn_ends)
            turn = self._turns.get(number)
            if turn is None or turn.ends_at != ends_at:
                continue
            if turn.is_offer:
                self._learn(came=False)
                self._ready -= 1
                turn.is_offer = False
                self.states[number] = State.WAITING
            if turn.turns < TURNS_PER_TICKET:
                self._queue(turn)
            else:
                self._expire(number)

    def _expire(self, number: int) -> None:
        self._turns.pop(number, None)
        self._expiring.add(number)

    def _lapse_admissions(self, now: Instant) -> None:
        for number in self.admissions.lapsed(now):
            self.end(number, State.EXPIRED)

    def _close(self, number: int, state: State) -> None:
        """Take a ticket out of the line."""
        self._expiring.discard(number)
        turn = self._turns.pop(number, None)
        if turn is not None and turn.is_offer:
            self._ready -= 1
        self.states[number] = state
        if self._draw is None:
            self._ended_in_pool.append(number)
        else:
            self._ended.add(self._draw.rank(number))

    def _expire_idle(self, now: Instant) -> None:
        second = now // SECOND
        idle_since = second - self.limits.idle_seconds
        for _ in range(STEP_MAX):
            number = self._sightings.take(idle_since)
            if number is None:
                return
            if self.states[number] == State.READY:
                self._sightings.file(number, second)  # its offer lapses by itself
            elif self.states[number] == State.WAITING and number not in self._expiring:
                if self._seen_at[number] > idle_since:
                    self._sightings.file(number, self._seen_at[number])
                else:
                    self._expire(number)

    def _measure(self, now: Instant, passed: int, elapsed: Instant) -> None:
        configured = self.limits.rate_per_second
        if not self.is_held_up:
            self._pace.is_free(configured)
        elif not self._is_stopped:
            self._pace.moved(now, passed, elapsed, configured)
        self.is_held_up = self._draw is not None and self._cursor <= self.last_number


def differing(one: bytearray, other: bytearray, width: int) -> Iterator[int]:
    """The numbers, from 1, of entries of so many bytes that may differ, as far as both go; equal stretches are skipped
    in the time that comparing bytes takes.
    """
    count = min(len(one), len(other)) // width
    for start in range(0, count, COMPARED_AT_ONCE):
        end = min(count, start + COMPARED_AT_ONCE)
        if one[start * width : end * width] != other[start * width : end * width]:
            yield from range(start + 1, end + 1)

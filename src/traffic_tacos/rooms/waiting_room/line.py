"""One event's line, as the rest of the room knows it: what every engine promises.

Each verb is a whole effect with its guard inside, so that it can be one decision of a process, or one function of a
server that many processes share. Any process may call any of them. Values in and out are plain. An engine reads the
clock itself, and hands a line out ready for use.

Durable before it is answered: `join`, `claim`, `leave`, `release`. Their answer may be lost (a `Fault` says nothing of
whether it was done), and asking again has the same outcome. Turns are not durable: after a crash they are offered
anew, in the same order.

An engine is also given a listener, which is given the numbers of tickets whose state has changed, whoever changed it;
and of none when another process has changed the line.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.rooms.waiting_room.values import Admission, Figures, Place, Reckoning, State, Terms
from traffic_tacos.rooms.waiting_room.view import LineView

Listener: TypeAlias = Callable[[Iterable[int]], None]


class Joined(msgspec.Struct, frozen=True):
    """`is_new` is False for a ticket that was held already; `session_hash` is the one of who joined first with it."""

    number: int
    session_hash: bytes
    is_new: bool


class Holder(msgspec.Struct, frozen=True):
    """Who has a ticket: the user, empty while it is its session's alone, and the names that `ports.sessions` has."""

    user_id: str
    names: tuple[str, ...]
    was_admitted: bool


class PublishedDraw(msgspec.Struct, frozen=True):
    """What may be published of a draw now: the seed only once the pool has closed, empty before."""

    commitment: bytes
    committed_at: Instant
    opens_at: Instant | None
    closed_at: Instant | None
    pool_size: int
    pool_digest: bytes
    seed: bytes


class PublishedEntry(msgspec.Struct, frozen=True):
    """One ticket of a closed pool, and the place that it was drawn to."""

    number: int
    entry: bytes
    place: int


class Line(Protocol):
    """Promises that numbers are given in the order of joining, without gaps; that the order of admission is the order
    of ranks; that a place never rises, whatever fails; and that no rolling second grants more than the rate.
    """

    @property
    def terms(self) -> Terms:
        """What the line last learned of its sale."""
        ...

    # What a fan does.

    async def join(self, session_id: str, user_id: str, metadata: dict[str, str], shown: int) -> Joined:
        """A number at the end of the line, or the one that this user has, or this session without one.

        A place without a user is found again only by who shows its token, whose number is `shown` (0: none): everybody
        else is refused with ALREADY_EXISTS. RATE_LIMITED when the line is full; FAILED_PRECONDITION when it is closed,
        nothing is left, or the sale is over. Joining is a sign of life, and a turn may come with it.
        """
        ...

    def visit(self, number: int) -> bool:
        """The holder asks now: a sign of life. Whether a turn waited for it; then it is given at once where it can be.

        Not durable. Returns without waiting for anything.
        """
        ...

    def touch(self, numbers: Iterable[int]) -> None:
        """Signs of life of many. Not durable; a turn that waits for one comes with the next `advance`."""
        ...

    async def claim(self, number: int, user_id: str) -> Admission | None:
        """The admission of a ticket whose turn it is; claiming again answers the same. None before its turn, and
        while the line is stopped. A sign of life.

        RATE_LIMITED when this second is full; FORBIDDEN when the place is another user's; FAILED_PRECONDITION when
        nothing is left, the ticket has ended, or the sale is over.
        """
        ...

    async def leave(self, number: int) -> Instant:
        """When the ticket left; leaving again answers the same. FAILED_PRECONDITION once it is admitted or ended."""
        ...

    # What the sale does.

    async def release(self, number: int, state: State) -> None:
        """The admission is over: its holder has bought (DONE), or their reservation has expired (EXPIRED). Ignored for
        a ticket that has ended.
        """
        ...

    def hold_seats(self, number: int, holds: bool) -> None:
        """The admission's reservation holds seats now, or no longer: then they count against those that are left."""
        ...

    def stock(self, sellable: int | None, *, is_sold_out: bool, is_all_sold: bool) -> None:
        """The seats that are left to give turns for; None limits nothing. `is_all_sold`: the house keeps none."""
        ...

    async def configure(self, terms: Terms, seed: bytes) -> None:
        """The event has changed, or what an operator set: both are in force when this returns.

        `seed` is that of a draw, should this commit the line to one: when the sale is yet to start and nobody has
        joined.
        """
        ...

    async def advance(self) -> None:
        """One step: lapsed offers and admissions end, expired tickets leave durably, the pool is drawn when its sale
        opens, and whoever is next gets a turn within the three limits. Bounded work. Two that advance at once, or one
        too often, give no more than the rate.
        """
        ...

    def gives_turns(self) -> bool:
        """Whether this process is the one that advances the line, as far as it knows."""
        ...

    def next_due(self) -> Instant | None:
        """When the next `advance` may change anything, if nothing happens before; None for never."""
        ...

    # What is asked of it.

    def has(self, number: int) -> bool:
        """Whether somebody was given this number, as far as this process knows."""
        ...

    def lets_in(self) -> bool:
        """Whether anybody may be let in now: with every status it is asked if there is a reason why not."""
        ...

    def view(self) -> LineView:
        """Everything that a status of any ticket needs; returns without waiting for anything."""
        ...

    def note_estimate(self, number: int, place: Place, at: Instant) -> None:
        """The holder was shown this place: the first estimate is compared with the real wait."""
        ...

    def figures(self) -> Figures: ...

    def reckoning(self) -> Reckoning:
        """From what anybody can reckon any place; see `view.place`."""
        ...

    async def holder(self, number: int) -> Holder | None:
        """Who has the ticket; None when there is no such one."""
        ...

    async def draw(self) -> PublishedDraw | None:
        """None when the line has no draw: its sale was open when the first joined."""
        ...

    async def entries(self, after: int, limit: int) -> list[PublishedEntry]:
        """Tickets in order of joining, from behind number `after`. Only once the pool has closed."""
        ...


class OtherRules(Fault):
    """The queue is run by processes of a version that decides by other rules: this one must not take part."""


class LineEngine(Protocol):
    @property
    def is_shared(self) -> bool:
        """Whether other processes have the same lines: then what one answers another learns a moment later."""
        ...

    def issues(self) -> list[str]:
        """What is wrong with what all lines stand on, for people."""
        ...

    async def catch_up(self) -> None:
        """Everything that any process had answered before this call is seen by every line that is open here; or, while
        the others cannot be reached, what was seen last. Many that call at once wait together.
        """
        ...

    def lost(self) -> Mapping[str, OtherRules]:
        """Lines that were open here, by event, until a version with other rules took them over: for good."""
        ...

    async def open(self, event_id: str, terms: Terms, seed: bytes, listener: Listener) -> Line:
        """An event's line: everybody stands where they stood. For `seed` see `Line.configure`. Raises OtherRules."""
        ...

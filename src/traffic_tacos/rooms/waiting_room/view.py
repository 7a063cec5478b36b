"""A line as everybody sees it, and where a ticket stands in it: a pure function of the two, without store or wait."""

from typing import Protocol

import msgspec

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.rooms.waiting_room.values import UNKNOWN, Limits, Place, State

ETA_MAX = 2**31 - 1  # seconds, as the contract has them: a sale may start in seventy years


class Tickets(Protocol):
    """What is known of each ticket, by its number (1 to `LineView.joined`).

    Too large to be copied for each view, so an engine refreshes it in place; what it says only moves forward: no
    ticket comes back to an earlier state but from READY to WAITING, and `ended_before` never falls.
    """

    def state(self, number: int) -> State: ...

    def rank(self, number: int) -> int:
        """The place in the order of admission. Not known while the line is a pool."""
        ...

    def ended_before(self, rank: int) -> int:
        """How many of the ranks below this one are no longer in the line."""
        ...


class LineView(msgspec.Struct, frozen=True):
    """A line at one moment. Ask for another one after an await: `tickets` may have moved on.

    `waiting` are live tickets that are not admitted. `sellable` are the seats that turns may be given for, None while
    nobody has said. `is_sold_for_good`: no seat can come back while the sale goes on. `is_over`: nobody who waits
    can have a turn any more. `is_closed`: nobody new may join. `message` is what the operators say to all who wait.
    """

    at: Instant
    limits: Limits
    tickets: Tickets
    opens_at: Instant | None
    ends_at: Instant | None
    joined: int
    waiting: int
    sellable: int | None
    moving_per_second: float
    is_pool: bool
    is_stopped: bool
    is_sold_out: bool
    is_sold_for_good: bool
    is_over: bool
    sale_is_over: bool
    is_closed: bool = False
    message: str = ""

    @property
    def seconds_to_opening(self) -> int:
        return 0 if self.opens_at is None else min(ETA_MAX, max(0, -(-(self.opens_at - self.at) // SECOND)))


def place(view: LineView, number: int) -> Place:
    """Where the ticket stands: live tickets ahead plus one; 0 once it is no longer in the line."""
    state = view.tickets.state(number)
    if view.is_over:
        return Place(State.EXPIRED if state <= State.READY else state, 0, 0)
    if state >= State.ADMITTED:
        return Place(state, 0, 0, state is State.ADMITTED)
    if view.is_pool:
        return Place(state, 0, view.seconds_to_opening)
    rank = view.tickets.rank(number)
    position = rank - view.tickets.ended_before(rank)
    if view.is_stopped or view.is_sold_out:
        return Place(state, position, UNKNOWN)
    if state is State.READY:
        return Place(state, position, 0, may_be_admitted=True)
    eta = -int(-position // view.moving_per_second)
    return Place(state, position, min(ETA_MAX, eta + view.seconds_to_opening))

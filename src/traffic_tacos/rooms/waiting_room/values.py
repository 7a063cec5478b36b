"""What is said of a line and its tickets: frozen values, without rules."""

import math
from enum import IntEnum

import msgspec

from traffic_tacos.kernel.event_info import SaleWindow
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant


class Limits(msgspec.Struct, frozen=True):
    """The named limits of a line; see the event file's `admission`."""

    rate_per_second: int = 1000
    active_max: int = 5000
    offer_seconds: int = 60
    idle_seconds: int = 3600
    waiting_max: int = 1_000_000


class Terms(msgspec.Struct, frozen=True):
    """What the line of an event must know of its sale."""

    limits: Limits
    starts_at: Instant | None
    ends_at: Instant | None
    returns_until: Instant | None = None  # when buyers may give tickets back no longer; None: they always may
    takes_guests: bool = False  # who has no account may buy

    @property
    def window(self) -> SaleWindow:
        return SaleWindow(self.starts_at, self.ends_at)

    def keeps_all_sold(self, now: Instant) -> bool:
        """Whether a seat that is sold stays sold, as far as its buyer is asked."""
        return self.returns_until is not None and now >= self.returns_until


class State(IntEnum):
    """From ADMITTED on, a ticket is no longer in the line."""

    WAITING = 0
    READY = 1
    ADMITTED = 2
    DONE = 3
    LEFT = 4
    EXPIRED = 5


ADMISSION_LIFETIME = 5 * MINUTE
UNKNOWN = -1  # seconds, of a time that nobody can say
STATES = tuple(State)  # by value; the enum's own look-up costs as much as counting a place


# gc=False: there are very many, none is part of a cycle, and the garbage collector need not walk over them.
class Admission(msgspec.Struct, frozen=True, gc=False):
    """A granted turn. It counts against the seats that are left until it holds some."""

    number: int
    user_id: str
    granted_at: Instant
    expires_at: Instant
    holds_seats: bool = False


def admission_end(granted_at: Instant) -> Instant:
    """When an admission lapses: in whole seconds, as its token has it."""
    return -(-(granted_at + ADMISSION_LIFETIME) // SECOND) * SECOND


class Place(msgspec.Struct, frozen=True):
    """`position` is 0 before the draw, and for a ticket that is no longer in the line; `eta_seconds` is UNKNOWN while
    nobody is let in.

    `may_be_admitted` says whether asking for admission now is answered with it.
    """

    state: State
    position: int
    eta_seconds: int
    may_be_admitted: bool = False


class Figures(msgspec.Struct, frozen=True):
    """How a line is doing. `waits` are the last ones in seconds, ascending. `estimates` counts
    times first estimated, `estimates_kept` those that the real wait stayed within."""

    waiting: int
    ready: int
    admitted: int
    admitted_ever: int
    admitted_last_minute: int
    moving_per_second: float
    no_show_share: float
    waits: tuple[int, ...]
    estimates: int
    estimates_kept: int

    @property
    def wait_average(self) -> int:
        return sum(self.waits) // len(self.waits) if self.waits else 0

    def wait_at(self, share: float) -> int:
        """The seconds that this share of the last turns had waited at most (nearest rank)."""
        return self.waits[max(0, math.ceil(share * len(self.waits)) - 1)] if self.waits else 0


class Reckoning(msgspec.Struct, frozen=True):
    """Every rank below `cursor` has had a turn. Of the ranks before `begins` so many have ended, and so many in each
    block of ranks from there on; none behind the last.
    """

    cursor: int
    begins: int
    ended_before: int
    ended: tuple[int, ...]

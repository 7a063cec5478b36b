"""Seats, as whoever makes reservations of them takes and gives them: in the very commit that says what they are for.

What has seats and what says whose they are share one store, so no step of one is ever durable without that of the
other. Every verb hands the caller's `Commit` what the inventory decides on, and its rule; the caller commits that rule
as part of its own (`Decision.beside`). A rule refuses by raising, and then nothing has changed.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat
from traffic_tacos.ports.store import Decision, Reads, View

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

Rule: TypeAlias = Callable[[View], Decision[T]]


class Commit(Protocol[T_contra]):
    """How a rule is committed: the store's own `transact`, or part of a larger decision. The reply is the caller's."""

    async def __call__(self, reads: Reads, rule: Rule[T_contra], /) -> Any: ...


Freeing: TypeAlias = Callable[[View, Sequence[str]], Decision[tuple[Seat, ...]]]


class LetGo(Protocol):
    """As `Commit`, for a rule that is given the payments under which the seats were sold that go back."""

    async def __call__(self, reads: Reads, rule: Freeing, /) -> Any: ...


class Wanted(msgspec.Struct, frozen=True):
    """Named seats, or the best available `quantity`: of a section, by its id or name, and of at most this price each.

    Without a deadline they are held for as long as the event says.
    """

    reservation_id: str
    event_id: str
    user_id: str
    seat_ids: tuple[str, ...]
    quantity: int
    deadline: Instant | None
    section: str = ""
    price_max: Money | None = None


class Held(msgspec.Struct, frozen=True):
    """Seats that a reservation holds, until a moment that is exclusive."""

    seats: tuple[Seat, ...]
    expires_at: Instant


class Taken(msgspec.Struct, frozen=True):
    """The seats that a reservation says are its own: it holds them, has sold them, or had them once."""

    reservation_id: str
    event_id: str
    user_id: str
    seat_ids: tuple[str, ...]


class Seats(Protocol):
    async def hold(self, wanted: Wanted, call: Call, commit: Commit[Held]) -> Any:
        """Hold seats until the deadline; who holds them already is answered with them.

        INVENTORY_CONFLICT, INSUFFICIENT_INVENTORY, QUOTA_EXCEEDED, NOT_FOUND, INVALID_ARGUMENT, or
        FAILED_PRECONDITION outside of the sale.
        """
        ...

    async def sell(self, taken: Taken, payment_intent_id: str, call: Call, commit: Commit[None]) -> Any:
        """Sell what is held, all or none: past the deadline too, while the very same seats are free. What was sold
        under this payment stays so.

        RESERVATION_EXPIRED, INVENTORY_CONFLICT, QUOTA_EXCEEDED or NOT_FOUND when they cannot be had any more.
        """
        ...

    async def extend(self, taken: Taken, deadline: Instant, call: Call, commit: Commit[None]) -> Any:
        """Hold what is held until a later deadline. NOT_FOUND, FAILED_PRECONDITION or RESERVATION_EXPIRED when nothing
        is held any more.
        """
        ...

    async def let_go(self, taken: Taken, call: Call, commit: LetGo) -> Any:
        """Free what is held, and put back on sale what was sold under one of the payments that the caller's decision
        names to the rule; those seats. Anything else stays as it is, and nothing is refused.
        """
        ...

"""What the result of a payment asks of its reservation, done for whoever brings the news of it: in one commit with what
that one has to write.

Where the reservation is in the same process, and so in the same store, who brings the news hands over what it would
write afterwards. Where it is elsewhere, the worker is asked, and the rest is written in a commit of its own.
"""

from typing import Generic, NamedTuple, Protocol, TypeVar

from traffic_tacos.kernel.calls import Call
from traffic_tacos.ports.seats import Rule
from traffic_tacos.ports.store import Decision, Reads

T = TypeVar("T")


class Beside(NamedTuple, Generic[T]):
    """What else belongs into a commit, and the records that it is decided on."""

    reads: Reads
    rule: Rule[T]


NOTHING_BESIDE: Beside[None] = Beside((), lambda _: Decision(None))


class PaymentResults(Protocol):
    async def apply(self, reservation_id: str, payment_intent_id: str, call: Call, beside: Beside[T]) -> T | None:
        """Do with a reservation what its payment's own status asks for; repeating it has no second effect.

        The reply of what was committed beside it. None when that was not committed: only what confirms a reservation,
        or finds it confirmed, has room for it.
        """
        ...

"""The payments of a reservation, as whoever ends it stops them: in the very commit that says that it has ended.

What has payments and what they are for share one store. Whoever ends a reservation asks what its payments are, and
commits the rule that stops them as part of its own (`Decision.beside`). So none goes on for seats that are free again.
"""

from collections.abc import Collection
from typing import NamedTuple, Protocol

from traffic_tacos.ports.seats import Rule
from traffic_tacos.ports.store import Decision, Reads

RECORDS_OF_A_STOP = 4  # the payment, its job, the news of it, and the webhook that reports it


def payment_job_id(payment_intent_id: str) -> str:
    """The one job of a payment: its expiry, then the bank's answer, then a look at what became of it. Putting the next
    takes the place of the one before.
    """
    return f"payment:{payment_intent_id}"


class Stop(NamedTuple):
    """What stops payments under way, and what it is decided on. Unless it `is_all`, more are under way than it stops.

    The rule's reply is those that have completed instead: they stay as they are, and are owed a ticket or a refund. Of
    several that had completed before, it has the first.
    """

    reads: Reads
    rule: Rule[tuple[str, ...]]
    is_all: bool = True


NOTHING_TO_STOP = Stop((), lambda _: Decision(()))


class PaymentStops(Protocol):
    async def stop(self, reservation_id: str, passed_over: Collection[str], payments_max: int) -> Stop:
        """What stops so many of a reservation's payments that are under way. One that is made at the same moment is not
        among them, nor one whose record is damaged, and `passed_over` are not looked at.
        """
        ...

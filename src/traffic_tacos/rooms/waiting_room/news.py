"""What a stream sends: the difference between what was sent last and what is so now.

PAUSED | RESUMED | RATE | SOLD_OUT | SEATS_AGAIN | SALE_OVER      of the line
PLACE | READY | ENDED                                             of the ticket, last

Who asks instead of watching gets the same as a `Condition`: what keeps the line from moving, if anything does.
"""

from enum import Enum

import msgspec

from traffic_tacos.rooms.waiting_room.values import Place, State
from traffic_tacos.rooms.waiting_room.view import LineView


class Topic(Enum):
    PLACE = "place"
    READY = "ready"
    ENDED = "ended"
    PAUSED = "paused"
    RESUMED = "resumed"
    RATE = "rate"
    SOLD_OUT = "sold_out"
    SEATS_AGAIN = "seats_again"
    MAINTENANCE = "maintenance"
    SALE_OVER = "sale_over"


class Condition(msgspec.Struct, frozen=True):
    """Why nobody is let in: a word for programs, and a sentence for people."""

    state: str
    message: str


SALE_OVER = Condition("sale_over", "the sale has ended")
SOLD_FOR_GOOD = Condition("sold_out", "everything is sold, and nothing can come back")
SOLD_OUT = Condition("sold_out", "everything is sold; your place is kept in case a ticket is given back")
PAUSED = Condition("paused", "nobody is let in at the moment; your place is kept")


def condition(view: LineView, maintenance: str) -> Condition | None:
    """Why nobody is let in now; None when somebody may be. `maintenance` says why nobody may begin anything."""
    if view.sale_is_over:
        return SALE_OVER
    if view.is_sold_out:
        return SOLD_FOR_GOOD if view.is_sold_for_good else SOLD_OUT
    if not view.is_stopped:
        return None
    return Condition("maintenance", f"maintenance: {maintenance}") if maintenance else PAUSED


class Sight(msgspec.Struct, frozen=True):
    """Everything about one ticket and its line that its holder is shown. `maintenance` says why nobody may begin
    anything now; empty when they may.
    """

    place: Place
    is_stopped: bool
    is_sold_out: bool
    rate_per_second: int
    maintenance: str = ""
    sale_is_over: bool = False

    @property
    def has_ended(self) -> bool:
        return self.place.state > State.ADMITTED


def news(sent: Sight | None, now: Sight) -> list[Topic]:
    """What to send: at first everything that matters, then only what has changed."""
    topics: list[Topic] = []
    if sent is None:
        topics += [Topic.MAINTENANCE] if now.maintenance else []
        topics += [Topic.PAUSED] if now.is_stopped else []
        topics += [Topic.SOLD_OUT] if now.is_sold_out else []
        topics += [Topic.SALE_OVER] if now.sale_is_over else []
        return [*topics, _of_ticket(now)]
    if now.maintenance != sent.maintenance:
        topics.append(Topic.MAINTENANCE)
    if now.is_stopped != sent.is_stopped:
        topics.append(Topic.PAUSED if now.is_stopped else Topic.RESUMED)
    if now.rate_per_second != sent.rate_per_second:
        topics.append(Topic.RATE)
    if now.is_sold_out != sent.is_sold_out:
        topics.append(Topic.SOLD_OUT if now.is_sold_out else Topic.SEATS_AGAIN)
    if now.sale_is_over and not sent.sale_is_over:
        topics.append(Topic.SALE_OVER)
    if (now.place.state, now.place.position) != (sent.place.state, sent.place.position):
        topics.append(_of_ticket(now))
    return topics


def _of_ticket(now: Sight) -> Topic:
    if now.has_ended:
        return Topic.ENDED
    return Topic.PLACE if now.place.state is State.WAITING else Topic.READY

"""What a watching fan hears: the difference between what was told last and what is so now.

PAUSED | RESUMED | RATE | SOLD_OUT | SEATS_AGAIN      of the line
PLACE | READY | ENDED                                 of the ticket, last
"""

from enum import Enum

import msgspec

from traffic_tacos.rooms.waiting_room.values import Place, State


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


class Sight(msgspec.Struct, frozen=True):
    """Everything about one ticket and its line that its holder is told. `maintenance` says why nobody may begin
    anything now; empty when they may.
    """

    place: Place
    is_stopped: bool
    is_sold_out: bool
    rate_per_second: int
    maintenance: str = ""

    @property
    def has_ended(self) -> bool:
        return self.place.state > State.ADMITTED


def news(told: Sight | None, now: Sight) -> list[Topic]:
    """What to tell: at first everything that matters, then only what has changed."""
    topics: list[Topic] = []
    if told is None:
        topics += [Topic.MAINTENANCE] if now.maintenance else []
        topics += [Topic.PAUSED] if now.is_stopped else []
        topics += [Topic.SOLD_OUT] if now.is_sold_out else []
        return [*topics, _of_ticket(now)]
    if now.maintenance != told.maintenance:
        topics.append(Topic.MAINTENANCE)
    if now.is_stopped != told.is_stopped:
        topics.append(Topic.PAUSED if now.is_stopped else Topic.RESUMED)
    if now.rate_per_second != told.rate_per_second:
        topics.append(Topic.RATE)
    if now.is_sold_out != told.is_sold_out:
        topics.append(Topic.SOLD_OUT if now.is_sold_out else Topic.SEATS_AGAIN)
    if (now.place.state, now.place.position) != (told.place.state, told.place.position):
        topics.append(_of_ticket(now))
    return topics


def _of_ticket(now: Sight) -> Topic:
    if now.has_ended:
        return Topic.ENDED
    return Topic.PLACE if now.place.state is State.WAITING else Topic.READY

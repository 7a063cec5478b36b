"""A concert or another event, as services see it: what it is, without its seats; and when it is sold."""

import msgspec

from traffic_tacos.kernel.errors import Precondition, Refusal
from traffic_tacos.kernel.instants import Instant


class Address(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class Venue(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    id: str = ""
    name: str = ""
    address: Address = Address()


class EventInfo(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    id: str
    name: str
    description: str = ""
    venue: Venue = Venue()
    start_time: Instant | None = None
    end_time: Instant | None = None
    sale_start_time: Instant | None = None
    sale_end_time: Instant | None = None


class SaleWindow(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """When an event is sold: from `opens_at` on, and at `ends_at` no longer. None is no bound."""

    opens_at: Instant | None = None
    ends_at: Instant | None = None

    def has_opened(self, now: Instant) -> bool:
        return self.opens_at is None or now >= self.opens_at

    def is_over(self, now: Instant) -> bool:
        return self.ends_at is not None and now >= self.ends_at

    def check_open(self, now: Instant) -> None:
        """Refuse with FAILED_PRECONDITION unless the event is sold at this instant."""
        self.check_not_over(now)
        if not self.has_opened(now):
            raise Refusal.of_precondition("event_id", "the sale has not started yet", Precondition.SALE_NOT_STARTED)

    def check_not_over(self, now: Instant) -> None:
        """Refuse with FAILED_PRECONDITION when the event is sold no longer."""
        if self.is_over(now):
            raise Refusal.of_precondition("event_id", "the sale has ended", Precondition.SALE_ENDED)


ALWAYS = SaleWindow()


def sale_window(info: EventInfo) -> SaleWindow:
    """When an event is sold. Every room asks this, and nothing else, whether it sells.

    Without a `sale_end_time` the sale ends with the event itself; when nobody said when that is, with its start. So
    an event that began without an end is sold on only when its file has a `sale_end_time` after the start.
    """
    ends = [info.sale_end_time, info.end_time] if info.sale_end_time or info.end_time else [info.start_time]
    return SaleWindow(info.sale_start_time, min((end for end in ends if end is not None), default=None))

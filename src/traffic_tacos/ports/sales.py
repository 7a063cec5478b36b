"""When each event is sold, as decisions must know it: the catalog writes it in the commit that publishes or changes an
event, and whoever gives a place, a turn or seats reads it in the commit that gives them.

What a room remembers of an event is a moment old. So the end of a sale that an operator has moved is kept to the
instant, and nothing is sold past it because news of it was late.
"""

from functools import lru_cache

import msgspec

from traffic_tacos.kernel.event_info import SaleWindow
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import COPIES, KEYS_REMEMBERED, Key, Kind, View

PERIODS_KEPT_MAX = 50


class Period(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A sale window, and since when it is in force."""

    window: SaleWindow = SaleWindow()
    since: Instant = 0


class Sale(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The window in force, and those before it, oldest first: `tacos verify` judges by what was in force then."""

    now: Period
    before: tuple[Period, ...] = ()

    @property
    def periods(self) -> tuple[Period, ...]:
        return (*self.before, self.now)


SALE = Kind("sale", Sale, COPIES)


@lru_cache(maxsize=KEYS_REMEMBERED)
def sale_key(event_id: str) -> Key[Sale]:
    return SALE.key(event_id)


def window_in_force(view: View, event_id: str, known: SaleWindow) -> SaleWindow:
    """The event's window at this commit; `known` for an event from before these records. The view must have declared
    `sale_key`.
    """
    sale = view.get(sale_key(event_id))
    return known if sale is None else sale.now.window


def changed_sale(before: Sale | None, known: SaleWindow, window: SaleWindow, now: Instant) -> Sale:
    """The sale with another window from now on. `known` was in force when there is no record."""
    if before is None:
        before = Sale(Period(known))
    if before.now.window == window:
        return before
    return Sale(Period(window, now), before.periods[-PERIODS_KEPT_MAX:])

"""Which seats are tried first for who names none: by what they cost. Pure, like `model`.

`best_available` goes through sections in the order in which it is given them. Seats of a section that cost different
amounts are tried amount by amount, and then together: a party that fits only across them is seated all the same.
"""

from collections.abc import Iterable, Sequence

import msgspec

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.inventory.rows import EventPlan, RowPlan, SectionPlan

SECTIONS_SHOWN_MAX = 50


def by_price(sections: Iterable[SectionPlan]) -> tuple[SectionPlan, ...]:
    """The cheapest first; of those that cost the same, as they are listed."""
    parts: list[SectionPlan] = []
    for section in sections:
        prices = sorted({seat.price for row in section.rows for seat in row.seats})
        parts += [within(section, price, price) for price in prices] if len(prices) > 1 else []
        parts.append(section)
    return tuple(sorted(parts, key=lambda part: (part.price_max, part.price_min != part.price_max)))


def up_to(sections: Sequence[SectionPlan], price_max: int) -> tuple[SectionPlan, ...]:
    """Those that cost at most so much, the dearest first: who names a price asks for the best that it buys."""
    affordable = [section for section in sections if section.price_min <= price_max]
    parts = [
        section if section.price_max <= price_max else within(section, section.price_min, price_max)
        for section in affordable
    ]
    return tuple(sorted(parts, key=lambda part: -part.price_max))


def sections_named(plan: EventPlan, section_id: str) -> Sequence[SectionPlan]:
    """The section of this id or name, all of them for an empty one; INVALID_ARGUMENT when there is none."""
    if not section_id:
        return plan.sections
    found = [section for section in plan.sections if section.id == section_id]
    found = found or [section for section in plan.sections if section.name == section_id]  # as it is on tickets
    if not found:
        raise Refusal.of_field(
            "section", f"must be one of {[section.id for section in plan.sections[:SECTIONS_SHOWN_MAX]]}", section_id
        )
    return found


def wished(plan: EventPlan, section_id: str, price_max: Money | None) -> tuple[SectionPlan, ...] | None:
    """The sections that somebody asks for, in the order in which they are tried; None when they do not say."""
    if price_max is None:
        return tuple(sections_named(plan, section_id)) if section_id else None
    if price_max.currency != plan.currency:
        raise Refusal.of_field("price_max.currency", f"must be that of the event, {plan.currency}", price_max.currency)
    if price_max.amount < 0:
        raise Refusal.of_field("price_max.amount", "must not be negative", price_max.amount)
    return up_to(sections_named(plan, section_id), price_max.amount)


def own_first(sections: Sequence[SectionPlan], number: int, count: int) -> tuple[SectionPlan, ...]:
    """Before each section the rows of it that are this process's own, where so many sell at once.

    Each process has others, so that they rarely want the same seats at the same moment; what is left of a section goes
    to anybody before the next one is tried.
    """
    if count <= 1:
        return tuple(sections)
    found: list[SectionPlan] = []
    for section in sections:
        rows = tuple(row for row in section.rows if row.index % count == number % count)
        found += [msgspec.structs.replace(section, rows=rows), section] if rows else [section]
    return tuple(found)


def within(section: SectionPlan, low: int, high: int) -> SectionPlan:
    """The section as if all seats of other prices were kept for somebody else."""
    rows = tuple(row for row in (_within(row, low, high) for row in section.rows) if row.kept != row.full)
    prices = [seat.price for row in section.rows for seat in row.seats if low <= seat.price <= high]
    return SectionPlan(section.id, section.name, rows, min(prices), max(prices))


def _within(row: RowPlan, low: int, high: int) -> RowPlan:
    others = sum(1 << bit for bit, seat in enumerate(row.seats) if not low <= seat.price <= high)
    return msgspec.structs.replace(row, kept=row.kept | others) if others else row

"""Money: whole minor units (cents, won) with an ISO 4217 code. Never a float."""

import re
from collections.abc import Iterable

import msgspec

from traffic_tacos.kernel.errors import Refusal

AMOUNT_MAX = 10**15
_CURRENCY = re.compile(r"[A-Z]{3}")


class Money(msgspec.Struct, frozen=True):
    amount: int
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def total(prices: Iterable[Money], currency: str) -> Money:
    """The sum of prices that all are in `currency`."""
    amounts = []
    for price in prices:
        if price.currency != currency:
            raise ValueError(f"cannot add {price.currency} to {currency}")
        amounts.append(price.amount)
    return Money(sum(amounts), currency)


def checked_currency(field: str, value: str) -> str:
    if _CURRENCY.fullmatch(value) is None:
        raise Refusal.of_field(field, "must be an ISO 4217 code of three capital letters", value)
    return value

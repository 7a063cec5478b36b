"""Money: whole minor units (cents, won) with an ISO 4217 code. Never a float."""

import re
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from traffic_tacos.kernel.errors import Refusal

AMOUNT_MAX = 10**15
# ISO 4217, "minor unit", where it is not 2.
_NONE = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DECIMALS = {**dict.fromkeys(_NONE, 0), **dict.fromkeys(_THREE, 3)}
_CURRENCY = re.compile(r"[A-Z]{3}")


class Money(msgspec.Struct, frozen=True):
    amount: int
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def for_people(self) -> str:
        """As a person writes it: 1200050 USD is `12,000.50 USD`."""
        decimals = _DECIMALS.get(self.currency, 2)
        return f"{Decimal(self.amount).scaleb(-decimals):,.{decimals}f} {self.currency}"


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

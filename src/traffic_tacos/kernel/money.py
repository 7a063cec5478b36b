"""Money: whole minor units (cents, won) with an ISO 4217 code. Never a float."""

from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches

import iso4217
import msgspec

from traffic_tacos.kernel.errors import Refusal

AMOUNT_MAX = 10**15
# The active codes of ISO 4217 that people pay with, and how many decimals each has. Codes without a minor unit (metals,
# funds of banks, testing) name no money that a ticket can cost.
DECIMALS: dict[str, int] = {one.code: one.exponent for one in iso4217.Currency if one.exponent is not None}
DECIMALS_OF_OTHERS = 2  # of a code that is no currency, stored before codes were checked


class Money(msgspec.Struct, frozen=True, gc=False):
    amount: int
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def for_people(self) -> str:
        """As a person writes it: 1200050 USD is `12,000.50 USD`."""
        decimals = DECIMALS.get(self.currency, DECIMALS_OF_OTHERS)
        return f"{Decimal(self.amount).scaleb(-decimals):,.{decimals}f} {self.currency}"


def total(prices: Iterable[Money], currency: str) -> Money:
    """The sum of prices that all are in `currency`."""
    amounts = []
    for price in prices:
        if price.currency != currency:
            raise ValueError(f"cannot add {price.currency} to {currency}")
        amounts.append(price.amount)
    return Money(sum(amounts), currency)


def is_currency(code: str) -> bool:
    return code in DECIMALS


def checked_currency(field: str, value: str) -> str:
    """The code of a currency that exists; INVALID_ARGUMENT names those that may have been meant."""
    if is_currency(value):
        return value
    raise Refusal.of_field(field, f"must be an active ISO 4217 code of three capital letters{_hint(value)}", value)


def _hint(value: str) -> str:
    """Which codes may have been meant: the same letters in another case or order, else some of the letters."""
    typed = value.strip().upper()[:5]
    meant = [code for code in DECIMALS if sorted(code) == sorted(typed)] or get_close_matches(typed, DECIMALS, n=3)
    return f"; did you mean {' or '.join(meant)}?" if meant else ", such as KRW or EUR"

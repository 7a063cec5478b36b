"""Currencies are those of ISO 4217, and amounts have as many decimals as it says."""

import pytest

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.money import Money, checked_currency


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (0, "KRW", "0 KRW"),
        (1_200_050, "USD", "12,000.50 USD"),
        (12_345, "CLF", "1.2345 CLF"),
        (50_000, "UYW", "5.0000 UYW"),
        (1_500, "TND", "1.500 TND"),
        (150_000, "JPY", "150,000 JPY"),
        (-5, "EUR", "-0.05 EUR"),
        (123, "KWR", "1.23 KWR"),  # stored before codes were checked
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency(amount, currency, shown):
    assert Money(amount, currency).for_people() == shown


@pytest.mark.parametrize("code", ["KRW", "EUR", "USD", "CLF", "TND", "XOF"])
def test_a_currency_that_exists_is_taken(code):
    assert checked_currency("currency", code) == code


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("KWR", "did you mean KRW?"),
        ("EUO", "EUR"),
        ("krw", "did you mean KRW?"),
        (" USD", "did you mean USD?"),
        ("DEM", "must be an active ISO 4217 code"),
        ("HRK", "must be an active ISO 4217 code"),
        ("XAU", "must be an active ISO 4217 code"),
        ("XXX", "must be an active ISO 4217 code"),
        ("XTS", "must be an active ISO 4217 code"),
        ("₩", "such as KRW or EUR"),
        ("", "such as KRW or EUR"),
    ],
)
def test_what_is_no_currency_is_refused_with_what_would_be_right(code, says):
    with pytest.raises(Refusal) as refused:
        checked_currency("currency", code)
    assert refused.value.details[0].field == "currency"
    assert says in refused.value.message

"""What the payment page says, in the words of all other pages: those of `static/i18n`, read once.

Which language that is, its address says (`?lang=ko`), where somebody has chosen one; else the browser's own list does,
as for all other pages.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Any

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.money import Money

LANGUAGES = {"en": "English", "ko": "한국어"}
CARD_FIELDS = ("card_number", "expiry_month", "expiry_year", "cvv", "cardholder_name")
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|(\w+)(?=:)|//[^\n]*|,(?=\s*\})')
# As the browser's own Intl.NumberFormat writes them in a language; any other currency by its code.
_SIGNS = {"KRW": "₩", "EUR": "€", "GBP": "£", "INR": "₹", "VND": "₫", "CNY": "CN¥", "BRL": "R$", "CAD": "CA$"}
_SIGNS_OF = {
    "en": {**_SIGNS, "USD": "$", "JPY": "¥", "AUD": "A$"},
    "ko": {**_SIGNS, "USD": "US$", "JPY": "JP¥", "AUD": "AU$"},
}
_WEEKDAYS = "월화수목금토일"


class Words:
    """One language. `language` is as in "ko", `others` are those to choose instead. It `is_chosen` where the address
    says so.
    """

    def __init__(self, language: str, *, is_chosen: bool = False) -> None:
        self.language = language
        self.is_chosen = is_chosen
        self.others = {other: name for other, name in LANGUAGES.items() if other != language}
        self.texts = _read(language)

    def __call__(self, key: str, **values: object) -> str:
        """The words under a key. `{name}` stands for a value; where a key has forms, `n` chooses among them."""
        text = self.texts[key]
        if not isinstance(text, str):
            text = text.get("one" if values["n"] == 1 else "other", text["other"])
        return re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), text)

    def why(self, refusal: Refusal) -> str:
        """Why something was not done, in a sentence: by what was in the way, else by the refusal's code."""
        reason = refusal.details[0].reason.lower() if refusal.details else ""
        wait = max(1, ceil(refusal.retry_after_seconds or 0))
        keys = (f"because_{reason}", f"refused_{refusal.code.name.lower()}", "refused")
        return self(next(key for key in keys if key in self.texts), n=wait)

    def of_card(self, reason: str) -> str:
        """How the bank answers."""
        return self(f"card_{reason}" if f"card_{reason}" in self.texts else "card_declined")

    def wrong(self, refusal: Refusal) -> tuple[str, str]:
        """What is wrong, and the field of the card that is to be typed again; "" where it is none of these."""
        name = refusal.details[0].field.rpartition(".")[2] if refusal.details else ""
        if name not in CARD_FIELDS:
            return self.why(refusal), ""
        return self(f"wrong_{name}" if f"wrong_{name}" in self.texts else "wrong_card"), name

    def money(self, price: Money) -> str:
        """A price as the other pages write it: 1200050 USD is `$12,000.50`."""
        amount, _, code = price.for_people().rpartition(" ")
        return _SIGNS_OF[self.language].get(code, code + "\N{NO-BREAK SPACE}") + amount

    def when(self, at: Instant, zone: timezone) -> str:
        """A day and its time, as the clocks at the event show them."""
        local = _local(at, zone)
        if self.language == "ko":
            weekday = _WEEKDAYS[local.weekday()]
            return f"{local.year}년 {local.month}월 {local.day}일 {weekday}요일 {local:%H:%M} {zone}"
        return f"{local:%A %-d %B %Y, %H:%M} {zone}"

    def clock(self, at: Instant, zone: timezone) -> str:
        """The time of day, as the clocks at the event show it."""
        return f"{_local(at, zone):%H:%M:%S} {zone}"


def words(chosen: str, accepted: str) -> Words:
    """In the language that was chosen, or else the first of `Accept-Language` that there is, or English."""
    if chosen in LANGUAGES:
        return Words(chosen, is_chosen=True)
    return Words(next((language for language in _by_preference(accepted) if language in LANGUAGES), "en"))


def _by_preference(accepted: str) -> list[str]:
    """The languages of `Accept-Language` (RFC 9110, 12.5.4) as in "ko", those that are wanted most first."""
    wanted: list[tuple[float, str]] = []
    for one in accepted.split(","):
        tag, _, weight = one.strip().partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        quality = float(found[1]) if found else 0.0 if weight else 1.0
        if quality:
            wanted.append((-quality, tag.strip().partition("-")[0].lower()))
    return [language for _, language in sorted(wanted, key=lambda one: one[0])]


@cache
def _read(language: str) -> Mapping[str, Any]:
    """A language's words, and those of this page alone. Their modules are JSON but for names without quotes, comments
    and commas at the ends.
    """
    folder = files("traffic_tacos.web") / "static" / "i18n"
    found: dict[str, Any] = {}
    for source in (folder / f"{language}.js", folder / "pay" / f"{language}.js"):
        text = source.read_text().partition("export default")[2].strip().removesuffix(";")
        found |= json.loads(_TOKEN.sub(_as_json, text))
    return found


def _as_json(token: re.Match[str]) -> str:
    return token[1] or (f'"{token[2]}"' if token[2] else "")


def _local(at: Instant, zone: timezone) -> datetime:
    return datetime.fromtimestamp(at / SECOND, zone)

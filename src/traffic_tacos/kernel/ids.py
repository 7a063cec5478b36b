"""Identifiers: how they are made, and which ones are accepted from outside."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Protocol

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import Instant

ID_LENGTH_MAX = 128
FOREIGN_ID_LENGTH_MAX = 255  # OpenID Connect Core 1.0, 2: a subject has at most 255 ASCII characters
KEY_LENGTH_MAX = 200
REASON_LENGTH_MAX = 500

JOINERS = "\u200c\u200d"  # Persian writes with the first, families of emoji with the second
LINES = "\n\r\t"

ID_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.:@|-]*"
FOREIGN_ID_PATTERN = "[ -~]*"

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_ID = re.compile(ID_PATTERN)
_FOREIGN_ID = re.compile(FOREIGN_ID_PATTERN)
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGIT_OF_BYTE = bytes(ord(_CROCKFORD[byte % 32]) for byte in range(256))
_RANDOM_DIGITS = 16  # of five bits each, which are too many to guess
_TIME_SHIFTS = range(45, -1, -5)


class Randomness(Protocol):
    """What of `random.Random` is needed here."""

    def randbytes(self, n: int, /) -> bytes: ...


def new_id(prefix: str, at: Instant, randomness: Randomness) -> str:
    """`prefix_` and a ULID (github.com/ulid/spec), in small letters: when it was made, in milliseconds, and 80 random
    bits, which are too many to guess. What is made at about the same time lies together wherever ids are in order.
    """
    return f"{prefix}_{_time(at)}{random_text(randomness)}"


def random_text(randomness: Randomness) -> str:
    """Sixteen digits and small letters, 80 bits."""
    return _digits(randomness.randbytes(_RANDOM_DIGITS))


def derived_id(prefix: str, *parts: str) -> str:
    """The id that always belongs to these parts."""
    return f"{prefix}_{_hashed(13, parts).hex()}"


def derived_id_at(prefix: str, at: Instant, *parts: str) -> str:
    """The id that always belongs to these parts at this moment. It looks like those of `new_id`."""
    return f"{prefix}_{_time(at)}{_digits(_hashed(_RANDOM_DIGITS, parts))}"


def order_id(reservation_id: str) -> str:
    """The id of the order that a reservation becomes when it is bought: that of the reservation but for its prefix. One
    of a service that keeps reservations of its own may have any form, and gets an id that no other can have.
    """
    own = reservation_id.removeprefix("rsv_")
    return f"ord_{own}" if own != reservation_id else derived_id("ord", reservation_id)


@lru_cache(maxsize=1)
def _time(at: Instant) -> str:
    """The first ten digits of a ULID. Many are made in the same millisecond."""
    return "".join([_CROCKFORD[at >> shift & 31] for shift in _TIME_SHIFTS])


def _digits(raw: bytes) -> str:
    """One for the lowest five bits of each byte."""
    return raw.translate(_DIGIT_OF_BYTE).decode()


def _hashed(size: int, parts: tuple[str, ...]) -> bytes:
    return hashlib.blake2b("\x00".join(parts).encode(), digest_size=size).digest()


def checked_id(field: str, value: str) -> str:
    """The value, when it can be an id: letters, digits and `_ . : @ | -`, at most 128 characters."""
    if not value:
        raise Refusal.of_field(field, "is required")
    if len(value) > ID_LENGTH_MAX:
        raise Refusal.of_field(field, f"must have at most {ID_LENGTH_MAX} characters", value)
    if _ID.fullmatch(value) is None:
        raise Refusal.of_field(
            field,
            "must start with a letter or digit and have only letters, digits and _ . : @ | -",
            repr(value),
        )
    return value


def checked_foreign_id(field: str, value: str) -> str:
    """The value, when it can be an id that another system has made (the subject of a login, the id of a webhook):
    printable ASCII, at most 255 characters. It is compared to the letter and never cut, trimmed or changed.
    """
    if not value:
        raise Refusal.of_field(field, "is required")
    if len(value) > FOREIGN_ID_LENGTH_MAX:
        raise Refusal.of_field(field, f"must have at most {FOREIGN_ID_LENGTH_MAX} characters", value)
    if _FOREIGN_ID.fullmatch(value) is None:
        raise Refusal.of_field(field, "must have only printable ASCII characters", ascii(value))
    return value


def checked_user_id(field: str, value: str) -> str:
    """The value, when it can be a user: users are the subjects of logins, ours or another issuer's."""
    return checked_foreign_id(field, value)


def checked_text(field: str, value: str, length_max: int) -> str:
    """The value, when it is printable text within its length; it may be empty."""
    if len(value) > length_max:
        raise Refusal.of_field(field, f"must have at most {length_max} characters", value)
    if has_control_characters(value):
        raise Refusal.of_field(field, "must not have control characters", repr(value))
    return value


def has_control_characters(value: str, *, may_have_lines: bool = False) -> bool:
    """Whether a text has what nobody can see: controls, half surrogates, line ends, marks that turn its direction.

    All letters, signs and spaces of every script are fine, and so are the joiners that some need.
    """
    if value.isprintable():
        return False
    allowed = JOINERS + LINES if may_have_lines else JOINERS
    return any(unicodedata.category(sign) in _UNSEEN and sign not in allowed for sign in value)


def checked_reason(value: str, field: str = "reason") -> str:
    """Why somebody did something, in their words; it may be empty."""
    return checked_text(field, value, REASON_LENGTH_MAX)


def required_reason(value: str, field: str = "reason") -> str:
    """Why an operator changes something: kept in the audit log, so there has to be one."""
    if not value.strip():
        raise Refusal.of_field(field, "is required: it is kept in the audit log")
    return checked_reason(value, field)


def checked_idempotency_key(value: str) -> str:
    """The key, which is required wherever the field exists."""
    if not value:
        raise Refusal(Code.IDEMPOTENCY_REQUIRED, "idempotency_key: is required, any unique text will do")
    return checked_text("idempotency_key", value, KEY_LENGTH_MAX)

"""Webhooks in: what one says, over HTTP and gRPC alike. Webhooks out: who subscribed to what."""

import base64
import re
from enum import IntEnum

import msgspec

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import DAY, Instant
from traffic_tacos.kernel.limits import WEBHOOK_HEADER_LENGTH_MAX, WEBHOOK_HEADERS_MAX
from traffic_tacos.kernel.signatures import SECRET_PREFIX

SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64  # Standard Webhooks, "Signature scheme"
OLD_SECRET_SIGNS_FOR = DAY
ATTEMPTS_MAX = 22
SECONDS_MAX = 30
OWN_PREFIX = "webhook-"
OWN_HEADERS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2: a token
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")  # RFC 9110, 5.5: no space around it


class PaymentNews(msgspec.Struct, frozen=True):
    """A provider's word on a payment. What the payment itself says decides; this only makes us look."""

    source: str
    webhook_id: str
    payment_intent_id: str
    reservation_id: str
    is_final: bool


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """The answer to a webhook, the same for every repeat."""

    correlation_id: str
    processed_at: Instant
    next_action: str


class PaymentBody(msgspec.Struct, frozen=True):
    """The part of a Standard Webhooks body that is read; the rest may grow."""

    class Data(msgspec.Struct, frozen=True):
        payment_intent_id: str
        reservation_id: str

    type: str
    data: Data


class EventType(IntEnum):
    """`gateway.v1.WebhookEventType`, number for number."""

    PAYMENT_APPROVED = 1
    PAYMENT_FAILED = 2
    PAYMENT_CANCELLED = 3
    RESERVATION_EXPIRED = 4
    SYSTEM_MAINTENANCE = 5


class Secret(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A secret that signs, from `until` on no longer; 0 means for good."""

    secret: str
    until: Instant = 0


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who subscribed to what, and where. `secrets` newest first; `gone_at` is when it answered 410."""

    id: str
    service_name: str
    url: str
    event_types: tuple[EventType, ...]
    secrets: tuple[Secret, ...]
    registered_by: str
    registered_at: Instant
    attempts_max: int = ATTEMPTS_MAX
    seconds: int = SECONDS_MAX
    headers: dict[str, str] = {}
    gone_at: Instant | None = None

    def signing(self, now: Instant) -> tuple[str, ...]:
        """The secrets that sign now: during a rotation both, so that a receiver may change over when it likes."""
        return tuple(secret.secret for secret in self.secrets if not secret.until or now < secret.until)


def registered(before: Endpoint | None, asked: Endpoint, now: Instant) -> Endpoint:
    """The endpoint as it is asked for. Under a new secret the old one goes on signing for a day.

    FORBIDDEN when another service has registered it.
    """
    if before is None:
        return asked
    if before.registered_by != asked.registered_by:
        raise Refusal(Code.FORBIDDEN, "endpoint_url: was registered by another service")
    current, new = before.secrets[0], asked.secrets[0]
    secrets = before.secrets
    if current.secret != new.secret:
        secrets = (new, msgspec.structs.replace(current, until=now + OLD_SECRET_SIGNS_FOR))
    return msgspec.structs.replace(asked, secrets=secrets, registered_at=before.registered_at)


def checked_secret(secret: str) -> str:
    """The secret, when it is `whsec_` and the base64 of 24 to 64 bytes. It is not repeated in the refusal."""
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except ValueError:  # no base64, or characters that are not even ASCII
        size = 0
    if not secret.startswith(SECRET_PREFIX) or not SECRET_BYTES_MIN <= size <= SECRET_BYTES_MAX:
        raise Refusal.of_field(
            "secret", f"must be {SECRET_PREFIX} and the base64 of {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes"
        )
    return secret


def checked_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers of a receiver's own; those that make a webhook what it is stay ours. What is taken here can be sent."""
    if len(headers) > WEBHOOK_HEADERS_MAX:
        raise Refusal.of_field("config.headers", f"must be at most {WEBHOOK_HEADERS_MAX}", len(headers))
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if len(name) + len(value) > WEBHOOK_HEADER_LENGTH_MAX:
            reason = f"must have at most {WEBHOOK_HEADER_LENGTH_MAX} characters each"
            raise Refusal.of_field("config.headers", reason, name)
        if _HEADER_NAME.fullmatch(name) is None:
            raise Refusal.of_field("config.headers", "must have names of letters, digits and !#$%&'*+-.^_`|~", name)
        if lower in OWN_HEADERS or lower.startswith(OWN_PREFIX):
            raise Refusal.of_field("config.headers", "must not be headers that the platform sets itself", name)
        if lower in seen:
            raise Refusal.of_field("config.headers", "must name each header once, whatever its case", name)
        if _HEADER_VALUE.fullmatch(value) is None:
            reason = "must have values of printable ASCII, without spaces at their beginning and end"
            raise Refusal.of_field("config.headers", reason, name)
        seen.add(lower)
    return headers

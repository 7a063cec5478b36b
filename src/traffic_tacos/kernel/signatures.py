"""Webhook signatures as Standard Webhooks defines them (standardwebhooks.com, "Signature scheme").

`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, under a secret written `whsec_` + base64.
The standard's own library reads the machine's clock to judge a timestamp; here the time is given.
"""

import base64
import hmac
from collections.abc import Sequence
from functools import lru_cache

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant

TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of secrets, not one
VERSION = "v1"
SECRETS_REMEMBERED = 1000  # as many as there may be endpoints


@lru_cache(maxsize=SECRETS_REMEMBERED)
def _begun(secret: str) -> hmac.HMAC:
    """A MAC under a secret, to be copied for each body: unlike `hmac.digest`, it does not give up the GIL for a small
    one, which costs more than the MAC while another thread has work.
    """
    return hmac.new(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), digestmod="sha256")


def sign(secret: str, webhook_id: str, timestamp_seconds: int, body: bytes) -> str:
    mac = _begun(secret).copy()
    mac.update(f"{webhook_id}.{timestamp_seconds}.".encode() + body)
    return f"{VERSION},{base64.b64encode(mac.digest()).decode()}"


def sign_all(secrets: Sequence[str], webhook_id: str, timestamp_seconds: int, body: bytes) -> str:
    """A signature under each secret, as the header has them while one replaces another."""
    return " ".join(sign(secret, webhook_id, timestamp_seconds, body) for secret in secrets)


def verify(
    secrets: Sequence[str], webhook_id: str, timestamp_seconds: int, body: bytes, signatures: str, now: Instant
) -> None:
    """Refuse with UNAUTHENTICATED, and say why, unless one of the signatures is right under one of the secrets
    and the time within 5 minutes.
    """
    off = round(now / SECOND - timestamp_seconds)
    if abs(now / SECOND - timestamp_seconds) > TOLERANCE_SECONDS:
        when = f"{off} seconds ago" if off > 0 else f"{-off} seconds ahead"
        raise Refusal(
            Code.UNAUTHENTICATED, f"timestamp: must be within {TOLERANCE_SECONDS} seconds of now; it is {when}"
        )
    if not is_signed(secrets, webhook_id, timestamp_seconds, body, given_in(signatures)):
        raise Refusal(
            Code.UNAUTHENTICATED, "signature: is of another id, time or body, or was made with another secret"
        )


def given_in(signatures: str) -> list[str]:
    """The signatures of a header that are of this scheme; UNAUTHENTICATED when there is none."""
    given = [signature for signature in signatures.split() if signature.startswith(f"{VERSION},")]
    if not given:
        raise Refusal(Code.UNAUTHENTICATED, f"signature: must have one that starts with `{VERSION},`")
    return given


def is_signed(
    secrets: Sequence[str], webhook_id: str, timestamp_seconds: int, body: bytes, given: Sequence[str]
) -> bool:
    """Whether one of the signatures is right under one of the secrets."""
    right = [sign(secret, webhook_id, timestamp_seconds, body).encode() for secret in secrets]
    # Each is compared with each, in constant time, so that timing tells nothing of which was nearly right.
    return bool(sum(hmac.compare_digest(one, other.encode()) for one in right for other in given))

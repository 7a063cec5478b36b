"""Webhook signatures as Standard Webhooks defines them (standardwebhooks.com, "Signature scheme").

`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, under a secret written `whsec_` + base64.
The standard's own library reads the machine's clock to judge a timestamp; here the time is given.
"""

import base64
import hmac

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant

TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of secrets, not one
VERSION = "v1"


def sign(secret: str, webhook_id: str, timestamp_seconds: int, body: bytes) -> str:
    signed = f"{webhook_id}.{timestamp_seconds}.".encode() + body
    mac = hmac.digest(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), signed, "sha256")
    return f"{VERSION},{base64.b64encode(mac).decode()}"


def verify(secret: str, webhook_id: str, timestamp_seconds: int, body: bytes, signatures: str, now: Instant) -> None:
    """Refuse with UNAUTHENTICATED unless one of the signatures is right and the time within 5 minutes."""
    if abs(now / SECOND - timestamp_seconds) > TOLERANCE_SECONDS:
        raise Refusal(Code.UNAUTHENTICATED, f"timestamp: must be within {TOLERANCE_SECONDS} seconds of now")
    right = sign(secret, webhook_id, timestamp_seconds, body).encode()
    # Every signature is compared, in constant time, so that timing tells nothing of which was nearly right.
    if not sum(hmac.compare_digest(right, given.encode()) for given in signatures.split()):
        raise Refusal(Code.UNAUTHENTICATED, "signature: is wrong")

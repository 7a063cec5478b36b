"""A webhook as work to be done: what rooms leave, in the commit that made it true, for whoever sends it.

Id and body are fixed here, once, so that they stay the same over all attempts.
"""

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from traffic_tacos.kernel.addresses import origin
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.ports.store import Job

PAYMENT_SOURCE = "payment-sim-api"  # who signs the webhooks about payments
AGAIN = "!again"  # the end of the id of a job that sends a message once more, on purpose


class Defect(StrEnum):
    """What is wrong with a webhook that is sent to test its receiver."""

    NONE = ""
    WRONG_SIGNATURE = "wrong_signature"
    OLD_TIMESTAMP = "old_timestamp"


def webhook_job(name: str, url: str, body: str, now: Instant, endpoint_id: str = "") -> Job:
    """The job that sends a body. `name` is the message's own, for ever; without a registered endpoint its
    group among the jobs is that of the URL's server.
    """
    payload = {"url": url, "body": body}
    if endpoint_id:
        payload["endpoint"] = endpoint_id
    return Job(f"{SEND_WEBHOOK}:{name}", SEND_WEBHOOK, now, payload, group=endpoint_id or origin(url))


def webhook_body(kind: str, data: object, at: Instant) -> str:
    """What is sent: its type, when it became true, and the facts."""
    timestamp = datetime.fromtimestamp(at / SECOND, UTC).isoformat()
    return msgspec.json.encode({"type": kind, "timestamp": timestamp, "data": data}).decode()


def message_id_of(job: Job) -> str:
    """The `webhook-id` of what a job sends; Standard Webhooks wants no full stop in it."""
    name = job.id.removeprefix(f"{SEND_WEBHOOK}:").removesuffix(AGAIN)
    return name.replace(":", "-").replace(".", "-")

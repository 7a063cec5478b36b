"""Webhooks out, one job each, as Standard Webhooks asks: the id and the body stay over all attempts, the
timestamp and so the signature are fresh for each.

None is lost, since the job was committed with what it reports. An endpoint has places of its own among the
jobs, and a circuit breaker: one that hangs or fails keeps nobody else waiting, and is not called for a while.
"""

import random
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from traffic_tacos.kernel import circuit, signatures
from traffic_tacos.kernel.circuit import BreakerPolicy, Circuit
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import HOUR, MINUTE, SECOND, Instant
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.http import HttpAnswer, HttpPost
from traffic_tacos.ports.jobs import Defer, PermanentFailure, PoolPolicy, TryAgainAt
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.store import Job
from traffic_tacos.ports.webhooks import Defect, message_id_of
from traffic_tacos.rooms.webhook.endpoints import ENDPOINT_PREFIX, ENDPOINTS_MAX, Endpoints
from traffic_tacos.rooms.webhook.model import ATTEMPTS_MAX, SECONDS_MAX, Endpoint

# Over a day, even if every pause came out shortest: the doubling ones make 4.5 hours, seven of the longest 21.
RETRY = RetryPolicy(pause_max=3 * HOUR, attempts_max=ATTEMPTS_MAX)
OWN, ENDPOINTS = "webhook to ourselves", "webhook to an endpoint"
# What the platform sends to itself shares nothing with what it sends to others. Every endpoint that can be registered
# has a place of its own; up to 7 more are taken from what all share. The rest goes to addresses that services name.
POOLS = {
    OWN: PoolPolicy(RETRY, running_max=64, group_max=64),
    ENDPOINTS: PoolPolicy(RETRY, running_max=256, group_max=8, reserved_max=ENDPOINTS_MAX),
    SEND_WEBHOOK: PoolPolicy(RETRY, running_max=64, group_max=8, reserved_max=256),
}
GONE = 410
SECONDS_DIGITS_MAX = 9
RETRY_AFTER_LENGTH_MAX = 64
CIRCUITS_MAX = 10_000
BREAKER = BreakerPolicy(failures_max=5, pause_first=30 * SECOND, pause_max=10 * MINUTE)


def pool_of(own_url: str) -> Callable[[Job], str]:
    """The pool of a job: its topic; of a webhook, whether it goes to ourselves, to an endpoint, or anywhere else."""

    def pool(job: Job) -> str:
        if job.topic != SEND_WEBHOOK:
            return job.topic
        if "endpoint" in job.payload:
            return ENDPOINTS
        return OWN if job.payload["url"] == own_url else SEND_WEBHOOK

    return pool


class NotDelivered(Fault):
    """The other side did not take the webhook."""


class Deliveries:
    """The secrets of `keyring` sign what goes to no registered endpoint. `own_url` is where the platform itself
    is notified of payments: no circuit breaker stands before that.
    """

    def __init__(
        self,
        clock: Clock,
        randomness: random.Random,
        endpoints: Endpoints,
        keyring: Keyring,
        post: HttpPost,
        own_url: str,
    ) -> None:
        self._pool_of = pool_of(own_url)
        self._endpoints = endpoints
        self._clock = clock
        self._random = randomness
        self._keyring = keyring
        self._post = post
        self._circuits: dict[str, Circuit] = {}

    def circuits(self) -> dict[str, Circuit]:
        """By endpoint: the id of a registered one, the origin of any other. Those of removed ones are forgotten."""
        for name in [name for name in self._circuits if name.startswith(ENDPOINT_PREFIX)]:
            if self._endpoints.get(name) is None:
                del self._circuits[name]
        return dict(self._circuits)

    async def send(self, job: Job) -> None:
        """One attempt; a fault when it was not taken, so that the job is tried again: when the other side asks
        for it, else with growing pauses for over a day. 410 says that nobody wants it any more.
        """
        endpoint = None
        if endpoint_id := job.payload.get("endpoint"):
            endpoint = self._endpoints.get(endpoint_id)
            if endpoint is None:
                self._circuits.pop(endpoint_id, None)
                return  # it was removed by who had registered it
        if endpoint is not None and endpoint.gone_at is not None:
            raise PermanentFailure(f"{endpoint.url} answered {GONE} before")
        group, url = job.group_name, job.payload["url"]
        seconds = SECONDS_MAX if endpoint is None else endpoint.seconds
        if self._pool_of(job) != OWN:
            self._ask(group, seconds)
        try:
            answer = await self._post(url, self._headers(job, endpoint), job.payload["body"].encode(), seconds)
        except Fault as fault:
            self._note(group, failure=str(fault))
            raise _last(job, endpoint, fault) from None
        if 200 <= answer.status < 300:
            self._note(group)
            return
        said = f"{url} answered {answer.status} {answer.said}".rstrip()
        self._note(group, failure=said)
        if answer.status == GONE:
            if endpoint is not None:
                await self._endpoints.gone(endpoint)
            raise PermanentFailure(said)
        raise _last(job, endpoint, self._not_taken(said, answer))

    def _ask(self, group: str, seconds: float) -> None:
        """Take note that an endpoint is asked now; Defer while its circuit is open."""
        known = self._circuits.get(group, Circuit())
        now = self._clock.now()
        asked = circuit.try_acquire(known, seconds, now)
        if asked is None:
            spread = round(self._random.uniform(0, circuit.pause(known, BREAKER)))
            raise Defer(f"{group} has failed {known.failures} times in a row", known.open_until + spread)
        self._circuits[group] = asked

    def _note(self, group: str, *, failure: str = "") -> None:
        now, known = self._clock.now(), self._circuits.pop(group, Circuit())
        self._circuits[group] = (
            circuit.failed(known, failure, now, BREAKER) if failure else circuit.succeeded(known, now)
        )
        while len(self._circuits) > CIRCUITS_MAX:
            del self._circuits[next(iter(self._circuits))]  # the one that was asked longest ago

    def _headers(self, job: Job, endpoint: Endpoint | None) -> dict[str, str]:
        message_id, now = message_id_of(job), self._clock.now()
        defect = Defect(job.payload.get("defect", ""))
        now_seconds = now // SECOND
        if defect is Defect.OLD_TIMESTAMP:
            now_seconds -= signatures.TOLERANCE_SECONDS + 60
        secrets = self._keyring.webhook if endpoint is None else endpoint.signing(now)
        body = job.payload["body"] + (" " if defect is Defect.WRONG_SIGNATURE else "")
        return {
            **({} if endpoint is None else endpoint.headers),
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(now_seconds),
            "webhook-signature": signatures.sign_all(secrets, message_id, now_seconds, body.encode()),
            "webhook-attempt": str(job.attempts + 1),
        }

    def _not_taken(self, said: str, answer: HttpAnswer) -> Fault:
        again_at = _retry_at(answer.retry_after, self._clock.now())
        return NotDelivered(said) if again_at is None else TryAgainAt(said, again_at)


def _last(job: Job, endpoint: Endpoint | None, fault: Fault) -> Fault:
    """The fault, or the end of it: an endpoint may want fewer attempts than others."""
    is_last = endpoint is not None and job.attempts + 1 >= endpoint.attempts_max
    return PermanentFailure(str(fault)) if is_last else fault


def _retry_at(header: str, now: Instant) -> Instant | None:
    """When Retry-After asks to come back (RFC 9110, 10.2.3): in so many seconds, or at a date. None where it says
    nothing that can be understood: whatever a receiver writes there, its attempts are counted.
    """
    header = header[:RETRY_AFTER_LENGTH_MAX]
    if header.isascii() and header.isdigit():
        return now + int(header[:SECONDS_DIGITS_MAX]) * SECOND
    try:
        return round(parsedate_to_datetime(header).timestamp() * SECOND)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None

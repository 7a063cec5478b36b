"""Who subscribed to what: registered, notified of everything that becomes true, removed."""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from traffic_tacos.kernel.addresses import Network, checked_url
from traffic_tacos.kernel.calls import Call, Role
from traffic_tacos.kernel.domain_events import DomainEvent, PaymentChanged, ReservationChanged, SettingChanged
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id, derived_id
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.kernel.webhook_types import MAINTENANCE as OF_MAINTENANCE
from traffic_tacos.kernel.webhook_types import OF_PAYMENT, OF_RESERVATION, WEBHOOK_TYPES, WebhookType
from traffic_tacos.ports import settings
from traffic_tacos.ports.audit import CHAIN_END, audited, entry_of
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import (
    COMMIT_RECORDS_MAX,
    JOB,
    Decision,
    Job,
    Key,
    Store,
    View,
    Write,
    delete,
    in_commits,
    parts_of,
    put,
    remove,
)
from traffic_tacos.ports.webhooks import webhook_body, webhook_job
from traffic_tacos.rooms.webhook import model
from traffic_tacos.rooms.webhook.model import Endpoint, EventType, Secret
from traffic_tacos.rooms.webhook.records import ENDPOINT, endpoint_key

ENDPOINTS_MAX = 1000
JOBS_DROPPED_AT_ONCE_MAX = COMMIT_RECORDS_MAX
ENDPOINT_PREFIX = "whk"  # how the id of an endpoint begins
JSON = "application/json"
TYPES = {EventType(one.subscribed_as): one.name for one in WEBHOOK_TYPES if one.subscribed_as}


class Register(msgspec.Struct, frozen=True):
    """`retry_count` and `timeout_seconds` 0: as many, and as long, as may be."""

    service_name: str
    url: str
    event_types: tuple[int, ...]
    secret: str
    retry_count: int
    timeout_seconds: int
    headers: dict[str, str]
    content_type: str


class Endpoints:
    """`networks` are those that webhooks may reach besides public addresses."""

    def __init__(self, store: Store, clock: Clock, networks: tuple[Network, ...]) -> None:
        self._store = store
        self._clock = clock
        self._networks = networks
        self._known: dict[str, Endpoint] = {}

    async def load(self) -> None:
        """Take up what was registered before."""
        for _, endpoint in await self._store.scan(ENDPOINT.prefix(), limit=ENDPOINTS_MAX):
            self._known[endpoint.id] = endpoint

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit: endpoints that were changed or removed in it, by whomever."""
        for kind, path, endpoint in writes:
            if kind is ENDPOINT:
                if endpoint is None:
                    self._known.pop(parts_of(path)[-1], None)
                else:
                    self._known[endpoint.id] = endpoint

    def all(self) -> list[Endpoint]:
        return list(self._known.values())

    def get(self, endpoint_id: str) -> Endpoint | None:
        return self._known.get(endpoint_id)

    def of_service(self, service_name: str) -> list[Endpoint]:
        return [endpoint for endpoint in self._known.values() if endpoint.service_name == service_name]

    async def register(self, request: Register, call: Call) -> Endpoint:
        """An endpoint, registered or changed. The same service and URL are the same endpoint."""
        asked = self._asked(request, call)
        key = endpoint_key(asked.id)
        if asked.id not in self._known and len(self._known) >= ENDPOINTS_MAX:
            raise Refusal(Code.QUOTA_EXCEEDED, f"endpoint_url: there are {ENDPOINTS_MAX} endpoints already")

        entry = entry_of(call, asked.registered_at, "register endpoint", asked.id, "", new=asked.url)

        def decide(view: View) -> Decision[Endpoint]:
            after = model.registered(view.get(key), asked, asked.registered_at)
            return Decision(after, (put(key, after), *audited(view, entry)))

        return await self._store.transact((key, CHAIN_END), decide)

    async def remove(self, endpoint_id: str, reason: str, call: Call) -> None:
        """Send it nothing any more, also nothing that was yet to be sent."""
        key = endpoint_key(checked_id("endpoint_id", endpoint_id))
        entry = entry_of(call, self._clock.now(), "remove endpoint", endpoint_id, reason)

        def decide(view: View) -> Decision[None]:
            known = view.get(key)
            if known is None or (call.caller.role is not Role.ADMIN and call.caller.name != known.registered_by):
                raise Refusal(Code.NOT_FOUND, f"endpoint_id: there is no endpoint {endpoint_id}")
            gone = msgspec.structs.replace(entry, old=known.url)
            return Decision(None, (delete(key), *audited(view, gone)))

        await self._store.transact((key, CHAIN_END), decide)
        await self._drop_jobs(endpoint_id)

    async def _drop_jobs(self, endpoint_id: str) -> None:
        """What was yet to be sent to it, and what could not be delivered, goes with it."""
        jobs = JOB.prefix()
        after: Key[Job] | None = JOB.key(f"{SEND_WEBHOOK}:{endpoint_id}:")
        while page := await self._store.scan(jobs, after=after, limit=JOBS_DROPPED_AT_ONCE_MAX):
            own = [key for key, job in page if job.payload.get("endpoint") == endpoint_id]
            await remove(self._store, own)
            if len(own) < len(page):
                return  # their ids begin with the endpoint's, so they stand together
            after = page[-1][0]

    async def gone(self, endpoint: Endpoint) -> None:
        """It answered 410: it gets nothing until it is registered again."""
        key, now = endpoint_key(endpoint.id), self._clock.now()

        def decide(view: View) -> Decision[Endpoint | None]:
            known = view.get(key)
            if known is None or known != endpoint:
                return Decision(known)
            after = msgspec.structs.replace(known, gone_at=now)
            return Decision(after, (put(key, after),))

        await self._store.transact((key,), decide)

    async def handle(self, event: DomainEvent) -> None:
        """Notify of an event whoever subscribed to it. Handled again, it makes the same jobs under the same ids."""
        if not self._known:
            return
        webhook, data = _webhook_of(event)
        if webhook is None or not webhook.subscribed_as:
            return
        kind = EventType(webhook.subscribed_as)
        wanting = [one for one in self._known.values() if kind in one.event_types]
        jobs = [self._job(endpoint, kind, data) for endpoint in wanting]
        for some in in_commits(jobs):
            await self._store.transact([JOB.key(job.id) for job in some], partial(_with_new, some))

    def _job(self, endpoint: Endpoint, kind: EventType, data: Mapping[str, str]) -> Job:
        now = self._clock.now()
        body = webhook_body(TYPES[kind], data, now)
        name = derived_id("msg", endpoint.id, kind.name, *data.values())
        return webhook_job(f"{endpoint.id}:{name}", endpoint.url, body, now, endpoint.id)

    def _asked(self, request: Register, call: Call) -> Endpoint:
        service_name = checked_id("service_name", request.service_name)
        url = checked_url("endpoint_url", request.url, self._networks)
        known = {kind.value for kind in EventType}
        if not request.event_types or not set(request.event_types) <= known:
            names = ", ".join(kind.name for kind in EventType)
            raise Refusal.of_field("event_types", f"must be some of {names}", list(request.event_types))
        if not 0 <= request.retry_count < model.ATTEMPTS_MAX:
            raise Refusal.of_field("config.retry_count", f"must be 0 to {model.ATTEMPTS_MAX - 1}", request.retry_count)
        if not 0 <= request.timeout_seconds <= model.SECONDS_MAX:
            raise Refusal.of_field(
                "config.timeout_seconds", f"must be 0 to {model.SECONDS_MAX}", request.timeout_seconds
            )
        if request.content_type not in ("", JSON):
            raise Refusal.of_field("config.content_type", f"must be {JSON}", request.content_type)
        return Endpoint(
            id=derived_id(ENDPOINT_PREFIX, service_name, url),
            service_name=service_name,
            url=url,
            event_types=tuple(sorted({EventType(kind) for kind in request.event_types})),
            secrets=(Secret(model.checked_secret(request.secret)),),
            registered_by=call.caller.name,
            registered_at=self._clock.now(),
            attempts_max=request.retry_count + 1 if request.retry_count else model.ATTEMPTS_MAX,
            seconds=request.timeout_seconds or model.SECONDS_MAX,
            headers=model.checked_headers(request.headers),
        )


def _with_new(jobs: Sequence[Job], view: View) -> Decision[None]:
    return Decision(None, jobs=[job for job in jobs if view.get(JOB.key(job.id)) is None])


def _webhook_of(event: DomainEvent) -> tuple[WebhookType | None, dict[str, str]]:
    """What an event is to endpoints, and what it says to them."""
    match event:
        case PaymentChanged():
            data = {"payment_intent_id": event.payment_intent_id, "reservation_id": event.reservation_id}
            return OF_PAYMENT.get(event.new), {**data, "user_id": event.user_id, "status": event.new.name}
        case ReservationChanged():
            data = {"reservation_id": event.reservation_id, "event_id": event.event_id}
            return OF_RESERVATION.get(event.new), {**data, "user_id": event.user_id, "status": event.new.name}
        case SettingChanged(name=settings.MAINTENANCE):
            status = "STARTED" if event.new else "OVER"
            return OF_MAINTENANCE, {"status": status, "message": event.new or event.old, "at": str(event.at)}
    return None, {}

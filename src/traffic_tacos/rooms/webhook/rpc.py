"""WebhookService on the wire."""

from collections import Counter

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import webhook_pb2 as pb
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as own
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.circuit import Circuit
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.kernel.webhook_types import WEBHOOK_TYPES
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.jobs import Jobs
from traffic_tacos.rooms.webhook.deliveries import Deliveries
from traffic_tacos.rooms.webhook.endpoints import Endpoints, Register
from traffic_tacos.rooms.webhook.model import Endpoint, PaymentNews
from traffic_tacos.rooms.webhook.service import Webhooks

JOBS_COUNTED_MAX = 100_000
_FINAL = frozenset(one.received_as for one in WEBHOOK_TYPES if one.received_as)


class WebhookRpc:
    def __init__(self, webhooks: Webhooks, endpoints: Endpoints, clock: Clock) -> None:
        self._webhooks = webhooks
        self._endpoints = endpoints
        self._clock = clock

    async def ReceivePaymentWebhook(self, request: pb.PaymentWebhookRequest, call: Call) -> pb.PaymentWebhookResponse:
        timestamp = wire.instant(request, "timestamp")
        if timestamp is None:
            raise Refusal.of_field("timestamp", "is required")
        data = request.data
        receipt = await self._webhooks.receive(
            PaymentNews(
                request.source,
                request.webhook_id,
                data.payment_intent_id,
                data.reservation_id,
                request.event_type in _FINAL,
            ),
            timestamp // SECOND,
            data.SerializeToString(deterministic=True),
            request.signature,
        )
        return pb.PaymentWebhookResponse(
            accepted=True,
            correlation_id=receipt.correlation_id,
            processed_at=wire.timestamp(receipt.processed_at),
            next_action=receipt.next_action,
        )

    async def ReceiveExpiryWebhook(self, request: pb.ExpiryWebhookRequest, call: Call) -> pb.ExpiryWebhookResponse:
        wire.instant(request, "expired_at")  # the reservation's own deadline decides; a wrong time is refused
        receipt = await self._webhooks.receive_expiry(request.source, request.webhook_id, request.reservation_id, call)
        return pb.ExpiryWebhookResponse(
            accepted=True, correlation_id=receipt.correlation_id, processed_at=wire.timestamp(receipt.processed_at)
        )

    async def RegisterWebhook(self, request: pb.RegisterWebhookRequest, call: Call) -> pb.RegisterWebhookResponse:
        config = request.config
        endpoint = await self._endpoints.register(
            Register(
                request.service_name,
                request.endpoint_url,
                tuple(request.event_types),
                request.secret,
                config.retry_count,
                config.timeout_seconds,
                dict(config.headers),
                config.content_type,
            ),
            call,
        )
        return pb.RegisterWebhookResponse(
            webhook_id=endpoint.id, registered=True, registered_at=wire.timestamp(endpoint.registered_at)
        )

    def ValidateWebhook(self, request: pb.ValidateWebhookRequest, call: Call) -> pb.ValidateWebhookResponse:
        payload = request.payload.encode()
        valid, reason = self._webhooks.validate(request.webhook_id, payload, request.signature)
        return pb.ValidateWebhookResponse(valid=valid, reason=reason, validated_at=wire.timestamp(self._clock.now()))


class EndpointRpc:
    """EndpointService: how the endpoints are doing."""

    def __init__(self, endpoints: Endpoints, deliveries: Deliveries, jobs: Jobs) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._jobs = jobs

    async def ListEndpoints(self, request: own.ListEndpointsRequest, call: Call) -> own.ListEndpointsResponse:
        waiting, dead = Counter[str](), Counter[str]()
        for view in await self._jobs.show("", SEND_WEBHOOK, JOBS_COUNTED_MAX):
            (dead if view.job.is_dead else waiting)[view.job.group_name] += 1
        circuits = self._deliveries.circuits()
        registered = {endpoint.id: endpoint for endpoint in self._endpoints.all()}
        names = sorted({*registered, *circuits, *waiting, *dead})
        return own.ListEndpointsResponse(
            endpoints=[
                _endpoint(name, registered.get(name), circuits.get(name, Circuit()), waiting[name], dead[name])
                for name in names
            ]
        )

    async def RemoveEndpoint(self, request: own.RemoveEndpointRequest, call: Call) -> own.RemoveEndpointResponse:
        await self._endpoints.remove(request.endpoint_id, request.reason, call)
        return own.RemoveEndpointResponse()


def _endpoint(name: str, endpoint: Endpoint | None, circuit: Circuit, waiting: int, dead: int) -> own.Endpoint:
    shown = own.Endpoint(
        endpoint_id=name,
        endpoint_url=name,
        waiting=waiting,
        dead=dead,
        delivered=circuit.succeeded,
        failed=circuit.failed,
        failures=circuit.failures,
        open_until=wire.timestamp(circuit.open_until if circuit.is_open else None),
        last_error=circuit.last_error,
        last_delivered_at=wire.timestamp(circuit.last_succeeded_at),
    )
    if endpoint is not None:
        shown.MergeFrom(
            own.Endpoint(
                service_name=endpoint.service_name,
                endpoint_url=endpoint.url,
                event_types=[kind.value for kind in endpoint.event_types],  # type: ignore[misc]  # same numbers
                registered_at=wire.timestamp(endpoint.registered_at),
                gone_at=wire.timestamp(endpoint.gone_at),
            )
        )
    return shown

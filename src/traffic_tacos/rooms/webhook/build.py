"""What webhooks bring to a platform."""

from collections.abc import Mapping

from traffic_tacos.gen.gateway.v1 import webhook_pb2
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as own_pb2
from traffic_tacos.kernel import paths
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.ports.webhooks import PAYMENT_SOURCE
from traffic_tacos.rooms.webhook.clients import PaymentClient, ReservationClient, WorkerClient
from traffic_tacos.rooms.webhook.deliveries import Deliveries
from traffic_tacos.rooms.webhook.endpoints import Endpoints
from traffic_tacos.rooms.webhook.records import ENDPOINT
from traffic_tacos.rooms.webhook.rpc import EndpointRpc, WebhookRpc
from traffic_tacos.rooms.webhook.service import Webhooks
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    endpoints = Endpoints(on.store, on.clock, on.networks)
    reservations, worker = ReservationClient(upstream), WorkerClient(upstream)
    payments = PaymentClient(upstream)
    webhooks = Webhooks(
        on.store, on.clock, PAYMENT_SOURCE, on.keyring, endpoints, reservations, on.payment_results, worker, payments
    )
    deliveries = Deliveries(on.clock, on.randomness, endpoints, on.keyring, on.post, on.webhook_url)
    rpc, own_rpc = WebhookRpc(webhooks, endpoints, on.clock), EndpointRpc(endpoints, deliveries, on.jobs)

    async def payment_webhook(headers: Mapping[str, str], body: bytes) -> object:
        return await webhooks.receive_http(PAYMENT_SOURCE, headers, body)

    return Room(
        services=(
            Service(rpc, webhook_pb2.DESCRIPTOR.services_by_name["WebhookService"]),
            Service(own_rpc, own_pb2.DESCRIPTOR.services_by_name["EndpointService"]),
        ),
        handlers={SEND_WEBHOOK: deliveries.send},
        forwarders=(endpoints.handle,),
        receivers={paths.PAYMENT_WEBHOOKS: payment_webhook},
        load=endpoints.load,
        committed={ENDPOINT: endpoints.committed},
        parts=(endpoints,),
    )

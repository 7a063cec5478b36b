"""WebhookService on the wire."""

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import webhook_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.webhook.model import PaymentNews
from traffic_tacos.rooms.webhook.service import Webhooks

_FINAL = frozenset(
    {
        pb.PAYMENT_WEBHOOK_TYPE_APPROVED,
        pb.PAYMENT_WEBHOOK_TYPE_FAILED,
        pb.PAYMENT_WEBHOOK_TYPE_CANCELLED,
        pb.PAYMENT_WEBHOOK_TYPE_REFUNDED,
    }
)


class WebhookRpc:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

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

"""Webhook records: the receipt of each one that was taken, by source and id; who subscribed to what."""

from traffic_tacos.ports.store import Key, Kind
from traffic_tacos.rooms.webhook.model import Endpoint, Receipt

RECEIPT = Kind("webhook_receipt", Receipt)
ENDPOINT = Kind("webhook_endpoint", Endpoint)


def receipt_key(source: str, webhook_id: str) -> Key[Receipt]:
    return RECEIPT.key(source, webhook_id)


def endpoint_key(endpoint_id: str) -> Key[Endpoint]:
    return ENDPOINT.key(endpoint_id)

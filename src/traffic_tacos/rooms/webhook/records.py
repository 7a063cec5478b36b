"""Webhook records: the receipt of each one that was taken, by source and id."""

from traffic_tacos.ports.store import Key, Kind
from traffic_tacos.rooms.webhook.model import Receipt

RECEIPT = Kind("webhook_receipt", Receipt)


def receipt_key(source: str, webhook_id: str) -> Key[Receipt]:
    return RECEIPT.key(source, webhook_id)

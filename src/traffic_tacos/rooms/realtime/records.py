"""Realtime records: messages that wait for their reader, under `message/user|session/NAME/ID`, oldest first."""

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, Kind, Prefix
from traffic_tacos.rooms.realtime.model import Message

MESSAGE = Kind("message", Message)


def message_key(target: tuple[str, str], sent_at: Instant, message_id: str) -> Key[Message]:
    return MESSAGE.key(*target, f"{sent_at:014d}", message_id)


def messages_for(target: tuple[str, str]) -> Prefix[Message]:
    return MESSAGE.prefix(*target)

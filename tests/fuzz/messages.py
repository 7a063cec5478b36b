"""Messages and bodies that nobody would send: random values in every field, and right bytes changed."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

TEXTS = (
    "",
    "a",
    "\x00",
    "é" * 50,
    "x" * 3000,
    "../..",
    "%2F",
    "1",
    "-1",
    "' OR 1=1",
    "whsec_AAAA",
    "http://[",
    "\u202e",
)
NUMBERS = (0, 1, -1, 2, 7, 100, 2**31 - 1, -(2**31))
WIDE = (0, 1, -1, 100000, 2**62, -(2**63))

Known = Mapping[str, Sequence[str]]  # what the platform knows, by the names of the fields that ask for it


def filled(message_type: Any, chance: random.Random, known: Known, depth: int = 0) -> Any:
    """A message with some of its fields set: to what is known to the platform, or to nonsense."""
    message = message_type()
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING:
                getattr(message, field.name)[chance.choice(TEXTS)] = chance.choice(TEXTS)
        elif field.message_type is not None:
            if depth < 3 and not field.is_repeated:
                sub = getattr(message, field.name)
                sub.CopyFrom(filled(type(sub), chance, known, depth + 1))
        elif field.is_repeated:
            getattr(message, field.name).extend(
                value(field, chance, known) for _ in range(chance.choice([0, 1, 2, 30]))
            )
        else:
            setattr(message, field.name, value(field, chance, known))
    return message


def value(field: FieldDescriptor, chance: random.Random, known: Known) -> Any:
    kind = field.type
    if kind == FieldDescriptor.TYPE_STRING:
        return chance.choice(known[field.name] if field.name in known and chance.random() < 0.7 else TEXTS)
    if kind == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    if kind == FieldDescriptor.TYPE_BYTES:
        return chance.randbytes(5)
    if kind in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return chance.choice([0.0, -1.5, float("inf"), float("nan")])
    if kind == FieldDescriptor.TYPE_ENUM:
        return chance.choice([0, 1, 2, 3, 99])
    return chance.choice(WIDE if kind == FieldDescriptor.TYPE_INT64 else NUMBERS)


def body_of(message: Any, chance: random.Random) -> bytes:
    """The message as JSON or protobuf, right or with some bytes changed, or cut short."""
    if chance.random() < 0.5:
        try:
            body = json_format.MessageToJson(message).encode()
        except (ValueError, TypeError, json_format.Error):
            body = json.dumps({"a": [1, {"b": None}]}).encode()
    else:
        body = message.SerializeToString()
    return changed(body, chance, chance.choice([0, 0, 1, 5]))


def changed(body: bytes, chance: random.Random, times: int) -> bytes:
    """The bytes with so many of them changed, and now and then all but three cut off."""
    after = bytearray(body)
    for _ in range(times):
        if after:
            after[chance.randrange(len(after))] = chance.randrange(256)
    return bytes(after[: chance.choice([len(after), len(after), 3])])

"""ProtoJSON of every message of the contract, held against protobuf's own json_format."""

import importlib
import json
import pkgutil
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from tests.fuzz.messages import value
from traffic_tacos import gen
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.transport import protojson


def _within(message: Descriptor) -> Iterator[Descriptor]:
    yield message
    for inner in message.nested_types:
        if not inner.GetOptions().map_entry:
            yield from _within(inner)


FILES = [
    importlib.import_module(one.name).DESCRIPTOR
    for one in pkgutil.walk_packages(gen.__path__, f"{gen.__name__}.")
    if one.name.endswith("_pb2")
]
MESSAGES = {one.full_name: one for file in FILES for top in file.message_types_by_name.values() for one in _within(top)}


def _filled(message: Any, chance: random.Random, depth: int = 0) -> Any:
    """The message with about every second of its fields set, down to messages within messages."""
    if isinstance(message, Timestamp):
        message.seconds = chance.choice([0, -1, 1_767_225_600, 253_402_300_799, -62_135_596_800])
        message.nanos = chance.choice([0, 1, 1_000, 1_000_000, 120_000_000, 999_999_999])
        return message
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.5 or depth == 4:
            continue
        within = getattr(message, field.name)
        if field.message_type is None:
            if field.is_repeated:
                within.extend(value(field, chance, {}) for _ in range(3))
            else:
                setattr(message, field.name, value(field, chance, {}))
        elif field.message_type.GetOptions().map_entry:
            to = field.message_type.fields_by_name["value"]
            for key in ("", "a", "é"):
                if to.message_type is None:
                    within[key] = value(to, chance, {})
                else:
                    _filled(within[key], chance, depth + 1)
        elif field.is_repeated:
            for _ in range(3):
                _filled(within.add(), chance, depth + 1)
        else:
            within.SetInParent()
            _filled(within, chance, depth + 1)
    return message


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_shown_as_json_format_shows_it(name):
    chance, message_type = random.Random(name), GetMessageClass(MESSAGES[name])
    for _ in range(20):
        message = _filled(message_type(), chance)
        for keeps_names in (False, True):
            shown = json_format.MessageToDict(message, preserving_proto_field_name=keeps_names)
            found = protojson.shown(message, keeps_names=keeps_names)
            assert json.dumps(found) == json.dumps(shown)
        assert json.loads(msgspec.json.encode(protojson.shown(message))) == json.loads(
            json_format.MessageToJson(message)
        )


def _outcome(read: Any) -> tuple[str, bytes]:
    try:
        return "", read().SerializeToString(deterministic=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}", b""


WRONG = (None, 1, 1.5, True, "", "a", "\ud800", "1", "1970-01-01T00:00:00Z", [], ["a"], [None], {}, {"a": "b"})


@pytest.mark.parametrize("name", MESSAGES)
def test_an_object_is_read_as_json_format_reads_it_and_refused_in_its_words(name):
    chance, message_type = random.Random(name), GetMessageClass(MESSAGES[name])
    bodies = [json_format.MessageToDict(_filled(message_type(), chance)) for _ in range(5)]
    names = [name for field in MESSAGES[name].fields for name in (field.name, field.json_name)]
    bodies += [{one: wrong} for one in names for wrong in WRONG]
    bodies += [{field.name: "a", field.json_name: "a", "unknown": 1} for field in MESSAGES[name].fields]
    bodies += [{field.name: "a", field.json_name: other} for field in MESSAGES[name].fields for other in ("b", None)]
    bodies += [{one: "a" for one in names if chance.random() < 0.5} for _ in range(5)]
    for body in bodies:
        theirs = _outcome(lambda body=body: json_format.ParseDict(body, message_type(), ignore_unknown_fields=True))
        assert _outcome(lambda body=body: protojson.read(body, message_type)) == theirs, body


def test_what_there_is_no_name_or_no_date_for_is_as_json_format_has_it():
    assert protojson.shown(queue_pb2.RequestAdmissionResponse(admission=99)) == {"admission": 99}
    with pytest.raises(ValueError, match="anos"):
        protojson.shown(queue_pb2.GetQueueStatusResponse(expires_at=Timestamp(nanos=-1)))


def test_messages_of_the_usual_kinds_are_not_left_to_json_format(monkeypatch):
    monkeypatch.setattr(json_format, "MessageToDict", None)
    monkeypatch.setattr(json_format, "ParseDict", None)
    status = queue_pb2.GetQueueStatusResponse(position=3, expires_at=Timestamp(seconds=5))
    assert protojson.shown(status)["position"] == 3
    asked = protojson.read({"waitingToken": "a"}, queue_pb2.GetQueueStatusRequest)
    assert asked.waiting_token == "a"

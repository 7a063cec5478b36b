"""Messages in ProtoJSON, as protobuf's json_format has them (protobuf.dev/programming-guides/json): the same fields in
the same order.

What json_format finds out of a message's type with every message is found out once here, for the kinds of fields that
nearly all messages are made of. A message with a field of any other kind, and a request that is more than a few texts,
are left to json_format.
"""

import base64
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from traffic_tacos.kernel.instants import SECOND

_Shown: TypeAlias = Callable[[Any], Any]
_NANOS_OF_MS = 1_000_000
_PLAIN = {
    FieldDescriptor.TYPE_STRING,
    FieldDescriptor.TYPE_BOOL,
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_UINT32,
}
_BY_KIND: dict[int, _Shown] = {
    FieldDescriptor.TYPE_INT64: str,
    FieldDescriptor.TYPE_UINT64: str,
    FieldDescriptor.TYPE_BYTES: lambda value: base64.b64encode(value).decode(),
}


def shown(message: Any, *, keeps_names: bool = False) -> dict[str, Any]:
    """The message as what JSON has; with `keeps_names` under its fields' names as the contract has them."""
    fields = _fields(message.DESCRIPTOR, keeps_names)
    if fields is None:
        as_it_is: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=keeps_names)
        return as_it_is
    found = {}
    for field, value in message.ListFields():
        name, show = fields[field.number]
        found[name] = value if show is None else show(value)
    return found


def read(fields: dict[str, Any], message_type: type[Any]) -> Any:
    """The message that an object of JSON is, but for unknown fields. Raises what json_format does where it is none."""
    names = _texts(message_type.DESCRIPTOR)
    try:
        return message_type(**{names[name]: value for name, value in fields.items()})
    except (KeyError, TypeError, ValueError):
        # It is more than texts, or wrong: then json_format says how.
        return json_format.ParseDict(fields, message_type(), ignore_unknown_fields=True)


@cache
def _fields(message: Descriptor, keeps_names: bool) -> dict[int, tuple[str, _Shown | None]] | None:
    """What each field is called and how its value is shown, by the field's number; None where one is of a kind that
    json_format has to show.
    """
    try:
        return {
            field.number: (field.name if keeps_names else field.json_name, _each(field, keeps_names))
            for field in message.fields
        }
    except KeyError:
        return None


def _each(field: FieldDescriptor, keeps_names: bool) -> _Shown | None:
    """How a field's value is shown, or its values; None where that is as it is. A KeyError where nothing here can."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        if key.type != FieldDescriptor.TYPE_STRING or value.type not in _PLAIN:
            raise KeyError(field.full_name)
        return dict
    show = _one(field, keeps_names)
    if not field.is_repeated:
        return show
    return list if show is None else lambda values: [show(value) for value in values]


def _one(field: FieldDescriptor, keeps_names: bool) -> _Shown | None:
    if field.type in _PLAIN:
        return None
    if field.enum_type is not None:
        names = {number: value.name for number, value in field.enum_type.values_by_number.items()}
        return lambda number: names.get(number, number)
    if field.message_type is None:
        return _BY_KIND[field.type]
    if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        return _time
    if field.message_type.file.package.startswith("google."):
        raise KeyError(field.full_name)
    return lambda message: shown(message, keeps_names=keeps_names)


def _time(value: Timestamp) -> str:
    ms, finer = divmod(value.nanos, _NANOS_OF_MS)
    if finer or not 0 <= ms < SECOND:
        return value.ToJsonString()
    return f"{_second(value.seconds)}.{ms:03d}Z" if ms else f"{_second(value.seconds)}Z"


@lru_cache(4096)
def _second(seconds: int) -> str:
    """The date and time of a second; most of the times that are told lie within the same hour."""
    return Timestamp(seconds=seconds).ToJsonString().removesuffix("Z")


@cache
def _texts(message: Descriptor) -> dict[str, str]:
    """The fields that are one text each, by the two names that each has in JSON."""
    texts = [
        field
        for field in message.fields
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated and field.containing_oneof is None
    ]
    return {name: field.name for field in texts for name in (field.name, field.json_name)}

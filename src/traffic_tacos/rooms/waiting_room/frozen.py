"""A line's model as plain values, and back: for whoever goes on from where another process was. Pure.

Every field is copied, whatever it is called, so that none can be forgotten: two models with the same fields do the
same from then on. The draw alone is left to whoever has its key.
"""

from array import array
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from traffic_tacos.rooms.waiting_room.draw import Draw
from traffic_tacos.rooms.waiting_room.model import LineModel, Turn
from traffic_tacos.rooms.waiting_room.values import Admission, Limits


def freeze(model: LineModel) -> dict[str, Any]:
    """Its fields by name, of what msgpack has."""
    return {name: _frozen(value) for name, value in vars(model).items() if name != "_draw"}


def thaw(fields: Mapping[str, Any], draw: Draw | None) -> LineModel:
    """The model that was frozen; the values are its own from now on."""
    model = LineModel(Limits(*fields["limits"]), draw)
    _fill(model, fields)
    return model


def _frozen(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return value
        case bytearray():
            return bytes(value)
        case array():
            return value.tobytes()
        case dict():
            return [[key, _frozen(one)] for key, one in value.items()]
        case set():
            return sorted(value)
        case list() | tuple() | deque():
            return [_frozen(one) for one in value]
        case msgspec.Struct():
            return [_frozen(one) for one in msgspec.structs.astuple(value)]
    return {name: _frozen(one) for name, one in vars(value).items()}


def _turn(fields: list[Any]) -> Turn:
    return Turn(**dict(zip(Turn.__struct_fields__, fields, strict=True)))


# What is in a container, where it is not what msgpack makes of it.
_ELEMENTS: dict[str, Callable[[Any], Any]] = {
    "_turns": _turn,
    "_turn_ends": tuple,
    "_ends": tuple,
    "_happened": tuple,
    "_live": lambda fields: Admission(*fields),
    "_filed": lambda numbers: array("I", numbers),
}


def _fill(new: Any, fields: Mapping[str, Any]) -> None:
    """Into an object as it is when it is new, whose fields have the right types already."""
    for name, value in fields.items():
        fresh, element = getattr(new, name), _ELEMENTS.get(name, _same)
        match fresh:
            case bytearray():
                value = bytearray(value)
            case array():
                value = array(fresh.typecode, value)
            case dict():
                value = {key: element(one) for key, one in value}
            case set():
                value = set(value)
            case deque():
                value = deque(map(element, value), fresh.maxlen)
            case list():
                value = list(map(element, value))
            case msgspec.Struct():
                value = type(fresh)(*value)
            case None | bool() | int() | float() | str() | bytes():
                pass
            case _:
                _fill(fresh, value)
                continue
        setattr(new, name, value)


def _same(value: Any) -> Any:
    return value

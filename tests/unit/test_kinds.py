"""Records of every kind: which are read again before they are kept, and what none of them is."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import msgspec
import pytest

from traffic_tacos.app.config import ROOMS
from traffic_tacos.kernel.domain_events import TOPICS
from traffic_tacos.ports.store import Kind


class Point(msgspec.Struct, frozen=True):
    x: float = 0.0


class Seat(msgspec.Struct, frozen=True):
    id: str = ""
    at: Point | None = None


class House(msgspec.Struct, frozen=True):
    seats: tuple[Seat, ...] = ()
    by_name: dict[str, Seat] = {}


INFINITE = Seat(at=Point(float("inf")))


@pytest.mark.parametrize(
    ("record", "value"),
    [
        (Point, Point(float("nan"))),
        (Seat, INFINITE),
        (House, House((INFINITE,))),
        (House, House(by_name={"a": INFINITE})),
        (tuple[Seat, ...], (INFINITE,)),
        (float, float("-inf")),
    ],
)
def test_a_number_that_json_does_not_have_is_found_wherever_it_stands(record, value):
    with pytest.raises(ValueError, match="could not be read again"):
        Kind("house", record).encode(value)


def structs_in(shape: msgspec.inspect.Type) -> Iterator[type[Any]]:
    """Every struct that a record of this type has in it."""
    if isinstance(shape, msgspec.inspect.StructType):
        yield shape.cls
        inner = [field.type for field in shape.fields]
    else:
        inner = [getattr(shape, name) for name in ("item_type", "key_type", "value_type") if hasattr(shape, name)]
        inner += [*getattr(shape, "item_types", ()), *getattr(shape, "types", ())]
    for one in inner:
        yield from structs_in(one)


def test_the_garbage_collector_walks_over_no_record():
    for room in ROOMS:
        import_module(f"traffic_tacos.rooms.{room}.build")
    modules = [module for name, module in sys.modules.items() if name.startswith("traffic_tacos.")]
    kinds = {one for module in modules for one in vars(module).values() if isinstance(one, Kind)}
    decoders = [getattr(kind._codec.decode, "__self__", None) for kind in kinds]  # noqa: SLF001 - of all there are
    types = [decoder.type for decoder in decoders if isinstance(decoder, msgspec.json.Decoder)]
    found = {struct for record in types for struct in structs_in(msgspec.inspect.type_info(record))} | set(TOPICS)
    assert len(found) > 40
    assert not [struct for struct in found if struct.__struct_config__.gc]

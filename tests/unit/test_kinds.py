"""Which records are read again before they are kept."""

import msgspec
import pytest

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

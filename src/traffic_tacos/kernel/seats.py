"""A seat as services pass it on."""

from enum import IntEnum

import msgspec

from traffic_tacos.kernel.money import Money


class SeatStatus(IntEnum):
    """`common.v1.SeatStatus`, number for number."""

    AVAILABLE = 1
    RESERVED = 2
    SOLD = 3
    BLOCKED = 4


class Seat(msgspec.Struct, frozen=True, gc=False):
    id: str
    section: str
    row: str
    number: str
    price: Money
    status: SeatStatus

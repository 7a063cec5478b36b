"""What a process asks of a line that many share: the commands in its log, and how they are written. Pure.

Each says what is wanted, never what comes of it: that is decided where it stands in the log, at the log's time, by
whoever applies it, and so by all alike. A command that cannot be decided without the store says what the store holds.
"""

import struct
from collections.abc import Collection, Sequence
from typing import TypeAlias

import msgspec

from traffic_tacos.kernel.errors import Damaged
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.rooms.waiting_room.values import Limits, State


class Join(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A number for the member, or the one that they have, unless that is `instead_of`."""

    member: bytes
    session_hash: bytes
    instead_of: int


class Claim(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """An admission, if it is the ticket's turn; `member` is the user who asks, empty when nobody says."""

    number: int
    member: bytes


class End(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """These tickets have ended, durably: pairs of number and state."""

    ended: list[tuple[int, State]]


class Admit(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """This admission was granted, durably."""

    number: int
    granted_at: Instant
    expires_at: Instant


class HoldSeats(msgspec.Struct, frozen=True, array_like=True, tag=5):
    number: int
    holds: bool


class Stock(msgspec.Struct, frozen=True, array_like=True, tag=6):
    sellable: int | None
    is_sold_out: bool
    is_sold_for_good: bool


class Configure(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """What is in force from here on."""

    limits: Limits
    starts_at: Instant | None
    ends_at: Instant | None
    is_stopped: bool
    is_closed: bool
    message: str


class Gather(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """Whoever joins from now on is in a pool, if nobody has joined."""


class Open(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """The pool of this size was closed, durably; `key` is that of its draw."""

    size: int
    key: bytes


class Touch(msgspec.Struct, frozen=True, array_like=True, tag=10):
    """Signs of life; `numbers` are `packed`, for there are very many."""

    numbers: bytes


class Advance(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """One step."""


class Recall(msgspec.Struct, frozen=True, array_like=True, tag=12):
    """Who has these numbers, of those that a lost server had given: number, member, session hash. `is_all`: these are
    all that the store knows.
    """

    tickets: list[tuple[int, bytes, bytes]]
    is_all: bool


Command: TypeAlias = (
    Join | Claim | End | Admit | HoldSeats | Stock | Configure | Gather | Open | Touch | Advance | Recall
)


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Commands of one process, in order; by `serial` it knows its own again. A batch may come twice."""

    author: int
    serial: int
    commands: list[Command]


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Batch)


def encoded(batch: Batch) -> bytes:
    return _encoder.encode(batch)


def decoded(payload: bytes) -> Batch:
    """Damaged for what another version has written and this one cannot read."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise Damaged(f"an entry of the queue's log cannot be read: {error}") from None


def packed(numbers: Collection[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def unpacked(numbers: bytes) -> Sequence[int]:
    return struct.unpack(f"<{len(numbers) // 4}I", numbers)

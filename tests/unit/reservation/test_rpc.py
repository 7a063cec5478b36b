"""A reservation is shown as it is, however often it was shown before."""

import msgspec
import pytest

from tests.unit.reservation.test_model import PENDING
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.rooms.reservation import rpc
from traffic_tacos.rooms.reservation.model import Metadata
from traffic_tacos.rooms.reservation.rpc import Encoded

OTHER_SEAT = Seat("A-2", "A", "1", "2", Money(10, "KRW"), SeatStatus.RESERVED)


def shown(encoded: Encoded, reservation) -> pb.Reservation:
    return pb.Reservation.FromString(encoded.of(reservation))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hold_expires_at": 70_000}, "hold_expires_at"),  # extended in the very millisecond in which it was made
        ({"status": ReservationStatus.CANCELLED}, "status"),
        ({"updated_at": 7}, "updated_at"),
        ({"order_id": "ord"}, "order_id"),
        ({"payment_intent_id": "pi"}, "payment_intent_id"),
        ({"seats": (OTHER_SEAT,)}, "seats"),
        ({"total": Money(20, "KRW")}, "total_amount"),
        ({"metadata": Metadata(tags={"a": "b"})}, "metadata"),
    ],
)
def test_whatever_changes_is_shown(changes, field):
    encoded = Encoded()
    before = shown(encoded, PENDING)
    assert shown(encoded, PENDING) == before
    after = shown(encoded, msgspec.structs.replace(PENDING, **changes))
    assert getattr(after, field) != getattr(before, field)
    assert shown(encoded, PENDING) == before


def test_a_hold_that_ends_while_nobody_comes_by_is_shown_as_expired():
    encoded = Encoded()
    at = [shown(encoded, PENDING.as_read(now)).status for now in (59_999, 60_000, 59_999)]
    assert at == [
        pb.RESERVATION_STATUS_PENDING,
        pb.RESERVATION_STATUS_EXPIRED,
        pb.RESERVATION_STATUS_PENDING,
    ]


def test_no_more_than_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr(rpc, "ENCODED_MAX", 3)
    encoded = Encoded()
    for number in range(10):
        one = msgspec.structs.replace(PENDING, id=f"rsv_{number}")
        assert shown(encoded, one).reservation_id == one.id
        assert len(encoded.known) <= 3

"""The life of a reservation is its table; an admission buys once."""

import itertools

import msgspec
import pytest

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.model import AdmissionState, AdmissionUse, NotYet, Reservation

SEAT = Seat("A-1", "A", "1", "1", Money(10, "KRW"), SeatStatus.RESERVED)
PENDING = Reservation("rsv", "evt", "ana", "adm", (SEAT,), Money(10, "KRW"), 0, 0, 60_000)
ALLOWED = {
    ("PENDING", "CONFIRMED"), ("PENDING", "CANCELLED"), ("PENDING", "EXPIRED"),
    ("EXPIRED", "CONFIRMED"), ("CONFIRMED", "REFUNDED"),
}  # fmt: skip


def at(status: ReservationStatus, **changes) -> Reservation:
    return msgspec.structs.replace(PENDING, status=status, **changes)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ReservationStatus, ReservationStatus)))
def test_only_the_steps_of_the_table_are_taken(before, after):
    if (before.name, after.name) in ALLOWED:
        assert model.stepped(at(before), after, 5).status is after
    else:
        with pytest.raises(Refusal):
            model.stepped(at(before), after, 5)


@pytest.mark.parametrize("status", ReservationStatus)
def test_seats_are_what_the_status_of_their_reservation_says(status):
    expected = {"PENDING": "RESERVED", "CONFIRMED": "SOLD"}.get(status.name, "AVAILABLE")
    assert [seat.status.name for seat in at(status).as_read(5).seats] == [expected]
    for before in ReservationStatus:
        if (before.name, status.name) in ALLOWED:
            assert [seat.status.name for seat in model.stepped(at(before), status, 5).seats] == [expected]


DAY = 24 * 60 * 60 * 1000


@pytest.mark.parametrize(
    ("bought_with", "moved_to", "now", "is_taken_back"),
    [
        (10 * DAY, 10 * DAY, 9 * DAY - 1, True),
        (10 * DAY, 10 * DAY, 9 * DAY, False),
        (10 * DAY, 5 * DAY, 9 * DAY - 1, True),  # moved forward: the right that was bought stays
        (10 * DAY, 20 * DAY, 19 * DAY - 1, True),  # put off: there is more time
        (10 * DAY, 20 * DAY, 19 * DAY, False),
        (None, 5 * DAY, 9 * DAY, True),
        (10 * DAY, None, 12 * DAY, True),
    ],
)
def test_moving_the_event_takes_no_right_from_who_has_bought(bought_with, moved_to, now, is_taken_back):
    bought, current = (model.RefundPolicy(24, 50, starts_at) for starts_at in (bought_with, moved_to))
    reservation = at(ReservationStatus.CONFIRMED, refund_policy=bought)
    if is_taken_back:
        assert model.given_back(reservation, current, now).refund_minor == 5
    else:
        with pytest.raises(Refusal, match="24 hours before"):
            model.given_back(reservation, current, now)


@pytest.mark.parametrize(("now", "status"), [(59_999, ReservationStatus.PENDING), (60_000, ReservationStatus.EXPIRED)])
def test_a_hold_past_its_deadline_reads_expired(now, status):
    assert PENDING.as_read(now).status is status


UNDER_WAY = at(ReservationStatus.PENDING, confirming="pi")  # as version 0.1.0 has left it


def test_what_an_earlier_version_was_confirming_neither_expires_nor_is_cancelled():
    assert UNDER_WAY.as_read(70_000).status is ReservationStatus.PENDING
    assert model.expired(UNDER_WAY, 70_000) is UNDER_WAY
    assert model.unpaid(UNDER_WAY, 6) is UNDER_WAY
    with pytest.raises(Refusal):
        model.cancelled(UNDER_WAY, 6)
    with pytest.raises(NotYet):
        model.confirmed(UNDER_WAY, "another", 6)
    assert model.confirmed(UNDER_WAY, "pi", 6).confirming == ""


@pytest.mark.parametrize("status", [ReservationStatus.CANCELLED, ReservationStatus.REFUNDED])
def test_what_has_ended_can_have_no_order(status):
    with pytest.raises(Refusal):
        model.confirmed(at(status), "pi", 5)


@pytest.mark.parametrize("before", [PENDING, UNDER_WAY, at(ReservationStatus.EXPIRED)])
def test_a_payment_that_was_too_late_never_confirms_later(before):
    lost = model.lost(before, "pi", 70_001)
    assert (lost.status, lost.refunds, lost.confirming) == (ReservationStatus.EXPIRED, ("pi",), "")
    with pytest.raises(Refusal):
        model.confirmed(lost, "pi", 70_002)
    assert model.confirmed(lost, "another", 70_002).payment_intent_id == "another"


def test_a_payment_that_went_back_by_hand_undoes_its_order_or_never_confirms():
    bought = model.confirmed(PENDING, "pi", 6)
    assert model.refunded_by_hand(bought, "another", 7) is bought
    undone = model.refunded_by_hand(bought, "pi", 7)
    assert (undone.status, undone.refund_minor) == (ReservationStatus.REFUNDED, 10)
    assert model.refunded_by_hand(undone, "pi", 8) is undone
    for status in (ReservationStatus.PENDING, ReservationStatus.EXPIRED):
        barred = model.refunded_by_hand(at(status), "pi", 7)
        assert (barred.status, barred.refunds) == (status, ("pi",))
        assert model.refunded_by_hand(barred, "pi", 8) is barred
        with pytest.raises(Refusal):
            model.confirmed(barred, "pi", 8)


def test_a_confirmed_reservation_keeps_its_order():
    after = model.confirmed(PENDING, "pi", 6)
    order = model.order_of(after)
    assert (after.status, after.order_id, after.confirmed_at) == (ReservationStatus.CONFIRMED, order.id, 6)
    assert (order.seat_ids, order.amount, order.payment_intent_id) == (("A-1",), Money(10, "KRW"), "pi")
    assert model.confirmed(after, "pi", 7) is after
    with pytest.raises(Refusal):
        model.confirmed(after, "another", 7)


def test_a_failed_payment_ends_a_hold_within_its_time_only():
    assert model.unpaid(PENDING, 59_999).status is ReservationStatus.CANCELLED
    assert model.unpaid(PENDING, 60_000) is PENDING


@pytest.mark.parametrize(
    ("use", "user", "now", "code"),
    [
        (None, "ana", 0, None),
        (AdmissionUse(user_id="ana"), "ana", 0, None),
        (AdmissionUse(user_id="ana"), "ben", 0, Code.FORBIDDEN),
        (AdmissionUse(user_id="ana", reservation_id="r", until=60), "ana", 59, Code.FAILED_PRECONDITION),
        (AdmissionUse(user_id="ana", reservation_id="r", until=60), "ana", 60, Code.FAILED_PRECONDITION),
        (AdmissionUse(AdmissionState.SPENT, "ana"), "ana", 0, Code.FAILED_PRECONDITION),
        (AdmissionUse(AdmissionState.ENDED, "ana"), "ana", 0, Code.FAILED_PRECONDITION),
    ],
)
def test_an_admission_serves_one_user_and_one_reservation_at_a_time(use, user, now, code):
    if code is None:
        model.check_usable(use, user, now)
        return
    with pytest.raises(Refusal) as refused:
        model.check_usable(use, user, now)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("status", "state", "reservation_id"),
    [
        (ReservationStatus.CONFIRMED, AdmissionState.SPENT, "rsv"),
        (ReservationStatus.CANCELLED, AdmissionState.OPEN, ""),
        (ReservationStatus.EXPIRED, AdmissionState.ENDED, "rsv"),
    ],
)
def test_an_admission_follows_its_reservation(status, state, reservation_id):
    use = AdmissionUse(AdmissionState.OPEN, "ana", "rsv", 60)
    after = model.admission_after(use, at(status))
    assert (after.state, after.reservation_id) == (state, reservation_id)
    other = AdmissionUse(AdmissionState.OPEN, "ana", "a later one", 60)
    assert status is ReservationStatus.CONFIRMED or model.admission_after(other, at(status)) is other

"""Seats change hands only as the table says, however calls repeat, race or arrive late."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.unit.inventory.test_best_available import row
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.event_info import EventInfo
from traffic_tacos.rooms.inventory import model
from traffic_tacos.rooms.inventory.model import Claim, Hold, HoldStatus
from traffic_tacos.rooms.inventory.rows import UNTOUCHED, EventPlan, RowHold, RowState, SectionPlan

ROWS = (row(4, index=0), row(3, index=1))
PLACES = {seat.id: (one.index, 1 << bit) for one in ROWS for bit, seat in enumerate(one.seats)}
PLAN = EventPlan(EventInfo("e", "E"), "KRW", (SectionPlan("S", "S", ROWS),), ROWS, PLACES)
RESERVATIONS = st.sampled_from(["r1", "r2", "r3"])


class Seats(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.rows: dict[int, RowState] = {0: UNTOUCHED, 1: UNTOUCHED}
        self.holds: dict[str, Hold] = {}
        self.sold: dict[str, dict[int, int]] = {}

    @rule(who=RESERVATIONS, seats=st.sets(st.sampled_from(sorted(PLACES)), max_size=3), quantity=st.integers(1, 3))
    def reserve(self, who, seats, quantity):
        seat_ids = tuple(sorted(seats))
        claim = Claim(who, "u", seat_ids, len(seat_ids) or quantity, self.now + 60_000)
        self._step(who, lambda hold: model.reserve(PLAN, self.rows, hold, claim, self.now))

    @rule(who=RESERVATIONS, payment=st.sampled_from(["p1", "p2"]))
    def commit(self, who, payment):
        live = who in self.holds and self.holds[who].is_live(self.now)
        change = self._step(who, lambda hold: model.commit(self.rows, hold, payment, self.now))
        if change is not None:
            assert live or who in self.sold
            self.sold[who] = change.hold.rows

    @rule(who=RESERVATIONS)
    def release(self, who):
        self._step(who, lambda hold: model.release(self.rows, hold))

    @rule(seconds=st.sampled_from([1, 59, 60, 61]))
    def wait(self, seconds):
        self.now += seconds * 1000

    def _step(self, who, step):
        before = dict(self.rows)
        try:
            change = step(self.holds.get(who))
        except Refusal:
            assert self.rows == before
            return None
        self.holds[who] = change.hold
        self.rows.update(change.rows)
        return change

    @invariant()
    def a_sold_seat_stays_with_its_owner(self):
        for who, rows in self.sold.items():
            for index, mask in rows.items():
                assert any(sale.reservation_id == who and sale.seats == mask for sale in self.rows[index].sold)

    @invariant()
    def every_seat_is_counted_once(self):
        for one in ROWS:
            counts = model.counts([one], self.rows, self.now)
            assert counts.available + counts.reserved + counts.sold + counts.blocked == counts.total
            taken = [sale.seats for sale in self.rows[one.index].sold]
            taken += [hold.seats for hold in self.rows[one.index].held if self.now < hold.deadline]
            assert sum(map(int.bit_count, taken)) == counts.total - counts.available

    @invariant()
    def a_hold_past_its_deadline_holds_nothing(self):
        for hold in self.holds.values():
            if hold.status is HoldStatus.ACTIVE and not hold.is_live(self.now):
                for index, mask in hold.rows.items():
                    owned = [sale.seats for sale in self.rows[index].sold]
                    live = [other.seats for other in self.rows[index].held if self.now < other.deadline]
                    for bit_mask in (1 << bit for bit in range(8) if mask >> bit & 1):
                        status = model.status(ROWS[index], self.rows[index], bit_mask, self.now)
                        held = any(seats & bit_mask for seats in (*owned, *live))
                        assert (status is model.SeatStatus.AVAILABLE) == (not held)


TestSeats = Seats.TestCase
TestSeats.settings = settings(max_examples=150, stateful_step_count=30)


def test_the_deadline_is_exclusive():
    hold = Hold("r", "u", {0: 1}, deadline=60_000, status=HoldStatus.ACTIVE)
    assert hold.is_live(59_999)
    assert not hold.is_live(60_000)


@pytest.mark.parametrize(
    "in_the_row", [UNTOUCHED, RowState(held=(RowHold("r2", 1, 60_000),))], ids=["nobody", "another"]
)
def test_seats_that_the_row_does_not_hold_for_a_reservation_are_not_sold_to_it(in_the_row):
    """A hold and its rows are written together; where they differ all the same, nobody is sold anything."""
    claim = Claim("r1", "u", ("R0-1",), 1, 60_000)
    held = model.reserve(PLAN, {0: UNTOUCHED, 1: UNTOUCHED}, None, claim, 0)
    assert model.commit(held.rows, held.hold, "p1", 1).rows[0].sold
    with pytest.raises(Refusal, match="held by somebody else"):
        model.commit({0: in_the_row}, held.hold, "p1", 1)


def test_what_was_sold_under_another_payment_is_not_given_back():
    claim = Claim("r1", "u", ("R0-1",), 1, 60_000)
    held = model.reserve(PLAN, {0: UNTOUCHED, 1: UNTOUCHED}, None, claim, 0)
    rows = {0: UNTOUCHED, 1: UNTOUCHED, **held.rows}
    sold = model.commit(rows, held.hold, "p1", 1)
    rows |= sold.rows
    with pytest.raises(Refusal, match="sold_under"):
        model.give_back(rows, sold.hold, ("p2",))
    for under in (("p2", "p1"), ()):
        assert model.give_back(rows, sold.hold, under).rows[0].sold == ()

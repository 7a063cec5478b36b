"""Which seats are tried first for who names none."""

import pytest

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.rooms.inventory.best_available import choose
from traffic_tacos.rooms.inventory.offering import by_price, own_first, up_to
from traffic_tacos.rooms.inventory.rows import RowPlan, RowState, SeatPlan, SectionPlan, bits

NOW = 0


def row(index, *prices, kept=0):
    count = len(prices)
    seats = tuple(SeatPlan(f"R{index}-{at}", str(at), price) for at, price in enumerate(prices))
    full = (1 << count) - 1
    return RowPlan(index, "S", f"R{index}", seats, full, full >> 1, False, float(index), (count - 1) / 2, kept)


def section(name, *rows):
    prices = [seat.price for one in rows for seat in one.seats]
    return SectionPlan(name, name, rows, min(prices), max(prices))


def seats(chosen):
    return {index: list(bits(mask)) for index, mask in chosen.items()}


STALLS = section("Stalls", row(1, 60, 60))
HOUSE = (section("VIP", row(0, 500, 500)), STALLS, section("Balcony", row(2, 30, 30)))  # as a file may list them
MIXED = section("Mixed", row(0, 90, 90, 40, 40))  # the best seats of a row may cost more than its others


@pytest.mark.parametrize(
    ("sections", "quantity", "expected"),
    [
        (by_price(HOUSE), 2, {2: [0, 1]}),
        (up_to(HOUSE, 60), 2, {1: [0, 1]}),  # who names a price asks for the best that it buys
        (up_to(HOUSE, 59), 2, {2: [0, 1]}),
        (up_to(HOUSE, 1000), 2, {0: [0, 1]}),
        (by_price((MIXED,)), 1, {0: [2]}),
        (by_price((MIXED,)), 2, {0: [2, 3]}),
        (by_price((MIXED,)), 3, {0: [0, 1, 2]}),  # only across the prices
        (by_price((MIXED, STALLS)), 2, {0: [2, 3]}),
        (up_to((MIXED,), 89), 2, {0: [2, 3]}),
    ],
)
def test_who_names_no_seats_is_given_the_cheapest_or_the_best_up_to_a_price(sections, quantity, expected):
    assert seats(choose(sections, {}, quantity, NOW)) == expected


@pytest.mark.parametrize(("price", "quantity"), [(29, 1), (89, 3)])
def test_nothing_dearer_is_given_where_a_price_is_named(price, quantity):
    with pytest.raises(Refusal) as refused:
        choose(up_to((*HOUSE, MIXED), price) if quantity == 1 else up_to((MIXED,), price), {}, quantity, NOW)
    assert refused.value.code is Code.INSUFFICIENT_INVENTORY


def test_a_place_that_leaves_a_seat_alone_is_taken_before_one_that_costs_more():
    cheap, dear = section("Cheap", row(0, 30, 30, 30)), section("Dear", row(1, 90, 90))
    assert 0 in choose(by_price((dear, cheap)), {}, 2, NOW)
    same = section("Same", row(1, 30, 30))
    assert choose(by_price((cheap, same)), {}, 2, NOW) == {1: 0b11}, "of two that cost the same, the tidy one"


def test_accessible_seats_are_not_given_whatever_the_price():
    some = section("S", row(0, 30, 30, 90, 90, kept=0b11))
    assert seats(choose(by_price((some,)), {}, 2, NOW)) == {0: [2, 3]}
    with pytest.raises(Refusal):
        choose(up_to((some,), 30), {}, 1, NOW)


def test_what_is_gone_at_one_price_is_had_at_the_next():
    gone = {2: RowState(gone=0b11)}
    assert seats(choose(by_price(HOUSE), gone, 2, NOW)) == {1: [0, 1]}


ROWS = by_price((section("S", *(row(index, 50, 50, 50, 50) for index in range(6))), section("T", row(6, 90, 90))))


def test_who_sells_alone_tries_what_everybody_would():
    assert own_first(ROWS, 0, 1) == ROWS


def test_processes_begin_in_rows_of_their_own():
    first = [choose(own_first(ROWS, number, 3), {}, 2, NOW) for number in range(3)]
    assert [set(chosen) for chosen in first] == [{0}, {1}, {2}]


@pytest.mark.parametrize("processes", [2, 3, 8])
def test_one_process_alone_sells_all_of_a_section_before_the_dearer_one_whoever_else_was_there(processes):
    states, costs = {}, []
    while True:
        try:
            chosen = choose(own_first(ROWS, 1, processes), states, 2, NOW)
        except Refusal as refusal:
            assert refusal.code is Code.INSUFFICIENT_INVENTORY
            break
        for index, mask in chosen.items():
            before = states.get(index, RowState())
            assert not before.gone & mask, "nothing is given twice"
            states[index] = RowState(gone=before.gone | mask)
            costs.append(90 if index == 6 else 50)
    assert costs == [50] * 12 + [90], "everything is sold, and the cheap first"

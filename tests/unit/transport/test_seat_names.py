"""What seats are called, by the server and on the command line."""

import pytest

from traffic_tacos.cli.buy import shown_seats
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.tacos.web.v1 import web_pb2
from traffic_tacos.transport.pay_words import Words
from traffic_tacos.transport.seat_names import seat_name

SALE = web_pb2.Sale(
    section_names={"MAIN": "Stalls", "FLOOR": "Floor", "PIT": "Standing pit", "F": "F구역 스탠딩"},
    standing_sections=["FLOOR", "PIT", "F", "DECK"],
)


def seat(section: str, row: str = "S1", number: str = "7") -> types_pb2.Seat:
    return types_pb2.Seat(id=f"{section}-{row}-{number}", section=section, row=row, number=number)


@pytest.mark.parametrize(
    ("language", "section", "expected"),
    [
        ("en", "MAIN", "Stalls, row S1, seat 7"),
        ("en", "BALCONY", "BALCONY, row S1, seat 7"),
        ("en", "FLOOR", "Floor, standing"),
        ("en", "DECK", "DECK, standing"),
        ("en", "PIT", "Standing pit"),
        ("ko", "MAIN", "Stalls S1열 7번"),
        ("ko", "FLOOR", "Floor 스탠딩"),
        ("ko", "F", "F구역 스탠딩"),
    ],
)
def test_a_place_to_stand_has_neither_row_nor_number(language, section, expected):
    assert seat_name(Words(language), seat(section), SALE) == expected


def test_the_command_line_names_seats_by_their_ids_and_counts_places_to_stand():
    seats = [seat("FLOOR"), seat("MAIN", "A", "1"), seat("FLOOR", number="8"), seat("PIT")]
    assert shown_seats(seats, SALE) == "2 × Floor, standing, MAIN-A-1, Standing pit"

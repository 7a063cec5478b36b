"""What a seat is called wherever people read it."""

from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.tacos.web.v1 import web_pb2
from traffic_tacos.transport.pay_words import Words


def seat_name(t: Words, seat: types_pb2.Seat, sale: web_pb2.Sale) -> str:
    """As people call it: `Stalls, row A, seat 3`, or `Floor, standing`, for there are no rows where people stand.

    The pages say the same of it (`lib/seatname.js`). By the section's id where nothing is known of the sale.
    """
    section = sale.section_names.get(seat.section, seat.section)
    if not is_standing(seat, sale):
        return t("seat_full", section=section, row=seat.row, seat=seat.number)
    says = t("standing").lower() in section.lower()  # as in "Standing floor"
    return section if says else t("seat_standing", section=section)


def several(name: str, count: int) -> str:
    """So many places that are called the same."""
    return name if count == 1 else f"{count} × {name}"


def is_standing(seat: types_pb2.Seat, sale: web_pb2.Sale) -> bool:
    """Whether it is a place to stand."""
    return seat.section in sale.standing_sections

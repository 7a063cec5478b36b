"""When an event is sold: one answer for every room."""

import pytest

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.event_info import EventInfo, SaleWindow, sale_window
from traffic_tacos.ports.sales import Period, Sale, changed_sale

ENDS = [
    ({}, None),
    ({"start_time": 10}, 10),
    ({"start_time": 10, "end_time": 20}, 20),
    ({"start_time": 10, "sale_end_time": 5}, 5),
    ({"start_time": 10, "sale_end_time": 15}, 15),  # the file says so
    ({"start_time": 10, "end_time": 20, "sale_end_time": 15}, 15),
    ({"end_time": 20, "sale_end_time": 30}, 20),  # stored before the order was checked
]


@pytest.mark.parametrize(("times", "ends_at"), ENDS)
def test_a_sale_ends_when_its_file_says_else_with_the_event_else_with_its_start(times, ends_at):
    assert sale_window(EventInfo("evt", "E", **times)).ends_at == ends_at


@pytest.mark.parametrize(("now", "says"), [(4, "not started"), (5, ""), (9, ""), (10, "has ended"), (11, "has ended")])
def test_the_start_belongs_to_the_sale_and_the_end_does_not(now, says):
    window = SaleWindow(5, 10)
    if not says:
        window.check_open(now)
        return
    with pytest.raises(Refusal, match=says):
        window.check_open(now)


def test_a_changed_sale_keeps_what_was_in_force_before():
    first, second = SaleWindow(None, 10), SaleWindow(None, 20)
    changed = changed_sale(None, first, second, 7)
    assert changed == Sale(Period(second, 7), (Period(first),))
    assert changed_sale(changed, first, second, 9) is changed

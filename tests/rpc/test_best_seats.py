"""The best seats there are: the cheapest where nothing is named, of a section, or up to a price."""

import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, code, on_platform
from tests.rpc.test_person_limit import turn
from tests.simulation.world import EVENT, EVENT_ID, THREE_EACH
from traffic_tacos.engines.views import DeclaredView
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.gen.tacos.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.kernel.calls import Role

RESERVE_BEST = "tacos.reservation.v1.BestSeatsService/ReserveBest"
HOUSE = """
id: evt_sim
name: House
currency: KRW
sections:
  - {id: VIP, name: Very important, price: 500000, rows: [{id: A, seats: 4}]}
  - {id: STALLS, name: Stalls, price: 60000, rows: [{id: A, seats: 6}, {id: B, seats: 6}]}
  - {id: BALCONY, name: Balcony, price: 30000, rows: [{id: A, seats: 4}]}
"""


async def best(desk, fan="ana", quantity=2, token="", admission="", key="", **wish):
    request = pb.ReserveBestRequest(
        event_id=EVENT_ID,
        quantity=quantity,
        user_id=fan,
        reservation_token=admission or await turn(desk, f"s-{desk.key()}"),
        idempotency_key=key or desk.key(),
        **wish,
    )
    return await desk.ask(RESERVE_BEST, request, token or desk.token(Role.FAN, fan))


def won(amount):
    return types_pb2.Money(amount=amount, currency="KRW")


def sections(held):
    assert held.reservation_id, held.error
    return {seat.section for seat in held.reserved_seats}


@on_platform(event=HOUSE)
async def test_who_names_nothing_is_never_surprised_by_the_dearest_section(desk):
    first, second = await desk.held("ana", 2), await desk.held("ben", 2)
    assert sections(first) == sections(second) == {"BALCONY"}
    third = await desk.held("cleo", 2)
    assert sections(third) == {"STALLS"} and third.total_amount == won(120000)
    ask = inventory_pb2.CheckAvailabilityRequest(event_id=EVENT_ID, quantity=2)
    shown = await desk.as_service(INVENTORY + "CheckAvailability", ask)
    assert {seat.section for seat in shown.available_seats} == {"STALLS"}, "what is shown is what would be given"
    assert sections(await desk.held("dora", 1, ("VIP-A-1",))) == {"VIP"}, "whoever names seats has those"


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"section": "VIP"}, "VIP"),
        ({"section": "Very important"}, "VIP"),
        ({"price_max": won(499999)}, "STALLS"),
        ({"price_max": won(60000)}, "STALLS"),
        ({"price_max": won(59999)}, "BALCONY"),
        ({"price_max": won(10**9)}, "VIP"),
        ({"section": "STALLS", "price_max": won(60000)}, "STALLS"),
        ({}, "BALCONY"),
    ],
)
def test_the_best_seats_are_of_the_section_and_within_the_price(wish, expected):
    @on_platform(event=HOUSE)
    async def on_desk(desk):
        held = await best(desk, **wish)
        assert sections(held) == {expected}
        numbers = sorted(int(seat.number) for seat in held.reserved_seats)
        assert numbers[1] == numbers[0] + 1, "adjacent"
        assert held.payment_url.endswith(held.reservation_id) and held.hold_expires_at.seconds
        known = await desk.reservation(held.reservation_id)
        assert known.status == reservation_pb2.RESERVATION_STATUS_PENDING and known.user_id == "ana"
        await desk.pay("ana", held)
        await desk.clock.sleep(20)
        assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED

    on_desk()


@pytest.mark.parametrize(
    ("wish", "expected", "said"),
    [
        ({"section": "NOWHERE"}, "INVALID_ARGUMENT", "section: must be one of"),
        ({"price_max": types_pb2.Money(amount=5, currency="EUR")}, "INVALID_ARGUMENT", "that of the event, KRW"),
        ({"price_max": types_pb2.Money(amount=5)}, "INVALID_ARGUMENT", "that of the event, KRW"),
        ({"price_max": won(-1)}, "INVALID_ARGUMENT", "price_max"),
        ({"price_max": won(29999)}, "INSUFFICIENT_INVENTORY", "quantity"),
        ({"section": "STALLS", "price_max": won(59999)}, "INSUFFICIENT_INVENTORY", "quantity"),
        ({"section": "VIP", "quantity": 5}, "INSUFFICIENT_INVENTORY", "quantity"),
        ({"quantity": 0}, "INVALID_ARGUMENT", "quantity: must be 1 to 8"),
        ({"quantity": 9}, "INVALID_ARGUMENT", "quantity: must be 1 to 8"),
        ({"admission": "x.y.z"}, "UNAUTHENTICATED", "reservation_token"),
    ],
)
def test_what_cannot_be_had_is_said_and_nothing_is_held(wish, expected, said):
    @on_platform(event=HOUSE)
    async def on_desk(desk):
        answer = await best(desk, **wish)
        assert code(answer) == expected and said in answer.error.message
        assert (await desk.stats()).available_seats == 20

    on_desk()


@on_platform(event=HOUSE)
async def test_a_fan_reserves_only_for_themselves(desk):
    assert code(await best(desk, "ana", token=desk.token(Role.FAN, "ben"))) == "FORBIDDEN"
    request = pb.ReserveBestRequest(event_id=EVENT_ID, quantity=1, user_id="ana", idempotency_key="k")
    assert code(await desk.ask(RESERVE_BEST, request)) == "UNAUTHENTICATED"


@on_platform(event=HOUSE)
async def test_one_key_is_one_reservation_and_the_wish_is_part_of_what_was_asked(desk):
    admission = await turn(desk, "s1")
    one = await best(desk, admission=admission, key="k", section="VIP")
    again = await best(desk, admission=admission, key="k", section="VIP")
    assert again == one
    assert code(await best(desk, admission=admission, key="k", section="STALLS")) == "IDEMPOTENCY_CONFLICT"
    plain = gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID, quantity=2, user_id="ana", reservation_token=admission, idempotency_key=desk.key()
    )
    refused = await desk.as_fan(GATEWAY + "CreateReservation", plain, "ana")
    assert code(refused) not in ("", "INTERNAL"), "an admission makes one reservation at a time, whichever way"


@on_platform(event=EVENT + THREE_EACH)
async def test_the_limit_for_each_person_holds_whichever_way_they_ask(desk):
    assert (await best(desk, section="PIT")).reservation_id
    assert code(await best(desk, section="MAIN")) == "QUOTA_EXCEEDED"


@on_platform
async def test_a_decision_reads_the_rows_of_an_event_once(desk, monkeypatch):
    """On DynamoDB a range is put together each time that it is read."""
    read: list[tuple[DeclaredView, str]] = []
    ranged = DeclaredView.range

    def noted(view, prefix):
        read.append((view, prefix.path))
        return ranged(view, prefix)

    monkeypatch.setattr(DeclaredView, "range", noted)
    assert code(await desk.held("ana")) == ""
    assert any(prefix.startswith("row/") for _, prefix in read)
    assert len(set(read)) == len(read)

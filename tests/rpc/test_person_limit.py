"""How many seats of an event one person may have, whatever they order one after the other or at once."""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, QUEUE, code, on_platform
from tests.rpc.test_guests import admission, become, place
from tests.simulation.world import EVENT, EVENT_ID, THREE_EACH
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role

LIMITED = EVENT + THREE_EACH


async def turn(desk, session):
    """A reservation token of a place that no user joined with."""
    request = queue_pb2.RequestAdmissionRequest(waiting_token=await place(desk, session), event_id=EVENT_ID)
    while not (granted := await desk.ask(QUEUE + "RequestAdmission", request)).reservation_token:
        await desk.clock.sleep(0.2)
    return granted.reservation_token


async def held_by(desk, fan, reservation_token, quantity=0, seats=(), token=""):
    request = gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID,
        quantity=quantity,
        seat_ids=seats,
        user_id=fan,
        reservation_token=reservation_token,
        idempotency_key=desk.key(),
    )
    return await desk.ask(GATEWAY + "CreateReservation", request, token or desk.token(Role.FAN, fan))


@on_platform(event=LIMITED)
async def test_what_one_has_bought_counts_for_the_next_order(desk):
    first = await desk.held("ana", 2)
    await desk.pay("ana", first)
    await desk.clock.sleep(20)
    second = await desk.held("ana", 2)
    assert code(second) == "QUOTA_EXCEEDED" and "has 2 of the 3 seats" in second.error.message
    assert [(one.field, one.reason) for one in second.error.details] == [("quantity", "must be at most 1")]
    assert code(await held_by(desk, "ana", await turn(desk, "s2"), seats=("MAIN-B-1", "MAIN-B-2"))) == "QUOTA_EXCEEDED"
    third = await held_by(desk, "ana", await turn(desk, "s3"), 1)
    assert third.reservation_id, third.error
    assert (await desk.held("ben", 3)).reservation_id, "others have their own"


@on_platform(event=LIMITED)
async def test_what_was_let_go_counts_no_more(desk):
    tokens = [await turn(desk, f"s{number}") for number in range(4)]
    first = await held_by(desk, "ana", tokens[0], 3)
    assert code(await held_by(desk, "ana", tokens[1], 1)) == "QUOTA_EXCEEDED"
    await desk.cancel("ana", first)
    second = await held_by(desk, "ana", tokens[1], 3)
    assert second.reservation_id, second.error
    await desk.clock.sleep(61)  # the hold ends by itself
    third = await held_by(desk, "ana", tokens[2], 3)
    assert third.reservation_id, third.error
    await desk.pay("ana", third)
    await desk.clock.sleep(20)
    assert code(await held_by(desk, "ana", tokens[3], 1)) == "QUOTA_EXCEEDED"
    assert not (await desk.cancel("ana", third)).HasField("error")  # gives them back
    assert (await held_by(desk, "ana", tokens[3], 1)).reservation_id


@on_platform(event=LIMITED)
async def test_orders_at_once_are_within_the_limit_together(desk):
    tokens = [await turn(desk, f"s{number}") for number in range(6)]
    answers = await asyncio.gather(*(held_by(desk, "ana", token, 1) for token in tokens))
    assert sorted(map(code, answers)) == ["", "", "", "QUOTA_EXCEEDED", "QUOTA_EXCEEDED", "QUOTA_EXCEEDED"]


@on_platform(event=LIMITED)
async def test_a_guest_is_a_person_too(desk):
    waiting = await place(desk, "phone")
    await desk.clock.sleep(1)
    guest = await become(desk, waiting)
    granted = await admission(desk, waiting, guest)
    first = await held_by(desk, guest.user_id, granted.reservation_token, 3, token=guest.token)
    assert first.reservation_id, first.error
    other = await held_by(desk, guest.user_id, await turn(desk, "s2"), 1, token=guest.token)
    assert code(other) == "QUOTA_EXCEEDED"


@on_platform(event=LIMITED)
async def test_more_than_one_person_may_have_is_refused_at_once(desk):
    answer = await desk.held("ana", 4)
    assert code(answer) == "QUOTA_EXCEEDED" and "has 0 of the 3 seats" in answer.error.message
    assert (await desk.stats()).available_seats == 15


@on_platform
async def test_without_a_limit_one_may_have_any_number(desk):
    for number in range(3):
        assert (await held_by(desk, "ana", await turn(desk, f"s{number}"), 4)).reservation_id
    event = (await desk.http("GET", f"/web/events/{EVENT_ID}")).json()["event"]
    assert event["max_per_person"] == 0


@on_platform
async def test_a_limit_counts_what_was_held_since_it_was_set_and_may_be_changed(desk):
    async def limit(most):
        request = catalog_pb2.UpdateEventRequest(event_id=EVENT_ID, document=EVENT + f"max_per_person: {most}\n")
        answer = await desk.ask("tacos.catalog.v1.CatalogService/UpdateEvent", request, desk.token(Role.ADMIN, "olga"))
        assert answer.plan.max_per_person == most, answer.error
        await desk.clock.sleep(1)

    tokens = [await turn(desk, f"s{number}") for number in range(4)]
    await limit(4)
    assert (await held_by(desk, "ana", tokens[0], 4)).reservation_id
    await limit(2)
    assert code(await held_by(desk, "ana", tokens[1], 1)) == "QUOTA_EXCEEDED"
    await limit(6)
    assert (await held_by(desk, "ana", tokens[2], 2)).reservation_id
    assert (await desk.http("GET", f"/web/events/{EVENT_ID}")).json()["event"]["max_per_person"] == 6


@on_platform(event=LIMITED, without=frozenset({"worker"}))
async def test_a_payment_that_is_late_gets_no_seats_beyond_the_limit_and_its_money_back(desk):
    first = await held_by(desk, "ana", await turn(desk, "s1"), seats=("MAIN-A-1", "MAIN-A-2"))
    intent = await desk.intent("ana", first, payment_pb2.PAYMENT_SCENARIO_TIMEOUT)
    request = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id, idempotency_key=desk.key())
    await desk.as_fan("payment.v1.PaymentService/ProcessPayment", request, "ana")
    await desk.clock.sleep(75)  # nobody tidied up; its seats are still free
    second = await held_by(desk, "ana", await turn(desk, "s2"), 3)
    assert second.reservation_id, second.error
    simulated = payment_pb2.SimulateWebhookRequest(
        payment_intent_id=intent.payment_intent_id, target_status=payment_pb2.PAYMENT_STATUS_COMPLETED
    )
    await desk.as_service("payment.v1.PaymentService/SimulateWebhook", simulated)
    await desk.clock.sleep(5)
    await desk.crash()  # the worker comes back
    await desk.clock.sleep(60)
    assert (await desk.payment(intent.payment_intent_id)).status == payment_pb2.PAYMENT_STATUS_REFUNDED
    reservation = await desk.reservation(first.reservation_id)
    assert reservation.status == reservation_pb2.RESERVATION_STATUS_EXPIRED


@on_platform(event=LIMITED)
async def test_repeating_a_hold_counts_it_once(desk):
    def hold(name, quantity):
        request = inventory_pb2.ReserveSeatRequest(
            reservation_id=name, event_id=EVENT_ID, quantity=quantity, user_id="ana", idempotency_key=desk.key()
        )
        return desk.as_service(INVENTORY + "ReserveSeat", request)

    one = await hold("rsv_1", 2)
    assert [seat.id for seat in (await hold("rsv_1", 2)).reserved_seats] == [seat.id for seat in one.reserved_seats]
    assert not (await hold("rsv_2", 1)).HasField("error")
    assert code(await hold("rsv_3", 1)) == "QUOTA_EXCEEDED"
    release = inventory_pb2.ReleaseHoldRequest(reservation_id="rsv_1", event_id=EVENT_ID, idempotency_key=desk.key())
    await desk.as_service(INVENTORY + "ReleaseHold", release)
    assert not (await hold("rsv_3", 2)).HasField("error")
    for name in ("rsv_2", "rsv_3"):
        release.reservation_id, release.idempotency_key = name, desk.key()
        await desk.as_service(INVENTORY + "ReleaseHold", release)


@pytest.mark.parametrize("most", ["-1", "10001", "many"])
def test_a_limit_that_is_none_is_refused(most):
    @on_platform
    async def on_desk(desk):
        document = EVENT.replace("evt_sim", "evt_x") + f"max_per_person: {most}\n"
        request = catalog_pb2.CreateEventRequest(document=document)
        answer = await desk.ask("tacos.catalog.v1.CatalogService/CreateEvent", request, desk.token(Role.ADMIN, "olga"))
        assert code(answer) == "INVALID_ARGUMENT" and answer.error.details[0].field == "max_per_person"

    on_desk()

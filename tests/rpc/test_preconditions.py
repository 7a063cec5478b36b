"""What stands in the way is told to programs by a word of its own, and not only by a sentence for people."""

from tests.rpc.desk import GATEWAY, QUEUE, RESERVATION, code, on_platform
from tests.rpc.test_giving_back import bought
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.identity.v1 import identity_pb2

BECOME = "tacos.identity.v1.GuestService/Become"
EXTENDED_TWICE = 2


def precondition(answer):
    """The code of a refusal, the reason of its first detail, and the value of that."""
    detail = answer.error.details[0]
    return code(answer), detail.reason, detail.value


async def reserve(desk, fan, token, event_id=EVENT_ID):
    request = gateway_pb2.CreateReservationRequest(
        event_id=event_id, quantity=1, user_id=fan, reservation_token=token, idempotency_key=desk.key()
    )
    return await desk.as_fan(GATEWAY + "CreateReservation", request, fan)


async def join(desk, fan, event_id=EVENT_ID):
    request = queue_pb2.JoinQueueRequest(event_id=event_id, user_id=fan, session_id=fan)
    return await desk.as_fan(QUEUE + "JoinQueue", request, fan)


@on_platform
async def test_an_admission_says_which_reservation_is_open_and_when_it_is_used_up(desk):
    token = await desk.admitted("ana")
    held = await reserve(desk, "ana", token)
    open_ = await reserve(desk, "ana", token)
    assert precondition(open_) == ("FAILED_PRECONDITION", "RESERVATION_OPEN", held.reservation_id)
    assert open_.error.details[0].field == "reservation_token"
    await desk.clock.sleep(120)
    assert precondition(await reserve(desk, "ana", token)) == ("FAILED_PRECONDITION", "TURN_USED", "")
    token = await desk.admitted("ben")
    held = await reserve(desk, "ben", token)
    await desk.pay("ben", held)
    await desk.clock.sleep(10)
    assert precondition(await reserve(desk, "ben", token)) == ("FAILED_PRECONDITION", "TURN_USED", "")


@on_platform
async def test_a_hold_that_was_extended_says_that_there_is_no_more_time(desk):
    held = await desk.held("ana", 1)
    answers = [
        await desk.as_fan(
            RESERVATION + "ExtendHold",
            reservation_pb2.ExtendHoldRequest(
                reservation_id=held.reservation_id, user_id="ana", extension_seconds=10, idempotency_key=desk.key()
            ),
            "ana",
        )
        for _ in range(EXTENDED_TWICE)
    ]
    assert code(answers[0]) == ""
    assert precondition(answers[1])[1] == "NO_EXTENSION"


@on_platform
async def test_a_place_says_that_it_is_not_its_turn_and_that_it_has_ended(desk):
    await desk.platform.put_on_sale(
        EVENT.replace(f"id: {EVENT_ID}", "id: evt_later").replace(
            "currency", "sale_start_time: 2027-01-15T09:00:00+00:00\ncurrency", 1
        )
    )
    request = queue_pb2.JoinQueueRequest(event_id="evt_later", session_id="s")
    place = await desk.ask(QUEUE + "JoinQueue", request)
    early = await desk.ask(BECOME, identity_pb2.BecomeRequest(waiting_token=place.waiting_token))
    assert precondition(early)[1] == "NOT_YOUR_TURN"
    leaving = queue_pb2.LeaveQueueRequest(waiting_token=place.waiting_token)
    assert code(await desk.ask(QUEUE + "LeaveQueue", leaving)) == ""
    asked = queue_pb2.RequestAdmissionRequest(waiting_token=place.waiting_token, event_id="evt_later")
    assert precondition(await desk.ask(QUEUE + "RequestAdmission", asked))[1] == "PLACE_ENDED"


@on_platform
async def test_a_sale_says_that_it_has_not_started_is_over_or_is_sold_out(desk):
    window = EVENT.replace(f"id: {EVENT_ID}", "id: evt_over").replace(
        "currency", "sale_end_time: 2027-01-15T08:00:20+00:00\ncurrency", 1
    )
    await desk.platform.put_on_sale(window)
    token = await desk.admitted("ana", "evt_over")
    await desk.clock.sleep(30)
    assert precondition(await reserve(desk, "ana", token, "evt_over"))[1] == "SALE_ENDED"
    assert precondition(await join(desk, "ben", "evt_over"))[1] == "SALE_ENDED"
    few = EVENT.replace(f"id: {EVENT_ID}", "id: evt_few").replace(
        "seats: 5}, {id: B, seats: 6, aisles: [3]}", "seats: 2}"
    )
    few = few.replace("  - {id: PIT, name: Standing, price: 60000, standing: 4}\n", "") + "refunds: {percent: 0}\n"
    await desk.platform.put_on_sale(few)
    await bought(desk, "ana", 2, event_id="evt_few")
    await desk.clock.sleep(5)
    assert precondition(await join(desk, "cem", "evt_few"))[1] == "SOLD_OUT"

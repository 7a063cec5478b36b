"""What is sent to a session reaches whoever came with it first, and nobody else who knows its id."""

import pytest

from tests.rpc.desk import QUEUE, code, on_platform
from tests.rpc.test_realtime import Ear, payments, reservations, send
from tests.rpc.test_whose_place import join
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.gen.gateway.v1 import websocket_pb2 as pb

OTHER = "evt_other"


def lines(desk, token, session, fan=""):
    return Ear(desk, "StreamQueueUpdates", pb.StreamQueueRequest(waiting_token=token, session_id=session), fan)


def messages(ear) -> list[str]:
    return [one.system_update.message for _, one in ear.heard if one.type == pb.EVENT_TYPE_MESSAGE] if ear else []


def told(ear) -> int:
    return sum(one.type == pb.EVENT_TYPE_MESSAGE for _, one in ear.heard)


async def joined_elsewhere(desk, session, fan=""):
    await desk.platform.put_on_sale(EVENT.replace(EVENT_ID, OTHER))
    request = queue_pb2.JoinQueueRequest(event_id=OTHER, session_id=session, user_id=fan)
    path = QUEUE + "JoinQueue"
    return await (desk.as_fan(path, request, fan) if fan else desk.ask(path, request))


async def to_the_session(desk, session="tab"):
    return await send(desk, "for you alone", title="", target_user_id="", target_session_id=session)


STRANGERS = ["a user's reservations", "a user's payments", "a user's place", "a place without a user", "another event"]


async def stranger(desk, kind):
    """Somebody who knows that the session is called "tab", and listens in its name."""
    match kind:
        case "a user's reservations":
            return reservations(desk, "mallory", session_id="tab")
        case "a user's payments":
            return payments(desk, "mallory", session_id="tab")
        case "a user's place":
            return lines(desk, (await join(desk, "tab", "mallory")).waiting_token, "tab", "mallory")
        case "a place without a user":
            answer = await join(desk, "tab")
            assert code(answer) in ("", "ALREADY_EXISTS")
            return lines(desk, answer.waiting_token, "tab") if answer.waiting_token else None
        case _:
            return lines(desk, (await joined_elsewhere(desk, "tab")).waiting_token, "tab")


@pytest.mark.parametrize("kind", STRANGERS)
@pytest.mark.parametrize("fan", ["ana", ""], ids=["of a user", "of nobody by name"])
def test_a_message_to_a_session_is_not_heard_by_others_who_name_it(kind, fan):
    @on_platform
    async def on_desk(desk):
        own = await join(desk, "tab", fan)
        before = await stranger(desk, kind)
        await desk.loop_once()
        assert not (await to_the_session(desk)).delivered
        ear = lines(desk, own.waiting_token, "tab", fan)
        after = await stranger(desk, kind)
        await desk.loop_once()
        assert messages(ear) == ["for you alone"]
        assert (await to_the_session(desk)).delivered
        assert messages(ear) == ["for you alone"] * 2
        for other in (before, after):
            assert other is None or told(other) == 0
        for one in (ear, before, after):
            if one is not None:
                one.hang_up()

    on_desk()


@on_platform
async def test_who_has_never_joined_has_a_session_from_their_first_stream_on(desk):
    ana = payments(desk, "ana", session_id="tab")
    await desk.loop_once()
    ben = reservations(desk, "ben", session_id="tab")
    phone = reservations(desk, "ana", session_id="tab")
    await desk.loop_once()
    assert (await to_the_session(desk)).delivered
    assert (told(ana), told(ben), told(phone)) == (1, 0, 1)
    await desk.crash()
    ben = reservations(desk, "ben", session_id="tab")
    await desk.loop_once()
    assert not (await to_the_session(desk)).delivered
    ana = reservations(desk, "ana", session_id="tab")
    await desk.loop_once()
    assert (told(ana), told(ben)) == (1, 0)
    for one in (ana, ben, phone):
        one.hang_up()


@on_platform
async def test_a_place_that_was_admitted_for_a_user_keeps_the_session_that_it_came_with(desk):
    own = await join(desk, "tab")
    request = queue_pb2.RequestAdmissionRequest(waiting_token=own.waiting_token, event_id=EVENT_ID, user_id="ana")
    for _ in range(100):
        if (await desk.as_fan(QUEUE + "RequestAdmission", request, "ana")).reservation_token:
            break
        await desk.clock.sleep(1)
    ear = lines(desk, own.waiting_token, "tab", "ana")
    await desk.loop_once()
    assert (await to_the_session(desk)).delivered
    assert messages(ear) == ["for you alone"]
    ear.hang_up()

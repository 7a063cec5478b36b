"""A place belongs to its user, else to whoever holds its token. A session's id is no secret and opens nothing."""

import msgspec

from tests.rpc.desk import QUEUE, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.waiting_room.records import MEMBER, TICKET, member_keys, ticket_key


async def join(desk, session, fan="", *, named=True, shown=""):
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id=session, user_id=fan if named else "")
    calls = desk.platform.calls
    method = calls.methods[f"/{QUEUE}JoinQueue"]
    headers = [("authorization", f"Bearer {desk.token(Role.FAN, fan)}")] if fan else []
    headers += [("x-waiting-token", shown)] if shown else []
    return await calls.answer(method, request, calls.call(method, request, headers, desk.peer))


@on_platform
async def test_two_users_of_one_session_have_two_places_and_one_user_of_many_has_one(desk):
    ana, ben = await join(desk, "tab", "ana"), await join(desk, "tab", "ben")
    assert (code(ana), code(ben)) == ("", "")
    assert (ana.position_hint, ben.position_hint) == (1, 2)
    assert ana.waiting_token != ben.waiting_token
    for again in (
        await join(desk, "tab", "ana"),
        await join(desk, "phone", "ana"),
        await join(desk, "laptop", "ana", named=False),  # the token says who it is
    ):
        assert (code(again), again.waiting_token) == ("ALREADY_EXISTS", ana.waiting_token)


@on_platform
async def test_who_knows_a_session_gets_nothing_of_whoever_joined_with_it(desk):
    ana = await join(desk, "tab", "ana")
    stranger = await join(desk, "tab")
    assert code(stranger) == ""
    assert stranger.waiting_token != ana.waiting_token
    for other in (await join(desk, "tab"), await join(desk, "tab", shown=ana.waiting_token)):
        assert (code(other), other.waiting_token, other.position_hint) == ("ALREADY_EXISTS", "", 0)
    gone = await join(desk, "tab", "ben")
    left = queue_pb2.LeaveQueueRequest(waiting_token=gone.waiting_token)
    assert (await desk.ask(QUEUE + "LeaveQueue", left)).success
    for token in (ana.waiting_token, stranger.waiting_token):
        request = queue_pb2.GetQueueStatusRequest(waiting_token=token)
        assert (await desk.ask(QUEUE + "GetQueueStatus", request)).position > 0


@on_platform
async def test_a_refreshed_tab_that_shows_its_token_has_its_place(desk):
    first = await join(desk, "tab")
    again = await join(desk, "tab", shown=first.waiting_token)
    assert (code(again), again.waiting_token, again.position_hint) == ("ALREADY_EXISTS", first.waiting_token, 1)
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    body = b'{"event_id": "evt_sim", "session_id": "tab"}'
    shown = headers | {"x-waiting-token": first.waiting_token}
    over_http = await desk.http("POST", "/api/v1/queue/join", shown, body)
    assert (over_http.status_code, over_http.json()["waiting_token"]) == (200, first.waiting_token)
    refused = await desk.http("POST", "/api/v1/queue/join", headers, body)
    assert (refused.status_code, first.waiting_token in refused.text) == (409, False)


@on_platform
async def test_a_place_of_a_user_is_given_to_no_other_user_even_with_its_token(desk):
    ana = await join(desk, "tab", "ana")
    await desk.clock.sleep(1)
    request = queue_pb2.RequestAdmissionRequest(waiting_token=ana.waiting_token, event_id=EVENT_ID, user_id="ben")
    assert code(await desk.as_fan(QUEUE + "RequestAdmission", request, "ben")) == "FORBIDDEN"
    ((_, ticket),) = list(desk.records().all(TICKET))
    assert ticket.granted_at is None  # the turn is still hers


@on_platform
async def test_places_of_before_are_found_by_their_user_alone(desk):
    """A member's record under a session may lead to the place of a signed-in user."""
    ana = await join(desk, "tab", "ana")
    (by_session,) = member_keys(EVENT_ID, "tab", "")
    assert by_session != member_keys(EVENT_ID, "tab", "ana")[0]
    await desk.store.transact((), lambda _: Decision(None, [put(by_session, 1)]))
    old = await desk.store.get(ticket_key(EVENT_ID, 1))
    assert old is not None and TICKET.decode("ticket", TICKET.encode(msgspec.structs.replace(old))) == old
    stranger = await join(desk, "tab")
    assert (code(stranger), stranger.waiting_token != ana.waiting_token) == ("", True)
    assert dict(desk.records().all(MEMBER))[by_session.path] == 2
    assert (await join(desk, "tab", "ana")).waiting_token == ana.waiting_token

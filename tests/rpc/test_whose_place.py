"""A place belongs to its user, else to whoever holds its token. A session's id is no secret and opens nothing."""

import msgspec

from tests.rpc.desk import QUEUE, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.sessions import SESSION, Session, is_owner, session_key, user_owner
from traffic_tacos.ports.store import Decision, delete, put
from traffic_tacos.rooms.waiting_room.records import MEMBER, TICKET, member_key, ticket_key

OTHER = "evt_other"


async def join(desk, session, fan="", *, named=True, shown="", event_id=EVENT_ID):
    request = queue_pb2.JoinQueueRequest(event_id=event_id, session_id=session, user_id=fan if named else "")
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


async def leave(desk, token):
    assert (await desk.ask(QUEUE + "LeaveQueue", queue_pb2.LeaveQueueRequest(waiting_token=token))).success


@on_platform
async def test_a_session_has_one_place_in_each_queue_and_another_once_that_has_ended(desk):
    await desk.platform.put_on_sale(EVENT.replace(EVENT_ID, OTHER))
    places = [await join(desk, "tab", event_id=event_id) for event_id in (EVENT_ID, OTHER)]
    assert [code(place) for place in places] == ["", ""]
    for event_id, place in zip((EVENT_ID, OTHER), places, strict=True):
        assert code(await join(desk, "tab", event_id=event_id)) == "ALREADY_EXISTS"
        found = await join(desk, "tab", shown=place.waiting_token, event_id=event_id)
        assert found.waiting_token == place.waiting_token
        await leave(desk, place.waiting_token)
        again = await join(desk, "tab", event_id=event_id)
        assert (code(again), again.waiting_token != place.waiting_token) == ("", True)
        assert code(await join(desk, "tab", event_id=event_id)) == "ALREADY_EXISTS"
        found = await join(desk, "tab", shown=again.waiting_token, event_id=event_id)
        assert found.waiting_token == again.waiting_token


@on_platform
async def test_a_session_finds_its_place_when_the_session_is_long_somebody_elses(desk):
    tab, old = await join(desk, "tab"), await join(desk, "old")
    await desk.crash()
    [renewed_at] = {session.expires_at for _, session in desk.records().all(SESSION)}
    key = session_key("tab")

    def taken_over(view):
        is_theirs, writes = is_owner(view, key, (user_owner("ben"),), renewed_at)
        assert is_theirs
        return Decision(None, writes)

    await desk.store.transact((key,), taken_over)
    for session, place in (("tab", tab), ("old", old)):
        assert code(await join(desk, session)) == "ALREADY_EXISTS"
        assert (await join(desk, session, shown=place.waiting_token)).waiting_token == place.waiting_token


@on_platform
async def test_a_place_that_an_earlier_version_gave_to_a_session_is_found(desk):
    place = await join(desk, "tab")
    key, session = member_key(EVENT_ID, "tab", ""), session_key("tab")
    assert await desk.store.get(key) is None
    for writes in ((put(key, 1), put(session, Session("place evt_sim 1", 1))), (delete(session),)):
        await desk.store.transact((), lambda _, writes=writes: Decision(None, writes))
        assert code(await join(desk, "tab")) == "ALREADY_EXISTS"
        assert (await join(desk, "tab", shown=place.waiting_token)).waiting_token == place.waiting_token


@on_platform
async def test_a_second_place_is_found_though_the_session_was_forgotten_since_the_first(desk):
    """An earlier version kept places apart from the session, which is forgotten after two days."""
    first = await join(desk, "tab")
    key, session = member_key(EVENT_ID, "tab", ""), session_key("tab")
    await desk.store.transact((), lambda _: Decision(None, [put(key, 1), delete(session)]))
    await leave(desk, first.waiting_token)
    second = await join(desk, "tab")
    assert (code(second), second.waiting_token != first.waiting_token) == ("", True)
    assert code(await join(desk, "tab")) == "ALREADY_EXISTS"
    again = await join(desk, "tab", shown=second.waiting_token)
    assert (code(again), again.waiting_token) == ("ALREADY_EXISTS", second.waiting_token)


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
    by_session = member_key(EVENT_ID, "tab", "")
    assert by_session != member_key(EVENT_ID, "tab", "ana")
    await desk.store.transact((), lambda _: Decision(None, [put(by_session, 1)]))
    old = await desk.store.get(ticket_key(EVENT_ID, 1))
    assert old is not None and TICKET.decode("ticket", TICKET.encode(msgspec.structs.replace(old))) == old
    stranger = await join(desk, "tab")
    assert (code(stranger), stranger.waiting_token != ana.waiting_token) == ("", True)
    assert dict(desk.records().all(MEMBER))[by_session.path] == 2
    assert (await join(desk, "tab", "ana")).waiting_token == ana.waiting_token

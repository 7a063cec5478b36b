"""Lists: whose they are, what is filtered, and pages that stay right while things change."""

import pytest

from tests.rpc.desk import RESERVATION, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.kernel.calls import Role


def asked(user="", event="", status=0, cursor="", size=0):
    page = types_pb2.Pagination(cursor=cursor, page_size=size)
    return pb.ListReservationsRequest(user_id=user, event_id=event, status=status, pagination=page)


async def listed(desk, **fields):
    return await desk.as_service(RESERVATION + "ListReservations", asked(**fields))


@on_platform
async def test_reservations_are_listed_by_user_by_event_and_by_what_they_are_now(desk):
    held = [await desk.held("ana", 1), await desk.held("ben", 1)]
    await desk.pay("ana", held[0])
    await desk.clock.sleep(10)
    assert [one.reservation_id for one in (await listed(desk, user="ana")).reservations] == [held[0].reservation_id]
    everybody = (await listed(desk, event=EVENT_ID)).reservations
    assert [one.user_id for one in everybody] == ["ana", "ben"]
    assert [one.status for one in everybody] == [
        pb.RESERVATION_STATUS_CONFIRMED,
        pb.RESERVATION_STATUS_PENDING,
    ]
    await desk.crash(without=frozenset({"worker"}))  # nobody comes by to expire it
    await desk.clock.sleep(60)
    assert (await listed(desk, user="ben", status=pb.RESERVATION_STATUS_PENDING)).reservations == []
    (expired,) = (await listed(desk, user="ben", status=pb.RESERVATION_STATUS_EXPIRED)).reservations
    assert expired.reservation_id == held[1].reservation_id
    assert (await listed(desk, user="ben", event="evt_other")).reservations == []
    await desk.crash()
    await desk.clock.sleep(60)


@on_platform
async def test_pages_neither_repeat_nor_skip_while_reservations_come_and_go(desk):
    ids = []
    for _ in range(7):
        held = await desk.held("ana", 1)
        ids.append(held.reservation_id)
        await desk.cancel("ana", held)
        await desk.clock.sleep(2)
    first = await listed(desk, user="ana", size=3)
    assert (len(first.reservations), first.page_info.has_next_page) == (3, True)
    ids.append((await desk.held("ana", 1)).reservation_id)
    seen, cursor = list(first.reservations), first.page_info.next_cursor
    while cursor:
        page = await listed(desk, user="ana", size=3, cursor=cursor)
        seen += page.reservations
        cursor = page.page_info.next_cursor
    assert [one.reservation_id for one in seen] == ids


@on_platform
async def test_a_fan_lists_their_own_and_nobody_elses(desk):
    held = await desk.held("ana", 1)
    path = RESERVATION + "ListReservations"
    own = await desk.as_fan(path, asked(user="ana"), "ana")
    assert [one.reservation_id for one in own.reservations] == [held.reservation_id]
    assert code(await desk.as_fan(path, asked(user="ana"), "ben")) == "FORBIDDEN"
    assert code(await desk.as_fan(path, asked(event=EVENT_ID), "ana")) == "INVALID_ARGUMENT"
    assert code(await desk.ask(path, asked(user="ana"))) == "UNAUTHENTICATED"


WRONG = [
    {},
    {"user": "ana", "status": 2},
    {"user": "ana", "status": 99},
    {"user": "ana", "size": -1},
    {"user": "ana", "cursor": "\n"},
    {"user": "ana", "cursor": "x" * 501},
]


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_a_wrong_question_is_refused(fields):
    @on_platform
    async def on_desk(desk):
        answer = await desk.ask(RESERVATION + "ListReservations", asked(**fields), desk.token(Role.SERVICE, "s"))
        assert code(answer) == "INVALID_ARGUMENT"

    on_desk()

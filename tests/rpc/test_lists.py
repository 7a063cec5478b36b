"""Lists: whose they are, what is filtered, and pages that stay right while things change."""

from urllib.parse import quote

import pytest
from google.protobuf import json_format

from tests.rpc.desk import RESERVATION, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role


def asked(user="", event="", status=0, cursor="", size=0, page=0):
    page = types_pb2.Pagination(cursor=cursor, page_size=size, page=page)
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
    {"user": "ana", "page": -1},
    {"user": "ana", "page": 1_000_000},
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


def info(answer) -> tuple[int, bool, bool]:
    told = answer.page_info
    assert (told.has_next_page, told.has_previous_page) == (bool(told.next_cursor), bool(told.previous_cursor))
    return told.total_count, told.has_next_page, told.has_previous_page


@on_platform
async def test_reservations_and_payments_have_numbers_of_pages_and_totals(desk):
    ids, intents = [], []
    for _ in range(5):
        held = await desk.held("ana", 1)
        ids.append(held.reservation_id)
        intents.append((await desk.intent("ana", held)).payment_intent_id)
        await desk.cancel("ana", held)
        await desk.clock.sleep(2)
    second = await listed(desk, user="ana", size=2, page=2)
    assert [one.reservation_id for one in second.reservations] == ids[2:4]
    assert info(second) == (5, True, True)
    assert info(await listed(desk, user="ana", size=2, page=9)) == (5, False, True)
    assert info(await listed(desk, user="ana", status=pb.RESERVATION_STATUS_CONFIRMED)) == (0, False, False)
    assert info(await listed(desk, event=EVENT_ID, size=4)) == (5, True, False)
    assert info(await listed(desk, user="ana", event="evt_other")) == (0, False, False)
    page = types_pb2.Pagination(page=3, page_size=2)
    path = "payment.v1.PaymentService/ListPayments"
    last = await desk.as_service(path, payment_pb2.ListPaymentsRequest(user_id="ana", pagination=page))
    assert [one.payment_intent_id for one in last.payments] == intents[4:]
    assert info(last) == (5, False, True)
    one = payment_pb2.ListPaymentsRequest(reservation_id=ids[0], user_id="ana")
    assert info(await desk.as_service(path, one)) == (1, False, False)
    over_http = await desk.http(
        "POST",
        "/reservation.v1.ReservationService/ListReservations",
        {"content-type": "application/json", "authorization": f"Bearer {desk.token(Role.SERVICE, 's')}"},
        b'{"userId": "ana", "pagination": {"page": 2, "pageSize": 2}}',
    )
    assert [one["reservationId"] for one in over_http.json()["reservations"]] == ids[2:4]
    assert over_http.json()["pageInfo"]["totalCount"] == 5


# What a query says of the page, and which of five reservations are on it, and the totals beside them.
REST_PAGES = [
    ("", [0, 1, 2, 3, 4], (5, False, False)),
    ("&page=1&page_size=2", [0, 1], (5, True, False)),
    ("&page=2&page_size=2", [2, 3], (5, True, True)),
    ("&page=2&limit=2", [2, 3], (5, True, True)),
    ("&page=3&limit=2", [4], (5, False, True)),
    ("&page=9&limit=2", [], (5, False, True)),
    ("&page=0&limit=0", [0, 1, 2, 3, 4], (5, False, False)),
    ("&limit=1000", [0, 1, 2, 3, 4], (5, False, False)),
    ("&limit=2&page=3&cursor=NEXT", [2, 3], (5, True, True)),
]
REST_WRONG = [
    ("&page=-1", "pagination.page"),
    ("&page=1000000", "pagination.page"),
    ("&page_size=-1", "pagination.page_size"),
    ("&limit=-1", "pagination.page_size"),
    ("&page=two", "page"),
    ("&limit=", "limit"),
    ("&page=99999999999", "page"),
    ("&limit=2&page_size=2", "limit"),
    ("&pagination=2", "pagination"),
    ("&offset=2", "offset"),
]


@on_platform
async def test_a_list_has_pages_by_the_query_of_its_rest_name_too(desk):
    ids = []
    for _ in range(5):
        held = await desk.held("ana", 1)
        ids.append(held.reservation_id)
        await desk.cancel("ana", held)
        await desk.clock.sleep(2)
    cursor = (await listed(desk, user="ana", size=2)).page_info.next_cursor
    me = {"authorization": f"Bearer {desk.token(Role.FAN, 'ana')}"}
    path = "/api/v1/reservations?user_id=ana"
    for query, places, told in REST_PAGES:
        answer = (await desk.http("GET", path + query.replace("NEXT", quote(cursor)), me)).json()
        assert [one["reservation_id"] for one in answer.get("reservations", [])] == [ids[at] for at in places], query
        assert info(json_format.ParseDict(answer, pb.ListReservationsResponse())) == told, query
    for query, field in REST_WRONG:
        refused = await desk.http("GET", path + query, me)
        error = refused.json()["error"]
        assert (refused.status_code, error["details"][0]["field"]) == (400, field), query
    unknown = (await desk.http("GET", path + "&offset=2", me)).json()["error"]["message"]
    assert unknown == "offset: must be one of user_id, status, event_id, page, page_size, limit, cursor"
    elsewhere = await desk.http("GET", f"/api/v1/reservations/{ids[0]}?page=2", me)
    assert (elsewhere.status_code, elsewhere.json()["error"]["details"][0]["field"]) == (400, "page")
    described = (await desk.http("GET", "/openapi.json", {})).json()["paths"]["/api/v1/reservations"]["get"]
    said = {one["name"] for one in described["parameters"] if one["in"] == "query"}
    assert said == {"user_id", "status", "event_id", "page", "page_size", "limit", "cursor"}


@on_platform
async def test_events_have_numbers_of_pages_and_totals(desk):
    known = sorted([EVENT_ID, *(f"evt_{number}" for number in range(6))])
    for event_id in known:
        if event_id != EVENT_ID:
            await desk.platform.put_on_sale(EVENT.replace(EVENT_ID, event_id))

    async def events(**page):
        request = catalog_pb2.ListEventsRequest(pagination=types_pb2.Pagination(**page))
        answer = await desk.ask("tacos.catalog.v1.CatalogService/ListEvents", request)
        return [plan.event.id for plan in answer.plans], answer.page_info

    for _ in range(2):  # before a restart and after it
        for number, start in enumerate((0, 3, 6), 1):
            ids, told = await events(page=number, page_size=3)
            assert ids == known[start : start + 3]
            assert (told.total_count, told.has_next_page, told.has_previous_page) == (7, start < 6, start > 0)
            again, _ = await events(page_size=3, cursor=told.previous_cursor)
            assert again == known[max(0, start - 3) : max(3, start)]
        ids, told = await events(page=4, page_size=3)
        assert (ids, told.total_count, told.has_next_page, told.has_previous_page) == ([], 7, False, True)
        await desk.crash()


@on_platform
async def test_every_list_that_has_pages_says_how_many_there_are(desk):
    """Whoever adds a list fills its page_info: its answer to an empty list has a message there, and no next page."""
    lists = {
        path: method
        for path, method in desk.platform.calls.methods.items()
        if "page_info" in method.response.DESCRIPTOR.fields_by_name
    }
    assert {path.rpartition("/")[2] for path in lists} == {
        "ListReservations",
        "ListPayments",
        "ListEvents",
        "ListCheckIns",
        "ListReturned",
    }
    for path, method in lists.items():
        known = method.request.DESCRIPTOR.fields_by_name
        fields = {name: "nobody" for name in ("user_id", "event_id") if name in known}
        answer = await desk.as_service(path.removeprefix("/"), method.request(**fields))
        assert answer.HasField("page_info"), path
        assert answer.page_info.total_count == (1 if path.endswith("ListEvents") else 0)

"""HTTP says with its status what the answer says: of everything that says no, before it reads what it need not read."""

import gzip
import json

import pytest

from tests.contract import CONTRACT
from tests.rpc.desk import code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.ports.settings import FAN_LIMIT
from traffic_tacos.transport.answers import SAYS_NO
from traffic_tacos.transport.rest import API, NAMES, idempotency_key

pytestmark = pytest.mark.one_store

JSON = {"content-type": "application/json"}
ENTER = "/gateway.v1.QueueService/RequestAdmission"


def as_fan(desk, **more):
    return {**JSON, "authorization": f"Bearer {desk.token(Role.FAN, 'ana')}", "idempotency-key": "k", **more}


@on_platform
async def test_a_refused_admission_is_an_error_over_connect_and_by_its_rest_name(desk):
    me = as_fan(desk)
    wrong = json.dumps({"waitingToken": "x", "eventId": EVENT_ID}).encode()
    connect = await desk.http("POST", ENTER, me, wrong)
    assert (connect.status_code, connect.json()["code"]) == (401, "unauthenticated")
    assert connect.json()["details"][1]["debug"] == {"admission": "ADMISSION_STATUS_INVALID"}
    rest = await desk.http("POST", API + "/queue/enter", me | {"x-waiting-token": "x"}, wrong)
    assert (rest.status_code, rest.json()["admission"]) == (401, "ADMISSION_STATUS_INVALID")
    without_token = await desk.http("POST", API + "/queue/enter", me, b"{}")
    assert without_token.status_code == 400
    without_key = await desk.http("POST", API + "/queue/enter", {"x-waiting-token": "x"}, b"{}")
    assert without_key.status_code == 400


@on_platform
async def test_a_place_before_its_turn_is_an_error_although_the_answer_has_none(desk):
    stop = admin_pb2.EmergencyActionRequest(
        action=admin_pb2.EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS, reason="a test", confirm=True
    )
    assert code(await desk.ask("common.v1.AdminService/EmergencyAction", stop, desk.token(Role.ADMIN, "op"))) == ""
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s")
    place = (await desk.ask("gateway.v1.QueueService/JoinQueue", request)).waiting_token
    body = json.dumps({"waitingToken": place, "eventId": EVENT_ID}).encode()
    asked = queue_pb2.RequestAdmissionRequest(waiting_token=place, event_id=EVENT_ID)
    denied = await desk.ask("gateway.v1.QueueService/RequestAdmission", asked)
    assert (denied.admission, code(denied)) == (queue_pb2.ADMISSION_STATUS_DENIED, "")
    connect = await desk.http("POST", ENTER, JSON, body)
    assert (connect.status_code, connect.json()["code"]) == (400, "failed_precondition")
    headers = {"x-waiting-token": place, "idempotency-key": "k"}
    rest = await desk.http("POST", API + "/queue/enter", headers, json.dumps({"event_id": EVENT_ID}).encode())
    assert (rest.status_code, rest.json()["admission"]) == (400, "ADMISSION_STATUS_DENIED")
    assert rest.json()["error"]["code"] == "ERROR_CODE_FAILED_PRECONDITION"


NO = ("DENIED", "REFUSED", "REJECTED", "FORBIDDEN")  # what a value is called that says no


def test_every_answer_of_the_fifty_that_can_say_no_in_a_field_of_its_own_is_in_the_table():
    found = set()
    for rpc in CONTRACT.rpcs:
        response = CONTRACT.message(rpc.response).DESCRIPTOR
        for field in response.fields:
            values = field.enum_type.values if field.enum_type is not None else ()
            found |= {(response.full_name, field.name, one.number) for one in values if one.name.endswith(NO)}
    assert found == {(name, field, value) for name, (field, refusals) in SAYS_NO.items() for value in refusals}


@on_platform
async def test_whoever_is_limited_hears_when_to_ask_again(desk):
    admin = desk.token(Role.ADMIN, "op")
    setting = admin_pb2.UpdateConfigRequest(service="gateway", config_key=FAN_LIMIT, config_value="1", reason="a test")
    assert code(await desk.ask("common.v1.AdminService/UpdateConfig", setting, admin)) == ""
    for path in (ENTER, "/gateway.v1.GatewayService/GetReservation", API + "/queue/enter", API + "/reservations"):
        for _ in range(4):
            answer = await desk.http("POST", path, as_fan(desk), b"{}")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1"), path


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name.verb} {name.path}")
def test_allow_names_every_verb_of_a_path(name):
    @on_platform
    async def on_desk(desk):
        path = API + name.path.replace("{", "").replace("}", "")
        verbs = {one.verb for one in NAMES if one.path == name.path}
        allow = ", ".join(sorted(verbs | {"OPTIONS"} | ({"HEAD"} if "GET" in verbs else set())))
        wrong = await desk.http("PATCH", path)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, allow)
        asked = await desk.http("OPTIONS", path)
        assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")

    on_desk()


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/.well-known/jwks.json", "/metrics", "/readyz"])
def test_head_is_as_get_and_nothing_else_is_there(path):
    @on_platform
    async def on_desk(desk):
        got, head = await desk.http("GET", path), await desk.http("HEAD", path)
        assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
        refused = await desk.http("POST", path)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")

    on_desk()


@pytest.mark.parametrize(
    "path",
    [
        "/healthz/",
        "/api/v1/reservations/",
        "/gateway.v1.QueueService/JoinQueue/",
        "/pay/x/",
        "/x//healthz",
        "/e/x/",
        "/orders/",
    ],
)
def test_no_path_redirects_to_what_the_host_header_says(path):
    @on_platform
    async def on_desk(desk):
        for verb in ("GET", "POST"):
            answer = await desk.http(verb, path, {"host": "evil.example"})
            assert answer.status_code in (404, 405)
            assert "location" not in answer.headers

    on_desk()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer nonsense"}, 401), ({"authorization": "Basic eA=="}, 401), ("service", 403)],
    ids=str,
)
def test_who_may_not_ask_hears_so_whatever_they_send(headers, status):
    @on_platform
    async def on_desk(desk):
        admin = "/common.v1.AdminService/GetSystemHealth"
        path = admin if headers == "service" else API + "/reservations"
        given = {"authorization": f"Bearer {desk.token(Role.SERVICE, 's')}"} if headers == "service" else headers
        for body in (b"{", b"[]", b" " * 6_000_000, gzip.compress(b"x")):
            assert (await desk.http("POST", path, JSON | given, body)).status_code == status

    on_desk()


@on_platform
async def test_a_body_is_not_read_for_whom_it_is_not_taken_from(desk):
    async def endless():
        raise AssertionError("the body was read")
        yield b""

    answer = await desk.http("POST", API + "/reservations", JSON, endless())
    assert answer.status_code == 401


@on_platform
async def test_the_rest_names_take_gzip_and_say_what_they_do_not_take(desk):
    join = json.dumps({"event_id": EVENT_ID, "session_id": "s"}).encode()
    headers = JSON | {"idempotency-key": "k"}
    zipped = await desk.http("POST", API + "/queue/join", headers | {"content-encoding": "gzip"}, gzip.compress(join))
    assert zipped.status_code == 200
    unknown = await desk.http("POST", API + "/queue/join", headers | {"content-encoding": "br"}, join)
    assert unknown.status_code == 415
    listed = await desk.http("POST", API + "/queue/join", headers, b"[]")
    assert listed.status_code == 400


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (["K"], "K"),
        (['"K"'], "K"),
        ([' "K" '], "K"),
        (['"K";a=1'], "K"),
        (['"a \\"b\\" \\\\"'], 'a "b" \\'),
        (["K", '"K"'], "K"),
        ([], ""),
        (['""'], ""),
        (['"K'], None),
        (['"K"x'], None),
        (['"\\x"'], None),
        (["K", "L"], None),
    ],
    ids=str,
)
def test_a_key_is_one_key_with_or_without_its_quotes(values, key):
    if key is None:
        with pytest.raises(Refusal, match="Idempotency-Key"):
            idempotency_key(values)
    else:
        assert idempotency_key(values) == key


@on_platform
async def test_a_key_in_quotes_repeats_the_one_without(desk):
    reserve = {
        "event_id": EVENT_ID,
        "quantity": 1,
        "user_id": "ana",
        "reservation_token": await desk.admitted("ana"),
    }
    body, path = json.dumps(reserve).encode(), API + "/reservations"
    answers = [await desk.http("POST", path, as_fan(desk, **{"idempotency-key": key}), body) for key in ("K", '"K"')]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content

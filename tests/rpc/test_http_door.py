"""The HTTP door: every RPC as Connect has it, the REST names, and what they are described by."""

import asyncio
import json
import re
import struct

import jwt
import pytest

from tests.rpc.desk import on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.tokens import ALGORITHM
from traffic_tacos.transport.rest import API, NAMES

JSON = {"content-type": "application/json"}


def as_fan(desk, fan, **more):
    return {**JSON, "authorization": f"Bearer {desk.token(Role.FAN, fan)}", **more}


async def connect(desk, path, fields, headers=None):
    return await desk.http("POST", f"/{path}", headers or JSON, json.dumps(fields).encode())


@on_platform
async def test_a_body_is_read_no_further_than_it_may_be(desk):
    read = []

    async def endless():
        while True:
            read.append(len(read))
            assert len(read) < 1000, "it reads on and on"
            yield b"x" * 100_000

    answer = await desk.http("POST", "/webhooks/payments", JSON, endless())
    assert (answer.status_code, "at most" in answer.text) == (400, True)


@on_platform
async def test_a_purchase_by_connect_json_alone(desk):
    me = as_fan(desk, "ana")
    join = {"eventId": EVENT_ID, "userId": "ana", "sessionId": "tab"}
    place = (await connect(desk, "gateway.v1.QueueService/JoinQueue", join, me)).json()
    again = await connect(desk, "gateway.v1.QueueService/JoinQueue", join, me)
    assert (again.status_code, again.json()["waitingToken"]) == (200, place["waitingToken"])
    assert again.json()["error"]["code"] == "ERROR_CODE_ALREADY_EXISTS"
    await desk.clock.sleep(1)
    token = {"waitingToken": place["waitingToken"]}
    status = (await connect(desk, "gateway.v1.QueueService/GetQueueStatus", token)).json()
    assert status["admissionReady"] is True
    enter = {**token, "eventId": EVENT_ID, "userId": "ana"}
    admission = (await connect(desk, "gateway.v1.QueueService/RequestAdmission", enter, me)).json()
    reserve = {
        "event_id": EVENT_ID,  # the names of the .proto file are taken too
        "quantity": 2,
        "user_id": "ana",
        "reservation_token": admission["reservationToken"],
        "idempotency_key": "r1",
        "a_field_of_tomorrow": 1,
    }
    held = (await connect(desk, "gateway.v1.GatewayService/CreateReservation", reserve, me)).json()
    intent = {
        "reservationId": held["reservationId"],
        "amount": held["totalAmount"],
        "userId": "ana",
        "method": "PAYMENT_METHOD_CREDIT_CARD",
        "scenario": "PAYMENT_SCENARIO_APPROVE",
        "idempotencyKey": "i1",
    }
    made = (await connect(desk, "gateway.v1.GatewayService/CreatePaymentIntent", intent, me)).json()
    pay = {"paymentIntentId": made["paymentIntentId"], "idempotencyKey": "p1"}
    assert (await connect(desk, "payment.v1.PaymentService/ProcessPayment", pay, me)).status_code == 200
    await desk.clock.sleep(10)
    mine = {"reservationId": held["reservationId"]}
    bought = (await connect(desk, "gateway.v1.GatewayService/GetReservation", mine, me)).json()["reservation"]
    assert bought["status"] == "RESERVATION_STATUS_CONFIRMED"


@on_platform
async def test_the_same_purchase_by_the_rest_names(desk):
    me = as_fan(desk, "ana", **{"idempotency-key": "k1"})

    async def ask(verb, path, fields=None, **headers):
        body = b"" if fields is None else json.dumps(fields).encode()
        return await desk.http(verb, API + path, {**me, **headers}, body)

    place = (await ask("POST", "/queue/join", {"event_id": EVENT_ID, "user_id": "ana", "session_id": "s"})).json()
    await desk.clock.sleep(1)
    waiting = {"x-waiting-token": place["waiting_token"]}
    assert (await ask("GET", "/queue/status", **waiting)).json()["admission_ready"] is True
    admission = (await ask("POST", "/queue/enter", {"event_id": EVENT_ID, "user_id": "ana"}, **waiting)).json()
    reserve = {
        "event_id": EVENT_ID,
        "quantity": 2,
        "user_id": "ana",
        "reservation_token": admission["reservation_token"],
    }
    held = (await ask("POST", "/reservations", reserve)).json()
    assert (await ask("POST", "/reservations", reserve)).json() == held
    here = f"/reservations/{held['reservation_id']}"
    intent = {
        "reservation_id": held["reservation_id"],
        "amount": held["total_amount"],
        "user_id": "ana",
        "method": 1,
        "scenario": 1,
    }
    made = (await ask("POST", "/payment/intents", intent)).json()
    assert (await ask("POST", f"/payment/{made['payment_intent_id']}/process", {})).status_code == 200
    await desk.clock.sleep(10)
    payment = (await ask("GET", f"/payment/{made['payment_intent_id']}")).json()["payment"]
    assert payment["status"] == "PAYMENT_STATUS_COMPLETED"
    assert (await ask("GET", here)).json()["reservation"]["status"] == "RESERVATION_STATUS_CONFIRMED"
    listed = (await ask("GET", "/reservations?user_id=ana")).json()["reservations"]
    assert [one["reservation_id"] for one in listed] == [held["reservation_id"]]
    left = (await ask("GET", f"/events/{EVENT_ID}/availability?quantity=1")).json()
    assert left["total_available"] == 13
    given_back = await ask("DELETE", here, **{"idempotency-key": "k2"})
    assert given_back.json()["status"] == "RESERVATION_STATUS_REFUNDED"


@on_platform
async def test_errors_have_their_status_their_code_and_the_contracts_error_in_their_details(desk):
    me = as_fan(desk, "ana")
    for path, fields, headers, status, code in (
        ("gateway.v1.GatewayService/GetReservation", {"reservationId": "rsv_x"}, me, 404, "not_found"),
        ("gateway.v1.GatewayService/GetReservation", {"reservationId": "rsv_x"}, JSON, 401, "unauthenticated"),
        ("gateway.v1.GatewayService/GetReservation", {}, me, 400, "invalid_argument"),
        ("reservation.v1.Inventory/GetInventoryStatus", {"eventId": EVENT_ID}, me, 403, "permission_denied"),
        ("reservation.v1.InventoryService/GetInventoryStatus", {"eventId": EVENT_ID}, me, 403, "permission_denied"),
        ("gateway.v1.QueueService/NoSuchThing", {}, me, 501, "unimplemented"),
        ("gateway.v1.QueueService/JoinQueue", {"eventId": 7}, me, 400, "invalid_argument"),
    ):
        answer = await connect(desk, path, fields, headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
        detail = answer.json()["details"][0]
        assert detail["type"] == "common.v1.Error"
        assert code == "unimplemented" or detail["debug"]["traceId"]
    forged = {**me, "authorization": "Bearer nonsense"}
    assert (await connect(desk, "gateway.v1.GatewayService/GetReservation", {}, forged)).status_code == 401
    garbage = await desk.http("POST", "/gateway.v1.QueueService/JoinQueue", JSON, b"{")
    assert (garbage.status_code, garbage.json()["code"]) == (400, "invalid_argument")
    huge = await desk.http("POST", "/gateway.v1.QueueService/JoinQueue", JSON, b" " * 300_000)
    assert huge.status_code == 400
    text = await desk.http("POST", "/gateway.v1.QueueService/JoinQueue", {"content-type": "text/plain"}, b"x")
    assert text.status_code == 415
    soon = await connect(desk, "gateway.v1.QueueService/JoinQueue", {}, {**JSON, "connect-timeout-ms": "soon"})
    assert soon.status_code == 400
    for kinds, status in ((("text/plain", "application/json"), 415), (("application/json", "text/plain"), 400)):
        twice = [("content-type", kind) for kind in kinds]  # the first counts
        assert (await connect(desk, "gateway.v1.QueueService/JoinQueue", {}, twice)).status_code == status


@on_platform
async def test_protobuf_goes_both_ways(desk):
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s").SerializeToString()
    headers = {"content-type": "application/proto"}
    answer = await desk.http("POST", "/gateway.v1.QueueService/JoinQueue", headers, request)
    assert answer.headers["content-type"] == "application/proto"
    assert queue_pb2.JoinQueueResponse.FromString(answer.content).position_hint == 1
    bad = await desk.http("POST", "/gateway.v1.QueueService/JoinQueue", headers, b"\xff\xff")
    assert bad.status_code == 400


@on_platform
async def test_rest_refuses_what_belongs_elsewhere(desk):
    me = as_fan(desk, "ana", **{"idempotency-key": "k"})
    in_url = await desk.http("GET", f"{API}/queue/status?waiting_token=abc", me)
    assert (in_url.status_code, "never in a URL" in in_url.json()["error"]["message"]) == (400, True)
    unknown = await desk.http("GET", f"{API}/reservations?colour=red", me)
    assert (unknown.status_code, unknown.json()["error"]["details"][0]["field"]) == (400, "colour")
    no_number = await desk.http("GET", f"{API}/events/{EVENT_ID}/availability?quantity=two", me)
    assert (no_number.status_code, no_number.json()["error"]["details"][0]["field"]) == (400, "quantity")
    without_key = await desk.http("POST", f"{API}/queue/join", as_fan(desk, "ana"), b"{}")
    assert without_key.json()["error"]["code"] == "ERROR_CODE_IDEMPOTENCY_REQUIRED"
    assert (await desk.http("GET", f"{API}/reservations/rsv_x", me)).status_code == 404
    assert (await desk.http("PUT", f"{API}/reservations", me)).status_code == 405


async def left_ticket(desk):
    """A ticket whose stream says how it ended, and ends."""
    fields = {"eventId": EVENT_ID, "sessionId": "s"}
    token = (await connect(desk, "gateway.v1.QueueService/JoinQueue", fields)).json()["waitingToken"]
    await connect(desk, "gateway.v1.QueueService/LeaveQueue", {"waitingToken": token})
    return {"waitingToken": token, "sessionId": "s"}


@on_platform
async def test_streams_come_enveloped_or_as_server_sent_events(desk):
    path = "/gateway.v1.WebSocketService/StreamQueueUpdates"
    body = json.dumps(await left_ticket(desk)).encode()
    sent = await desk.http("POST", path, {**JSON, "accept": "text/event-stream"}, body)
    assert sent.headers["content-type"].startswith("text/event-stream")
    first = json.loads(sent.text.split("\n\n")[0].removeprefix("data: "))
    assert first["queueUpdate"]["eventType"] == "QUEUE_EVENT_TYPE_TOKEN_EXPIRED"
    headers = {"content-type": "application/connect+json"}
    enveloped = await desk.http("POST", path, headers, struct.pack(">BI", 0, len(body)) + body)
    messages, rest = [], enveloped.content
    while rest:
        flags, length = struct.unpack(">BI", rest[:5])
        messages.append((flags, json.loads(rest[5 : 5 + length])))
        rest = rest[5 + length :]
    assert [flags for flags, _ in messages] == [0, 2]
    assert messages[1][1] == {}
    wrong = json.dumps({"waitingToken": "x", "sessionId": "s"}).encode()
    refused = await desk.http("POST", path, headers, struct.pack(">BI", 0, len(wrong)) + wrong)
    flags, length = struct.unpack(">BI", refused.content[:5])
    error = json.loads(refused.content[5:])["error"]
    assert (flags, error["code"], error["details"][0]["type"]) == (2, "unauthenticated", "common.v1.Error")
    torn = await desk.http("POST", path, headers, b"\x01abc")
    assert (torn.status_code, json.loads(torn.content[5:])["error"]["code"]) == (200, "invalid_argument")


@on_platform
async def test_a_stream_of_events_in_which_nothing_happens_says_that_it_is_alive(desk):
    stopped = {"eventId": EVENT_ID, "setting": "admission.stopped", "value": "true", "actor": "olga", "reason": "rain"}
    service = {"authorization": f"Bearer {desk.token(Role.SERVICE, 'tester')}"}
    answer = await connect(desk, "tacos.waiting_room.v1.LineService/ConfigureLine", stopped, {**JSON, **service})
    assert answer.status_code == 200
    fields = {"eventId": EVENT_ID, "sessionId": "s"}
    token = (await connect(desk, "gateway.v1.QueueService/JoinQueue", fields)).json()["waitingToken"]
    path, body = "/gateway.v1.WebSocketService/StreamQueueUpdates", {"waitingToken": token, "sessionId": "s"}
    encoded = json.dumps(body).encode()
    envelope = struct.pack(">BI", 0, len(encoded)) + encoded

    async def leaving():
        await desk.clock.sleep(50)
        await connect(desk, "gateway.v1.QueueService/LeaveQueue", {"waitingToken": token})

    events, enveloped, _ = await asyncio.gather(
        desk.http("POST", path, {**JSON, "accept": "text/event-stream"}, encoded),
        desk.http("POST", path, {"content-type": "application/connect+json"}, envelope),
        leaving(),
    )
    blocks = events.text.strip().split("\n\n")
    beats = [block for block in blocks if block.startswith(":")]
    assert events.headers["x-accel-buffering"] == "no"
    assert len(beats) == 3 and len(blocks) > len(beats)
    told = [json.loads(block.removeprefix("data: ")) for block in blocks if block not in beats]
    assert told[-1]["queueUpdate"]["eventType"] == "QUEUE_EVENT_TYPE_TOKEN_EXPIRED"
    assert enveloped.content.count(b'"timestamp"') == len(told), "an envelope is a message, and nothing else"


@on_platform
async def test_the_openapi_document_names_every_rest_name_and_all_it_refers_to(desk):
    document = (await desk.http("GET", "/openapi.json")).json()
    described = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    assert described == {(name.verb, API + name.path) for name in NAMES}
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in schemas
    assert set(schemas["common.v1.Error"]["properties"]) == {field.name for field in errors_pb2.Error.DESCRIPTOR.fields}
    create = document["paths"][f"{API}/reservations"]["post"]
    assert create["security"] == [{"token": []}]
    assert "Idempotency-Key" in [one["name"] for one in create["parameters"]]


@on_platform
async def test_our_tokens_verify_with_the_published_key(desk):
    keys = (await desk.http("GET", "/.well-known/jwks.json")).json()
    key = jwt.PyJWK(keys["keys"][0])
    token = desk.token(Role.FAN, "ana")
    unchecked = {f"verify_{claim}": False for claim in ("aud", "exp", "nbf", "iat")}  # the clock here is virtual
    claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=unchecked)
    assert jwt.get_unverified_header(token)["kid"] == keys["keys"][0]["kid"]
    assert claims["sub"] == "ana"
    assert "d" not in keys["keys"][0]  # the private part stays here


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/gateway.v1.QueueService/JoinQueue"])
def test_no_other_origin_may_read_the_door_unless_it_is_configured(path):
    @on_platform
    async def on_desk(desk):
        headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        answer = await desk.http("OPTIONS", path, headers)
        assert "access-control-allow-origin" not in answer.headers

    on_desk()


def test_browsers_of_other_origins_are_let_in_only_where_the_operator_said_so():
    @on_platform
    async def on_desk(desk):
        asked = {
            "origin": "https://tickets.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,idempotency-key",
        }
        path = "/api/v1/queue/join"
        assert "access-control-allow-origin" not in (await desk.http("OPTIONS", path, asked)).headers
        desk.cors_origins = ("https://tickets.example",)
        await desk.crash()
        allowed = await desk.http("OPTIONS", path, asked)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, asked["origin"])
        evil = asked | {"origin": "https://evil.example"}
        assert "access-control-allow-origin" not in (await desk.http("OPTIONS", path, evil)).headers
        answer = await desk.http("GET", "/api/v1/queue/stats", {"origin": asked["origin"]})
        assert answer.headers["access-control-allow-origin"] == asked["origin"]
        assert "access-control-allow-credentials" not in answer.headers

    on_desk()


@on_platform
async def test_the_picture_beside_a_link_is_found_where_a_page_says_it_is(desk):
    page = (await desk.http("GET", "/")).text
    picture = re.search(r'property="og:image" content="([^"]+)"', page)[1]
    door = desk.platform.config.base_url
    assert picture == f"{door}/preview.png"
    found = await desk.http("GET", picture.removeprefix(door))
    assert (found.status_code, found.headers["content-type"]) == (200, "image/png")
    assert found.content.startswith(b"\x89PNG")
    assert "Allow: /preview.png" in (await desk.http("GET", "/robots.txt")).text


UNKNOWN = {"/nothing", "/nothing/here", "/orders/ord_none", "/queue/evt_none", "/e/", "/no.such.Service/Method"}


@on_platform
async def test_where_nothing_is_programs_get_an_error_and_people_a_page_in_their_language(desk):
    for path in UNKNOWN:
        for program in ("GET", {}), ("GET", {"accept": "*/*"}), ("DELETE", {"accept": "text/html"}):
            answer = await desk.http(program[0], path, program[1])
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND"), path
            assert answer.json()["error"]["trace_id"] and "allow" not in answer.headers
        for accepted, says in ("", "There is nothing at this address"), ("ko-KR,en", "이 주소에는 아무것도 없습니다"):
            browser = {"accept": "text/html,*/*;q=0.8", "accept-language": accepted}
            page = await desk.http("GET", path, browser)
            assert (page.status_code, page.headers["cache-control"]) == (404, "no-store")
            assert f">{says}</h1>" in page.text and f"<title>{says}</title>" in page.text
            assert ('<html lang="ko">' in page.text) is bool(accepted)
            assert {'href="/"', 'href="/orders"'} <= {*re.findall(r'href="[^"]*"', page.text)}


@on_platform
async def test_a_verb_that_an_address_does_not_have_is_said_with_those_that_it_has(desk):
    for verb, path, allowed in [
        ("POST", "/orders", "GET, HEAD, OPTIONS"),
        ("GET", "/webhooks/payments", "OPTIONS, POST"),
        ("GET", "/gateway.v1.QueueService/JoinQueue", "OPTIONS, POST"),
    ]:
        answer = await desk.http(verb, path)
        error = answer.json()["error"]
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert (error["code"], error["message"]) == ("INVALID_ARGUMENT", f"method: must be one of {allowed}")
    page = await desk.http("GET", "/webhooks/payments", {"accept": "text/html"})
    assert (page.status_code, page.headers["allow"], "</h1>" in page.text) == (405, "OPTIONS, POST", True)


@pytest.mark.parametrize("path", ["/e/{}", "/draw/{}"])
@pytest.mark.parametrize("event", ["evt_none", "%00", "%E0", "e" * 300])
def test_the_page_of_an_event_that_there_is_not_says_so(path, event):
    @on_platform
    async def on_desk(desk):
        page = await desk.http("GET", path.format(event), {"accept": "text/html"})
        assert (page.status_code, page.headers["cache-control"]) == (404, "no-store")
        assert ">There is no such event</h1>" in page.text and "fan/nothing.js" in page.text
        found = await desk.http("GET", path.format(EVENT_ID), {"accept": "text/html"})
        assert (found.status_code, "fan/nothing.js" in found.text) == (200, False)

    on_desk()

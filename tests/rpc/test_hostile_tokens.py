"""Tokens made to break their reader are refused like any other that is not good: typed, and no line in the log."""

import base64
import json
from urllib.parse import quote

import jwt
import pytest
import structlog

from tests.rpc.desk import GATEWAY, PAYMENT, QUEUE, RESERVATION, code, on_platform
from tests.rpc.test_keys_and_issuers import Login, reads, with_login
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, websocket_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.instants import SECOND

# What OpenID Connect allows as a subject (Core 1.0, 2): up to 255 ASCII characters, to the letter.
SUBJECTS = ("a/b=", "-Abc", "auth0|123", "a b", " a ", "%2F", "..", "a%b", "{}", "x" * 255, "A", "a")

CLAIMS = {
    "no role": {"role": None},
    "an unknown role": {"role": "pope"},
    "the role of nobody": {"role": "anonymous"},
    "a role that is a list": {"role": ["fan"]},
    "a role that is a number": {"role": 7},
    "an end in 10^30 seconds": {"exp": 10**30},
    "an end of 1e300": {"exp": 1e300},
    "an end before 1970": {"exp": -1},
    "an end that is true": {"exp": True},
    "an end that is text": {"exp": "tomorrow"},
    "an end that is null": {"exp": None},
    "an end that is no number": {"exp": float("nan")},
    "an end that is infinite": {"exp": float("inf")},
    "an end that is a list": {"exp": [1]},
    "a beginning in 10^30 seconds": {"nbf": 10**30},
    "a beginning that is text": {"nbf": "x"},
    "a beginning before 1970": {"nbf": -(10**18)},
    "an audience that is a number": {"aud": 7},
    "an audience that is a list of numbers": {"aud": [7, None]},
    "an audience that is an object": {"aud": {"a": 1}},
    "an issuer that is a list": {"iss": ["traffic-tacos"]},
    "a subject that is a number": {"sub": 7},
    "a subject that is an object": {"sub": {}},
    "an empty subject": {"sub": ""},
    "a subject with a line break": {"sub": "a\nb"},
    "a scope that is a number": {"scope": 7},
    "a scope that is an object": {"scope": {"tickets:buy": 1}},
}


def encoded(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key, name, algorithm, claims, **header):
    """Signed by hand: PyJWT would not write most of these."""
    head = encoded({"alg": algorithm, "typ": "JWT", "kid": name, **header})
    said = f"{head}.{claims if isinstance(claims, str) else encoded(claims)}"
    return f"{said}.{encoded(key.sign(said.encode()))}"


def raw_tokens(key, name, claims):
    """Not even their shape is right."""
    good = encoded(claims)
    nested = encoded(b"[" * 2500 + b"]" * 2500)
    deep = encoded(b'{"a":' * 900 + b"1" + b"}" * 900)
    yield from ("x", "..", "x.y.z", "a.b", "é.é.é", "\x00", "a" * 9000, "=.=.=", f"{good}.{good}.{good}", "💥.a.b")
    yield f"{encoded({'alg': 'none'})}.{good}."
    yield f"{encoded({'alg': 'none', 'kid': name})}.{good}."
    yield jwt.encode(claims, "s" * 64, "HS256", {"kid": name})
    yield from (f"{nested}.{good}.x", f"{deep}.{good}.x", f"{encoded(b'[]')}.{good}.x", f"{encoded(b'null')}.{good}.x")
    yield f"{encoded(bytes(range(128, 256)))}.{good}.x"
    yield f"{encoded(b'{' + b'1' * 5000 + b'}')}.{good}.x"
    for header in ({"kid": 7}, {"kid": ["a"]}, {"kid": {}}, {"kid": None, "alg": 7}, {"alg": ["EdDSA"]}, {"alg": None}):
        yield signed(key, name, "EdDSA", claims, **header)
    for header in ({"crit": ["b64"], "b64": False}, {"b64": False}, {"crit": 7}):
        yield signed(key, name, "EdDSA", {**claims, "exp": 1}, **header)
    for content in (nested, deep, encoded(b"[]"), encoded(b"7"), encoded(b"null"), encoded(b"\xff\xfe"), encoded(b"")):
        yield signed(key, name, "EdDSA", content or "e30")
    yield signed(key, name, "EdDSA", encoded(json.dumps({**claims, "exp": 0})[:-2].encode() + b"1" * 4400 + b"}"))


async def refused_everywhere(desk, token):
    """At a call, at ValidateToken, over HTTP, on a stream and as an admission: refused, and no bug."""
    assert await reads(desk, token) in ("UNAUTHENTICATED", "FORBIDDEN")
    asked = gateway_pb2.ValidateTokenRequest(token=token)
    assert code(await desk.ask(GATEWAY + "ValidateToken", asked)) in (
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "INVALID_ARGUMENT",
    )
    if token.isascii() and token.isprintable():
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        over_http = await desk.http("POST", "/gateway.v1.GatewayService/GetReservation", headers, b"{}")
        assert over_http.status_code in (401, 403)
        assert (await desk.http("GET", "/api/v1/reservations/rsv_1", headers)).status_code in (401, 403)
    held = gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID, quantity=1, user_id="ana", reservation_token=token, idempotency_key=desk.key()
    )
    answer = await desk.as_fan(GATEWAY + "CreateReservation", held, "ana")
    assert code(answer) in ("UNAUTHENTICATED", "FORBIDDEN", "INVALID_ARGUMENT")


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_of_our_own_that_cannot_be_is_refused(name):
    @on_platform
    async def on_desk(desk):
        now = desk.clock.now() // SECOND
        key, key_name = desk.keys.signing, next(iter(desk.keys.verifying))
        claims = {
            "iss": "traffic-tacos",
            "aud": "traffic-tacos",
            "sub": "ana",
            "role": "fan",
            "scope": "tickets:buy",
            "nbf": now,
            "exp": now + 600,
            "jti": "x",
        }
        assert await reads(desk, signed(key, key_name, "EdDSA", claims)) == "NOT_FOUND"
        with structlog.testing.capture_logs() as lines:
            await refused_everywhere(desk, signed(key, key_name, "EdDSA", {**claims, **CLAIMS[name]}))
        assert lines == []

    on_desk()


def test_a_claim_of_another_issuer_that_cannot_be_is_refused():
    async def test(desk, login: Login):
        now = desk.clock.now()
        key = login.private["ed"]
        claims = jwt.decode(login.token("ed", now), options={"verify_signature": False})
        with structlog.testing.capture_logs() as lines:
            for name, wrong in CLAIMS.items():
                if not {"role", "scope"} & set(wrong):  # which are not looked at
                    token = signed(key, "ed", "EdDSA", {**claims, **wrong})
                    assert await reads(desk, token) in ("UNAUTHENTICATED", "FORBIDDEN"), name
            for token in raw_tokens(key, "ed", claims):
                assert await reads(desk, token) in ("UNAUTHENTICATED", "FORBIDDEN"), token[:200]
        assert lines == []
        fraction = signed(key, "ed", "EdDSA", {**claims, "exp": now / SECOND + 60.5})
        assert await reads(desk, fraction) == "NOT_FOUND"  # RFC 7519, 2: a NumericDate may have one

    with_login(test)


@on_platform
async def test_what_is_hardly_a_token_is_refused(desk):
    claims = {"iss": "traffic-tacos", "aud": "traffic-tacos", "sub": "ana", "role": "fan", "exp": 2**33, "nbf": 1}
    with structlog.testing.capture_logs() as lines:
        for token in raw_tokens(desk.keys.signing, next(iter(desk.keys.verifying)), claims):
            await refused_everywhere(desk, token)
    assert lines == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_that_openid_connect_allows_buys_a_ticket(subject):
    async def test(desk, login: Login):
        token = login.token("ed", desk.clock.now(), sub=subject)
        join = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=subject, session_id="s")
        joined = await desk.ask(QUEUE + "JoinQueue", join, token)
        asked = queue_pb2.RequestAdmissionRequest(
            waiting_token=joined.waiting_token, event_id=EVENT_ID, user_id=subject
        )
        while not (admission := await desk.ask(QUEUE + "RequestAdmission", asked, token)).reservation_token:
            await desk.clock.sleep(0.2)
        held = await desk.ask(
            GATEWAY + "CreateReservation",
            gateway_pb2.CreateReservationRequest(
                event_id=EVENT_ID,
                quantity=1,
                user_id=subject,
                reservation_token=admission.reservation_token,
                idempotency_key="k",
            ),
            token,
        )
        assert code(held) == "", held.error
        intent = await desk.ask(
            GATEWAY + "CreatePaymentIntent",
            gateway_pb2.CreatePaymentIntentRequest(
                reservation_id=held.reservation_id,
                amount=held.total_amount,
                user_id=subject,
                method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
                scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
                idempotency_key="i",
            ),
            token,
        )
        process = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id, idempotency_key="p")
        assert code(await desk.ask(PAYMENT + "ProcessPayment", process, token)) == ""
        await desk.clock.sleep(10)
        mine = await desk.ask(
            RESERVATION + "ListReservations", reservation_pb2.ListReservationsRequest(user_id=subject), token
        )
        assert [one.order_id != "" for one in mine.reservations] == [True]
        headers = {"authorization": f"Bearer {token}"}
        over_http = await desk.http("GET", f"/api/v1/reservations?user_id={quote(subject)}", headers)
        assert [one["user_id"] for one in over_http.json()["reservations"]] == [subject]
        message = websocket_pb2.SendMessageRequest(
            target_user_id=subject, message_type=websocket_pb2.MESSAGE_TYPE_INFO, title="t", content="c"
        )
        assert code(await desk.as_service("gateway.v1.WebSocketService/SendMessage", message)) == ""
        payments = await desk.as_service(PAYMENT + "ListPayments", payment_pb2.ListPaymentsRequest(user_id=subject))
        assert len(payments.payments) == 1
        other = login.token("ed", desk.clock.now(), sub=subject.swapcase() + "x"[: len(subject) < 255])
        seen = gateway_pb2.GetReservationRequest(reservation_id=held.reservation_id)
        assert code(await desk.ask(GATEWAY + "GetReservation", seen, other)) == "NOT_FOUND"

    with_login(test)


@on_platform
async def test_our_own_tokens_know_the_same_subjects(desk):
    for subject in SUBJECTS:
        asked = gateway_pb2.ValidateTokenRequest(token=desk.token(Role.FAN, subject))
        assert (await desk.ask(GATEWAY + "ValidateToken", asked)).user.user_id == subject
    admin = desk.token(Role.ADMIN, "op@example.org")
    health = admin_pb2.SystemHealthRequest()
    assert code(await desk.ask("common.v1.AdminService/GetSystemHealth", health, admin)) == ""

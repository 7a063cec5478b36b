"""No token, a wrong one, an expired one, one for another event, somebody else's things: refused, each with its code."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.rpc.desk import GATEWAY, INVENTORY, PAYMENT, QUEUE, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.calls.policy import ADMIN, FAN, POLICY, PUBLIC, SCOPES
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import AUDIENCE, ISSUER, UserToken, sign_user


def _reserve(admission, user="ana"):
    return gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID, quantity=1, user_id=user, reservation_token=admission, idempotency_key="k"
    )


@on_platform
async def test_every_method_that_is_not_public_refuses_who_has_no_token(desk):
    closed = [
        path for path, roles in POLICY.items() if roles is not PUBLIC and "/" + path in desk.platform.calls.methods
    ]
    assert len(closed) > 20
    for path in closed:
        method = desk.platform.calls.methods["/" + path]
        if method.is_stream:
            with pytest.raises(Refusal) as refused:
                await anext(desk.stream(path, method.request()))
            assert refused.value.code is Code.UNAUTHENTICATED, path
        else:
            assert code(await desk.ask(path, method.request())) == "UNAUTHENTICATED", path


@on_platform
async def test_a_fan_may_not_call_what_is_for_services_and_administrators(desk):
    for path, roles in POLICY.items():
        if roles in (PUBLIC, FAN) or "/" + path not in desk.platform.calls.methods:
            continue
        method = desk.platform.calls.methods["/" + path]
        assert code(await desk.as_fan(path, method.request(), "ana")) == "FORBIDDEN", path


def test_what_is_for_administrators_alone():
    """Listed a second time, so that nothing becomes anybody's by a slip in the one table."""
    services = {"common.v1.AdminService", "tacos.operations.v1.OperationsService"}
    of_services = {path for path in POLICY if path.split("/")[0] in services}
    of_catalog = ("CreateEvent", "UpdateEvent", "BlockSeats", "UnblockSeats")
    catalog = {f"tacos.catalog.v1.CatalogService/{name}" for name in of_catalog}
    assert {path for path, roles in POLICY.items() if roles == ADMIN} == of_services | catalog


def test_every_method_has_a_policy_and_every_policy_a_method():
    @on_platform
    async def run(desk):
        assert {path.removeprefix("/") for path in desk.platform.calls.methods} == set(POLICY)

    run()


@on_platform
async def test_tokens_that_are_not_good_are_refused(desk):
    now = desk.clock.now()
    fan = Caller(Role.FAN, "ana")
    buy = SCOPES[Role.FAN]
    good = sign_user(desk.keys.signing, UserToken(fan, buy, now + 60 * SECOND), now)
    foreign = sign_user(Ed25519PrivateKey.from_private_bytes(b"x" * 32), UserToken(fan, buy, now + 60 * SECOND), now)
    expired = sign_user(desk.keys.signing, UserToken(fan, buy, now - SECOND), now - 60 * SECOND)
    early = sign_user(desk.keys.signing, UserToken(fan, buy, now + 90 * SECOND), now + 60 * SECOND)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "role": "admin", "nbf": 0, "exp": 2**40}
    unsigned = jwt.encode(claims, None, algorithm="none")
    with_shared_secret = jwt.encode(claims, "k" * 32, algorithm="HS256")
    elsewhere = jwt.encode({**claims, "iss": "evil"}, desk.keys.signing, algorithm="EdDSA")
    path, request = GATEWAY + "GetReservation", gateway_pb2.GetReservationRequest(reservation_id="r")
    assert code(await desk.ask(path, request, good)) == "NOT_FOUND"
    for bad in (foreign, expired, early, unsigned, with_shared_secret, elsewhere, "nonsense", good[:-2], "x" * 9000):
        assert code(await desk.ask(path, request, bad)) == "UNAUTHENTICATED", bad[:40]
    assert (
        code(await desk.ask(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(), expired)) == "UNAUTHENTICATED"
    )
    another = jwt.encode({**claims, "aud": "another"}, desk.keys.signing, algorithm="EdDSA")
    assert code(await desk.ask(path, request, another)) == "FORBIDDEN"
    timeless = {name: value for name, value in claims.items() if name != "nbf"} | {"scope": "platform:admin"}
    endless = jwt.encode(timeless, desk.keys.signing, algorithm="EdDSA")
    assert code(await desk.ask(path, request, endless)) == "UNAUTHENTICATED"
    without_scope = sign_user(desk.keys.signing, UserToken(fan, ("something:else",), now + 60 * SECOND), now)
    assert code(await desk.ask(path, request, without_scope)) == "FORBIDDEN"


@on_platform
async def test_a_token_is_forgotten_when_it_expires(desk):
    token = desk.token(Role.FAN, "ana", lifetime=5 * SECOND)
    path, request = GATEWAY + "GetReservation", gateway_pb2.GetReservationRequest(reservation_id="r")
    assert code(await desk.ask(path, request, token)) == "NOT_FOUND"
    await desk.clock.sleep(6)
    assert code(await desk.ask(path, request, token)) == "UNAUTHENTICATED"


@on_platform
async def test_reservation_tokens_are_for_their_event_their_user_and_five_minutes(desk):
    await desk.platform.put_on_sale(EVENT.replace("id: evt_sim", "id: evt_other"))
    admission = await desk.admitted("ana")
    for token, user, expected in [
        ("", "ana", "UNAUTHENTICATED"),
        ("nonsense", "ana", "UNAUTHENTICATED"),
        (admission[:-4] + "AAAA", "ana", "UNAUTHENTICATED"),
        (desk.token(Role.FAN, "ana"), "ana", "FORBIDDEN"),
        (admission, "ben", "FORBIDDEN"),
    ]:
        assert code(await desk.as_fan(GATEWAY + "CreateReservation", _reserve(token, user), user)) == expected
    elsewhere = _reserve(admission)
    elsewhere.event_id = "evt_other"
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", elsewhere, "ana")) == "FORBIDDEN"
    await desk.clock.sleep(301)
    late = await desk.as_fan(GATEWAY + "CreateReservation", _reserve(admission), "ana")
    assert code(late) == "UNAUTHENTICATED"


@on_platform
async def test_somebody_elses_things_do_not_exist(desk):
    held = await desk.held("ana")
    intent = (await desk.intent("ana", held)).payment_intent_id
    theirs = [
        (GATEWAY + "GetReservation", gateway_pb2.GetReservationRequest(reservation_id=held.reservation_id)),
        (
            GATEWAY + "CancelReservation",
            gateway_pb2.CancelReservationRequest(
                reservation_id=held.reservation_id, user_id="ben", idempotency_key="k"
            ),
        ),
        (GATEWAY + "GetPaymentStatus", gateway_pb2.GetPaymentStatusRequest(payment_intent_id=intent)),
        (PAYMENT + "ProcessPayment", payment_pb2.ProcessPaymentRequest(payment_intent_id=intent, idempotency_key="k")),
        (
            GATEWAY + "CreatePaymentIntent",
            gateway_pb2.CreatePaymentIntentRequest(
                reservation_id=held.reservation_id,
                amount=held.total_amount,
                user_id="ben",
                method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
                scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
                idempotency_key="k2",
            ),
        ),
    ]
    for path, request in theirs:
        assert code(await desk.as_fan(path, request, "ben")) == "NOT_FOUND", path
    posing = gateway_pb2.CancelReservationRequest(
        reservation_id=held.reservation_id, user_id="ana", idempotency_key="k3"
    )
    assert code(await desk.as_fan(GATEWAY + "CancelReservation", posing, "ben")) == "FORBIDDEN"
    assert code(await desk.as_fan(GATEWAY + "CreateReservation", _reserve("x", "ana"), "ben")) == "FORBIDDEN"


@on_platform
async def test_validating_a_token_says_what_it_is_or_why_not(desk):
    token = desk.token(Role.FAN, "ana")
    good = await desk.ask(GATEWAY + "ValidateToken", gateway_pb2.ValidateTokenRequest(token=token))
    assert (good.valid, good.user.user_id, list(good.scopes)) == (True, "ana", ["tickets:buy"])
    scoped = gateway_pb2.ValidateTokenRequest(token=token, required_scope="platform:admin")
    refused = await desk.ask(GATEWAY + "ValidateToken", scoped)
    assert (refused.valid, code(refused)) == (False, "FORBIDDEN")
    bad = await desk.ask(GATEWAY + "ValidateToken", gateway_pb2.ValidateTokenRequest(token="x.y.z"))
    assert (bad.valid, code(bad)) == (False, "UNAUTHENTICATED")


@on_platform
async def test_a_user_id_in_the_line_needs_its_token(desk):
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="ana", session_id="s")
    assert code(await desk.ask(QUEUE + "JoinQueue", request)) == "FORBIDDEN"
    assert code(await desk.as_fan(QUEUE + "JoinQueue", request, "ben")) == "FORBIDDEN"
    assert code(await desk.as_fan(QUEUE + "JoinQueue", request, "ana")) == ""


@pytest.mark.parametrize("seat_ids", [[], ["MAIN-A-1"]])
def test_fans_do_not_reach_inventory(seat_ids):
    @on_platform
    async def run(desk):
        request = inventory_pb2.ReserveSeatRequest(reservation_id="r", event_id=EVENT_ID, seat_ids=seat_ids, quantity=1)
        assert code(await desk.as_fan(INVENTORY + "ReserveSeat", request, "ana")) == "FORBIDDEN"

    run()

"""One idempotency key: the same bytes each time, of replies and refusals, over gRPC, Connect and the REST names."""

import json

import pytest

from tests.rpc.desk import GATEWAY, PAYMENT, RESERVATION, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.transport.rest import API

CREATE, CONFIRM = gateway_pb2.CreateReservationRequest, gateway_pb2.ConfirmReservationRequest
REFUSED = [  # each is refused somewhere else on its way
    (GATEWAY + "CreateReservation", CREATE(event_id=EVENT_ID, quantity=-1, user_id="ana"), "INVALID_ARGUMENT"),
    (GATEWAY + "CreateReservation", CREATE(event_id=EVENT_ID, quantity=1, user_id="ben"), "FORBIDDEN"),
    (GATEWAY + "CreateReservation", CREATE(event_id="\n", quantity=1, user_id="ana"), "INVALID_ARGUMENT"),
    (
        GATEWAY + "ConfirmReservation",
        CONFIRM(reservation_id="rsv_x", user_id="ana", payment_intent_id="p"),
        "NOT_FOUND",
    ),
    (
        GATEWAY + "CancelReservation",
        gateway_pb2.CancelReservationRequest(reservation_id="rsv_x", user_id="ana"),
        "NOT_FOUND",
    ),
    (PAYMENT + "ProcessPayment", payment_pb2.ProcessPaymentRequest(payment_intent_id="pi_x"), "NOT_FOUND"),
    (
        RESERVATION + "CreateReservation",
        reservation_pb2.CreateReservationRequest(event_id=EVENT_ID, user_id="ana"),
        "FORBIDDEN",
    ),
]


@pytest.mark.parametrize(("path", "request_", "refused"), REFUSED, ids=str)
def test_a_refusal_is_the_same_each_time(path, request_, refused):
    @on_platform
    async def on_desk(desk):
        request_.idempotency_key = "k"
        me = {"authorization": f"Bearer {desk.token(Role.FAN, 'ana')}"}
        first = await desk.as_fan(path, request_, "ana")
        assert code(first).startswith(refused), first
        connect = {**me, "content-type": "application/proto"}
        said = await desk.http("POST", f"/{path}", connect, request_.SerializeToString())
        await desk.clock.sleep(2)
        again = await desk.as_fan(path, request_, "ana")
        assert again.SerializeToString(deterministic=True) == first.SerializeToString(deterministic=True)
        said_again = await desk.http("POST", f"/{path}", connect, request_.SerializeToString())
        assert (said_again.status_code, said_again.content) == (said.status_code, said.content)
        assert said.json()["details"][0]["debug"]["traceId"]
        request_.idempotency_key = "another"
        other = await desk.as_fan(path, request_, "ana")
        assert other.error.trace_id != first.error.trace_id

    on_desk()


@on_platform
async def test_by_the_rest_names_replies_and_refusals_are_the_same_each_time(desk):
    admission = await desk.admitted("ana")
    me = {"authorization": f"Bearer {desk.token(Role.FAN, 'ana')}", "idempotency-key": "k"}
    good = {"event_id": EVENT_ID, "quantity": 1, "user_id": "ana", "reservation_token": admission}
    for number, (body, status) in enumerate(
        [
            (json.dumps(good), 200),
            (json.dumps(good | {"quantity": -1}), 400),
            (json.dumps(good | {"user_id": "ben"}), 403),
            ("{", 400),
            (json.dumps({"quantity": "two"}), 400),
        ]
    ):
        asked = "POST", f"{API}/reservations", me | {"idempotency-key": f"k{number}"}, body.encode()
        first = await desk.http(*asked)
        await desk.clock.sleep(2)
        again = await desk.http(*asked)
        assert (first.status_code, again.status_code) == (status, status), first.text
        assert again.content == first.content


@on_platform
async def test_a_reply_is_the_same_whatever_trace_repeats_it_and_a_refusal_decided_again_has_the_callers(desk):
    path, token = "/" + GATEWAY + "CreateReservation", desk.token(Role.FAN, "ana")
    fields = {"event_id": EVENT_ID, "user_id": "ana", "reservation_token": await desk.admitted("ana")}
    good, wrong = CREATE(**fields, quantity=1, idempotency_key="g"), CREATE(**fields, quantity=-1, idempotency_key="w")
    replies, traces = set(), []
    for trace in ("one", "two"):
        headers = {"authorization": f"Bearer {token}", "content-type": "application/proto", "x-trace-id": trace}
        replies.add((await desk.http("POST", path, headers, good.SerializeToString())).content)
        refused = await desk.http("POST", path, headers, wrong.SerializeToString())
        traces.append(refused.json()["details"][0]["debug"]["traceId"])
    assert (len(replies), traces) == (1, ["one", "two"])

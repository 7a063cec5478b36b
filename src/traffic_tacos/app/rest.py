"""The REST names that clients of this contract know, each one RPC: one table.

What is in the path, in the query and in a JSON body are fields of the RPC's request. The waiting token travels in
the header X-Waiting-Token and the idempotency key in Idempotency-Key, since neither belongs into a URL.
"""

import json
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from starlette.requests import Request
from starlette.responses import Response

from traffic_tacos import wire
from traffic_tacos.app.bodies import HEADERS, body_of, peer_of
from traffic_tacos.app.calls import Calls, Method
from traffic_tacos.app.connect import BODY_BYTES_MAX, carries_only_an_error, code_and_status, decoded, retry_after
from traffic_tacos.kernel.errors import Code, Refusal

WAITING_TOKEN, IDEMPOTENCY_KEY = "x-waiting-token", "idempotency-key"
API = "/api/v1"


class Name(NamedTuple):
    """A REST name: the verb, the path with fields of the request in braces, and the RPC."""

    verb: str
    path: str
    rpc: str
    summary: str


NAMES = (
    Name("POST", "/queue/join", "gateway.v1.QueueService/JoinQueue", "Join the line of an event"),
    Name("GET", "/queue/status", "gateway.v1.QueueService/GetQueueStatus", "Where a ticket stands"),
    Name("POST", "/queue/enter", "gateway.v1.QueueService/RequestAdmission", "Take the turn"),
    Name("DELETE", "/queue/leave", "gateway.v1.QueueService/LeaveQueue", "Leave the line"),
    Name("GET", "/queue/stats", "gateway.v1.QueueService/GetQueueStats", "How the lines are doing"),
    Name(
        "GET",
        "/events/{event_id}/availability",
        "gateway.v1.GatewayService/GetEventAvailability",
        "What is left",
    ),
    Name("POST", "/reservations", "gateway.v1.GatewayService/CreateReservation", "Hold seats for 60 seconds"),
    Name("GET", "/reservations", "reservation.v1.ReservationService/ListReservations", "One's reservations"),
    Name("GET", "/reservations/{reservation_id}", "gateway.v1.GatewayService/GetReservation", "One reservation"),
    Name(
        "POST",
        "/reservations/{reservation_id}/confirm",
        "gateway.v1.GatewayService/ConfirmReservation",
        "The order of a paid reservation",
    ),
    Name(
        "POST",
        "/reservations/{reservation_id}/extend",
        "reservation.v1.ReservationService/ExtendHold",
        "Hold the seats for longer",
    ),
    Name(
        "DELETE",
        "/reservations/{reservation_id}",
        "gateway.v1.GatewayService/CancelReservation",
        "Cancel, or give back",
    ),
    Name("POST", "/payment/intents", "gateway.v1.GatewayService/CreatePaymentIntent", "An intent to pay"),
    Name("GET", "/payment/{payment_intent_id}", "gateway.v1.GatewayService/GetPaymentStatus", "How a payment stands"),
    Name("POST", "/payment/{payment_intent_id}/process", "payment.v1.PaymentService/ProcessPayment", "Pay"),
)


class RestDoor:
    """One name, answered by its RPC."""

    def __init__(self, calls: Calls, name: Name) -> None:
        self._calls = calls
        self._name = name

    async def answer(self, request: Request) -> Response:
        method = self._calls.methods.get(f"/{self._name.rpc}")
        try:
            if method is None:
                raise Refusal(Code.NOT_FOUND, f"{self._name.rpc} is not served here")
            message = await self._message(request, method)
            call = self._calls.call(method, message, request.headers.items(), peer_of(request))
        except Refusal as refusal:
            error = wire.error(refusal, refusal.trace_id or self._calls.new_trace_id())
            return _json(
                {"error": json_format.MessageToDict(error, preserving_proto_field_name=True)},
                refusal.code,
                retry_after(error),
            )
        response = await self._calls.answer(method, message, call)
        failed = Code(response.error.code) if carries_only_an_error(response) else None
        more = {} if failed is None else retry_after(response.error)
        return _json(json_format.MessageToDict(response, preserving_proto_field_name=True), failed, more)

    async def _message(self, request: Request, method: Method) -> Any:
        body = await body_of(request, BODY_BYTES_MAX)
        message = decoded(method, body, is_json=True)
        fields = method.request.DESCRIPTOR.fields_by_name
        if self._name.verb == "POST" and not request.headers.get(IDEMPOTENCY_KEY):
            raise Refusal(Code.IDEMPOTENCY_REQUIRED, "Idempotency-Key: is required, any unique text will do")
        given = {**request.query_params, **request.path_params}
        if "waiting_token" in given:
            raise Refusal.of_field("waiting_token", "must be in the header X-Waiting-Token, never in a URL")
        for field, header in (("waiting_token", WAITING_TOKEN), ("idempotency_key", IDEMPOTENCY_KEY)):
            if field in fields and header in request.headers:
                given[field] = request.headers[header]
        if unknown := set(given) - set(fields):
            raise Refusal.of_field(sorted(unknown)[0], f"must be one of {', '.join(fields)}")
        for name, value in given.items():
            _set(message, fields[name], value)
        return message


def _set(message: Any, field: FieldDescriptor, text: str) -> None:
    """A field from text, as it comes in paths, queries and headers."""
    try:
        json_format.ParseDict({field.name: text}, message)
    except Exception:  # noqa: BLE001 - whatever the decoder stumbles over is what was sent
        raise Refusal.of_field(field.name, "must be a value of its type", text) from None


def _json(content: object, code: Code | None, headers: dict[str, str]) -> Response:
    status = 200 if code is None else code_and_status(code)[1]
    return Response(json.dumps(content), status, media_type="application/json", headers=HEADERS | headers)

"""The REST names that clients of this contract know, each one RPC: one table.

What is in the path, in the query and in a JSON body are fields of the RPC's request. The waiting token travels in
the header X-Waiting-Token and the idempotency key in Idempotency-Key, since neither belongs into a URL. A list's page
is asked for in the query, by the fields of Pagination. An answer that says no (transport/answers.py) has the HTTP
status of its error.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from traffic_tacos import wire
from traffic_tacos.calls.dispatch import Calls, Method
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.transport import protojson
from traffic_tacos.transport.answers import error_of, gives_what_was_asked
from traffic_tacos.transport.bodies import HEADERS, body_of, peer_of, retry_after
from traffic_tacos.transport.connect import BODY_BYTES_MAX, decoded, status_of

WAITING_TOKEN, IDEMPOTENCY_KEY = wire.WAITING_TOKEN_HEADER, "idempotency-key"
API = "/api/v1"
# What a query says of a page, and the field of Pagination that it is. `limit` is what most REST APIs say.
PAGINATION = "pagination"
OF_PAGES = {"page": "page", "page_size": "page_size", "limit": "page_size", "cursor": "cursor"}
# A string of RFC 8941 (3.3.3), whatever parameters it has.
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"(?:\s*;.*)?')


class Name(NamedTuple):
    """A REST name: the verb, the path with fields of the request in braces, and the RPC."""

    verb: str
    path: str
    rpc: str
    summary: str


NAMES = (
    Name("POST", "/queue/join", "gateway.v1.QueueService/JoinQueue", "Join the queue of an event"),
    Name("GET", "/queue/status", "gateway.v1.QueueService/GetQueueStatus", "Where a place in the queue stands"),
    Name("POST", "/queue/enter", "gateway.v1.QueueService/RequestAdmission", "Take the turn"),
    Name("DELETE", "/queue/leave", "gateway.v1.QueueService/LeaveQueue", "Leave the queue"),
    Name("GET", "/queue/stats", "gateway.v1.QueueService/GetQueueStats", "How the queues are doing"),
    Name(
        "GET",
        "/events/{event_id}/availability",
        "gateway.v1.GatewayService/GetEventAvailability",
        "What is left",
    ),
    Name("POST", "/reservations", "gateway.v1.GatewayService/CreateReservation", "Hold seats for who is to pay"),
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


class RestRpc:
    """One name, answered by its RPC."""

    def __init__(self, calls: Calls, name: Name) -> None:
        self._calls = calls
        self._name = name

    async def answer(self, request: Request) -> Response:
        method = self._calls.methods.get(f"/{self._name.rpc}")
        headers, peer, body = request.headers.items(), peer_of(request), b""
        key = request.headers.get(IDEMPOTENCY_KEY, "")
        try:
            if method is None:
                raise Refusal(Code.NOT_FOUND, f"{self._name.rpc} is not served here")
            self._calls.check(method, headers, peer)
            key = idempotency_key(request.headers.getlist(IDEMPOTENCY_KEY))
            if self._name.verb == "POST" and not key:
                raise Refusal(Code.IDEMPOTENCY_REQUIRED, "Idempotency-Key: is required, any unique text will do")
            body = await body_of(request, BODY_BYTES_MAX)
            message = self._message(request, method, key, body)
            traced = [(wire.TRACE_HEADER, self._trace_id(request, key, body)), *headers]
            call = self._calls.call(method, message, traced, peer)
        except Refusal as refusal:
            if method is not None:
                method.figures.count(wire.code_name(refusal.code))
            error = wire.error(refusal, self._trace_id(request, key, body))
            return _json({"error": _shown(error)}, status_of(refusal), retry_after(refusal))
        response = await self._calls.answer(method, message, call)
        shown, failed, said = _shown(response), error_of(response, call.trace_id), {}
        for header, value in () if method.beside is None else method.beside(message, response):
            said[header] = value
            shown[header.removeprefix("x-").replace("-", "_")] = unquote(value)
        if failed is None or gives_what_was_asked(response):
            return _json(shown, 200, said)
        no = wire.refusal(failed)
        return _json(shown | {"error": _shown(failed)}, status_of(no), said | retry_after(no))

    def _trace_id(self, request: Request, key: str, body: bytes) -> str:
        """The request's trace; with an idempotency key, the one of all its repetitions."""
        repeated = (request.method, str(request.url.path), request.url.query, key, body) if key else ()
        return self._calls.trace_id(request.headers.items(), *repeated)

    def _message(self, request: Request, method: Method, key: str, body: bytes) -> Any:
        message = decoded(method, body, is_json=True)
        fields = method.request.DESCRIPTOR.fields_by_name
        given = {**request.query_params, **request.path_params}
        if "waiting_token" in given:
            raise Refusal.of_field("waiting_token", "must be in the header X-Waiting-Token, never in a URL")
        from_headers = {"waiting_token": request.headers.get(WAITING_TOKEN, ""), "idempotency_key": key}
        given |= {field: text for field, text in from_headers.items() if field in fields and text}
        of_pages = OF_PAGES if PAGINATION in fields else {}
        known = (*(name for name in fields if name != PAGINATION), *of_pages)
        if unknown := set(given) - set(known):
            raise Refusal.of_field(sorted(unknown)[0], f"must be one of {', '.join(known)}")
        if "limit" in given and "page_size" in given:
            raise Refusal.of_field("limit", "must be left out beside page_size, which is the same", given["limit"])
        for name, value in given.items():
            if name in of_pages:
                _set(message.pagination, of_pages[name], value, name)
            else:
                _set(message, name, value, name)
        return message


def idempotency_key(values: list[str]) -> str:
    """The key that the header's values are; empty for none. `K` and `"K"` are one key: the draft of the IETF
    (draft-ietf-httpapi-idempotency-key-header) has a string as RFC 8941 writes them, most clients leave the quotes out.
    """
    keys = {_unquoted(value.strip()) for value in values}
    if len(keys) > 1:
        raise Refusal.of_field("Idempotency-Key", "must be one key")
    return keys.pop() if keys else ""


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    string = _STRING.fullmatch(text)
    if string is None:
        raise Refusal.of_field("Idempotency-Key", 'must be a text, or one in double quotes as in "K"', text)
    return re.sub(r"\\(.)", r"\1", string[1])


def _set(message: Any, field: str, text: str, name: str) -> None:
    """A field from text, as it comes in paths, queries and headers under a name."""
    try:
        json_format.ParseDict({field: text}, message)
    except Exception:  # noqa: BLE001 - whatever the decoder stumbles over is what was sent
        raise Refusal.of_field(name, "must be a value of its type", text) from None


def _shown(message: Message) -> dict[str, Any]:
    return protojson.shown(message, keeps_names=True)


def _json(content: object, status: int, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json", headers=HEADERS | headers)

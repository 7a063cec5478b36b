"""The HTTP server: every RPC over HTTP, webhooks in, the payment page, and how the platform is."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import NamedTuple, Protocol, TypeAlias

import grpc
import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from traffic_tacos import wire
from traffic_tacos.calls.authentication import Endpoints
from traffic_tacos.calls.dispatch import Calls
from traffic_tacos.kernel import paths
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.limits import WEBHOOK_BYTES_MAX
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, HealthChecks
from traffic_tacos.ports.rooms import Receiver
from traffic_tacos.transport.bodies import HEADERS, body_of, peer_of, retry_after
from traffic_tacos.transport.connect import ConnectDoor, status_of
from traffic_tacos.transport.openapi import document
from traffic_tacos.transport.pay import FORM_BYTES_MAX, STYLE, PayPage, language_query
from traffic_tacos.transport.pay import refused_page as pay_page_refused
from traffic_tacos.transport.pay_words import words
from traffic_tacos.transport.rest import API, NAMES, RestRpc
from traffic_tacos.upstream import Upstream

ASKED_WITH = [
    "Authorization",
    "Connect-Content-Encoding",
    "Connect-Protocol-Version",
    "Connect-Timeout-Ms",
    "Content-Encoding",
    "Content-Type",
    "Idempotency-Key",
    "Traceparent",
    "X-Trace-Id",
    "X-User-Agent",
    "X-Waiting-Token",
]
# A page tells no other where somebody came from, and stands in no frame.
ALONE = {"referrer-policy": "no-referrer", "x-frame-options": "DENY"}
PAGE_HEADERS = {
    **HEADERS,
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    **ALONE,
}


Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


class Pages(NamedTuple):
    """What browsers are answered: by path and verb, and wherever nothing is."""

    answers: Mapping[str, Mapping[str, Answer]]
    nothing: Callable[[Request], Response]


class _RpcService(StringConvertor):
    """A service's full name, which no other path begins with: `gateway.v1.QueueService`."""

    regex = r"\w+(?:\.\w+)+"


register_url_convertor("rpc_service", _RpcService())


class Verbs:
    """What a path answers, by verb: HEAD where there is GET, and OPTIONS, which names them all.

    Any other verb is a 405 that names them, or a 404 where nothing `is_there` by any verb.
    """

    def __init__(self, answers: Mapping[str, Answer], is_there: Callable[[Request], bool] = lambda _: True) -> None:
        self._answers = {**answers}
        if "GET" in answers:
            self._answers["HEAD"] = answers["GET"]
        self._is_there = is_there
        self._allow = {**HEADERS, "allow": ", ".join(sorted({*self._answers, "OPTIONS"}))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = self._answers.get(request.method)
        if answer is not None:
            response = await answer(request)
        elif not self._is_there(request):
            raise HTTPException(404)
        elif request.method != "OPTIONS":
            raise HTTPException(405, headers=self._allow)
        else:
            response = Response(status_code=204, headers=self._allow)
        await response(scope, receive, send)


class Addresses(Protocol):
    """The address that others know the server by, and whose pages may call it. `pay_url` is empty where nobody can
    pay.
    """

    @property
    def base_url(self) -> str: ...
    @property
    def cors_origins(self) -> tuple[str, ...]: ...
    @property
    def pay_url(self) -> str: ...
    @property
    def webhook_url(self) -> str: ...
    @property
    def docs_url(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def issuer_audience(self) -> str: ...
    @property
    def issuer_client_id(self) -> str: ...
    @property
    def issuer_scope(self) -> str: ...


class Behind(Protocol):
    """What the HTTP server serves. `receivers` take what is posted, by path."""

    @property
    def calls(self) -> Calls: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def health(self) -> HealthChecks: ...
    @property
    def config(self) -> Addresses: ...
    @property
    def sign_in(self) -> Endpoints | None: ...
    @property
    def receivers(self) -> Mapping[str, Receiver]: ...

    def channel(self, room: str) -> grpc.aio.Channel: ...

    def key_set(self) -> Mapping[str, object]: ...


def application(platform: Behind, pages: Pages | None) -> Starlette:
    """`pages` are what else is answered; None where nobody but webhooks and probes comes."""
    # Paths are tried in turn, so what many ask for comes first: RPCs by their names, what follows payments, and pages.
    receivers = {path: {"POST": _received(platform, receiver)} for path, receiver in platform.receivers.items()}
    doors = _platform_doors(platform)
    routes = []
    answers: dict[str, Mapping[str, Answer]]
    if pages is None:
        answers = {**receivers, **doors}
    else:
        rpc = ConnectDoor(platform.calls)
        named = Verbs({"POST": rpc.answer}, is_there=lambda request: rpc.method(request) is not None)
        routes = [Route("/{service:rpc_service}/{method}", named)]
        answers = {**receivers, **pages.answers, **doors, **_pay_routes(platform), **_rest_routes(platform)}
    routes += [Route(path, Verbs(by_verb)) for path, by_verb in answers.items()]
    unanswered = _unanswered(platform, pages)
    app = Starlette(
        routes=routes,
        middleware=_cors(platform.config.cors_origins),
        exception_handlers={404: unanswered, 405: unanswered},
    )
    app.router.redirect_slashes = False  # a redirect would send callers to whatever their Host header says
    return app


def _unanswered(platform: Behind, pages: Pages | None) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What is answered where nothing is, or nothing that this verb asks for: to people a page, to programs an error."""

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        is_person = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
        if is_person and pages is not None:
            response = pages.nothing(request)
        else:
            refusal = Refusal(Code.NOT_FOUND, "there is nothing at this address")
            if error.status_code == 405:
                allowed = (error.headers or {})["allow"]
                refusal = Refusal.of_field("method", f"must be one of {allowed}", request.method)
            response = refused(refusal, platform.calls.trace_id(request.headers.items()))
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        return response

    return answer


def _platform_doors(platform: Behind) -> dict[str, dict[str, Answer]]:
    """What the platform says of itself: to whoever runs it, to programs, and to who verifies our tokens."""

    async def alive(_: Request) -> Response:
        return PlainTextResponse("alive\n", headers=HEADERS)

    async def ready(_: Request) -> Response:
        if platform.health.is_stopping:
            return PlainTextResponse("stopping\n", 503, headers=HEADERS)
        parts = await platform.health.readiness()
        worst = max(part.health for part in parts)
        body = "".join(f"{part.name}: {part.health.name.lower()}\n" for part in parts)
        return PlainTextResponse(body, 503 if worst is Health.UNHEALTHY else 200, headers=HEADERS)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(platform.calls.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @cache
    def description() -> bytes:
        return msgspec.json.encode(document(platform.calls.methods, platform.health.version, platform.config.base_url))

    async def described(_: Request) -> Response:
        return Response(description(), media_type="application/json", headers=HEADERS)

    async def key_set(_: Request) -> Response:
        return _json(platform.key_set(), 200)

    return {
        "/healthz": {"GET": alive},
        "/readyz": {"GET": ready},
        "/metrics": {"GET": metrics},
        "/openapi.json": {"GET": described},
        "/.well-known/jwks.json": {"GET": key_set},
    }


def _pay_routes(platform: Behind) -> dict[str, dict[str, Answer]]:
    async def style(_: Request) -> Response:
        return Response(STYLE, media_type="text/css", headers=HEADERS)

    pay = _pay_door(platform)
    return {f"{paths.PAY}/pay.css": {"GET": style}, f"{paths.PAY}/{{id}}": {"GET": pay, "POST": pay}}


def _received(platform: Behind, receiver: Receiver) -> Answer:
    """The answer to what is posted to a receiver. A fault is for its sender to try again."""

    async def received(request: Request) -> Response:
        trace_id = platform.calls.new_trace_id()
        try:
            return _json(await receiver(request.headers, await body_of(request, WEBHOOK_BYTES_MAX)), 200)
        except Refusal as refusal:
            return refused(refusal, trace_id)
        except Fault:
            return refused(Refusal(Code.UNAVAILABLE, "send it again"), trace_id)

    return received


def _rest_routes(platform: Behind) -> dict[str, dict[str, Answer]]:
    routes: dict[str, dict[str, Answer]] = {}
    for name in NAMES:
        routes.setdefault(API + name.path, {})[name.verb] = RestRpc(platform.calls, name).answer
    return routes


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """Pages of these origins may call from a browser: with the headers of Connect and of the REST names, and no
    cookies, for there are none here.
    """
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=ASKED_WITH,
            expose_headers=["Retry-After", "Trailer-X-Error-Code", wire.QUEUE_STATE, wire.QUEUE_MESSAGE],
        )
    ]


def _pay_door(platform: Behind) -> Callable[[Request], Awaitable[Response]]:
    pay_page = PayPage(
        Upstream(platform.channel("payment-page"), platform.clock), platform.clock, platform.config.webhook_url
    )
    page_caller = Caller(Role.SERVICE, "payment-page")

    async def pay(request: Request) -> Response:
        """The page on GET; on POST what its form asks for, and then the page of the payment it led to."""
        t = words(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))
        if not platform.config.pay_url:
            return _html(pay_page_refused(t, Refusal(Code.NOT_FOUND, "this process takes no payments")), 404)
        thing_id = request.path_params["id"]
        call = Call(page_caller, platform.calls.new_trace_id())
        try:
            platform.calls.count_visitor(request.headers.items(), peer_of(request))
            if request.method in ("GET", "HEAD"):
                return _html(await pay_page.show(thing_id, call, t), 200)
            form = await body_of(request, FORM_BYTES_MAX)
            try:
                led_to = await pay_page.take(thing_id, form, call)
            except Refusal as refusal:
                return _html(await pay_page.show(thing_id, call, t, refusal, form), status_of(refusal), refusal)
            return RedirectResponse(f"{paths.PAY}/{led_to}{language_query(t)}", 303, headers=PAGE_HEADERS)
        except Refusal as refusal:
            return _html(pay_page_refused(t, refusal), status_of(refusal), refusal)
        except Fault:
            unavailable = Refusal(Code.UNAVAILABLE, "try again in a moment; nothing is paid twice")
            return _html(pay_page_refused(t, unavailable), status_of(unavailable))

    return pay


def refused(refusal: Refusal, trace_id: str) -> Response:
    """A refusal as JSON, with its HTTP status."""
    content = {
        "error": {
            "code": refusal.code.name,
            "message": refusal.message,
            "trace_id": trace_id,
            "details": refusal.details,
        }
    }
    response = _json(content, status_of(refusal))
    response.headers.update(retry_after(refusal))
    return response


def _html(page: str, status: int, refusal: Refusal | None = None) -> Response:
    return HTMLResponse(page, status, headers=PAGE_HEADERS | ({} if refusal is None else retry_after(refusal)))


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json", headers=HEADERS)

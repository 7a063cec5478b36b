"""The HTTP door: every RPC over HTTP, webhooks in, the payment page, and how the platform is."""

from collections.abc import Awaitable, Callable

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from traffic_tacos.app.bodies import HEADERS, body_of, peer_of
from traffic_tacos.app.connect import ConnectDoor, code_and_status
from traffic_tacos.app.openapi import document
from traffic_tacos.app.pay import FORM_BYTES_MAX, STYLE
from traffic_tacos.app.pay import PATH as PAY_PATH
from traffic_tacos.app.pay import refused_page as pay_page_refused
from traffic_tacos.app.platform import PAYMENT_SOURCE, WEBHOOK_PATH, Platform
from traffic_tacos.app.rest import API, NAMES, RestDoor
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.ports.health import Health
from traffic_tacos.rooms.webhook.service import BODY_BYTES_MAX

ASKED_WITH = [
    "Authorization",
    "Connect-Protocol-Version",
    "Connect-Timeout-Ms",
    "Content-Type",
    "Idempotency-Key",
    "Traceparent",
    "X-Trace-Id",
    "X-User-Agent",
    "X-Waiting-Token",
]
PAGE_HEADERS = {
    **HEADERS,
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


def application(platform: Platform) -> Starlette:
    async def alive(_: Request) -> Response:
        return PlainTextResponse("alive\n", headers=HEADERS)

    async def ready(_: Request) -> Response:
        parts = await platform.health.dependencies()
        worst = max(part.health for part in parts)
        body = "".join(f"{part.name}: {part.health.name.lower()}\n" for part in parts)
        return PlainTextResponse(body, 503 if worst is Health.UNHEALTHY else 200, headers=HEADERS)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(platform.calls.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def payment_webhook(request: Request) -> Response:
        trace_id = platform.calls.new_trace_id()
        if platform.webhooks is None:
            return _error(Refusal(Code.NOT_FOUND, "no webhooks are taken here"), trace_id)
        try:
            body = await body_of(request, BODY_BYTES_MAX)
            receipt = await platform.webhooks.receive_http(PAYMENT_SOURCE, request.headers, body)
        except Refusal as refusal:
            return _error(refusal, trace_id)
        except Fault:
            return _error(Refusal(Code.UNAVAILABLE, "send it again"), trace_id)
        return _json(receipt, 200)

    async def style(_: Request) -> Response:
        return Response(STYLE, media_type="text/css", headers=HEADERS)

    async def described(_: Request) -> Response:
        return _json(document(platform.calls.methods, platform.health.version, platform.config.door), 200)

    async def key_set(_: Request) -> Response:
        return _json(platform.key_set(), 200)

    names = [Route(API + name.path, RestDoor(platform.calls, name).answer, methods=[name.verb]) for name in NAMES]
    routes = [
        Route(f"{PAY_PATH}/pay.css", style),
        Route(f"{PAY_PATH}/{{id}}", _pay_door(platform), methods=["GET", "POST"]),
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", metrics),
        Route("/openapi.json", described),
        Route("/.well-known/jwks.json", key_set),
        Route(WEBHOOK_PATH, payment_webhook, methods=["POST"]),
        *names,
        Route("/{service}/{method}", ConnectDoor(platform.calls).answer, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=_cors(platform.config.cors_origins))


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
            expose_headers=["Retry-After"],
        )
    ]


def _pay_door(platform: Platform) -> Callable[[Request], Awaitable[Response]]:
    pay_page = platform.pay_page
    page_caller = Caller(Role.SERVICE, "payment-page")

    async def pay(request: Request) -> Response:
        """The page on GET; on POST what its form asks for, and then the page of the payment it led to."""
        if pay_page is None:
            return _html(pay_page_refused(Refusal(Code.NOT_FOUND, "payments are not taken here")), 404)
        thing_id = request.path_params["id"]
        call = Call(page_caller, platform.calls.new_trace_id())
        try:
            platform.calls.count_visitor(request.headers.items(), peer_of(request))
            if request.method != "POST":
                return _html(await pay_page.show(thing_id, call), 200)
            form = await body_of(request, FORM_BYTES_MAX)
            try:
                led_to = await pay_page.take(thing_id, form, call)
            except Refusal as refusal:
                return _html(await pay_page.show(thing_id, call, refusal, form), _status(refusal))
            return RedirectResponse(f"{PAY_PATH}/{led_to}", 303, headers=PAGE_HEADERS)
        except Refusal as refusal:
            return _html(pay_page_refused(refusal), _status(refusal))
        except Fault:
            unavailable = Refusal(Code.UNAVAILABLE, "try again in a moment; nothing is paid twice")
            return _html(pay_page_refused(unavailable), _status(unavailable))

    return pay


def _error(refusal: Refusal, trace_id: str) -> Response:
    content = {
        "error": {
            "code": refusal.code.name,
            "message": refusal.message,
            "trace_id": trace_id,
            "details": refusal.details,
        }
    }
    return _json(content, _status(refusal))


def _status(refusal: Refusal) -> int:
    return code_and_status(refusal.code)[1]


def _html(page: str, status: int) -> Response:
    return HTMLResponse(page, status, headers=PAGE_HEADERS)


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json", headers=HEADERS)

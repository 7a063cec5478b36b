"""The HTTP door: liveness, readiness, metrics, and webhooks in."""

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from traffic_tacos.app.platform import PAYMENT_SOURCE, WEBHOOK_PATH, Platform
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.ports.health import Health
from traffic_tacos.rooms.webhook.service import BODY_BYTES_MAX

HTTP_STATUS = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.RATE_LIMITED: 429,
    Code.UNAVAILABLE: 503,
}
HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


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
            body = await _body(request)
            receipt = await platform.webhooks.receive_http(PAYMENT_SOURCE, request.headers, body)
        except Refusal as refusal:
            return _error(refusal, trace_id)
        except Fault:
            return _error(Refusal(Code.UNAVAILABLE, "send it again"), trace_id)
        return _json(receipt, 200)

    routes = [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", metrics),
        Route(WEBHOOK_PATH, payment_webhook, methods=["POST"]),
    ]
    return Starlette(routes=routes)


async def _body(request: Request) -> bytes:
    """The body, read no further than the limit."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise Refusal.of_field("body", f"must have at most {BODY_BYTES_MAX} bytes")
    except ClientDisconnect:
        raise Refusal.of_field("body", "must arrive whole") from None
    return bytes(body)


def _error(refusal: Refusal, trace_id: str) -> Response:
    content = {
        "error": {
            "code": refusal.code.name,
            "message": refusal.message,
            "trace_id": trace_id,
            "details": refusal.details,
        }
    }
    return _json(content, HTTP_STATUS.get(refusal.code, 409))


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json", headers=HEADERS)

"""What all of the HTTP door shares: bodies read no further than their limit, and headers of every answer."""

from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request

from traffic_tacos.kernel.errors import Refusal

HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


async def body_of(request: Request, bytes_max: int) -> bytes:
    """The body, read no further than the limit."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > bytes_max:
                raise Refusal.of_field("body", f"must have at most {bytes_max} bytes")
    except ClientDisconnect:
        raise Refusal.of_field("body", "must arrive whole") from None
    return bytes(body)


def peer_of(request: Request) -> Callable[[], str]:
    """What address a request came from, for whoever wants to know."""
    return lambda: request.client.host if request.client is not None else ""

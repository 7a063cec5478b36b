"""What all of the HTTP server shares: bodies read no further and no longer than their limits, and headers of every
answer.
"""

import asyncio
import math
import zlib
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request

from traffic_tacos.kernel.errors import Code, Refusal

HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
BODY_SECONDS_MAX = 10.0  # from the end of a request's head to the end of its body
GZIP, IDENTITY = "gzip", "identity"
ENCODINGS = (GZIP, IDENTITY)

_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class Unreadable(Refusal):
    """A request that HTTP itself cannot take as it came. `connect` is Connect's name and HTTP status for that, `status`
    the HTTP status of all others.
    """

    def __init__(self, code: Code, message: str, connect: tuple[str, int], status: int) -> None:
        super().__init__(code, message)
        self.connect = connect
        self.status = status


async def body_of(request: Request, bytes_max: int, seconds: float | None = None) -> bytes:
    """The body as it was before it was encoded; `seconds` is how long the caller waits, where that is less than we do.

    Refuses one that is too large, encoded or not, one that does not arrive whole and in time, and encodings other than
    gzip.
    """
    decode = decoder(request.headers.get("content-encoding", IDENTITY), "content-encoding")
    return decode(await _sent(request, bytes_max, seconds), bytes_max)


async def raw_body_of(request: Request, bytes_max: int, seconds: float | None = None) -> bytes:
    """The body as it was sent; a stream's, whose envelopes are encoded one by one."""
    if request.headers.get("content-encoding", IDENTITY).strip().lower() != IDENTITY:
        raise _unknown_encoding("content-encoding", (IDENTITY,))
    return await _sent(request, bytes_max, seconds)


def decoder(encoding: str, header: str) -> Callable[[bytes, int], bytes]:
    """What undoes an encoding, with at most so many bytes of outcome."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda body, _: body
        case "gzip" | "x-gzip":  # one and the same, RFC 9110, 8.4.1.3
            return _unzipped
        case _:
            raise _unknown_encoding(header, ENCODINGS)


def peer_of(request: Request) -> Callable[[], str]:
    """What address a request came from, for whoever wants to know."""
    return lambda: request.client.host if request.client is not None else ""


def retry_after(refusal: Refusal) -> dict[str, str]:
    """The header that says when to ask again, where that is known; in whole seconds, as HTTP has it."""
    wait = refusal.retry_after_seconds
    return {} if wait is None else {"retry-after": str(math.ceil(wait))}


async def _sent(request: Request, bytes_max: int, seconds: float | None) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX if seconds is None else min(seconds, BODY_SECONDS_MAX)):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise _too_large(bytes_max)
    except ClientDisconnect:
        raise Refusal.of_field("body", "must arrive completely") from None
    except TimeoutError:
        if seconds is not None and seconds <= BODY_SECONDS_MAX:
            raise Refusal(Code.TIMEOUT, "the deadline passed before the body had arrived") from None
        slow = f"body: must arrive within {BODY_SECONDS_MAX:.0f} seconds"
        raise Unreadable(Code.TIMEOUT, slow, ("deadline_exceeded", 408), 408) from None
    return bytes(body)


def _unzipped(body: bytes, bytes_max: int) -> bytes:
    plain, rest = bytearray(), body
    while rest or not plain:
        member = zlib.decompressobj(_GZIP_FORMAT)
        try:
            plain += member.decompress(rest, bytes_max + 1 - len(plain))
        except zlib.error:
            raise Refusal.of_field("body", "must be gzip, as its encoding says") from None
        if len(plain) > bytes_max:
            raise _too_large(bytes_max)
        if not member.eof:
            raise Refusal.of_field("body", "must be complete gzip data")
        rest = member.unused_data
        if not rest:
            break
    return bytes(plain)


def _too_large(bytes_max: int) -> Refusal:
    return Refusal.of_field("body", f"must have at most {bytes_max} bytes")


def _unknown_encoding(header: str, taken: tuple[str, ...]) -> Refusal:
    message = f"{header}: must be {' or '.join(taken)}"
    return Unreadable(Code.INVALID_ARGUMENT, message, ("unimplemented", 501), 415)

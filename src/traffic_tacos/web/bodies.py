"""What caches may keep: a body, the tag that tells it from every other, and the answer that says so."""

from collections.abc import Mapping
from gzip import compress
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

BRIEFLY = "public, max-age=2"
FOR_EVER = "public, max-age=31536000, immutable"
ASKED_EACH_TIME = "no-cache"
COMPRESSED_FROM = 1000  # bytes
ETAG_BYTES = 12


class Body(NamedTuple):
    plain: bytes
    compressed: bytes  # empty where that is not worth it
    etag: str
    kind: str  # its media type


def json_body(content: object) -> Body:
    return body(msgspec.json.encode(content), "application/json")


def body(plain: bytes, kind: str) -> Body:
    etag = f'W/"{blake2b(plain, digest_size=ETAG_BYTES).hexdigest()}"'
    return Body(plain, compress(plain, mtime=0) if len(plain) >= COMPRESSED_FROM else b"", etag, kind)


def answered(request: Request, made: Body, kept: str, also: Mapping[str, str] = {}) -> Response:
    """The body, compressed for whoever takes that; a 304 for whoever has it. `also` are more headers."""
    headers = {
        "cache-control": kept,
        "etag": made.etag,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        **also,
    }
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if "*" in known or made.etag.removeprefix("W/") in (tag.removeprefix("W/") for tag in known):
        return Response(status_code=304, headers=headers)
    content = made.plain
    if made.compressed and _takes_gzip(request.headers.get("accept-encoding", "")):
        content, headers["content-encoding"] = made.compressed, "gzip"
    return Response(content, media_type=made.kind, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether a caller takes gzip (RFC 9110, 12.5.3): named, or by the star, and not with a quality of 0."""
    qualities = {}
    for one in accepted.lower().split(","):
        name, _, quality = one.partition(";")
        qualities[name.strip()] = quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return qualities.get("gzip", qualities.get("*", False))

"""What each fuzzer does to a running platform, as endless async generators of what it found: one item a request,
empty when all was well.
"""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx

from tests.contract import CONTRACT
from tests.e2e.process import OWN_CONNECTION, UpProcess
from tests.fuzz.messages import Known, body_of, changed, filled
from traffic_tacos.transport.rest import API, NAMES

# Inventory believes the reservation room, which alone knows whether an order stands: a service that reserves or
# sells the seats of somebody else's reservation breaks promises by asking for just that.
TRUSTING = (
    "/reservation.v1.Inventory/CommitReservation",
    "/reservation.v1.Inventory/ReserveSeat",
)
# An operator who opens a circuit breaker keeps all the others from being tried.
LEVERS = ("/common.v1.AdminService/EmergencyAction",)
BUGS = frozenset({2, 13, 12})  # UNKNOWN, INTERNAL, UNIMPLEMENTED of gRPC
INTERNAL, TIMEOUT = 16, 18  # of common.v1.ErrorCode
MEANT = frozenset({501, 503, 504})  # not served, busy, and the deadline that the caller set
ANSWER_CHARACTERS_MAX = 20_000
STREAM_SECONDS, ANSWER_SECONDS = 0.3, 30.0
EXAMPLES = Path(__file__).parents[2] / "examples" / "events"
LINES = ("price: .inf", "id: [", "x: *a", "? !!python/object:os.system {}", "price: 0x1F", "name: \u0007", "- -", "\t")


class Target(NamedTuple):
    """`tokens` are a fan's, a service's and an administrator's."""

    platform: UpProcess
    tokens: tuple[str, ...]
    known: Known


async def grpc_messages(target: Target, chance: random.Random) -> AsyncIterator[str]:
    """Messages with random fields to each of the fifty calls, some of their bytes changed."""
    async with grpc.aio.insecure_channel(target.platform.grpc, options=OWN_CONNECTION) as channel:
        rpcs = [rpc for rpc in CONTRACT.rpcs if rpc.path not in (*TRUSTING, *LEVERS)]
        while True:
            rpc = chance.choice(rpcs)
            request = filled(CONTRACT.message(rpc.request), chance, target.known).SerializeToString()
            body = changed(request, chance, chance.choice([0, 0, 0, 1, 5]))
            token = chance.choice([*target.tokens, "", "nonsense"])
            metadata = (("authorization", f"Bearer {token}"),) if token else ()
            response = CONTRACT.message(rpc.response)
            if rpc.streams:
                yield await _stream(channel, rpc.path, body, metadata)
                continue
            ask = channel.unary_unary(rpc.path, response_deserializer=response.FromString)
            try:
                answer = await ask(body, metadata=metadata, timeout=30)
            except grpc.aio.AioRpcError as error:
                bad = error.code().value[0] in BUGS
                yield f"{rpc.path} ended with {error.code().name}: {error.details()} for {body!r}" if bad else ""
            else:
                yield _judged(rpc.path, answer, body)


async def _stream(channel: Any, path: str, body: bytes, metadata: Any) -> str:
    call = channel.unary_stream(path)(body, metadata=metadata, timeout=0.2)
    try:
        await call.read()
    except grpc.aio.AioRpcError as error:
        if error.code().value[0] in BUGS:
            return f"{path} ended with {error.code().name}: {error.details()} for {body!r}"
    finally:
        call.cancel()
    return ""


def _judged(path: str, answer: Any, body: bytes) -> str:
    if answer.HasField("error") and answer.error.code in (INTERNAL, TIMEOUT):
        return f"{path} answered {answer.error} for {body!r}"
    if answer.HasField("error") and len(str(answer.error)) > ANSWER_CHARACTERS_MAX:
        return f"{path} answered a refusal of {len(str(answer.error))} characters"
    return ""


async def http_requests(target: Target, chance: random.Random) -> AsyncIterator[str]:
    """Connect and REST calls with wrong bodies, headers, verbs and paths, and now and then bytes that are no HTTP."""
    base = f"http://{target.platform.http}"
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        while True:
            if chance.random() < 0.02:
                await _noise(target.platform.http, chance)
                yield ""
                continue
            rpc = chance.choice(CONTRACT.rpcs)
            body = body_of(filled(CONTRACT.message(rpc.request), chance, target.known), chance)
            verb, path = _place(chance, rpc.path, target.known)
            try:
                async with asyncio.timeout(STREAM_SECONDS if "/Stream" in path else ANSWER_SECONDS):
                    answer = await client.request(verb, path, headers=_headers(chance, target), content=body)
            except TimeoutError:
                yield "" if "/Stream" in path else f"{verb} {path} is not answered for {body!r}"
                continue
            except httpx.HTTPError as error:
                yield f"{verb} {path}: {error!r} for {body!r}"
                continue
            bad = answer.status_code >= 500 and answer.status_code not in MEANT
            yield f"{verb} {path} is {answer.status_code} {answer.text[:300]} for {body!r}" if bad else ""


def _place(chance: random.Random, rpc_path: str, known: Known) -> tuple[str, str]:
    if chance.random() < 0.5:
        return chance.choice(["POST", "POST", "POST", "GET", "PUT"]), rpc_path + chance.choice(
            ["", "", "", "/", "?a=%ff"]
        )
    name = chance.choice(NAMES)
    ids = [one for values in known.values() for one in values if one.isidentifier()]
    parts = [chance.choice(["x", "%00", "%ff", *ids]) if part[:1] == "{" else part for part in name.path.split("/")]
    query = ["", "", "?a=b", "?quantity=x", "?pagination.page=-1", "?user_id=ana", "?waiting_token=t", "?event_id=%ff"]
    return chance.choice([name.verb, name.verb, name.verb, "PATCH"]), API + "/".join(parts) + chance.choice(query)


def _headers(chance: random.Random, target: Target) -> list[tuple[bytes, bytes]]:
    kinds = [b"application/json", b"application/proto", b"application/connect+json", b"APPLICATION/JSON; x=y", b"\xff"]
    token = chance.choice([*target.tokens, "", "nonsense", "a.b.c"])
    headers = [(b"content-type", chance.choice(kinds)), (b"idempotency-key", chance.choice([b"k", b'"k"', b"x" * 300]))]
    extra = [
        (b"connect-timeout-ms", chance.choice([b"1", b"0", b"-1", b"99999999999", b"abc"])),
        (b"content-encoding", chance.choice([b"gzip", b"br", b"identity"])),
        (b"x-waiting-token", chance.choice([b"00", b"zz", b"\xff", b"a" * 5000])),
        (b"accept", b"text/event-stream"),
        (b"traceparent", b"00-" + bytes(chance.choices(b"0123456789abcdef-\xff", k=40))),
        (b"connect-protocol-version", chance.choice([b"1", b"2"])),
    ]
    headers += [one for one in extra if chance.random() < 0.15]
    return [*headers, (b"authorization", f"Bearer {token}".encode())] if token else headers


async def _noise(address: str, chance: random.Random) -> None:
    """Bytes that are no HTTP, to the port where HTTP is spoken."""

    def send() -> None:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=1) as one:
            one.sendall(chance.randbytes(chance.choice([1, 100, 5000])))

    try:
        await asyncio.to_thread(send)
    except OSError:
        pass


async def event_files(target: Target, chance: random.Random) -> AsyncIterator[str]:
    """The example event files with lines moved, repeated, lost and replaced, and bytes changed."""
    files = [path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))]
    plans = [path.read_text() for path in sorted(EXAMPLES.glob("*.json"))]
    ask = httpx.AsyncClient(base_url=f"http://{target.platform.http}", timeout=60)
    async with ask as client:
        while True:
            document, plan = _worse(chance.choice(files), chance), chance.choice(["", *plans])
            if plan and chance.random() < 0.7:
                plan = changed(plan.encode(), chance, chance.choice([1, 3])).decode("latin-1")
            answer = await client.post(
                "/tacos.catalog.v1.CatalogService/CreateEvent",
                headers={"authorization": f"Bearer {target.tokens[2]}", "content-type": "application/json"},
                content=json.dumps({"document": document, "seating_plan": plan}),
            )
            bad = answer.status_code >= 500 and answer.status_code != 503
            yield f"CreateEvent is {answer.status_code} {answer.text[:300]} for {document!r} {plan!r}" if bad else ""


def _worse(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(chance.choice([1, 1, 2, 5])):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                lines.insert(at, lines[other])
            case 1:
                lines[at], lines[other] = lines[other], lines[at]
            case 2 if len(lines) > 1:
                del lines[at]
            case 3:
                indent = len(lines[at]) - len(lines[at].lstrip())
                lines[at] = " " * indent + chance.choice(LINES)
            case _:
                lines[at] = changed(lines[at].encode(), chance, 1).decode("utf-8", "replace")
    return "\n".join(lines)

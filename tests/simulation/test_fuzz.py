"""Random and mutated messages to every RPC and to the HTTP door: no bug, no crash, no promise broken."""

import asyncio
import json
import random

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from tests.rpc.desk import code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.app.rest import API, NAMES
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.http import HttpAnswer

# Inventory believes the reservation room, which alone knows whether an order stands: a service that returns or sells
# the seats of somebody else's reservation breaks promises by asking for just that.
TRUSTING = (
    "/tacos.inventory.v1.HoldService/ReturnSeats",
    "/reservation.v1.Inventory/CommitReservation",
)
CALLS = 1500
TEXTS = (
    "",
    "a",
    "\x00",
    "é" * 50,
    "x" * 3000,
    "../..",
    "%2F",
    "1",
    "-1",
    "' OR 1=1",
    "whsec_AAAA",
    "http://[",
    "\u202e",
)
NUMBERS = (0, 1, -1, 2, 7, 100, 2**31 - 1, -(2**31))
WIDE = (0, 1, -1, 100000, 2**62, -(2**63))


def filled(message_type, chance, known, depth=0):
    """A message with some of its fields set: to what is known to the platform, or to nonsense."""
    message = message_type()
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING:
                getattr(message, field.name)[chance.choice(TEXTS)] = chance.choice(TEXTS)
        elif field.message_type is not None:
            if depth < 3 and not field.is_repeated:
                sub = getattr(message, field.name)
                sub.CopyFrom(filled(type(sub), chance, known, depth + 1))
        elif field.is_repeated:
            getattr(message, field.name).extend(
                value(field, chance, known) for _ in range(chance.choice([0, 1, 2, 30]))
            )
        else:
            setattr(message, field.name, value(field, chance, known))
    return message


def value(field, chance, known):
    kind = field.type
    if kind == FieldDescriptor.TYPE_STRING:
        return chance.choice(known[field.name] if field.name in known and chance.random() < 0.7 else TEXTS)
    if kind == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    if kind == FieldDescriptor.TYPE_BYTES:
        return chance.randbytes(5)
    if kind in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return chance.choice([0.0, -1.5, float("inf"), float("nan")])
    if kind == FieldDescriptor.TYPE_ENUM:
        return chance.choice([0, 1, 2, 3, 99])
    return chance.choice(WIDE if kind == FieldDescriptor.TYPE_INT64 else NUMBERS)


async def things(desk):
    """What is known to the platform, by the names of the fields that ask for it."""
    held = await desk.held("ana", 2)
    intent = await desk.pay("ana", held)
    token = await desk.admitted("ben")
    return {
        "event_id": [EVENT_ID],
        "user_id": ["ana", "ben"],
        "session_id": ["ana", "ben"],
        "reservation_id": [held.reservation_id],
        "reservation_ids": [held.reservation_id],
        "payment_intent_id": [intent],
        "reservation_token": [token],
        "seat_ids": ["MAIN-A-1", "MAIN-B-2", "PIT-S1-1"],
        "idempotency_key": ["k1", "k2", "k3"],
        "currency": ["KRW", "EUR"],
        "webhook_url": ["https://shop.example/hook"],
        "endpoint_url": ["https://shop.example/hook"],
        "service": ["queue", "worker"],
        "source": ["payment-sim-api", "fuzz"],
        "document": ["id: x", "[", "id: evt_f\nname: F\ncurrency: KRW\nsections: []"],
    }


@pytest.mark.parametrize("seed", range(4))
def test_no_message_to_any_rpc_meets_a_bug(seed):
    @on_platform
    async def on_desk(desk):
        desk.checks_every_commit = False
        desk.servers["https://"] = _taken
        chance = random.Random(f"fuzz-{seed}")
        known = await things(desk)
        methods = [one for one in desk.platform.calls.methods.values() if one.path not in TRUSTING]
        tokens = [
            desk.token(role, name) for role, name in ((Role.FAN, "ana"), (Role.SERVICE, "fuzz"), (Role.ADMIN, "op"))
        ]
        for number in range(CALLS):
            method = chance.choice(methods)
            request = filled(method.request, chance, known)
            token = chance.choice([*tokens, *tokens, "", "nonsense"])
            if method.is_stream:
                await _stream(desk, method, request, token)
            else:
                answer = await desk.ask(method.path.strip("/"), request, token)
                assert code(answer) not in ("INTERNAL", "TIMEOUT"), (number, method.path, request, answer.error)
                assert len(answer.error.message) < 5000
            if number % 50 == 0:
                await desk.clock.sleep(chance.choice([0.1, 1, 20]))
        await desk.clock.sleep(60)

    on_desk()


async def _taken(_, __):
    return HttpAnswer(200)


async def _stream(desk, method, request, token):
    stream = desk.stream(method.path.strip("/"), request, token)
    try:
        async with asyncio.timeout(0.1):
            await anext(stream)
    except (TimeoutError, StopAsyncIteration):
        pass
    except Refusal as refusal:
        assert refusal.code is not Code.INTERNAL, (method.path, request, refusal)
    finally:
        await stream.aclose()


@pytest.mark.parametrize("seed", range(2))
def test_no_request_to_the_door_meets_a_bug(seed):
    @on_platform
    async def on_desk(desk):
        desk.checks_every_commit = False
        desk.servers["https://"] = _taken
        chance = random.Random(f"door-{seed}")
        known = await things(desk)
        methods = [one for one in desk.platform.calls.methods.values() if not one.is_stream]
        token = desk.token(Role.FAN, "ana")
        for number in range(400):
            method = chance.choice(methods)
            message = filled(method.request, chance, known)
            body = _mutated(chance, message)
            kind = chance.choice(["application/json", "application/proto", "text/plain", ""])
            headers = {"content-type": kind, "idempotency-key": chance.choice(["k", "x" * 300])}
            if chance.random() < 0.7:
                headers["authorization"] = f"Bearer {token}"
            if chance.random() < 0.5:
                verb, path = "POST", method.path
            else:
                name = chance.choice(NAMES)
                verb = name.verb
                path = API + "/".join("x" if part.startswith("{") else part for part in name.path.split("/"))
                path += chance.choice(["", "?a=b", "?quantity=x", "?page_size=-1", "?user_id=ana", "?waiting_token=t"])
            answer = await desk.http(verb, path, headers, body)
            assert answer.status_code < 500 or answer.status_code == 503, (number, path, body, answer.text)
            assert "Traceback" not in answer.text

    on_desk()


def _mutated(chance, message) -> bytes:
    """A right body, or one with some bytes changed, or none."""
    if chance.random() < 0.5:
        try:
            body = json_format.MessageToJson(message).encode()
        except (ValueError, TypeError, json_format.Error):
            body = json.dumps({"a": [1, {"b": None}]}).encode()
    else:
        body = message.SerializeToString()
    changed = bytearray(body)
    for _ in range(chance.choice([0, 0, 1, 5])):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed[: chance.choice([len(changed), len(changed), 3])])

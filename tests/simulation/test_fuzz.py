"""Random and mutated messages to every RPC and to the HTTP door: no bug, no crash, no promise broken."""

import asyncio
import random

import pytest

from tests.fuzz.messages import body_of, filled
from tests.rpc.desk import code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.transport.rest import API, NAMES

# Inventory believes the reservation room, which alone knows whether an order stands: a service that sells
# the seats of somebody else's reservation breaks promises by asking for just that.
TRUSTING = ("/reservation.v1.Inventory/CommitReservation",)
CALLS = 1500


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
            body = body_of(message, chance)
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

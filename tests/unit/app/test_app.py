"""Keys, configuration, and the HTTP door."""

import base64
import random
import stat

import pytest

from tests.rpc.desk import Desk, on_platform
from traffic_tacos.app.config import Config, checked
from traffic_tacos.calls import keys
from traffic_tacos.engines.faulty import Faults
from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.addresses import Address, parsed_address
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND


def test_keys_are_made_once_for_their_owner_only(tmp_path):
    first = keys.opened(tmp_path / "data", random.SystemRandom())
    again = keys.opened(tmp_path / "data", random.SystemRandom())
    assert (first.waiting, first.webhook) == (again.waiting, again.webhook)
    assert list(first.verifying) == list(again.verifying)
    folder = tmp_path / "data" / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    other = keys.opened(tmp_path / "other", random.SystemRandom())
    assert other.waiting != first.waiting
    assert len(base64.b64decode(first.webhook[0].removeprefix("whsec_"))) == 32


def test_without_a_data_folder_there_are_no_keys(tmp_path):
    with pytest.raises(Refusal, match="data: must be the data folder"):
        keys.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:1", Address("127.0.0.1", 1)),
        ("[::1]:80", Address("::1", 80)),
        ("x", None),
        (":1", None),
        ("h:99999", None),
    ],
)
def test_addresses_are_host_and_port(text, expected):
    if expected is None:
        with pytest.raises(Refusal, match="HOST:PORT"):
            parsed_address("grpc", text)
    else:
        assert parsed_address("grpc", text) == expected


@pytest.mark.parametrize(
    "config",
    [
        Config(without=frozenset({"kitchen"})),
        Config(without=frozenset({"inventory"})),
        Config(elsewhere={"inventory": Address("127.0.0.1", 1)}, dynamodb="t-"),
        Config(without=frozenset({"payment"})),
        Config(elsewhere={"payment": Address("127.0.0.1", 1)}, dynamodb="t-"),
        Config(time_scale=0),
        Config(time_scale=-1),
        Config(server="x"),
        Config(docs_url="javascript:alert(1)"),
    ],
)
def test_settings_that_cannot_be_are_refused(config):
    with pytest.raises(Refusal):
        checked(config)


def test_nothing_listens_beyond_loopback_unless_asked():
    assert {Config().grpc.host, Config().http.host} == {"127.0.0.1"}


def _signed(desk: Desk, body: bytes, webhook_id: str = "msg_1", age: int = 0) -> dict[str, str]:
    seconds = desk.clock.now() // SECOND - age
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signatures.sign_all(desk.keys.webhook, webhook_id, seconds, body),
    }


async def _news(desk: Desk) -> bytes:
    """What a bank would say of a payment that there is."""
    held = await desk.held("ana", 1)
    intent = (await desk.intent("ana", held)).payment_intent_id
    ids = f'"payment_intent_id": "{intent}", "reservation_id": "{held.reservation_id}"'
    return f'{{"type": "payment.approved", "data": {{{ids}}}}}'.encode()


async def _http(desk: Desk, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""):
    answer = await desk.http(method, path, headers, body)
    return answer.status_code, answer.content


async def _post(desk: Desk, headers: dict[str, str], body: bytes):
    return await _http(desk, "POST", "/webhooks/payments", headers, body)


@on_platform
async def test_webhooks_are_verified_recorded_and_answered_the_same(desk):
    body = await _news(desk)
    status, first = await _post(desk, _signed(desk, body), body)
    assert status == 200
    await desk.clock.sleep(5)
    assert await _post(desk, _signed(desk, body), body) == (200, first)
    for headers, sent, expected in [
        ({}, body, 400),
        (_signed(desk, body), body + b" ", 401),
        (_signed(desk, body, age=301), body, 401),
        ({**_signed(desk, body), "webhook-id": "other"}, body, 401),
        ({**_signed(desk, body), "webhook-timestamp": "9" * 30}, body, 400),
        (_signed(desk, b"[]", "m2"), b"[]", 400),
        (_signed(desk, b"{", "m3"), b"{", 400),
        (_signed(desk, b"x" * 70_000, "m4"), b"x" * 70_000, 400),
    ]:
        assert (await _post(desk, headers, sent))[0] == expected
    assert sum("put webhook_receipt/payment-sim-api/msg_1" in line for line in desk.trace) == 1


@on_platform
async def test_the_http_door_tells_how_the_platform_is(desk):
    assert await _http(desk, "GET", "/healthz") == (200, b"alive\n")
    status, body = await _http(desk, "GET", "/readyz")
    assert (status, b"store: healthy" in body) == (200, True)
    desk.store.faults = Faults(fail_before=1.0)
    status, body = await _http(desk, "GET", "/readyz")
    assert (status, b"store: unhealthy" in body) == (503, True)
    desk.store.faults = Faults()
    await desk.held("ana")
    status, body = await _http(desk, "GET", "/metrics")
    counted = b'tacos_calls_total{code="OK",method="/gateway.v1.GatewayService/CreateReservation"} 1.0'
    assert (status, counted in body) == (200, True)
    assert (await _http(desk, "GET", "/webhooks/payments"))[0] == 405
    assert (await _http(desk, "GET", "/nothing"))[0] == 404

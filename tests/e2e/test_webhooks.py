"""Webhooks as a shop receives them from `tacos up`: over a socket, verified with the libraries that shops use."""

import asyncio
import base64
import json
import time

import pytest
import standardwebhooks.webhooks
import svix.webhooks

from tests.e2e.process import Shopper
from tests.e2e.receiving import receiver

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
WEBHOOK = "gateway.v1.WebhookService"


@pytest.fixture
def shop():
    with receiver(503) as server:  # the first is asked for once more
        yield server


def test_a_shop_hears_of_a_payment_and_verifies_it_with_either_library(up, shop):
    platform = up()
    client, service = platform.client(), platform.token("service", "shop")
    url = f"http://127.0.0.1:{shop.server_port}/hook"
    fields = {"service_name": "shop", "endpoint_url": url, "event_types": [1], "secret": SECRET}
    assert client(WEBHOOK, "RegisterWebhook", fields, service).registered
    refused = client(WEBHOOK, "RegisterWebhook", {**fields, "endpoint_url": "http://192.168.0.1/"}, service)
    assert refused.error.details[0].field == "endpoint_url"
    shopper = Shopper(client, platform.token("user", "ana"), "ana", "evt_hundred")
    for step in (shopper.join, shopper.wait_for_turn, shopper.be_admitted, shopper.reserve, shopper.pay, shopper.own):
        step()
    deadline = time.monotonic() + 20
    while len(shop.received) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    (_, first, body), (_, second, again) = shop.received[:2]
    assert body == again
    assert first["webhook-id"] == second["webhook-id"]
    assert (first["webhook-attempt"], second["webhook-attempt"]) == ("1", "2")
    for library in (standardwebhooks.webhooks.Webhook, svix.webhooks.Webhook):
        library(SECRET).verify(body, second)  # raises when it is not genuine
    told = json.loads(body)
    assert (told["type"], told["data"]["payment_intent_id"]) == ("payment.approved", shopper.acknowledged["paid"])
    where = ("--data", str(platform.data), "--grpc", platform.grpc)
    shown = platform.tacos("webhook", "list", *where)
    assert (shown.returncode, "shop" in shown.stdout) == (0, True), shown.stderr
    verdict = client(
        WEBHOOK,
        "ValidateWebhook",
        {"payload": body.decode(), "signature": second["webhook-signature"], "webhook_id": second["webhook-id"]},
        service,
    )
    assert (verdict.valid, verdict.reason) == (True, "")
    seen = platform.tacos("reconcile", *where)
    assert (seen.returncode, "No inconsistencies" in seen.stdout) == (0, True), seen.stdout + seen.stderr
    kept = platform.tacos(
        "event", "block", "evt_hundred", "MAIN-E-20", "--data", str(platform.data), "--grpc", platform.grpc
    )
    assert (kept.returncode, "MAIN-E-20" in kept.stdout) == (0, True), kept.stderr


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"], ids=["silent", "slow body"]
)
async def test_forty_slow_endpoints_delay_no_ticket_and_no_prompt_endpoint(up, shop, answer):
    """They take the connection and then nothing comes, or a body that has no end."""
    waiting = asyncio.Event()
    called = 0

    async def slow(reader, writer):
        nonlocal called
        called += 1
        await reader.readline()
        writer.write(answer)
        await waiting.wait()
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        await asyncio.to_thread(_sells_beside_slow_endpoints, up, shop, port)
        assert called >= 40
    finally:
        waiting.set()
        server.close()


def _sells_beside_slow_endpoints(up, shop, port):
    platform = up()
    client, service = platform.client(), platform.token("service", "shop")
    fields = {"service_name": "slow", "event_types": [1], "secret": SECRET}
    urls = [f"http://127.0.0.1:{port}/{number}" for number in range(40)]
    for url in (*urls, f"http://127.0.0.1:{shop.server_port}/hook"):
        assert client(WEBHOOK, "RegisterWebhook", {**fields, "endpoint_url": url}, service).registered
    for number in range(8):
        fan = f"fan{number}"
        shopper = Shopper(client, platform.token("user", fan), fan, "evt_hundred")
        for step in (shopper.join, shopper.wait_for_turn, shopper.be_admitted, shopper.reserve):
            step()
        began = time.monotonic()
        shopper.pay()
        shopper.own()
        assert time.monotonic() - began < 3
    deadline = time.monotonic() + 5
    while len({body for _, _, body in shop.received}) < 8:
        assert time.monotonic() < deadline, len(shop.received)
        time.sleep(0.05)
    platform.ensure_stopped()
    platform.verify()


def test_a_rotated_secret_signs_beside_the_old_one_until_that_is_dropped(up):
    platform = up()
    before = (platform.data / "keys" / "webhook.secret").read_text().split()
    for command, expected in (("rotate-webhook", 2), ("drop-old-webhook", 1)):
        assert platform.tacos("keys", command, "--data", str(platform.data)).returncode == 0
        after = (platform.data / "keys" / "webhook.secret").read_text().split()
        assert len(after) == expected
        assert after[0] != before[0]
        assert (platform.data / "keys" / "webhook.secret").stat().st_mode & 0o777 == 0o600
        platform.stop()
        platform.start()
        shopper = Shopper(platform.client(), platform.token("user", command), command, "evt_hundred")
        for step in (shopper.join, shopper.wait_for_turn, shopper.be_admitted, shopper.reserve, shopper.pay):
            step()
        assert shopper.own().order_id  # our own webhook is believed all along

"""The payment page, as a browser without scripts walks through it."""

import re
from urllib.parse import urlencode, urlsplit

import pytest

from tests.rpc.desk import on_platform
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.ports.idempotency import REMEMBERED
from traffic_tacos.rooms.payment.records import PAYMENT

GOOD = "4242 4242 4242 4242"


class Browser:
    def __init__(self, desk) -> None:
        self.desk = desk
        self.path, self.text, self.status = "", "", 0

    async def open(self, url: str) -> str:
        await self._went(await self.desk.http("GET", urlsplit(url).path))
        return self.text

    async def submit(self, **fields: str) -> str:
        key = re.search(r'name="key" value="(\w+)"', self.text).group(1)
        body = urlencode({"key": key, **fields}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await self.desk.http("POST", self.path, headers, body)
        if answer.status_code == 303:
            answer = await self.desk.http("GET", answer.headers["location"])
        await self._went(answer)
        return self.text

    async def _went(self, answer) -> None:
        self.path, self.text, self.status = answer.url.path, answer.text, answer.status_code
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"

    def card(self, number: str = GOOD, month: str = "12", year: str = "2030"):
        return self.submit(card_number=number, expiry_month=month, expiry_year=year, cvv="123")


@on_platform
async def test_a_fan_pays_on_the_page_that_the_reservation_names(desk):
    held = await desk.held("ana", 2)
    browser = Browser(desk)
    shown = await browser.open(held.payment_url)
    assert "100,000 KRW" in shown
    assert "MAIN-A-4, MAIN-A-5" in shown
    await browser.submit()
    assert browser.path.startswith("/pay/pi_")
    assert "Pay 100,000 KRW" in browser.text
    assert "The bank is being asked" in await browser.card()
    assert 'http-equiv="refresh"' in browser.text
    await desk.clock.sleep(10)
    order = (await desk.reservation(held.reservation_id)).order_id
    shown = await browser.open(browser.path)
    assert order
    assert f"Your order is {order}" in shown
    assert "refresh" not in shown


@pytest.mark.parametrize(
    ("number", "says"),
    [("4000000000000002", "declined"), ("4000000000009995", "insufficient funds"), ("4000000000000127", "cvc")],
)
def test_a_card_that_is_declined_says_why_and_charges_nothing(number, says):
    @on_platform
    async def on_desk(desk):
        held = await desk.held("ana", 1)
        browser = Browser(desk)
        await browser.open((await desk.intent("ana", held)).payment_url)
        await browser.card(number)
        await desk.clock.sleep(6)
        shown = await browser.open(browser.path)
        assert says in shown
        assert "Nothing was charged" in shown
        assert f"/pay/{held.reservation_id}" in shown
        assert (await desk.stats()).sold_seats == 0

    on_desk()


@on_platform
async def test_a_card_that_nobody_answers_ends_with_the_hold(desk):
    held = await desk.held("ana", 1)
    browser = Browser(desk)
    await browser.open((await desk.intent("ana", held)).payment_url)
    await browser.card("4000000000000259")
    await desk.clock.sleep(65)
    assert "was cancelled. Nothing was charged" in await browser.open(browser.path)
    assert "expired" in await browser.open(held.payment_url)


@on_platform
async def test_a_wrong_card_keeps_the_page_and_says_what_would_be_right(desk):
    held = await desk.held("ana", 1)
    intent = await desk.intent("ana", held)
    browser = Browser(desk)
    await browser.open(intent.payment_url)
    for wrong, says in (
        (("4242424242424241",), "must be a card number"),
        ((GOOD, "13"), "must be 1 to 12"),
        ((GOOD, "12", "2020"), "must be 2027 or later"),
        (("<script>",), "must be a card number"),
    ):
        shown = await browser.card(*wrong)
        assert (browser.status, says in shown) == (400, True)
        assert "<script>" not in shown
    assert (await desk.payment(intent.payment_intent_id)).status == payment_pb2.PAYMENT_STATUS_PENDING
    await browser.card()
    await desk.clock.sleep(10)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    stored = "".join(str(record) for kind in (PAYMENT, REMEMBERED) for record in desk.records().all(kind))
    assert "4242424242424242" not in stored.replace(" ", "")
    assert "4242" in stored  # the last four


@on_platform
async def test_pressing_the_button_twice_pays_once_and_a_strange_address_is_no_payment(desk):
    held = await desk.held("ana", 1)
    browser = Browser(desk)
    await browser.open(held.payment_url)
    text = browser.text
    await browser.submit()
    first = browser.path
    browser.text, browser.path = text, urlsplit(held.payment_url).path
    await browser.submit()
    assert browser.path == first
    for strange in ("/pay/pi_none", "/pay/rsv_none", "/pay/a%20b", "/pay/%00"):
        await browser.open(strange)
        assert (browser.status in (400, 404), "nothing to pay" in browser.text) == (True, True)
    answer = await desk.http("POST", first, {}, b"x" * 10_000)
    assert answer.status_code == 400
    assert (await desk.http("GET", "/pay/pay.css")).headers["content-type"].startswith("text/css")

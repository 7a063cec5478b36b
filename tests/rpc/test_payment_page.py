"""The payment page, as a browser without scripts walks through it."""

import re
from importlib.resources import files
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest

from tests.rpc.desk import GATEWAY, code, on_platform
from tests.simulation.world import EVENT
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.ports.idempotency import IDEMPOTENCY_RECORD
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.catalog.records import EVENT as EVENTS
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.transport.pay_words import words

GOOD = "4242 4242 4242 4242"


class Browser:
    def __init__(self, desk, accept: str = "") -> None:
        self.desk = desk
        self.accept = accept
        self.path, self.query, self.text, self.status = "", "", "", 0

    async def open(self, url: str) -> str:
        parts = urlsplit(url)
        await self._went(await self.desk.http("GET", f"{parts.path}?{parts.query}", self._headers()))
        return self.text

    async def submit(self, **fields: str) -> str:
        key = re.search(r'name="key" value="(\w+)"', self.text).group(1)
        body = urlencode({"key": key, **fields}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded", **self._headers()}
        answer = await self.desk.http("POST", f"{self.path}?{self.query}", headers, body)
        if answer.status_code == 303:
            answer = await self.desk.http("GET", answer.headers["location"], self._headers())
        await self._went(answer)
        return self.text

    def _headers(self) -> dict[str, str]:
        return {"accept-language": self.accept} if self.accept else {}

    async def _went(self, answer) -> None:
        self.path, self.text, self.status = answer.url.path, answer.text, answer.status_code
        self.query = answer.url.query.decode()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"

    def card(self, number: str = GOOD, month: str = "12", year: str = "2030"):
        return self.submit(card_number=number, expiry_month=month, expiry_year=year, cvv="123")


@on_platform
async def test_a_fan_pays_on_the_page_that_the_reservation_names(desk):
    held = await desk.held("ana", 2)
    browser = Browser(desk)
    shown = await browser.open(held.payment_url)
    assert "₩100,000" in shown
    assert "Main, row A, seat 4" in shown and "MAIN" not in shown  # nobody calls a section by its id
    await browser.submit()
    assert browser.path.startswith("/pay/pi_")
    assert "Pay ₩100,000" in browser.text
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
    [
        ("4000000000000002", "declined"),
        ("4000000000009995", "not enough money on the card"),
        ("4000000000000127", "the CVC is wrong"),
    ],
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
        assert "Try another card" not in shown  # the decline has cancelled the reservation
        assert re.search(r'href="/e/evt_sim">Join the queue again', shown)
        assert (await desk.stats()).sold_seats == 0

    on_desk()


@on_platform
async def test_a_card_that_nobody_answers_ends_with_the_hold(desk):
    held = await desk.held("ana", 1)
    browser = Browser(desk)
    await browser.open((await desk.intent("ana", held)).payment_url)
    await browser.card("4000000000000259")
    await desk.clock.sleep(65)
    for url in (browser.path, held.payment_url):
        shown = await browser.open(url)
        assert ("The time to pay is over" in shown, "Nothing was charged" in shown) == (True, True)


@on_platform
async def test_a_wrong_card_keeps_the_page_and_says_what_would_be_right(desk):
    held = await desk.held("ana", 1)
    intent = await desk.intent("ana", held)
    browser = Browser(desk)
    await browser.open(intent.payment_url)
    for wrong, says in (
        (("4242424242424241",), "a digit is missing or wrong"),
        ((GOOD, "13"), "as on the card, 01 to 12"),
        ((GOOD, "12", "2020"), "the card must not have expired"),
        (("<script>",), "a digit is missing or wrong"),
    ):
        shown = await browser.card(*wrong)
        assert (browser.status, says in shown) == (400, True)
        assert "<script>" not in shown
    assert (await desk.payment(intent.payment_intent_id)).status == payment_pb2.PAYMENT_STATUS_PENDING
    await browser.card()
    await desk.clock.sleep(10)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    stored = "".join(str(record) for kind in (PAYMENT, IDEMPOTENCY_RECORD) for record in desk.records().all(kind))
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
        assert (browser.status in (400, 404), "There is nothing to pay" in browser.text) == (True, True)
    answer = await desk.http("POST", first, {}, b"x" * 10_000)
    assert answer.status_code == 400
    assert (await desk.http("GET", "/pay/pay.css")).headers["content-type"].startswith("text/css")


FREE = EVENT.replace("id: evt_sim", "id: evt_free").replace("price: 50000", "price: 0").replace("60000", "0")


@pytest.mark.parametrize("entrance", ["reservation", "payment"])
def test_what_is_free_is_had_on_its_page_without_a_card(entrance):
    @on_platform
    async def on_desk(desk):
        await desk.platform.put_on_sale(FREE)
        held = await desk.held("ana", 2, event_id="evt_free")
        url = held.payment_url if entrance == "reservation" else (await desk.intent("ana", held)).payment_url
        browser = Browser(desk)
        shown = await browser.open(url)
        assert ("card_number" in shown, "There is nothing to pay" in shown, "Get the tickets" in shown) == (
            False,
            True,
            True,
        )
        shown = await browser.submit()
        order = (await desk.reservation(held.reservation_id)).order_id
        assert order
        assert (f"Your order is {order}" in shown, "Pay by card" in shown) == (True, False)
        assert "<form" not in await browser.open(url)
        await desk.clock.sleep(900)
        assert (desk.jobs(), desk.dead()) == ([], [])

    on_desk()


@on_platform
async def test_a_free_reservation_is_confirmed_without_a_payment(desk):
    await desk.platform.put_on_sale(FREE)
    held = await desk.held("ana", 1, event_id="evt_free")
    request = gateway_pb2.ConfirmReservationRequest(
        reservation_id=held.reservation_id, user_id="ana", idempotency_key="k"
    )
    confirmed = await desk.as_fan(GATEWAY + "ConfirmReservation", request, "ana")
    assert (code(confirmed), bool(confirmed.order_id)) == ("", True)


DATED = EVENT.replace("id: evt_sim", "id: evt_dated").replace(
    "currency: KRW", "start_time: 2027-03-01T20:00:00+09:00\ncurrency: CLF"
)


@on_platform
async def test_the_page_says_what_is_paid_for_and_how_much_time_is_left(desk):
    await desk.platform.put_on_sale(DATED)
    held = await desk.held("ana", 1, ("PIT-S1-1",), event_id="evt_dated")
    browser = Browser(desk)
    shown = await browser.open(held.payment_url)
    for said in (
        "Simulated Night",
        "Monday 1 March 2027, 20:00 UTC+09:00",
        '<th scope="row">Standing<td>',
        "CLF\N{NO-BREAK SPACE}6.0000",
        "1:00 minutes were left",
    ):
        assert said in shown, said
    assert re.search(r"Until 17:\d\d:\d\d UTC\+09:00", shown)  # the clocks at the event
    await desk.clock.sleep(18)
    assert "0:42 minutes were left" in await browser.open(held.payment_url)
    shown = await browser.submit()
    assert ("0:42 minutes were left" in shown, "CLF\N{NO-BREAK SPACE}6.0000" in shown) == (True, True)
    assert "refresh" not in shown  # nobody is interrupted who types, or is being read to
    await desk.clock.sleep(43)
    shown = await browser.open(browser.path)
    assert ("<form" in shown, "The time to pay is over" in shown) == (False, True)
    assert "Join the queue again" in shown


@on_platform
async def test_after_a_mistake_only_the_mistake_is_typed_again(desk):
    held = await desk.held("ana", 1)
    browser = Browser(desk)
    await browser.open((await desk.intent("ana", held)).payment_url)
    shown = await browser.submit(
        card_number='4242 4242 4242 4241"><b>',
        expiry_month="7",
        expiry_year="2031",
        cvv="987",
        cardholder_name="Ana <Q>",
    )
    assert browser.status == 400
    for kept in ('value="7"', 'value="2031"', 'value="Ana &lt;Q&gt;"', 'value="4242 4242 4242 4241&#34;&gt;&lt;b&gt;"'):
        assert kept in shown, kept
    assert ("987" in shown, "<b>" in shown, "987" in browser.path) == (False, False, False)
    assert re.search(r'name="card_number"[^>]*aria-invalid="true"', shown)
    shown = await browser.card("4242")
    assert ("a digit is missing or wrong" in shown, "payment_details" in shown) == (True, False)
    shown = await browser.card(GOOD, "13")
    assert re.search(r'name="expiry_month"[^>]*aria-invalid="true"', shown)
    assert "Month: please type it as on the card, 01 to 12." in shown


@on_platform
async def test_each_end_says_what_has_become_of_it_and_offers_no_form(desk):
    browser = Browser(desk)
    held = await desk.held("ana", 1)
    intent = await desk.intent("ana", held)
    await desk.pay("ana", held)
    await desk.clock.sleep(10)
    for url in (held.payment_url, intent.payment_url):
        shown = await browser.open(url)
        assert ("<form" in shown, "Your order is" in shown or "bought already" in shown) == (False, True)
    await desk.cancel("ana", held)
    await desk.clock.sleep(10)
    shown = await browser.open(held.payment_url)
    assert ("<form" in shown, "given back" in shown) == (False, True)
    other = await desk.held("ben", 1)
    pending = await desk.intent("ben", other)
    await desk.cancel("ben", other)
    for url in (other.payment_url, pending.payment_url):
        shown = await browser.open(url)
        assert ("<form" in shown, "cancelled" in shown, "Join the queue again" in shown) == (False, True, True)


NAMES_IN_ENGLISH = re.compile(r"English|Traffic Tacos|Simulated Night|Main|MAIN|CLF|UTC|CVC")


def english(page: str) -> list[str]:
    """The words of a page that a Korean reads in English; names and units are not translated."""
    shown = re.sub(r"<head>.*?</head>|<[^>]*>", " ", page, flags=re.DOTALL)
    return re.findall(r"[A-Za-z]{2,}", NAMES_IN_ENGLISH.sub("", shown))


@on_platform
async def test_a_browser_that_asks_for_korean_reads_korean_to_the_end(desk):
    await desk.platform.put_on_sale(DATED)
    held = await desk.held("ana", 1, ("MAIN-A-1",), event_id="evt_dated")
    browser = Browser(desk, "ko-KR,ko;q=0.9,en;q=0.8")
    seen = [await browser.open(held.payment_url)]
    for said in ('lang="ko"', "좌석을 잡았습니다", "2027년 3월 1일 월요일 20:00 UTC+09:00", "까지입니다. 그 뒤에는"):
        assert said in seen[0], said
    seen.append(await browser.submit())
    assert "CLF\N{NO-BREAK SPACE}5.0000 결제" in seen[-1]
    seen.append(await browser.card("4242424242424241"))
    assert "카드 번호: 카드에 적힌 대로" in seen[-1]
    seen.append(await browser.card("4000000000009995"))
    await desk.clock.sleep(6)
    seen.append(await browser.open(browser.path))
    assert "은행이 결제를 승인하지 않았습니다: 잔액 부족." in seen[-1]
    seen.append(await browser.open("/pay/pi_none"))
    assert "결제할 금액이 없습니다" in seen[-1]
    assert [english(re.sub(r"\b[A-Z]+-[A-Z]+-\d", "", page)) for page in seen] == [[]] * len(seen)


@on_platform
async def test_the_language_that_was_chosen_stays_whatever_the_browser_asks_for(desk):
    held = await desk.held("ana", 1)
    browser = Browser(desk, "en")
    shown = await browser.open(held.payment_url)
    assert re.search(r'<a href="\?lang=ko"[^>]*>한국어</a>', shown)
    shown = await browser.open(f"{held.payment_url}?lang=ko")
    assert re.search(r'<a href="\?lang=en"[^>]*>English</a>', shown)
    assert "카드로 결제" in shown
    await browser.submit()
    assert (browser.query, 'lang="ko"' in browser.text) == ("lang=ko", True)
    assert 'lang="ko"' in await browser.card("1")
    assert 'lang="en"' in await browser.open(f"{browser.path}?lang=tlh")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("ko", "ko"),
        ("KO-kr", "ko"),
        ("en-GB, ko", "en"),
        ("fr, ko;q=0.5", "ko"),
        ("en;q=0.3, ko;q=0.7", "ko"),
        ("ko;q=0, en", "en"),
        ("ko;q=much, en;q=0.1", "en"),
    ],
)
def test_the_language_is_the_first_of_the_browser_s_that_there_is(accepted, language):
    assert words("", accepted).language == language


TEXT = ("ink", "muted", "bad", "accent")
GROUND = ("paper", "card")
SHEETS = ("pay.css", "static/style.css")


def colours(css: str) -> list[dict[str, str]]:
    """The colours by name, of the light page and of the dark one."""
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in (light, dark)]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sheet", SHEETS)
def test_what_is_written_on_a_page_can_be_read_in_light_and_dark(sheet):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for theme in colours((files("traffic_tacos.web") / sheet).read_text()):
        for ground in (theme[name] for name in GROUND):
            for name in TEXT:
                assert contrast(theme[name], ground) >= 4.5, name
            assert contrast(theme["field"], ground) >= 3
        assert contrast(theme["on-accent"], theme["accent"]) >= 4.5


def test_the_payment_page_has_the_colours_of_all_others_and_none_beside():
    css, others = ((files("traffic_tacos.web") / sheet).read_text() for sheet in SHEETS)
    for own, known in zip(colours(css), colours(others), strict=True):
        assert own and own.items() <= known.items()
    named = re.findall(r"(?<!-)\b(?:color|background|border)(?:-color)?: ([^;]+);", css)
    fine = ("0", "inherit", "transparent")
    assert all("var(--" in value or value in fine for value in named), named  # no colour that is not in the tables


@on_platform
async def test_an_event_stored_before_its_clocks_were_kept_is_still_the_same_event(desk):
    await desk.platform.put_on_sale(DATED)
    key = EVENTS.key("evt_dated")
    stored = await desk.store.get(key)
    assert stored.utc_offset_minutes == 540
    earlier = msgspec.structs.replace(stored, utc_offset_minutes=None)
    await desk.store.transact((), lambda _: Decision(None, (put(key, earlier),)))
    await desk.platform.put_on_sale(DATED)

"""Purchases with an account of another login, and those of guests beside them."""

import json

import pytest

from tests.browser.conftest import EVENTS
from tests.browser.issuer import AUDIENCE, CLIENT, SUBJECT
from tests.browser.visitor import APPROVED
from tests.e2e.process import UpProcess

PHONE = {"viewport": {"width": 320, "height": 640}}
SAYS_WHO = f"You are signed in as {SUBJECT}"
LASTS_LESS_THAN_A_PURCHASE = 400  # seconds
NEEDED = "Tickets for this event are sold to people with an account only."


@pytest.fixture(scope="module")
def platform(chromium, login, tmp_path_factory):
    """One with another login: its events take no guests, but for `evt_guests`."""
    known = ("--issuer", login.url, "--issuer-audience", AUDIENCE, "--issuer-client-id", CLIENT)
    files = [argument for event in EVENTS for argument in ("--event", str(event))]
    process = UpProcess(tmp_path_factory.mktemp("accounts"), *known, *files, "--time-scale", "100")
    process.module = "tests.browser.jumping"
    yield process.start()
    process.ensure_stopped()


def signs_in(page, link="Sign in"):
    """From a page that asks for it, and back to it."""
    page.get_by_role("link", name=link, exact=True).click()
    page.locator("main button:not(.second)").click()
    page.get_by_role("link", name="Yes, it is me").click()


def joins(fan, event):
    fan.page.goto(f"{fan.address}/e/{event}")
    signs_in(fan.page)
    fan.press("Join the queue")


def holds(fan, event):
    joins(fan, event)
    fan.press("Choose seats")
    fan.press("Take the best available")
    fan.waits_for("Your seats are held")


def kept(page):
    return page.evaluate("JSON.stringify(localStorage)")


def token(page):
    return json.loads(page.evaluate("sessionStorage.getItem('tacos.account')"))["token"]


def test_somebody_signs_in_for_an_event_without_guests_and_buys_with_the_account(visit, issuer):
    fan = visit(locale="en-GB")
    fan.page.goto(f"{fan.address}/e/evt_hall")
    fan.page.get_by_text(NEEDED).wait_for()
    assert fan.page.get_by_role("button", name="Join the queue").count() == 0
    wrong = {"out": fan.violations()}
    signs_in(fan.page)
    fan.page.get_by_text(SAYS_WHO).wait_for()
    assert fan.page.url == f"{fan.address}/e/evt_hall"
    wrong["in"] = fan.violations()
    fan.press("Join the queue")
    fan.press("Choose seats")
    fan.press("Take the best available")
    fan.waits_for("Your seats are held")
    fan.page.reload()
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    fan.page.get_by_text("whenever you sign in with your account").wait_for()
    assert token(fan.page) not in kept(fan.page)
    assert "tacos.guests" not in kept(fan.page)
    fan.page.get_by_role("link", name="Show the tickets").click()
    fan.page.get_by_role("img", name="QR code of the ticket").first.wait_for()
    tickets = fan.page.url
    fan.page.get_by_role("link", name="My orders").first.click()
    fan.page.get_by_role("heading", name="The Long Evening").wait_for()
    wrong["orders"] = fan.violations()
    assert {state: found for state, found in wrong.items() if found} == {}

    other = visit(locale="en-GB")  # a device that has seen none of it
    other.page.goto(tickets)
    other.page.get_by_text("These tickets belong to another account").wait_for()
    signs_in(other.page)
    other.page.get_by_role("img", name="QR code of the ticket").first.wait_for()
    assert other.page.url == tickets
    other.page.evaluate("sessionStorage.clear()")
    other.page.goto(f"{other.address}/orders")
    other.page.get_by_text("Nothing was bought on this device yet.").wait_for()
    signs_in(other.page)
    other.page.get_by_role("heading", name="The Long Evening").wait_for()
    other.press("Give these tickets back")
    other.press("Give back for")
    other.page.get_by_text("Given back", exact=True).wait_for()


def test_more_is_bought_with_the_same_account(visit, issuer):
    fan = visit(locale="en-GB")
    holds(fan, "evt_free")
    for _ in range(2):
        fan.press("Get the tickets")
        fan.waits_for("The tickets are yours")
        fan.press("Buy more for this event")
        fan.press("Join the queue")
        fan.press("Choose seats")
        fan.press("Take the best available")
        fan.waits_for("Your seats are held")


def test_a_place_that_was_taken_on_one_device_is_the_account_s_on_another(visit, issuer):
    first, second = visit(locale="en-GB"), visit(locale="en-GB")
    holds(first, "evt_short")
    joins(second, "evt_short")
    second.press("Choose seats")
    second.press("Take the best available")
    second.waits_for("Your seats are held")
    first.press("Give the seats up")
    second.waits_for("The seats were given up")


def test_a_tab_in_which_nobody_has_signed_in_asks_for_it_and_goes_on(visit, issuer):
    fan = visit(locale="en-GB", **PHONE)
    holds(fan, "evt_couple")
    tab = fan.tab()
    tab.goto(f"{fan.address}/e/evt_couple")
    tab.get_by_role("button", name="한국어").click()
    tab.get_by_role("heading", name="계속하려면 로그인하세요").wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    signs_in(tab, "로그인")
    tab.get_by_role("heading", name="좌석을 잡았습니다").wait_for()
    stranger = fan.tab()
    stranger.goto(f"{fan.address}/e/evt_couple")
    stranger.get_by_role("button", name="이 순서 포기하기").click()
    stranger.get_by_role("link", name="로그인", exact=True).wait_for()
    assert json.loads(kept(stranger)).get("tacos.event.evt_couple") == "{}"


def test_who_is_signed_out_while_seats_are_held_signs_in_again_and_has_them(visit, issuer):
    fan = visit(locale="en-GB")
    holds(fan, "evt_pair")
    issuer.renews = False
    fan.page.evaluate("""() => {
      const known = JSON.parse(sessionStorage.getItem("tacos.account"));
      sessionStorage.setItem("tacos.account", JSON.stringify({ ...known, until: 0 }));
    }""")
    fan.waits_for("Sign in to go on")
    assert fan.violations() == []
    signs_in(fan.page)
    fan.waits_for("Your seats are held")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")


def test_a_token_that_would_end_before_the_purchase_is_renewed_before_the_turn_is_taken(visit, issuer):
    issuer.lifetime = LASTS_LESS_THAN_A_PURCHASE
    fan = visit(locale="en-GB")
    fan.page.goto(f"{fan.address}/e/evt_short")
    signs_in(fan.page)
    fan.page.get_by_text(SAYS_WHO).wait_for()
    assert issuer.grants == ["authorization_code"]
    issuer.lifetime = 3600
    fan.press("Join the queue")
    fan.press("Choose seats")
    fan.waits_for("Choose your seats")
    assert issuer.grants == ["authorization_code", "refresh_token"]
    assert fan.page.get_by_text("Your sign-in ends at").count() == 0


def test_a_sign_in_that_ends_too_soon_and_cannot_be_renewed_is_said_while_there_is_time(visit, issuer):
    issuer.lifetime, issuer.renews = LASTS_LESS_THAN_A_PURCHASE, False
    fan = visit(locale="en-GB", **PHONE)
    joins(fan, "evt_hall")
    fan.page.get_by_text("Your sign-in ends at").wait_for()
    assert fan.violations() == []
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    issuer.lifetime = 3600
    fan.press("Sign in again")
    fan.page.locator("main button:not(.second)").click()
    fan.page.get_by_role("link", name="Yes, it is me").click()
    fan.page.get_by_role("button", name="Choose seats").wait_for()  # the same place, and the same turn
    fan.page.wait_for_load_state("networkidle")
    assert fan.page.get_by_text("Your sign-in ends at").count() == 0
    fan.press("Choose seats")
    fan.waits_for("Choose your seats")
    assert issuer.grants == ["authorization_code", "refresh_token", "authorization_code"]


def test_tokens_that_are_shorter_than_a_purchase_are_renewed_in_it(visit, issuer):
    issuer.lifetime = 122  # seconds: a token is renewed two minutes before it ends
    fan = visit(locale="en-GB")
    holds(fan, "evt_hall")
    renewed = issuer.grants.count("refresh_token")
    fan.page.wait_for_timeout(3_000)
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    assert issuer.grants.count("refresh_token") > renewed
    assert fan.page.get_by_text("Your sign-in ends at").count() == 0


def test_who_is_signed_out_before_joining_is_told_so(visit, issuer):
    fan = visit(locale="en-GB")
    fan.page.goto(f"{fan.address}/e/evt_hall")
    signs_in(fan.page)
    fan.page.get_by_text(SAYS_WHO).wait_for()
    fan.page.evaluate("sessionStorage.clear()")
    fan.press("Join the queue")
    fan.page.get_by_text("You are not signed in any more.").wait_for()
    fan.page.get_by_text(NEEDED).wait_for()


def test_a_guest_s_way_is_the_same_beside_accounts(visit, issuer):
    fan = visit(locale="en-GB")
    asked = []
    fan.page.on("request", lambda request: asked.append(request.url))
    fan.page.goto(f"{fan.address}/e/evt_guests")
    fan.page.get_by_role("button", name="Join the queue").wait_for()
    assert fan.page.get_by_text(SAYS_WHO).count() == 0
    fan.holds_the_best("evt_guests")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    fan.page.get_by_text("on this device").wait_for()
    assert not [url for url in asked if "account" in url or "config" in url]
    fan.page.get_by_role("link", name="My orders").first.click()
    fan.page.get_by_role("heading", name="Open Door").wait_for()
    fan.page.get_by_role("link", name="Show the tickets").click()
    fan.page.get_by_role("img", name="QR code of the ticket").first.wait_for()
    assert (issuer.grants, json.loads(fan.page.evaluate("JSON.stringify(sessionStorage)"))) == ([], {})

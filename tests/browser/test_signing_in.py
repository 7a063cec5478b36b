"""Signing in at another issuer, and what of it stays in the browser."""

import json
import time

import pytest

from tests.browser.issuer import AUDIENCE, CLIENT, SUBJECT
from tests.e2e.process import UpProcess

HERE = "/signed-in"
NAME = f"You are signed in as {SUBJECT}"


@pytest.fixture(scope="module")
def platform(chromium, login, tmp_path_factory):
    """One that knows the issuer, once it has heard of it."""
    known = ("--issuer", login.url, "--issuer-audience", AUDIENCE, "--issuer-client-id", CLIENT)
    process = UpProcess(tmp_path_factory.mktemp("login"), *known, "--time-scale", "1").start()
    yield process
    process.ensure_stopped()


# What a page asks for before a turn: whoever is signed in, with a token that lasts so many milliseconds.
LASTING = """async (lasting) => {
  const { src } = document.querySelector("script");
  return (await import(src.replace("account/signed-in", "lib/account"))).account(lasting);
}"""


def signs_in(visitor, button="Sign in"):
    visitor.page.goto(visitor.address + HERE)
    visitor.press(button)
    visitor.page.get_by_role("link", name="Yes, it is me").click()


def session(visitor):
    return json.loads(visitor.page.evaluate("JSON.stringify(sessionStorage)"))


def account(visitor):
    return json.loads(session(visitor)["tacos.account"])


def test_somebody_signs_in_and_out_and_the_tokens_stay_in_the_tab(visit, issuer):
    fan = visit(locale="en-GB")
    fan.page.goto(fan.address + HERE)
    fan.page.get_by_role("button", name="Sign in").wait_for()
    wrong = {"out": fan.violations()}
    signs_in(fan)
    fan.page.get_by_text(NAME).wait_for()
    wrong["in"] = fan.violations()
    assert wrong == {"out": [], "in": []}
    assert issuer.grants == ["authorization_code"]
    assert fan.page.url == fan.address + HERE  # no code is left in the address, nor in the history
    assert set(session(fan)) == {"tacos.account"}
    assert account(fan)["token"] not in fan.page.evaluate("JSON.stringify(localStorage)")
    fan.page.reload()
    fan.page.get_by_text(NAME).wait_for()
    other = fan.tab()
    other.goto(fan.address + HERE)
    other.get_by_role("button", name="Sign in").wait_for()
    assert issuer.grants == ["authorization_code"]
    fan.press("Sign out")
    fan.page.get_by_role("button", name="Sign in").wait_for()
    assert session(fan) == {}


def test_who_came_from_a_page_goes_back_to_it_and_to_no_other_site(visit, issuer):
    fan = visit(locale="ko-KR")
    for back in ("/orders", "https://evil.example/x", "//evil.example/x"):
        fan.page.goto(f"{fan.address}{HERE}?back={back}")
        fan.press("로그인")
        fan.page.get_by_role("link", name="Yes, it is me").click()
        if back == "/orders":
            fan.page.get_by_role("heading", name="내 예매").wait_for()
        else:
            fan.page.get_by_text(SUBJECT).wait_for()
        fan.page.evaluate("sessionStorage.clear()")


@pytest.mark.parametrize("has_begun", [True, False])
@pytest.mark.parametrize("query", ["code=x&state=another", "code=x&state=", "error=access_denied&state=another"])
def test_an_answer_that_was_not_asked_for_is_not_taken(visit, issuer, query, has_begun):
    fan = visit(locale="en-GB")
    fan.page.goto(fan.address + HERE)
    if has_begun:
        fan.press("Sign in")
        fan.page.get_by_role("link", name="Yes, it is me").wait_for()
    fan.page.goto(f"{fan.address}{HERE}?{query}")
    fan.page.get_by_text("was not begun in this tab").wait_for()
    assert (issuer.grants, session(fan)) == ([], {})
    assert fan.violations() == []
    fan.press("Try again")
    fan.page.get_by_role("button", name="Sign in").wait_for()


def test_an_answer_is_taken_once_and_not_from_another_issuer(visit, issuer):
    fan = visit(locale="en-GB")
    for change in (lambda url: url.replace("iss=http", "iss=https"), lambda url: url):
        fan.page.goto(fan.address + HERE)
        fan.press("Sign in")
        answer = fan.page.get_by_role("link", name="Yes, it is me").get_attribute("href")
        fan.page.goto(change(answer))
        fan.page.locator("[role=alert], [class~=second]").first.wait_for()
        if change(answer) != answer:
            fan.page.get_by_text("was not begun in this tab").wait_for()
            assert issuer.grants == []
    fan.page.get_by_text(NAME).wait_for()
    fan.page.goto(answer)
    fan.page.get_by_text("it was used already").wait_for()
    assert issuer.grants == ["authorization_code"]


def test_who_says_no_is_not_signed_in(visit, issuer):
    fan = visit(locale="en-GB")
    fan.page.goto(fan.address + HERE)
    fan.press("Sign in")
    fan.page.get_by_role("link", name="No").click()
    fan.page.get_by_text("the sign-in was refused or stopped").wait_for()
    assert (issuer.grants, session(fan)) == ([], {})


def test_a_token_is_renewed_shortly_before_it_ends_and_only_then(visit, issuer):
    fan = visit(locale="en-GB")
    signs_in(fan)
    fan.page.get_by_text(NAME).wait_for()
    first = account(fan)
    assert fan.page.evaluate(LASTING, 600_000)["token"] == first["token"]
    assert issuer.grants == ["authorization_code"]
    time.sleep(1.1)  # so that another token says another time
    later = [
        fan.page.evaluate(LASTING, 3_700_000) for _ in range(2)
    ]  # asked to last longer than it does: before a turn
    assert later[0]["token"] != first["token"] and later[0]["refresh"] != first["refresh"]
    assert later[0]["until"] > first["until"]
    assert set(issuer.grants[1:]) == {"refresh_token"}
    issuer.renews = False
    assert fan.page.evaluate(LASTING, 3_700_000)["userId"] == SUBJECT  # the old one while it lasts


def test_who_cannot_be_renewed_is_signed_out_at_the_end(visit, issuer):
    issuer.lifetime = 3
    fan = visit(locale="en-GB")
    signs_in(fan)
    fan.page.get_by_text(NAME).wait_for()
    fan.page.wait_for_timeout(3500)
    issuer.renews = False
    fan.page.reload()
    fan.page.get_by_role("button", name="Sign in").wait_for()
    assert session(fan) == {}


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (None, "There is nothing to sign in to here."),
        ({"authorization_endpoint": "", "token_endpoint": ""}, "The sign-in cannot be reached right now."),
    ],
)
def test_where_nobody_can_sign_in_the_page_says_so(visit, where, says):
    fan = visit(locale="en-GB")
    fan.page.route("**/web/config.json", lambda route: route.fulfill(json={"issuer": where}))
    fan.page.goto(fan.address + HERE)
    fan.page.get_by_text(says).wait_for()
    assert fan.page.get_by_role("button", name="Sign in").count() == 0
    assert fan.violations() == []


def test_pages_may_ask_the_issuer_and_nobody_else(visit, issuer):
    fan = visit(locale="en-GB")
    rules = fan.page.goto(fan.address + HERE).headers["content-security-policy"]
    assert f"connect-src 'self' {issuer.url};" in rules
    assert issuer.url not in fan.page.goto(f"{fan.address}/scan").headers["content-security-policy"]

"""Whole purchases, in the forms that people come in; and what goes wrong on the way."""

import json
import re
from typing import Any

import pytest

from tests.browser.conftest import DOCS
from tests.browser.visitor import APPROVED, DECLINED, MISTYPED
from traffic_tacos.kernel.errors import Code, Precondition
from traffic_tacos.kernel.money import DECIMALS, Money
from traffic_tacos.transport.pay_words import LANGUAGES, Words

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL = {"viewport": {"width": 320, "height": 640}}


def test_seats_are_chosen_by_hand_on_a_desktop_and_every_state_is_accessible(visit):
    fan = visit(locale="en-GB", timezone_id="Europe/Berlin")
    fan.page.goto(fan.address)
    fan.page.get_by_role("link", name="The Long Evening").wait_for()
    assert fan.page.get_by_role("link", name="documentation").get_attribute("href") == DOCS
    wrong = {"front": fan.violations()}
    fan.page.get_by_role("link", name="The Long Evening").click()
    fan.waits_for("The Long Evening")
    assert "8:00" in fan.page.locator("dl").inner_text().replace("20:00", "8:00")
    assert "by your clock" in fan.page.locator("dl").inner_text()
    wrong["event"] = fan.violations()
    fan.press("Join the queue")
    fan.press("Choose seats")
    fan.waits_for("Choose your seats")
    wrong["seats"] = fan.violations()
    fan.page.locator(".blocks button", has_text="Stalls").click()
    fan.page.get_by_role("button", name=re.compile("^Row B, seat 3,")).click()
    fan.page.get_by_role("button", name=re.compile("^Row B, seat 4,")).click()
    assert "2 seats, ₩100,000" in fan.page.locator(".chosen").inner_text()
    kept = fan.page.get_by_role("button", name=re.compile("^Row A, seat 1,.*accessible"))
    assert kept.get_attribute("aria-disabled") == "true"
    wrong["block"] = fan.violations()
    fan.press("Hold these seats")
    fan.waits_for("Your seats are held")
    wrong["held"] = fan.violations()
    fan.pays(MISTYPED)
    fan.page.locator("#field-problem:not([hidden])").wait_for()
    assert fan.page.locator("#card_number").get_attribute("aria-invalid") == "true"
    assert fan.page.locator("#cvv").input_value() == "123"  # a mistake empties nothing
    wrong["mistyped"] = fan.violations()
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    assert "row B, seat 3" in fan.page.locator("main").inner_text()
    wrong["bought"] = fan.violations()
    fan.page.get_by_role("link", name="Show the tickets").click()
    fan.page.get_by_role("img", name="QR code of the ticket").nth(1).wait_for()
    wrong["tickets"] = fan.violations()
    fan.page.get_by_role("link", name="My orders").first.click()
    fan.page.get_by_role("heading", name="The Long Evening").wait_for()
    wrong["orders"] = fan.violations()
    assert {state: found for state, found in wrong.items() if found} == {}

    fan.press("Give these tickets back")
    fan.press("Give back for ₩100,000")
    fan.page.get_by_text("Given back", exact=True).wait_for()


def test_a_korean_phone_is_given_the_best_seats(visit):
    fan = visit(locale="ko-KR", **PHONE)
    fan.joins("evt_hall", "대기열에 들어가기")
    fan.press("좌석 고르기")
    fan.press("가장 좋은 좌석 받기")
    fan.waits_for("좌석을 잡았습니다")
    assert "₩60,000" in fan.page.locator(".total").inner_text()
    assert fan.page.evaluate("document.documentElement.lang") == "ko"
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    fan.pays(APPROVED)
    fan.waits_for("예매가 완료되었습니다")
    assert fan.violations() == []


def test_the_keyboard_is_enough(visit):
    fan = visit(locale="en-GB")
    keys = fan.page.keyboard
    fan.page.goto(f"{fan.address}/e/evt_hall")

    def to(name: str) -> None:
        """Press Tab until the button of this name has the focus."""
        for _ in range(40):
            keys.press("Tab")
            focused = fan.page.locator("button:focus")
            if focused.count() and name in (focused.get_attribute("aria-label") or focused.inner_text()):
                return
        raise AssertionError(f"no way to {name} by Tab")

    fan.page.get_by_role("button", name="Join the queue").wait_for()
    to("Join the queue")
    keys.press("Enter")
    fan.page.get_by_role("button", name="Choose seats").wait_for()
    to("Choose seats")
    keys.press("Enter")
    fan.waits_for("Choose your seats")
    to("Stalls")
    keys.press("Enter")
    fan.waits_for("Stalls")
    to("Row A, seat 1,")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        keys.press(key)
    assert "Row C, seat 3" in fan.page.locator(":focus").get_attribute("aria-label")
    to("Hold these seats")
    keys.press("Enter")
    fan.waits_for("Your seats are held")
    fan.page.locator("#card_number").focus()
    for text in (APPROVED, "12", "2030", "123"):
        keys.type(text)
        keys.press("Tab")
    to("Pay")
    keys.press("Enter")
    fan.waits_for("The tickets are yours")


@pytest.mark.parametrize(
    ("locale", "code", "copy", "copied", "selected"),
    [
        ("en-GB", "Code as text", "Copy the code", "The code is copied.", "The code is selected: copy it now."),
        ("ko-KR", "문자로 된 티켓 코드", "코드 복사", "코드를 복사했습니다.", "코드를 선택했습니다. 지금 복사하세요."),
    ],
    ids=["en", "ko"],
)
def test_a_ticket_s_code_is_copied_as_text_and_lets_one_in(visit, platform, locale, code, copy, copied, selected):
    fan = visit(locale=locale, permissions=["clipboard-read", "clipboard-write"], **SMALL)
    fan.joins("evt_hall", re.compile("^(Join the queue|대기열에 들어가기)$"))
    fan.press(re.compile("^(Choose seats|좌석 고르기)$"))
    fan.press(re.compile("^(Take the best available|가장 좋은 좌석 받기)$"))
    fan.page.locator("#card_number").wait_for()
    fan.pays(APPROVED)
    fan.page.locator("a[href^='/t/']").click()
    fan.page.get_by_text(code).first.click()
    fan.press(copy)
    fan.page.locator("main").get_by_text(copied).wait_for()
    assert fan.violations() == []
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    text = fan.page.evaluate("navigator.clipboard.readText()")
    entry = {"ticket": text, "event_id": "evt_hall", "scanner_id": "north", "scan_id": locale}
    headers = {"authorization": f"Bearer {platform.token('service', 'door')}"}
    door = f"{fan.address}/tacos.admission.v1.DoorService/CheckIn"
    assert fan.page.request.post(door, data=entry, headers=headers).json()["entered"] is True

    fan.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')))")
    fan.press(copy)
    fan.page.locator("main").get_by_text(selected).wait_for()
    assert fan.page.evaluate("getSelection().toString()") == text


def test_giving_back_is_offered_as_long_as_it_would_be_done(visit, platform):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_hall")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    reservation = fan.page.get_by_role("link", name="Show the tickets").get_attribute("href").rpartition("/")[2]
    headers = {"authorization": f"Bearer {platform.token('service', 'door')}"}

    def at_the_door(rpc: str, **fields: str) -> dict:
        answer = fan.page.request.post(f"{fan.address}/tacos.admission.v1.{rpc}", data=fields, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    ticket = at_the_door("TicketService/ListTickets", reservation_id=reservation)["tickets"][0]["ticket"]
    entry = {"ticket": ticket, "event_id": "evt_hall"}
    fan.page.get_by_role("link", name="My orders").first.click()
    offered = re.compile(r"February 28, 2027 at 8:00\sPM\. The whole price of ₩60,000 goes back")
    fan.page.get_by_text(offered).wait_for()
    fan.press("Give these tickets back")
    fan.page.get_by_text("₩60,000 will go back to your card").wait_for()
    fan.press("Keep the tickets")

    at_the_door("DoorService/CheckIn", **entry, scanner_id="north", scan_id="1")
    fan.press("Give these tickets back")  # the page was loaded before somebody entered
    fan.page.get_by_text("Somebody has entered").wait_for()
    assert fan.page.get_by_role("button", name=re.compile("back")).count() == 0
    assert fan.violations() == []

    at_the_door("DoorService/UndoCheckIn", **entry, reason="the wrong door")
    fan.page.reload()
    fan.press("Give these tickets back")
    yes = fan.page.get_by_role("button", name="Give back for ₩60,000")
    yes.wait_for()
    at_the_door("DoorService/CheckIn", **entry, scanner_id="north", scan_id="2")
    yes.click()  # asked and answered before somebody entered
    fan.page.get_by_text("Somebody has entered").wait_for()
    assert fan.page.get_by_role("button", name=re.compile("back")).count() == 0


def test_tickets_that_cost_nothing_are_found_behind_other_reservations_and_given_back(visit):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_free")
    fan.press("Give the seats up")
    fan.press("Choose again")
    fan.press("Take the best available")
    fan.press("Get the tickets")
    fan.waits_for("The tickets are yours")
    pages = []

    def one_at_a_time(route: Any) -> None:
        asked = route.request.post_data_json
        asked["pagination"]["pageSize"] = 1
        pages.append(asked["pagination"]["cursor"])
        route.continue_(post_data=json.dumps(asked))

    fan.page.route("**/ListReservations", one_at_a_time)
    fan.page.get_by_role("link", name="My orders").first.click()
    fan.page.get_by_text("Can be given back at any time. No money goes back.").wait_for()
    assert len(pages) == 2
    fan.press("Give these tickets back")
    fan.page.get_by_text("No money will go back to you").wait_for()
    fan.press("Give back for nothing")
    fan.page.get_by_text("Given back", exact=True).wait_for()


def test_a_guest_s_orders_are_shown_on_another_device_by_their_recovery_code(visit):
    fan, other = visit(locale="en-GB"), visit(locale="en-GB", **SMALL)
    fan.holds_the_best("evt_hall")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    fan.page.get_by_role("link", name="My orders").first.click()
    fan.page.get_by_text("Orders of another device").click()
    code = fan.page.get_by_role("textbox", name="Recovery code for The Long Evening").input_value()
    assert fan.violations() == []

    other.page.goto(f"{other.address}/orders")
    entered = other.page.get_by_label("Recovery code")
    entered.fill(code[:-1])
    other.press("Show those orders here")
    other.page.get_by_text("This is no recovery code.").wait_for()
    assert other.violations() == []
    assert other.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    entered.fill(code.lower())
    other.press("Show those orders here")
    other.page.get_by_role("heading", name="The Long Evening", exact=True).wait_for()
    other.page.get_by_role("link", name="Show the tickets").click()
    other.page.get_by_role("img", name="QR code of the ticket").nth(1).wait_for()
    other.page.get_by_role("link", name="My orders").first.click()
    other.press("Give these tickets back")
    other.press(re.compile("Give back for"))
    other.page.get_by_text("Given back", exact=True).wait_for()


def test_the_order_that_was_made_last_comes_first(visit):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_hall")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    fan.holds_the_best("evt_free")
    fan.press("Get the tickets")
    fan.waits_for("The tickets are yours")
    fan.page.goto(f"{fan.address}/orders")
    fan.page.locator("article").nth(1).wait_for()
    assert fan.page.locator("article h2").all_inner_texts() == ["Open Rehearsal", "The Long Evening"]


@pytest.mark.parametrize("looks", [{"color_scheme": "dark"}, {"forced_colors": "active"}, {"reduced_motion": "reduce"}])
def test_a_declined_card_says_what_happened_and_the_turn_goes_on(visit, looks):
    fan = visit(locale="en-GB", **SMALL, **looks)
    fan.holds_the_best("evt_hall")
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if "forced_colors" not in looks:  # colours are then the system's own
        assert fan.violations() == []
    fan.pays(DECLINED)
    fan.waits_for("The payment was declined")
    assert "Nothing was charged" in fan.page.locator("main").inner_text()
    fan.press("Choose again")
    fan.press("Take the best available")
    fan.waits_for("Your seats are held")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


NOTIFIED = """
Object.defineProperty(document, "hidden", { get: () => true });
globalThis.notified = [];
globalThis.Notification = class {
  static permission = "default";
  static requestPermission = async () => (Notification.permission = "granted");
  constructor(title, { body }) { notified.push([title, body]); }
};
"""


def test_a_turn_is_told_by_the_title_and_to_whoever_wants_it_by_a_notification(visit):
    fan = visit(locale="en-GB")
    fan.context.add_init_script(NOTIFIED)
    instead = {"status": "QUEUE_STATUS_WAITING", "admissionReady": False}  # until the turn comes

    def answered(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps(answer.json() | instead))

    fan.page.route("**/GetQueueStatus", answered)
    fan.joins("evt_hall")
    fan.press("Tell me when it is my turn")
    fan.page.get_by_role("button", name="Tell me when it is my turn").wait_for(state="detached")
    instead.clear()
    fan.waits_for("It is your turn")
    assert fan.page.title() == "It is your turn · The Long Evening"
    assert fan.page.evaluate("notified") == [["It is your turn", "The Long Evening"]]
    assert fan.page.locator("#announcer").inner_text() == "It is your turn"


def test_a_declined_card_while_another_payment_can_still_be_made_asks_for_another_card(visit):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_hall")
    fan.pays(MISTYPED)  # a payment is begun here
    reservation = re.search(r"rsv_\w+", fan.page.evaluate("JSON.stringify(localStorage)"))[0]
    other = fan.tab()
    other.goto(f"{fan.address}/pay/{reservation}")
    other.get_by_role("button", name="Pay by card").click()  # and another one there
    other.locator("[name=card_number]").wait_for()
    fan.pays(DECLINED)
    fan.page.get_by_text("The bank said no: declined. Nothing was charged, and your seats are still held.").wait_for()
    fan.waits_for("Your seats are held")
    assert fan.violations() == []
    fan.pays(DECLINED)
    fan.page.locator("#card_number").wait_for(state="detached")
    fan.page.get_by_text("The bank said no: declined.").wait_for()
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")


def test_money_that_came_too_late_is_said_to_go_back(visit):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_hall")

    def late(field: str, status: str) -> Any:
        """As if the bank had said yes behind the end of the hold."""

        def changed(route: Any) -> None:
            answer = route.fetch()
            told = answer.json()
            told[field]["status"] = status
            route.fulfill(response=answer, body=json.dumps(told))

        return changed

    fan.page.route("**/GetPaymentStatus", late("payment", "PAYMENT_STATUS_REFUNDED"))
    fan.page.route("**/ProcessPayment", lambda route: route.fulfill(json={}))
    fan.types_a_card(APPROVED)
    fan.page.locator("form button").first.click()
    fan.page.route("**/GetReservation", late("reservation", "RESERVATION_STATUS_EXPIRED"))
    fan.waits_for("Paid, but too late")
    assert "All of the money goes back to you." in fan.page.locator("main").inner_text()
    assert fan.violations() == []
    fan.press("Join the queue again")
    fan.waits_for("The Long Evening")


def test_a_hold_is_extended_once_and_its_end_says_that_nothing_was_charged(visit, jump):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_short")
    fan.press("60 more seconds")
    fan.page.get_by_role("button", name="60 more seconds").wait_for(state="detached")
    fan.page.locator(".countdown", has_text=re.compile("^1:")).wait_for()
    assert re.fullmatch(r"\d\d seconds left", fan.page.locator("#announcer").inner_text())
    other = visit(locale="en-GB")
    other.holds_the_best("evt_short")
    jump(other)
    other.page.get_by_role("heading", name="The time to pay is over").wait_for()
    assert "Nothing was charged" in other.page.locator("main").inner_text()
    other.press("Join the queue again")
    other.waits_for("Quick Hands")


def test_another_tab_and_a_reload_lose_nothing_and_what_is_sold_is_said(visit):
    fan, late = visit(locale="en-GB"), visit(locale="en-GB")
    fan.holds_the_best("evt_pair")
    late.joins("evt_pair")
    late.waits_for("You are in the queue")
    late.page.get_by_text("All seats are held by others right now. Some may come back").wait_for()
    fan.page.reload()
    fan.waits_for("Your seats are held")
    tab = fan.tab()
    tab.goto(f"{fan.address}/e/evt_pair")
    tab.locator(".countdown").wait_for()
    late.page.reload()
    late.waits_for("You are in the queue")
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    tab.get_by_role("heading", name="The tickets are yours").wait_for()
    late.waits_for("Sold out")


def test_a_turn_that_comes_when_all_seats_are_held_says_so(visit):
    fan, late = visit(locale="en-GB"), visit(locale="en-GB")
    fan.has_a_turn("evt_couple")
    late.has_a_turn("evt_couple")
    fan.press("Take the best available")
    fan.waits_for("Your seats are held")
    late.page.get_by_text("No seat is free right now").wait_for()
    fan.press("Give the seats up")
    fan.waits_for("The seats were given up")
    late.page.get_by_text("2 free").wait_for()
    late.page.get_by_text("No seat is free right now").wait_for(state="detached")


def test_a_seat_that_is_lost_under_the_cursor_is_said(visit):
    fan, faster = visit(locale="en-GB"), visit(locale="en-GB")
    for one in (fan, faster):
        one.has_a_turn("evt_hall")
        one.page.locator(".blocks button", has_text="Stalls").click()
        one.page.get_by_role("button", name=re.compile("^Row A, seat 15,")).click()
    faster.press("Hold these seats")
    faster.waits_for("Your seats are held")
    fan.page.get_by_text("Somebody was faster").wait_for()
    assert fan.page.get_by_role("button", name=re.compile("^Row A, seat 15,")).get_attribute("aria-disabled") == "true"


def test_a_clock_that_is_wrong_by_five_minutes_shows_the_time_that_is_left(visit):
    fan = visit(locale="en-GB")
    fan.context.add_init_script("const real = Date.now; Date.now = () => real.call(Date) + 300_000;")
    fan.holds_the_best("evt_hall")
    minutes, seconds = fan.page.locator(".countdown").inner_text().split(":")
    assert 50 <= int(minutes) * 60 + int(seconds) <= 60


def test_a_reservation_that_the_page_has_lost_is_found_again_by_asking_for_seats(visit):
    fan = visit(locale="en-GB")
    fan.holds_the_best("evt_hall")
    fan.page.evaluate(
        "const {reservation, ...way} = JSON.parse(localStorage['tacos.event.evt_hall']);"
        "localStorage['tacos.event.evt_hall'] = JSON.stringify(way)"
    )
    fan.page.reload()
    fan.waits_for("Choose your seats")
    fan.press("Take the best available")
    fan.waits_for("Your seats are held")


def test_whatever_is_refused_is_said_in_the_language_of_the_page(visit):
    fan = visit(locale="ko-KR")
    fan.page.goto(f"{fan.address}/e/evt_hall")
    answer: dict = {"code": "unknown"}
    fan.page.route("**/JoinQueue", lambda route: route.fulfill(status=400, json=answer))
    refusals = [(code.name, "") for code in (Code.ALREADY_EXISTS, Code.INTERNAL, Code.UNAVAILABLE)]
    refusals += [(Code.RATE_LIMITED.name, "wait"), (Code.INVALID_ARGUMENT.name, "must be 1 to 4"), ("NEW", "")]
    refusals += [(Code.FAILED_PRECONDITION.name, reason) for reason in (Precondition.QUEUE_CLOSED, "", "NEW")]
    said = []
    for number, (code, reason) in enumerate(refusals):
        detail = {"field": "event_id", "reason": reason, "value": ""}
        error = {"code": f"ERROR_CODE_{code}", "message": f"event_id: refused {number}", "details": [detail]}
        answer["details"] = [{"type": "common.v1.Error", "debug": error}]
        fan.press("대기열에 들어가기")
        fan.page.locator("button[aria-busy]").wait_for(state="detached")
        text = fan.page.locator(".problem").inner_text()
        assert re.search(r"[가-힣]", text) and not re.search(r"[A-Za-z]", text), (code, reason, text)
        said.append(text)
    assert len(set(said)) == len(said) - 1 and said[-1] == said[-2]


@pytest.mark.parametrize(
    ("locale", "says", "join", "choose", "best"),
    [
        ("en-GB", "Floor, standing", "Join the queue", "Choose seats", "Hold these places"),
        ("ko-KR", "Floor 스탠딩", "대기열에 들어가기", "좌석 고르기", "이 자리 잡기"),
    ],
)
def test_a_place_to_stand_is_called_so_wherever_a_seat_is_named(visit, locale, says, join, choose, best):
    fan = visit(locale=locale)
    page = fan.page
    fan.joins("evt_hall", join)
    fan.press(choose)
    page.locator("[data-section=FLOOR]").click()
    fan.waits_for("Floor")
    page.locator("#best-quantity").select_option("2")
    assert fan.violations() == []
    assert page.locator("#best-section").count() == 0  # where is chosen already
    fan.press(best)
    page.locator("#card_number").wait_for()

    def names_it(count="2 × "):
        page.get_by_text(f"{count}{says}", exact=True).first.wait_for()
        assert re.search(r"\bS\d", page.locator("main").inner_text()) is None

    names_it()
    held = page.url
    page.goto(f"{fan.address}/pay/{re.search(r'rsv_[0-9a-z]+', page.evaluate('JSON.stringify(localStorage)'))[0]}")
    names_it()
    page.goto(held)
    page.locator("#card_number").wait_for()
    fan.pays(APPROVED)
    page.locator("main a[href^='/t/']").wait_for()
    names_it()
    page.locator("main a[href^='/t/']").click()
    page.locator(".qr").nth(1).wait_for()
    names_it("")
    numbers = page.locator(".ticket .muted", has_text=re.compile("[12].* ?[2]")).all_inner_texts()
    assert numbers == (["Ticket 1 of 2", "Ticket 2 of 2"] if locale == "en-GB" else ["티켓 1/2", "티켓 2/2"])
    page.goto(f"{fan.address}/orders")
    page.locator("article").wait_for()
    names_it()


def test_where_all_stand_in_one_place_only_how_many_is_asked_and_what_is_left_is_shown(visit):
    first, second = visit(locale="en-GB"), visit(locale="en-GB")
    for fan in (first, second):
        fan.joins("evt_floor")
        fan.press("Choose seats")
        fan.waits_for("Floor")
        fan.page.get_by_text("3 free", exact=True).wait_for()
        assert fan.page.locator("main button").all_inner_texts() == ["Hold these places"]
        assert fan.violations() == []
    first.page.locator("#best-quantity").select_option("2")
    first.press("Hold these places")
    first.waits_for("Your seats are held")
    second.page.get_by_text("1 free", exact=True).wait_for()
    second.page.locator("#best-quantity").select_option("2")
    second.press("Hold these places")
    second.page.get_by_text("Not so many seats are left").wait_for()
    first.press("Give the seats up")
    second.page.get_by_text("3 free", exact=True).wait_for()
    second.press("Hold these places")
    second.waits_for("Your seats are held")


def test_the_time_that_is_left_stays_in_sight_and_hides_nothing_that_has_the_focus(visit):
    """On a small phone with its keyboard open, where all of a form is longer than what can be seen."""
    fan = visit(locale="en-GB", viewport={"width": 320, "height": 360})
    fan.holds_the_best("evt_hall")
    timer = fan.page.locator(".timer")
    for name in ("card_number", "cvv", "cardholder_name"):
        fan.page.evaluate("(id) => scrollBy(0, document.getElementById(id).getBoundingClientRect().top)", name)
        fan.page.locator(f"#{name}").focus()
        above, field = timer.bounding_box(), fan.page.locator(f"#{name}").bounding_box()
        assert above["y"] >= 0
        assert above["y"] + above["height"] <= field["y"] and field["y"] + field["height"] <= 360
    assert timer.bounding_box()["y"] == 0
    fan.press("Give the seats up")


LEADS_NOWHERE = {
    "/nothing/here": ("There is nothing at this address", "이 주소에는 아무것도 없습니다"),
    "/orders/ord_none": ("There is nothing at this address", "이 주소에는 아무것도 없습니다"),
    "/e/evt_none": ("There is no such event", "그런 공연이 없습니다"),
    "/draw/evt_none": ("There is no such event", "그런 공연이 없습니다"),
    "/pay/pay_none": ("There is nothing to pay", "결제할 금액이 없습니다"),
    "/pay/rsv_none": ("There is nothing to pay", "결제할 금액이 없습니다"),
}


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without"])
def test_an_address_that_leads_nowhere_says_so_in_both_languages_and_leads_on(visit, has_scripts):
    """Without scripts the server says all of it, so it is the same."""
    for locale, of in ("en-GB", 0), ("ko-KR", 1):
        fan = visit(locale=locale, java_script_enabled=has_scripts, viewport={"width": 320, "height": 640})
        for path, says in LEADS_NOWHERE.items():
            fan.page.goto(fan.address + path)
            fan.waits_for(says[of])
            assert fan.page.locator("html").get_attribute("lang") == locale[:2]
            for way_on in "/", "/orders":
                fan.page.locator(f"main a[href='{way_on}']").wait_for()
            if has_scripts:
                assert fan.violations() == []
                assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", ["/t/rsv_none", "/t/%E0"])
def test_tickets_of_nobody_here_say_where_they_may_be(visit, path):
    fan = visit(locale="en-GB")
    fan.page.goto(fan.address + path)
    fan.page.get_by_text("These tickets were not bought on this device").wait_for()
    fan.page.locator("main a[href='/orders']").wait_for()


def test_a_page_of_nothing_follows_the_language_that_was_chosen_here(visit):
    fan = visit(locale="en-GB")
    fan.page.goto(f"{fan.address}/nothing/here")
    fan.press("한국어")
    fan.waits_for("이 주소에는 아무것도 없습니다")
    fan.page.reload()
    fan.waits_for("이 주소에는 아무것도 없습니다")
    assert fan.page.title() == "이 주소에는 아무것도 없습니다 · Traffic Tacos"
    fan.page.get_by_role("link", name="모든 공연 보기").click()
    fan.waits_for("공연")


@pytest.mark.parametrize(
    ("locale", "held", "by_card", "wrong", "choose", "other", "bought"),
    [
        (
            "en-GB",
            "Your seats are held",
            "Pay by card",
            "a digit is missing or wrong",
            "한국어",
            "좌석을 잡았습니다",
            "The tickets are yours",
        ),
        (
            "ko-KR",
            "좌석을 잡았습니다",
            "카드로 결제",
            "빠지거나 틀린 숫자가 있습니다",
            "English",
            "Your seats are held",
            "예매가 완료되었습니다",
        ),
    ],
)
def test_the_payment_page_needs_no_script_speaks_both_languages_and_is_accessible(
    visit, locale, held, by_card, wrong, choose, other, bought
):  # fmt: skip
    buyer = visit(locale="en-GB")
    buyer.holds_the_best("evt_hall")
    reservation = re.search(r"rsv_\w+", buyer.page.evaluate("JSON.stringify(localStorage)"))[0]
    fan = visit(locale=locale, java_script_enabled=False, **PHONE)
    axe = visit(locale=locale, **SMALL)  # axe itself is a script: it looks at the same addresses

    def violations() -> list[str]:
        axe.page.goto(fan.page.url)
        assert axe.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        return axe.violations()

    fan.page.goto(f"{fan.address}/pay/{reservation}")
    fan.waits_for(held)
    found = {"held": violations()}
    assert "₩60,000" in fan.page.locator(".total").inner_text()  # as on the other pages
    fan.page.get_by_role("link", name=choose).click()
    fan.waits_for(other)
    fan.page.go_back()
    fan.press(by_card)
    fan.page.locator("[name=card_number]").wait_for()
    found["card"] = violations()
    for name, value in {"card_number": MISTYPED, "expiry_month": "12", "expiry_year": "2030"}.items():
        fan.page.locator(f"[name={name}]").fill(value)
    fan.page.locator("form button").click()
    fan.page.get_by_role("alert").get_by_text(wrong).wait_for()
    axe.page.goto(fan.page.url)
    for name in ("card_number", "expiry_month", "expiry_year"):
        axe.page.locator(f"[name={name}]").fill("13")
    axe.page.locator("form button").click()
    axe.page.get_by_role("alert").wait_for()
    found["mistyped"] = axe.violations()
    fan.page.locator("[name=card_number]").fill(APPROVED)
    fan.page.locator("form button").click()
    fan.waits_for(bought)
    found["bought"] = violations()
    assert {state: one for state, one in found.items() if one} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_payment_page_writes_money_as_the_browser_does(visit, language):
    fan = visit()
    fan.page.goto(fan.address)
    run = """([language, currency, digits]) => new Intl.NumberFormat(language, {
      style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
    }).format(1234567 / 10 ** digits)"""
    for currency in ("KRW", "USD", "EUR", "JPY", "GBP", "CNY", "AUD", "CAD", "BRL", "INR", "VND", "CHF", "CLF", "KWD"):
        written = Words(language).money(Money(1_234_567, currency))
        assert written == fan.page.evaluate(run, [language, currency, DECIMALS[currency]])

"""The door: tickets are checked by two scanners, with a connection and without."""

import itertools
import re

import httpx
import jwt
import pytest

from tests.browser.test_purchases import SMALL
from tests.e2e.process import GATEWAY, Shopper
from traffic_tacos.cli.options import TOKEN_SECONDS, issued
from traffic_tacos.kernel.calls import Caller, Role

EVENT, OTHER = "evt_hall", "evt_pair"
OFFLINE = "net::ERR_INTERNET_DISCONNECTED"  # the browser says so itself
names = itertools.count(1)


@pytest.fixture(scope="module")
def token(platform):
    return platform.token("door", "evening")


class Order:
    """Somebody's tickets, bought over the API."""

    def __init__(self, platform, quantity=1, event=EVENT, seats=()):
        user = f"guest{next(names)}"
        token = issued(platform.data, Caller(Role.FAN, user), TOKEN_SECONDS)  # a process for each takes a second
        self.shopper = Shopper(platform.client(), token, user, event)
        self.shopper.join()
        self.shopper.wait_for_turn()
        self.shopper.be_admitted()
        self.id = self.shopper.reserve(len(seats) or quantity, seats).reservation_id
        self.shopper.pay()
        self.shopper.own()
        answer = httpx.post(
            f"http://{platform.http}/tacos.admission.v1.TicketService/ListTickets",
            json={"reservationId": self.id},
            headers={"authorization": f"Bearer {self.shopper.token}"},
        )
        self.tickets = [ticket["ticket"] for ticket in answer.json()["tickets"]]

    def is_given_back(self):
        fields = {"reservation_id": self.id, "user_id": self.shopper.user, "reason": "ill", "idempotency_key": self.id}
        answer = self.shopper.client(GATEWAY, "CancelReservation", fields, self.shopper.token)
        assert not answer.HasField("error"), answer


class Scanner:
    """Somebody at the door, with a browser of their own."""

    def __init__(self, visit, token, name, event="The Long Evening", before="", **browser):
        """`before` is a script that runs before those of the page."""
        self.visitor = visit(locale="en-GB", **browser)
        self.visitor.context.add_init_script(before)
        self.page = self.visitor.page
        self.page.goto(f"{self.visitor.address}/scan")
        self.visitor.waits_for("Check tickets")
        self.page.get_by_label("Door token").fill(token)
        self.page.get_by_label("Name of this scanner").fill(name)
        self.visitor.press("Sign in")
        self.visitor.waits_for("Which event?")
        self.visitor.press(re.compile(event))
        self.visitor.waits_for(event)

    def scans(self, ticket):
        """What the page says of it: its heading, and the lines below."""
        self.page.evaluate("document.querySelector('#answer').replaceChildren()")
        self.page.get_by_label("Code of the ticket").fill(ticket)
        self.page.keyboard.press("Enter")
        self.page.locator("#answer .verdict").wait_for()
        return self.page.locator("#answer h2").inner_text(), self.page.locator("#answer").inner_text()

    def loses_the_connection(self):
        self.is_kept()
        self.visitor.context.set_offline(True)

    def has_a_connection_again(self):
        self.visitor.context.set_offline(False)
        self.visitor.messages[:] = [said for said in self.visitor.messages if OFFLINE not in said]

    def is_kept(self):
        """The page and its lists are on the device."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def says(self, text):
        self.page.get_by_text(text).first.wait_for()


def seat_of(ticket):
    """As people call it: MAIN-C-7 is row C, seat 7."""
    _, row, number = jwt.decode(ticket, options={"verify_signature": False})["seat"].split("-")
    return f"row {row}, seat {number}"


def changed(ticket):
    """The ticket with one letter of its signature changed."""
    place = ticket.rindex(".") + 20
    return ticket[:place] + ("A" if ticket[place] != "A" else "B") + ticket[place + 1 :]


def test_the_header_is_for_the_staff_and_says_which_scanner_this_is(visit, token):
    """It leads to nothing that fans have: one press beside a button, and scanning would be left."""
    north = Scanner(visit, token, "north door")
    header = north.page.locator("header")
    assert header.inner_text().split("\n") == ["Door north door", "한국어"]
    assert header.locator("a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))") == ["/scan"]
    north.visitor.press("Sign out")
    north.visitor.waits_for("Check tickets")
    assert header.inner_text().split("\n") == ["Door", "한국어"]


def test_each_ticket_is_answered_for_what_it_is(visit, platform, token):
    north, south = Scanner(visit, token, "north door"), Scanner(visit, token, "남문")
    good, returned, elsewhere = Order(platform, 2), Order(platform), Order(platform, 1, OTHER)
    returned.is_given_back()
    wrong = {"ready": north.visitor.violations()}
    heading, says = south.scans(good.tickets[0])
    assert (heading, "Noted" in says) == ("May enter", False)
    wrong["enter"] = south.visitor.violations()
    heading, says = north.scans(good.tickets[0])
    assert re.fullmatch(r"Already entered at \d+:\d\d [AP]M", heading) and "Let in by 남문." in says
    wrong["entered"] = north.visitor.violations()
    for ticket, said in [
        (elsewhere.tickets[0], "Not this event"),
        (returned.tickets[0], "Given back"),
        (changed(good.tickets[1]), "Not genuine"),
        ("https://example.com/some-other-code", "Not genuine"),
        (good.tickets[1], "May enter"),
    ]:
        assert north.scans(ticket)[0] == said
        wrong[said] = north.visitor.violations()
    assert {state: found for state, found in wrong.items() if found} == {}


def test_seats_are_named_at_the_door_as_on_their_tickets(visit, platform, token):
    """Without a connection as well: the plan is on the device."""
    seats = Order(platform, seats=("MAIN-C-7", "FLOOR-S2-3"))
    north = Scanner(visit, token, "north door")
    north.loses_the_connection()
    says = [north.scans(ticket)[1] for ticket in seats.tickets]
    assert "Stalls, row C, seat 7" in says[0] and "Floor, standing" in says[1]
    north.says("Take back the last: Floor, standing")
    assert re.search(r"MAIN-|FLOOR-|S2", north.page.locator("main").inner_text()) is None
    north.has_a_connection_again()


def test_without_a_connection_the_device_decides_and_the_server_hears_of_it_later(visit, platform, token):
    before, good, returned, elsewhere = Order(platform), Order(platform, 2), Order(platform), Order(platform, 1, OTHER)
    returned.is_given_back()
    helper = Scanner(visit, token, "helper")
    assert helper.scans(before.tickets[0])[0] == "May enter"
    north, south = Scanner(visit, token, "north door"), Scanner(visit, token, "south door")
    for scanner in (north, south):
        scanner.loses_the_connection()
        scanner.page.reload()  # the page itself is on the device, too
        scanner.visitor.waits_for("The Long Evening")
    north.says("No connection: tickets are checked on this device.")
    assert north.scans(before.tickets[0])[0].startswith("Already entered at")
    assert north.scans(returned.tickets[0])[0] == "Given back"
    assert north.scans(elsewhere.tickets[0])[0] == "Not this event"
    assert north.scans(changed(good.tickets[0]))[0] == "Not genuine"
    heading, says = north.scans(good.tickets[0])
    assert (heading, "Noted on this device" in says) == ("May enter", True)
    north.says("1 check-in is still to be sent.")
    assert north.scans(good.tickets[0])[0].startswith("Already entered at")  # a copy, at the same door
    assert south.scans(good.tickets[0])[0] == "May enter"  # a copy at another door: nobody can know yet
    assert south.scans(good.tickets[1])[0] == "May enter"
    assert north.visitor.violations() == []

    north.has_a_connection_again()
    north.page.get_by_text("still to be sent").wait_for(state="detached")
    assert north.page.get_by_role("heading", name="Let in twice").count() == 0
    south.has_a_connection_again()
    south.page.get_by_role("heading", name="Let in twice").wait_for()
    assert "north door had let in the same ticket" in south.page.locator("main").inner_text()
    south.page.get_by_text("still to be sent").wait_for(state="detached")
    assert south.visitor.violations() == []
    assert helper.scans(good.tickets[1])[0].startswith("Already entered at")
    south.page.reload()
    south.page.get_by_role("heading", name="Let in twice").wait_for()  # until somebody has seen it
    south.visitor.press("I have seen this")
    south.page.get_by_role("heading", name="Let in twice").wait_for(state="detached")
    south.page.reload()
    south.visitor.waits_for("The Long Evening")
    south.says("Connected.")
    assert south.page.get_by_role("heading", name="Let in twice").count() == 0


def test_what_was_said_is_taken_back_with_a_connection_and_without(visit, platform, token):
    order = Order(platform, 2)
    north, south = Scanner(visit, token, "north door"), Scanner(visit, token, "south door")
    assert north.scans(order.tickets[0])[0] == "May enter"
    north.visitor.press(re.compile("^Take back the last: "))
    north.says("Taken back: ")
    assert south.scans(order.tickets[0])[0] == "May enter"
    north.loses_the_connection()
    assert north.scans(order.tickets[1])[0] == "May enter"
    north.visitor.press(re.compile("^Take back the last: "))
    north.says("Taken back: ")
    assert north.scans(order.tickets[1])[0] == "May enter"  # whoever was sent away comes back
    north.visitor.press(re.compile("^Take back the last: "))
    north.says("Taken back: ")
    assert south.scans(order.tickets[1])[0] == "May enter"
    north.has_a_connection_again()
    north.page.get_by_text("still to be sent").wait_for(state="detached")
    assert north.page.get_by_role("heading", name="Let in twice").count() == 0
    assert north.scans(order.tickets[1])[1].count("Let in by south door.") == 1  # whose entry is not taken back


def test_what_was_given_back_while_a_scanner_had_no_connection_is_a_conflict(visit, platform, token):
    order = Order(platform)
    north = Scanner(visit, token, "north door")
    north.loses_the_connection()
    order.is_given_back()
    assert north.scans(order.tickets[0])[0] == "May enter"
    north.has_a_connection_again()
    north.page.get_by_role("heading", name="Let in by mistake").wait_for()
    north.says("but the ticket had been given back")


def test_the_keyboard_is_enough_on_320_pixels_in_the_dark_and_in_korean(visit, platform, token):
    visitor = visit(locale="ko-KR", color_scheme="dark", **SMALL)
    page, keys = visitor.page, visitor.page.keyboard
    page.goto(f"{visitor.address}/scan")
    visitor.waits_for("티켓 확인")
    page.get_by_label("입장 확인용 토큰").focus()
    for text in (token, "북문"):
        keys.insert_text(text)
        keys.press("Tab")
    keys.press("Enter")
    visitor.waits_for("어느 공연인가요?")
    assert visitor.violations() == []
    for _ in range(20):
        keys.press("Tab")
        if "The Long Evening" in (page.locator(":focus").inner_text()):
            break
    keys.press("Enter")
    visitor.waits_for("The Long Evening")
    page.locator("#code:focus").wait_for()  # where a hand scanner types
    keys.insert_text(Order(platform).tickets[0])
    keys.press("Enter")
    page.locator("#answer").get_by_role("heading", name="입장 가능").wait_for()
    assert page.locator("#code").input_value() == ""
    assert page.locator("#answer").get_attribute("aria-live") == "assertive"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visitor.violations() == []


def test_every_answer_has_a_shape_of_its_own_where_the_colours_are_the_system_s(visit, platform, token):
    order, elsewhere = Order(platform), Order(platform, 1, "evt_couple")
    north = Scanner(visit, token, "north door", forced_colors="active")
    shapes = set()
    for ticket in (order.tickets[0], order.tickets[0], elsewhere.tickets[0], "x"):
        north.scans(ticket)
        drawing = north.page.locator("#answer svg")
        assert drawing.is_visible()
        shapes.add(drawing.inner_html())
    assert len(shapes) == 4


CAMERA = """
globalThis.BarcodeDetector = class {
  static getSupportedFormats = async () => ["qr_code"];
  detect = async () => (globalThis.seen ? [{ rawValue: globalThis.seen }] : []);
};
navigator.mediaDevices.getUserMedia = async () => {
  if (globalThis.forbidden) throw new DOMException("no", "NotAllowedError");
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 10, 10);
  return canvas.captureStream(10);
};
"""


def test_a_camera_reads_each_ticket_once_while_it_is_in_sight(visit, platform, token):
    order = Order(platform, seats=("MAIN-C-8", "MAIN-C-9"))
    north = Scanner(visit, token, "north door", before=CAMERA)
    page = north.page
    page.evaluate("globalThis.forbidden = true")
    north.visitor.press("Scan with the camera")
    north.says("The camera cannot be used.")
    page.evaluate("globalThis.forbidden = false")
    north.visitor.press("Scan with the camera")
    for ticket in order.tickets:
        page.evaluate("(ticket) => (globalThis.seen = ticket)", ticket)
        seat = page.locator("#answer .enter", has_text=seat_of(ticket))
        seat.wait_for()
        page.wait_for_timeout(700)
        assert seat.is_visible()  # seen again and again, it is the same scan
    assert north.visitor.violations() == []


def test_where_nothing_can_be_stored_nobody_enters_without_a_connection(visit, platform, token):
    order = Order(platform, 2)
    north = Scanner(visit, token, "north door")
    full = "throw new DOMException('full', 'QuotaExceededError')"
    north.page.evaluate(
        "() => { globalThis.put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (...given) "
        f"{{ if (this.name === 'scans') {full}; return put.apply(this, given); }} }}"
    )
    north.loses_the_connection()
    north.page.get_by_label("Code of the ticket").fill(order.tickets[0])
    north.page.keyboard.press("Enter")
    north.says("This could not be checked")
    assert north.page.locator("#answer .verdict").count() == 0
    assert [said for said in north.visitor.messages if OFFLINE not in said] == ["full"]
    north.page.evaluate("() => { IDBObjectStore.prototype.put = put; }")
    assert north.scans(order.tickets[0])[0] == "May enter"  # nothing of the attempt was noted
    north.has_a_connection_again()
    north.visitor.messages.remove("full")


SLOW_AT_FIRST = """
const real = globalThis.fetch;
let slow = 1;
globalThis.fetch = async (...asked) => {
  if (String(asked[0]).endsWith("/CheckIn") && slow-- > 0) await new Promise((resolve) => setTimeout(resolve, 700));
  return real(...asked);
};
"""


def test_tickets_that_come_faster_than_answers_are_answered_in_turn(visit, platform, token):
    order = Order(platform, seats=("MAIN-C-11", "MAIN-C-12"))
    north = Scanner(visit, token, "north door", before=SLOW_AT_FIRST)
    for ticket in order.tickets:
        north.page.keyboard.insert_text(ticket)
        north.page.keyboard.press("Enter")
    north.page.locator("#answer .enter", has_text=seat_of(order.tickets[1])).wait_for()
    north.page.wait_for_timeout(1000)
    assert north.page.locator("#answer .enter", has_text=seat_of(order.tickets[1])).is_visible()
    for ticket in order.tickets:
        assert north.scans(ticket)[0].startswith("Already entered at")


def test_where_no_camera_can_be_read_the_page_says_so(visit, token):
    Scanner(visit, token, "north door").says("This browser cannot read QR codes with a camera.")


def test_a_token_is_in_no_address_and_one_that_is_not_for_the_door_is_said(visit, platform, token):
    visitor = visit(locale="en-GB")
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.goto(f"{visitor.address}/scan")
    fan = platform.token("user", "ana")
    for wrong in ("nonsense", fan):
        visitor.page.get_by_label("Door token").fill(wrong)
        visitor.page.get_by_label("Name of this scanner").fill("north door")
        visitor.press("Sign in")
        if wrong == "nonsense":  # the event is asked for once
            visitor.press(re.compile("The Long Evening"))
        visitor.page.get_by_text("does not accept this token").wait_for()
    assert not any(fan in url or "nonsense" in url for url in [*asked, visitor.page.url])
    assert visitor.page.evaluate("JSON.stringify(localStorage)").count(fan) == 0
    assert visitor.violations() == []


def test_a_browser_that_cannot_check_asks_the_server_and_says_so(visit, platform, token):
    order = Order(platform, 2)
    north = Scanner(
        visit,
        token,
        "north door",
        before="delete SubtleCrypto.prototype.verify; "
        "SubtleCrypto.prototype.importKey = async () => { throw new DOMException('no', 'NotSupportedError') }",
    )
    north.says("This browser cannot check tickets by itself")
    assert north.scans(changed(order.tickets[0]))[0] == "Not genuine"
    assert north.scans(order.tickets[0])[0] == "May enter"
    north.loses_the_connection()
    assert north.scans(order.tickets[1])[0] == "Cannot be checked now"
    north.has_a_connection_again()

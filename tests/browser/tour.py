"""All pages in all their states, one after the other, in any language and on any screen."""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGUSR1

import httpx

from tests.browser.issuer import AUDIENCE, CLIENT, Issuer
from tests.browser.test_scan import OFFLINE, Order
from tests.browser.visitor import APPROVED, DECLINED, MISTYPED, Visitor
from tests.e2e.process import UpProcess

THEATRE = Path(__file__).parents[2] / "examples" / "events" / "theatre.yaml"
BOUGHT, BOUGHT_NAME = "evt_taco_theatre", "The Tortilla Prince"
QUEUED, DRAWN = "evt_salsa_night", "evt_premiere"
SCREENS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1000, "height": 720}}  # of the docs' pictures
AHEAD = 240  # in the queue
DRAWN_PEOPLE = 12
OPENS_AFTER = timedelta(minutes=3)  # of a clock that jumps
ONE_BY_ONE = "{rate_per_second: 1, active_max: 1, offer_seconds: 3600}"
LATER = """
guests: true
venue: {name: Cantina Hall, address: {city: Seoul, country: KR}}
start_time: 2027-03-05T19:30:00+09:00
currency: KRW
sections: [{id: FLOOR, name: Floor, price: 45000, standing: 400}]
"""
EVENTS = {
    BOUGHT: THEATRE.read_text() + "guests: true\n",
    QUEUED: f"id: {QUEUED}\nname: Salsa Night\nadmission: {ONE_BY_ONE}{LATER}",
    DRAWN: f"id: {DRAWN}\nname: The Premiere\nsale_start_time: OPENS{LATER}",
}


class Stage:
    """A platform with something on sale, a queue, and a draw that is still to come. It knows another login."""

    def __init__(self, folder: Path, login: Issuer) -> None:
        opens = (datetime.now(UTC) + OPENS_AFTER).isoformat(timespec="seconds")
        files: list[str] = []
        for name, text in EVENTS.items():
            (folder / f"{name}.yaml").write_text(text.replace("OPENS", opens))
            files += ["--event", str(folder / f"{name}.yaml")]
        known = ("--issuer", login.url, "--issuer-audience", AUDIENCE, "--issuer-client-id", CLIENT)
        self.platform = UpProcess(folder / "data", *files, *known, "--time-scale", "20")
        self.platform.module = "tests.browser.jumping"
        self.platform.start()
        self.address = f"http://{self.platform.http}"
        with httpx.Client(base_url=self.address) as client:  # to make one takes longer than to use it
            for event, count in ((QUEUED, AHEAD), (DRAWN, DRAWN_PEOPLE)):
                for number in range(count):
                    joined = {"eventId": event, "sessionId": f"somebody-{number}"}
                    client.post("/gateway.v1.QueueService/JoinQueue", json=joined).raise_for_status()

    def draws(self) -> None:
        """The sale opens, and with it the draw is held."""
        while httpx.get(f"{self.address}/web/queue/{DRAWN}").json()["draw"]["state"] != "drawn":
            self.platform.signal(SIGUSR1)
            time.sleep(0.2)

    def stop(self) -> None:
        self.platform.ensure_stopped()


def tour(stage: Stage, fans: Mapping[str, Visitor]) -> Iterator[tuple[str, str]]:
    """Whose page has come to which state, each by its name."""
    for name, fan in fans.items():
        for states in (_purchase(fan), _queue(fan), _before_the_draw(fan)):
            yield from ((name, state) for state in states)
    stage.draws()
    for name, fan in fans.items():
        for states in (_after_the_draw(fan), _account(fan), _door(fan, stage.platform)):
            yield from ((name, state) for state in states)


def _purchase(fan: Visitor) -> Iterator[str]:
    page = fan.page
    page.goto(fan.address)
    page.locator(".events").wait_for()
    yield "events"
    page.goto(f"{fan.address}/nothing/here")
    page.locator("main a").first.wait_for()
    yield "nothing"
    page.goto(f"{fan.address}/e/{BOUGHT}")
    page.locator("main button").wait_for()
    yield "event"
    page.locator("main button").click()
    page.locator(".turn button").wait_for()
    yield "turn"
    page.locator(".turn button").click()
    page.locator(".blocks").wait_for()
    yield "seats"
    page.locator("[data-section=STALLS]").click()
    for number in (2, 3):
        page.locator(".seat[aria-disabled=false]").nth(number).click()
    page.locator(".seat[aria-pressed=true]").nth(1).wait_for()
    yield "block"
    page.locator(".chosen button").click()
    page.locator("#card_number").wait_for()
    yield "held"
    fan.pays(MISTYPED)
    page.locator("#field-problem:not([hidden])").wait_for()
    yield "mistyped"
    fan.pays(DECLINED)
    page.locator("main a[href='/']").wait_for()
    yield "declined"
    page.locator("main .acts button").click()
    page.locator("#best-quantity").wait_for()
    page.locator("main section button").first.click()
    page.locator("#card_number").wait_for()
    reservation = re.search(r"rsv_\w+", page.evaluate("JSON.stringify(localStorage)"))
    assert reservation
    page.goto(f"{fan.address}/pay/{reservation[0]}")
    page.locator("form button").click()
    page.locator("[name=card_number]").wait_for()
    yield "pay"
    page.goto(f"{fan.address}/e/{BOUGHT}")
    page.locator("#card_number").wait_for()
    fan.pays(APPROVED)
    page.locator("main a[href^='/t/']").wait_for()
    yield "bought"
    page.locator("main a[href^='/t/']").click()
    page.locator(".qr").nth(1).wait_for()
    yield "tickets"
    page.goto(f"{fan.address}/orders")
    page.locator("main article button, main section button").first.wait_for()
    yield "orders"


def _queue(fan: Visitor) -> Iterator[str]:
    page = fan.page
    page.goto(f"{fan.address}/e/{QUEUED}")
    page.locator("main button").click()
    page.locator(".figures dd", has_text=re.compile(r"\d")).first.wait_for()
    yield "queue"


def _before_the_draw(fan: Visitor) -> Iterator[str]:
    page = fan.page
    page.goto(f"{fan.address}/e/{DRAWN}")
    page.locator("main button").click()
    page.locator(".notice").first.wait_for()
    yield "pool"
    page.goto(f"{fan.address}/draw/{DRAWN}")
    page.locator("main code").first.wait_for()
    yield "draw-before"


def _after_the_draw(fan: Visitor) -> Iterator[str]:
    page = fan.page
    page.goto(f"{fan.address}/draw/{DRAWN}")
    page.locator("main li").nth(2).wait_for()
    yield "draw"


def _account(fan: Visitor) -> Iterator[str]:
    page = fan.page
    page.goto(f"{fan.address}/signed-in")
    page.locator("main button").wait_for()
    yield "signed-out"
    page.locator("main button").click()
    page.get_by_role("link", name="Yes, it is me").click()
    page.locator("main button.second").wait_for()
    yield "signed-in"


def _door(fan: Visitor, platform: UpProcess) -> Iterator[str]:
    """A ticket, its copy, and one that another scanner has let in while this one had no connection."""
    page, token = fan.page, platform.token("door", "evening")
    order, other = (Order(platform, 1, BOUGHT).tickets[0] for _ in range(2))

    def scan(ticket: str) -> None:
        page.evaluate("document.querySelector('#answer').replaceChildren()")
        page.locator("#code").fill(ticket)
        page.keyboard.press("Enter")
        page.locator("#answer .verdict").wait_for()

    page.goto(f"{fan.address}/scan")
    page.locator("#token").fill(token)
    page.locator("#scanner").fill("north door")
    yield "scan-sign-in"
    page.locator("form button").click()
    page.locator(".blocks button", has_text=BOUGHT_NAME).wait_for()
    yield "scan-events"
    page.locator(".blocks button", has_text=BOUGHT_NAME).click()
    page.locator("#code").wait_for()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    for state in ("scan-enter", "scan-entered"):
        scan(order)
        yield state
    fan.context.set_offline(True)
    scan(other)
    yield "scan-offline"
    entry = {"ticket": other, "event_id": BOUGHT, "scanner_id": "south door", "scan_id": "1"}
    answer = httpx.post(
        f"{fan.address}/tacos.admission.v1.DoorService/CheckIn",
        json=entry,
        headers={"authorization": f"Bearer {token}"},
    )
    answer.raise_for_status()
    fan.context.set_offline(False)
    page.locator("main [role=alert] button").wait_for()
    page.evaluate("scrollTo(0, 0)")
    yield "scan-conflict"
    fan.messages[:] = [said for said in fan.messages if OFFLINE not in said]

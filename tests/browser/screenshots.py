"""`python -m tests.browser.screenshots FOLDER`: pictures of the pages for the docs, of an event in the examples; and
the picture that others show beside a link to a page.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.test_scan import Order, Scanner
from tests.browser.visitor import APPROVED, Visitor
from tests.e2e.process import UpProcess

THEATRE = Path(__file__).parents[2] / "examples" / "events" / "theatre.yaml"
EVENT, THEATRE_NAME = "evt_taco_theatre", "The Tortilla Prince"
PHONE = {"viewport": {"width": 390, "height": 844}}
DESKTOP = {"viewport": {"width": 1000, "height": 720}}
PREVIEW = {"viewport": {"width": 1200, "height": 630}}  # as https://ogp.me and those who show it have it
STATIC = Path(__file__).parents[2] / "src" / "traffic_tacos" / "web" / "static"
BESIDE_A_LINK = """<body style="margin: 0; height: 630px; display: flex; align-items: center; justify-content: center;
  gap: 64px; background: #fbf8f3; color: #1f1a15; font-family: sans-serif; box-sizing: border-box;
  border-bottom: 24px solid #b3400f"><div style="width: 260px">ICON</div>
  <div><div style="font-size: 96px; font-weight: 800; letter-spacing: -2px">Traffic Tacos</div>
  <div style="font-size: 40px; color: #645a50; margin-top: 16px">Tickets, first come, first served.</div></div>"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        platform = UpProcess(Path(data), "--event", str(THEATRE), "--time-scale", "10").start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            for name, size in {"phone": PHONE, "desktop": DESKTOP}.items():
                fan = Visitor(browser.new_context(locale="en-GB", **size), f"http://{platform.http}")
                _purchase(fan, folder, name)
            _door(browser, platform, folder)
            _preview(browser, STATIC / "preview.png")
        finally:
            browser.close()
            platform.ensure_stopped()


def _preview(browser: Any, file: Path) -> None:
    """In the colours of the pages, without what depends on an event: pages are the same for all of them."""
    page = browser.new_context(**PREVIEW).new_page()
    page.set_content(BESIDE_A_LINK.replace("ICON", (STATIC / "icon.svg").read_text()))
    page.screenshot(path=file)


def _purchase(fan: Visitor, folder: Path, name: str) -> None:
    def picture(state: str, ready: Any) -> None:
        ready.first.wait_for()
        fan.page.screenshot(path=folder / f"{name}-{state}.png")

    fan.page.goto(fan.address)
    picture("events", fan.page.locator(".events"))
    fan.page.goto(f"{fan.address}/e/{EVENT}")
    picture("event", fan.page.locator("dl"))
    fan.press("Join the queue")
    picture("turn", fan.page.get_by_role("button", name="Choose seats"))
    fan.press("Choose seats")
    picture("seats", fan.page.locator(".blocks"))
    fan.page.locator(".blocks button", has_text="Stalls").click()
    fan.page.locator(".seat[aria-disabled=false]").nth(2).click()
    fan.page.locator(".seat[aria-disabled=false]").nth(3).click()
    picture("block", fan.page.locator(".seat[aria-pressed=true]"))
    fan.press("Hold these seats")
    picture("held", fan.page.locator("#card_number"))
    fan.pays(APPROVED)
    fan.waits_for("The tickets are yours")
    picture("bought", fan.page.locator("h1"))


def _door(browser: Any, platform: UpProcess, folder: Path) -> None:
    """A ticket and its copy at two scanners: with a connection, and without."""

    def visit(**how: Any) -> Visitor:
        return Visitor(browser.new_context(**how), f"http://{platform.http}")

    token = platform.token("door", "evening")
    first, second = Order(platform, 1, EVENT), Order(platform, 1, EVENT)
    north, south = (
        Scanner(visit, token, name, THEATRE_NAME, **size)
        for name, size in {"north door": PHONE, "south door": DESKTOP}.items()
    )
    for state in ("enter", "entered"):
        north.scans(first.tickets[0])
        north.page.screenshot(path=folder / f"phone-scan-{state}.png")
    south.loses_the_connection()
    south.scans(second.tickets[0])
    north.scans(second.tickets[0])
    south.has_a_connection_again()
    south.page.get_by_role("heading", name="Let in twice").wait_for()
    south.says("Connected.")
    south.page.evaluate("scrollTo(0, 0)")
    south.page.screenshot(path=folder / "desktop-scan-conflict.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

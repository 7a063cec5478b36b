"""`python -m tests.browser.screenshots FOLDER`: pictures of the pages for the docs, of an event in the examples."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.visitor import APPROVED, Visitor
from tests.e2e.process import UpProcess

THEATRE = Path(__file__).parents[2] / "examples" / "events" / "theatre.yaml"
EVENT = "evt_taco_theatre"
PHONE = {"viewport": {"width": 390, "height": 844}}
DESKTOP = {"viewport": {"width": 1000, "height": 720}}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        platform = UpProcess(Path(data), "--event", str(THEATRE), "--time-scale", "10").start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            for name, size in {"phone": PHONE, "desktop": DESKTOP}.items():
                fan = Visitor(browser.new_context(locale="en-GB", **size), f"http://{platform.http}")
                _purchase(fan, folder, name)
        finally:
            browser.close()
            platform.ensure_stopped()


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


if __name__ == "__main__":
    main(Path(sys.argv[1]))

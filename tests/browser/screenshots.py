"""`python -m tests.browser.screenshots FOLDER`: pictures of all pages for the docs, of events like those in the
examples; and the picture that others show beside a link to a page.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.issuer import Issuer
from tests.browser.tour import SCREENS, Stage, tour
from tests.browser.visitor import Visitor

PREVIEW = {"viewport": {"width": 1200, "height": 630}}  # as https://ogp.me and those who show it have it
STATIC = Path(__file__).parents[2] / "src" / "traffic_tacos" / "web" / "static"
BESIDE_A_LINK = """<body style="margin: 0; height: 630px; display: flex; align-items: center; justify-content: center;
  gap: 64px; background: #fbf8f3; color: #1f1a15; font-family: sans-serif; box-sizing: border-box;
  border-bottom: 24px solid #b3400f"><div style="width: 260px">ICON</div>
  <div><div style="font-size: 96px; font-weight: 800; letter-spacing: -2px">Traffic Tacos</div>
  <div style="font-size: 40px; color: #645a50; margin-top: 16px">Tickets, first come, first served.</div></div>"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    login = Issuer()
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        stage = Stage(Path(data), login)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        fans = {
            name: Visitor(browser.new_context(locale="en-GB", viewport=size), stage.address)
            for name, size in SCREENS.items()
        }
        try:
            _pictures(tour(stage, fans), fans, folder)
            _preview(browser, STATIC / "preview.png")
        finally:
            browser.close()
            stage.stop()
            login.stop()


def _pictures(states: Iterable[tuple[str, str]], fans: dict[str, Visitor], folder: Path) -> None:
    for name, state in states:
        fans[name].page.screenshot(path=folder / f"{name}-{state}.png")


def _preview(browser: Any, file: Path) -> None:
    """In the colours of the pages, without what depends on an event: pages are the same for all of them."""
    page = browser.new_context(**PREVIEW).new_page()
    page.set_content(BESIDE_A_LINK.replace("ICON", (STATIC / "icon.svg").read_text()))
    page.screenshot(path=file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

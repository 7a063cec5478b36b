"""`python -m bench.paint`: when the pages are painted on a phone whose processor is four times slower than this one.

Chromium with a phone's screen and `Emulation.setCPUThrottlingRate`; every visit is somebody's first, with nothing
kept from before. The network is not slowed down. The house has 20,000 seats in 20 blocks.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import servers
from traffic_tacos.cli.shown import Listing

CHROMIUM = shutil.which("chromium")
# No service of the browser's maker is asked for anything, and no display is needed.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "en-GB"}
BLOCKS, ROWS, SEATS = 20, 25, 40
HOUSE, QUEUE = "evt_house", "evt_queue"
SECTIONS = "".join(
    f"  - {{id: B{block:02}, name: Block {block}, price: {30000 + block * 1000}, "
    f"rows: [{', '.join(f'{{id: R{row}, seats: {SEATS}}}' for row in range(1, ROWS + 1))}]}}\n"
    for block in range(1, BLOCKS + 1)
)
FILES = {
    HOUSE: f"id: {HOUSE}\nname: A House\ncurrency: KRW\nsections:\n{SECTIONS}",
    QUEUE: f"""
id: {QUEUE}
name: A Queue
currency: KRW
admission: {{rate_per_second: 1, active_max: 1, offer_seconds: 3600}}
sections: [{{id: PIT, name: Pit, price: 1000, standing: 1000}}]
""",
}
# The time of the last paint of something larger than all before: that of what the page is about.
LARGEST = """() => new Promise((resolve) => {
  let last = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) last = one.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => resolve(last), 1000);
})"""
FIRST = """() => performance.getEntriesByName("first-contentful-paint")[0].startTime"""
# Milliseconds from pressing a button until the frame with what it leads to is painted; and how many of them the press
# itself took. A message is read before timers are: what the page goes on with behind that frame is not counted.
PRESSED = """([name, wanted]) => new Promise((resolve) => {
  const button = [...document.querySelectorAll("main button")].find((one) => one.textContent.includes(name));
  const began = performance.now();
  let pressed = 0;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => resolve([performance.now() - began, pressed]);
  const painted = () => requestAnimationFrame(() => port2.postMessage(""));
  const watch = new MutationObserver(() => {
    if (!document.querySelector(wanted)) return;
    watch.disconnect();
    painted();
  });
  watch.observe(document.body, { childList: true, subtree: true });
  button.click();
  pressed = performance.now() - began;
})"""
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.paint")
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--slower", type=float, default=4, help="than this processor, so many times")
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("Chromium is needed: `make browser` installs it")
    from playwright.sync_api import sync_playwright

    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        http = f"127.0.0.1:{servers.free_port()}"
        arguments = ["--http", http]
        for name, text in FILES.items():
            (Path(folder) / f"{name}.yaml").write_text(text)
            arguments += ["--event", str(Path(folder) / f"{name}.yaml")]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            with servers.platform(Path(folder) / "data", *arguments):
                _visit(browser, f"http://{http}", 1, {})  # whoever is first in the queue; and everything is warm
                for turn in range(asked.visits):
                    console.print(f"visit {turn + 1} of {asked.visits} …")
                    _visit(browser, f"http://{http}", asked.slower, took)
        finally:
            browser.close()
    table = Listing("what is painted", "median ms", "least", "most")
    for what, times in took.items():
        table.add(what, *(f"{time:,.0f}" for time in (statistics.median(times), min(times), max(times))))
    table.print()


def _visit(browser: Any, address: str, slower: float, took: dict[str, list[float]]) -> None:
    def look(path: str, ready: str, then: Callable[[Any], None] | None = None) -> None:
        context = browser.new_context(**PHONE)
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        page.goto(address + path)
        page.locator(ready).first.wait_for()
        name = path.replace(HOUSE, "EVENT")
        if path != f"/e/{QUEUE}":
            took.setdefault(f"{name}, first", []).append(page.evaluate(FIRST))
            took.setdefault(f"{name}, largest", []).append(page.evaluate(LARGEST))
        if then is not None:
            then(page)
        context.close()

    def pressed(page: Any, what: str, button: str, wanted: str) -> float:
        """The milliseconds of the press itself."""
        painted, press = page.evaluate(PRESSED, [button, wanted])
        took.setdefault(what, []).append(painted)
        return float(press)

    def buy(page: Any) -> None:
        pressed(page, "joining: the turn", "Join the queue", ".turn")
        pressed(page, "choosing: the house", "Choose seats", ".blocks")
        press = pressed(page, "one block of 1,000 seats: its first rows", "Block 7", ".seat")
        took.setdefault("… of that the press: made and laid out", []).append(press)

    def queue(page: Any) -> None:
        pressed(page, "joining: the queue", "Join the queue", ".figures, .turn")
        page.reload()
        page.locator(".figures, .turn").first.wait_for()
        took.setdefault("the waiting page, first", []).append(page.evaluate(FIRST))
        took.setdefault("the waiting page, largest", []).append(page.evaluate(LARGEST))

    look("/", ".events a")
    look(f"/e/{HOUSE}", "main button", buy)
    look(f"/e/{QUEUE}", "main button", queue)


if __name__ == "__main__":
    main()

"""What a visitor does at the pages, in the order of a purchase."""

import re
from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 15_000  # milliseconds
# The pages pause for seconds between two looks at the server (`again` in lib/dom.js). Tests look at what they do then,
# and not at the pauses; how long a page waits for an answer stays as it is.
HURRY = """
const wait = setTimeout;
const isPause = () => new Error().stack.split("\\n")[3]?.includes("/lib/dom.js");
globalThis.setTimeout = (act, time, ...given) => wait(act, isPause() ? time / 10 : time, ...given);
"""
CLOCK = "const tell = Date.now; globalThis.jumped = 0; Date.now = () => tell.call(Date) + jumped;"
REFUSED = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d"
)  # the browser says so itself
APPROVED, DECLINED, MISTYPED = "4242424242424242", "4000000000000002", "4242424242424241"


class Visitor:
    """`messages` are what the browser complained of: errors of scripts, and whatever the page's policy forbids."""

    def __init__(self, context: Any, address: str) -> None:
        self.context = context
        context.add_init_script(HURRY)
        context.add_init_script(CLOCK)
        self.address = address
        self.messages: list[str] = []
        self.page = self.tab()

    def tab(self) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("console", lambda said: None if REFUSED.match(said.text) else self.messages.append(said.text))
        return page

    def jump(self, seconds: int) -> None:
        """Set the clock of the page ahead, until another one is loaded."""
        self.page.evaluate("seconds => { jumped += seconds * 1000; }", seconds)

    def waits_for(self, heading: str) -> None:
        self.page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def joins(self, event: str, button: str = "Join the queue") -> None:
        self.page.goto(f"{self.address}/e/{event}")
        self.press(button)

    def has_a_turn(self, event: str) -> None:
        self.joins(event)
        self.press("Choose seats")
        self.waits_for("Choose your seats")

    def holds_the_best(self, event: str) -> None:
        self.has_a_turn(event)
        self.press("Take the best available")
        self.waits_for("Your seats are held")

    def types_a_card(self, number: str) -> None:
        for name, value in {"card_number": number, "expiry_month": "12", "expiry_year": "2030", "cvv": "123"}.items():
            self.page.locator(f"#{name}").fill(value)

    def pays(self, number: str) -> None:
        self.types_a_card(number)
        self.page.locator("form button").first.click()

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it is now, by WCAG 2.2 A and AA."""
        if not self.page.evaluate("typeof window.axe === 'object'"):
            self.page.evaluate(AXE.read_text())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        run = "async (tags) => (await axe.run(document, {runOnly: tags})).violations"
        found = self.page.evaluate(run, tags)
        return [f"{one['id']}: {one['help']} {[node['html'][:150] for node in one['nodes'][:3]]}" for one in found]

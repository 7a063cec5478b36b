"""The proof of a draw, worked out by the browser: before the sale opens, after it, and where something is wrong."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_purchases import PHONE
from tests.e2e.process import UpProcess

EVENT, FEW = "evt_drawn", 5
OPENS_AFTER = timedelta(minutes=2)  # of a clock that jumps


@pytest.fixture(scope="module")
def platform(chromium, tmp_path_factory) -> Iterator[UpProcess]:
    """One whose event opens later."""
    folder: Path = tmp_path_factory.mktemp("drawn")
    opens = (datetime.now(UTC) + OPENS_AFTER).isoformat(timespec="seconds")
    sections = "[{id: PIT, name: Pit, price: 1000, standing: 100}]"
    (folder / "event.yaml").write_text(
        f"id: {EVENT}\nname: A Drawn Night\ncurrency: KRW\nsale_start_time: {opens}\nsections: {sections}\n"
    )
    process = UpProcess(folder / "data", "--event", str(folder / "event.yaml"))
    process.module = "tests.browser.jumping"
    yield process.start()
    process.ensure_stopped()


def exchanged(answer: dict[str, Any]) -> None:
    """Two who were drawn have each other's place."""
    first, second = answer["entries"][:2]
    first["place"], second["place"] = second["place"], first["place"]


def left_out(answer: dict[str, Any]) -> None:
    """Whoever joined last was never there."""
    answer["entries"].pop()


def another_seed(answer: dict[str, Any]) -> None:
    """The seed is one that was found later."""
    answer["draw"]["seed"] = base64.b64encode(b"x" * 32).decode()


def another_commitment(answer: dict[str, Any]) -> None:
    """What was committed to is not what was shown before."""
    answer["draw"]["seedSha256"] = base64.b64encode(b"x" * 32).decode()


WRONG = [
    ("ListDrawEntries", exchanged, [True, True, True, False]),
    ("ListDrawEntries", left_out, [True, True, False, True]),
    ("GetDraw", another_seed, [True, False, True, False]),
    ("GetDraw", another_commitment, [False, False, True, True]),
]


def test_a_draw_is_worked_out_anew_and_whatever_is_wrong_with_it_is_said(visit, platform, jump):
    fan = visit(locale="en-GB", **PHONE)
    fan.page.goto(f"{fan.address}/e/{EVENT}")
    fan.page.get_by_role("link", name="How places are drawn").click()
    fan.page.get_by_text("The sale opens:").wait_for()
    commitment = fan.page.locator("code").inner_text()
    assert len(bytes.fromhex(commitment)) == 32
    wrong = {"before": fan.violations()}
    fan.joins(EVENT)
    fan.page.get_by_text("Everybody who joins before").first.wait_for()
    for number in range(FEW - 1):
        joined = fan.page.request.post(
            f"{fan.address}/gateway.v1.QueueService/JoinQueue",
            data={"eventId": EVENT, "sessionId": f"other-{number}"},
        )
        assert joined.ok, joined.text()
    fan.page.goto(f"{fan.address}/draw/{EVENT}")  # waiting pages would go on with the queue
    while not drawn(fan):
        jump(fan)
        time.sleep(0.2)

    def looks(heading: str) -> list[bool]:
        """What the page finds of each thing that it checks."""
        fan.page.goto(f"{fan.address}/draw/{EVENT}")
        fan.page.get_by_text(heading).first.wait_for()
        return ["✓" in line for line in fan.page.locator("main li").all_inner_texts()]

    assert looks("Everything is as it was drawn") == [True] * 4
    told = fan.page.locator("main").inner_text()
    place = place_of_the_first(fan)
    assert f"You joined as number 1, and were drawn to place {place}." in told
    assert commitment in told
    wrong["after"] = fan.violations()

    for rpc, spoil, expected in WRONG:
        url = f"**/tacos.waiting_room.v1.DrawService/{rpc}"

        def spoilt(route, _request, spoil=spoil):
            answer = route.fetch()
            told = answer.json()
            spoil(told)
            route.fulfill(response=answer, body=json.dumps(told))

        fan.page.route(url, spoilt)
        assert looks("Something is wrong with this draw") == expected, spoil.__doc__
        fan.page.unroute(url)
    wrong["wrong"] = fan.violations()
    assert {state: found for state, found in wrong.items() if found} == {}

    korean = visit(locale="ko-KR", **PHONE)
    korean.page.goto(f"{korean.address}/draw/{EVENT}")
    korean.page.get_by_text("모두 추첨된 그대로입니다").first.wait_for()
    assert korean.page.locator("main li").count() == 3  # it did not look before the draw, and says so
    korean.page.get_by_text("이 기기는 추첨 전에 이 페이지를 열지 않았습니다").wait_for()
    assert korean.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def drawn(fan) -> bool:
    line = fan.page.request.get(f"{fan.address}/web/queue/{EVENT}").json()
    return line["draw"] is not None and line["draw"]["state"] == "drawn"


def place_of_the_first(fan) -> int:
    """As the platform says it."""
    url = f"{fan.address}/tacos.waiting_room.v1.DrawService/ListDrawEntries"
    entries = fan.page.request.post(url, data={"eventId": EVENT}).json()["entries"]
    assert len(entries) == FEW
    return next(one["place"] for one in entries if one["number"] == 1)


@pytest.mark.parametrize("length", [0, 3, 55, 56, 63, 64, 119, 120, 1000])
def test_the_digests_of_the_pages_are_those_of_everybody(visit, length):
    message = bytes(index * 7 % 256 for index in range(length))
    fan = visit()
    fan.page.goto(fan.address)
    style = fan.page.locator("link[rel=stylesheet]").get_attribute("href")
    module = style.replace("style.css", "lib/sha256.js")
    run = """async ([module, message]) => {
      const { sha256, hmac } = await import(module);
      return [sha256, (text) => hmac(text, text)].map((one) => [...one(new Uint8Array(message))]);
    }"""
    found = [bytes(one) for one in fan.page.evaluate(run, [module, list(message)])]
    assert found == [hashlib.sha256(message).digest(), hmac.digest(message, message, "sha256")]

"""Somebody who waits, while the queue is paused and the platform is killed and comes back."""

import pytest

from tests.browser.visitor import Visitor
from tests.e2e.process import UpProcess
from traffic_tacos.calls.keys import WATCHED_EVERY_SECONDS

EVENT = "evt_slow"
FILE = """
id: EVENT
name: A Slow Evening
currency: EUR
admission: {rate_per_second: 1, active_max: 1, idle_seconds: IDLE}
sections: [{id: MAIN, name: Main, price: 1000, rows: [{id: A, seats: 20}]}]
"""
IMPATIENT, IDLE_SECONDS = "evt_impatient", 3


@pytest.fixture
def platform(chromium, tmp_path):
    files: list[str] = []
    for event, idle in ((EVENT, 3600), (IMPATIENT, IDLE_SECONDS)):
        (tmp_path / f"{event}.yaml").write_text(FILE.replace("EVENT", event).replace("IDLE", str(idle)))
        files += ["--event", str(tmp_path / f"{event}.yaml")]
    process = UpProcess(tmp_path / "data", *files, "--time-scale", "10").start()
    yield process
    process.ensure_stopped()


def place(fan: Visitor) -> str:
    return fan.page.locator(".figures dd").first.inner_text()


def test_whoever_waits_keeps_the_place_through_a_pause_a_kill_and_a_reload(visit, platform):
    fan, first = visit(locale="en-GB"), visit(locale="en-GB")
    first.has_a_turn(EVENT)
    for number in range(4):
        joined = {"eventId": EVENT, "sessionId": f"other-{number}"}
        assert fan.page.request.post(f"{fan.address}/gateway.v1.QueueService/JoinQueue", data=joined).ok
    fan.joins(EVENT)
    fan.page.locator(".figures dd", has_text="5").first.wait_for()
    assert fan.page.title().startswith("Place 5")
    asked = f"events/{EVENT}/admission.message", "The doors open at eight"
    assert platform.tacos("admin", "set", *asked, "--reason", "a storm", *where(platform)).returncode == 0
    fan.page.get_by_text("The doors open at eight").wait_for()
    stop = ("admin", "emergency", "stop-admissions", "--reason", "fire", "--yes", *where(platform))
    assert platform.tacos(*stop).returncode == 0
    fan.page.get_by_text("The queue is paused for a moment. Everybody keeps their place.").wait_for()
    assert fan.violations() == []

    platform.kill()
    fan.page.get_by_text("No connection right now. You keep your place").wait_for()
    assert (place(fan), fan.violations()) == ("5", [])
    platform.start()
    fan.page.get_by_text("The queue is paused for a moment").wait_for()
    fan.page.reload()
    fan.page.locator(".figures dd", has_text="5").first.wait_for()
    tab = fan.tab()
    tab.goto(f"{fan.address}/e/{EVENT}")
    tab.locator(".figures dd", has_text="5").first.wait_for()
    fan.messages[:] = [said for said in fan.messages if "net::ERR" not in said]
    first.messages.clear()


def test_a_turn_is_taken_when_the_platform_is_there_again(visit, platform):
    fan = visit(locale="en-GB")
    fan.joins(EVENT)
    fan.page.get_by_role("button", name="Choose seats").wait_for()
    platform.kill()
    fan.press("Choose seats")
    fan.page.get_by_text("There is no connection").first.wait_for()
    platform.start()
    fan.press("Choose seats")
    fan.waits_for("Choose your seats")
    fan.messages[:] = [said for said in fan.messages if "net::ERR" not in said]


def test_a_place_that_ends_without_a_sign_of_life_is_kept_by_an_open_page(visit, platform):
    fan, first = visit(locale="en-GB"), visit(locale="en-GB")
    first.has_a_turn(IMPATIENT)
    fan.joins(IMPATIENT)
    fan.page.locator(".figures dd", has_text="1").first.wait_for()
    asked = []
    fan.page.on("request", lambda one: asked.append(one.url) if "GetQueueStatus" in one.url else None)
    fan.page.wait_for_timeout(2000 * IDLE_SECONDS)
    assert place(fan) == "1"
    assert len(asked) >= 2 * IDLE_SECONDS - 2


def test_while_the_platform_is_away_a_page_says_what_can_be_done_and_when_it_is_back_nothing_of_that(visit, platform):
    looking, pressing = visit(locale="en-GB"), visit(locale="en-GB")
    pressing.has_a_turn(EVENT)
    looking.has_a_turn(IMPATIENT)
    platform.kill()
    pressing.press("Take the best available")
    pressing.page.get_by_text("There was no answer. Please try again: nothing is done twice.").wait_for()
    looking.page.get_by_text("There is no connection to the ticket shop right now").wait_for()
    platform.start()
    looking.page.get_by_text("There is no connection to the ticket shop right now").wait_for(state="detached")
    assert looking.page.locator("[role=alert]").inner_text() == ""
    pressing.press("Take the best available")
    pressing.waits_for("Your seats are held")
    for fan in (looking, pressing):
        fan.messages[:] = [said for said in fan.messages if "net::ERR" not in said]


def test_whoever_chooses_seats_while_all_tokens_are_revoked_has_their_turn_still(visit, platform):
    fan = visit(locale="en-GB")
    fan.has_a_turn(EVENT)
    rotated = platform.tacos("keys", "rotate", "--revoke", "--reason", "stolen", "--data", str(platform.data))
    assert rotated.returncode == 0
    fan.page.wait_for_timeout(1000 * WATCHED_EVERY_SECONDS + 500)
    fan.press("Take the best available")
    fan.waits_for("It is your turn")
    fan.press("Choose seats")
    fan.waits_for("Choose your seats")
    fan.press("Take the best available")
    fan.waits_for("Your seats are held")


def where(platform: UpProcess) -> tuple[str, ...]:
    return "--data", str(platform.data), "--grpc", platform.grpc

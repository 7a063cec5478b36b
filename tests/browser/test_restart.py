"""A platform that is killed and comes back, behind the back of somebody who waits."""

from pathlib import Path

from tests.browser.visitor import Visitor
from tests.e2e.process import UpProcess

HALL = Path(__file__).parent / "hall.yaml"


def test_whoever_is_in_the_queue_keeps_the_place_when_the_platform_is_killed(chromium, tmp_path):
    platform = UpProcess(tmp_path, "--event", str(HALL), "--time-scale", "10").start()
    context = chromium.new_context(locale="en-GB")
    try:
        fan = Visitor(context, f"http://{platform.http}")
        fan.joins("evt_hall")
        fan.page.get_by_role("button", name="Choose seats").wait_for()
        platform.kill()
        fan.press("Choose seats")
        fan.page.get_by_text("There is no connection").first.wait_for()
        platform.start()
        fan.press("Choose seats")
        fan.waits_for("Choose your seats")
    finally:
        context.close()
        platform.ensure_stopped()

"""Every page in every state: accessible, complete in both languages, and no wider than the screen; and the pictures of
them in the docs.
"""

import re
from pathlib import Path

import pytest

from tests.browser.tour import BOUGHT, SCREENS, Stage, tour

DOCS = Path(__file__).parents[2] / "docs"
# 1280 pixels at 400 % are 320 (WCAG 2.2, 1.4.10).
LOOKS = {
    "a phone in Korean and in the dark": {
        "locale": "ko-KR", "color_scheme": "dark", "viewport": {"width": 320, "height": 640}, "is_mobile": True
    },
    "a desktop in English": {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}},
}  # fmt: skip
PICTURED = {file.stem for file in (DOCS / "pages").glob("*.png")}


@pytest.fixture(scope="module")
def stage(chromium, login, tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("tour"), login)
    yield stage
    stage.stop()


@pytest.fixture
def platform(stage):
    return stage.platform


def test_every_page_in_every_state_is_accessible_and_pictured_in_the_docs(visit, stage, issuer):
    fans = {name: visit(**look) for name, look in LOOKS.items()}
    wrong, seen = [], set()
    for name, state in tour(stage, fans):
        fan = fans[name]
        seen.add(state)
        wrong += [f"{state} on {name}: {found}" for found in fan.violations()]
        if not fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wrong.append(f"{state} on {name}: is wider than the screen")
    assert wrong == []
    assert {f"{screen}-{state}" for screen in SCREENS for state in seen} == PICTURED, "`make screenshots` takes them"


def test_no_seat_moves_while_other_rows_come(visit, stage):
    fan = visit(**LOOKS["a phone in Korean and in the dark"])
    fan.context.add_init_script("globalThis.put_off = []; globalThis.requestIdleCallback = (act) => put_off.push(act);")
    fan.joins(BOUGHT, "대기열에 들어가기")
    fan.press("좌석 고르기")
    fan.page.locator("[data-section=STALLS]").click()
    fan.page.evaluate("new Promise(requestAnimationFrame)")
    seats, counts, where = fan.page.locator(".seat"), [], []
    while seats.count() not in counts:
        counts.append(seats.count())
        where.append(seats.first.bounding_box())
        fan.page.evaluate("put_off.splice(0).forEach((act) => act())")
    assert len(counts) > 3
    assert where == where[:1] * len(where)


def test_the_docs_show_every_picture():
    shown = re.findall(r"\]\(pages/([\w-]+)\.png\)", (DOCS / "pages.md").read_text())
    assert sorted(shown) == sorted(PICTURED)

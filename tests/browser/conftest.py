"""A platform with events to buy, and a browser that looks at its pages as people do."""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.issuer import Issuer
from tests.browser.jumping import JUMP_SECONDS
from tests.browser.visitor import AXE, Visitor
from tests.e2e.process import UpProcess

EVENTS = sorted(Path(__file__).parent.glob("*.yaml"))
CHROMIUM = shutil.which("chromium")
WITHOUT = "make browser"
DOCS = "https://docs.example/"
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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Closed behind each module: Playwright keeps an event loop running, beside which no other test can have one."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"Playwright is not here: `{WITHOUT}` installs it")
    if CHROMIUM is None:
        pytest.skip(f"there is no Chromium here: `{WITHOUT}` installs it")
    if not AXE.exists():
        pytest.skip(f"axe-core is not here: `{WITHOUT}` installs it, where Node is")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def platform(chromium, tmp_path_factory) -> Iterator[UpProcess]:
    """One for all tests of a module: each buys from an event of its own, or leaves enough for the others."""
    files = [argument for event in EVENTS for argument in ("--event", str(event))]
    process = UpProcess(tmp_path_factory.mktemp("browser"), *files, "--time-scale", "100", "--docs-url", DOCS)
    process.module = "tests.browser.jumping"
    yield process.start()
    process.ensure_stopped()


@pytest.fixture
def jump(platform) -> Callable[[Visitor], None]:
    """Some seconds pass at once, for the platform and for a visitor."""

    def jump(visitor: Visitor) -> None:
        platform.signal(signal.SIGUSR1)
        visitor.jump(JUMP_SECONDS)

    return jump


@pytest.fixture
def visit(chromium, platform) -> Iterator[Callable[..., Visitor]]:
    """Somebody with a browser of their own; at the end nothing may have complained in it."""
    visitors: list[Visitor] = []

    def visit(**browser: Any) -> Visitor:
        visitor = Visitor(chromium.new_context(**browser), f"http://{platform.http}")
        visitors.append(visitor)
        return visitor

    yield visit
    for visitor in visitors:
        visitor.context.close()
    assert [message for visitor in visitors for message in visitor.messages] == []


@pytest.fixture(scope="module")
def login() -> Iterator[Issuer]:
    """Where people sign in, for a platform that knows it."""
    issuer = Issuer()
    yield issuer
    issuer.stop()


@pytest.fixture
def issuer(login: Issuer) -> Issuer:
    """The same as at first."""
    login.grants.clear()
    login.lifetime, login.renews = 3600, True
    return login

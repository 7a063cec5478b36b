"""The pages: static files, read and compressed once when the platform starts.

All that a page loads stands under `/assets/DIGEST/`, where DIGEST is that of all these files together: so each of them
may be kept for ever, modules import each other by plain relative paths, and a new version is a new folder. The pages
themselves differ in their titles and scripts alone; they name that folder, and are asked for each time. Those of one
event are called by its name, so that a link to it says what it leads to wherever links are shown. Where nothing is, a
page says so, which needs no script.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from traffic_tacos.kernel.addresses import origin
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.transport.bodies import HEADERS
from traffic_tacos.transport.http import ALONE, Answer, Pages
from traffic_tacos.transport.pay_words import Words, words
from traffic_tacos.web.bodies import ASKED_EACH_TIME, FOR_EVER, Body, answered, body

STATIC = files("traffic_tacos.web") / "static"
KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".html": "text/html",
}


class Page(NamedTuple):
    """What a page is called until its script says more; and that script. `of_event` is its title once the event's name
    is known, which stands in it as `@name`. `header` is a file: who it is for, and where else they go.
    """

    title: str
    description: str
    script: str
    of_event: str = ""
    header: str = "header-fan.html"


class Headline(NamedTuple):
    """What an event is called, and where and when it is."""

    name: str
    says: str


# Of an event by its id. None: nobody can say just now. A Refusal where there is no such event.
Headlines = Callable[[Request, str], Awaitable[Headline | None]]


PAGES = {
    "/": Page("Traffic Tacos", "Tickets, first come, first served.", "fan/events.js"),
    "/e/{event_id}": Page("Tickets", "Seats for one event: join its queue, choose, pay.", "fan/event.js", "@name"),
    "/draw/{event_id}": Page(
        "The draw", "How places were drawn, worked out anew by your browser.", "fan/draw.js", "The draw: @name"
    ),
    "/orders": Page("My orders", "What was bought on this device.", "fan/orders.js"),
    "/t/{reservation_id}": Page("Tickets", "One for each seat, to show at the door.", "fan/tickets.js"),
    "/signed-in": Page("Your account", "Signing in with an account.", "account/signed-in.js"),
    "/scan": Page("Check tickets", "For the staff at the door.", "scan/scan.js", header="header-door.html"),
}
TEMPLATE = "page.html"
SCRIPTED, NOTHING = "scripted.html", "nothing.html"  # what stands in it as `@main`
HTML = ".html"  # ends the names of parts of pages, which are not served by themselves
NO_ADDRESS, NO_EVENT = "no_such_address", "no_such_event"  # what there is not, as the words have it
HEADER, MAIN = "@header", "@main"
FOLDER = "@assets"  # stands in a file for the folder of all that it loads
NAMED_MAX = 1000  # pages of events that are kept ready
# Shown beside a link to a page. Its address is the same in every version, for links are older than versions.
PREVIEW, PREVIEW_ADDRESS = "preview.png", "/preview.png"
DIGEST_BYTES = 8
# The scanner's page opens without a connection: a service worker keeps what stands in these folders, and these files.
WORKER = "scan/worker.js"
WORKER_ADDRESS = "/scan-worker.js"  # not below /assets/: a worker is for pages below its own folder
KEPT_BY_WORKER = ("scan/", "lib/", "i18n/", "style.css", "icon.svg")
PATHS = "@paths"  # stands in the worker for what it keeps
_RULES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
)
POLICY = {"content-security-policy": f"{_RULES}'none'", **ALONE}
# Where a worker may come from is said in so many words, and for this page alone. Its address has to be of a trusted
# type, so there is one policy that makes such values: `offline.js` makes it once, and it knows no other address.
SCAN_POLICY = {"content-security-policy": f"{_RULES}scan-worker; worker-src 'self'", **ALONE}
ROBOTS = """User-agent: *
Allow: /$
Allow: /e/
Allow: /draw/
Allow: /assets/
Allow: /preview.png
Disallow: /
"""


class Assets(NamedTuple):
    """`digest` is that of all `files` together; these are by their paths, `pages` by their addresses. The `worker`
    keeps the scanner's page. `made` makes a page under another title and description; `nothing` makes one that says
    what there is not, in a language.
    """

    digest: str
    files: Mapping[str, Body]
    pages: Mapping[str, Body]
    worker: Body
    made: Callable[[Page], Body]
    nothing: Callable[[str, str], bytes]

    def named(self, address: str, headline: Headline) -> Body:
        """The page of an event at this address."""
        page = PAGES[address]
        title = page.of_event.replace("@name", headline.name)
        return self.made(page._replace(title=title, description=headline.says))


def read(root: Traversable = STATIC, base_url: str = "") -> Assets:
    """The files as they are served by the HTTP server of this address."""
    found = dict(sorted(_walk(root, "")))
    worker = found.pop(WORKER, b"").decode()
    parts = {path: found.pop(path).decode() for path in [*found] if path.endswith(HTML)}
    digest = blake2b(digest_size=DIGEST_BYTES)
    for path, content in found.items():
        digest.update(f"{path} {len(content)} ".encode() + content)
    named = digest.hexdigest()
    folder = f"/assets/{named}"
    kept = " ".join(path for path in found if path.startswith(KEPT_BY_WORKER))

    @lru_cache(NAMED_MAX)
    def made(page: Page) -> Body:
        return body(_page(_put_together(parts, page, SCRIPTED), page, folder, base_url), KINDS[HTML])

    @cache
    def made_of_nothing(what: str, language: str) -> bytes:
        t = Words(language)
        page = Page(t(what), t(f"{what}_says"), "fan/nothing.js")
        said = _put_together(parts, page, NOTHING).replace(NO_ADDRESS, what)
        return _page(_said(said, t), page, folder, base_url)

    return Assets(
        named,
        {path: body(content, _kind(path)) for path, content in found.items()},
        {address: made(page) for address, page in PAGES.items()},
        body(worker.replace(FOLDER, folder).replace(PATHS, kept).encode(), KINDS[".js"]),
        made,
        made_of_nothing,
    )


def _put_together(parts: Mapping[str, str], page: Page, main: str) -> str:
    return parts[TEMPLATE].replace(HEADER, parts.get(page.header, "")).replace(MAIN, parts.get(main, ""))


def _page(template: str, page: Page, folder: str, base_url: str) -> bytes:
    """All at once, so that a name which looks like a place for another value stays what it is. `@base_url` is the
    address of the HTTP server, for those who take no other than whole addresses.
    """
    values = {**page._asdict(), "assets": folder, "base_url": base_url}
    return re.sub(
        r"@(assets|base_url|title|description|script)\b", lambda found: escape(values[found[1]]), template
    ).encode()


def _said(template: str, t: Words) -> str:
    """In the words of a language, each in the element that asks for it, as `speak` in lib/words.js puts them there."""
    said = template.replace('<html lang="en">', f'<html lang="{t.language}">')
    return re.sub(r'(data-t="(\w+)">)[^<]*', lambda found: found[1] + escape(t(found[2])), said)


def answers(token_endpoint: Callable[[], str], base_url: str, headlines: Headlines) -> Pages:
    """The pages and what they load. `base_url` is the address of the HTTP server as others know it.
    The token endpoint is where pages may fetch tokens; it is "" while there is no issuer, or it is not known yet.
    """
    assets = _read_once(base_url=base_url)
    icon, preview = assets.files["icon.svg"], assets.files[PREVIEW]

    def page(address: str) -> Answer:
        async def answer(request: Request) -> Response:
            known = None
            try:
                if PAGES[address].of_event:
                    known = await headlines(request, request.path_params["event_id"])
            except Refusal:
                return nothing(request, NO_EVENT)
            made = assets.pages[address] if known is None else assets.named(address, known)
            return answered(request, made, ASKED_EACH_TIME, policy(address, token_endpoint()))

        return answer

    def nothing(request: Request, what: str = NO_ADDRESS) -> Response:
        """What there is not, in a page of its own. No cache keeps it: it may be there tomorrow."""
        language = words("", request.headers.get("accept-language", "")).language
        return HTMLResponse(assets.nothing(what, language), 404, headers={**HEADERS, **POLICY})

    async def robots(_: Request) -> Response:
        return PlainTextResponse(ROBOTS, headers={"cache-control": "public, max-age=86400"})

    found: dict[str, Mapping[str, Answer]] = {
        **{address: {"GET": page(address)} for address in assets.pages},
        WORKER_ADDRESS: {"GET": _kept(assets.worker, ASKED_EACH_TIME, POLICY)},
        "/assets/{digest}/{path:path}": {"GET": _asset(assets)},
        "/favicon.ico": {"GET": _kept(icon, "public, max-age=86400")},
        PREVIEW_ADDRESS: {"GET": _kept(preview, "public, max-age=86400")},
        "/robots.txt": {"GET": robots},
    }
    return Pages(found, nothing)


_read_once = cache(read)


def _asset(assets: Assets) -> Answer:
    """One route for all of them: routes are tried in turn, and those of calls come behind these."""

    async def answer(request: Request) -> Response:
        one = assets.files.get(request.path_params["path"])
        if one is None or request.path_params["digest"] != assets.digest:
            return PlainTextResponse("This file is of another version: load the page again.\n", 404, headers=HEADERS)
        return answered(request, one, FOR_EVER)

    return answer


def policy(address: str, token_endpoint: str) -> Mapping[str, str]:
    """What the page at an address may do. Those of fans may also ask the issuer's server for tokens."""
    if address == "/scan":
        return SCAN_POLICY
    if not token_endpoint:
        return POLICY
    rules = POLICY["content-security-policy"].replace(
        "connect-src 'self'", f"connect-src 'self' {origin(token_endpoint)}"
    )
    return {**POLICY, "content-security-policy": rules}


def _kept(one: Body, kept: str, also: Mapping[str, str] = {}) -> Answer:
    async def answer(request: Request) -> Response:
        return answered(request, one, kept, also)

    return answer


def _walk(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _walk(one, f"{path}{one.name}/")
        elif any(one.name.endswith(suffix) for suffix in KINDS):
            found.append((path + one.name, one.read_bytes()))
    return found


def _kind(path: str) -> str:
    return KINDS[path[path.rindex(".") :]]

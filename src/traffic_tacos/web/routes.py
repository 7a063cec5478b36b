"""What the pages stand on: the events, their seats and their queues, as JSON that a cache may keep.

Each GET is one call of `tacos.web.v1` (proto/tacos/web/v1/), made in the name of nobody in particular. Every answer has
an ETag; with `If-None-Match` an unchanged one is a 304 without a body. What has `now`, the server's time, changes with
it: so no cache that asks again leaves a page with an old time. Bodies are compressed with gzip for whoever accepts it.
Times are ISO 8601 texts: those of an event have the offset of the clocks at the event (`2027-03-01T20:00:00+09:00`),
all others are UTC with milliseconds (`2026-11-25T12:00:00.123Z`); null where there is none. Prices are whole numbers of
minor units (`decimals` says how many digits stand behind the point: 0 for KRW, 2 for EUR). Ids in paths are
percent-encoded. A name that is not listed here is never there; every listed one always is.

What is refused is `{"error": {"code": "NOT_FOUND", "message": "event_id: …", "trace_id": "…", "details": [{"field",
"reason", "value"}]}}`, with the HTTP status of its code (400, 404, 429, 503) and never kept by a cache.

`GET /web/events` (max-age=2): the events by id, 100 a page; `?cursor=` is the `next` of the page before, "" at the end.

    {"now": time, "next": "", "events": [EVENT, …]}

    EVENT = {"id", "name", "description",
      "venue": {"name", "street", "city", "state", "postal_code", "country"},      "" where nobody said
      "starts_at", "ends_at": of the event itself,  "opens_at", "closes_at": of its sale, as it is now
      "utc_offset_minutes": 540 or null,       of the clocks at the event; null: nobody said, and times are UTC
      "sale": "before" | "open" | "sold_out" | "over",    sold_out: nothing is free or can come back from a hold
      "currency": "KRW", "decimals": 0, "price_min", "price_max",
      "seats", "free", "accessible_free",      seats in all, free for anybody, free for who needs them
      "max_per_order", "max_per_person": 0 for as many as one likes,  "hold_seconds",
      "refunds": {"hours_before", "percent"},  percent 0: tickets are not taken back
      "guests": true,                          who has no account may buy: GuestService/Become
      "revision": "3f9a…"}                     of its plan

`GET /web/events/EVENT` (max-age=2): `{"now": time, "event": EVENT}`, whose event has two names more: `"section_names":
{"STALLS": "Stalls", …}` are what people call sections whose seats say something else of them, by that; `"standing":
["FLOOR"]` are the sections, as their seats say them, in which people stand: their rows and numbers are for programs.

`GET /web/plan/EVENT/REVISION` (immutable, a year): the seats and where they are. Any other revision than the one in
force is NOT_FOUND: ask `/web/events/EVENT` or `/web/seats/EVENT` which that is. Coordinates are whole numbers, y
downwards as in SVG; neighbours are about 10 apart, and the drawing begins near 0,0.

    {"event_id", "revision", "currency", "decimals", "width", "height",
     "drawn": false,                 whether the positions are the file's own; else they are laid out from the rows
     "stage": [x, y] or null,        what the seats look at
     "sections": [{"id", "name", "label",     label: what stands on a ticket, "" where that is its id
       "standing": false,            places without rows or numbers that matter: rows are blocks of at most 100
       "price_min", "price_max", "seats",
       "outline": [x, y, x, y, …],   a polygon round it, closed by its first point
       "rows": [{"id", "label",      label: "" where people call it by its id
         "first": 120,               index of its first seat among all seats of the event: the bit in /web/seats
         "seats": 20,
         "ids": "MAIN-A-" or ["…"],  a text to which the seat's number is added, or each seat's own id
         "numbers": 1 or ["1", …],   the first of numbers that go up by one, or each seat's own
         "price": 50000 or [ … ],    of all, or each seat's own
         "at": [x, y, dx, dy, …],    the first seat, then steps to the next: with one step, it is that of all. A row
                                     of one seat has two numbers; a standing block has its middle, and no steps
         "aisles": [6],              after so many seats the row is cut
         "accessible": [0, 1]        places in the row (from 0) of seats kept for who needs them: sold by their id only
       }]}]}

`GET /web/seats/EVENT` (max-age=2): which seats can be had now by their id.

    {"event_id", "revision", "now": time, "seats": 12500,
     "free": "base64",     seat i of the plan is bit i % 8 (1 << i % 8) of byte i // 8; set: it is free
     "free_count": 9000,   seats that anybody may be given
     "accessible_free": 12}

`GET /web/queue/EVENT` (max-age=2): all that a browser needs to reckon its own place in the queue.

    {"event_id", "now": time, "opens_at", "ends_at": of the sale, in UTC, "phase": "before" | "open" | "over",
     "state": "" | "paused" | "maintenance" | "sold_out" | "sale_over",   why nobody is let in; "" when somebody may be
     "message": "",                   the same as a sentence
     "operator_message": "",          what the operators say to all who wait; "" for nothing
     "paused": false, "sold_out": false, "sold_for_good": false, "closed": false,      closed: nobody new may join
     "all_held": false,               no seat is free, but some are held by who has not paid yet, and may come back
     "joined": 1200,                  the last number that was given
     "waiting": 900,                  who waits, or whose turn it is
     "admitted": 210,                 who is choosing and paying now
     "cursor": 301,                   ranks below it have had a turn: ask GetQueueStatus now
     "moving_per_second": 12.5,       how fast places fall, as waiting times are reckoned
     "rate_per_second": 1000,         the limit
     "ended": {"from": 257, "before": 250, "step": 256, "counts": [6, 0, 2]},
     "draw": null or {"state": "pool" | "drawn", "size": 500, "seed_sha256": hex, "seed": hex or "", "pool_digest": hex
             or ""}}

A ticket's *number* is in its waiting token: hex digits 32 to 43 (from 0), big-endian. Its *rank* is its number; but of
the first `draw.size` numbers it is what the draw gave them: `place` of DrawService/ListDrawEntries with `after_number`
= number - 1 and `page_size` = 1, asked once (while `draw.state` is "pool" nobody has a rank). For a rank from
`ended.from` on, its place is at most

    rank - before - sum(counts[0 : floor((rank - from) / step)])

which is exact but for at most `step` - 1 tickets that have ended just before it. It never rises between two answers;
show the least of what was reckoned and what GetQueueStatus said. Its time is place / moving_per_second, after opens_at.

`GET /web/config.json` (max-age=60): `{"version", "guests": true, "languages": ["en", "ko"], "currencies": {"KRW": 0,
"EUR": 2, …}, "test_cards": [["4111…", "approved"], …], "docs": "", "issuer": null or {"url", "client_id", "audience",
"scope", "authorization_endpoint", "token_endpoint", "end_session_endpoint": "" where there is none}}`. `guests` is what
events that say nothing of it do; `currencies` are all there are, with their decimals; `docs` is the address of the
documentation, "" where the operator has named none; an issuer that has not been reached yet has "" as its endpoints.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from traffic_tacos import wire
from traffic_tacos.kernel.cards import TEST_CARDS
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.money import DECIMALS
from traffic_tacos.transport.bodies import peer_of
from traffic_tacos.transport.http import Answer, Behind, Pages, refused
from traffic_tacos.web import assets, shown
from traffic_tacos.web.assets import Headline
from traffic_tacos.web.bodies import BRIEFLY, FOR_EVER, Body, answered, json_body

BODIES_KEPT_MAX = 20  # of those that never change
HEADLINE_KEPT = 2 * SECOND
LANGUAGES = ("en", "ko")
NO_SUCH = (Code.NOT_FOUND, Code.INVALID_ARGUMENT)  # the answers to an id that no event has or can have


class Read(NamedTuple):
    """A GET: its path, whose fields in braces are those of the request; the RPC; the answer as JSON; for how long it is
    kept, and what fields may stand in the query.
    """

    path: str
    rpc: str
    shown: Callable[[Any], object]
    kept: str = BRIEFLY
    query: tuple[str, ...] = ()


def answers(platform: Behind) -> Pages:
    """What is answered to browsers: the pages, and under /web/ what they stand on."""
    reads: dict[str, Mapping[str, Answer]] = {read.path: {"GET": _Reader(platform, read).answer} for read in READS}

    async def config(request: Request) -> Response:
        return answered(request, json_body(_config(platform)), "public, max-age=60")

    def token_endpoint() -> str:
        found = platform.sign_in
        return "" if found is None else found.token_endpoint

    pages = assets.answers(token_endpoint, platform.config.base_url, _Headlines(platform).of)
    return pages._replace(answers={**reads, "/web/config.json": {"GET": config}, **pages.answers})


def _config(platform: Behind) -> object:
    known, found = platform.config, platform.sign_in
    issuer = None
    if found is not None:
        issuer = {
            "url": known.issuer,
            "client_id": known.issuer_client_id,
            "audience": known.issuer_audience,
            "scope": known.issuer_scope,
            **msgspec.structs.asdict(found),
        }
    return {
        "version": platform.health.version,
        "guests": found is None,
        "languages": LANGUAGES,
        "currencies": DECIMALS,
        "test_cards": [(number, reason.value) for number, reason in TEST_CARDS.items()],
        "docs": known.docs_url,
        "issuer": issuer,
    }


class _Asked(NamedTuple):
    """Asks `tacos.web.v1` for one browser, in the name of nobody in particular."""

    platform: Behind
    request: Request

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.request.headers.items() if name != "authorization"]

    async def answer(self, rpc: str, fields: Mapping[str, str]) -> Any:
        """The response of that RPC. A Refusal, with its trace id, when it is refused."""
        calls, headers = self.platform.calls, self.headers
        try:
            method = calls.methods.get(f"/tacos.web.v1.{rpc}")
            if method is None:
                raise Refusal(Code.NOT_FOUND, f"{rpc} is not served here")
            message = method.request(**fields)
            call = calls.call(method, message, headers, peer_of(self.request))
        except Refusal as error:
            error.trace_id = error.trace_id or calls.trace_id(headers)
            raise
        response = await calls.answer(method, message, call)
        if response.HasField("error"):
            refusal = wire.refusal(response.error)
            refusal.trace_id = call.trace_id
            raise refusal
        return response


class _Reader:
    def __init__(self, platform: Behind, read: Read) -> None:
        self._platform = platform
        self._read = read
        self._bodies: dict[str, Body] = {}

    async def answer(self, request: Request) -> Response:
        read = self._read
        in_query = {name: request.query_params[name] for name in read.query if name in request.query_params}
        try:
            response = await _Asked(self._platform, request).answer(read.rpc, {**request.path_params, **in_query})
        except Refusal as refusal:
            return refused(refusal, refusal.trace_id)
        return answered(request, self._body(request.url.path, response), read.kept)

    def _body(self, path: str, response: Message) -> Body:
        """What never changes is made once."""
        if self._read.kept is not FOR_EVER:
            return json_body(self._read.shown(response))
        if path not in self._bodies:
            if len(self._bodies) >= BODIES_KEPT_MAX:
                self._bodies.clear()
            self._bodies[path] = json_body(self._read.shown(response))
        return self._bodies[path]


class _Headlines:
    """What events are called, kept as long as anything that caches may keep of them."""

    def __init__(self, platform: Behind) -> None:
        self._platform = platform
        self._known: dict[str, tuple[Instant, Headline]] = {}

    async def of(self, request: Request, event_id: str) -> Headline | None:
        """None where nobody can say just now. A Refusal where there is no such event."""
        now = self._platform.clock.now()
        kept_until, headline = self._known.get(event_id, (0, None))
        if now < kept_until:
            return headline
        try:
            found = await _Asked(self._platform, request).answer("SaleService/GetSale", {"event_id": event_id})
        except Refusal as refusal:
            if refusal.code in NO_SUCH:
                raise
            return None
        if len(self._known) >= assets.NAMED_MAX:
            self._known.clear()
        headline = shown.headline(found)
        self._known[event_id] = now + HEADLINE_KEPT, headline
        return headline


READS = (
    Read("/web/events", "SaleService/ListSales", shown.events, query=("cursor",)),
    Read("/web/events/{event_id}", "SaleService/GetSale", shown.one_event),
    Read("/web/plan/{event_id}/{revision}", "SaleService/GetPlan", shown.plan, FOR_EVER),
    Read("/web/seats/{event_id}", "SeatService/GetSeatStates", shown.seats),
    Read("/web/queue/{event_id}", "QueueViewService/GetQueueView", shown.line),
)

"""`python -m bench.waiting`: 2,000 people with the waiting page open, and what each of them costs the platform.

No browsers: each fan asks for what the page asks for, as often (fan/line.js). Opening it takes its files and the event,
and on a second visit only what its cache must ask for again; waiting takes `/web/queue/EVENT` every three seconds and
the ticket's own status every two minutes, or every five seconds near the turn. All of it twice: straight to the
platform, and through a cache that keeps what its answers allow, for as long as they say, and asks once for all who wait
for it. Counted is the CPU of the platform's process; callers and cache are in this process, on the same cores. At the
end somebody with a real browser joins the queue again and again, straight, beside all who wait and then alone.
"""

import argparse
import asyncio
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from posixpath import dirname, join, normpath
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console

from bench import servers
from bench.paint import ARGUMENTS, CHROMIUM, FIRST, LARGEST, PHONE, PRESSED
from traffic_tacos.cli.shown import Listing

EVENT = "evt_waiting"
FILE = f"""
id: {EVENT}
name: Bench
currency: KRW
admission: {{rate_per_second: 1, waiting_max: 100000, active_max: 1}}
sections: [{{id: PIT, name: Pit, price: 1000, standing: 1000}}]
"""
PAGE, ABOUT, LINE = f"/e/{EVENT}", f"/web/events/{EVENT}", f"/web/queue/{EVENT}"
STATUS, JOIN = "/gateway.v1.QueueService/GetQueueStatus", "/gateway.v1.QueueService/JoinQueue"
STAGE = ("fan/line.js", "i18n/ko.js")  # what the page loads once it knows what to show
LOOKED, SIGN_OF_LIFE, NEAR, ASKED_NEAR = 3.0, 120.0, 50, 5.0  # as in fan/line.js
TO_THE_ORIGIN = 32  # connections of the cache
JOINING = 16  # at once
VISITS, VISIT_SECONDS = 10, 2.0
console = Console()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "")

    @property
    def fresh_seconds(self) -> float:
        kept = re.search(r"max-age=(\d+)", self.headers.get("cache-control", ""))
        return float(kept[1]) if kept else 0.0


class Connection:
    """HTTP/1.1, kept open, one request at a time; opened again where the server has closed it."""

    def __init__(self, address: str, sent: "Counter[str]") -> None:
        self._host, _, self._port = address.partition(":")
        self._sent = sent
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        verb = "POST" if body else "GET"
        lines = [f"{verb} {path} HTTP/1.1", f"host: {self._host}", *(f"{name}: {one}" for name, one in headers.items())]
        if body:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        request = "\r\n".join([*lines, "", ""]).encode() + body
        self._sent["asked"] += 1
        try:
            return await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            return await self._exchange(request)

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, int(self._port))
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.strip().split("\r\n")
        headers = {name.lower(): one.strip() for name, _, one in (line.partition(":") for line in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


class Direct:
    """The platform itself: each fan has a connection of their own."""

    def __init__(self, address: str, sent: "Counter[str]") -> None:
        self._address, self._sent = address, sent
        self._of_fans: dict[str, Connection] = {}

    async def ask(self, fan: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        connection = self._of_fans.setdefault(fan, Connection(self._address, self._sent))
        return await connection.ask(path, {"x-forwarded-for": fan, "accept-encoding": "gzip", **headers}, body)

    def close(self) -> None:
        for connection in self._of_fans.values():
            connection.close()


class Cache:
    """A cache in front of the platform, as RFC 9111 has it: keeps what may be kept, asks again with the tag it knows,
    and asks once for all who want the same. What is posted goes through.
    """

    def __init__(self, address: str, sent: "Counter[str]") -> None:
        self._kept: dict[str, tuple[float, Answer]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        self._all = [Connection(address, sent) for _ in range(TO_THE_ORIGIN)]
        for connection in self._all:
            self._idle.put_nowait(connection)

    async def ask(self, fan: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        if body:
            return await self._origin(fan, path, headers, body)
        async with self._locks.setdefault(path, asyncio.Lock()):
            until, known = self._kept.get(path, (0.0, None))
            if known is None or time.monotonic() >= until:
                told = await self._origin(fan, path, {"if-none-match": known.etag} if known else {})
                known = known if told.status == 304 and known is not None else told
                self._kept[path] = (time.monotonic() + told.fresh_seconds, known)
        is_known = headers.get("if-none-match") == known.etag
        return known._replace(status=304, body=b"") if is_known else known

    async def _origin(self, fan: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        connection = await self._idle.get()
        try:
            return await connection.ask(path, {"x-forwarded-for": fan, "accept-encoding": "gzip", **headers}, body)
        finally:
            self._idle.put_nowait(connection)

    def close(self) -> None:
        for connection in self._all:
            connection.close()


class Fan:
    """A browser with its own cache, the waiting page open in it."""

    def __init__(self, number: int, way: "Direct | Cache", files: list[str]) -> None:
        self.name = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        self._way, self._files = way, files
        self._session = f"waiting-{number}"
        self._token, self._place = "", 0
        self._known: dict[str, tuple[float, str]] = {}

    async def join(self) -> None:
        joined = await self._call(JOIN, {"eventId": EVENT, "sessionId": self._session})
        self._token = joined["waitingToken"]

    async def open(self) -> None:
        """What loading the page asks for; files that may be kept for ever are asked for once."""
        for path in (PAGE, *self._files, ABOUT):
            await self._read(path)
        await self._read(LINE)
        await self._status()

    async def wait(self, end: float, chance: random.Random) -> None:
        """Look at the queue until then, as the page does; the fans have come at moments of their own."""
        asked = time.monotonic() - chance.uniform(0, ASKED_NEAR if self._place <= NEAR else SIGN_OF_LIFE)
        await asyncio.sleep(chance.uniform(0, LOOKED))
        while time.monotonic() < end:
            await self._read(LINE)
            if time.monotonic() - asked >= (ASKED_NEAR if self._place <= NEAR else SIGN_OF_LIFE):
                asked = time.monotonic()
                await self._status()
            await asyncio.sleep(LOOKED)

    async def _status(self) -> None:
        status = await self._call(STATUS, {"waitingToken": self._token})
        self._place = int(status.get("position", 0))

    async def _read(self, path: str) -> None:
        until, etag = self._known.get(path, (0.0, ""))
        is_live = path in (PAGE, ABOUT, LINE)  # the page reads these with cache: "no-cache"
        if not is_live and time.monotonic() < until:
            return
        told = await self._way.ask(self.name, path, {"if-none-match": etag} if etag else {})
        assert told.status in (200, 304), (path, told)
        self._known[path] = (time.monotonic() + told.fresh_seconds, told.etag)

    async def _call(self, rpc: str, request: dict[str, str]) -> dict[str, str]:
        told = await self._way.ask(self.name, rpc, {}, json.dumps(request).encode())
        assert told.status == 200, (rpc, told)
        found: dict[str, str] = json.loads(told.body)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.waiting")
    parser.add_argument("--fans", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=60, help="of waiting; opening takes half of it")
    asked = parser.parse_args()
    columns = []
    for way in (Direct, Cache):
        console.print(f"{asked.fans:,} fans, {way.__name__.lower()} …")
        with tempfile.TemporaryDirectory() as folder:
            event, http = Path(folder) / "event.yaml", f"127.0.0.1:{servers.free_port()}"
            event.write_text(FILE)
            arguments = ("--event", str(event), "--http", http, "--trusted-proxy", "127.0.0.1")
            with servers.platform(Path(folder) / "data", *arguments) as (pid, _):
                columns.append(asyncio.run(_measured(pid, http, way, asked.fans, asked.seconds)))
    table = Listing("for each fan", "straight", "with a cache in front")
    for name in columns[0]:
        table.add(name, *(column[name] for column in columns))
    table.print()


async def _measured(pid: int, address: str, kind: "type[Direct | Cache]", count: int, seconds: float) -> dict[str, str]:
    sent: Counter[str] = Counter()
    way = kind(address, sent)
    files = await _files(Connection(address, Counter()))
    fans = [Fan(number, way, files) for number in range(count)]
    for first in range(0, count, JOINING):
        await asyncio.gather(*(fan.join() for fan in fans[first : first + JOINING]))
    await asyncio.sleep(1)
    figures: dict[str, str] = {"files of the page": f"{len(files)}"}

    async def spread(fan: Fan, number: int, over: float) -> None:
        await asyncio.sleep(over * number / count)
        await fan.open()

    for name in ("opening the page", "opening it again"):
        spent, asked = servers.cpu_seconds(pid), sent["asked"]
        over = seconds / 2
        await asyncio.gather(*(spread(fan, number, over) for number, fan in enumerate(fans)))
        figures[f"{name}, requests to the platform"] = f"{(sent['asked'] - asked) / count:.2f}"
        figures[f"{name}, CPU us"] = f"{(servers.cpu_seconds(pid) - spent) * 1e6 / count:,.0f}"
    chance = random.Random(1)
    spent, asked, began = servers.cpu_seconds(pid), sent["asked"], time.monotonic()
    end = began + seconds
    await asyncio.gather(*(fan.wait(end, chance) for fan in fans))
    took = time.monotonic() - began
    figures["waiting, requests to the platform a second"] = f"{(sent['asked'] - asked) / took / count:.3f}"
    used = servers.cpu_seconds(pid) - spent
    figures["waiting, CPU us a second"] = f"{used * 1e6 / took / count:,.1f}"
    figures["all of them waiting, share of a core"] = f"{used / took:.1%}"
    async with _browser() as browser:
        for beside in ("beside all of them", "alone") if browser is not None else ():
            crowd = fans if beside != "alone" else []
            until = time.monotonic() + VISITS * VISIT_SECONDS
            waiting = asyncio.gather(*(fan.wait(until, chance) for fan in crowd))
            for what, times in (await _visits(browser, f"http://{address}", until)).items():
                figures[f"{what}, {beside}, median and worst ms"] = f"{median(times):,.0f}, {max(times):,.0f}"
            await waiting
    spent = servers.cpu_seconds(pid)
    await asyncio.sleep(10)
    figures["the same queue with nobody looking, share of a core"] = f"{(servers.cpu_seconds(pid) - spent) / 10:.1%}"
    way.close()
    return figures


@asynccontextmanager
async def _browser() -> AsyncIterator[Any]:
    """Chromium; None where there is none."""
    if CHROMIUM is None:
        yield None
        return
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


async def _visits(browser: Any, address: str, until: float) -> dict[str, list[float]]:
    """Milliseconds that somebody waits who has never been here, from visit to visit."""
    found: dict[str, list[float]] = {"a page painted first": [], "all of it": [], "joined, and the place shown": []}
    while time.monotonic() < until:
        context = await browser.new_context(**PHONE)
        page = await context.new_page()
        await page.goto(address + PAGE)
        await page.locator("main button").first.wait_for()
        took = [await page.evaluate(FIRST), await page.evaluate(LARGEST)]
        took.append((await page.evaluate(PRESSED, ["Join the queue", ".figures, .turn"]))[0])
        for times, one in zip(found.values(), took, strict=True):
            times.append(one)
        await context.close()
    return found


async def _files(platform: Connection) -> list[str]:
    """All files that the page loads until somebody waits: those it names, and what these import in turn."""
    page = (await platform.ask(PAGE, {})).body.decode()
    named = re.findall(r'"(/assets/[^"]+)"', page)
    root = "/".join(named[0].split("/")[:3])
    to_read = [*named, *(f"{root}/{path}" for path in STAGE)]
    found: list[str] = []
    while to_read:
        path = to_read.pop()
        if path in found:
            continue
        found.append(path)
        source = (await platform.ask(path, {})).body.decode()
        imported = re.findall(r'^import .*?from "([^"]+)";$', source, re.MULTILINE)
        to_read += [normpath(join(dirname(path), other)) for other in imported]
    platform.close()
    return found


if __name__ == "__main__":
    main()

"""`python -m bench.queue_edges`: one queue through two edges, on what `make cloud` stands on.

10,000 fans join at both edges in turn and ask for their place at both in turn; every fifth watches a stream, half of
these at each edge. Then turns are given, and whoever has one is admitted at one of the edges. They buy nothing, so the
cap is reached after a quarter of them, and an operator raises it, three times. Checked from outside: numbers in the
order of joining, places that never rise, nobody who waits after somebody behind them had a turn, the rate and the cap
over both edges. When a turn was given is read from the log in Valkey, which every process follows; how long after that
its holder has read it from the stream is what is measured, while edges, emulators and fans share this machine's cores.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from tests.cloud import Cloud, running

from bench import servers
from bench.http2 import Connection, Prepared, connect
from traffic_tacos.calls import keys
from traffic_tacos.cli.options import issued
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.redis_log import redis_log
from traffic_tacos.gen.gateway.v1 import queue_pb2 as q
from traffic_tacos.gen.gateway.v1 import websocket_pb2 as ws
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2 as own
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import open_ticket
from traffic_tacos.ports.log import Log, Mark
from traffic_tacos.rooms.waiting_room.commands import decoded
from traffic_tacos.rooms.waiting_room.machine import LineMachine
from traffic_tacos.rooms.waiting_room.values import State

EVENT = "evt_edges"
PROCESSES = ("sale-1", "edge-1", "edge-2")
WATCHES_EVERY = 5  # one fan in so many has a stream
CAPS = 4  # steps in which the cap is raised until there is room for all
AT_CAP_SECONDS = 2.0
JOIN_AT_ONCE, ADMIT_AT_ONCE = 64, 64
CONNECTIONS = 4  # to each edge
NEAR = 300  # who is as near as this to their turn asks each second; of all others so many a second ask
NEAR_ASK_EVERY_SECONDS, OTHERS_A_SECOND = 1.0, 600
THERE_SECONDS = 25  # whose last sign of life is older may be passed over rightly
ABSENT_MAX = 0.01  # of all, or the callers were too slow for anything to be said
FOLLOWED_EVERY_SECONDS = 0.02
ENDED_WITHIN_FACTOR = 4  # times what the rate alone would take

QUEUE = "/gateway.v1.QueueService"
ASKED: dict[str, tuple[str, Any]] = {
    "join": (f"{QUEUE}/JoinQueue", q.JoinQueueResponse),
    "status": (f"{QUEUE}/GetQueueStatus", q.GetQueueStatusResponse),
    "admit": (f"{QUEUE}/RequestAdmission", q.RequestAdmissionResponse),
    "configure": ("/tacos.waiting_room.v1.LineService/ConfigureLine", own.ConfigureLineResponse),
}
WATCHED = "/gateway.v1.WebSocketService/StreamQueueUpdates"
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.queue_edges")
    parser.add_argument("--fans", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=150, help="turns a second")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        event = event_file(Path(folder), asked.fans, asked.rate)
        with running(Path(folder), PROCESSES, event=[str(event)]) as cloud:
            found = asyncio.run(measured(cloud, asked.fans, asked.rate))
    table = Listing("what", "measured")
    for row in found.rows():
        table.add(*row)
    table.print()
    if wrong := found.wrong():
        raise SystemExit(f"wrong: {', '.join(wrong)}")


def event_file(folder: Path, fans: int, rate: int) -> Path:
    file = folder / "event.yaml"
    file.write_text(
        f"id: {EVENT}\nname: Edges\ncurrency: KRW\n"
        f"admission: {{rate_per_second: {rate}, active_max: {fans // CAPS}}}\n"
        "sections: [{id: PIT, name: Pit, price: 1000, standing: 50000}]\n"
    )
    return file


class Fan:
    """One who waits: where they asked last, and what they were told."""

    def __init__(self, name: int, token: str, number: int) -> None:
        self.name = name
        self.token = token
        self.number = number
        self.place = number
        self.asks = name  # at the edges in turn
        self.seen_at = time.time()
        self.watches = self.is_asking = self.has_turn = False

    def is_there(self) -> bool:
        return self.watches or time.time() < self.seen_at + THERE_SECONDS


class Found:
    """What came of it. Times of the log are in milliseconds, by the clock of this machine."""

    def __init__(self, rate: int, cap: int) -> None:
        self.rate, self.cap = rate, cap
        self.fans: list[Fan] = []
        self.join_inversions = self.rises = self.passed_over = self.statuses = 0
        self.refusals: Counter[str] = Counter()
        self.join_seconds = self.turn_seconds = 0.0
        self.turns: dict[int, int] = {}  # by number, when it was given
        self.absent: set[int] = set()  # asked too rarely
        self.active = self.most = self.above_cap = 0  # who were ready or admitted at once
        self.granted: dict[int, int] = {}
        self.heard: list[dict[int, float]] = [{}, {}]  # at each edge, by number
        self.watching = [0, 0]
        self.asked_ms: list[float] = []
        self.cpu = [0.0, 0.0]

    def late(self, edge: int) -> list[float]:
        """From turn to reader, in milliseconds, ascending."""
        return sorted(at - self.turns[number] for number, at in self.heard[edge].items())

    def order_inversions(self) -> int:
        """Turns that were given before that of somebody who was ahead."""
        times = [self.turns[number] for number in sorted(self.turns.keys() - self.absent)]
        return sum(later < earlier for earlier, later in itertools.pairwise(times))

    def above_rate(self) -> int:
        """Admissions that were one too many in their second."""
        times = sorted(self.granted.values())
        return sum(later - earlier < SECOND for earlier, later in zip(times, times[self.rate :], strict=False))

    def rows(self) -> list[tuple[str, str]]:
        fans = len(self.fans)
        rows = [
            ("joined", f"{fans:,} in {self.join_seconds:.0f} s at both edges in turn"),
            ("numbers against the order of joining", str(self.join_inversions)),
            ("places asked for at both edges in turn", f"{self.statuses:,}; {self.rises} rose"),
            ("waited though somebody behind had a turn", str(self.passed_over)),
            ("turns, admissions", f"{len(self.turns):,}, {len(self.granted):,} in {self.turn_seconds:.0f} s"),
            ("turns before somebody ahead", str(self.order_inversions())),
            (f"admissions above {self.rate} a second", str(self.above_rate())),
            ("more ready or admitted at once than the cap", f"{self.above_cap}; at most {self.most:,} of {self.cap:,}"),
            ("asked too rarely to have a turn in time", str(len(self.absent))),
            ("refused", str(dict(self.refusals) or "none")),
            ("asking for a place", _quantiles(sorted(self.asked_ms))),
        ]
        for edge, watching in enumerate(self.watching):
            late = self.late(edge)
            rows.append((f"edge {edge + 1}: got their turn", f"{len(late):,} of {watching:,} streams"))
            rows.append((f"edge {edge + 1}: from turn to reader", _quantiles(late)))
            rows.append((f"edge {edge + 1}: CPU while turns were given", f"{self.cpu[edge]:.0%} of a core"))
        return rows

    def wrong(self) -> list[str]:
        return [
            what
            for what, is_wrong in {
                "numbers": self.join_inversions or {fan.number for fan in self.fans} != {*range(1, len(self.fans) + 1)},
                "places": self.rises,
                "order": self.passed_over or self.order_inversions(),
                "rate": self.above_rate(),
                "cap": self.above_cap or self.most < self.cap,
                "somebody had no turn": len(self.granted) < len(self.fans),
                "somebody got nothing": any(
                    len(heard) < watching for heard, watching in zip(self.heard, self.watching, strict=True)
                ),
                "too slow callers": len(self.absent) > ABSENT_MAX * len(self.fans),
                "refused": self.refusals,
            }.items()
            if is_wrong
        ]


def _quantiles(ascending: Sequence[float]) -> str:
    if not ascending:
        return "-"
    half, most, nearly, last = (ascending[(len(ascending) - 1) * share // 100] for share in (50, 95, 99, 100))
    return f"P50 {half:.0f} ms, P95 {most:.0f} ms, P99 {nearly:.0f} ms, at most {last:.0f} ms"


class Edges:
    """Calls to both edges; `asks` of a fan says which is next."""

    def __init__(self, cloud: Cloud) -> None:
        self.addresses = [edge.grpc for edge in cloud.edges]
        self._calls = [{name: Prepared(at, path) for name, (path, _) in ASKED.items()} for at in self.addresses]
        operator = issued(cloud.data, Caller(Role.SERVICE, "bench"))
        self._calls[0]["configure"] = Prepared(self.addresses[0], ASKED["configure"][0], operator)
        self._watching = [Prepared(at, WATCHED) for at in self.addresses]
        self._connections: list[list[Connection]] = []

    async def connect(self) -> None:
        self._connections = [[await connect(at) for _ in range(CONNECTIONS)] for at in self.addresses]

    def close(self) -> None:
        for connection in itertools.chain(*self._connections):
            connection.close()

    async def ask(self, name: str, number: int, request: Any) -> Any:
        """The answer of the edge that an even or odd number stands for."""
        answered: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        edge = number % 2
        connection = self._connections[edge][number // 2 % CONNECTIONS]

        def answer(body: bytes | None) -> None:
            if not answered.done():  # who asked may have given up
                answered.set_result(body)

        connection.ask(self._calls[edge][name], request.SerializeToString(), answer)
        connection.flush()
        message = await answered
        if message is None:
            raise SystemExit(f"{name}: edge {edge + 1} gave no answer {connection.went}")
        return ASKED[name][1].FromString(message)

    def watch(self, edge: int, request: ws.StreamQueueRequest, heard: Any) -> None:
        connection = self._connections[edge][len(request.session_id) % CONNECTIONS]
        connection.watch(self._watching[edge], request.SerializeToString(), heard)
        connection.flush()


async def measured(cloud: Cloud, count: int, rate: int) -> Found:
    edges, found = Edges(cloud), Found(rate, count // CAPS)
    await edges.connect()
    async with redis_log(cloud.environment["TACOS_REDIS"], 0) as log:
        await _set(edges, "stopped", "true")
        following = asyncio.create_task(_follow(log, found))
        console.print(f"{count:,} fans join …")
        await _join(edges, found, count, keys.read(cloud.data).waiting)
        console.print("all ask for their place at both …")
        await _all_ask(edges, found)
        await _all_ask(edges, found)
        sale = _Sale(edges, found)
        console.print(f"{count // WATCHES_EVERY:,} watch, turns are given …")
        await sale.watch()
        before = [servers.cpu_seconds(edge.pid) for edge in cloud.edges]
        begun = time.perf_counter()
        raising = asyncio.create_task(_raise_cap(edges, found, count))
        with suppress(TimeoutError):  # then somebody had no turn
            async with asyncio.timeout(ENDED_WITHIN_FACTOR * count / rate + 10):
                await sale.run()
        raising.cancel()
        found.turn_seconds = time.perf_counter() - begun
        found.cpu = [
            (servers.cpu_seconds(edge.pid) - used) / found.turn_seconds
            for edge, used in zip(cloud.edges, before, strict=True)
        ]
        await asyncio.sleep(0.5)  # the log is read to its end
        following.cancel()
    edges.close()
    return found


async def _set(edges: Edges, name: str, value: str) -> None:
    request = own.ConfigureLineRequest(
        event_id=EVENT, setting=f"admission.{name}", value=value, actor="bench", reason="bench"
    )
    while (answer := await edges.ask("configure", 0, request)).HasField("error"):
        console.print(f"{name} is set again, for it was answered: {answer.error.message}")
        await asyncio.sleep(1)


async def _raise_cap(edges: Edges, found: Found, count: int) -> None:
    for step in range(2, CAPS + 1):
        while found.active < found.cap:
            await asyncio.sleep(FOLLOWED_EVERY_SECONDS)
        await asyncio.sleep(AT_CAP_SECONDS)
        found.cap = count * step // CAPS
        await _set(edges, "active_max", str(found.cap))


async def _join(edges: Edges, found: Found, count: int, secret: bytes) -> None:
    names = iter(range(count))
    answered_up_to = 0  # the largest number that anybody has been told
    begun = time.perf_counter()

    async def join() -> None:
        nonlocal answered_up_to
        for name in names:
            ahead = answered_up_to
            answer = await edges.ask("join", name, q.JoinQueueRequest(event_id=EVENT, session_id=f"s{name}"))
            assert answer.waiting_token, answer.error.message
            number = open_ticket(answer.waiting_token, secret).number
            found.join_inversions += number < ahead
            answered_up_to = max(answered_up_to, number)
            fan = Fan(name, answer.waiting_token, number)
            found.rises += answer.position_hint > number
            fan.place = min(number, answer.position_hint)
            found.fans.append(fan)

    await asyncio.gather(*(join() for _ in range(JOIN_AT_ONCE)))
    found.join_seconds = time.perf_counter() - begun


async def _all_ask(edges: Edges, found: Found) -> None:
    sale, fans = _Sale(edges, found), iter(found.fans)

    async def ask() -> None:
        for fan in fans:
            await sale.ask(fan)

    await asyncio.gather(*(ask() for _ in range(JOIN_AT_ONCE)))


async def _follow(log: Log, found: Found) -> None:
    """The log as every process has it: when each turn was given, and how many were ready or admitted at once."""
    base = await log.base(EVENT)
    assert base is not None
    machine, mark = LineMachine.thawed(EVENT, lambda *_: b"", base.state), Mark(base.epoch, base.position)
    looked_at = 0
    while True:
        entries = (await log.read({EVENT: mark}))[EVENT]
        if entries is None:
            raise SystemExit("the log has moved on: this was too slow to follow it")
        for position, payload in entries:
            for number in machine.apply(decoded(payload), position.at).changed if payload else ():
                if machine.model.state(number) is State.READY:
                    found.turns.setdefault(number, position.at)
            if position.at > looked_at + SECOND:
                found.absent |= {fan.number for fan in found.fans if not fan.has_turn and not fan.is_there()}
                looked_at = position.at
            mark = mark._replace(position=position)
            figures = machine.model.figures(position.at)
            found.active = figures.ready + figures.admitted
            found.most = max(found.most, found.active)
            found.above_cap += found.active > found.cap
        await asyncio.sleep(FOLLOWED_EVERY_SECONDS)


class _Sale:
    """Those who wait ask, watch, and take their turns."""

    def __init__(self, edges: Edges, found: Found) -> None:
        self._edges = edges
        self._found = found
        self._furthest = 0  # the largest number that was seen to have its turn
        self._ended = 0
        self._admitting = asyncio.Semaphore(ADMIT_AT_ONCE)
        self._tasks = asyncio.TaskGroup()

    async def ask(self, fan: Fan) -> bool:
        """Whether it is their turn."""
        found, furthest, asked_at = self._found, self._furthest, time.perf_counter()
        fan.asks += 1
        answer = await self._edges.ask("status", fan.asks, q.GetQueueStatusRequest(waiting_token=fan.token))
        fan.seen_at = time.time()
        found.asked_ms.append((time.perf_counter() - asked_at) * 1000)
        found.statuses += 1
        if answer.HasField("error"):
            found.refusals[answer.error.message] += 1
        if answer.status == q.QUEUE_STATUS_WAITING:
            found.rises += answer.position > fan.place
            found.passed_over += fan.number < furthest and fan.number not in found.absent
            fan.place = answer.position
        return bool(answer.admission_ready)

    async def watch(self) -> None:
        """Open the streams, and wait until each has told where its fan stands."""
        opened = asyncio.Semaphore(0)
        watching = self._found.fans[::WATCHES_EVERY]
        for index, fan in enumerate(watching):
            edge = index % 2
            self._found.watching[edge] += 1
            fan.watches = True
            request = ws.StreamQueueRequest(waiting_token=fan.token, session_id=f"s{fan.name}")
            self._edges.watch(edge, request, _Reader(self, fan, edge, opened))
            if index % JOIN_AT_ONCE == JOIN_AT_ONCE - 1:
                for _ in range(JOIN_AT_ONCE):
                    await opened.acquire()
        for _ in range(len(watching) % JOIN_AT_ONCE):
            await opened.acquire()

    def heard(self, fan: Fan, edge: int) -> None:
        if fan.number not in self._found.heard[edge]:
            self._found.heard[edge][fan.number] = time.time() * 1000
            self.take_turn(fan)

    def take_turn(self, fan: Fan) -> None:
        if not fan.has_turn:
            fan.has_turn = True
            self._furthest = max(self._furthest, fan.number)
            self._tasks.create_task(self._take_turn(fan))

    async def _take_turn(self, fan: Fan) -> None:
        async with self._admitting:
            request = q.RequestAdmissionRequest(waiting_token=fan.token, event_id=EVENT)
            while True:
                fan.asks += 1
                answer = await self._edges.ask("admit", fan.asks, request)
                if answer.admission == q.ADMISSION_STATUS_GRANTED:
                    break
                if answer.admission != q.ADMISSION_STATUS_DENIED:
                    self._found.refusals[answer.error.message] += 1
                    return
                await asyncio.sleep(0.05)  # this second is full
        until = answer.valid_until.ToMilliseconds()
        self._found.granted[fan.number] = until - answer.ttl_seconds * SECOND
        self._ended += 1

    async def run(self) -> None:
        """Turns are given from now on; until all have had theirs."""
        fans = sorted(self._found.fans, key=lambda fan: fan.number)
        async with self._tasks:
            await _set(self._edges, "stopped", "false")
            others = itertools.cycle(fans)
            while self._ended < len(fans):
                begun = time.perf_counter()
                near = [fan for fan in fans if not fan.has_turn][:NEAR]
                far = [fan for fan in itertools.islice(others, OTHERS_A_SECOND) if not fan.has_turn]
                soon = {fan.number for fan in near}
                asked = [fan for fan in {fan.number: fan for fan in (*near, *far)}.values() if not fan.is_asking]
                for number, fan in enumerate(asked):
                    self._tasks.create_task(self._ask(fan, is_near=fan.number in soon))
                    if number % 20 == 19:  # spread over the second
                        await asyncio.sleep(NEAR_ASK_EVERY_SECONDS * 20 / len(asked))
                await asyncio.sleep(max(0, NEAR_ASK_EVERY_SECONDS - (time.perf_counter() - begun)))

    async def _ask(self, fan: Fan, *, is_near: bool) -> None:
        """At one edge, and who is near at once at the other: a place that this has not heard of yet would be seen to
        rise.
        """
        fan.is_asking = True
        if await self.ask(fan) or (is_near and await self.ask(fan)):
            self.take_turn(fan)
        fan.is_asking = False


class _Reader:
    """What a stream is told."""

    def __init__(self, sale: _Sale, fan: Fan, edge: int, opened: asyncio.Semaphore) -> None:
        self._sale, self._fan, self._edge, self._opened = sale, fan, edge, opened
        self._has_opened = False

    def __call__(self, message: bytes | None) -> None:
        if not self._has_opened:
            self._has_opened = True
            self._opened.release()
        update = None if message is None else ws.QueueUpdateEvent.FromString(message).queue_update
        if update is not None and update.event_type == ws.QUEUE_EVENT_TYPE_ADMISSION_READY:
            self._sale.heard(self._fan, self._edge)


if __name__ == "__main__":
    main()

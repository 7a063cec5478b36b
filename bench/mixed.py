"""`python -m bench.mixed`: the whole mixture of a sale at once, as it arrives: nobody waits for anybody's answer.

At 100 % that is 27,000 GetQueueStatus, 1,000 joins, 1,000 admissions, 500 reservations and 500 payments a second, each
a CreatePaymentIntent and a ProcessPayment (30,500 calls a second in all), against one platform synced to disk. Calls
are sent when they are due, whatever became of those before; times count from that moment, so a platform that falls
behind is not spared (no "coordinated omission"). Calls come from a process of its own, on the same cores.

For each RPC it prints what was offered, answered and refused, and P50, P95 and P99; then the largest share at which all
was answered and every P95 is within the specification's. Where the callers themselves were late, it says so: those
figures are of the machine, not of the platform.
"""

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from bench import servers
from bench.__main__ import fan_token
from bench.http2 import Connection, Prepared, connect
from traffic_tacos.calls import keys
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2 as g
from traffic_tacos.gen.gateway.v1 import queue_pb2 as q
from traffic_tacos.gen.payment.v1 import payment_pb2 as p
from traffic_tacos.kernel.instants import MINUTE
from traffic_tacos.kernel.tokens import ReservationToken, seal_reservation

QUEUE, GATEWAY, PAYMENT = "/gateway.v1.QueueService", "/gateway.v1.GatewayService", "/payment.v1.PaymentService"
LATER, OPEN, SALE = "evt_later", "evt_open", "evt_sale"
HOUSE = 20_000  # seats of one event of the sale
USED = 0.7  # of them are reserved at most: the search for the last seats is another bench's
PRICE = 1000
FANS = 200
WAITING = 2000  # places whose status is asked for, turn about
CONNECTIONS = 8
STATUSES = 27_000  # a second at 100 %
TICK = 0.001  # seconds: what has become due is sent together
DRAINED = 5.0  # seconds that answers may still take at the end
LATE = 0.005  # seconds by which the callers may be late, in 95 of 100 calls, before the machine is what is measured
SHARES = (3.0, 10.0, 30.0, 100.0)
NARROWED = 4  # steps between the last share that is within the targets and the first that is not


class Rpc(NamedTuple):
    """`per_second` at 100 %; `p95_ms` is the specification's; it begins `after` so many seconds, when what it
    follows has answers.
    """

    path: str
    per_second: int
    p95_ms: float
    answer: Any
    after: float = 0.0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


MIXTURE = (
    Rpc(f"{QUEUE}/GetQueueStatus", STATUSES, 50, q.GetQueueStatusResponse),
    Rpc(f"{QUEUE}/JoinQueue", 1000, 50, q.JoinQueueResponse),
    Rpc(f"{QUEUE}/RequestAdmission", 1000, 50, q.RequestAdmissionResponse, after=1.0),
    Rpc(f"{GATEWAY}/CreateReservation", 500, 100, g.CreateReservationResponse),
    Rpc(f"{GATEWAY}/CreatePaymentIntent", 500, 100, g.CreatePaymentIntentResponse, after=1.0),
    Rpc(f"{PAYMENT}/ProcessPayment", 500, 100, p.ProcessPaymentResponse, after=2.0),
)
STATUS, JOIN, ADMIT, RESERVE, INTENT, PAY = (rpc.name for rpc in MIXTURE)


class Figures(NamedTuple):
    """Of one RPC. `offered` calls became due; `lacking` were not made, for what they follow had no answer yet."""

    name: str
    offered: int
    lacking: int
    answered: int
    refused: int
    first_refusal: str
    ms: tuple[float, float, float]  # P50, P95, P99

    def is_within(self, p95_ms: float) -> bool:
        return self.answered == self.offered and not self.refused and not self.lacking and self.ms[1] <= p95_ms


class Round(NamedTuple):
    """What came of one share: `cpu` are cores, of the platform and of the callers; `late` seconds, 95 in 100 calls."""

    share: float
    figures: tuple[Figures, ...]
    cpu: tuple[float, float]
    late: float

    @property
    def is_within(self) -> bool:
        return all(figures.is_within(rpc.p95_ms) for figures, rpc in zip(self.figures, MIXTURE, strict=True))


class Plan(NamedTuple):
    """What the callers are told: where, how much, how long, and the tokens that were signed for them."""

    address: str
    share: float
    statuses: int
    seconds: float
    houses: int
    fans: tuple[str, ...]
    admissions: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mixed")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each share is offered")
    parser.add_argument("--shares", default=",".join(f"{one:g}" for one in SHARES), help="per cent, ascending")
    parser.add_argument(
        "--statuses",
        type=int,
        default=STATUSES,
        help="GetQueueStatus a second at 100 %%; all else as ever",
    )
    parser.add_argument("--no-search", action="store_true", help="only the shares that are named")
    asked = parser.parse_args()
    shares = [float(one) for one in asked.shares.split(",")]
    console = Console()
    rounds = run(shares, asked.seconds, asked.statuses, search=not asked.no_search, say=console.print)
    within = [one.share for one in rounds if one.is_within]
    most = max(within, default=0.0)
    total = (asked.statuses + sum(rpc.per_second for rpc in MIXTURE[1:])) * most / 100
    console.print(f"The largest share within every P95: {most:.1f} %, {total:,.0f} calls a second.")


def run(
    shares: Sequence[float], seconds: float, statuses: int = STATUSES, *, search: bool, say: Callable[[Any], None]
) -> list[Round]:
    """Every share; then, to `search`, some between the largest that is within the targets and the first that is not."""
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as folder:
        measure = _Measure(Path(folder), seconds, statuses, say)
        rounds += map(measure, shares)
        too_much = next((one.share for one in rounds if not one.is_within), None)
        enough = max((one.share for one in rounds if one.is_within), default=0.0)
        for _ in range(NARROWED if search and too_much is not None and enough < too_much else 0):
            middle = (enough + too_much) / 2
            rounds.append(measure(middle))
            enough, too_much = (middle, too_much) if rounds[-1].is_within else (enough, middle)
    return rounds


class _Measure:
    """One share after the other, each on a platform of its own."""

    def __init__(self, folder: Path, seconds: float, statuses: int, say: Callable[[Any], None]) -> None:
        self._folder, self._seconds, self._statuses, self._say = folder, seconds, statuses, say
        self._rounds = 0

    def __call__(self, share: float) -> Round:
        self._rounds += 1
        folder = self._folder / str(self._rounds)
        folder.mkdir()
        reserved = MIXTURE[3].per_second * share / 100 * self._seconds
        houses = max(1, -(-int(reserved) // int(HOUSE * USED)))
        events = [argument for file in _event_files(folder, houses) for argument in ("--event", str(file))]
        self._say(f"{share:g} % for {self._seconds:g} s …")
        context = multiprocessing.get_context("spawn")
        with (
            servers.platform(folder / "data", *events, "--time-scale", "1000") as (pid, address),
            ProcessPoolExecutor(1, mp_context=context) as callers,
        ):
            plan = _plan(folder / "data", address, share, self._statuses, self._seconds, houses)
            before = servers.cpu_seconds(pid)
            figures, took, busy, late = callers.submit(offer, plan).result()
            cores = ((servers.cpu_seconds(pid) - before) / took, busy / took)
        made = Round(share, figures, cores, late)
        self._say(_table(made))
        return made


def _table(made: Round) -> str:
    table = Listing("RPC", "offered", "answered", "refused", "not made", "P50 ms", "P95 ms", "P99 ms", "P95 wanted")
    for one, rpc in zip(made.figures, MIXTURE, strict=True):
        counts = (one.offered, one.answered, one.refused, one.lacking)
        table.add(one.name, *(f"{count:,}" for count in counts), *(f"{ms:.1f}" for ms in one.ms), f"{rpc.p95_ms:g}")
    table.print()
    lines = [f"cores: {made.cpu[0]:.2f} of the platform, {made.cpu[1]:.2f} of the callers"]
    if made.late > LATE:
        lines.append(f"The callers were {made.late * 1000:.0f} ms late in 95 of 100 calls: this measures the machine.")
    lines += [f"{one.name}: {one.first_refusal}" for one in made.figures if one.first_refusal]
    return "\n".join(lines) + ("\nwithin every P95\n" if made.is_within else "\nnot within every P95\n")


def _event_files(folder: Path, houses: int) -> list[Path]:
    """One whose sale is to come, so that all wait; one that lets everybody in; and the houses that are sold."""
    head = "currency: KRW\nadmission: {rate_per_second: 100000, active_max: 1000000}\n"
    standing = "sections: [{id: PIT, name: Pit, price: 1000, standing: 100000}]\n"
    rows = ", ".join(f"{{id: R{number}, seats: 80, aisles: [20, 60]}}" for number in range(HOUSE // 80))
    seated = f"sections: [{{id: MAIN, name: Main, price: {PRICE}, rows: [{rows}]}}]\n"
    written = {
        LATER: f"sale_start_time: 2100-01-01T00:00:00Z\nstart_time: 2100-02-01T00:00:00Z\n{head}{standing}",
        OPEN: head + standing,
        **{f"{SALE}_{number}": head + seated for number in range(houses)},
    }
    for name, text in written.items():
        (folder / f"{name}.yaml").write_text(f"id: {name}\nname: {name}\n{text}")
    return [folder / f"{name}.yaml" for name in written]


def _plan(data: Path, address: str, share: float, statuses: int, seconds: float, houses: int) -> Plan:
    """Fans' own tokens and admissions, made with the platform's keys: nobody waits for a turn meanwhile."""
    known, now = keys.read(data), SystemClock().now()
    signed = [fan_token(known.signing, f"fan{one}", now) for one in range(FANS)]
    count = int(MIXTURE[3].per_second * share / 100 * seconds) + 1
    admissions = []
    for one in range(count):
        event = f"{SALE}_{one % houses}"
        token = ReservationToken(f"{event}/{10**9 + one}", event, f"fan{one % FANS}", now + 30 * MINUTE)
        admissions.append(seal_reservation(token, now, known.sealing))
    return Plan(address, share, statuses, seconds, houses, tuple(signed), tuple(admissions))


def offer(plan: Plan) -> tuple[tuple[Figures, ...], float, float, float]:
    """In a process of its own: the figures, how long it took, its CPU seconds, and how late 95 of 100 calls were."""
    return asyncio.run(_Callers(plan).run())


class _Callers:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._calls = {rpc.name: Prepared(plan.address, rpc.path) for rpc in MIXTURE}
        self._houses = plan.houses
        self._waiting: list[bytes] = []
        self._joined: deque[bytes] = deque()
        self._held: deque[tuple[int, g.CreateReservationResponse]] = deque()
        self._intents: deque[tuple[int, str]] = deque()
        self._offered = dict.fromkeys(self._calls, 0)
        self._lacking = dict.fromkeys(self._calls, 0)
        self._refusals: dict[str, list[str]] = {name: [] for name in self._calls}
        self._took: dict[str, list[float]] = {name: [] for name in self._calls}
        self._late: list[float] = []
        self._connections: list[Connection] = []

    async def run(self) -> tuple[tuple[Figures, ...], float, float, float]:
        self._connections = [await connect(self._plan.address) for _ in range(CONNECTIONS)]
        self._of_fan = {
            (name, fan): Prepared(self._plan.address, rpc.path, token)
            for rpc in MIXTURE
            if (name := rpc.name) in (RESERVE, INTENT, PAY)
            for fan, token in enumerate(self._plan.fans)
        }
        await self._fill()
        used = resource.getrusage(resource.RUSAGE_SELF)
        busy = -(used.ru_utime + used.ru_stime)
        begun = time.perf_counter()
        await self._offer(begun)
        deadline = time.perf_counter() + DRAINED
        while self._open() and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        used = resource.getrusage(resource.RUSAGE_SELF)
        took = time.perf_counter() - begun
        for connection in self._connections:
            connection.close()
        late = sorted(self._late)
        return (
            tuple(self._figures(rpc.name) for rpc in MIXTURE),
            took,
            busy + used.ru_utime + used.ru_stime,
            late[len(late) * 95 // 100] if late else 0.0,
        )

    def _open(self) -> bool:
        made = sum(self._offered.values()) - sum(self._lacking.values())
        return made > sum(map(len, self._took.values()))

    async def _fill(self) -> None:
        """Places in a queue whose sale is to come, whose status is asked for."""
        joined: list[bytes] = []
        answer = q.JoinQueueResponse

        def told(message: bytes | None) -> None:
            response = answer.FromString(message or b"")
            if not response.waiting_token:
                raise SystemExit(f"nobody could join: {response.error.message}")
            joined.append(q.GetQueueStatusRequest(waiting_token=response.waiting_token).SerializeToString())

        for number in range(WAITING):
            request = q.JoinQueueRequest(event_id=LATER, session_id=f"w{number}")
            self._connections[number % CONNECTIONS].ask(self._calls[JOIN], request.SerializeToString(), told)
        for connection in self._connections:
            connection.flush()
        while len(joined) < WAITING:
            await asyncio.sleep(0.01)
        self._waiting = joined

    async def _offer(self, begun: float) -> None:
        """Send whatever has become due, tick by tick."""
        at_most = {rpc.name: rpc.per_second for rpc in MIXTURE} | {STATUS: self._plan.statuses}
        rates = {name: per_second * self._plan.share / 100 for name, per_second in at_most.items()}
        totals = {name: int(rate * self._plan.seconds) for name, rate in rates.items()}
        while any(self._offered[name] < totals[name] for name in rates):
            now = time.perf_counter() - begun
            for rpc in MIXTURE:
                name, rate = rpc.name, rates[rpc.name]
                due = min(totals[name], int((now - rpc.after) * rate) + 1) if now >= rpc.after else 0
                for number in range(self._offered[name], due):
                    intended = rpc.after + number / rate
                    self._late.append(now - intended)
                    self._send(name, number, begun + intended)
                self._offered[name] = max(due, self._offered[name])
            for connection in self._connections:
                connection.flush()
            await asyncio.sleep(TICK)

    def _send(self, name: str, number: int, intended: float) -> None:
        made = self._made(name, number)
        if made is None:
            self._lacking[name] += 1
            return
        call, message, then = made
        connection = self._connections[number % CONNECTIONS]
        answer, took, refusals = _ANSWERS[name], self._took[name], self._refusals[name]

        def answered(body: bytes | None) -> None:
            took.append(time.perf_counter() - intended)
            if body is None:
                refusals.append(f"no answer: the connection was closed {connection.went}")
                return
            response = answer.FromString(body)
            if response.HasField("error"):
                refusals.append(response.error.message)
            elif then is not None:
                then(response)

        connection.ask(call, message, answered)

    def _made(self, name: str, number: int) -> tuple[Prepared, bytes, Callable[[Any], None] | None] | None:
        """The call, its message, and who is told the answer; None where what it follows is not there."""
        if name == STATUS:
            return self._calls[name], self._waiting[number % WAITING], None
        if name == JOIN:
            request = q.JoinQueueRequest(event_id=OPEN, session_id=f"j{number}")
            return self._calls[name], request.SerializeToString(), self._has_joined
        if name == ADMIT:
            return (self._calls[name], self._joined.popleft(), None) if self._joined else None
        fan = number % FANS
        if name == RESERVE:
            event = f"{SALE}_{number % self._houses}"
            reserve = g.CreateReservationRequest(
                event_id=event, quantity=1, user_id=f"fan{fan}",
                reservation_token=self._plan.admissions[number], idempotency_key=f"r{number}",
            )  # fmt: skip
            return self._of_fan[name, fan], reserve.SerializeToString(), lambda held: self._held.append((fan, held))
        if name == INTENT:
            return self._intent(number)
        return self._payment(number)

    def _has_joined(self, joined: Any) -> None:
        request = q.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=OPEN)
        self._joined.append(request.SerializeToString())

    def _intent(self, number: int) -> tuple[Prepared, bytes, Callable[[Any], None] | None] | None:
        if not self._held:
            return None
        fan, held = self._held.popleft()
        request = g.CreatePaymentIntentRequest(
            reservation_id=held.reservation_id, amount=types_pb2.Money(amount=PRICE, currency="KRW"),
            user_id=f"fan{fan}", method=1, scenario=1, idempotency_key=f"i{number}",
        )  # fmt: skip
        then = lambda made: self._intents.append((fan, made.payment_intent_id))  # noqa: E731
        return self._of_fan[INTENT, fan], request.SerializeToString(), then

    def _payment(self, number: int) -> tuple[Prepared, bytes, Callable[[Any], None] | None] | None:
        if not self._intents:
            return None
        fan, intent = self._intents.popleft()
        request = p.ProcessPaymentRequest(payment_intent_id=intent, idempotency_key=f"p{number}")
        return self._of_fan[PAY, fan], request.SerializeToString(), None

    def _figures(self, name: str) -> Figures:
        took = sorted(self._took[name])
        shown = tuple(took[len(took) * share // 100] * 1000 if took else 0.0 for share in (50, 95, 99))
        refusals = self._refusals[name]
        return Figures(
            name,
            self._offered[name],
            self._lacking[name],
            len(took),
            len(refusals),
            refusals[0] if refusals else "",
            (shown[0], shown[1], shown[2]),
        )


_ANSWERS = {rpc.name: rpc.answer for rpc in MIXTURE}

if __name__ == "__main__":
    main()

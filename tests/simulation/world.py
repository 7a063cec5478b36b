"""The whole platform in one process on a virtual clock, on a store that fails, with crashes.

Invariants are checked after every commit. What a fan calls goes through the same wrapping as a call
over the network, serialised both ways.
"""

import asyncio
import hashlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from tests.dynamodb import FakeDynamoStore
from tests.simulation.loop import LoopClock, VirtualLoop
from traffic_tacos.app.config import Config
from traffic_tacos.app.engines import embedded
from traffic_tacos.app.platform import Platform
from traffic_tacos.app.retention import SWEPT_ON_ANY_STORE
from traffic_tacos.calls import keys
from traffic_tacos.calls.authentication import FetchJson
from traffic_tacos.calls.dispatch import Calls, Method
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.engines.faulty import Faults, FaultyStore
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel import paths
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.instants import DAY, SECOND
from traffic_tacos.kernel.tokens import UserToken, sign_user
from traffic_tacos.operations.invariants import Result, verified
from traffic_tacos.operations.logs import LogRing
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.ports.snapshots import Snapshot
from traffic_tacos.ports.store import OUTBOX, Kind

# Injected faults are logged by the hundred; what matters is raised. A traceback in colours with all variables, as it
# would be otherwise, takes as long as a whole sale.
structlog.configure(
    wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    processors=[
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ],
)

EVENT = """
id: evt_sim
name: Simulated Night
currency: KRW
max_per_order: 4
admission: {rate_per_second: 3, active_max: 9, offer_seconds: 15}
sections:
  - id: MAIN
    name: Main
    price: 50000
    rows: [{id: A, seats: 5}, {id: B, seats: 6, aisles: [3]}]
  - {id: PIT, name: Standing, price: 60000, standing: 4}
"""
EVENT_ID = "evt_sim"
# Half a minute after the virtual clock begins: who comes before is in the pool.
SALE_STARTS = "sale_start_time: 2027-01-15T08:00:30+00:00\n"
FOUR_EACH = "max_per_person: 4\n"
THREE_EACH = "max_per_person: 3\n"
HALF_BACK = "refunds: {percent: 50}\n"
# While many wait, some hold seats and some pay: what was held may be paid, and nothing else is sold.
SALE_ENDS = "sale_end_time: 2027-01-15T08:00:50+00:00\n"
SALE_ENDS_AT = 1_800_000_050 * SECOND
OPERATED_WITHIN = 5 * SECOND
ENDED_WITHIN = 600  # seconds that anything takes which a test waits for
STEADY = Faults()
FAULTS = Faults(delay=0.05, conflict=0.1, torn=0.2, fail_before=0.02, fail_after=0.02, delay_seconds_max=0.4)


# What a world's platform keeps its records in; `pytest --engine dynamodb` chooses.
STORES: dict[str, Callable[[LoopClock, random.Random], Any]] = {
    "memory": lambda *_: MemoryStore(),
    "dynamodb": FakeDynamoStore,
}
ENGINE = "memory"


def _kinds_looked_at() -> frozenset[Kind[Any]]:
    """The kinds of records that the invariants are about: a commit of none of them breaks none."""

    class Noting(MemoryStore):
        def all(self, kind: Kind[Any], of: Callable[[str], bool] = lambda _: True) -> Any:
            looked_at.add(kind)
            return super().all(kind, of)

    looked_at: set[Kind[Any]] = set()
    verified(Noting(), 0)
    return frozenset(looked_at)


LOOKED_AT = _kinds_looked_at()


class Broken(AssertionError):
    """An invariant does not hold."""


class Unreachable(Exception):
    """The platform crashed, or did not say whether the call was done: ask again."""


class Asked(msgspec.Struct, frozen=True):
    """A total that was asked to be refunded by hand; whether it was answered, or may have come to nothing."""

    total: int
    is_answered: bool


Server = Callable[[dict[str, str], bytes], Awaitable[HttpAnswer]]


async def _nothing(url: str) -> Any:
    raise ValueError(f"{url} is not there")


class Looks:
    """An `OnSnapshot` of what is stored."""

    is_of_one_moment = True

    def __init__(self, look: Callable[[Callable[[Snapshot], Any]], Awaitable[Any]]) -> None:
        self.look = look

    async def __call__(self, see: Callable[[Snapshot], Any], /) -> Any:
        return await self.look(see)


class World:
    """One simulated sale. Everything in it follows from the seed."""

    has_several_clocks = False

    def __init__(self, seed: int, loop: VirtualLoop, faults: Faults, lossy: float, event: str = EVENT) -> None:
        self.random = random.Random(f"world-{seed}")
        self.clock = LoopClock(loop)
        self.trace: list[str] = []
        self.keys = keys.made(random.Random(f"keys-{seed}"))
        self.keyring = keys.Keyring(self.keys)
        self.event = event
        self.faults = faults
        self.lossy = lossy
        self.crashes = 0
        self.commits = 0
        self.log = LogRing()
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []
        self.broken: Broken | None = None
        self.without: frozenset[str] = frozenset()
        self._calls: dict[asyncio.Task[Any], Calls] = {}  # what is being answered, and by whom
        self.checks_every_commit = True
        self.endpoint: HttpAnswer | None = None  # what every webhook is answered, instead of being taken
        self.servers: dict[str, Server] = {}  # other servers that webhooks may go to, by the beginning of a URL
        self.address = "127.0.0.1"
        self.issuer = ""  # whose users are fans here
        self.fetch: FetchJson = _nothing
        self.telemetry: Any = None
        self.cors_origins: tuple[str, ...] = ()
        self.is_down = False
        self.changing: asyncio.Event | None = None  # set for a moment when the event changes, where it does
        self.differences_are_bugs = False  # or else the reconciler mends what a sale must not break
        self.refunds_asked: dict[str, list[Asked]] = {}  # by payment, what was asked for by hand
        self.memory = STORES[ENGINE](self.clock, self.random)
        self.tokens: dict[str, str] = {}

    async def open(self) -> None:
        """Start the platform on what is stored."""
        store = FaultyStore(self.memory, STEADY, self.clock, self.random)
        config = Config(
            data=Path("simulated"), without=self.without, issuer=self.issuer, cors_origins=self.cors_origins
        )
        traced, post = store, self._post
        if self.telemetry is not None:
            traced, post = self.telemetry.traced_store(store), self.telemetry.traced_post(post)
        engines = embedded(self.clock, self.random, traced, post, Looks(lambda see: self.look(see)), config.webhook_url)
        if ENGINE != "memory":
            engines = msgspec.structs.replace(engines, expiries=SWEPT_ON_ANY_STORE)
        self.platform = Platform(config, engines, self.keyring, self.log, self.fetch)
        if self.telemetry is not None:
            self.telemetry.follow(self.platform)
        self.memory.on_commit = self._committed
        await self.platform.load()
        await self.platform.put_on_sale(self.event)
        store.faults = self.faults
        self.store = store
        self.is_down = False
        self.work = asyncio.create_task(self.platform.run())

    async def crash(self, down_seconds: float = 0, without: frozenset[str] = frozenset()) -> None:
        """Lose everything that is not stored, in the middle of whatever is going on, and start again.

        `without` leaves rooms out from now on: a worker that is late, or dead.
        """
        self.say(f"crash, down for {down_seconds:.1f} s, then without {sorted(without)}")
        self.crashes += 1
        self.is_down = True
        await self._stop()
        await self.clock.sleep(down_seconds)
        self.memory = self.memory.reopened(lambda _: None)
        self.without = without
        await self.open()

    async def whole_again(self) -> None:
        """Everything that is down or was left out comes back."""
        if self.is_down:
            await self.open()
        if self.without:
            await self.crash()

    async def close(self) -> None:
        await self._stop()

    def calm(self) -> None:
        """No more faults."""
        self.faults = self.store.faults = STEADY
        self.lossy = 0.0

    async def call(self, path: str, request: Any, user: str = "") -> Any:
        """One RPC as a fan makes it. Unreachable when the platform crashes meanwhile or cannot say."""
        calls = self.reached(path).calls
        headers = (("authorization", f"Bearer {self._token(user)}"),) if user else ()
        method = calls.methods["/" + path]
        given = method.request.FromString(request.SerializeToString())
        try:
            made = calls.call(method, given, headers, self.peer)
        except Refusal as refusal:
            response = calls.refused(method, refusal)
        else:
            response = await self.answer(calls, method, given, made)
        if self.broken is not None:
            raise self.broken
        return method.response.FromString(response.SerializeToString())

    async def stream(self, path: str, request: Any, user: str = "") -> AsyncIterator[Any]:
        """A stream as a fan reads it. Unreachable when the platform crashes meanwhile, or hangs up."""
        calls = self.reached(path).calls
        headers = (("authorization", f"Bearer {self._token(user)}"),) if user else ()
        method = calls.methods["/" + path]
        heard: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def listen() -> None:
            try:
                async for message in calls.stream(method, request, calls.call(method, request, headers, self.peer)):
                    heard.put_nowait(message.SerializeToString())
            except Refusal as refusal:
                if refusal.code is Code.INTERNAL:
                    self.broken = self.broken or Broken(f"{path} came upon a bug: {refusal.trace_id}")
            finally:
                heard.put_nowait(None)

        task = asyncio.create_task(listen())
        self._calls[task] = calls
        try:
            while (message := await heard.get()) is not None:
                yield method.response.FromString(message)
        finally:
            task.cancel()
            self._calls.pop(task, None)
        raise Unreachable

    async def operate(self, path: str, request: Any) -> Any:
        """A call by an operator; nothing when the platform is down."""
        try:
            calls = self.reached(path).calls
        except Unreachable:
            return None
        call = Call(Caller(Role.ADMIN, "operator"), calls.new_trace_id(), self.clock.now() + OPERATED_WITHIN)
        try:
            return await self.answer(calls, calls.methods["/" + path], request, call)
        except Unreachable:
            return None

    def reached(self, path: str) -> Platform:
        """The platform that a call arrives at; Unreachable when there is none."""
        if self.is_down:
            raise Unreachable
        return self.platform

    async def answer(self, calls: Calls, method: Method, request: Any, call: Call) -> Any:
        """The platform's answer; Unreachable when it crashes meanwhile."""
        task = asyncio.create_task(calls.answer(method, request, call))
        self._calls[task] = calls
        try:
            return await task
        except asyncio.CancelledError:
            if task.cancelled():
                raise Unreachable from None
            raise
        finally:
            self._calls.pop(task, None)

    def deafen(self) -> None:
        """One process of several hears late what the others have done."""

    def peer(self) -> str:
        """The address that calls come from."""
        return self.address

    def verify(self) -> list[Result]:
        return verified(self.memory, self.clock.now())

    def jobs(self) -> list[str]:
        return [job.id for job in self.platform.engines.jobs.pending()]

    def dead(self) -> list[str]:
        return [f"{job.id}: {job.last_error}" for job in self.platform.engines.jobs.known() if job.is_dead]

    def is_busy(self) -> bool:
        """Whether a job or an event waits to be done or told."""
        return bool(self.jobs()) or any(True for _ in self.memory.all(OUTBOX))

    def records(self) -> MemoryStore:
        return self.memory

    async def look(self, see: Callable[[MemoryStore], Any]) -> Any:
        found = see(self.records())
        if self.differences_are_bugs and found:
            self.broken = self.broken or Broken(f"the reconciler found {found[0]}")
        return found

    def say(self, line: str) -> None:
        self.trace.append(f"{self.clock.now()} {line}")

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    async def _stop(self) -> None:
        tasks = [self.work, *self._calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def commits_reach(self, count: int) -> None:
        """Until so many commits were made, without keeping the virtual clock from going on."""
        if self.commits < count:
            reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._awaited.append((count, reached))
            await reached

    async def commits_reach_unless(self, count: int, act: Awaitable[Any]) -> None:
        """Until so many commits were made, or `act` has ended, however it ended."""
        acting, reached = asyncio.ensure_future(act), asyncio.ensure_future(self.commits_reach(count))
        ended, _ = await asyncio.wait({acting, reached}, timeout=ENDED_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        for waiting in {acting, reached} - {act}:
            waiting.cancel()
        if not ended:
            says = f"{self.commits} commits were made, and no {count} within {ENDED_WITHIN} s"
            raise AssertionError(f"{says}; what they belong to has not ended either")

    def _committed(self, writes: Any) -> None:
        self.commits += 1
        for count, reached in self._awaited:
            if self.commits >= count and not reached.done():
                reached.set_result(None)
        for write in writes:
            self.say(f"{'put' if write.value is not None else 'drop'} {write.path}")
        self.platform.committed(writes)
        if self.checks_every_commit and any(write.kind in LOOKED_AT for write in writes):
            self._check()

    def _check(self) -> None:
        for result in self.verify():
            if result.violations:
                self.broken = self.broken or Broken(f"{result.invariant}: {result.violations[0]}")

    async def _post(self, url: str, headers: dict[str, str], body: bytes, seconds: float) -> HttpAnswer:
        """Webhooks travel: some are lost, some arrive twice, all may be late."""
        for beginning, server in self.servers.items():
            if url.startswith(beginning):
                try:
                    async with asyncio.timeout(seconds):
                        return await server(headers, body)
                except TimeoutError:
                    raise Fault(f"{url} did not answer") from None
        await self.clock.sleep(self.random.uniform(0, 2) if self.random.random() < self.lossy else 0)
        if self.random.random() < self.lossy:
            raise Fault("injected: the webhook was lost")
        times = 2 if self.random.random() < self.lossy else 1
        if self.endpoint is not None:
            return self.endpoint
        for _ in range(times):
            try:
                receive = self.reached(paths.PAYMENT_WEBHOOKS).receivers.get(paths.PAYMENT_WEBHOOKS)
            except Unreachable:
                raise Fault("injected: nobody takes the webhook") from None
            if receive is None:
                return HttpAnswer(404)
            try:
                await receive(headers, body)
            except Refusal:
                return HttpAnswer(400)
        if self.random.random() < self.lossy:
            raise Fault("injected: the answer to the webhook was lost")
        return HttpAnswer(200)

    def _token(self, user: str) -> str:
        if user not in self.tokens:
            caller = Caller(Role.FAN, user)
            self.tokens[user] = sign_user(
                self.keys.signing,
                UserToken(caller, SCOPES[Role.FAN], self.clock.now() + DAY),
                self.clock.now(),
            )
        return self.tokens[user]

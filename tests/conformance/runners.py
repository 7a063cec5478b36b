"""What runs jobs, each as one or several processes on one store, on a virtual clock or on a real one."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.aws import NO_FAULTS, FakeSqs, QueueFaults
from tests.emulators import found_as
from tests.simulation.loop import LoopClock, VirtualLoop, run
from traffic_tacos.app.stores import wire_to
from traffic_tacos.engines.aws import AwsApi
from traffic_tacos.engines.aws_wire import aws_api
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.dynamodb import DynamoStore
from traffic_tacos.engines.dynamodb_requests import Requests
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.engines.jobs import SharedJobs, StoreJobs
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.sqs import SqsJobs
from traffic_tacos.engines.sqs_queues import Queues, decoded, wake_of
from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.retries import RetryPolicy
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.jobs import Handlers, JobRunner, PoolPolicy
from traffic_tacos.ports.store import JOB, Decision, Job, Key, Store, drop_job, timed_outbox_key

POLICIES = {
    "t": PoolPolicy(RetryPolicy(pause_max=2 * SECOND, attempts_max=3)),
    "crowd": PoolPolicy(running_max=4, group_max=4),
}
TOPICS = {"one": ("t",), "many": ("crowd",)}


class Flag:
    """A `Duty` that is set by hand."""

    def __init__(self, ours: bool) -> None:
        self.ours = ours

    def is_ours(self) -> bool:
        return self.ours


class WatchedSqs(FakeSqs):
    """Notes messages that were removed while their job was still to be done, and had no other message."""

    store: MemoryStore

    def __init__(self, *rest: Any) -> None:
        super().__init__(*rest)
        self.acknowledged_early: list[str] = []

    async def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        before = self.bodies(asked["QueueUrl"])
        answer = await super()._delete(asked)
        left = self.bodies(asked["QueueUrl"])
        waiting = {wake_of(job) for _, job in self.store.all(JOB) if not job.is_dead}
        self.acknowledged_early += [body for body in {*before} - {*left} if decoded(body) in waiting]
        return answer


class Process:
    def __init__(self, runner: JobRunner, store: Store, cut: Callable[[], None]) -> None:
        self.runner = runner
        self.store = store
        self.cut = cut  # what it still sends arrives nowhere: it was killed
        self._work: asyncio.Task[None] | None = None

    async def put(self, *jobs: Job) -> None:
        await self.store.transact((), lambda _: Decision(None, jobs=jobs))

    async def drop(self, job_id: str) -> None:
        await self.store.transact((), lambda _: Decision(None, [drop_job(job_id)]))

    def start(self, handlers: Handlers) -> None:
        self._work = asyncio.create_task(self.runner.run(handlers))

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def kill(self) -> None:
        self.cut()
        await self.stop()


class Bench:
    """Processes on one store. `is_one_group_at_a_time` across all of them, and not only in each."""

    is_shared = True
    is_one_group_at_a_time = False

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    async def process(self) -> Process:
        """One more."""
        raise NotImplementedError

    async def job(self, job_id: str) -> Job | None:
        raise NotImplementedError

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
        deadline = self.clock.now() + seconds * SECOND
        while not await holds():
            assert self.clock.now() < deadline, "it never came true"
            await self.clock.sleep(0.05)

    async def until_done(self, *job_ids: str, seconds: float = 120) -> None:
        async def done() -> bool:
            return not any([await self.job(job_id) for job_id in job_ids])

        await self.until(done, seconds)


class InMemory(Bench):
    """Processes beside each other on one memory."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock)
        self.memory = MemoryStore()
        self._processes = 0

    async def process(self) -> Process:
        self._processes += 1
        name, is_first = self._processes, self._processes == 1
        randomness = random.Random(name)

        def outbox_keys() -> Iterable[Key[DomainEvent]]:
            mark = f"{randomness.getrandbits(64):016x}"
            return (timed_outbox_key(self.clock.now(), mark, number) for number in range(1000))

        way = Way(self.memory.beside(lambda writes: runner.committed(writes), outbox_keys))
        runner, cut = await self.runner(way, randomness, Flag(is_first), f"process-{name}")

        def killed() -> None:
            way.is_cut = True
            cut()

        await runner.load()
        return Process(runner, way, killed)

    async def runner(self, store: Store, randomness: random.Random, duty: Flag, name: str) -> Any:
        raise NotImplementedError

    async def job(self, job_id: str) -> Job | None:
        return await self.memory.get(JOB.key(job_id))


class Way:
    """A store, as long as the process lives."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_cut = False

    async def get(self, key: Any) -> Any:
        await self._passed()
        return await self._store.get(key)

    async def scan(self, prefix: Any, *, after: Any = None, limit: int) -> Any:
        await self._passed()
        return await self._store.scan(prefix, after=after, limit=limit)

    async def transact(self, reads: Any, decide: Any) -> Any:
        await self._passed()
        return await self._store.transact(reads, decide)

    def damaged(self) -> Any:
        return self._store.damaged()

    async def _passed(self) -> None:
        if self.is_cut:
            await asyncio.Event().wait()


class Embedded(InMemory):
    is_shared = False

    async def runner(self, store, randomness, duty, name):
        return StoreJobs(store, self.clock, randomness, POLICIES), lambda: None


class Shared(InMemory):
    async def runner(self, store, randomness, duty, name):
        return SharedJobs(store, self.clock, randomness, Flag(True), POLICIES), lambda: None


class OnFakeSqs(InMemory):
    is_one_group_at_a_time = True

    def __init__(self, clock: LoopClock, seed: int = 1, faults: QueueFaults = NO_FAULTS) -> None:
        super().__init__(clock)
        self.sqs = WatchedSqs(clock, random.Random(f"queue-{seed}"), faults)
        self.sqs.store = self.memory

    async def runner(self, store, randomness, duty, name):
        way = ApiWay(self.sqs)
        faults, self.sqs.faults = self.sqs.faults, NO_FAULTS
        queues = Queues(way, "tacos-", TOPICS)
        await queues.create()
        self.sqs.faults = faults
        return SqsJobs(store, self.clock, randomness, duty, queues, name, POLICIES), way.cut


class ApiWay:
    """A service of AWS, as long as the process lives."""

    def __init__(self, api: AwsApi) -> None:
        self._api = api
        self._is_cut = False

    def cut(self) -> None:
        self._is_cut = True

    async def __call__(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if self._is_cut:
            await asyncio.Event().wait()
        return await self._api(operation, parameters)


class OnAws(Bench):
    """On what speaks as AWS does at an address, in real time."""

    is_one_group_at_a_time = True

    def __init__(self, stack: AsyncExitStack, prefix: str = "") -> None:
        super().__init__(SystemClock())
        self._stack = stack
        self._prefix = prefix or f"t{random.getrandbits(40):x}-"
        self._count = 0
        self._store: Store

    async def process(self) -> Process:
        self._count += 1
        clock, randomness, tables = SystemClock(), random.Random(), Tables(self._prefix)
        wire = await self._stack.enter_async_context(wire_to(self._prefix))
        api = ApiWay(await self._stack.enter_async_context(aws_api("sqs", "eu-central-1")))
        queues = Queues(api, self._prefix, TOPICS)
        if self._count == 1:
            await wire.create_tables(tables)
        await queues.create()
        requests = Requests(wire, tables, clock, randomness)
        self._store = DynamoStore(requests, tables, clock, randomness, (), lambda writes: runner.committed(writes))
        way, duty = Way(self._store), Flag(self._count == 1)
        runner = SqsJobs(way, clock, randomness, duty, queues, f"{randomness.getrandbits(64):x}", POLICIES)

        def killed() -> None:
            way.is_cut = True
            api.cut()

        return Process(runner, way, killed)

    async def job(self, job_id: str) -> Job | None:
        return await self._store.get(JOB.key(job_id))


Scenario = Callable[[Bench], Awaitable[None]]


def play_virtually(make: Callable[[LoopClock], Bench], scenario: Scenario, seed: int = 1) -> None:
    loop = VirtualLoop(random.Random(f"order-{seed}"))
    run(scenario(make(LoopClock(loop))), loop)


def play_on_aws(address: str, environment: Any, scenario: Scenario) -> None:
    for name, value in found_as(address).items():
        environment.setenv(name, value)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            await scenario(OnAws(stack))

    asyncio.run(main())


@asynccontextmanager
async def working(bench: Bench, handlers: Handlers, count: int = 1) -> AsyncIterator[list[Process]]:
    """So many processes at work."""
    processes = [await bench.process() for _ in range(count)]
    for process in processes:
        process.start(handlers)
    try:
        yield processes
    finally:
        for process in processes:
            await process.stop()

"""Jobs on any store: records that say what is due, and a heap in memory that knows when.

A job that runs is leased in memory only: after a crash it is due again, which is what at-least-once
asks. It is removed when its handler has returned, never before.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

import msgspec
import structlog

from traffic_tacos.engines.tasks import is_cancelled, started, together
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.jobs import Defer, Handlers, JobFigures, JobView, PermanentFailure, PoolPolicy, TryAgainAt
from traffic_tacos.ports.peers import Duty
from traffic_tacos.ports.store import (
    JOB,
    Decision,
    Job,
    Reads,
    Store,
    StoreUnavailable,
    View,
    Write,
    drop_job,
    parts_of,
    put,
)

DEFAULT = PoolPolicy()
PAGE = 1000
IDLE_SECONDS = 1.0
RETRY_SECONDS = 1.0
ERROR_LENGTH_MAX = 500
TAKE_UP_SECONDS = 2.0
DRAIN_LOOK_SECONDS = 0.05
OVERDUE_AFTER = 10 * SECOND

log = structlog.get_logger()


class Limit(NamedTuple):
    """A concurrency limit: so many of the jobs that share it may be done at a time."""

    name: str
    places: int


def by_topic(job: Job) -> str:
    return job.topic


class StoreJobs:
    """Runs due jobs whose topic has a handler, as `policies` says by pool; DEFAULT where it says nothing.

    Every job takes a place in its group and one in its pool (see `PoolPolicy`). Who finds no place waits in the queue
    of its group, which is looked at again when a place is free that it waits for: so however many wait for one slow
    endpoint, nobody else looks at them.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        policies: Mapping[str, PoolPolicy] | None = None,
        pool_of: Callable[[Job], str] = by_topic,
    ) -> None:
        self._policies = policies or {}
        self._pool_of = pool_of
        self._store = store
        self._clock = clock
        self._random = randomness
        self._known: dict[str, Job] = {}
        self._heap: list[tuple[Instant, str]] = []
        self._running: dict[str, tuple[str, Limit]] = {}  # by job: its group, and where in the pool its place is
        self._busy: Counter[Limit] = Counter()
        self._busy_groups: Counter[str] = Counter()
        self._waiting: dict[str, deque[tuple[Instant, str]]] = {}  # by group
        self._blocked: dict[Limit, dict[str, None]] = {}  # the groups that wait for a place, first come, first served
        self._freed: deque[tuple[str, Limit]] = deque()
        self._running_since: dict[str, Instant] = {}
        self._started_at = clock.now()
        self._last_done_at: Instant | None = None
        self._worked_ms = 0
        self._dead: set[str] = set()
        self._topics: Container[str] = ()  # of what is done here, once it runs
        self._unrecorded: set[str] = set()  # attempted before there is a record of it
        self._completed = 0
        self._failed = 0
        self._wake = asyncio.Event()
        self._is_draining = False

    async def load(self) -> None:
        """Take up the jobs that an earlier process left."""
        after = None
        while page := await self._store.scan(JOB.prefix(), after=after, limit=PAGE):
            for _, job in page:
                self._learn(job)
            after = page[-1][0]

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit: jobs that were put or dropped in it."""
        for kind, path, value in writes:
            if kind is JOB:
                if value is None:
                    self._unlearn(path)
                else:
                    self._unrecorded.discard(value.id)
                    self._learn(value)

    async def run(self, handlers: Handlers) -> None:
        """Run jobs until cancelled. What is running then is cancelled too, and due again at the next start."""
        self._topics = handlers.keys()
        self._begin_anew()
        async with started() as start:
            while True:
                self._wake.clear()
                now = self._clock.now()
                for job in self._take_due(now, handlers):
                    start(self._run_one(job, handlers))
                try:
                    async with asyncio.timeout(self._idle_seconds(now)):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def drain(self, seconds: float) -> None:
        self._is_draining = True
        until = self._clock.now() + round(seconds * SECOND)
        while self._running and self._clock.now() < until:
            await self._clock.sleep(DRAIN_LOOK_SECONDS)

    def figures(self) -> JobFigures:
        return JobFigures(
            pending=len(self._known) - len(self._dead) - len(self._running),
            running=len(self._running),
            dead=len(self._dead),
            completed=self._completed,
            failed=self._failed,
            average_ms=self._worked_ms / max(1, self._completed + self._failed),
            last_done_at=self._last_done_at,
            started_at=self._started_at,
        )

    async def show(self, job_id: str, topic: str, limit: int) -> list[JobView]:
        found = filter(None, (self._known.get(job_id),)) if job_id else self._known.values()
        matching = (job for job in found if topic in ("", job.topic))
        return [JobView(job, self._running_since.get(job.id)) for job in islice(matching, limit)]

    def known(self) -> list[Job]:
        """Jobs that are not done, dead ones included."""
        return list(self._known.values())

    def pending(self) -> list[Job]:
        """Jobs that are not dead, running ones included."""
        return [job for job in self._known.values() if not job.is_dead]

    async def dead_letters(self, limit: int) -> list[Job]:
        return [self._known[job_id] for job_id in sorted(self._dead)[:limit]]

    def can_attempt(self, topic: str) -> bool:
        return topic in self._topics

    def attempt(self, job: Job) -> None:
        if job.id not in self._known:
            self._unrecorded.add(job.id)
            self._learn(job)

    async def replay(self, job_id: str, entry: Audited) -> bool:
        key = JOB.key(job_id)
        now = self._clock.now()

        def decide(view: View) -> Decision[bool]:
            job = view.get(key)
            if job is None or not job.is_dead:
                return Decision(False)
            again = msgspec.structs.replace(job, is_dead=False, attempts=0, due_at=now)
            return Decision(True, audited(view, entry), jobs=(again,))

        return await self._store.transact((key, CHAIN_END), decide)

    def _learn(self, job: Job) -> None:
        self._known[job.id] = job
        if job.is_dead:
            self._dead.add(job.id)
            return
        self._dead.discard(job.id)
        due = (job.due_at, job.id)
        heapq.heappush(self._heap, due)
        if self._heap[0] == due:
            self._wake.set()  # nothing before it does

    def _unlearn(self, path: str) -> None:
        job_id = parts_of(path)[0]
        self._unrecorded.discard(job_id)
        self._known.pop(job_id, None)
        self._dead.discard(job_id)

    def _begin_anew(self) -> None:
        """Forget who waits for what: whatever is not done is due again, also what a run before had begun."""
        self._waiting.clear()
        self._blocked.clear()
        self._freed.clear()
        self._heap = [(job.due_at, job.id) for job in self.pending()]
        heapq.heapify(self._heap)

    def _take_due(self, now: Instant, handlers: Handlers) -> list[Job]:
        """The jobs that begin now: first those that waited for a place that is free again, then what is due."""
        taken: list[Job] = []
        if self._is_draining:
            return taken
        while self._freed:
            group, limit = self._freed.popleft()
            blocked = self._blocked.pop(limit, {})
            while blocked and self._has_room(limit):
                next_group = next(iter(blocked))
                del blocked[next_group]
                self._serve(next_group, handlers, taken)
            if blocked:
                self._blocked[limit] = blocked | self._blocked.get(limit, {})
            self._serve(group, handlers, taken)
        while self._heap and self._heap[0][0] <= now:
            due_at, job_id = heapq.heappop(self._heap)
            if (job := self._due(due_at, job_id, handlers)) is not None:
                group = self._group_of(job)
                self._waiting.setdefault(group, deque()).append((due_at, job_id))
                self._serve(group, handlers, taken)
        return taken

    def _due(self, due_at: Instant, job_id: str, handlers: Handlers) -> Job | None:
        """The job, unless it was dropped or moved since, or nobody here does it."""
        job = self._known.get(job_id)
        if job is None or job.is_dead or job.due_at != due_at or job.topic not in handlers:
            return None
        return job

    def _serve(self, group: str, handlers: Handlers, taken: list[Job]) -> None:
        """Begin what waits in a group, as far as there are places."""
        waiting = self._waiting.get(group)
        while waiting:
            job = self._due(*waiting[0], handlers)
            if job is not None and not self._begin(job, group):
                return
            waiting.popleft()
            if job is not None:
                taken.append(job)
        self._waiting.pop(group, None)

    def _begin(self, job: Job, group: str) -> bool:
        """Take the job's places; False when it has to wait for one."""
        if job.id in self._running or self._busy_groups[group] >= self._policy_of(job).group_max:
            return False  # the group is served again when one of its jobs ends
        limits = self._limits(job, is_first=not self._busy_groups[group])
        limit = next(filter(self._has_room, limits), None)
        if limit is None:
            for full in limits:
                self._blocked.setdefault(full, {})[group] = None
            return False
        self._busy[limit] += 1
        self._busy_groups[group] += 1
        self._running[job.id] = group, limit
        return True

    def _limits(self, job: Job, *, is_first: bool) -> list[Limit]:
        """Where in its pool a job may take its place: what is reserved for the first of each group, then the rest."""
        policy, pool = self._policy_of(job), self._pool_of(job)
        shared = Limit(pool, policy.running_max)
        if not is_first or not policy.reserved_max:
            return [shared]
        return [Limit(f"{pool}, reserved", policy.reserved_max), shared]

    def _group_of(self, job: Job) -> str:
        """Jobs of one group happen in turn, whatever their topics; pools that a topic is divided into share nothing."""
        pool, group = self._pool_of(job), job.group_name
        return group if pool == job.topic else f"{pool}: {group}"

    def _has_room(self, limit: Limit) -> bool:
        return self._busy[limit] < limit.places

    def _leave(self, job: Job) -> None:
        group, limit = self._running.pop(job.id)
        self._busy[limit] -= 1
        self._busy_groups[group] -= 1
        if not self._busy[limit]:
            del self._busy[limit]
        if not self._busy_groups[group]:
            del self._busy_groups[group]
        self._freed.append((group, limit))
        if (again := self._known.get(job.id)) is not None:  # it was put again while it ran, maybe into another group
            self._freed.append((self._group_of(again), limit))

    def _policy_of(self, job: Job) -> PoolPolicy:
        return self._policies.get(self._pool_of(job), DEFAULT)

    def _idle_seconds(self, now: Instant) -> float:
        """Until the next job is due; blocked ones are woken when a job before them ends."""
        is_waiting = bool(self._heap) and not self._is_draining
        return min(IDLE_SECONDS, max(0, self._heap[0][0] - now) / SECOND) if is_waiting else IDLE_SECONDS

    async def _run_one(self, job: Job, handlers: Handlers) -> None:
        began = self._running_since[job.id] = self._clock.now()
        try:
            await self._attempt(job, handlers, began)
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            # A bug in what is done about jobs: only this one is tried again.
            log.error("job_not_finished", job_id=job.id, topic=job.topic, exc_info=error)
            await self._clock.sleep(RETRY_SECONDS)
            heapq.heappush(self._heap, (job.due_at, job.id))  # not before: what is first there is about to begin
        finally:
            self._last_done_at = self._clock.now()
            self._worked_ms += self._last_done_at - began
            self._leave(job)
            self._running_since.pop(job.id, None)
            self._wake.set()

    async def _attempt(self, job: Job, handlers: Handlers, began: Instant) -> None:
        after = await self._done(job, handlers, began)
        if self._known.get(job.id) != job:
            return  # it was dropped or replaced while it ran
        if after is None and job.id in self._unrecorded:
            self._unlearn(JOB.key(job.id).path)
        else:
            await self._finish(job, after)

    async def _done(self, job: Job, handlers: Handlers, began: Instant) -> Job | None:
        """Do the job; what is left of it. Whatever goes wrong, also in what it waits for, is its failure alone."""
        try:
            await handlers[job.topic](job)
        except Defer as deferred:
            return msgspec.structs.replace(job, due_at=max(deferred.at, began + 1))
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            self._failed += 1
            return self._after_failure(job, error)
        self._completed += 1
        return None

    def _after_failure(self, job: Job, error: BaseException) -> Job:
        attempts, now = job.attempts + 1, self._clock.now()
        retry = self._policy_of(job).retry
        is_dead = retry.is_over(attempts) or isinstance(error, PermanentFailure)
        due_at = now + round(retry.pause(attempts) * self._random.uniform(1.0, 1.5))
        if isinstance(error, TryAgainAt):
            due_at = min(max(error.at, now + retry.pause_first), now + retry.pause_max)
        write, event = (log.error, "dead_letter") if is_dead else (log.warning, "job_failed")
        write(event, job_id=job.id, topic=job.topic, attempts=attempts, error=repr(error))
        return msgspec.structs.replace(
            job,
            attempts=attempts,
            is_dead=is_dead,
            last_error=repr(error)[:ERROR_LENGTH_MAX],
            due_at=due_at,
        )

    async def _finish(self, job: Job, after: Job | None) -> None:
        """Remove the job, or put what comes after it; unless it was replaced while it ran."""
        while True:
            try:
                is_ours = await self._store.transact(self._finish_reads(job), partial(self._finished, job, after))
            except StoreUnavailable:
                await self._clock.sleep(RETRY_SECONDS)
            else:
                break
        if not is_ours and self._known.get(job.id) == job:
            self._unlearn(JOB.key(job.id).path)  # another process has replaced it, or done it

    def _finish_reads(self, job: Job) -> Reads:
        return (JOB.key(job.id),)

    def _finished(self, job: Job, after: Job | None, view: View) -> Decision[bool]:
        key = JOB.key(job.id)
        if view.get(key) != (None if job.id in self._unrecorded else job):
            return Decision(False)
        return Decision(True, writes=(drop_job(job.id) if after is None else put(key, after),))


class SharedJobs(StoreJobs):
    """Where many processes put jobs: each runs its own. What is long overdue is nobody's: its process died, or never
    learned that its commit was done. Whoever has the duty puts it again under a new time, and so makes it their own; a
    process that is only slow finds its job replaced when it is done, and leaves it. It may be done twice.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        duty: Duty,
        policies: Mapping[str, PoolPolicy] | None = None,
        pool_of: Callable[[Job], str] = by_topic,
    ) -> None:
        super().__init__(store, clock, randomness, policies, pool_of)
        self._duty = duty

    async def load(self) -> None:
        """Nothing: what an earlier process left is overdue soon."""

    async def run(self, handlers: Handlers) -> None:
        await together(super().run(handlers), self._take_up(handlers))

    async def _take_up(self, handlers: Handlers) -> None:
        while True:
            await self._clock.sleep(TAKE_UP_SECONDS)
            if self._duty.is_ours() and not self._is_draining:
                try:
                    await self._take_up_overdue(handlers)
                except StoreUnavailable as error:
                    log.warning("jobs_not_taken_up", error=str(error))

    async def _take_up_overdue(self, handlers: Handlers) -> None:
        after = None
        while page := await self._store.scan(JOB.prefix(), after=after, limit=PAGE):
            overdue = self._clock.now() - OVERDUE_AFTER
            for _, job in page:
                if job.is_dead:
                    self._learn(job)
                elif job.due_at < overdue and job.topic in handlers and self._known.get(job.id) != job:
                    await self._make_ours(job)
            after = page[-1][0]
            if len(page) < PAGE:
                break

    async def _make_ours(self, job: Job) -> None:
        key, ours = JOB.key(job.id), msgspec.structs.replace(job, due_at=self._clock.now())

        def decide(view: View) -> Decision[bool]:
            is_still = view.get(key) == job
            return Decision(is_still, (put(key, ours),) if is_still else ())

        if await self._store.transact((key,), decide):
            log.warning("job_taken_up", job_id=job.id, topic=job.topic, due_at=job.due_at)

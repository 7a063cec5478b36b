"""Jobs whose messages wait on SQS (docs/decisions/0055).

The record is the truth, and a message a wake-up: look at this job, in this version. Whoever puts a job sends its
message right after the commit; whoever receives one whose record is gone, or is another version by now, forgets it. A
message is acknowledged when its job is finished, never before, and hidden from the others meanwhile. So messages may be
doubled, late, or lost: for what is overdue, the process with the duty sends another.

Where one job of a group may run at a time, its process has a lease on the group: two processes never run two of them.
What else a pool says (how many run at once) is for each process, as it is about what one process can bear.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress

import msgspec
import structlog

from traffic_tacos.engines.aws import AwsFault
from traffic_tacos.engines.group_leases import GROUP_LEASE, GroupKey, GroupLeases, Taken
from traffic_tacos.engines.jobs import RETRY_SECONDS, StoreJobs, by_topic
from traffic_tacos.engines.sqs_queues import VISIBLE_AGAIN_SECONDS, Queues, Received, Wake, decoded, wake_of
from traffic_tacos.engines.sqs_sending import Batches
from traffic_tacos.engines.sqs_sweep import Sweep
from traffic_tacos.engines.tasks import together
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.jobs import Handlers, JobFigures, JobView, PoolPolicy
from traffic_tacos.ports.peers import Duty
from traffic_tacos.ports.store import (
    JOB,
    DamagedRecord,
    Decision,
    Job,
    Reads,
    Store,
    StoreUnavailable,
    View,
    Write,
)

RENEWED_EVERY_SECONDS = 10.0
# A message may come so much before its job is due: its delay is in whole seconds, and clocks are not the same.
EARLY_MAX = 5 * SECOND
# When the message of a job counts as lost. A job without a lease may only be slow, and would run twice.
OVERDUE_AFTER, OVERDUE_WITHOUT_LEASE_AFTER = 10 * SECOND, 60 * SECOND
# Messages that a process has in hand: enough for all that may run, and few enough that other processes find some.
IN_HAND_MAX = 500
GROUP_WAITING_MAX = 8
PUT_BACK_SECONDS_MAX = 15
LET_GO_SECONDS = 2.0

log = structlog.get_logger()


class InHand:
    """The messages of one version of a job that we have received, until its work is done."""

    def __init__(self, queue: str, received: Received, at: Instant) -> None:
        self.queue = queue
        self.handles = [received.handle]
        self.times = received.times
        self.hidden_at = at


class SqsJobs(StoreJobs):
    """A `JobRunner`. `holder` names the process, and is never used again by another."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        duty: Duty,
        queues: Queues,
        holder: str,
        policies: Mapping[str, PoolPolicy] | None = None,
        pool_of: Callable[[Job], str] = by_topic,
    ) -> None:
        super().__init__(store, clock, randomness, policies, pool_of)
        self._queues = queues
        self._leases = GroupLeases(store, clock, holder)
        self._sweep = Sweep(store, clock, duty, self._overdue_after, self._send_soon)
        self._messages = {queue: Batches(queue, clock, self._send) for queue in queues.topics}
        self._acknowledgements = {queue: Batches(queue, clock, self._acknowledge) for queue in queues.topics}
        self._in_hand: dict[Wake, InHand] = {}
        self._some_done = asyncio.Event()

    async def load(self) -> None:
        """Nothing: what is due has a message, or gets one from the sweep."""

    def committed(self, writes: Sequence[Write]) -> None:
        for kind, path, value in writes:
            if kind is JOB:
                if value is None:
                    self._unlearn(path)
                elif not value.is_dead:
                    self._send_soon(value)

    async def run(self, handlers: Handlers) -> None:
        """Run jobs until cancelled. What is running then is cancelled, and other processes may have it at once."""
        self._known.clear()
        try:
            loops = [super().run(handlers), self._keep(), self._sweep.run()]
            for queue, topics in self._queues.topics.items():
                loops.append(self._messages[queue].run())
                if handlers.keys() >= set(topics):
                    loops += [self._acknowledgements[queue].run(), self._receive(queue)]
            await together(*loops)
        finally:
            in_hand = [*self._in_hand.values()]
            self._in_hand.clear()
            with suppress(AwsFault, StoreUnavailable, TimeoutError):  # then they come again later
                async with asyncio.timeout(LET_GO_SECONDS):
                    await self._let_go(in_hand)

    def can_attempt(self, topic: str) -> bool:  # noqa: ARG002 - whatever it is
        """Never: what is done here has come as a message about a record."""
        return False

    def figures(self) -> JobFigures:
        counted = self._sweep.counted
        pending = max(0, max(counted.pending, len(self._known)) - len(self._running))
        return msgspec.structs.replace(super().figures(), pending=pending, dead=counted.dead)

    async def show(self, job_id: str, topic: str, limit: int) -> list[JobView]:
        """Those of all processes, read from their records; whether one runs is only known of this process."""
        if job_id:
            job = await self._store.get(JOB.key(job_id))
            found = [] if job is None or topic not in ("", job.topic) else [job]
        else:
            found = await self._first(lambda job: topic in ("", job.topic), limit)
        return [JobView(job, self._running_since.get(job.id)) for job in found]

    async def dead_letters(self, limit: int) -> list[Job]:
        return await self._first(lambda job: job.is_dead, limit)

    async def _first(self, is_wanted: Callable[[Job], bool], limit: int) -> list[Job]:
        found: list[Job] = []
        async for page in self._sweep.pages():
            found += filter(is_wanted, page)
            if len(found) >= limit:
                break
        return found[:limit]

    async def dependencies(self) -> list[PartHealth]:
        """The queues: what waits in them, and for how long the oldest job has been due."""
        return await asyncio.gather(*map(self._queue_health, self._queues.topics))

    async def _queue_health(self, queue: str) -> PartHealth:
        name, started = self._queues.name(queue), self._clock.now()
        try:
            depth = await self._queues.depth(queue)
        except AwsFault as fault:
            return PartHealth(name, Health.UNHEALTHY, 0, endpoint="SQS", issues=(str(fault),))
        now, oldest = self._clock.now(), self._sweep.counted.oldest
        age = max(0, *(now - oldest.get(topic, now) for topic in self._queues.topics[queue]), 0) // SECOND
        shown = f"{depth.waiting} waiting, {depth.received} in hand, {depth.delayed} delayed; oldest due for {age} s"
        return PartHealth(name, Health.HEALTHY, now - started, endpoint=shown)

    def _send_soon(self, job: Job) -> None:
        queue = self._queues.queue_of(job)
        if queue is None:
            log.error("job_without_queue", job_id=job.id, topic=job.topic)
        else:
            self._messages[queue].add(wake_of(job))

    async def _send(self, queue: str, wakes: list[Wake]) -> list[Wake]:
        return await self._queues.send(queue, wakes, self._clock.now())

    async def _acknowledge(self, queue: str, handles: list[str]) -> list[str]:
        await self._queues.acknowledge(queue, handles)
        return []

    async def _receive(self, queue: str) -> None:
        """Take up what comes, as far as there is room for it, until cancelled; once drained, nothing more."""
        while not self._is_draining:
            room = IN_HAND_MAX - sum(hand.queue == queue for hand in self._in_hand.values())
            if room <= 0:
                self._some_done.clear()
                await self._some_done.wait()
                continue
            try:
                received = await self._queues.receive(queue, room)
                await asyncio.gather(*(self._take_up(queue, one) for one in received))
            except (AwsFault, StoreUnavailable) as fault:
                log.warning("messages_not_received", queue=queue, error=str(fault))
                await self._clock.sleep(RETRY_SECONDS)
        await asyncio.Event().wait()  # the first loop that ends would end all, and with them what still runs

    async def _take_up(self, queue: str, received: Received) -> None:
        wake = decoded(received.body)
        if wake is None:
            log.error("message_unreadable", queue=queue, body=received.body[:200])
            await self._queues.set_aside(queue, received)
            return
        try:
            job = await self._store.get(JOB.key(wake.id))
        except DamagedRecord:
            job = None  # which the store has noted; whoever mends it puts it again
        if job is None or job.is_dead or wake_of(job) != wake or self._queues.queue_of(job) != queue:
            self._acknowledgements[queue].add(received.handle)
        elif job.due_at > self._clock.now() + EARLY_MAX:
            if not await self._queues.send(queue, [wake], self._clock.now()):
                self._acknowledgements[queue].add(received.handle)
        elif (hand := self._in_hand.get(wake)) is not None:
            hand.handles.append(received.handle)  # it has come twice
        else:
            self._in_hand[wake] = InHand(queue, received, self._clock.now())
            if len(self._waiting.get(self._group_of(job), ())) < GROUP_WAITING_MAX:
                self._learn(job)
            else:
                await self._put_back(wake)

    async def _attempt(self, job: Job, handlers: Handlers, began: Instant) -> None:
        key, wake = self._lease_of(job), wake_of(job)
        try:
            taken = await self._taken(job, key)
            if taken is Taken.OURS:
                async with nullcontext() if key is None else self._leases.held(key):
                    after = await self._done(job, handlers, began)
                await self._finish(job, after)
                if key is not None:
                    self._leases.forget(key)
        except StoreUnavailable as error:
            log.warning("job_not_taken", job_id=job.id, topic=job.topic, error=str(error))
            taken = Taken.BUSY
        except TimeoutError:
            log.error("group_lease_lost", job_id=job.id, topic=job.topic)
            taken = Taken.BUSY
        if self._known.get(job.id) == job:
            del self._known[job.id]
        if taken is Taken.BUSY:
            await self._put_back(wake)
        else:
            self._forget(wake)

    async def _taken(self, job: Job, key: GroupKey | None) -> Taken:
        if key is not None:
            return await self._leases.take(job, key)
        return Taken.OURS if await self._store.get(JOB.key(job.id)) == job else Taken.GONE

    def _lease_of(self, job: Job) -> GroupKey | None:
        """The lease without which the job may not run; None where several of its group may."""
        return GROUP_LEASE.key(self._group_of(job)) if self._policy_of(job).group_max == 1 else None

    def _overdue_after(self, job: Job) -> Instant:
        return OVERDUE_WITHOUT_LEASE_AFTER if self._lease_of(job) is None else OVERDUE_AFTER

    def _finish_reads(self, job: Job) -> Reads:
        key = self._lease_of(job)
        return super()._finish_reads(job) if key is None else (*super()._finish_reads(job), key)

    def _finished(self, job: Job, after: Job | None, view: View) -> Decision[bool]:
        """With the end of its lease, in one commit."""
        finished, key = super()._finished(job, after, view), self._lease_of(job)
        ended = [] if key is None else self._leases.ended(view, key)
        return Decision(finished.reply, (*finished.writes, *ended))

    def _forget(self, wake: Wake) -> None:
        """Acknowledge the messages of a job: its work is done, or there is none any more."""
        if (hand := self._in_hand.pop(wake, None)) is not None:
            self._acknowledgements[hand.queue].add(*hand.handles)
        self._some_done.set()

    async def _put_back(self, wake: Wake) -> None:
        """Let the messages come again in some seconds, the more the oftener they have come."""
        if (hand := self._in_hand.pop(wake, None)) is not None:
            with suppress(AwsFault):  # then they come again later
                await self._queues.hide(hand.queue, hand.handles, min(hand.times, PUT_BACK_SECONDS_MAX))
        self._some_done.set()

    async def _keep(self) -> None:
        """Keep what is in hand hidden from others, and the leases ours, until cancelled."""
        while True:
            await self._clock.sleep(RENEWED_EVERY_SECONDS)
            for wake in [wake for wake in self._in_hand if not self._is_wanted(wake)]:
                self._forget(wake)
            await asyncio.gather(self._leases.renew(), *map(self._hide, self._queues.topics))

    def _is_wanted(self, wake: Wake) -> bool:
        job = self._known.get(wake.id)
        return wake.id in self._running or (job is not None and wake_of(job) == wake)

    async def _hide(self, queue: str) -> None:
        now = self._clock.now()
        hands = [one for one in self._in_hand.values() if one.queue == queue and now >= one.hidden_at + SECOND]
        handles = [handle for hand in hands for handle in hand.handles]
        try:
            await self._queues.hide(queue, handles, VISIBLE_AGAIN_SECONDS)
        except AwsFault as fault:
            log.warning("messages_not_hidden", queue=queue, error=str(fault))
        else:
            for hand in hands:
                hand.hidden_at = now

    async def _let_go(self, in_hand: Sequence[InHand]) -> None:
        await self._leases.give_back()
        for queue in self._queues.topics:
            handles = [handle for hand in in_hand if hand.queue == queue for handle in hand.handles]
            await asyncio.gather(
                self._messages[queue].flush(),
                self._acknowledgements[queue].flush(),
                self._queues.hide(queue, handles, 0),
            )

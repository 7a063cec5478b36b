"""All jobs looked at by one process for all: how many there are, and that none is without a message."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import msgspec
import structlog

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.peers import Duty
from traffic_tacos.ports.store import JOB, Decision, Job, Kind, Store, StoreUnavailable, put

SWEPT_EVERY_SECONDS = 5.0
PAGE = 1000

log = structlog.get_logger()


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What was found last; `oldest` is when the job of each topic was due that is due longest."""

    pending: int = 0
    dead: int = 0
    oldest: Mapping[str, Instant] = {}


COUNTED = Kind("jobs_counted", Counted)
KEY = COUNTED.key("all")


class OverdueAfter(Protocol):
    def __call__(self, job: Job, /) -> Instant: ...


class Sweep:
    """`send` gives a job another message, once it is overdue for as long as `overdue_after` says."""

    def __init__(
        self, store: Store, clock: Clock, duty: Duty, overdue_after: OverdueAfter, send: Callable[[Job], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._duty = duty
        self._overdue_after = overdue_after
        self._send = send
        self._swept_at: Instant = 0
        self.counted = Counted()

    async def run(self) -> None:
        """Sweep, or learn what another process has counted, until cancelled."""
        while True:
            try:
                if self._duty.is_ours():
                    await self._sweep()
                else:
                    self.counted = await self._store.get(KEY) or self.counted
            except StoreUnavailable as error:
                log.warning("jobs_not_swept", error=str(error))
            await self._clock.sleep(SWEPT_EVERY_SECONDS)

    async def pages(self) -> AsyncIterator[list[Job]]:
        """The records of all jobs."""
        after = None
        while page := await self._store.scan(JOB.prefix(), after=after, limit=PAGE):
            yield [job for _, job in page]
            after = page[-1][0]
            if len(page) < PAGE:
                return

    async def _sweep(self) -> None:
        now, pending, dead, oldest = self._clock.now(), 0, 0, dict[str, Instant]()
        async for page in self.pages():
            for job in page:
                if job.is_dead:
                    dead += 1
                    continue
                pending += 1
                oldest[job.topic] = min(job.due_at, oldest.get(job.topic, job.due_at))
                if is_sent_again(now - job.due_at, now - self._swept_at, self._overdue_after(job)):
                    log.warning("job_sent_again", job_id=job.id, topic=job.topic, due_at=job.due_at)
                    self._send(job)
        self._swept_at = now
        counted = Counted(pending, dead, oldest)
        if counted != self.counted:
            await self._store.transact((), lambda _: Decision(None, (put(KEY, counted),)))
            self.counted = counted


def is_sent_again(overdue: Instant, since: Instant, after: Instant) -> bool:
    """Whether a job that is so long overdue gets another message, when it was looked at `since` ago: once it is overdue
    for `after`, and then each time that this has doubled. There may only be many before it, and they must not double.
    """
    return (max(0, overdue) // after).bit_length() > (max(0, overdue - since) // after).bit_length()

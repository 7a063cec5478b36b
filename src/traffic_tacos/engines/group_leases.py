"""Leases on groups of jobs: where one job of a group may run at a time, its process has one while it runs.

Taken in the decision that finds the job still to be done, given back in the one that finishes it. So it costs a
purchase no request of its own; a process that dies keeps a group from others for LEASE_FOR.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum, auto
from functools import partial

import msgspec
import structlog

from traffic_tacos.engines.leases import SKEW_MAX
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import (
    JOB,
    Decision,
    Job,
    Key,
    Kind,
    Store,
    StoreUnavailable,
    View,
    Write,
    delete,
    in_commits,
    put,
)

LEASE_FOR = 30 * SECOND
# How soon a group that another process has is asked for again.
ASKED_AFTER_SECONDS = (0.05, 0.1, 0.2, 0.4)

log = structlog.get_logger()


class GroupLease(msgspec.Struct, frozen=True, gc=False):
    """A process that runs a job of a group."""

    holder: str
    until: Instant


GROUP_LEASE = Kind("job_group", GroupLease)
GroupKey = Key[GroupLease]


class Taken(Enum):
    OURS = auto()
    BUSY = auto()  # another process runs a job of its group
    GONE = auto()  # it is done, or replaced


class GroupLeases:
    """`holder` names this process. It must not run two jobs of a group itself: to its own jobs no lease says no."""

    def __init__(self, store: Store, clock: Clock, holder: str) -> None:
        self._store = store
        self._clock = clock
        self._holder = holder
        self._held: dict[GroupKey, asyncio.Timeout] = {}
        self._ours: set[GroupKey] = set()

    async def take(self, job: Job, key: GroupKey) -> Taken:
        """Whether the job, as it is, is still to be done and the lease is ours; asked for up to a second."""
        taken = await self._ask(job, key)
        for seconds in ASKED_AFTER_SECONDS:
            if taken is not Taken.BUSY:
                break
            await self._clock.sleep(seconds)
            taken = await self._ask(job, key)
        if taken is Taken.OURS:
            self._ours.add(key)
        return taken

    @asynccontextmanager
    async def held(self, key: GroupKey) -> AsyncIterator[None]:
        """As long as a lease that was taken is ours: TimeoutError once it was not renewed in time."""
        async with asyncio.timeout((LEASE_FOR - SKEW_MAX) / SECOND) as limit:
            self._held[key] = limit
            try:
                yield
            finally:
                del self._held[key]

    def ended(self, view: View, key: GroupKey) -> list[Write]:
        """The end of a lease of ours, in a decision that has declared it."""
        lease = view.get(key)
        return [delete(key)] if lease is not None and lease.holder == self._holder else []

    def forget(self, key: GroupKey) -> None:
        """The lease has ended."""
        self._ours.discard(key)

    async def give_back(self) -> None:
        """End all that are ours, so that nobody has to wait for them."""
        keys = [*self._ours]
        self._ours.clear()
        for some in in_commits(keys):
            await self._store.transact(some, partial(self._all_ended, some))

    async def renew(self) -> None:
        """Renew those that are held."""
        await asyncio.gather(*map(self._renew, [*self._held]))

    def _all_ended(self, keys: Sequence[GroupKey], view: View) -> Decision[None]:
        return Decision(None, [write for key in keys for write in self.ended(view, key)])

    async def _ask(self, job: Job, key: GroupKey) -> Taken:
        now = self._clock.now()

        def decide(view: View) -> Decision[Taken]:
            if view.get(JOB.key(job.id)) != job:
                return Decision(Taken.GONE)
            lease = view.get(key)
            if lease is not None and lease.holder != self._holder and now < lease.until + SKEW_MAX:
                return Decision(Taken.BUSY)
            return Decision(Taken.OURS, (put(key, GroupLease(self._holder, now + LEASE_FOR)),))

        return await self._store.transact((JOB.key(job.id), key), decide)

    async def _renew(self, key: GroupKey) -> None:
        now, loop = self._clock.now(), asyncio.get_running_loop()
        until = loop.time() + (LEASE_FOR - SKEW_MAX) / SECOND

        def decide(view: View) -> Decision[bool]:
            lease = view.get(key)
            if lease is None or lease.holder != self._holder:
                return Decision(False)
            return Decision(True, (put(key, GroupLease(self._holder, now + LEASE_FOR)),))

        try:
            is_ours = await self._store.transact((key,), decide)
        except StoreUnavailable as error:
            log.warning("group_lease_not_renewed", lease=key.path, error=str(error))
            return
        if (limit := self._held.get(key)) is not None:
            limit.reschedule(until if is_ours else loop.time())

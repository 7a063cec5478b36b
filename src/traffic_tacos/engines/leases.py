"""Leases: what one process of several does, until it dies or lets go, and then another.

A lease lasts LEASE_FOR and is renewed every second. Its holder counts from before it asked, and stops SKEW_MAX early;
who waits for it counts SKEW_MAX more: clocks may be apart by as much. Whoever takes it over raises the fence, a record
of its own; a decision that declares the fence and finds it raised was decided by a holder of the past, and is lost
(Kleppmann 2016, "How to do distributed locking": a lease alone does not keep a paused process from writing).
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
import structlog

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import (
    Decision,
    Key,
    Kind,
    Prefix,
    Reads,
    Store,
    StoreUnavailable,
    View,
    delete,
    put,
)

T = TypeVar("T")
R = TypeVar("R")

LEASE_FOR = 4 * SECOND
SKEW_MAX = SECOND
RENEWED_EVERY_SECONDS = 1.0

log = structlog.get_logger()


class Lease(msgspec.Struct, frozen=True, gc=False):
    holder: str
    until: Instant


class Fence(msgspec.Struct, frozen=True, gc=False):
    """How often the lease has changed hands."""

    number: int


LEASE = Kind("lease", Lease)
FENCE = Kind("fence", Fence)


class HeldLease:
    """A process's view of one lease; a `Duty`. `holder` names the process, and is never used again by another.

    With `is_lost_for_good`, a process that another has taken the lease from never takes it back: what it remembers is
    of the past.
    """

    def __init__(self, store: Store, clock: Clock, name: str, holder: str, *, is_lost_for_good: bool = False) -> None:
        self.name = name
        self.fence = FENCE.key(name)
        self.number = 0  # of the fence, while the lease is ours
        self._store = store
        self._clock = clock
        self._key = LEASE.key(name)
        self._holder = holder
        self._until: Instant = 0
        self._is_lost_for_good = is_lost_for_good

    def is_ours(self) -> bool:
        return self._clock.now() < self._until

    async def ask(self) -> bool:
        """Take the lease where it is free, or renew it; whether it is ours."""
        now = self._clock.now()

        def decide(view: View) -> Decision[int]:
            lease, fence = view.get(self._key), view.get(self.fence) or Fence(0)
            if self._is_lost_for_good and self.number and fence.number != self.number:
                return Decision(0)
            if lease is None or (lease.holder != self._holder and now >= lease.until + SKEW_MAX):
                taken = Fence(fence.number + 1)
                return Decision(taken.number, (put(self._key, self._mine(now)), put(self.fence, taken)))
            if lease.holder != self._holder:
                return Decision(0)
            return Decision(fence.number, (put(self._key, self._mine(now)),))

        number = await self._store.transact((self._key, self.fence), decide)
        if number and number != self.number:
            log.info("lease_taken", lease=self.name, number=number)
        if number:
            self.number, self._until = number, now + LEASE_FOR - SKEW_MAX
        return bool(number)

    async def run(self) -> None:
        """Go on asking, until cancelled."""
        while True:
            try:
                await self.ask()
            except StoreUnavailable as error:
                log.warning("lease_not_acquired", lease=self.name, error=str(error))
            await self._clock.sleep(RENEWED_EVERY_SECONDS)

    async def let_go(self) -> None:
        """So that nobody has to wait for it to run out."""
        self._until = 0

        def decide(view: View) -> Decision[None]:
            lease = view.get(self._key)
            return Decision(None, (delete(self._key),) if lease is not None and lease.holder == self._holder else ())

        await self._store.transact((self._key,), decide)

    def _mine(self, now: Instant) -> Lease:
        return Lease(self._holder, now + LEASE_FOR)


class FencedStore:
    """A store for what only the holder of a lease may write: every decision that writes declares the fence."""

    def __init__(self, store: Store, lease: HeldLease) -> None:
        self._store = store
        self._lease = lease

    async def get(self, key: Key[T]) -> T | None:
        return await self._store.get(key)

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        return await self._store.scan(prefix, after=after, limit=limit)

    def damaged(self) -> Mapping[str, str]:
        return self._store.damaged()

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        """As the store's; StoreUnavailable once another process has the lease."""
        lease, number = self._lease, self._lease.number

        def deciding(view: View) -> Decision[R]:
            fence = view.get(lease.fence)
            if not number or fence is None or fence.number != number:
                raise StoreUnavailable(f"another process holds the lease of {lease.name} now")
            return decide(view)

        deciding.__qualname__ = getattr(decide, "__qualname__", deciding.__qualname__)  # what a trace names it by
        return await self._store.transact((*reads, lease.fence), deciding)

"""Several processes on one store, which know each other by what they write there.

One keeps the *house* for all: sweeps, reconciles, hands over the events that a dead process left. One takes over the
*jobs* that are left. A room that is in one process at a time is a lease too, and what it writes is fenced; a second
process that has the room waits for it, and goes on where the first has ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from traffic_tacos.engines.follower import Follower
from traffic_tacos.engines.leases import FencedStore, HeldLease
from traffic_tacos.engines.presence import Presence
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.peers import Duty, OnCommit, Share
from traffic_tacos.ports.store import Kind, Store, StoreUnavailable, Write

HOUSE = "duty"
JOBS = "jobs"
ASKED_EVERY_SECONDS = 0.5
IN_FORCE_WITHIN_SECONDS = 1.0  # two looks of a follower

log = structlog.get_logger()


class SharedPeers:
    """A `Peers`, whose duty is the house. `one_at_a_time` are rooms that one process has; `divided` are those whose
    processes divide their work; `duties` are those that this process asks for; `name` is this process's, and never
    another's.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        name: str,
        *,
        small: Sequence[Kind[Any]],
        growing: Sequence[Kind[Any]],
        one_at_a_time: Sequence[str],
        divided: Sequence[str],
        duties: Collection[str] = (HOUSE, JOBS),
    ) -> None:
        self._store = store
        self._clock = clock
        self._duties = {duty: HeldLease(store, clock, duty, name) for duty in (HOUSE, JOBS)}
        self._asked = [lease for duty, lease in self._duties.items() if duty in duties]
        self._leases = {room: HeldLease(store, clock, room, name, is_lost_for_good=True) for room in one_at_a_time}
        self._held: list[HeldLease] = []
        self._presence = Presence(store, clock, name)
        self._divided = divided
        self._divides = False
        self._follower = Follower(store, clock, small, growing, self._committed_elsewhere)
        self._on_commit: OnCommit = lambda _: None

    def is_ours(self) -> bool:
        return self._duties[HOUSE].is_ours()

    @property
    def jobs(self) -> Duty:
        """The duty to take over the jobs that are left."""
        return self._duties[JOBS]

    def share(self) -> Share:
        return self._presence.share()

    def looked_at(self) -> Instant | None:
        return self._follower.looked_at

    def leases(self) -> Mapping[str, int]:
        return {lease.name: lease.number for lease in (*self._asked, *self._held) if lease.is_ours()}

    async def begin(self, rooms: Collection[str], on_commit: OnCommit) -> None:
        self._on_commit = on_commit
        self._divides = any(room in rooms for room in self._divided)
        self._held = [lease for room, lease in self._leases.items() if room in rooms]
        for lease in self._held:
            is_logged = False
            while not await lease.ask():
                if not is_logged:
                    log.warning("waiting_for_lease", lease=lease.name)
                    is_logged = True
                await self._clock.sleep(ASKED_EVERY_SECONDS)
        for lease in self._asked:
            with suppress(StoreUnavailable):  # it is asked for again and again
                await lease.ask()
        await self._follower.load()

    def store_of(self, room: str, store: Store) -> Store:
        lease = self._leases.get(room)
        return store if lease is None else FencedStore(store, lease)

    def has(self, room: str) -> bool:
        lease = self._leases.get(room)
        return lease is None or lease.is_ours()

    def committed(self, writes: Sequence[Write]) -> None:
        self._follower.committed(writes)

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        leases = {f"lease of {lease.name}": lease.run for lease in self._asked}
        leases |= {f"lease of {lease.name}": partial(self._keep_room, lease) for lease in self._leases.values()}
        return {"changes": self._follower.run, "presence": self._be_present} | leases

    async def end(self) -> None:
        if self._divides:
            await self._presence.leave()
        for lease in (*self._held, *self._asked):
            with suppress(StoreUnavailable):  # then it runs out
                await lease.let_go()

    # Which rooms this process has is known since `begin`, and not when its loops are named.

    async def _keep_room(self, lease: HeldLease) -> None:
        await (lease.run() if lease in self._held else asyncio.Event().wait())

    async def _be_present(self) -> None:
        await (self._presence.run() if self._divides else asyncio.Event().wait())

    def _committed_elsewhere(self, writes: Sequence[Write]) -> None:
        self._on_commit(writes)

"""How the platform's parts are, measured when asked."""

import shutil
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.operations.overrides import Overrides
from traffic_tacos.operations.reconciler import Reconciler
from traffic_tacos.ports.audit import CHAIN_END
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.event_relay import EventRelay
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.jobs import Jobs
from traffic_tacos.ports.peers import Peers
from traffic_tacos.ports.store import Decision, Store

SLOW_MS = 250
MEGABYTE = 1_000_000
DISK_FREE_NEEDED, DISK_FREE_WANTED = 100 * MEGABYTE, 1000 * MEGABYTE
STALE_AFTER = 10 * SECOND
BEATS_EVERY_SECONDS = 0.5
BEATS_REMEMBERED = 20
ISSUES_SHOWN_MAX = 10

_version = cache(version)  # which reads files
log = structlog.get_logger()


class Heartbeat:
    """How late the event loop is: whatever it does not come to in time is answered late."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[Instant] = deque([0], maxlen=BEATS_REMEMBERED)

    @property
    def lag(self) -> Instant:
        """The worst of the last ten seconds, in milliseconds."""
        return max(self._late)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            due = self._clock.now() + round(BEATS_EVERY_SECONDS * SECOND)
            await self._clock.sleep(BEATS_EVERY_SECONDS)
            self._late.append(max(0, self._clock.now() - due))


class PlatformHealth:
    """In one process a room is as well as what it stands on: rooms answer, so it is the store that decides."""

    def __init__(
        self,
        rooms: Sequence[str],
        data: Path,
        store_at: str,
        store: Store,
        peers: Peers,
        clock: Clock,
        jobs: Jobs,
        outbox: EventRelay,
        reconciler: Reconciler,
        heartbeat: Heartbeat,
        overrides: Overrides,
    ) -> None:
        self._overrides = overrides
        self._heartbeat = heartbeat
        self._unready: dict[str, Callable[[], list[str]]] = {}
        self._finders: dict[str, list[Callable[[], list[str]]]] = {}
        self._elsewhere: list[Callable[[], Awaitable[list[PartHealth]]]] = []
        self._outside: list[Callable[[], Awaitable[Sequence[PartHealth]]]] = []
        self._data = data
        self._store_at = store_at
        self._peers = peers
        self._reconciler = reconciler
        self._rooms = tuple(rooms)
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._outbox = outbox
        self._started_at = clock.now()
        self.version = _version("traffic-tacos")
        self.is_stopping = False

    def add_issues(self, room: str, find: Callable[[], list[str]]) -> None:
        """Whatever `find` finds, when asked, is an issue of the room: it works, and not as it should."""
        self._finders.setdefault(room, []).append(find)

    def add_unready(self, room: str, find: Callable[[], list[str]]) -> None:
        """With whatever `find` finds, when asked, this process is not ready."""
        self._unready[room] = find

    def add_rooms(self, look: Callable[[], Awaitable[list[PartHealth]]]) -> None:
        """Rooms of other processes, as `look` finds them when asked."""
        self._elsewhere.append(look)

    def add_dependencies(self, look: Callable[[], Awaitable[Sequence[PartHealth]]]) -> None:
        """What lies outside this process, as `look` finds it when asked."""
        self._outside.append(look)

    @property
    def uptime_seconds(self) -> int:
        return (self._clock.now() - self._started_at) // SECOND

    async def rooms(self) -> list[PartHealth]:
        store = await self._store_health()
        figures = self._jobs.figures()
        rooms = []
        for name in self._rooms:
            health, issues = store.health, list(store.issues)
            found = [issue for find in self._finders.get(name, ()) for issue in _found(find)]
            if troubles := [*self._overrides.issues(name), *found]:
                health = max(health, Health.DEGRADED)
                issues += troubles
            shown = self._overrides.notes(name)
            if name == "worker":
                shown |= {
                    "jobs_pending": str(figures.pending),
                    "jobs_running": str(figures.running),
                    "jobs_dead": str(figures.dead),
                    "jobs_completed": str(figures.completed),
                }
                if figures.dead:
                    health = max(health, Health.DEGRADED)
                    issues.append(f"{figures.dead} dead letters: a person has to look at them")
                if (report := self._reconciler.last) is not None and report.differences:
                    shown["inconsistencies_found"] = str(len(report.differences))
                    shown["inconsistencies_repaired"] = str(len(report.repaired))
                    health = max(health, Health.DEGRADED)
                    issues += [one.what for one in report.differences[:ISSUES_SHOWN_MAX]]
            rooms.append(PartHealth(name, health, store.response_ms, figures=shown, issues=tuple(issues)))
        return [*rooms, *[room for look in self._elsewhere for room in await look()]]

    async def readiness(self) -> list[PartHealth]:
        """What this process cannot answer without. Queues and the bus are not of it: what they carry is in records."""
        return [
            self._with_damage(await self._store_health()),
            self._event_loop_health(),
            *self._changes_health(),
            *self._disk_health(),
            *self._unready_rooms(),
        ]

    async def dependencies(self) -> list[PartHealth]:
        figures = self._jobs.figures()
        jobs = Health.DEGRADED if figures.dead else Health.HEALTHY
        return [
            *await self.readiness(),
            PartHealth("jobs", jobs, 0, endpoint=f"{figures.pending} pending"),
            PartHealth("events", Health.HEALTHY, 0, endpoint=f"{self._outbox.waiting()} waiting"),
            *[part for look in self._outside for part in await look()],
        ]

    def _event_loop_health(self) -> PartHealth:
        """How late the loop that everything runs on has been at worst in the last seconds."""
        lag = self._heartbeat.lag
        if lag > SLOW_MS:
            return PartHealth("event_loop", Health.DEGRADED, lag, "embedded", issues=(f"lag of {lag} ms",))
        return PartHealth("event_loop", Health.HEALTHY, lag, "embedded")

    def _changes_health(self) -> list[PartHealth]:
        """How long ago it was looked at what other processes have changed; nothing is said where there are none."""
        looked_at = self._peers.looked_at()
        if looked_at is None:
            return []
        ago = self._clock.now() - looked_at
        if ago <= STALE_AFTER:
            return [PartHealth("changes", Health.HEALTHY, 0)]
        issue = f"what other processes have changed was last seen {ago // SECOND} seconds ago"
        return [PartHealth("changes", Health.UNHEALTHY, 0, issues=(issue,))]

    def _unready_rooms(self) -> list[PartHealth]:
        found = {room: _found(find) for room, find in self._unready.items()}
        return [PartHealth(room, Health.UNHEALTHY, 0, issues=tuple(issues)) for room, issues in found.items() if issues]

    def disk_free(self) -> int | None:
        """Bytes left where the data is; None for a platform that has no folder."""
        return shutil.disk_usage(self._data).free if self._data.exists() else None

    def _disk_health(self) -> list[PartHealth]:
        """What is left where the data is; nothing is said of a platform that has no folder."""
        free = self.disk_free()
        if free is None:
            return []
        endpoint = f"{free // MEGABYTE:,} MB free"
        if free < DISK_FREE_NEEDED:
            return [PartHealth("disk", Health.UNHEALTHY, 0, endpoint, issues=("the disk is full",))]
        if free < DISK_FREE_WANTED:
            return [PartHealth("disk", Health.DEGRADED, 0, endpoint, issues=("the disk is nearly full",))]
        return [PartHealth("disk", Health.HEALTHY, 0, endpoint)]

    def _with_damage(self, store: PartHealth) -> PartHealth:
        """The store works, and some of what is in it cannot be read."""
        damaged = [f"{path} cannot be read: {why}" for path, why in self._store.damaged().items()]
        if not damaged:
            return store
        return msgspec.structs.replace(
            store,
            health=max(store.health, Health.DEGRADED),
            endpoint=f"{store.endpoint}; records that cannot be read: {len(damaged)}, such as {damaged[0]}",
            issues=(*store.issues, *damaged[:ISSUES_SHOWN_MAX]),
        )

    async def _store_health(self) -> PartHealth:
        """A decision that reads one record and writes nothing: it waits as long as those of callers do, and a store
        that cannot be reached is noticed, also where nothing is written.
        """
        started = self._clock.now()
        try:
            await self._store.transact((CHAIN_END,), lambda _: Decision(None))
        except Fault as fault:
            return PartHealth("store", Health.UNHEALTHY, 0, endpoint=self._store_at, issues=(str(fault),))
        took = self._clock.now() - started
        if took > SLOW_MS:
            return PartHealth(
                "store", Health.DEGRADED, took, endpoint=self._store_at, issues=(f"answers in {took} ms",)
            )
        return PartHealth("store", Health.HEALTHY, took, endpoint=self._store_at)


def _found(find: Callable[[], list[str]]) -> list[str]:
    """What a check finds; that it failed, when it does."""
    try:
        return find()
    except Exception as error:
        log.error("health_check_failed", exc_info=error)
        return [f"a health check failed: {error!r}"]

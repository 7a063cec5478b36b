"""How the platform's parts are, measured when asked."""

from importlib.metadata import version

from traffic_tacos.app.reconciler import Reconciler
from traffic_tacos.engines.jobs import StoreJobs
from traffic_tacos.engines.outbox import Outbox
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.store import Decision, Store

SLOW_MS = 250
ISSUES_SHOWN_MAX = 10


class PlatformHealth:
    """In one process a room is as well as what it stands on: rooms answer, so it is the store that decides."""

    def __init__(
        self,
        rooms: tuple[str, ...],
        store: Store,
        clock: Clock,
        jobs: StoreJobs,
        outbox: Outbox,
        reconciler: Reconciler,
    ) -> None:
        self._reconciler = reconciler
        self._rooms = rooms
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._outbox = outbox
        self._started_at = clock.now()

    @property
    def version(self) -> str:
        return version("traffic-tacos")

    @property
    def uptime_seconds(self) -> int:
        return (self._clock.now() - self._started_at) // SECOND

    async def rooms(self) -> list[PartHealth]:
        store = await self._store_health()
        figures = self._jobs.figures()
        rooms = []
        for name in self._rooms:
            health, issues = store.health, list(store.issues)
            shown: dict[str, str] = {}
            if name == "worker":
                shown = {
                    "jobs_pending": str(figures.pending),
                    "jobs_running": str(figures.running),
                    "jobs_dead": str(figures.dead),
                    "jobs_completed": str(figures.completed),
                }
                if figures.dead:
                    health = max(health, Health.DEGRADED)
                    issues.append(f"{figures.dead} dead jobs wait to be looked at")
                if (report := self._reconciler.last) is not None and report.differences:
                    shown["differences_found"] = str(len(report.differences))
                    shown["differences_repaired"] = str(len(report.repaired))
                    health = max(health, Health.DEGRADED)
                    issues += [one.what for one in report.differences[:ISSUES_SHOWN_MAX]]
            rooms.append(PartHealth(name, health, store.response_ms, figures=shown, issues=tuple(issues)))
        return rooms

    async def dependencies(self) -> list[PartHealth]:
        figures = self._jobs.figures()
        jobs = Health.DEGRADED if figures.dead else Health.HEALTHY
        return [
            await self._store_health(),
            PartHealth("jobs", jobs, 0, endpoint=f"{figures.pending} pending"),
            PartHealth("events", Health.HEALTHY, 0, endpoint=f"{self._outbox.waiting()} waiting"),
        ]

    async def _store_health(self) -> PartHealth:
        """An empty decision has to wait for the disk only when others do: that is the delay callers see."""
        started = self._clock.now()
        try:
            await self._store.transact((), lambda _: Decision(None))
        except Fault as fault:
            return PartHealth("store", Health.UNHEALTHY, 0, endpoint="embedded", issues=(str(fault),))
        took = self._clock.now() - started
        if took > SLOW_MS:
            return PartHealth("store", Health.DEGRADED, took, endpoint="embedded", issues=(f"answers in {took} ms",))
        return PartHealth("store", Health.HEALTHY, took, endpoint="embedded")

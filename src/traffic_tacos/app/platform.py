"""The rooms of a process, put together over its engines. The same for `tacos up`, for tests and for simulations.

What a room is made of stands in its `build.py`; here is only what all of them share. A new room is one name in
`config.ROOMS` and one function.
"""

import contextlib
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, cast

import grpc
import structlog

from traffic_tacos.app.config import Config
from traffic_tacos.app.engines import Engines
from traffic_tacos.calls.authentication import Authenticator, Endpoints, FetchJson, ForeignIssuer, fetch_json
from traffic_tacos.calls.dispatch import Calls
from traffic_tacos.calls.keys import Keyring, key_set
from traffic_tacos.calls.limits import Limits
from traffic_tacos.calls.local import RoomChannel
from traffic_tacos.calls.remote import Remote, RemoteRooms
from traffic_tacos.engines.loops import Loops
from traffic_tacos.engines.purge import purge_expired
from traffic_tacos.engines.settings import SETTING
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.kernel.errors import Code, Damaged, Fault, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import is_ticket
from traffic_tacos.operations.activity import Activity, log_operator_actions
from traffic_tacos.operations.cache_admin import PlatformCacheAdmin
from traffic_tacos.operations.health import Heartbeat, PlatformHealth
from traffic_tacos.operations.history import History
from traffic_tacos.operations.overrides import Overrides
from traffic_tacos.operations.reconciler import Reconciler
from traffic_tacos.operations.rotations import RotationAudit
from traffic_tacos.operations.rpc import OperationsRpc
from traffic_tacos.ports.audit import AUDIT
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.figures import Logs
from traffic_tacos.ports.jobs import Handler
from traffic_tacos.ports.messages import NO_MESSAGES, Inbox
from traffic_tacos.ports.payments import PaymentStops
from traffic_tacos.ports.peers import ALONE, OnCommit
from traffic_tacos.ports.rooms import Dependencies, Loop, Receiver, Room
from traffic_tacos.ports.seats import Seats
from traffic_tacos.ports.settings import LOG_LEVEL, MAINTENANCE
from traffic_tacos.ports.store import JOB, OUTBOX, Kind, Write
from traffic_tacos.rooms.catalog.service import Catalog

T = TypeVar("T")
log = structlog.get_logger()


class Platform:
    """Build it, `load` it, then `run` it. `committed` must be given every commit of the store.

    `handlers` are those of all jobs, by topic; `receivers` take what is posted over HTTP, by path.
    """

    def __init__(
        self,
        config: Config,
        engines: Engines,
        keyring: Keyring,
        logs: Logs,
        fetch: FetchJson = fetch_json,
        remote: Remote | None = None,
    ) -> None:
        """`remote` answers for rooms that are not here; those that the configuration names, over gRPC, by default."""
        self.config, self.engines, self.keyring = config, engines, keyring
        self._networks = config.networks
        self.clock, store, self._settings = engines.clock, engines.store, engines.settings
        self._issuer = _issuer(config, self.clock, fetch)
        authenticator = Authenticator(keyring, self.clock, self._issuer)
        self.calls = _calls(config, engines, keyring, authenticator)
        self._remote = remote or RemoteRooms(config.remote, keyring, self.clock)
        self.overrides = Overrides(store)
        self.reconciler = Reconciler(engines.on_snapshot, store, self.clock, engines.peers)
        self.loops = Loops(self.clock)
        self._heartbeat = Heartbeat(self.clock)
        self.health = self._health()
        self._history = History(self.calls.metrics, self.clock)
        self._activity = Activity(self.calls.metrics, self.clock)
        self._rotations = RotationAudit(store, self.clock, keyring.folder)
        self._cache_admin = PlatformCacheAdmin(store, self.clock)
        self.rooms: dict[str, Room] = {}
        for name in config.rooms:
            self.rooms[name] = _build(name, self._dependencies(name, authenticator, logs))
        self._seats = self._brought(lambda room: room.seats)
        self._payment_stops = self._brought(lambda room: room.payment_stops)
        self._amounts_due = self._brought(lambda room: room.amounts_due)
        # To apply them is the worker's; where it is elsewhere, or not there at all, nobody does so in its place.
        self._payment_results = self._brought(lambda room: room.payment_results) if "worker" in self.rooms else None
        handlers = ChainMap(*(dict(room.handlers) for room in self.rooms.values()))
        self.handlers: Mapping[str, Handler] = dict(handlers) if config.does_jobs else {}
        self.receivers: Mapping[str, Receiver] = dict(ChainMap(*(dict(room.receivers) for room in self.rooms.values())))
        self._loops, self._listeners = self._all_loops(), self._all_listeners()
        self._connect(authenticator, logs)

    def _health(self) -> PlatformHealth:
        return PlatformHealth(
            self.config.rooms,
            self.config.data,
            self.config.store_at,
            self.engines.store,
            self.engines.peers,
            self.clock,
            self.engines.jobs,
            self.engines.events,
            self.reconciler,
            self._heartbeat,
            self.overrides,
        )

    def _dependencies(self, name: str, authenticator: Authenticator, logs: Logs) -> Dependencies:
        return Dependencies(
            store=self.engines.peers.store_of(name, self.engines.store),
            log=self.engines.log,
            has_peers=self.engines.peers is not ALONE,
            is_ours=partial(self.engines.peers.has, name),
            share=self.engines.peers.share,
            clock=self.clock,
            randomness=self.engines.randomness,
            channel=self.channel(name),
            seats=self.seats,
            payment_stops=self.payment_stops,
            amounts_due=lambda: self._amounts_due,
            payment_results=lambda: self._payment_results,
            keyring=self.keyring,
            settings=self._settings,
            jobs=self.engines.jobs,
            messages=self,
            health=self.health,
            figures=self._history,
            logs=logs,
            cache_admin=self._cache_admin,
            post=self.engines.post,
            user_of=authenticator.user,
            networks=self._networks,
            takes_guests=not self.config.issuer,
            time_scale=self.config.time_scale,
            pay_url=self.config.pay_url,
            webhook_url=self.config.webhook_url,
        )

    def _connect(self, authenticator: Authenticator, logs: Logs) -> None:
        """Everything that the rooms bring, to where it is used."""
        operations = OperationsRpc(
            self.engines.on_snapshot,
            self.reconciler,
            self.engines.store,
            self.clock,
            self.engines.jobs,
            self._settings,
            self.overrides,
        )
        self.calls.add(operations, operations_pb2.DESCRIPTOR.services_by_name["OperationsService"])
        if "gateway" in self.rooms:
            for passed_on in self._remote.services():
                self.calls.add(*passed_on)
        for name, room in self.rooms.items():
            for service in room.services:
                self.calls.add(service.methods, service.descriptor)
            for subscriber in room.subscribers:
                self.engines.events.subscribe(subscriber)
            for subscriber in room.forwarders:
                self.engines.events.subscribe(subscriber, forwards=True)
            for setting, listener in room.settings.items():
                self._settings.on_change(setting, listener)
            for gauge in room.gauges:
                self.calls.metrics.add_gauges(*gauge)
            for cache in room.caches.items():
                self._cache_admin.add_cache(*cache)
            self.health.add_issues(name, room.issues)
            self.health.add_unready(name, room.unready)
        self.health.add_rooms(self._remote.health)
        for look in self.engines.dependencies:
            self.health.add_dependencies(look)
        self._cache_admin.add_cache("tokens", authenticator.known)
        self._cache_admin.add_refresh(self._refresh)
        self._settings.on_change(LOG_LEVEL, logs.set_level)
        self._settings.on_change(LOG_LEVEL, self._set_verbose)
        self._add_gauges()
        for name, (_, room_name) in self._loops.items():
            self.health.add_issues(room_name, partial(self.loops.issues, (name,)))

    def part(self, kind: type[T]) -> T:
        """The object of this type that a room of this process is made of. KeyError when there is none."""
        for room in self.rooms.values():
            for part in room.parts:
                if isinstance(part, kind):
                    return part
        raise KeyError(kind.__name__)

    def channel(self, room: str) -> grpc.aio.Channel:
        """What a room calls the others through."""
        return cast(grpc.aio.Channel, RoomChannel(self.calls, self.clock, room, self._remote))

    async def open(self, session_id: str, names: Sequence[str], user_id: str, wake: Callable[[], None]) -> Inbox:
        """The messages of whichever room of this process has some."""
        having = (room.messages for room in self.rooms.values() if room.messages is not NO_MESSAGES)
        return await next(having, NO_MESSAGES).open(session_id, names, user_id, wake)

    def _brought(self, part: Callable[[Room], T | None]) -> T | None:
        """What one of the rooms of this process brings to the others; None where none does."""
        return next((one for room in self.rooms.values() if (one := part(room)) is not None), None)

    def seats(self) -> Seats:
        """The seats of this process's inventory; `config.checked` sees to it that who needs them has them here."""
        assert self._seats is not None
        return self._seats

    def payment_stops(self) -> PaymentStops:
        """What stops payments of this process's store; they are where reservations are, see `seats`."""
        assert self._payment_stops is not None
        return self._payment_stops

    @property
    def sign_in(self) -> Endpoints | None:
        """Where people sign in; None where there is no other issuer."""
        return None if self._issuer is None else self._issuer.endpoints

    def key_set(self) -> dict[str, object]:
        """The public keys that our tokens can be verified with."""
        return key_set(self.keyring.verifying)

    async def audit_keys(self) -> None:
        """Write into the audit log what has become of the keys in their folder. A fault leaves it for the next time."""
        await self._rotations.write(self.keyring.signing_id, self.keyring.webhook)

    def committed(self, writes: Sequence[Write]) -> None:
        self.engines.peers.committed(writes)
        self._apply(writes)

    def _apply(self, writes: Sequence[Write]) -> None:
        """What this process has committed, or another process has."""
        by_kind: dict[Kind[Any], list[Write]] = {}
        for write in writes:
            if write.kind in self._listeners:
                by_kind.setdefault(write.kind, []).append(write)
        for kind, listeners in self._listeners.items():
            if (some := by_kind.get(kind)) is not None:
                for take_note in listeners:
                    take_note(some)

    def _all_listeners(self) -> dict[Kind[Any], list[OnCommit]]:
        """Who takes note of what commits wrote, by the kind of the records, in their order."""
        listeners: dict[Kind[Any], list[OnCommit]] = {
            AUDIT: [log_operator_actions, self.overrides.committed],
            SETTING: [self._settings.committed],
            JOB: [self.engines.jobs.committed],
            OUTBOX: [self.engines.events.committed],
        }
        for room in self.rooms.values():
            for kind, take_note in room.committed.items():
                listeners.setdefault(kind, []).append(take_note)
        return listeners

    async def load(self) -> None:
        """Take up what an earlier process left."""
        await self.engines.peers.begin(self.config.rooms, self._apply)
        await self._settings.load()
        await self.overrides.load()
        with contextlib.suppress(Fault):  # a log that cannot be read keeps nobody from starting
            await self.audit_keys()
        await self.engines.jobs.load()
        await self.engines.events.load()
        for room in self.rooms.values():
            await room.load()

    async def taken_up(self) -> dict[str, int]:
        """How much there is at the start, for the log."""
        counted = {name: count for room in self.rooms.values() for name, count in (await room.taken_up()).items()}
        jobs = self.engines.jobs.figures()
        return counted | {
            "jobs_pending": jobs.pending,
            "dead_letters": jobs.dead,
            "outbox_backlog": self.engines.events.waiting(),
            "overrides": len(self.overrides.all()),
        }

    def keep(self, name: str, loop: Loop) -> None:
        """Run one more loop in the background, of whatever stands before the platform; before `run`."""
        somebody = next(iter(self.rooms), "")
        self._loops[name] = loop, somebody
        self.health.add_issues(somebody, partial(self.loops.issues, (name,)))

    async def run(self) -> None:
        """Everything that goes on in the background, until cancelled. Whatever fails is started again."""
        await self.loops.run({name: loop for name, (loop, _) in self._loops.items()})

    async def close(self) -> None:
        """Let go of what other processes may need, and of their rooms."""
        await self.engines.peers.end()
        await self._remote.close()

    def hang_up(self) -> None:
        """End the open streams: their readers are asked to come back."""
        for room in self.rooms.values():
            room.hang_up()

    async def put_on_sale(self, document: str, seating_plan: str = "") -> None:
        """An event given at the start. One that was put on sale before, from an older file, stays as it is."""
        try:
            await self.part(Catalog).create(document, seating_plan)
        except Refusal as refusal:
            if refusal.code is not Code.ALREADY_EXISTS:
                raise
        except Damaged as damage:
            log.error("not_put_on_sale", error=str(damage))  # the platform starts without it

    def _all_loops(self) -> dict[str, tuple[Loop, str]]:
        """Every background loop by name, and the room of this process whose health shows it failing."""
        jobs, store, peers = self.engines.jobs, self.engines.store, self.engines.peers
        loops: dict[str, tuple[Loop, str]] = {
            "jobs": (lambda: jobs.run(self.handlers), "worker"),
            "outbox": (self.engines.events.run, "realtime"),
            "ttl_purge": (
                lambda: purge_expired(store, self.clock, self.engines.expiries, peers),
                "worker",
            ),
            "history": (self._history.run, "admin"),
            "activity": (self._activity.run, "admin"),
            "heartbeat": (self._heartbeat.run, "admin"),
        }
        if self.keyring.is_followed:
            loops["keyring"] = lambda: self.keyring.run(self.clock, self.audit_keys), "gateway"
        if (buckets := self.engines.buckets) is not None:
            loops["limits"] = lambda: self.calls.limits.share(buckets, self.clock), "gateway"
        if self._issuer is not None:
            loops["issuer"] = self._issuer.run, "gateway"
        if self.config.remote:
            loops["addresses"] = self._remote.run, "gateway"
        if "worker" in self.rooms or self.config.does.keeps_house:
            loops["reconciler"] = self.reconciler.run, "worker"
        loops |= {name: (loop, "worker") for name, loop in peers.loops().items()}
        for name, room in self.rooms.items():
            loops |= {loop: (run, name) for loop, run in room.loops.items()}
        somebody = next(iter(self.rooms), "")
        return {name: (loop, room if room in self.rooms else somebody) for name, (loop, room) in loops.items()}

    def _add_gauges(self) -> None:
        metrics, jobs, peers = self.calls.metrics, self.engines.jobs, self.engines.peers
        for name, (documentation, read) in {
            "tacos_jobs_pending": ("Jobs that are not done", lambda: jobs.figures().pending),
            "tacos_jobs_running": ("Jobs that are being done", lambda: jobs.figures().running),
            "tacos_dead_letters": ("Dead letters: jobs that were given up", lambda: jobs.figures().dead),
            "tacos_outbox_backlog": ("Outbox backlog: events not handed over yet", self.engines.events.waiting),
            "tacos_calls_under_way": ("Calls that are being answered", lambda: self.calls.under_way),
            "tacos_streams": ("Open streams", lambda: self.calls.streams),
            "tacos_processes": ("Processes on this store, as this one sees them", lambda: peers.share().processes),
            "tacos_overrides": ("Changes by operators that are not undone", lambda: len(self.overrides.all())),
            "tacos_maintenance": ("1 during maintenance", lambda: float(bool(self._settings.text(MAINTENANCE)))),
            "tacos_event_loop_lag_seconds": ("Worst of the last seconds", lambda: self._heartbeat.lag / SECOND),
            "tacos_inconsistencies": ("Inconsistencies at the reconciler's last look", self.reconciler.found),
        }.items():
            metrics.add_gauge(name, documentation, read)
        if self.health.disk_free() is not None:
            free = "Free bytes on the disk of the data folder"
            metrics.add_gauge("tacos_disk_free_bytes", free, lambda: self.health.disk_free() or 0)
        metrics.add_gauges(
            "tacos_lease_changes",
            "How often a lease has changed hands, as its holder reports it",
            "lease",
            lambda: [(name, float(number)) for name, number in peers.leases().items()],
        )
        metrics.add_gauges(
            "tacos_loop_failures",
            "How often a background loop failed and was started again",
            "loop",
            lambda: [(name, float(count)) for name, count in self.loops.failures().items()],
        )

    async def _refresh(self) -> None:
        """Read again what may have changed elsewhere."""
        await self._settings.load()
        self.keyring.refresh()
        await self.audit_keys()
        for room in self.rooms.values():
            room.refresh()
        if self._issuer is not None:
            await self._issuer.ask()

    def _set_verbose(self, level: str) -> None:
        self.calls.is_verbose = level == "debug"


def _issuer(config: Config, clock: Clock, fetch: FetchJson) -> ForeignIssuer | None:
    return ForeignIssuer(config.issuer, config.issuer_audience, clock, fetch) if config.issuer else None


def _calls(config: Config, engines: Engines, keyring: Keyring, authenticator: Authenticator) -> Calls:
    return Calls(
        engines.clock,
        engines.randomness,
        authenticator,
        Limits(engines.settings, config.proxies),
        engines.settings,
        partial(is_ticket, secret=keyring.waiting),
    )


def _build(name: str, on: Dependencies) -> Room:
    """By name, so that a process loads nothing of the rooms that it does not have."""
    room: Room = import_module(f"traffic_tacos.rooms.{name}.build").build(on)
    return room

"""All rooms, wired together over one store. The same for `tacos up`, for tests and for simulations."""

import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, cast

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor

from traffic_tacos.app.config import Config
from traffic_tacos.app.retention import EXPIRIES
from traffic_tacos.calls.authentication import Authenticator, FetchJson, ForeignIssuer, fetch_json
from traffic_tacos.calls.dispatch import Calls
from traffic_tacos.calls.keys import Keyring, key_set
from traffic_tacos.calls.limits import Limits
from traffic_tacos.calls.local import RoomChannel
from traffic_tacos.calls.remote import RemoteRooms
from traffic_tacos.engines.forgetting import forget_expired
from traffic_tacos.engines.jobs import StoreJobs
from traffic_tacos.engines.loops import Loop, Loops
from traffic_tacos.engines.outbox import Outbox
from traffic_tacos.engines.settings import StoredSettings
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, webhook_pb2, websocket_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2, worker_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2 as own_inventory_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.gen.tacos.simulation.v1 import simulation_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as own_webhook_pb2
from traffic_tacos.kernel.errors import Code, Damaged, Fault, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import is_ticket
from traffic_tacos.kernel.topics import EVENT_CHANGED, EXPIRE_PAYMENT, SEND_WEBHOOK, SIMULATE_OUTCOME
from traffic_tacos.operations.activity import Activity, tell_operator_actions
from traffic_tacos.operations.health import Heartbeat, PlatformHealth
from traffic_tacos.operations.history import History
from traffic_tacos.operations.overrides import Overrides
from traffic_tacos.operations.reconciler import Look, Reconciler
from traffic_tacos.operations.rotations import RotationAudit
from traffic_tacos.operations.rpc import OperationsRpc
from traffic_tacos.operations.upkeep import PlatformUpkeep
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.events import Subscriber
from traffic_tacos.ports.figures import Logs
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.jobs import Handler
from traffic_tacos.ports.settings import LOG_LEVEL, MAINTENANCE
from traffic_tacos.ports.store import Event, Store, Write
from traffic_tacos.ports.webhooks import PAYMENT_PATH, PAYMENT_SOURCE
from traffic_tacos.rooms.admin import clients as admin_clients
from traffic_tacos.rooms.admin.levers import Emergencies, Operations
from traffic_tacos.rooms.admin.rpc import AdminRpc
from traffic_tacos.rooms.catalog import clients as catalog_clients
from traffic_tacos.rooms.catalog.rpc import CatalogRpc
from traffic_tacos.rooms.catalog.service import Catalog
from traffic_tacos.rooms.gateway.clients import HELD_OPEN, Rooms
from traffic_tacos.rooms.gateway.rpc import GatewayRpc
from traffic_tacos.rooms.inventory import clients as inventory_clients
from traffic_tacos.rooms.inventory.rpc import HoldRpc, InventoryRpc
from traffic_tacos.rooms.inventory.service import Inventory
from traffic_tacos.rooms.payment import clients as payment_clients
from traffic_tacos.rooms.payment.rpc import PaymentRpc, SimulationRpc
from traffic_tacos.rooms.payment.service import Payments
from traffic_tacos.rooms.realtime import clients as realtime_clients
from traffic_tacos.rooms.realtime.rpc import RealtimeRpc
from traffic_tacos.rooms.realtime.service import Realtime
from traffic_tacos.rooms.reservation import clients as reservation_clients
from traffic_tacos.rooms.reservation.lifecycle import Lifecycle
from traffic_tacos.rooms.reservation.rpc import LifecycleRpc, ReservationRpc
from traffic_tacos.rooms.reservation.service import Reservations
from traffic_tacos.rooms.reservation.stopping import Stopping
from traffic_tacos.rooms.waiting_room import clients as waiting_clients
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.waiting_room.operating import LineView, Operator
from traffic_tacos.rooms.waiting_room.rpc import DrawRpc, LineRpc, QueueRpc, QueueStreamRpc
from traffic_tacos.rooms.waiting_room.service import WaitingRoom
from traffic_tacos.rooms.webhook import clients as webhook_clients
from traffic_tacos.rooms.webhook.deliveries import POOLS as WEBHOOK_POOLS
from traffic_tacos.rooms.webhook.deliveries import Deliveries, pool_of
from traffic_tacos.rooms.webhook.endpoints import Endpoints
from traffic_tacos.rooms.webhook.rpc import EndpointRpc, WebhookRpc
from traffic_tacos.rooms.webhook.service import Webhooks
from traffic_tacos.rooms.worker import clients as worker_clients
from traffic_tacos.rooms.worker.compensation import Compensations
from traffic_tacos.rooms.worker.rpc import WorkerRpc
from traffic_tacos.rooms.worker.service import Worker
from traffic_tacos.transport.pay import PATH as PAY_PATH
from traffic_tacos.transport.pay import PayPage

if TYPE_CHECKING:
    from traffic_tacos.operations.telemetry import Telemetry

# What is measured of each line, as metrics.
LINE_GAUGES: dict[str, tuple[str, Callable[[LineView], float]]] = {
    "tacos_line_waiting": ("Live tickets that are not admitted", lambda view: view.figures.waiting),
    "tacos_line_ready": ("Tickets whose turn it is", lambda view: view.figures.ready),
    "tacos_line_admitted": ("Live admissions", lambda view: view.figures.admitted),
    "tacos_line_no_show_share": ("Share of offers not used, moving average", lambda view: view.figures.no_show_share),
    "tacos_line_told": ("Turns whose holders had been told a time", lambda view: view.figures.told),
    "tacos_line_told_kept": ("Of these, turns within the time first told", lambda view: view.figures.kept),
    "tacos_line_seats_left": ("Seats that can be had now", lambda view: view.seats_left),
    "tacos_line_streams": ("Open streams", lambda view: view.streams),
}


log = structlog.get_logger()


class Platform:
    """Build it, `load` it, then `run` it. `committed` must hear every commit of the store."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        keyring: Keyring,
        post: HttpPost,
        look: Look,
        logs: Logs,
        fetch: FetchJson = fetch_json,
        telemetry: "Telemetry | None" = None,
    ) -> None:
        if telemetry is not None:
            store, post = telemetry.traced_store(store), telemetry.traced_post(post)
        self.config = config
        self.clock = clock
        self.settings = StoredSettings(store, clock)
        self.overrides = Overrides(store)
        self._rotations = RotationAudit(store, clock, keyring.folder)
        self.settings.on_change(LOG_LEVEL, logs.set_level)
        self.keyring = keyring
        self._issuer = ForeignIssuer(config.issuer, config.issuer_audience, clock, fetch) if config.issuer else None
        self._authenticator = Authenticator(keyring, clock, self._issuer)
        limits = Limits(self.settings, config.proxies)
        self.calls = Calls(
            clock, randomness, self._authenticator, limits, self.settings, partial(is_ticket, secret=keyring.waiting)
        )
        self._webhook_url = config.payment_webhook or f"http://{config.http}{PAYMENT_PATH}"
        self.jobs = StoreJobs(store, clock, randomness, WEBHOOK_POOLS, pool_of(self._webhook_url))
        self.outbox = Outbox(store, clock)
        self.reconciler = Reconciler(look, store, clock)
        self.heartbeat = Heartbeat(clock)
        self.health = PlatformHealth(
            config.rooms,
            config.data,
            store,
            clock,
            self.jobs,
            self.outbox,
            self.reconciler,
            self.heartbeat,
            self.overrides,
        )
        self.loops = Loops(clock)
        self._history = History(self.calls.metrics, clock)
        self.activity = Activity(self.calls.metrics, clock)
        self.settings.on_change(LOG_LEVEL, self._set_verbose)
        self._upkeep = PlatformUpkeep(store, clock)
        self._logs = logs
        self._handlers: dict[str, Handler] = {}
        self.lines: Lines | None = None
        self.webhooks: Webhooks | None = None
        self.endpoints: Endpoints | None = None
        self.realtime: Realtime | None = None
        self.pay_page: PayPage | None = None
        self.catalog = Catalog(store, clock)
        self._store = store
        self._random = randomness
        self._post = post
        self._remote = RemoteRooms(config.elsewhere, keyring, clock) if config.elsewhere else None
        if self._remote is not None:
            self.health.add_rooms(self._remote.health)
        self._pay_url = f"{config.door}{PAY_PATH}" if "payment" in config.rooms else ""
        build = {  # the waiting room's streams tell what comes from realtime
            "realtime": self._build_realtime,
            "catalog": self._build_catalog,
            "waiting_room": self._build_waiting_room,
            "inventory": self._build_inventory,
            "reservation": self._build_reservation,
            "payment": self._build_payment,
            "webhook": self._build_webhook,
            "gateway": self._build_gateway,
            "worker": self._build_worker,
            "admin": self._build_admin,
        }
        for room, begin in build.items():
            if room in config.rooms:
                begin()
        self._add_gauges()
        self._show_loops()
        self._keep_up()
        operations = OperationsRpc(look, self.reconciler, store, clock, self.jobs, self.settings, self.overrides)
        self.calls.add(operations, _service(operations_pb2, "OperationsService"))
        if telemetry is not None:
            telemetry.trace_calls(self.calls)
            telemetry.observe(self.calls.metrics)
            self._handlers = telemetry.traced_jobs(self._handlers)

    @property
    def url(self) -> str:
        """What others know the HTTP door by."""
        return self.config.door

    @property
    def cors_origins(self) -> tuple[str, ...]:
        return self.config.cors_origins

    def key_set(self) -> dict[str, object]:
        """The public keys that our tokens can be verified with."""
        return key_set(self.keyring.verifying)

    def _set_verbose(self, level: str) -> None:
        self.calls.is_verbose = level == "debug"

    async def taken_up(self) -> dict[str, int]:
        """How much there is at the start, for the log."""
        events, cursor = 0, ""
        while "catalog" in self.config.rooms:
            page, cursor = await self.catalog.list(cursor, 0)
            events += len(page)
            if not cursor:
                break
        views = [] if self.lines is None else list(self.lines.all().values())
        jobs = self.jobs.figures()
        return {
            "events": events,
            "open_queues": len(views),
            "jobs_pending": jobs.pending,
            "dead_letters": jobs.dead,
            "outbox_backlog": self.outbox.waiting(),
            "overrides": len(self.overrides.all()),
        }

    async def audit_keys(self) -> None:
        """Write into the audit log what has become of the keys in their folder. A fault leaves it for the next time."""
        await self._rotations.write(self.keyring.signing_id, self.keyring.webhook)

    def committed(self, writes: Sequence[Write]) -> None:
        tell_operator_actions(writes)
        self.settings.committed(writes)
        self.overrides.committed(writes)
        self.jobs.committed(writes)
        self.outbox.committed(writes)
        if self.endpoints is not None:
            self.endpoints.committed(writes)
        if self.realtime is not None:
            self.realtime.committed(writes)

    async def load(self) -> None:
        """Take up what an earlier process left."""
        await self.settings.load()
        await self.overrides.load()
        with contextlib.suppress(Fault):  # a log that cannot be read keeps nobody from starting
            await self.audit_keys()
        if "catalog" in self.config.rooms:
            await self.catalog.look()
        await self.jobs.load()
        await self.outbox.load()
        if self.endpoints is not None:
            await self.endpoints.load()
        if self.realtime is not None:
            await self.realtime.load()
        if self.lines is not None:
            await self.lines.load()

    async def run(self) -> None:
        """Everything that goes on in the background, until cancelled. Whatever fails is started again."""
        await self.loops.run({name: loop for name, (loop, _) in self._loops().items()})

    def _loops(self) -> dict[str, tuple[Loop, str]]:
        """Every background loop by name, and the room whose health shows it failing."""
        loops: dict[str, tuple[Loop, str]] = {
            "jobs": (lambda: self.jobs.run(self._handlers), "worker"),
            "outbox": (self.outbox.run, "realtime"),
            "forgetting": (lambda: forget_expired(self._store, self.clock, EXPIRIES), "worker"),
            "history": (self._history.run, "admin"),
            "activity": (self.activity.run, "admin"),
            "heartbeat": (self.heartbeat.run, "admin"),
        }
        if self.keyring.is_followed:
            loops["keyring"] = lambda: self.keyring.run(self.clock, self.audit_keys), "gateway"
        if self._issuer is not None:
            loops["issuer"] = self._issuer.run, "gateway"
        if "worker" in self.config.rooms:
            loops["reconciler"] = self.reconciler.run, "worker"
        if self.lines is not None:
            loops["lines"] = self.lines.run, "waiting_room"
        return loops

    async def close(self) -> None:
        """Let go of the other processes' rooms."""
        if self._remote is not None:
            await self._remote.close()

    def hang_up(self) -> None:
        """End the open streams: their readers are told to come back."""
        if self.lines is not None:
            self.lines.hang_up()
        if self.realtime is not None:
            self.realtime.hang_up()

    async def put_on_sale(self, document: str, seating_plan: str = "") -> None:
        """An event given at the start. One that was put on sale before, from an older file, stays as it is."""
        try:
            await self.catalog.create(document, seating_plan)
        except Refusal as refusal:
            if refusal.code is not Code.ALREADY_EXISTS:
                raise
        except Damaged as damage:
            log.error("not_put_on_sale", error=str(damage))  # the platform starts without it

    def _add_gauges(self) -> None:
        metrics = self.calls.metrics
        for name, (documentation, read) in {
            "tacos_jobs_pending": ("Jobs that are not done", lambda: self.jobs.figures().pending),
            "tacos_jobs_running": ("Jobs that run now", lambda: self.jobs.figures().running),
            "tacos_jobs_dead": ("Jobs that were given up", lambda: self.jobs.figures().dead),
            "tacos_events_waiting": ("Events that are not told yet", self.outbox.waiting),
            "tacos_calls_under_way": ("Calls that are being answered", lambda: self.calls.under_way),
            "tacos_streams": ("Open streams", lambda: self.calls.streams),
            "tacos_overrides": ("What operators have set and not undone", lambda: len(self.overrides.all())),
            "tacos_maintenance": ("1 in maintenance", lambda: float(bool(self.settings.text(MAINTENANCE)))),
            "tacos_engine_lag_seconds": ("Worst delay of the event loop lately", lambda: self.heartbeat.lag / SECOND),
            "tacos_differences": ("What the reconciler found in its last look", self.reconciler.found),
        }.items():
            metrics.add_gauge(name, documentation, read)
        if self.health.disk_free() is not None:
            metrics.add_gauge("tacos_disk_free_bytes", "Left where the data is", lambda: self.health.disk_free() or 0)

    def _show_loops(self) -> None:
        """Loops that fail are seen in the health of a room of this process."""
        for name, (_, room) in self._loops().items():
            here = room if room in self.config.rooms else next(iter(self.config.rooms), "")
            self.health.add_issues(here, partial(self.loops.issues, (name,)))
        if self.lines is not None:
            self.health.add_issues("waiting_room", self.lines.issues)
        self.calls.metrics.add_gauges(
            "tacos_loop_failures",
            "How often a background loop failed and was started again",
            "loop",
            lambda: [(name, float(count)) for name, count in self.loops.failures().items()],
        )

    def _keep_up(self) -> None:
        """What an operator may have cleared, and read again."""

        async def read_again() -> None:
            await self.settings.load()
            self.keyring.refresh()
            await self.audit_keys()
            if self.lines is not None:
                self.lines.look_again()
            if self._issuer is not None:
                await self._issuer.ask()

        self._upkeep.add_cache("tokens", self._authenticator.known)
        self._upkeep.add_refresh(read_again)

    def channel(self, room: str) -> grpc.aio.Channel:
        """What a room calls the others through."""
        return cast(grpc.aio.Channel, RoomChannel(self.calls, self.clock, room, self._remote))

    def _build_catalog(self) -> None:
        self.health.add_issues(
            "catalog", lambda: [f"{one.id} cannot be read: {one.why}" for one in self.catalog.unreadable()[:10]]
        )
        self.calls.add(
            CatalogRpc(self.catalog, catalog_clients.InventoryClient(self.channel("catalog"))),
            _service(catalog_pb2, "CatalogService"),
        )

    def _build_waiting_room(self) -> None:
        channel = self.channel("waiting_room")
        lines = Lines(
            self._store,
            self.clock,
            self._random,
            waiting_clients.CatalogClient(channel),
            waiting_clients.InventoryClient(channel),
            self.keyring.waiting,
            self.settings,
        )
        self.lines = lines
        self.settings.on_change(MAINTENANCE, lambda _: lines.look_again())
        self.outbox.subscribe(lines.hear)
        room = WaitingRoom(lines, self.clock, self.keyring, self.realtime)
        self._upkeep.add_cache("waiting-tokens", room.checked)
        operator = Operator(lines, self._store, self.clock)
        self.calls.add(QueueRpc(room, operator, self.clock), _service(queue_pb2, "QueueService"))
        self.calls.add(QueueStreamRpc(room), _service(websocket_pb2, "WebSocketService"))
        self.calls.add(LineRpc(operator), _service(waiting_room_pb2, "LineService"))
        self.calls.add(DrawRpc(operator), _service(waiting_room_pb2, "DrawService"))
        for name, (documentation, read) in LINE_GAUGES.items():
            self.calls.metrics.add_gauges(name, documentation, "event", partial(_line_figures, operator, read))

    def _build_inventory(self) -> None:
        catalog = inventory_clients.CatalogClient(self.channel("inventory"))
        inventory = Inventory(self._store, self.clock, catalog)
        self.outbox.subscribe(_on_event_changed(inventory.forget_plan))
        self._upkeep.add_cache("seating-plans", inventory.plans)
        self.calls.add(InventoryRpc(inventory), _service(inventory_pb2, "Inventory"))
        self.calls.add(HoldRpc(inventory), _service(own_inventory_pb2, "HoldService"))

    def _build_reservation(self) -> None:
        channel = self.channel("reservation")
        inventory = reservation_clients.InventoryClient(channel)
        payments = reservation_clients.PaymentClient(channel)
        lifecycle = Lifecycle(self._store, self.clock, inventory, payments)
        catalog = reservation_clients.CatalogClient(channel)
        reservations = Reservations(
            self._store,
            self.clock,
            lifecycle,
            catalog,
            inventory,
            reservation_clients.LineClient(channel),
            self.keyring,
        )
        self.outbox.subscribe(_on_event_changed(reservations.forget_terms))
        self._upkeep.add_cache("event-terms", reservations.terms)
        self.calls.add(ReservationRpc(reservations, self._pay_url), _service(reservation_pb2, "ReservationService"))
        self.calls.add(
            LifecycleRpc(lifecycle, Stopping(self._store, self.clock, catalog)),
            _service(lifecycle_pb2, "LifecycleService"),
        )

    def _build_payment(self) -> None:
        reservations = payment_clients.ReservationClient(self.channel("payment"))
        payments = Payments(
            self._store, self.clock, self._random, reservations, self.config.time_scale, self.config.networks
        )
        self.pay_page = PayPage(self.channel("payment-page"), self.clock, self._webhook_url)
        self._handlers |= {SIMULATE_OUTCOME: payments.answer, EXPIRE_PAYMENT: payments.expire}
        self.calls.add(PaymentRpc(payments, self._pay_url), _service(payment_pb2, "PaymentService"))
        self.calls.add(SimulationRpc(payments), _service(simulation_pb2, "SimulationService"))

    def _build_webhook(self) -> None:
        self.endpoints = Endpoints(self._store, self.clock, self.config.networks)
        channel = self.channel("webhook")
        self.webhooks = Webhooks(
            self._store,
            self.clock,
            PAYMENT_SOURCE,
            self.keyring,
            self.endpoints,
            webhook_clients.ReservationClient(channel),
            webhook_clients.PaymentClient(channel),
        )
        deliveries = Deliveries(self.clock, self._random, self.endpoints, self.keyring, self._post, self._webhook_url)
        self._handlers[SEND_WEBHOOK] = deliveries.send
        self.outbox.subscribe(self.endpoints.hear)
        rpc = WebhookRpc(self.webhooks, self.endpoints, self.clock)
        self.calls.add(rpc, _service(webhook_pb2, "WebhookService"))
        endpoints = EndpointRpc(self.endpoints, deliveries, self.jobs)
        self.calls.add(endpoints, _service(own_webhook_pb2, "EndpointService"))

    def _build_realtime(self) -> None:
        channel = self.channel("realtime")
        self.realtime = Realtime(
            self._store,
            self.clock,
            self._random,
            realtime_clients.ReservationClient(channel),
            realtime_clients.PaymentClient(channel),
        )
        self.outbox.subscribe(self.realtime.hear)
        self.calls.add(RealtimeRpc(self.realtime), _service(websocket_pb2, "WebSocketService"))

    def _build_gateway(self) -> None:
        rooms = Rooms(self.channel("gateway"), self.clock, self._random, self.settings)
        self.calls.metrics.add_gauges(
            "tacos_circuit_open",
            "1 while the gateway leaves a room in peace",
            "room",
            lambda: [(name, float(bool(why))) for name, why in rooms.open_circuits().items()],
        )
        self.health.add_issues(
            "gateway",
            lambda: [
                f"circuit breaker ({name}): open: {why}"
                for name, why in rooms.open_circuits().items()
                if why not in ("", HELD_OPEN)  # what an operator did is said with their reason
            ],
        )
        gateway = GatewayRpc(rooms, self.clock, self.health, self._authenticator.user, self._webhook_url)
        self.calls.add(gateway, _service(gateway_pb2, "GatewayService"))

    def _build_worker(self) -> None:
        channel = self.channel("worker")
        lifecycle, payments = worker_clients.LifecycleClient(channel), worker_clients.PaymentClient(channel)
        worker = Worker(lifecycle, payments, self._random)
        compensations = Compensations(
            self.clock,
            lifecycle,
            worker_clients.ReservationClient(channel),
            payments,
            worker_clients.InventoryClient(channel),
        )
        self._handlers |= worker.handlers()
        rpc = WorkerRpc(worker, compensations, self.jobs, self.clock)
        self.calls.add(rpc, _service(worker_pb2, "WorkerService"))

    def _build_admin(self) -> None:
        channel = self.channel("admin")
        lines, reservations = admin_clients.LineClient(channel), admin_clients.ReservationClient(channel)
        admin = AdminRpc(
            self.health,
            lines,
            self.settings,
            Emergencies(lines, reservations, self.settings),
            Operations(lines, self._upkeep),
            self._history,
            self._logs,
            self.clock,
        )
        self.calls.add(admin, _service(admin_pb2, "AdminService"))


def _service(module: ModuleType, name: str) -> ServiceDescriptor:
    service: ServiceDescriptor = module.DESCRIPTOR.services_by_name[name]
    return service


def _line_figures(operator: Operator, read: Callable[[LineView], float]) -> Iterable[tuple[str, float]]:
    return [(view.event_id, read(view)) for view in operator.open_views()]


def _on_event_changed(forget: Callable[[str], None]) -> Subscriber:
    async def hear(event: Event) -> None:
        if event.topic == EVENT_CHANGED:
            forget(event.payload["event_id"])

    return hear

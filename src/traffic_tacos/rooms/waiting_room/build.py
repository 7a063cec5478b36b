"""What the waiting room brings to a platform."""

from collections.abc import Callable, Iterable
from functools import partial

from traffic_tacos.gen.gateway.v1 import queue_pb2, websocket_pb2
from traffic_tacos.gen.tacos.identity.v1 import identity_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.gen.tacos.web.v1 import web_pb2
from traffic_tacos.ports.rooms import Dependencies, Gauge, Room, Service
from traffic_tacos.ports.settings import MAINTENANCE
from traffic_tacos.rooms.waiting_room.clients import CatalogClient, InventoryClient
from traffic_tacos.rooms.waiting_room.embedded import EmbeddedLines
from traffic_tacos.rooms.waiting_room.guests import GuestRpc
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.waiting_room.operating import Operator, Overview
from traffic_tacos.rooms.waiting_room.queue_view import QueueViewRpc
from traffic_tacos.rooms.waiting_room.replicated import ReplicatedLines
from traffic_tacos.rooms.waiting_room.rpc import DrawRpc, LineRpc, QueueRpc, QueueStreamRpc, SharedQueueRpc
from traffic_tacos.rooms.waiting_room.service import WaitingRoom
from traffic_tacos.upstream import Upstream

# What is measured of each event's queue.
GAUGES: dict[str, tuple[str, Callable[[Overview], float]]] = {
    "tacos_queue_waiting": ("People who wait: live tickets that are not admitted", lambda view: view.figures.waiting),
    "tacos_queue_ready": ("Tickets whose turn it is", lambda view: view.figures.ready),
    "tacos_queue_admitted": ("Live admissions", lambda view: view.figures.admitted),
    "tacos_queue_no_show_share": (
        "Share of turns that nobody took, as a moving average",
        lambda view: view.figures.no_show_share,
    ),
    "tacos_queue_estimates": (
        "Turns of people who had been shown a waiting time",
        lambda view: view.figures.estimates,
    ),
    "tacos_queue_estimates_kept": (
        "Of these, turns that came within the time first shown",
        lambda view: view.figures.estimates_kept,
    ),
    "tacos_queue_seats_left": ("Seats that are free now", lambda view: view.seats_left),
    "tacos_queue_streams": ("Open streams", lambda view: view.streams),
}


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    catalog, inventory = CatalogClient(upstream), InventoryClient(upstream)
    engine = _engine(on)
    lines = Lines(on.store, on.clock, on.randomness, catalog, inventory, engine, on.settings, on.is_ours)
    room = WaitingRoom(lines, on.keyring, on.messages)
    operator = Operator(lines, on.store, on.clock)

    async def taken_up() -> dict[str, int]:
        return {"open_queues": len(lines.all())}

    queue_rpc = SharedQueueRpc if engine.is_shared else QueueRpc
    guests = GuestRpc(lines, on.clock, on.keyring)
    own = waiting_room_pb2.DESCRIPTOR.services_by_name
    return Room(
        services=(
            Service(queue_rpc(room, operator, on.clock), queue_pb2.DESCRIPTOR.services_by_name["QueueService"]),
            Service(QueueStreamRpc(room), websocket_pb2.DESCRIPTOR.services_by_name["WebSocketService"]),
            Service(LineRpc(operator), own["LineService"]),
            Service(DrawRpc(operator), own["DrawService"]),
            Service(guests, identity_pb2.DESCRIPTOR.services_by_name["GuestService"]),
            Service(QueueViewRpc(lines, operator), web_pb2.DESCRIPTOR.services_by_name["QueueViewService"]),
        ),
        subscribers=(lines.handle,),
        gauges=_gauges(operator, engine),
        caches={"waiting-tokens": room.checked},
        loops={"queues": lines.run} | ({"queue_log": engine.run} if isinstance(engine, ReplicatedLines) else {}),
        settings={MAINTENANCE: lambda _: lines.look_again()},
        issues=lines.issues,
        unready=lines.unready,
        load=lines.load,
        taken_up=taken_up,
        refresh=lines.look_again,
        hang_up=lines.hang_up,
        parts=(lines,),
    )


def _engine(on: Dependencies) -> EmbeddedLines | ReplicatedLines:
    maintenance = partial(on.settings.text, MAINTENANCE)
    if on.log is None:
        return EmbeddedLines(on.store, on.clock, on.keyring.waiting, maintenance)
    return ReplicatedLines(on.log, on.store, on.clock, on.randomness, on.keyring.waiting, maintenance)


def _gauges(operator: Operator, engine: EmbeddedLines | ReplicatedLines) -> tuple[Gauge, ...]:
    own = (
        Gauge(name, documentation, "event", partial(_read, operator, read))
        for name, (documentation, read) in GAUGES.items()
    )
    return (*own, *(_of_shared(engine) if isinstance(engine, ReplicatedLines) else ()))


def _of_shared(engine: ReplicatedLines) -> tuple[Gauge, ...]:
    return (
        Gauge(
            "tacos_queue_log_behind_seconds",
            "How long ago this process knew all that others had appended to the logs of the queues",
            "log",
            lambda: [("queues", engine.behind_seconds())],
        ),
        Gauge(
            "tacos_queue_restores",
            "Queues that this process brought back: server_changed (another Redis server answers), from_store (the log "
            "was empty) or other_rules (a version with other rules had it)",
            "reason",
            lambda: [(reason, float(count)) for reason, count in engine.restores.items()],
        ),
    )


def _read(operator: Operator, read: Callable[[Overview], float]) -> Iterable[tuple[str, float]]:
    return [(view.event_id, read(view)) for view in operator.open_views()]

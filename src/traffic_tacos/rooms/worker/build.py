"""What the worker brings to a platform."""

from traffic_tacos.gen.reservation.v1 import worker_pb2
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.worker.clients import InventoryClient, LifecycleClient, PaymentClient, ReservationClient
from traffic_tacos.rooms.worker.compensation import Compensations
from traffic_tacos.rooms.worker.rpc import WorkerRpc
from traffic_tacos.rooms.worker.service import Worker
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    lifecycle, payments = LifecycleClient(upstream), PaymentClient(upstream)
    reservations, inventory = ReservationClient(upstream), InventoryClient(upstream)
    worker = Worker(lifecycle, payments, on.randomness)
    compensations = Compensations(on.clock, lifecycle, reservations, payments, inventory)
    rpc = WorkerRpc(worker, compensations, on.jobs, on.clock)
    return Room(
        services=(Service(rpc, worker_pb2.DESCRIPTOR.services_by_name["WorkerService"]),),
        handlers=worker.handlers(),
    )

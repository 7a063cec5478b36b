"""What the operator's desk brings to a platform."""

from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.admin.clients import LineClient, ReservationClient
from traffic_tacos.rooms.admin.emergency import Emergencies, Operations
from traffic_tacos.rooms.admin.rpc import AdminRpc
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    lines, reservations = LineClient(upstream), ReservationClient(upstream)
    emergencies, operations = Emergencies(lines, reservations, on.settings), Operations(lines, on.cache_admin)
    rpc = AdminRpc(on.health, lines, on.settings, emergencies, operations, on.figures, on.logs, on.clock)
    return Room(services=(Service(rpc, admin_pb2.DESCRIPTOR.services_by_name["AdminService"]),))

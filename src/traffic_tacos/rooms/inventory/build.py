"""What inventory brings to a platform."""

from traffic_tacos.gen.reservation.v1 import inventory_pb2
from traffic_tacos.gen.tacos.inventory.v1 import inventory_pb2 as own_pb2
from traffic_tacos.gen.tacos.web.v1 import web_pb2
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.inventory.clients import CatalogClient
from traffic_tacos.rooms.inventory.rpc import HoldRpc, InventoryRpc, SeatRpc
from traffic_tacos.rooms.inventory.service import Inventory
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    inventory = Inventory(on.store, on.clock, CatalogClient(upstream), on.share)
    return Room(
        services=(
            Service(InventoryRpc(inventory), inventory_pb2.DESCRIPTOR.services_by_name["Inventory"]),
            Service(HoldRpc(inventory), own_pb2.DESCRIPTOR.services_by_name["HoldService"]),
            Service(SeatRpc(inventory), web_pb2.DESCRIPTOR.services_by_name["SeatService"]),
        ),
        subscribers=(inventory.handle,),
        caches={"seating-plans": inventory.plans},
        seats=inventory,
    )

"""What the catalog brings to a platform."""

from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.web.v1 import web_pb2
from traffic_tacos.ports.paging import Asked
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.catalog.clients import InventoryClient
from traffic_tacos.rooms.catalog.records import EVENT
from traffic_tacos.rooms.catalog.rpc import CatalogRpc
from traffic_tacos.rooms.catalog.sale_rpc import SaleRpc
from traffic_tacos.rooms.catalog.service import Catalog
from traffic_tacos.upstream import Upstream

ISSUES_SHOWN_MAX = 10


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    catalog = Catalog(on.store, on.clock, takes_guests=on.takes_guests)
    inventory = InventoryClient(upstream)
    sales = SaleRpc(catalog, inventory, on.clock)

    def issues() -> list[str]:
        return [f"{one.id} cannot be read: {one.why}" for one in catalog.unreadable()[:ISSUES_SHOWN_MAX]]

    async def taken_up() -> dict[str, int]:
        return {"events": (await catalog.list(Asked())).total}

    return Room(
        services=(
            Service(CatalogRpc(catalog, inventory), catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"]),
            Service(sales, web_pb2.DESCRIPTOR.services_by_name["SaleService"]),
        ),
        subscribers=(catalog.handle,),
        caches={"plans": sales.plans},
        issues=issues,
        load=catalog.load,
        taken_up=taken_up,
        committed={EVENT: catalog.committed},
        parts=(catalog,),
    )

"""What reservations bring to a platform."""

from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.admission.v1 import admission_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.gen.tacos.reservation.v1 import reservation_pb2 as own_pb2
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.reservation.amounts import Amounts
from traffic_tacos.rooms.reservation.clients import CatalogClient, InventoryClient, LineClient, PaymentClient
from traffic_tacos.rooms.reservation.confirming import Confirming
from traffic_tacos.rooms.reservation.door import Door
from traffic_tacos.rooms.reservation.door_rpc import DoorRpc, TicketRpc
from traffic_tacos.rooms.reservation.ending import Ending
from traffic_tacos.rooms.reservation.results import ReservationResults
from traffic_tacos.rooms.reservation.rpc import BestSeatsRpc, LifecycleRpc, RefundRpc, ReservationRpc
from traffic_tacos.rooms.reservation.service import Reservations
from traffic_tacos.rooms.reservation.stopping import Stopping
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    inventory, catalog = InventoryClient(upstream), CatalogClient(upstream)
    payments = PaymentClient(upstream)
    confirming = Confirming(on.store, on.clock, on.seats, payments)
    ending = Ending(on.store, on.clock, on.seats, on.payment_stops, payments, confirming)
    line = LineClient(upstream)
    reservations = Reservations(on.store, on.clock, confirming, ending, catalog, on.seats, inventory, line, on.keyring)
    rpc = ReservationRpc(reservations, on.pay_url)
    best = BestSeatsRpc(reservations, on.pay_url)
    door = Door(on.store, on.clock, on.keyring, reservations)
    stopping = Stopping(on.store, on.clock, catalog)
    return Room(
        services=(
            Service(rpc, reservation_pb2.DESCRIPTOR.services_by_name["ReservationService"]),
            Service(best, own_pb2.DESCRIPTOR.services_by_name["BestSeatsService"]),
            Service(RefundRpc(reservations), own_pb2.DESCRIPTOR.services_by_name["RefundService"]),
            Service(TicketRpc(door), admission_pb2.DESCRIPTOR.services_by_name["TicketService"]),
            Service(DoorRpc(door), admission_pb2.DESCRIPTOR.services_by_name["DoorService"]),
            Service(LifecycleRpc(ending, stopping), lifecycle_pb2.DESCRIPTOR.services_by_name["LifecycleService"]),
        ),
        amounts_due=Amounts(on.clock),
        payment_results=ReservationResults(ending),
        subscribers=(reservations.handle,),
        caches={"event-terms": reservations.terms},
    )

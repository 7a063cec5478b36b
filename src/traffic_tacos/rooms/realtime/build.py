"""What live updates bring to a platform."""

from traffic_tacos.gen.gateway.v1 import websocket_pb2
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.realtime.clients import PaymentClient, ReservationClient
from traffic_tacos.rooms.realtime.records import MESSAGE
from traffic_tacos.rooms.realtime.rpc import RealtimeRpc
from traffic_tacos.rooms.realtime.service import Realtime
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    reservations, payments = ReservationClient(upstream), PaymentClient(upstream)
    realtime = Realtime(on.store, on.clock, on.randomness, reservations, payments, has_peers=on.has_peers)
    return Room(
        services=(Service(RealtimeRpc(realtime), websocket_pb2.DESCRIPTOR.services_by_name["WebSocketService"]),),
        subscribers=(realtime.handle,),
        load=realtime.load,
        committed={MESSAGE: realtime.committed},
        hang_up=realtime.hang_up,
        messages=realtime,
        parts=(realtime,),
    )

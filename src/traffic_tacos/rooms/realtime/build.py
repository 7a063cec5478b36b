"""What live updates bring to a platform."""

from traffic_tacos.gen.gateway.v1 import websocket_pb2
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.realtime.clients import PaymentClient, ReservationClient
from traffic_tacos.rooms.realtime.rpc import RealtimeRpc
from traffic_tacos.rooms.realtime.service import Realtime


def build(on: Dependencies) -> Room:
    reservations, payments = ReservationClient(on.channel), PaymentClient(on.channel)
    realtime = Realtime(on.store, on.clock, on.randomness, reservations, payments)
    return Room(
        services=(Service(RealtimeRpc(realtime), websocket_pb2.DESCRIPTOR.services_by_name["WebSocketService"]),),
        subscribers=(realtime.hear,),
        load=realtime.load,
        committed=realtime.committed,
        hang_up=realtime.hang_up,
        messages=realtime,
        parts=(realtime,),
    )

"""What the gateway brings to a platform."""

from collections.abc import Iterable

from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.ports.rooms import Dependencies, Gauge, Room, Service
from traffic_tacos.rooms.gateway.clients import HELD_OPEN, Rooms
from traffic_tacos.rooms.gateway.rpc import GatewayRpc
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    rooms = Rooms(upstream, on.clock, on.randomness, on.settings)
    rpc = GatewayRpc(rooms, on.clock, on.health, on.user_of, on.webhook_url)

    def open_circuits() -> Iterable[tuple[str, float]]:
        return [(name, float(bool(why))) for name, why in rooms.open_circuits().items()]

    def issues() -> list[str]:
        """What an operator did is not among them: it is said with their reason."""
        circuits = rooms.open_circuits().items()
        return [f"circuit breaker ({name}): open: {why}" for name, why in circuits if why not in ("", HELD_OPEN)]

    documentation = "1 while the gateway's circuit to a service is open"
    return Room(
        services=(Service(rpc, gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]),),
        gauges=(Gauge("tacos_circuit_open", documentation, "service", open_circuits),),
        issues=issues,
    )

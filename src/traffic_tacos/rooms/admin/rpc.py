"""AdminService on the wire."""

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, HealthChecks, PartHealth

_OVERALL = {
    Health.HEALTHY: pb.SYSTEM_HEALTH_STATUS_HEALTHY,
    Health.DEGRADED: pb.SYSTEM_HEALTH_STATUS_DEGRADED,
    Health.UNHEALTHY: pb.SYSTEM_HEALTH_STATUS_UNHEALTHY,
}


class AdminRpc:
    def __init__(self, health: HealthChecks, clock: Clock) -> None:
        self._health = health
        self._clock = clock

    async def GetSystemHealth(self, request: pb.SystemHealthRequest, call: Call) -> pb.SystemHealthResponse:
        rooms = await self._health.rooms()
        if unknown := set(request.services) - {room.name for room in rooms}:
            raise Refusal(Code.NOT_FOUND, f"services: there is no room {sorted(unknown)[0][:80]}")
        asked = [room for room in rooms if not request.services or room.name in request.services]
        dependencies = await self._health.dependencies()
        now = wire.timestamp(self._clock.now())
        return pb.SystemHealthResponse(
            overall_status=_OVERALL[max(part.health for part in (*asked, *dependencies))],
            services=[self._room(room) for room in asked],
            dependencies=[
                pb.DependencyStatus(
                    name=part.name,
                    status=part.health.value,  # type: ignore[arg-type]  # same numbers
                    endpoint=part.endpoint,
                    response_time_ms=part.response_ms,
                    last_check=now,
                )
                for part in (dependencies if request.include_dependencies else ())
            ],
            checked_at=now,
        )

    def _room(self, room: PartHealth) -> pb.ServiceHealthStatus:
        return pb.ServiceHealthStatus(
            service_name=room.name,
            status=room.health.value,  # type: ignore[arg-type]  # same numbers
            response_time_ms=room.response_ms,
            version=self._health.version,
            uptime_seconds=self._health.uptime_seconds,
            metrics=room.figures,
            issues=room.issues,
        )

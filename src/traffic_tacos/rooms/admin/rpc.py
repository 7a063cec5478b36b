"""AdminService on the wire."""

import re

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, HealthChecks, PartHealth
from traffic_tacos.rooms.admin.clients import LineClient

_OVERALL = {
    Health.HEALTHY: pb.SYSTEM_HEALTH_STATUS_HEALTHY,
    Health.DEGRADED: pb.SYSTEM_HEALTH_STATUS_DEGRADED,
    Health.UNHEALTHY: pb.SYSTEM_HEALTH_STATUS_UNHEALTHY,
}


CONFIGURABLE = "queue"
_EVENT_KEY = re.compile(r"events/([^/]+)/(.+)")


class AdminRpc:
    def __init__(self, health: HealthChecks, lines: LineClient, clock: Clock) -> None:
        self._health = health
        self._lines = lines
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

    async def UpdateConfig(self, request: pb.UpdateConfigRequest, call: Call) -> pb.UpdateConfigResponse:
        if request.service != CONFIGURABLE:
            raise Refusal.of_field("service", f"must be {CONFIGURABLE}", request.service)
        of_event = _EVENT_KEY.fullmatch(request.config_key)
        event_id, setting = of_event.groups() if of_event else ("", request.config_key)
        changed = await self._lines.configure(event_id, setting, request.config_value, request.reason, call)
        return pb.UpdateConfigResponse(
            updated=True, old_value=changed.old, new_value=changed.new, updated_at=wire.timestamp(changed.at)
        )

    async def EmergencyAction(self, request: pb.EmergencyActionRequest, call: Call) -> pb.EmergencyActionResponse:
        if request.action != pb.EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS:
            raise Refusal.of_field("action", "must be EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS", request.action)
        if not request.confirm:
            raise Refusal.of_field("confirm", "must be true: this acts at once")
        if not request.reason:
            raise Refusal.of_field("reason", "is required: it is kept with the action")
        if unknown := set(request.parameters) - {"event_id", "resume"}:
            raise Refusal.of_field("parameters", "must be event_id or resume", sorted(unknown)[0])
        event_id, resume = request.parameters["event_id"], request.parameters["resume"]
        if resume not in ("", "true", "false"):
            raise Refusal.of_field("parameters.resume", "must be true or false", resume)
        stopped = "false" if resume == "true" else "true"
        changed = await self._lines.configure(event_id, "admission.stopped", stopped, request.reason, call)
        what = "stopped" if stopped == "true" else "resumed"
        return pb.EmergencyActionResponse(
            executed=True,
            action_id=call.trace_id,
            result=f"admissions {what} for {event_id or 'all events'}",
            executed_at=wire.timestamp(changed.at),
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

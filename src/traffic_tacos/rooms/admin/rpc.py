"""AdminService on the wire."""

import re
from collections.abc import Callable

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.timestamp_pb2 import Timestamp

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_text
from traffic_tacos.kernel.instants import MINUTE, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.figures import CallFigures, Figures, Gauge, Logs
from traffic_tacos.ports.health import Health, HealthChecks, PartHealth
from traffic_tacos.ports.settings import SETTINGS, SettingChange, Settings
from traffic_tacos.rooms.admin.clients import LineChange, LineClient
from traffic_tacos.rooms.admin.emergency import Emergencies, Operations

_OVERALL = {
    Health.HEALTHY: pb.SYSTEM_HEALTH_STATUS_HEALTHY,
    Health.DEGRADED: pb.SYSTEM_HEALTH_STATUS_DEGRADED,
    Health.UNHEALTHY: pb.SYSTEM_HEALTH_STATUS_UNHEALTHY,
}


QUEUE = "queue"
SAMPLES_MAX = 60  # of one gauge in one answer
METRIC_TYPES = ("", "calls", "gauges")
LOGS_DEFAULT, LOGS_MAX = 100, 1000
SEARCH_LENGTH_MAX = 200
# Of each RPC: what it is called, how it is reckoned, and its unit.
AGGREGATIONS: dict[str, tuple[Callable[[CallFigures], float], str]] = {
    "count": (lambda one: one.calls, "calls"),
    "rate": (lambda one: one.per_second, "calls/s"),
    "errors": (lambda one: sum(one.errors.values()), "calls"),
    "p50": (lambda one: one.p50_ms, "ms"),
    "p95": (lambda one: one.p95_ms, "ms"),
    "p99": (lambda one: one.p99_ms, "ms"),
}
_LEVELS: dict[int, str] = {
    pb.LOG_LEVEL_UNSPECIFIED: "debug",
    pb.LOG_LEVEL_TRACE: "debug",
    pb.LOG_LEVEL_DEBUG: "debug",
    pb.LOG_LEVEL_INFO: "info",
    pb.LOG_LEVEL_WARN: "warning",
    pb.LOG_LEVEL_ERROR: "error",
    pb.LOG_LEVEL_FATAL: "critical",
}
_LEVEL_OF = {
    "debug": pb.LOG_LEVEL_DEBUG,
    "info": pb.LOG_LEVEL_INFO,
    "warning": pb.LOG_LEVEL_WARN,
    "error": pb.LOG_LEVEL_ERROR,
    "critical": pb.LOG_LEVEL_FATAL,
}
_EVENT_KEY = re.compile(r"events/([^/]+)/(.+)")


class AdminRpc:
    def __init__(
        self,
        health: HealthChecks,
        lines: LineClient,
        settings: Settings,
        emergencies: Emergencies,
        operations: Operations,
        figures: Figures,
        logs: Logs,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._emergencies = emergencies
        self._operations = operations
        self._figures = figures
        self._logs = logs
        self._health = health
        self._lines = lines
        self._clock = clock

    async def GetSystemHealth(self, request: pb.SystemHealthRequest, call: Call) -> pb.SystemHealthResponse:
        rooms = await self._health.rooms()
        if unknown := set(request.services) - {room.name for room in rooms}:
            raise Refusal(Code.NOT_FOUND, f"services: there is no service {sorted(unknown)[0][:80]}")
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

    async def GetMetrics(self, request: pb.GetMetricsRequest, call: Call) -> pb.GetMetricsResponse:
        """What is in `aggregation` of each RPC whose path has `service` in it, over the time asked for; by default
        everything, over the last minute. `metric_type` is `calls`, `gauges`, or empty for both.
        """
        now = self._clock.now()
        if request.metric_type not in METRIC_TYPES:
            raise Refusal.of_field("metric_type", "must be calls, gauges, or nothing", request.metric_type)
        if request.aggregation and request.aggregation not in AGGREGATIONS:
            raise Refusal.of_field("aggregation", f"must be one of {', '.join(AGGREGATIONS)}", request.aggregation)
        since, until = _times(request, now, now - MINUTE)
        metrics: list[pb.MetricData] = []
        if request.metric_type != "gauges":
            for one in self._figures.calls(since, until):
                if request.service in one.method:
                    metrics += _call_metrics(one, request.aggregation, wire.timestamp(until))
        if request.metric_type != "calls" and not request.service:
            asked_over_time = request.HasField("start_time") or request.HasField("end_time")
            samples = (
                self._figures.gauges(since, until, SAMPLES_MAX) if asked_over_time else [self._figures.gauges_now()]
            )
            metrics += [_gauge(one, wire.timestamp(at)) for at, gauges in samples for one in gauges]
        return pb.GetMetricsResponse(metrics=metrics, collected_at=wire.timestamp(now))

    async def GetLogs(self, request: pb.GetLogsRequest, call: Call) -> pb.GetLogsResponse:
        """The newest lines first. `next_cursor` is the `end_time`, in milliseconds since 1970, of the page after."""
        now = self._clock.now()
        if request.level not in _LEVELS:
            raise Refusal.of_field("level", "must be a LogLevel", request.level)
        if not 0 <= request.limit <= LOGS_MAX:
            raise Refusal.of_field("limit", f"must be 0 to {LOGS_MAX}", request.limit)
        text = checked_text("search_query", request.search_query, SEARCH_LENGTH_MAX)
        since, until = _times(request, now + 1, 0)
        level, limit = _LEVELS[request.level], request.limit or LOGS_DEFAULT
        lines, has_more = self._logs.find(level, request.service, since, until, text, limit)
        return pb.GetLogsResponse(
            logs=[
                pb.LogEntry(
                    timestamp=wire.timestamp(line.at),
                    level=_LEVEL_OF[line.level],
                    service=line.fields.get("method", "platform").rpartition("/")[0].strip("/") or "platform",
                    message=line.event,
                    trace_id=line.trace_id,
                    fields=line.fields,
                )
                for line in lines
            ],
            has_more=has_more,
            next_cursor=str(lines[-1].at) if has_more and lines else "",
        )

    async def UpdateConfig(self, request: pb.UpdateConfigRequest, call: Call) -> pb.UpdateConfigResponse:
        """Settings take effect at once, whatever `apply_immediately` says: there is no later to wait for."""
        changed: LineChange | SettingChange
        if request.service == QUEUE:
            of_event = _EVENT_KEY.fullmatch(request.config_key)
            event_id, setting = of_event.groups() if of_event else ("", request.config_key)
            changed = await self._lines.configure(event_id, setting, request.config_value, request.reason, call)
        else:
            names = [name for name, setting in SETTINGS.items() if setting.service == request.service]
            if not names:
                services = sorted({QUEUE, *(setting.service for setting in SETTINGS.values())})
                raise Refusal.of_field("service", f"must be one of {', '.join(services)}", request.service)
            if request.config_key not in names:
                raise Refusal.of_field("config_key", f"must be one of {', '.join(names)}", request.config_key)
            changed = await self._settings.change(request.config_key, request.config_value, request.reason, call)
        return pb.UpdateConfigResponse(
            updated=True, old_value=changed.old, new_value=changed.new, updated_at=wire.timestamp(changed.at)
        )

    async def TriggerOperation(self, request: pb.TriggerOperationRequest, call: Call) -> pb.TriggerOperationResponse:
        done = await self._operations.trigger(
            _named(pb.OperationType, request.operation),
            request.target_service,
            request.parameters,
            request.reason,
            call,
            dry_run=request.dry_run,
        )
        return pb.TriggerOperationResponse(
            triggered=not request.dry_run,
            operation_id="" if request.dry_run else call.trace_id,
            status=pb.OPERATION_STATUS_PENDING if request.dry_run else pb.OPERATION_STATUS_COMPLETED,
            result=f"would be: {done.result}" if request.dry_run else done.result,
            triggered_at=wire.timestamp(done.at),
        )

    async def EmergencyAction(self, request: pb.EmergencyActionRequest, call: Call) -> pb.EmergencyActionResponse:
        if not request.confirm:
            raise Refusal.of_field("confirm", "must be true: this acts at once")
        action = _named(pb.EmergencyActionType, request.action)
        pulled = await self._emergencies.act(action, request.parameters, request.reason, call)
        return pb.EmergencyActionResponse(
            executed=True, action_id=call.trace_id, result=pulled.result, executed_at=wire.timestamp(pulled.at)
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


def _call_metrics(one: CallFigures, only: str, at: Timestamp | None) -> list[pb.MetricData]:
    """What is asked for of one RPC; its errors with each code and how often it was."""
    service = one.method.strip("/").partition("/")[0]
    errors = {code: str(count) for code, count in one.errors.items()}
    return [
        pb.MetricData(
            name=name,
            service=service,
            type=pb.METRIC_TYPE_COUNTER if unit == "calls" else pb.METRIC_TYPE_SUMMARY,
            value=read(one),
            unit=unit,
            labels={"method": one.method} | (errors if name == "errors" else {}),
            timestamp=at,
        )
        for name, (read, unit) in AGGREGATIONS.items()
        if only in ("", name)
    ]


def _gauge(one: Gauge, at: Timestamp | None) -> pb.MetricData:
    return pb.MetricData(
        name=one.name, service="platform", type=pb.METRIC_TYPE_GAUGE, value=one.value, labels=one.labels, timestamp=at
    )


def _named(enum: EnumTypeWrapper, number: int) -> str:
    """The name of a value without its enum's prefix; of one that is not known, its number."""
    values = enum.DESCRIPTOR.values_by_number
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return str(values[number].name).removeprefix(prefix) if number in values else str(number)


def _times(
    request: pb.GetMetricsRequest | pb.GetLogsRequest, now: Instant, earliest: Instant
) -> tuple[Instant, Instant]:
    """From when until when is asked about; by default from the earliest until now."""
    since, until = wire.instant(request, "start_time"), wire.instant(request, "end_time")
    since, until = earliest if since is None else since, now if until is None else until
    if since > until:
        raise Refusal.of_field("start_time", "must not be after end_time", since)
    return since, until

"""`tacos admin`: the operator's desk. How everything is, what is set, what was done, and emergencies. Over gRPC."""

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Any

import typer
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, Group
from rich.live import Live

from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing, print_json, time
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.gen.common.v1 import admin_pb2_grpc
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2, operations_pb2_grpc
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.wire import moment

app = typer.Typer(help="See health, metrics and logs, change settings, take emergency actions.", no_args_is_help=True)
EVERY_SECONDS = 2.0
LOGS_AT_ONCE = 200
COLOURS = {"HEALTHY": "green", "DEGRADED": "yellow", "UNHEALTHY": "red"}
SHOWN_OF_CALLS = ("count", "rate", "errors", "p50", "p95", "p99")

Data = options.Data
Grpc = options.Grpc
DATA, GRPC = options.DEFAULTS.data, str(options.DEFAULTS.grpc)
Watch = Annotated[bool, typer.Option("--watch", help="Show it again every two seconds, until Ctrl-C.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit log. Required.")]
ReasonUnlessDry = Annotated[str, typer.Option(help="Why; kept in the audit log. Required, unless it is a dry run.")]
Resume = Annotated[bool, typer.Option("--resume", help="Undo it.")]


@app.command("health")
def health(watch: Watch = False, as_json: options.Json = False, data: Data = DATA, grpc: Grpc = GRPC) -> None:
    """Show the health of every service, and of what it depends on.

    Example: [bold]tacos admin health --watch[/]
    """

    def ask() -> pb.SystemHealthResponse:
        answer: pb.SystemHealthResponse = _admin(
            "GetSystemHealth", pb.SystemHealthRequest(include_dependencies=True), data, grpc
        )
        return answer

    if as_json:
        print_json({"overall": _overall(answer := ask()), "parts": shown_health(answer).records()})
        return
    _show(lambda: shown_health(ask()), watch=watch)


@app.command("metrics")
def metrics(
    service: Annotated[str, typer.Option(help="Only RPCs whose path has this in it.")] = "",
    minutes: Annotated[int, typer.Option(help="Over how many minutes, at most 60.", min=1, max=60)] = 1,
    watch: Watch = False,
    as_json: options.Json = False,
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Show calls, errors and response times of each RPC, and the gauges as they are now.

    Example: [bold]tacos admin metrics --service GatewayService --minutes 10[/]
    """

    def calls() -> Listing:
        since = moment(SystemClock().now() - minutes * 60 * SECOND)
        asked = pb.GetMetricsRequest(service=service, metric_type="calls", start_time=since)
        return shown_calls(_admin("GetMetrics", asked, data, grpc))

    def gauges() -> Listing:
        return shown_gauges(_admin("GetMetrics", pb.GetMetricsRequest(metric_type="gauges"), data, grpc))

    if as_json:
        print_json({"calls": calls().records(), "gauges": gauges().records() if not service else []})
        return
    _show(calls, *(() if service else (gauges,)), watch=watch)


@app.command("logs")
def logs(
    level: Annotated[str, typer.Option(help="From which level on: debug, info, warn or error.")] = "info",
    service: Annotated[str, typer.Option(help="Only of calls of this service.")] = "",
    text: Annotated[str, typer.Option(help="Only lines with this text in them, wherever.")] = "",
    limit: Annotated[int, typer.Option(help="How many, the newest.", min=1, max=1000)] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="And what comes, until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document instead; with --follow one a line, as it comes.")
    ] = False,
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Show the log, oldest first.

    Example: [bold]tacos admin logs --level warn --follow[/]
    """
    console, after = Console(soft_wrap=True, highlight=False), 0
    request = pb.GetLogsRequest(
        service=service, level=_enum(pb.LogLevel, "level", level), limit=limit, search_query=text
    )
    while True:
        lines = _admin("GetLogs", request, data, grpc).logs
        if as_json and not follow:
            print_json([_line(line) for line in reversed(lines)])
            return
        for line in reversed(lines):
            if as_json:
                print(json.dumps(_line(line), ensure_ascii=False), flush=True)
                continue
            fields = " ".join(f"{name}={value}" for name, value in sorted(line.fields.items()))
            shown = pb.LogLevel.Name(line.level).removeprefix("LOG_LEVEL_").lower()
            trace = f" trace_id={line.trace_id}" if line.trace_id else ""
            console.print(f"{line.timestamp.ToJsonString()} {shown:5} {line.message} {fields}{trace}", markup=False)
        if not follow:
            return
        after = max([after, *(line.timestamp.ToMilliseconds() + 1 for line in lines)])
        asyncio.run(SystemClock().sleep(EVERY_SECONDS))
        request.start_time.CopyFrom(_at(after))
        request.limit = LOGS_AT_ONCE


@app.command("settings")
def settings(as_json: options.Json = False, data: Data = DATA, grpc: Grpc = GRPC) -> None:
    """List what may be changed while the platform runs, beyond the queues' settings (`tacos queue watch` shows those).

    Example: [bold]tacos admin settings[/]
    """
    request = operations_pb2.ListSettingsRequest()
    found = options.ask(operations_pb2_grpc.OperationsServiceStub, "ListSettings", request, data, grpc).settings
    listing = Listing("service", "setting", "value", "default", "what it is")
    for one in found:
        style = "bold" if one.value != one.default_value else ""
        listing.add(one.service, one.name, one.value, one.default_value, one.about, style=style)
    listing.print(as_json=as_json)


@app.command("set")
def set_(
    setting: Annotated[
        str,
        typer.Argument(help="As in limits.fan_per_second, admission.rate_per_second or events/EVENT/admission.…"),
    ],
    value: Annotated[str, typer.Argument(help="The new value; empty for the default, or the event file's.")],
    reason: Reason,
    as_: options.As = "",
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Change a setting while the platform runs.

    Example: [bold]tacos admin set limits.fan_per_second 50 --reason "a busy night"[/]
    """
    request = pb.UpdateConfigRequest(
        service=_service_of(setting, data, grpc), config_key=setting, config_value=value, reason=reason
    )
    changed = _admin("UpdateConfig", request, data, grpc, as_)
    Console(highlight=False).print(f"{setting}: {_quoted(changed.old_value)} → {_quoted(changed.new_value)}")


@app.command("drain")
def drain(
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    resume: Resume = False,
    reason: ReasonUnlessDry = "",
    as_: options.As = "",
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Let nobody new join a queue. Whoever is in it keeps their place and their turn.

    Example: [bold]tacos admin drain evt_taco_club --reason "sold by midnight"[/]
    """
    parameters = {"event_id": event_id, **({"resume": "true"} if resume else {})}
    _trigger("DRAIN_QUEUE", "queue", parameters, dry_run, reason, data, grpc, as_)


@app.command("clear-cache")
def clear_cache(
    cache: Annotated[str, typer.Argument(metavar="[CACHE]", help="Which; all without it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    reason: ReasonUnlessDry = "",
    as_: options.As = "",
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Empty caches; what was in them is looked up anew.

    Example: [bold]tacos admin clear-cache tokens --reason "a token was revoked"[/]
    """
    _trigger("CLEAR_CACHE", cache, {}, dry_run, reason, data, grpc, as_)


@app.command("refresh")
def refresh(reason: Reason, as_: options.As = "", data: Data = DATA, grpc: Grpc = GRPC) -> None:
    """Read settings, keys, events and the issuer's keys again.

    Example: [bold]tacos admin refresh --reason "new keys"[/]
    """
    _trigger("REFRESH_CONFIG", "", {}, False, reason, data, grpc, as_)


@app.command("emergency")
def emergency(
    action: Annotated[
        str,
        typer.Argument(
            help="stop-admissions, cancel-reservations, circuit-breaker, maintenance-mode or force-failover."
        ),
    ],
    reason: Reason,
    event: Annotated[str, typer.Option(help="Of this event only.")] = "",
    service: Annotated[str, typer.Option(help="For circuit-breaker: inventory, payment or reservation.")] = "",
    message: Annotated[str, typer.Option(help="For maintenance-mode: what callers read.")] = "",
    resume: Resume = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_: options.As = "",
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Take an emergency action, or with --resume undo it.

    Example: [bold]tacos admin emergency maintenance-mode --message "back at nine" --reason "a new stage"[/]
    """
    given = {"event_id": event, "service": service, "message": message, "resume": "true" if resume else ""}
    parameters = {name: value for name, value in given.items() if value}
    _enum(pb.EmergencyActionType, "action", action)  # before anybody is asked to confirm it
    if not yes:
        typer.confirm(f"{'Undo' if resume else 'Do'} {action}{f' for {event}' if event else ''} now?", abort=True)
    Console(highlight=False).print(pull(action, parameters, reason, data, grpc, as_))


@app.command("overrides")
def overrides(as_json: options.Json = False, data: Data = DATA, grpc: Grpc = GRPC) -> None:
    """List what operators have set and not undone: since when, who, and why.

    Stops, maintenance, circuit breakers held open, drained queues, settings that are not their defaults, blocked seats.
    Example: [bold]tacos admin overrides[/]
    """
    request = operations_pb2.ListOverridesRequest()
    found = options.ask(operations_pb2_grpc.OperationsServiceStub, "ListOverrides", request, data, grpc).overrides
    listing = Listing("kind", "subject", "value", "since", "who", "why", "restricts sales")
    for one in found:
        style = "yellow" if one.is_restricting else ""
        what = (one.kind, one.subject, one.value, time(one, "since"), one.actor, one.reason, one.is_restricting)
        listing.add(*what, style=style)
    listing.print(as_json=as_json)


@app.command("audit")
def audit(
    limit: Annotated[int, typer.Option(help="How many, the newest.", min=1)] = 50,
    as_json: options.Json = False,
    data: Data = DATA,
    grpc: Grpc = GRPC,
) -> None:
    """Show who changed what, when and why, and the digest of the whole log, which `tacos verify` checks.

    Example: [bold]tacos admin audit[/]
    """
    entries: list[operations_pb2.AuditEntry] = []
    request = operations_pb2.ListAuditRequest()
    while True:
        page = options.ask(operations_pb2_grpc.OperationsServiceStub, "ListAudit", request, data, grpc)
        entries = [*entries, *page.entries][-limit:]
        if not page.next_cursor:
            break
        request.after_cursor = page.next_cursor
    listing = Listing("no", "when", "who", "what", "of", "before", "after", "why")
    for one in entries:
        what = (one.actor, one.action, one.subject, one.old_value, one.new_value, one.reason)
        listing.add(one.number, time(one, "at"), *what)
    if as_json:
        print_json({"entries": listing.records(), "head": page.head})
        return
    listing.print()
    if page.head:
        print(f"SHA-256 of the last entry, and so of all: {page.head}")


def pull(action: str, parameters: dict[str, str], reason: str, data: Any, grpc: str, as_: str) -> str:
    """Take an emergency action; what it did."""
    name = _enum(pb.EmergencyActionType, "action", action)
    request = pb.EmergencyActionRequest(action=name, reason=reason, parameters=parameters, confirm=True)
    return str(_admin("EmergencyAction", request, data, grpc, as_).result)


def shown_health(answer: pb.SystemHealthResponse) -> Listing:
    listing = Listing("part", "state", "answers in ms", "figures and troubles", title=_overall(answer))
    for room in answer.services:
        figures = [f"{name} {value}" for name, value in sorted(room.metrics.items())]
        _add_part(listing, room.service_name, room.status, room.response_time_ms, [*figures, *room.issues])
    for part in answer.dependencies:
        _add_part(listing, part.name, part.status, part.response_time_ms, [part.endpoint])
    return listing


def shown_calls(answer: pb.GetMetricsResponse) -> Listing:
    by_method: dict[str, dict[str, float]] = {}
    for one in answer.metrics:
        by_method.setdefault(one.labels["method"].strip("/"), {})[one.name] = one.value
    listing = Listing("RPC", "calls", "calls/s", "errors", "p50 ms", "p95 ms", "p99 ms")
    for method, figures in sorted(by_method.items(), key=lambda item: -item[1].get("count", 0)):
        listing.add(method, *(figures.get(name, 0.0) for name in SHOWN_OF_CALLS))
    return listing


def shown_gauges(answer: pb.GetMetricsResponse) -> Listing:
    listing = Listing("figure", "of", "value")
    for one in answer.metrics:
        listing.add(one.name, " ".join(one.labels.values()), one.value)
    return listing


def _add_part(listing: Listing, name: str, status: int, ms: int, more: list[str]) -> None:
    state = pb.HealthStatus.Name(status).removeprefix("HEALTH_STATUS_")
    listing.add(name, state.lower(), ms, [one for one in more if one], style=COLOURS.get(state, "red"))


def _overall(answer: pb.SystemHealthResponse) -> str:
    return pb.SystemHealthStatus.Name(answer.overall_status).removeprefix("SYSTEM_HEALTH_STATUS_").lower()


def _line(line: pb.LogEntry) -> dict[str, str]:
    level = pb.LogLevel.Name(line.level).removeprefix("LOG_LEVEL_").lower()
    own = {"timestamp": line.timestamp.ToJsonString(), "level": level, "event": line.message}
    return {**own, "trace_id": line.trace_id, **line.fields}


def _admin(method: str, request: Any, data: Any, grpc: str, as_: str = "") -> Any:
    return options.ask(admin_pb2_grpc.AdminServiceStub, method, request, data, grpc, as_)


def _trigger(
    operation: str, target: str, parameters: dict[str, str], dry_run: bool, reason: str, data: Any, grpc: str, as_: str
) -> None:
    request = pb.TriggerOperationRequest(
        operation=f"OPERATION_TYPE_{operation}",
        target_service=target,
        parameters=parameters,
        reason=reason,
        dry_run=dry_run,
    )
    Console(highlight=False).print(_admin("TriggerOperation", request, data, grpc, as_).result)


def _service_of(setting: str, data: Any, grpc: str) -> str:
    """Whose a setting is; a line's is the service queue's."""
    request = operations_pb2.ListSettingsRequest()
    found = options.ask(operations_pb2_grpc.OperationsServiceStub, "ListSettings", request, data, grpc).settings
    return next((one.service for one in found if one.name == setting), "queue")


def _enum(enum: EnumTypeWrapper, field: str, text: str) -> str:
    """The name of the value that a word on the command line stands for, as in `stop-admissions`."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    words = {name.removeprefix(prefix).lower().replace("_", "-"): name for name, number in enum.items() if number}
    if text not in words:
        raise Refusal.of_field(field, f"must be one of {', '.join(words)}", text)
    return words[text]


def _at(ms: int) -> Timestamp:
    found = Timestamp()
    found.FromMilliseconds(ms)
    return found


def _quoted(value: str) -> str:
    return value or "nothing"


def _show(*looks: Callable[[], Listing], watch: bool) -> None:
    """Once, or again and again: in one place of a terminal, one after the other on a pipe."""
    console = Console()
    with Live(console=console, auto_refresh=False) if watch and console.is_terminal else nullcontext() as live:
        while True:
            listings = [look() for look in looks]
            if live is not None:
                live.update(Group(*(one.table() for one in listings)), refresh=True)
            else:
                for one in listings:
                    one.print()
            if not watch:
                return
            asyncio.run(SystemClock().sleep(EVERY_SECONDS))

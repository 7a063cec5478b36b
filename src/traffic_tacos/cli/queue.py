"""`tacos queue`: a queue as its operator watches it. Over gRPC, against a running platform."""

import asyncio
from collections import deque
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from traffic_tacos.cli import admin, options
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.reservation.v1 import inventory_pb2, inventory_pb2_grpc
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2 as pb
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2_grpc
from traffic_tacos.upstream import answered

app = typer.Typer(help="Watch a queue, stop it, resume it.", no_args_is_help=True)
PLOT_WIDTH = 60
EVERY_SECONDS = 1.0
_BARS = " ▁▂▃▄▅▆▇█"

EventId = Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")]


@app.command("watch")
def watch(
    event_id: EventId,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Show it once, as one JSON document.")] = False,
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Show a queue live: how many wait and for how long, how fast it moves, how many let their turn pass.

    Example: [bold]tacos queue watch evt_taco_club[/]
    """
    asyncio.run(_watch(event_id, data, grpc, once=once or as_json, as_json=as_json))


@app.command("stop")
def stop(
    event_id: Annotated[str, typer.Argument(metavar="[EVENT]", help="The event's id; all events without it.")] = "",
    *,
    reason: admin.Reason,
    resume: Annotated[bool, typer.Option("--resume", help="Let them in again.")] = False,
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Stop admissions at once, or with --resume let people in again. Nobody loses a place.

    Example: [bold]tacos queue stop evt_taco_club --reason "a fire alarm"[/], and with [bold]--resume[/] to go on
    """
    parameters = {"event_id": event_id, "resume": "true" if resume else ""}
    given = {name: value for name, value in parameters.items() if value}
    Console().print(admin.pull("stop-admissions", given, reason, data, grpc, as_))


async def _watch(event_id: str, data: Path, grpc: str, *, once: bool, as_json: bool) -> None:
    clock = SystemClock()
    waiting: deque[int] = deque(maxlen=PLOT_WIDTH)
    admitted: deque[int] = deque(maxlen=PLOT_WIDTH)
    before: int | None = None
    async with options.connected(grpc) as channel:
        lines = waiting_room_pb2_grpc.LineServiceStub(channel)
        inventory = inventory_pb2_grpc.InventoryStub(channel)
        console = Console()
        with Live(console=console, auto_refresh=False) if console.is_terminal and not once else nullcontext() as live:
            while True:
                metadata = options.admin_metadata(data)
                line = (await answered(lines.GetLine(pb.GetLineRequest(event_id=event_id), metadata=metadata))).line
                asked = inventory_pb2.GetInventoryStatusRequest(event_id=event_id)
                stats = (await answered(inventory.GetInventoryStatus(asked, metadata=metadata))).stats
                waiting.append(line.waiting)
                admitted.append(0 if before is None else line.admitted_ever - before)
                before = line.admitted_ever
                listing = shown_line(line, stats)
                if live is None:
                    listing.print(as_json=as_json)
                else:
                    shown = Group(listing.table(), _plot("waiting", waiting), _plot("admitted/s", admitted))
                    live.update(shown, refresh=True)
                if once:
                    return
                await clock.sleep(EVERY_SECONDS)


def shown_line(line: pb.Line, stats: inventory_pb2.InventoryStats) -> Listing:
    """One queue and its sale as a table."""
    state = line.state_message or ("waiting for the sale" if line.pool else "open")
    kept = f"{line.told_kept / line.told:.0%} came within the time first estimated" if line.told else "none yet"
    rows = [
        ("queue", f"{line.event_id}, {state}"),
        ("waiting", f"{line.waiting:,} ({line.ready:,} of them ready), {line.streams:,} watching"),
        ("admitted", f"{line.admitted:,} now of {line.active_max:,}, {line.admitted_ever:,} in all"),
        ("rate", f"{line.admitted_last_minute:,} in the last minute; {line.rate_per_second:,} a second allowed"),
        ("no-shows", f"{line.no_show_share:.0%}"),
        ("waits", f"half within {line.wait_p50_seconds:,} s, 95 % within {line.wait_p95_seconds:,} s"),
        ("estimates", kept),
        ("sold", f"{stats.sold_seats:,} of {stats.total_seats:,}, {stats.reserved_seats:,} held"),
    ]
    listing = Listing("figure", "value")
    for row in rows:
        listing.add(*row)
    return listing


def _plot(name: str, values: deque[int]) -> Text:
    """The last minute as bars, newest right."""
    highest = max(max(values, default=0), 1)
    bars = "".join(_BARS[-(-value * (len(_BARS) - 1) // highest)] for value in values)
    return Text(f"{name:>10} {bars:<{PLOT_WIDTH}} {highest:,}")

"""`tacos event`: put events on sale, list them, show one, keep seats for the house.

Over gRPC, against a running platform.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict
from rich.console import Console

from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing, print_json, time
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2_grpc
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.catalog.documents import DOCUMENT, has_sections, is_seating_plan, read
from traffic_tacos.rooms.catalog.plans import PLAN
from traffic_tacos.rooms.catalog.schema import Mistake
from traffic_tacos.upstream import answered
from traffic_tacos.wire import plain_event

app = typer.Typer(
    help="Check event files, put events on sale, list them, show one, keep seats for the house.", no_args_is_help=True
)
PAGE = 100


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="An event file (YAML), or a seating plan (JSON) with a YAML beside it.")],
    event_id: Annotated[str, typer.Option("--id", help="Use this id instead of the file's.")] = "",
) -> None:
    """Check an event file. Prints a line for each mistake in it; exit code 1 when there is one.

    Needs no running platform. Example: [bold]tacos event check examples/events/studio.json[/]
    """
    event, mistakes = read(*read_files(file), event_id)
    if event is None:
        _show_mistakes(file, mistakes)
        raise typer.Exit(1)
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{file} is good: {event.id}, {event.seat_count} seats in {len(event.sections)} sections.", markup=False
    )


@app.command("create")
def create(
    file: Annotated[Path, typer.Argument(help="An event file (YAML), or a seating plan (JSON) with a YAML beside it.")],
    event_id: Annotated[str, typer.Option("--id", help="Use this id instead of the file's.")] = "",
    reason: options.Reason = "",
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Put an event on sale.

    Example: [bold]tacos event create examples/events/theatre.yaml[/]
    """
    document, plan = checked_files(file, event_id)
    request = pb.CreateEventRequest(document=document, seating_plan=plan, event_id=event_id, reason=reason)
    created = options.ask(catalog_pb2_grpc.CatalogServiceStub, "CreateEvent", request, data, grpc, as_).plan
    Console().print(f"[bold]{created.event.id}[/] is on sale: {created.event.total_seats} seats.")


@app.command("list")
def list_(as_json: options.Json = False, grpc: options.Grpc = str(options.DEFAULTS.grpc)) -> None:
    """List the events, when their sales open and close, and whether they are open now.

    Example: [bold]tacos event list[/]
    """

    async def run() -> list[pb.EventPlan]:
        plans: list[pb.EventPlan] = []
        cursor = ""
        async with options.connected(grpc) as channel:
            stub = catalog_pb2_grpc.CatalogServiceStub(channel)
            while True:
                page = types_pb2.Pagination(page_size=PAGE, cursor=cursor)
                answer = await answered(stub.ListEvents(pb.ListEventsRequest(pagination=page)))
                plans.extend(answer.plans)
                cursor = answer.page_info.next_cursor
                if not cursor:
                    return plans

    listing = Listing("event", "name", "seats", "sale", "sale opens", "sale closes", "starts")
    now = SystemClock().now()
    for plan in asyncio.run(run()):
        info = plan.event
        if plan.unreadable:
            listing.add(info.id, f"cannot be read: {plan.unreadable}", 0, "unreadable", "", "", "")
            continue
        times = [time(info, field) for field in ("sale_start_time", "sale_end_time", "start_time")]
        listing.add(info.id, info.name, info.total_seats, sale_state(plan, now), *times)
    listing.print(as_json=as_json)


@app.command("show")
def show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event.")],
    as_json: options.Json = False,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Show one event with its sections.

    Example: [bold]tacos event show evt_taco_club[/]
    """

    async def run() -> pb.EventPlan:
        async with options.connected(grpc) as channel:
            stub = catalog_pb2_grpc.CatalogServiceStub(channel)
            return (await answered(stub.GetEvent(pb.GetEventRequest(event_id=event_id)))).plan

    plan = asyncio.run(run())
    if as_json:
        print_json(MessageToDict(plan, preserving_proto_field_name=True))
        return
    venue = f", {plan.event.venue.name}" if plan.event.venue.name else ""
    about = f"{plan.event.name}{venue} ({plan.event.id}), at most {plan.max_per_order} seats an order"
    sale = f"sale {sale_state(plan, SystemClock().now())}"
    for what, field in (("opens", "sale_start_time"), ("closes", "sale_end_time")):
        if (at := time(plan.event, field)) is not None:
            sale += f", {what} {at}"
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{about}; {sale}", markup=False)
    listing = Listing("section", "name", "rows", "seats", "price")
    for section in plan.sections:
        seats = [seat for row in section.rows for seat in row.seats]
        prices = sorted({seat.price for seat in seats})
        shown = " to ".join(
            Money(price, plan.currency).for_people() for price in dict.fromkeys((prices[0], prices[-1]))
        )
        rows = "standing" if section.rows[0].standing else str(len(section.rows))
        listing.add(section.id, section.name, rows, len(seats), shown)
    listing.print()


def sale_state(plan: pb.EventPlan, now: Instant) -> str:
    """Whether an event can be bought now, as far as its times say."""
    window = sale_window(plain_event(plan.event))
    if window.is_over(now):
        return "over"
    return "open" if window.has_opened(now) else "not yet open"


@app.command("block")
def block(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event.")],
    seats: Annotated[list[str], typer.Argument(metavar="SEAT...", help="Seats of it, as in MAIN-A-1.")],
    reason: Annotated[str, typer.Option(help="Kept with it in the audit log.")] = "",
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Take seats off sale for the house, all or none.

    Example: [bold]tacos event block evt_taco_club SEATS-A-1 SEATS-A-2 --reason artist[/]
    """
    request = pb.BlockSeatsRequest(event_id=event_id, seat_ids=seats, reason=reason)
    _show_changed("off sale", options.ask(catalog_pb2_grpc.CatalogServiceStub, "BlockSeats", request, data, grpc, as_))


@app.command("unblock")
def unblock(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event.")],
    seats: Annotated[list[str], typer.Argument(metavar="SEAT...", help="Seats that the house keeps.")],
    reason: Annotated[str, typer.Option(help="Kept with it in the audit log.")] = "",
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Put seats that the house has kept back on sale.

    Example: [bold]tacos event unblock evt_taco_club SEATS-A-1[/]
    """
    request = pb.UnblockSeatsRequest(event_id=event_id, seat_ids=seats, reason=reason)
    _show_changed("on sale", options.ask(catalog_pb2_grpc.CatalogServiceStub, "UnblockSeats", request, data, grpc, as_))


def _show_changed(what: str, answer: pb.BlockSeatsResponse | pb.UnblockSeatsResponse) -> None:
    seats = [seat.id for seat in answer.seats]
    Console().print(f"{what}: {', '.join(seats)}" if seats else f"Nothing changed: they were {what} already.")


def checked_files(path: Path, event_id: str = "") -> tuple[str, str]:
    """The files at a path, when nothing in them is wrong; else each mistake is a line, and the exit code is 2."""
    document, plan = read_files(path)
    event, mistakes = read(document, plan, event_id)
    if event is None:
        _show_mistakes(path, mistakes)
        raise typer.Exit(2)
    return document, plan


def _show_mistakes(path: Path, mistakes: list[Mistake]) -> None:
    """Each as FILE:LINE: PATH: what would be right (is VALUE), as editors and compilers have it."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    document, plan = _paths(path)
    for mistake in mistakes:
        field, reason, value = mistake.detail.field, mistake.detail.reason, mistake.detail.value
        is_of_plan = field.startswith(PLAN)
        where = field.removeprefix(PLAN).lstrip(".") if is_of_plan else field.removeprefix(DOCUMENT)
        said = f"{where}: {reason}" if where else reason
        shown = f" (is {value})" if value else ""
        console.print(f"{plan if is_of_plan else document}:{mistake.line}: {said}{shown}", markup=False)


def read_files(path: Path) -> tuple[str, str]:
    """The event file and the seating plan at a path, whichever of the two it is; the other lies beside it."""
    document, plan = _paths(path)
    return _read(document), _read(plan) if plan is not None else ""


def _paths(path: Path) -> tuple[Path, Path | None]:
    text = _read(path)
    if is_seating_plan(text):
        return path.with_suffix(".yaml"), path
    beside = path.with_suffix(".json")
    needs_plan = beside.is_file() and not has_sections(text)
    return path, beside if needs_plan and is_seating_plan(_read(beside)) else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refusal.of_field(str(path), f"must be a readable event file: {reason}") from None

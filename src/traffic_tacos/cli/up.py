"""`tacos up`: all rooms in one process."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from traffic_tacos.app import embedded, logs
from traffic_tacos.app.config import Config, checked, parsed_address
from traffic_tacos.app.platform import Platform
from traffic_tacos.cli import options
from traffic_tacos.cli.event import read_files
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2, catalog_pb2_grpc
from traffic_tacos.wire import answered

BUNDLED = Path(__file__).parents[3] / "examples" / "events"
FIRST_SALE = "club.yaml"
EVENTS_SHOWN_MAX = 20


def up(
    data: options.Data = options.DEFAULTS.data,
    grpc: Annotated[str, typer.Option(help="Where to answer gRPC.")] = str(options.DEFAULTS.grpc),
    http: Annotated[str, typer.Option(help="Where to answer HTTP.")] = str(options.DEFAULTS.http),
    event: Annotated[list[Path] | None, typer.Option(help="An event file to put on sale; may be repeated.")] = None,
    time_scale: Annotated[float, typer.Option(help="Makes simulated payment times this much shorter.")] = 1.0,
    without: Annotated[list[str] | None, typer.Option(help="A room to leave out; may be repeated.")] = None,
    server: Annotated[str, typer.Option(help="The gRPC server: native or grpcio.")] = options.DEFAULTS.server,
) -> None:
    """Start the whole platform here, on embedded engines. Stop it with Ctrl-C; it goes on where it ended.

    Example: [bold]tacos up --event examples/events/theatre.yaml --time-scale 10[/]
    """
    logs.configure()
    config = checked(
        Config(
            data=data,
            grpc=parsed_address("grpc", grpc),
            http=parsed_address("http", http),
            event_files=tuple(event or ()),
            time_scale=time_scale,
            without=frozenset(without or ()),
            server=server,
        )
    )
    asyncio.run(embedded.serve(config, lambda platform: _started(config, platform)))


async def _started(config: Config, platform: Platform) -> None:
    """Put the event files on sale, and say what there is."""
    console = Console(soft_wrap=True)
    console.print(f"gRPC  [bold]{config.grpc}[/]   HTTP  [bold]http://{config.http}[/]   data  [bold]{config.data}[/]")
    if "catalog" not in config.without:
        await _offer(config, platform, console)
    console.print("Ctrl-C stops it.")


async def _offer(config: Config, platform: Platform, console: Console) -> None:
    catalog = catalog_pb2_grpc.CatalogServiceStub(platform.channel("admin"))
    listed = await answered(catalog.ListEvents(catalog_pb2.ListEventsRequest()))
    files = config.event_files
    if not files and not listed.plans and (BUNDLED / FIRST_SALE).exists():
        files = (BUNDLED / FIRST_SALE,)
    for path in files:
        await platform.put_on_sale(*read_files(path))
    listed = await answered(catalog.ListEvents(catalog_pb2.ListEventsRequest()))
    table = Table("event", "name", "seats", title="On sale", title_justify="left")
    for plan in listed.plans[:EVENTS_SHOWN_MAX]:
        table.add_row(plan.event.id, plan.event.name, str(plan.event.total_seats))
    console.print(table)
    if listed.plans:
        where = "" if config.grpc == options.DEFAULTS.grpc else f" --grpc {config.grpc}"
        folder = "" if config.data == options.DEFAULTS.data else f" --data {config.data}"
        console.print(f"Buy two tickets:  [bold]tacos buy {listed.plans[0].event.id} --quantity 2{where}{folder}[/]")

"""The platform that `tacos up` or `tacos serve` starts: what it sells, and what it says when it has started."""

from pathlib import Path

from rich.console import Console

from traffic_tacos.app import embedded
from traffic_tacos.app.config import Config
from traffic_tacos.app.platform import Platform
from traffic_tacos.cli import options
from traffic_tacos.cli.event import read_files
from traffic_tacos.cli.shown import Listing
from traffic_tacos.ports.figures import Logs
from traffic_tacos.ports.paging import Asked
from traffic_tacos.rooms.catalog.service import Catalog, Unreadable

BUNDLED = Path(__file__).parents[3] / "examples" / "events"
FIRST_SALE = "club.yaml"
EVENTS_SHOWN_MAX = 20


async def serve(config: Config, ring: Logs, documents: list[tuple[str, str]], *, offers: bool) -> None:
    """Until it is stopped, with these events on sale: each a document and its seating plan. One that `offers` shows
    what there is to buy, and sells something where nobody else does.
    """

    async def announce(platform: Platform) -> None:
        await (_announce if offers else _announce_role)(config, platform)

    await embedded.serve(config, ring, lambda platform: _offer(platform, documents, offers=offers), announce)


async def _offer(platform: Platform, documents: list[tuple[str, str]], *, offers: bool) -> None:
    """Put the event files on sale, or the bundled club if nothing is; nothing where the catalog is elsewhere."""
    if "catalog" not in platform.config.rooms:
        return
    if (
        offers
        and not documents
        and (BUNDLED / FIRST_SALE).exists()
        and not (await platform.part(Catalog).list(Asked())).total
    ):
        documents = [read_files(BUNDLED / FIRST_SALE)]
    for document, plan in documents:
        await platform.put_on_sale(document, plan)


async def _announce_role(config: Config, _: Platform) -> None:
    """Say what it is and where it listens, in one line."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{config.role}: gRPC {config.grpc}, HTTP http://{config.http}; ends on SIGTERM")


async def _announce(config: Config, platform: Platform) -> None:
    """Say where it listens, what it sells, and how to buy."""
    console = Console(soft_wrap=True)
    console.print(f"gRPC  [bold]{config.grpc}[/]   HTTP  [bold]http://{config.http}[/]   data  [bold]{config.data}[/]")
    if "catalog" not in config.rooms:
        console.print(f"Here: {', '.join(config.rooms) or 'no service'}. Ctrl-C stops it.")
        return
    page = await platform.part(Catalog).list(Asked(page_size=EVENTS_SHOWN_MAX))
    listing = Listing("event", "name", "seats", title="On sale")
    for one in page.records:
        if isinstance(one, Unreadable):
            listing.add(one.id, f"cannot be read: {one.why}", 0)
        else:
            listing.add(one.id, one.info.name, one.seat_count)
    listing.print()
    if good := [one for one in page.records if not isinstance(one, Unreadable)]:
        where = "" if config.grpc == options.DEFAULTS.grpc else f" --grpc {config.grpc}"
        folder = "" if config.data == options.DEFAULTS.data else f" --data {config.data}"
        console.print(f"Buy two tickets:  [bold]{options.command()} buy {good[0].id} --quantity 2{where}{folder}[/]")
        console.print(f"In a browser:     [bold]{config.base_url}/[/]")
    console.print("Ctrl-C stops it.")

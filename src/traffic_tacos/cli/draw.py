"""`tacos draw`: what is published of a draw, and whether it was a fair one. Needs no token: everybody may check."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from traffic_tacos.cli import options
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2 as pb
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2_grpc
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.rooms.waiting_room.draw import Published, differences
from traffic_tacos.rooms.waiting_room.draw import entry as entry_of
from traffic_tacos.upstream import answered

app = typer.Typer(help="See the draw among those who came before a sale, and check it.", no_args_is_help=True)
DIFFERENCES_SHOWN_MAX = 20

EventId = Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")]


class DrawFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published draw as a file; bytes are hex. `entries` are in order of joining, `places` theirs."""

    event_id: str
    seed_sha256: str
    seed: str
    pool_digest: str
    entries: tuple[str, ...]
    places: tuple[int, ...]


@app.command("show")
def show(event_id: EventId, grpc: options.Grpc = str(options.DEFAULTS.grpc)) -> None:
    """Show what the platform has committed to. Note it down before the sale: it cannot be changed unseen.

    Example: [bold]tacos draw show evt_taco_night[/]
    """

    async def run() -> pb.Draw:
        async with options.connected(grpc) as channel:
            stub = waiting_room_pb2_grpc.DrawServiceStub(channel)
            return (await answered(stub.GetDraw(pb.GetDrawRequest(event_id=event_id)))).draw

    drawn = asyncio.run(run())
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"SHA-256 of the seed  {drawn.seed_sha256.hex()}")
    console.print(f"in the pool          {drawn.pool_size:,}")
    if drawn.HasField("closed_at"):
        console.print(f"drawn at             {drawn.closed_at.ToJsonString()}")
        console.print(f"seed                 {drawn.seed.hex()}")
        console.print(f"digest of the pool   {drawn.pool_digest.hex()}")
    else:
        console.print(f"to be drawn at       {drawn.opens_at.ToJsonString()}")


@app.command("publish")
def publish(event_id: EventId, grpc: options.Grpc = str(options.DEFAULTS.grpc)) -> None:
    """Print a closed draw as JSON: all that anybody needs to check it.

    Example: [bold]tacos draw publish evt_taco_night > draw.json[/]
    """
    published = asyncio.run(_fetched(event_id, grpc))
    print(msgspec.json.format(msgspec.json.encode(_file(published)).decode()))


@app.command("verify")
def verify(
    event_id: EventId,
    file: Annotated[
        Path | None, typer.Option("--from", help="Check this published file, instead of asking a platform.")
    ] = None,
    commitment: Annotated[str, typer.Option(help="The SHA-256 of the seed that you noted before the sale.")] = "",
    token: Annotated[
        str,
        typer.Option(
            help="Your waiting token (better in the environment): says where you were drawn to.", envvar="WAITING_TOKEN"
        ),
    ] = "",
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Recompute everybody's place from published data alone. Exit code 1 when one is not as it was drawn.

    Example: [bold]tacos draw verify evt_taco_night --commitment 5f1c…[/]
    """
    published = _read(file, event_id) if file else asyncio.run(_fetched(event_id, grpc))
    wrong = differences(published)
    if commitment and commitment.lower() != published.commitment.hex():
        wrong.insert(0, "the commitment is not the one that you noted")
    console = Console(highlight=False, soft_wrap=True)
    for line in wrong[:DIFFERENCES_SHOWN_MAX]:
        console.print(f"[red]wrong:[/] {line}")
    if wrong:
        raise Refusal(
            Code.DATA_CORRUPTION, f"the draw of {event_id} is not what was committed to: {len(wrong)} differences"
        )
    console.print(f"{len(published.entries):,} places are as they were drawn.")
    if token:
        mine = entry_of(token)
        if mine not in published.entries:
            raise Refusal(Code.NOT_FOUND, "token: was not in the pool when it closed")
        console.print(f"You were drawn to place {published.places[published.entries.index(mine)]:,}.")


async def _fetched(event_id: str, grpc: str) -> Published:
    entries: list[bytes] = []
    places: list[int] = []
    console = Console(stderr=True)
    async with options.connected(grpc) as channel:
        stub = waiting_room_pb2_grpc.DrawServiceStub(channel)
        drawn = (await answered(stub.GetDraw(pb.GetDrawRequest(event_id=event_id)))).draw
        if not drawn.HasField("closed_at"):
            raise Refusal(Code.FAILED_PRECONDITION, f"the pool of {event_id} closes at {drawn.opens_at.ToJsonString()}")
        with console.status("reading the pool …") as status:
            while True:
                request = pb.ListDrawEntriesRequest(event_id=event_id, after_number=len(entries))
                page = await answered(stub.ListDrawEntries(request))
                entries += [one.entry for one in page.entries]
                places += [one.place for one in page.entries]
                status.update(f"reading the pool … {len(entries):,} of {drawn.pool_size:,}")
                if not page.has_next_page:
                    break
    return Published(event_id, drawn.seed_sha256, drawn.seed, drawn.pool_digest, tuple(entries), tuple(places))


def _file(published: Published) -> DrawFile:
    return DrawFile(
        published.event_id,
        published.commitment.hex(),
        published.seed.hex(),
        published.pool_digest.hex(),
        tuple(entry.hex() for entry in published.entries),
        published.places,
    )


def _read(path: Path, event_id: str) -> Published:
    try:
        read = msgspec.json.decode(path.read_bytes(), type=DrawFile)
        if read.event_id != event_id:
            raise Refusal.of_field("event", f"must be the file's, which is {read.event_id}", event_id)
        return Published(
            read.event_id,
            bytes.fromhex(read.seed_sha256),
            bytes.fromhex(read.seed),
            bytes.fromhex(read.pool_digest),
            tuple(map(bytes.fromhex, read.entries)),
            read.places,
        )
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise Refusal.of_field(str(path), f"must be a published draw: {error}") from None

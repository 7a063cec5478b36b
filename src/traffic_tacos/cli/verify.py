"""`tacos verify`: are the promises kept?"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from traffic_tacos.app.config import STORE_FILE, Config
from traffic_tacos.app.stores import opened
from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing, print_json
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.sqlite_snapshot import sqlite_snapshot
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2 as pb
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2_grpc
from traffic_tacos.operations.invariants import Result, verified, verified_on


def verify(
    context: typer.Context,
    as_json: options.Json = False,
    data: options.Data = options.DEFAULTS.data,
    grpc: Annotated[
        str,
        typer.Option(
            envvar="TACOS_GRPC",
            help="Ask the platform at HOST:PORT instead of reading the data folder. --data wins over TACOS_GRPC.",
        ),
    ] = "",
    dynamodb: options.DynamoDB = "",
) -> None:
    """Check every invariant on all that is stored. Exit code 1 when one is broken.

    Works on a running platform and on a stopped one. Example: [bold]tacos verify[/]
    """
    asked = {name: str(context.get_parameter_source(name)).rpartition(".")[2] for name in ("data", "grpc")}
    is_local = not grpc or (asked["data"] == "COMMANDLINE" and asked["grpc"] == "ENVIRONMENT")
    results = _results(data, grpc if not is_local else "", dynamodb)
    if as_json:
        print_json(results)
    else:
        _show(results)
    if any(result.violation_count for result in results):
        raise typer.Exit(1)


def _show(results: list[Result]) -> None:
    listing = Listing("no", "invariant", "checked", "broken")
    for result in results:
        style = "red" if result.violation_count else ""
        listing.add(result.invariant, result.claim, result.checked, result.violation_count, style=style)
    listing.print()
    console = Console(soft_wrap=True, highlight=False)
    for result in results:
        for violation in result.violations:
            console.print(f"{result.invariant} {violation}", style="red", markup=False)


def _results(data: Path, grpc: str, dynamodb: str) -> list[Result]:
    if dynamodb:
        return asyncio.run(_on_dynamodb(dynamodb))
    return _remote(grpc, data) if grpc else _local(data)


def _local(data: Path) -> list[Result]:
    with sqlite_snapshot(data / STORE_FILE) as records:
        return verified(records, SystemClock().now())


async def _on_dynamodb(prefix: str) -> list[Result]:
    clock, config = SystemClock(), Config(dynamodb=prefix)
    with Console(stderr=True).status("Reading everything …"):
        async with opened(config, clock, options.randomness()) as store:
            return await verified_on(store.on_snapshot, clock)


def _remote(grpc: str, data: Path) -> list[Result]:
    request = pb.VerifyInvariantsRequest()
    answer = options.ask(operations_pb2_grpc.OperationsServiceStub, "VerifyInvariants", request, data, grpc)
    return [
        Result(one.invariant, one.claim, one.checked, tuple(one.violations), one.violation_count)
        for one in answer.results
    ]

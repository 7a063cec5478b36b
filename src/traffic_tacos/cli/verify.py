"""`tacos verify`: are the promises kept?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from traffic_tacos.app.embedded import STORE_FILE
from traffic_tacos.app.verify import Result, sqlite_snapshot, verified
from traffic_tacos.cli import options
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2 as pb
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2_grpc


def verify(
    data: options.Data = options.DEFAULTS.data,
    grpc: Annotated[
        str, typer.Option(help="Ask the platform that answers there, instead of reading the data folder.")
    ] = "",
) -> None:
    """Check every invariant that what is stored can show. Exit code 1 when one is broken.

    Works on a running platform and on a stopped one. Example: [bold]tacos verify[/]
    """
    results = _remote(grpc, data) if grpc else _local(data)
    table = Table("", "invariant", "checked", "broken")
    for result in results:
        broken = f"[red]{result.violation_count}[/]" if result.violation_count else "0"
        table.add_row(result.invariant, result.claim, str(result.checked), broken)
    console = Console(soft_wrap=True)
    console.print(table)
    for result in results:
        for violation in result.violations:
            console.print(f"[red]{result.invariant}[/] {violation}")
    if any(result.violation_count for result in results):
        raise typer.Exit(1)


def _local(data: Path) -> list[Result]:
    with sqlite_snapshot(data / STORE_FILE) as records:
        return verified(records, SystemClock().now())


def _remote(grpc: str, data: Path) -> list[Result]:
    request = pb.VerifyInvariantsRequest()
    answer = options.ask(operations_pb2_grpc.OperationsServiceStub, "VerifyInvariants", request, data, grpc)
    return [
        Result(one.invariant, one.claim, one.checked, tuple(one.violations), one.violation_count)
        for one in answer.results
    ]

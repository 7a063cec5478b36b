"""`tacos reconcile`: payments, reservations, orders and seats compared, on a running platform."""

from typing import Annotated

import typer
from rich.console import Console

from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2 as pb
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2_grpc


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look.")] = False,
    reason: options.Reason = "",
    as_json: options.Json = False,
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Compare payments, reservations, orders and seats, and start the jobs that are missing.

    A platform does so every five minutes. Exit code 1 when something is left that a person must look at.

    Example: [bold]tacos reconcile --dry-run[/]
    """

    console = Console()
    with Console(stderr=True).status("Comparing …"):
        request = pb.ReconcileRequest(dry_run=dry_run, reason=reason)
        answer = options.ask(operations_pb2_grpc.OperationsServiceStub, "Reconcile", request, data, grpc, as_)
    if not answer.difference_count and not as_json:
        console.print("No inconsistencies.")
        return
    listing = Listing("subject", "what", "mended by", "repaired")
    for one in answer.differences:
        listing.add(one.subject, one.what, one.job_id or "a person", one.repaired)
    listing.print(as_json=as_json)
    if not as_json:
        console.print(f"{answer.difference_count} differences.")
    if not all(one.repaired for one in answer.differences):
        raise typer.Exit(1)

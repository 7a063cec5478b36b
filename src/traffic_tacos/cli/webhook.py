"""`tacos webhook`: who subscribed to what, how deliveries go, and what could not be delivered. Over gRPC."""

from typing import Annotated

import typer
from rich.console import Console

from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing, time
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2, operations_pb2_grpc
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as pb
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2_grpc

app = typer.Typer(help="See how webhooks are delivered, and send again what could not be.", no_args_is_help=True)


@app.command("list")
def list_(
    as_json: options.Json = False,
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """List the endpoints: how much waits for each, how much was given up, and its last answer.

    Example: [bold]tacos webhook list[/]
    """
    found = options.ask(
        webhook_pb2_grpc.EndpointServiceStub, "ListEndpoints", pb.ListEndpointsRequest(), data, grpc
    ).endpoints
    listing = Listing(
        "endpoint", "url", "service", "state", "waiting", "dead", "delivered", "failed", "open until", "last error"
    )
    for one in found:
        state = "gone" if one.HasField("gone_at") else "circuit open" if one.HasField("open_until") else "open"
        figures = (one.waiting, one.dead, one.delivered, one.failed)
        named = one.endpoint_id if one.service_name else ""
        listing.add(named, one.endpoint_url, one.service_name, state, *figures, time(one, "open_until"), one.last_error)
    listing.print(as_json=as_json)


@app.command("remove")
def remove(
    endpoint_id: Annotated[str, typer.Argument(metavar="ID", help="The endpoint, as `list` shows it.")],
    reason: options.Reason = "",
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Remove an endpoint. What still waits for it is not sent.

    Example: [bold]tacos webhook remove whk_1a2b3c[/]
    """
    options.ask(
        webhook_pb2_grpc.EndpointServiceStub,
        "RemoveEndpoint",
        pb.RemoveEndpointRequest(endpoint_id=endpoint_id, reason=reason),
        data,
        grpc,
        as_,
    )
    Console().print(f"{endpoint_id} is removed.")


@app.command("dead")
def dead(
    as_json: options.Json = False,
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """List the dead letters: webhooks and other jobs that were given up.

    Example: [bold]tacos webhook dead[/]
    """
    found = options.ask(
        operations_pb2_grpc.OperationsServiceStub, "ListDeadJobs", operations_pb2.ListDeadJobsRequest(), data, grpc
    ).jobs
    listing = Listing("job", "topic", "attempts", "last error")
    for job in found:
        listing.add(job.job_id, job.topic, job.attempts, job.last_error)
    listing.print(as_json=as_json)


@app.command("replay")
def replay(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job, as `dead` shows it.")],
    reason: options.Reason = "",
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
) -> None:
    """Try a dead letter again.

    Example: [bold]tacos webhook replay webhook.send:pi_1a2b3c:COMPLETED:0[/]
    """
    options.ask(
        operations_pb2_grpc.OperationsServiceStub,
        "ReplayDeadJob",
        operations_pb2.ReplayDeadJobRequest(job_id=job_id, reason=reason),
        data,
        grpc,
        as_,
    )
    Console().print(f"{job_id} is due again.")

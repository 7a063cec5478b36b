"""`tacos aws …`: what a platform on AWS needs before it is started."""

import asyncio
from collections.abc import Mapping

import typer
from rich.console import Console

from traffic_tacos.app import aws, stores
from traffic_tacos.cli import options
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.kernel.errors import Refusal

app = typer.Typer(name="aws", help="Prepare AWS for a platform.", no_args_is_help=True)


@app.command("create")
def create(dynamodb: options.DynamoDB = "", sqs: options.Sqs = "", event_bus: options.EventBus = "") -> None:
    """Create the tables, queues and the bus that are named and missing; what is there stays as it is.

    Example: [bold]AWS_REGION=eu-central-1 tacos aws create --dynamodb tacos- --sqs tacos- --event-bus tacos[/]
    """
    if not (dynamodb or sqs or event_bus):
        raise Refusal.of_field("dynamodb", "or sqs or event-bus must be given, to say what is to be created")
    asyncio.run(_create(dynamodb, sqs, event_bus))


@app.command("create-tables")
def create_tables(dynamodb: options.DynamoDB = "") -> None:
    """Create the tables of DynamoDB that are missing; those that are there stay as they are.

    Example: [bold]AWS_REGION=eu-central-1 tacos aws create-tables --dynamodb tacos-[/]
    """
    if not dynamodb:
        raise Refusal.of_field("dynamodb", "is required: what the names of the tables begin with")
    asyncio.run(_create(dynamodb))


async def _create(dynamodb: str = "", sqs: str = "", event_bus: str = "") -> None:
    with Console(stderr=True).status("Creating …"):
        made: dict[str, bool] = {}
        if dynamodb:
            tables = await stores.create_tables(dynamodb)
            made |= {name: name in tables for name in Tables(dynamodb).names()}
        if sqs:
            made |= await aws.create_queues(sqs)
        if event_bus:
            made |= await aws.create_bus(event_bus)
    _print(made)


def _print(made: Mapping[str, bool]) -> None:
    for name, is_new in made.items():
        typer.echo(f"{name}: {'created' if is_new else 'is there already'}")

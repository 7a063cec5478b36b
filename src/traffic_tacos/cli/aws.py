"""`tacos aws …`: what a platform on AWS needs before it is started."""

import asyncio

import typer
from rich.console import Console

from traffic_tacos.app import stores
from traffic_tacos.cli import options
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.kernel.errors import Refusal

app = typer.Typer(name="aws", help="Prepare AWS for a platform.", no_args_is_help=True)


@app.command("create-tables")
def create_tables(dynamodb: options.DynamoDB = "") -> None:
    """Create the tables of DynamoDB that are missing; those that are there stay as they are.

    Example: [bold]AWS_REGION=eu-central-1 tacos aws create-tables --dynamodb tacos-[/]
    """
    if not dynamodb:
        raise Refusal.of_field("dynamodb", "is required: what the names of the tables begin with")
    with Console(stderr=True).status("Creating tables …"):
        made = asyncio.run(stores.create_tables(dynamodb))
    for name in Tables(dynamodb).names():
        typer.echo(f"{name}: {'created' if name in made else 'is there already'}")

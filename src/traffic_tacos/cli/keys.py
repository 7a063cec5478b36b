"""`tacos keys`: the platform's own secrets. On the data folder; a running platform follows it within seconds."""

import random
from typing import Annotated

import typer
from rich.console import Console

from traffic_tacos.app import keys
from traffic_tacos.cli import options
from traffic_tacos.engines.clock import SystemClock

app = typer.Typer(help="Replace the platform's own secrets.", no_args_is_help=True)


@app.command("rotate")
def rotate(
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Believe the old key no more: whoever has a token needs a new one.")
    ] = False,
    data: options.Data = options.DEFAULTS.data,
) -> None:
    """Make a new key for tokens. What was signed with the one before is good until it expires.

    Example: [bold]tacos keys rotate[/]
    """
    name = keys.rotate(data, random.SystemRandom(), SystemClock().now(), revoke=revoke)
    old = "believed no more" if revoke else "good until they expire"
    Console(highlight=False).print(f"Tokens are signed with key {name}; those signed before are {old}.")


@app.command("rotate-webhook")
def rotate_webhook(data: options.Data = options.DEFAULTS.data) -> None:
    """Make a new secret for webhooks. They carry signatures under the new one and the one before it, and both
    are believed, until you drop the old one: receivers change over in between, and nothing is lost.

    Example: [bold]tacos keys rotate-webhook[/], tell the receivers, [bold]tacos keys drop-old-webhook[/]
    """
    keys.rotate_webhook(data, random.SystemRandom())
    Console().print(f"The new secret is the first line of {data / keys.FOLDER / keys.WEBHOOK}.")


@app.command("drop-old-webhook")
def drop_old_webhook(data: options.Data = options.DEFAULTS.data) -> None:
    """End a rotation: only the newest secret for webhooks is left.

    Example: [bold]tacos keys drop-old-webhook[/]
    """
    keys.drop_old_webhook(data)
    Console().print("The old secret is gone.")

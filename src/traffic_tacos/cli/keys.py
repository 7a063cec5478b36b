"""`tacos keys`: the platform's own secrets. On the data folder; in force from the platform's next start."""

import random

import typer
from rich.console import Console

from traffic_tacos.app import keys
from traffic_tacos.cli import options

app = typer.Typer(help="Replace the platform's own secrets.", no_args_is_help=True)


@app.command("rotate-webhook")
def rotate_webhook(data: options.Data = options.DEFAULTS.data) -> None:
    """Make a new secret for webhooks. They carry signatures under the new one and the one before it, and both
    are believed, until you drop the old one: receivers change over in between, and nothing is lost.

    Example: [bold]tacos keys rotate-webhook[/], restart, tell the receivers, [bold]tacos keys drop-old-webhook[/]
    """
    keys.rotate_webhook(data, random.SystemRandom())
    Console().print(f"The new secret is the first line of {data / keys.FOLDER / keys.WEBHOOK}. Restart to use it.")


@app.command("drop-old-webhook")
def drop_old_webhook(data: options.Data = options.DEFAULTS.data) -> None:
    """End a rotation: only the newest secret for webhooks is left.

    Example: [bold]tacos keys drop-old-webhook[/]
    """
    keys.drop_old_webhook(data)
    Console().print("The old secret is gone. Restart to believe it no more.")

"""`tacos keys`: the platform's own secrets. On the data folder; a running platform follows it within seconds."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from traffic_tacos.calls import keys
from traffic_tacos.cli import options
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.randomness import SystemRandomness
from traffic_tacos.kernel.ids import checked_reason
from traffic_tacos.kernel.tokens import key_id
from traffic_tacos.operations import rotations

app = typer.Typer(help="Make and replace the platform's own secrets.", no_args_is_help=True)
Reason = Annotated[str, typer.Option(help="Why; kept in the audit log.")]


@app.command("create")
def create(data: options.Data = options.DEFAULTS.data) -> None:
    """Make the keys of a platform in a data folder, for its processes to share with --keys-of. Keys that are there
    stay; `tacos up` makes its own.

    Example: [bold]tacos keys create --data cluster[/]
    """
    keys.opened(data, SystemRandomness())
    Console(soft_wrap=True).print(f"The keys are in {data / keys.FOLDER}. Whoever has them can speak as anybody.")


@app.command("rotate")
def rotate(
    revoke: Annotated[
        bool,
        typer.Option(
            "--revoke",
            help="Refuse all tokens and tickets that were made with the old key: everybody needs new ones.",
        ),
    ] = False,
    reason: Reason = "",
    as_: options.As = "",
    data: options.Data = options.DEFAULTS.data,
) -> None:
    """Make a new key for tokens. What was signed with the one before is good until it expires.

    Example: [bold]tacos keys rotate --reason "the yearly one"[/]
    """
    with _noted(data, rotations.SIGNING, "revoke key" if revoke else "rotate key", as_, reason):
        name = keys.rotate(data, SystemRandomness(), SystemClock().now(), revoke=revoke)
    old = "refused" if revoke else "good until they expire"
    Console(highlight=False).print(f"Tokens are signed with key {name}; those signed before are {old}.")


@app.command("rotate-webhook")
def rotate_webhook(reason: Reason = "", as_: options.As = "", data: options.Data = options.DEFAULTS.data) -> None:
    """Make a new secret for webhooks. Webhooks are signed with the new one and the one before it, and both
    are accepted, until you drop the old one: so receivers can change over without losing a webhook.

    Example: [bold]tacos keys rotate-webhook[/], give the receivers the new one, [bold]tacos keys drop-old-webhook[/]
    """
    with _noted(data, rotations.WEBHOOK, "rotate secret", as_, reason):
        keys.rotate_webhook(data, SystemRandomness())
    Console(soft_wrap=True).print(f"The new secret is the first line of {data / keys.FOLDER / keys.WEBHOOK}.")


@app.command("drop-old-webhook")
def drop_old_webhook(reason: Reason = "", as_: options.As = "", data: options.Data = options.DEFAULTS.data) -> None:
    """End a rotation: only the newest secret for webhooks is left.

    Example: [bold]tacos keys drop-old-webhook[/]
    """
    with _noted(data, rotations.WEBHOOK, "drop old secret", as_, reason):
        keys.drop_old_webhook(data)
    Console().print("The old secret is gone.")


@contextmanager
def _noted(data: Path, subject: str, action: str, as_: str, reason: str) -> Iterator[None]:
    """Note for the platform's audit log what the block changes, who did it and why."""
    checked_reason(reason)
    actor, folder = options.operator(as_), data / keys.FOLDER
    keys.read(data)  # that there is such a folder
    with rotations.locked(folder, fcntl.LOCK_EX):
        before = _names(data)
        yield
        now, after = SystemClock().now(), _names(data)
        rotations.note(folder, rotations.Rotation(now, actor, action, subject, before[subject], after[subject], reason))


def _names(data: Path) -> dict[str, str]:
    found = keys.read(data)
    return rotations.names(key_id(found.signing.public_key()), found.webhook)

"""`tacos …`: a file a command. Errors are one clear line; 1 is "the answer is no", 2 is "asked wrongly"."""

import sqlite3
import sys
from importlib.metadata import version
from typing import Annotated

import grpc
import typer
from rich.console import Console

from traffic_tacos.cli import admin, aws, buy, draw, event, keys, options, queue, reconcile, token, up, verify, webhook
from traffic_tacos.engines.aws import AwsFault
from traffic_tacos.kernel.errors import Code, Damaged, Refusal
from traffic_tacos.ports.store import StoreUnavailable
from traffic_tacos.upstream import UpstreamFault

app = typer.Typer(
    name="tacos",
    help="Sell tickets when far more people come than there are seats.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tacos {version('traffic-tacos')}")
        raise typer.Exit


@app.callback()
def tacos(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version, and end.")
    ] = False,
) -> None:
    """Sell tickets when far more people come than there are seats."""


app.command("up")(up.up)
app.command("serve")(up.serve)
app.add_typer(event.app, name="event")
app.add_typer(queue.app, name="queue")
app.add_typer(admin.app, name="admin")
app.add_typer(draw.app, name="draw")
app.add_typer(webhook.app, name="webhook")
app.add_typer(keys.app, name="keys")
app.add_typer(aws.app, name="aws")
app.command("token")(token.token)
app.command("buy")(buy.buy)
app.command("verify")(verify.verify)
app.command("reconcile")(reconcile.reconcile)


def main() -> None:
    """The console script."""
    try:
        app()
    except Refusal as refusal:
        more = [
            f"  {detail.field}: {detail.reason}" + (f" (is {detail.value})" if detail.value else "")
            for detail in refusal.details[1:]
        ]
        _fail(2 if refusal.code is Code.INVALID_ARGUMENT else 1, _message(refusal), *more)
    except grpc.aio.AioRpcError as failure:
        _fail(1, f"{failure.code().name}: {failure.details()}")
    except (UpstreamFault, Damaged, StoreUnavailable, AwsFault, options.Unreachable) as failure:
        _fail(1, str(failure))
    except TimeoutError as timeout:
        _fail(1, str(timeout) or "the platform took too long")
    except OSError as error:
        _fail(1, f"{error.filename or 'this machine'}: {error.strerror or error}")
    except sqlite3.Error as error:
        _fail(1, f"the store of the data folder cannot be used: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _message(refusal: Refusal) -> str:
    """What is wrong, and what was given where that is not said."""
    given = refusal.details[0].value if refusal.details and refusal.code is Code.INVALID_ARGUMENT else ""
    return refusal.message if given in refusal.message else f"{refusal.message} (is {given})"


def _fail(status: int, message: str, *more: str) -> None:
    """End with an error, on standard error; what it says is shown as it stands."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("[red]error:[/] ", end="")
    for line in (message, *more):
        console.print(line, markup=False)
    sys.exit(status)

"""`tacos …`: a file a command. Errors are one clear line; 1 is "the answer is no", 2 is "asked wrongly"."""

import sys

import grpc
import typer
from rich.console import Console

from traffic_tacos.cli import admin, buy, draw, event, keys, queue, reconcile, token, up, verify, webhook
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.wire import UpstreamFault

app = typer.Typer(
    name="tacos",
    help="Sell tickets when far more people come than there are seats.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("up")(up.up)
app.add_typer(event.app, name="event")
app.add_typer(queue.app, name="queue")
app.add_typer(admin.app, name="admin")
app.add_typer(draw.app, name="draw")
app.add_typer(webhook.app, name="webhook")
app.add_typer(keys.app, name="keys")
app.command("token")(token.token)
app.command("buy")(buy.buy)
app.command("verify")(verify.verify)
app.command("reconcile")(reconcile.reconcile)


def main() -> None:
    """The console script."""
    try:
        app()
    except Refusal as refusal:
        _say(f"[red]error:[/] {refusal.message}")
        for detail in refusal.details[1:]:
            _say(f"  {detail.field}: {detail.reason}" + (f" (is {detail.value})" if detail.value else ""))
        sys.exit(2 if refusal.code is Code.INVALID_ARGUMENT else 1)
    except grpc.aio.AioRpcError as failure:
        _say(f"[red]error:[/] {_explained(failure.code(), f'{failure.code().name}: {failure.details()}')}")
        sys.exit(1)
    except UpstreamFault as fault:
        _say(f"[red]error:[/] {_explained(fault.status, str(fault))}")
        sys.exit(1)
    except TimeoutError:
        _say("[red]error:[/] the platform took too long")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message)


def _explained(status: grpc.StatusCode | None, message: str) -> str:
    if status is grpc.StatusCode.UNAVAILABLE:
        return "no platform answers there; start one with `tacos up`, or name another with --grpc"
    return message

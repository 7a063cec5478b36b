"""`tacos token`: a token from the keys in the data folder."""

from typing import Annotated

import typer

from traffic_tacos.cli import options
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.ids import checked_user_id
from traffic_tacos.kernel.tokens import LIFETIME_SECONDS_MAX


def token(
    user: Annotated[str, typer.Option(help="A fan's id.")] = "",
    door: Annotated[str, typer.Option(help="A door's name, for checking tickets.")] = "",
    service: Annotated[str, typer.Option(help="A service's name.")] = "",
    admin: Annotated[str, typer.Option(help="An administrator's name.")] = "",
    seconds: Annotated[int, typer.Option(help="How long it is good.")] = options.TOKEN_SECONDS,
    data: options.Data = options.DEFAULTS.data,
) -> None:
    """Print a token for a fan, a door, a service or an administrator.

    Example: [bold]tacos token --user ana[/]
    """
    asked = [(Role.FAN, user), (Role.DOOR, door), (Role.SERVICE, service), (Role.ADMIN, admin)]
    named = [(role, name) for role, name in asked if name]
    if len(named) != 1:
        raise Refusal.of_field("token", "needs exactly one of --user, --door, --service and --admin")
    if not 0 < seconds <= LIFETIME_SECONDS_MAX:
        raise Refusal.of_field("seconds", f"must be 1 to {LIFETIME_SECONDS_MAX}", seconds)
    role, name = named[0]
    typer.echo(options.issued(data, Caller(role, checked_user_id("name", name)), seconds))

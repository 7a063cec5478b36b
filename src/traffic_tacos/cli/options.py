"""Options that several commands share, and the connection they open."""

import asyncio
import getpass
import random
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import grpc
import typer

from traffic_tacos.app.config import Config
from traffic_tacos.app.given import SETTINGS, Setting
from traffic_tacos.calls import keys
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.randomness import SystemRandomness
from traffic_tacos.kernel.addresses import parsed_address
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.ids import checked_id, new_id
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.limits import MESSAGE_OPTIONS
from traffic_tacos.kernel.tokens import UserToken, sign_user
from traffic_tacos.upstream import UpstreamFault, answered

T = TypeVar("T")
DEFAULTS = Config()
TOKEN_SECONDS = 3600
CALL_SECONDS = 20.0  # longer than the platform takes for any call
SOMEBODY = "tacos-cli"


def option_of(setting: Setting) -> Any:
    """The option of a setting, which a variable of the environment gives too."""
    about = setting.about
    return typer.Option(f"--{setting.name}", envvar=setting.variable, metavar=about.metavar, help=about.sentence)


def is_given(context: typer.Context, parameter: str) -> bool:
    """Whether a parameter has more than its default."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name != "DEFAULT"


Data = Annotated[Path, option_of(SETTINGS["data"])]
Grpc = Annotated[
    str, typer.Option("--grpc", envvar="TACOS_GRPC", help="Where the platform answers gRPC, as HOST:PORT.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
DynamoDB = Annotated[str, option_of(SETTINGS["dynamodb"])]
Sqs = Annotated[str, option_of(SETTINGS["sqs"])]
EventBus = Annotated[str, option_of(SETTINGS["event-bus"])]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
As = Annotated[
    str,
    typer.Option("--as", envvar="TACOS_AS", help="Who does it, for the audit log; else who is logged in here."),
]


class Unreachable(Exception):
    """Nothing answers at the address, or not in time."""


def issued(data: Path, caller: Caller, seconds: int = TOKEN_SECONDS) -> str:
    """A token for the caller, signed with the keys in the data folder."""
    now = SystemClock().now()
    user = UserToken(caller, SCOPES[caller.role], now + seconds * SECOND)
    return sign_user(keys.read(data).signing, user, now)


def operator(name: str = "") -> str:
    """Who works here: the name given, else the account of the operating system."""
    if name:
        return checked_id("as", name)
    try:
        return checked_id("as", getpass.getuser())
    except (OSError, KeyError, Refusal):  # an account without a name, or with one that is no id here
        return SOMEBODY


def admin_metadata(data: Path, name: str = "") -> tuple[tuple[str, str], ...]:
    return bearer(issued(data, Caller(Role.ADMIN, operator(name))))


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel on which every call has a deadline. Unreachable when nobody is there to answer."""
    parsed_address("grpc", address)
    try:
        async with grpc.aio.insecure_channel(address, MESSAGE_OPTIONS, interceptors=[_Deadline()]) as channel:
            yield channel
    except UpstreamFault as fault:
        _check_reached(address, fault.status)
        raise
    except grpc.aio.AioRpcError as failure:
        _check_reached(address, failure.code())
        raise


class _Deadline(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request: Any
    ) -> Any:
        if client_call_details.timeout is None:
            client_call_details = client_call_details._replace(timeout=CALL_SECONDS)
        return await continuation(client_call_details, request)


def _check_reached(address: str, status: grpc.StatusCode | None) -> None:
    if status is grpc.StatusCode.UNAVAILABLE:
        raise Unreachable(
            f"nothing answers at {address}; start a platform with `{command()} up`, or name another with --grpc"
        ) from None
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        raise Unreachable(f"nothing answers at {address} within {CALL_SECONDS:.0f} seconds") from None


def ask(
    stub: Callable[[grpc.aio.Channel], Any], method: str, request: Any, data: Path, address: str, name: str = ""
) -> Any:
    """One call as the operator (of that name), over a connection of its own."""

    async def run() -> Any:
        async with connected(address) as channel:
            return await answered(getattr(stub(channel), method)(request, metadata=admin_metadata(data, name)))

    return asyncio.run(run())


def command() -> str:
    """What starts this program in the shell that it was started from."""
    started = Path(sys.argv[0])
    if started.name != "tacos":
        return "tacos"
    return "tacos" if started.is_absolute() and shutil.which("tacos") == str(started) else str(started)


def randomness() -> random.Random:
    return SystemRandomness()


def fresh_id(prefix: str) -> str:
    """An id that nobody has had."""
    return new_id(prefix, SystemClock().now(), randomness())

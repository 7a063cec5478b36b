"""Options that several commands share, and the connection they open."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from traffic_tacos.app import keys
from traffic_tacos.app.config import Config
from traffic_tacos.app.policy import SCOPES
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import UserToken, sign_user
from traffic_tacos.wire import answered

DEFAULTS = Config()
TOKEN_SECONDS = 3600

Data = Annotated[Path, typer.Option("--data", help="The platform's data folder.")]
Grpc = Annotated[str, typer.Option("--grpc", help="Where the platform answers gRPC, as HOST:PORT.")]


def issued(data: Path, caller: Caller, seconds: int = TOKEN_SECONDS) -> str:
    """A token for the caller, signed with the keys in the data folder."""
    now = SystemClock().now()
    user = UserToken(caller, SCOPES[caller.role], now + seconds * SECOND)
    return sign_user(keys.read(data).signing, user, now)


def admin_metadata(data: Path) -> tuple[tuple[str, str], ...]:
    return bearer(issued(data, Caller(Role.ADMIN, "tacos-cli")))


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


def ask(stub: Callable[[grpc.aio.Channel], Any], method: str, request: Any, data: Path, address: str) -> Any:
    """One call as the operator, over a connection of its own."""

    async def run() -> Any:
        async with connected(address) as channel:
            return await answered(getattr(stub(channel), method)(request, metadata=admin_metadata(data)))

    return asyncio.run(run())


def randomness() -> random.Random:
    return random.SystemRandom()

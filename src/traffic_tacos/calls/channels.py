"""Channels to other processes, which lead to where their name leads now.

gRPC looks a name up when a channel is made and when a connection breaks, so a process that was added to those behind a
name would be asked by nobody. Servers can end connections of a certain age for that; ours (pygrpc-native) does not, and
what is under way on a connection would have to be asked again. So names are looked up here, every few seconds. Where
one leads to other addresses than before, calls go over a new channel, and those under way on the old one end there.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import grpc
import structlog

from traffic_tacos.kernel.addresses import Address, is_address

ENDED_WITHIN_SECONDS = 10.0  # what is under way on a channel that was replaced: as long as any call may take

T = TypeVar("T")
Options: TypeAlias = Sequence[tuple[str, Any]]
Resolve: TypeAlias = Callable[[Address], Awaitable[Sequence[Address]]]

log = structlog.get_logger()


async def resolved(name: Address) -> Sequence[Address]:
    """The addresses of a name, of one version of IP, in order. Raises OSError when it cannot be looked up."""
    found = await asyncio.get_running_loop().getaddrinfo(name.host, name.port, type=socket.SOCK_STREAM)
    version = found[0][0]
    return sorted({Address(str(at[0]), name.port) for family, _, _, _, at in found if family is version}, key=str)


class FollowedChannel:
    """A channel to one address, or to several that are used in turn. `target` is how people know where it leads."""

    def __init__(self, addresses: Sequence[Address], options: Options, resolve: Resolve = resolved) -> None:
        self.target = _target(addresses)
        self.now = grpc.aio.insecure_channel(self.target, options=options)
        self._name = addresses[0] if len(addresses) == 1 and not is_address(addresses[0].host) else None
        self._options = options
        self._resolve = resolve
        self._known: Sequence[Address] = ()
        self._ending: set[asyncio.Task[None]] = set()

    def bound(self, bind: Callable[[grpc.aio.Channel], T]) -> Callable[[], T]:
        """What `bind` makes of the channel, made anew only when that has changed."""
        channel, made = self.now, bind(self.now)

        def current() -> T:
            nonlocal channel, made
            if channel is not self.now:
                channel, made = self.now, bind(self.now)
            return made

        return current

    async def follow(self) -> None:
        """Look the name up, if it is one. What cannot be looked up leads to where it led before."""
        if self._name is None:
            return
        try:
            found = await self._resolve(self._name)
        except OSError as error:
            log.warning("address_not_found", name=str(self._name), error=str(error))
            return
        if list(found) == list(self._known):
            return
        before, self.now = self.now, grpc.aio.insecure_channel(_target(found), options=self._options)
        self._known = found
        ending = asyncio.create_task(before.close(ENDED_WITHIN_SECONDS))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        await self.now.close()
        for ending in self._ending:
            ending.cancel()


def _target(addresses: Sequence[Address]) -> str:
    """One address, or several, as gRPC names what a channel leads to."""
    if len(addresses) == 1:
        return str(addresses[0])
    return f"{'ipv6' if ':' in addresses[0].host else 'ipv4'}:{','.join(map(str, addresses))}"

"""How many connections there may be, in all and from one address, and how long one may give nothing.

A connection costs a file descriptor and some memory, and whoever opens one has paid nothing yet. Who is in stays in:
what is over a cap is closed as it comes.
"""

import asyncio
import contextlib
import os
import socket
import stat
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import structlog

from traffic_tacos.calls.limits import address_of, is_proxy
from traffic_tacos.kernel.addresses import Network
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.rooms import Gauge

SAID_EVERY = 10 * SECOND
WATCHED_EVERY_SECONDS = 1.0
SHARE_OF_TIME = 0.02  # that the watch may take
DESCRIPTORS = "/dev/fd"
PREFACE_BYTES = 24  # of HTTP/2, which every client sends first (RFC 9113, 3.4)
RECEIVED_AT = 128  # where Linux's tcp_info has tcpi_bytes_received, a u64 (linux/tcp.h, since 4.1)

log = structlog.get_logger()


class Caps(msgspec.Struct, frozen=True):
    """`in_all` and `of_address` are for each transport. A connection is closed that for `idle_seconds` sends no whole
    head of a request, or does not read its answer. Addresses of `proxies` have no cap of their own, for they stand for
    many; neither has loopback.
    """

    in_all: int
    of_address: int
    idle_seconds: float
    proxies: tuple[Network, ...] = ()

    def name(self, peer: str) -> str:
        """What the connections of a peer are counted under; empty where they are not."""
        return "" if is_proxy(peer, self.proxies) else address_of(peer, (), ())


class Connections:
    """The connections of one transport, counted."""

    def __init__(self, transport: str, caps: Caps, clock: Clock) -> None:
        self.caps = caps
        self.open = 0
        self.refused = 0
        self._transport = transport
        self._clock = clock
        self._by_address: Counter[str] = Counter()
        self._said_at: Instant = 0
        self._said = 0

    def admit(self, peer: str) -> bool:
        """Count a new connection; False, and it is not counted, when it is one too many."""
        name = self.caps.name(peer)
        if self.open >= self.caps.in_all or (name and self._by_address[name] >= self.caps.of_address):
            self._refuse()
            return False
        self.open += 1
        if name:
            self._by_address[name] += 1
        return True

    def release(self, peer: str) -> None:
        """One that was admitted is gone."""
        self.open -= 1
        name = self.caps.name(peer)
        if name:
            self._by_address[name] -= 1
            if not self._by_address[name]:
                del self._by_address[name]

    def by_address(self) -> dict[str, int]:
        """How many there are from each address that is counted."""
        return dict(self._by_address)

    def _refuse(self) -> None:
        self.refused += 1
        now = self._clock.now()
        if now >= self._said_at + SAID_EVERY:  # whoever is turned away must not fill the log
            count, self._said, self._said_at = self.refused - self._said, self.refused, now
            log.warning("connections_refused", transport=self._transport, count=count, open=self.open)


def gauges_of(counted: Mapping[str, Connections]) -> tuple[Gauge, ...]:
    """What is measured of the connections of each transport."""

    def read(figure: Callable[[Connections], int]) -> Callable[[], list[tuple[str, float]]]:
        return lambda: [(name, float(figure(one))) for name, one in counted.items()]

    return (
        Gauge("tacos_connections", "Open connections", "transport", read(lambda one: one.open)),
        Gauge(
            "tacos_connections_refused",
            "Connections refused because of a cap",
            "transport",
            read(lambda one: one.refused),
        ),
    )


class SocketWatch:
    """Keeps the caps for a server whose sockets are not ours to accept: looks at the process's own, and shuts down
    those that are too many, or that have not even begun to speak HTTP/2.
    """

    def __init__(self, port: int, connections: Connections, clock: Clock) -> None:
        self._port = port
        self._connections = connections
        self._clock = clock
        self._known: dict[tuple[int, int], _Watched | None] = {}  # None: no connection to this port

    async def run(self) -> None:
        """Every second, or less often where there are so many that it takes long; until cancelled."""
        while True:
            began = self._clock.now()
            await asyncio.to_thread(self.look)
            took = (self._clock.now() - began) / SECOND
            await self._clock.sleep(max(WATCHED_EVERY_SECONDS, took / SHARE_OF_TIME))

    def look(self) -> None:
        """Once. What was closed by others is released, what is new is admitted or shut."""
        now, found = self._clock.now(), dict(_descriptors())
        for key in [key for key in self._known if key not in found]:
            if (gone := self._known.pop(key)) is not None:
                self._connections.release(gone.peer)
        for key, descriptor in found.items():
            with contextlib.suppress(OSError):  # closed meanwhile: the next look finds it gone
                if key not in self._known:
                    self._known[key] = self._admitted(descriptor, now)
                if (watched := self._known[key]) is not None and watched.is_silent_since is not None:
                    self._known[key] = self._received(descriptor, watched, now)

    def _admitted(self, descriptor: int, now: Instant) -> "_Watched | None":
        with _opened(descriptor) as one:
            peer = _peer(one, self._port)
            if peer is None:
                return None
            if self._connections.admit(peer):
                return _Watched(peer, now)
            one.shutdown(socket.SHUT_RDWR)  # the server that has it finds it closed
            return None

    def _received(self, descriptor: int, watched: "_Watched", now: Instant) -> "_Watched":
        with _opened(descriptor) as one:
            if _has_spoken(one):
                return _Watched(watched.peer, None)
            if now - (watched.is_silent_since or now) >= self._connections.caps.idle_seconds * SECOND:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        return watched


class _Watched(NamedTuple):
    peer: str
    is_silent_since: Instant | None


def _descriptors() -> Iterator[tuple[tuple[int, int], int]]:
    """The process's sockets: what tells each from whatever had its descriptor before, and the descriptor."""
    for name in os.listdir(DESCRIPTORS):  # noqa: PTH208  # plain names: there may be tens of thousands
        with contextlib.suppress(OSError):  # closed meanwhile
            status = os.fstat(int(name))
            if stat.S_ISSOCK(status.st_mode):
                yield (int(name), status.st_ino), int(name)


def _opened(descriptor: int) -> socket.socket:
    """A socket of our own on the same connection, so that nothing else is met should its descriptor be used anew."""
    return socket.socket(fileno=os.dup(descriptor))


def _peer(one: socket.socket, port: int) -> str | None:
    """Who is at the other end of a connection to our port; None for any other socket."""
    try:
        own, other = one.getsockname(), one.getpeername()
    except OSError:  # one that listens, or is closed already
        return None
    is_ours = one.family in (socket.AF_INET, socket.AF_INET6) and own[1] == port
    return str(other[0]) if is_ours else None


def _has_spoken(one: socket.socket) -> bool:
    """Whether as much has come as every client begins with; True where the system does not tell."""
    if sys.platform != "linux":
        return True
    try:
        info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RECEIVED_AT + 8)
    except OSError:
        return True
    if len(info) < RECEIVED_AT + 8:
        return True
    received: int = struct.unpack_from("=Q", info, RECEIVED_AT)[0]
    return received >= PREFACE_BYTES

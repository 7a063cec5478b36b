"""Before what a platform stands on: a gate for each, through which all passes, and that refuses while it is shut. One
before several processes is a balancer.
"""

import asyncio
import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

CHUNK = 65_536
ENDED_WITHIN = 5


class Gate:
    """To one of these ports of this machine, in turn, that answers; others go to `port` instead."""

    def __init__(self, upstream: Sequence[int]) -> None:
        self.port = 0
        self.upstream = upstream
        self._turns = itertools.count()
        self._is_shut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.get_running_loop()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def shut(self) -> None:
        """End what is open, and refuse whatever comes, until it is opened; from any thread."""
        self._loop.call_soon_threadsafe(self._set, True)

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._set, False)

    def end(self) -> None:
        self._server.close()
        self._set(True)

    def _set(self, is_shut: bool) -> None:
        self._is_shut = is_shut
        if is_shut:
            for writer in self._open:
                writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_shut:
            writer.transport.abort()
            return
        found = await self._connected()
        if found is None:
            writer.transport.abort()
            return
        theirs, ours = found
        self._open |= {writer, ours}
        both = [asyncio.ensure_future(_copied(reader, ours)), asyncio.ensure_future(_copied(theirs, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            self._open -= {writer, ours}
            writer.transport.abort()
            ours.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turns)
        for number in range(len(self.upstream)):
            with suppress(OSError):
                port = self.upstream[(first + number) % len(self.upstream)]
                return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        return


@contextmanager
def gates(upstream: Mapping[str, Sequence[int]]) -> Iterator[Mapping[str, Gate]]:
    """A gate before each, by name, in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def built() -> dict[str, Gate]:
        found = {name: Gate(ports) for name, ports in upstream.items()}
        for gate in found.values():
            await gate.listen()
        return found

    found = asyncio.run_coroutine_threadsafe(built(), loop).result()
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(_all_ended(found.values()), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _all_ended(found: Iterable[Gate]) -> None:
    for gate in found:
        gate.end()
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=ENDED_WITHIN)

"""Before what a platform stands on: a gate for each, through which all passes, and that refuses while it is shut."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

CHUNK = 65_536


class Gate:
    """To a port of this machine; others go to `port` instead."""

    def __init__(self, upstream: int) -> None:
        self.port = 0
        self._upstream = upstream
        self._is_shut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.get_running_loop()

    async def listen(self) -> None:
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])

    def shut(self) -> None:
        """End what is open, and refuse whatever comes, until it is opened; from any thread."""
        self._loop.call_soon_threadsafe(self._set, True)

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._set, False)

    def _set(self, is_shut: bool) -> None:
        self._is_shut = is_shut
        if is_shut:
            for writer in self._open:
                writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_shut:
            writer.transport.abort()
            return
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._open |= {writer, ours}
        try:
            await asyncio.wait(
                [asyncio.ensure_future(_copied(reader, ours)), asyncio.ensure_future(_copied(theirs, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._open -= {writer, ours}
            writer.transport.abort()
            ours.transport.abort()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        return


@contextmanager
def gates(upstream: Mapping[str, int]) -> Iterator[Mapping[str, Gate]]:
    """A gate for each port, by name, in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def built() -> dict[str, Gate]:
        found = {name: Gate(port) for name, port in upstream.items()}
        for gate in found.values():
            await gate.listen()
        return found

    try:
        yield asyncio.run_coroutine_threadsafe(built(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

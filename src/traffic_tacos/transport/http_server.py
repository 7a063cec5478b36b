"""The HTTP server: uvicorn inside our loop, with the caps and timeouts that it has none of (docs/decisions/0037)."""

import asyncio
import contextlib
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.transport.connections import Connections

HEAD_BYTES_MAX = 64 * 1024
UNREAD_TIMES = 3  # a phone in a crowd may read nothing for a while
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 10\r\ncontent-length: 0\r\n\r\n"


class HttpServer:
    """Signals are ours to handle. `start` refuses an address that cannot be had."""

    def __init__(self, app: Starlette, address: Address, connections: Connections, grace_seconds: float) -> None:
        self._address = address

        class Guarded(GuardedProtocol):
            guard = connections

        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=address.host,
                port=address.port,
                http=Guarded,
                ws="none",
                log_config=None,
                access_log=False,
                log_level="error",  # its warnings are of bytes that are no HTTP: a line for whoever sends some
                lifespan="off",
                server_header=False,
                proxy_headers=False,  # whose X-Forwarded-For is believed, calls/limits.py decides
                timeout_keep_alive=connections.caps.idle_seconds,  # type: ignore[arg-type]  # a timer takes any
                timeout_graceful_shutdown=int(grace_seconds),
            )
        )
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]  # a context that captures none
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._task.done():
                raise Refusal.of_field("http", "must be an address to listen on", self._address)
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._task is not None:
            self._server.should_exit = True
            await self._task

    async def _serve(self) -> None:
        with contextlib.suppress(SystemExit):  # uvicorn's way to say that it cannot listen
            await self._server.serve()


class GuardedProtocol(HttpToolsProtocol):
    """A connection that may not wait for nothing: for the head of a request, nor for its answer to be read.

    Bodies have a limit of their own (`bodies.py`), and so has the wait between two requests (uvicorn's keep-alive). An
    answer that goes on, such as a stream of events, lasts as long as it is read.
    """

    guard: Connections

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._peer = ""
        self._is_admitted = False
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._is_admitted = self.guard.admit(self._peer)
        if self._is_admitted:
            self._wait()
        else:
            transport.write(_TOO_MANY)
            transport.close()
            self._wait(UNREAD_TIMES)

    def connection_lost(self, exc: Exception | None) -> None:
        self._go_on()
        if self._is_admitted:
            self._is_admitted = False
            self.guard.release(self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_answering():
            self._head_bytes = 0
            if not self.flow.write_paused:
                self._go_on()
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        if self._timer is None:
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait(UNREAD_TIMES)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._go_on()
        self._wait(UNREAD_TIMES)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._go_on()

    def timeout_keep_alive_handler(self) -> None:
        self._end()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, times: int = 1) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.guard.caps.idle_seconds * times, self._end)

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        """Close it; at once where something is left that nobody reads."""
        self._timer = None
        if self.transport.get_write_buffer_size() or self.transport.is_closing():
            self.transport.abort()
        else:
            self.transport.close()

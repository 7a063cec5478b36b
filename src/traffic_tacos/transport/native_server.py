"""A server for handlers of the `grpc.aio` interface, on pygrpc-native's HTTP/2 (docs/decisions/0067).

pygrpc-native has such a server of its own (the yardstick of `bench`), which makes of each call a task, a whole context
and three coroutines. Here a call that waits for nothing is answered at once, without a task, and a context knows what
our handlers ask it.
"""

import asyncio
import contextlib
import inspect
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from pygrpc_native import EVENT_CANCEL, STREAM_CLOSED, STREAM_FULL, NativeGrpcFront

CALLS_TAKEN_AT_ONCE = 64
IO_THREADS = 1  # carries more than Python's one thread can answer, and two wake each other
LOOKS_AT_ONCE = 50  # at whether a reader takes the next message: HTTP/2 sends one in some 50 microseconds
BEHIND_MS_MAX = 250  # between later looks, for whoever reads slowly
SENT_WITHIN_SECONDS = 0.1  # is an answer that was given to the threads of HTTP/2
_BROKEN = "internal error"  # which no handler of ours lets happen

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]

log = structlog.get_logger()


class _Aborted(Exception):
    def __init__(self, code: grpc.StatusCode, details: str, trailing: Metadata) -> None:
        self.code = code
        self.details = details
        self.trailing = trailing


class _Context:
    """What handlers ask of a `grpc.aio.ServicerContext`."""

    __slots__ = ("_headers", "_peer", "_seconds", "trailing")

    def __init__(self, headers: tuple[tuple[str, str | bytes], ...], peer: str, seconds: float | None) -> None:
        self._headers = headers
        self._peer = peer
        self._seconds = seconds
        self.trailing: Metadata = ()

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._headers

    def peer(self) -> str:
        return self._peer

    def time_remaining(self) -> float | None:
        """What the caller gave the call when it came, in seconds."""
        return self._seconds

    def set_trailing_metadata(self, trailing: Metadata) -> None:
        self.trailing = trailing

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()) -> NoReturn:
        raise _Aborted(code, details, trailing_metadata)


class NativeServer:
    """Serves unary methods, and streams that are asynchronous generators, at one address without TLS; anything else,
    such as reflection, is served by a grpcio server behind a Unix socket. `options` are those of `grpc.aio.server`, as
    far as they are known here.
    """

    def __init__(self, options: Iterable[tuple[str, Any]]) -> None:
        self._options = dict(options)
        self._taken_max = self._options["grpc.max_receive_message_length"]
        self._sent_max = self._options["grpc.max_send_message_length"]
        self._fallback = grpc.aio.server(options=list(self._options.items()))
        self._handlers: dict[str, Any] = {}
        self._numbered: dict[int, Any] = {}  # the same, as HTTP/2 numbers them
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by call
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # once it has started
        self._is_stopping = False
        self._stopped = asyncio.Event()

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self._handlers |= {f"/{service}/{name}": one for name, one in handlers.items() if _is_ours(one)}

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        self._fallback.add_generic_rpc_handlers(handlers)

    def add_insecure_port(self, address: str) -> int:
        """Raises RuntimeError or OSError when the address is taken."""
        known = self._options
        self._front = NativeGrpcFront(
            address,
            [],
            io_threads=IO_THREADS,
            call_details=True,
            delay_stream_headers=True,
            keepalive_time_ms=known["grpc.keepalive_time_ms"],
            keepalive_timeout_ms=known["grpc.keepalive_timeout_ms"],
            keepalive_permit_without_calls=bool(known["grpc.keepalive_permit_without_calls"]),
            max_concurrent_streams=known["grpc.max_concurrent_streams"],
            max_metadata_size=known["grpc.max_metadata_size"] * 5 // 4,  # as gRPC's own servers
        )
        return self._front.bound_port

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="tacos-grpc-")
        path = str(Path(self._folder.name) / "fallback.sock")
        self._fallback.add_insecure_port(f"unix:{path}")
        await self._fallback.start()
        self._front.set_fallback(path)
        numbers = self._front.add_methods([(path, one.response_streaming) for path, one in self._handlers.items()])
        self._numbered = dict(zip(numbers, self._handlers.values(), strict=True))
        self._front.start()
        threading.Thread(target=self._take_calls, name="grpc-calls", daemon=True).start()

    @property
    def under_way(self) -> int:
        """How many calls are being answered."""
        return len(self._tasks)

    async def stop(self, grace: float | None) -> None:
        """Take no new calls; let those under way finish within so many seconds."""
        if self._is_stopping:
            await self._stopped.wait()
            return
        self._is_stopping = True
        ending = asyncio.ensure_future(self._fallback.stop(grace))  # which may never have started
        tasks = list(self._tasks.values())
        if grace and tasks:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ending
        await asyncio.sleep(SENT_WITHIN_SECONDS)  # or the last answers would be lost with their connection
        await asyncio.to_thread(self._front.close)
        if self._folder is not None:
            self._folder.cleanup()
        self._stopped.set()

    # What comes in.

    def _take_calls(self) -> None:
        """A thread of its own."""
        while (events := self._front.recv_batch_details(CALLS_TAKEN_AT_ONCE)) is not None:
            try:
                self._loop.call_soon_threadsafe(self._begin, events)
            except RuntimeError:  # the loop was closed without `stop`
                self._front.close()
                return

    def _begin(self, events: Sequence[tuple[Any, ...]]) -> None:
        for kind, call_id, method, payload, _, details in events:
            if kind == EVENT_CANCEL:
                if (running := self._tasks.get(call_id)) is not None:
                    running.cancel()  # nobody waits for it any more
            elif self._is_stopping:
                self._front.fail(call_id, _number(grpc.StatusCode.UNAVAILABLE), "the server is stopping", None)
            else:
                self._call(call_id, self._numbered[method], payload, _Context(*details))

    def _call(self, call_id: int, handler: Any, payload: bytes, context: _Context) -> None:
        if not self._fits(call_id, payload, self._taken_max, "Received"):
            return
        try:
            request = payload if handler.request_deserializer is None else handler.request_deserializer(payload)
        except Exception as error:  # noqa: BLE001 - what cannot be read must not keep the other calls from being begun
            self._front.fail(call_id, _number(grpc.StatusCode.INTERNAL), f"not a message: {type(error).__name__}", None)
            return
        if handler.response_streaming:
            running = self._stream(call_id, handler, request, context)
        elif getattr(handler.unary_unary, "is_immediate", False):
            self._answer_at_once(call_id, handler, request, context)
            return
        else:
            running = self._unary(call_id, handler, request, context)
        task = self._tasks[call_id] = self._loop.create_task(running)
        task.add_done_callback(lambda _: self._tasks.pop(call_id))  # also where it was cancelled before it ran

    # How calls are answered.

    def _answer_at_once(self, call_id: int, handler: Any, request: Any, context: _Context) -> None:
        try:
            self._respond(call_id, handler, _result_of(handler.unary_unary(request, context)), context)
        except Exception as error:  # noqa: BLE001 - the caller gets a status, whatever it was
            self._fail(call_id, error)

    async def _unary(self, call_id: int, handler: Any, request: Any, context: _Context) -> None:
        try:
            self._respond(call_id, handler, await handler.unary_unary(request, context), context)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the caller gets a status, whatever it was
            self._fail(call_id, error)

    def _respond(self, call_id: int, handler: Any, response: Any, context: _Context) -> None:
        data = response if handler.response_serializer is None else handler.response_serializer(response)
        if self._fits(call_id, data, self._sent_max, "Sent"):
            self._front.respond(call_id, data, None, context.trailing or None)

    async def _stream(self, call_id: int, handler: Any, request: Any, context: _Context) -> None:
        try:
            messages: AsyncIterator[Any] = handler.unary_stream(request, context)
            async with contextlib.aclosing(messages):  # type: ignore[type-var]
                async for message in messages:
                    data = message if handler.response_serializer is None else handler.response_serializer(message)
                    if not self._fits(call_id, data, self._sent_max, "Sent") or not await self._sent(call_id, data):
                        return
            self._front.stream_end(call_id, context.trailing or None)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the caller gets a status, whatever it was
            self._fail(call_id, error)

    async def _sent(self, call_id: int, data: bytes) -> bool:
        """Whether somebody is still there; waits while they are behind."""
        looks = -LOOKS_AT_ONCE
        while (sent := self._front.stream_try_send(call_id, data)) == STREAM_FULL:
            looks += 1  # not in a thread, for whoever reads nothing would take one from everybody
            await asyncio.sleep(max(0, min(looks, BEHIND_MS_MAX)) / 1000)
        return sent != STREAM_CLOSED

    def _fits(self, call_id: int, data: bytes, most: int, done: str) -> bool:
        """Whether a message may go its way; else the call has failed, in the words of gRPC's own servers."""
        if len(data) <= most:
            return True
        says = f"SERVER: {done} message larger than max ({len(data)} vs. {most})"
        self._front.fail(call_id, _number(grpc.StatusCode.RESOURCE_EXHAUSTED), says, None)
        return False

    def _fail(self, call_id: int, error: BaseException) -> None:
        running = asyncio.current_task()
        if isinstance(error, _Aborted):
            self._front.fail(call_id, _number(error.code), error.details, error.trailing or None)
        elif isinstance(error, asyncio.CancelledError) and running is not None and running.cancelling():
            raise error  # nobody waits for it any more
        else:
            log.error("bug", exc_info=error)
            self._front.fail(call_id, _number(grpc.StatusCode.INTERNAL), _BROKEN, None)


def _result_of(answering: Coroutine[Any, Any, Any]) -> Any:
    """Of a coroutine that never waits."""
    try:
        answering.send(None)
    except StopIteration as answered:
        return answered.value
    answering.close()
    raise RuntimeError("a handler that never waits has waited")


def _is_ours(handler: Any) -> bool:
    if handler.request_streaming:
        return False
    return inspect.isasyncgenfunction(handler.unary_stream) if handler.response_streaming else True


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number

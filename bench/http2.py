"""A gRPC client that does next to nothing for each call, so that what it measures is the server.

Requests are frames made beforehand but for the number of their stream. Of an answer it reads which stream it is of,
its message, and that it has ended (RFC 9113; names and values are literals without an index, RFC 7541, 6.2.2, so no
table of headers is kept). One connection carries as many calls as one likes.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable

_HEAD = struct.Struct(">BHBBI")  # the length in 8 and 16 bits, type, flags, stream
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_WINDOW_MAX = 2**31 - 1
_WINDOW_FIRST = 65535
_STREAMS_FIRST = 100  # until the server says how many
_STREAMS_SETTING, _SETTING = 3, struct.Struct(">HI")
_POST, _HTTP = b"\x83", b"\x86"  # of the static table: `:method: POST`, `:scheme: http`
_GRPC_HEAD = 5  # bytes before a message

Answered = Callable[[bytes | None], None]


class Prepared:
    """A call's headers: all of its frames but the number of the stream and the message."""

    def __init__(self, address: str, path: str, token: str = "") -> None:
        named = {
            b":path": path.encode(),
            b":authority": address.encode(),
            b"content-type": b"application/grpc",
            b"te": b"trailers",
        }
        if token:
            named[b"authorization"] = f"Bearer {token}".encode()
        self.headers = _POST + _HTTP + b"".join(_literal(name, value) for name, value in named.items())

    def frames(self, stream: int, message: bytes) -> bytes:
        data = b"\x00" + len(message).to_bytes(4, "big") + message
        return (
            _frame_head(len(self.headers), _HEADERS, _END_HEADERS, stream)
            + self.headers
            + _frame_head(len(data), _DATA, _END_STREAM, stream)
            + data
        )


class _Watcher:
    """Of a call with many answers."""

    def __init__(self, heard: Answered) -> None:
        self._heard = heard

    def heard_of(self, data: bytes) -> bytes:
        """Tell the messages that are whole; what is left."""
        while len(data) >= _GRPC_HEAD and len(data) >= (end := _GRPC_HEAD + int.from_bytes(data[1:_GRPC_HEAD], "big")):
            self._heard(data[_GRPC_HEAD:end])
            data = data[end:]
        return data

    def __call__(self, _: bytes | None) -> None:
        self._heard(None)


class Connection(asyncio.Protocol):
    """Calls on one connection; each is told its answer's message, or None where there was none."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self.went = ""  # why the server has closed it
        self._rest = b""
        self._next = 1
        self._waiting: dict[int, Answered] = {}
        self._messages: dict[int, bytes] = {}
        self._outgoing: list[bytes] = []
        self._window = _WINDOW_FIRST  # bytes of messages that the server takes yet
        self._streams_max = _STREAMS_FIRST  # calls that it takes at once
        self._held: deque[tuple[Prepared, bytes, Answered]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        widest = _frame_head(4, _WINDOW, 0, 0) + (_WINDOW_MAX - _WINDOW_FIRST).to_bytes(4, "big")
        transport.write(_PREFACE + _frame_head(0, _SETTINGS, 0, 0) + widest)

    def ask(self, call: Prepared, message: bytes, answered: Answered) -> None:
        """Sent with `flush`: many calls leave in one write."""
        self._held.append((call, message, answered))

    def watch(self, call: Prepared, message: bytes, heard: Answered) -> None:
        """A call with many answers, sent with `flush`: `heard` is told each as it comes, and None at the end."""
        self.ask(call, message, _Watcher(heard))

    def flush(self) -> None:
        """Send what the server takes now; the rest leaves as its answers come."""
        while self._held and len(self._waiting) < self._streams_max:
            call, message, answered = self._held[0]
            if len(message) + _GRPC_HEAD > self._window:
                break
            self._held.popleft()
            self._window -= len(message) + _GRPC_HEAD
            self._waiting[self._next] = answered
            self._outgoing.append(call.frames(self._next, message))
            self._next += 2
        if self._outgoing and self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
            self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        received = self._rest + data if self._rest else data
        at, end = 0, len(received)
        while end - at >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(received, at)
            after = at + _HEAD.size + (high << 16 | low)
            if after > end:
                break
            if kind == _DATA:
                self._messages[stream] = self._messages.get(stream, b"") + received[at + _HEAD.size : after]
                if isinstance(watcher := self._waiting.get(stream), _Watcher):
                    self._messages[stream] = watcher.heard_of(self._messages[stream])
            if kind == _RST or (kind in (_DATA, _HEADERS) and flags & _END_STREAM):
                self._end(stream)
            elif kind in (_SETTINGS, _PING) and not flags & _ACK:
                answer = received[at + _HEAD.size : after]
                if kind == _SETTINGS:
                    self._streams_max = dict(_SETTING.iter_unpack(answer)).get(_STREAMS_SETTING, self._streams_max)
                    answer = b""
                self._outgoing.append(_frame_head(len(answer), kind, _ACK, 0) + answer)
            elif kind == _WINDOW and stream == 0:
                self._window += int.from_bytes(received[at + _HEAD.size : after], "big")
            elif kind == _GOAWAY:
                said = received[at + _HEAD.size : after]
                self.went = f"error {int.from_bytes(said[4:8], 'big')} {said[8:].decode(errors='replace')}"
                self.connection_lost(None)
            at = after
        self._rest = received[at:]
        self.flush()

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        for stream in list(self._waiting):
            self._end(stream)
        while self._held:
            self._held.popleft()[2](None)

    def _end(self, stream: int) -> None:
        answered = self._waiting.pop(stream, None)
        message = self._messages.pop(stream, b"")
        if answered is not None:
            answered(message[_GRPC_HEAD:] if len(message) >= _GRPC_HEAD else None)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(address: str) -> Connection:
    host, port = address.split(":")
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, int(port))
    return connection


def _frame_head(length: int, kind: int, flags: int, stream: int) -> bytes:
    return _HEAD.pack(length >> 16, length & 0xFFFF, kind, flags, stream)


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\x00" + _sized(name) + _sized(value)


def _sized(text: bytes) -> bytes:
    """A string with its length as an integer of 7 bits and more (RFC 7541, 5.1 and 5.2), not compressed."""
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, length = len(text) - 127, b"\x7f"
    while rest >= 128:
        rest, length = rest >> 7, length + bytes([rest & 127 | 128])
    return length + bytes([rest]) + text

"""A small HTTP server that keeps what it is sent, and answers as it is told."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, dict(self.headers.items()), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiver(*statuses: int) -> Iterator[http.server.ThreadingHTTPServer]:
    """Its `received` are path, headers and body of each request; the first are answered so, then 200."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.received, server.statuses = [], list(statuses)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()

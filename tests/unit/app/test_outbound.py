"""HTTP out, against real sockets: what may be called, and how much of an answer is heard."""

import asyncio
import http.server
import threading
import time

import pytest

from traffic_tacos.app.outbound import ANSWER_BYTES_MAX, poster
from traffic_tacos.kernel.addresses import LOOPBACK, is_allowed, parsed_networks
from traffic_tacos.kernel.errors import Fault, Refusal

ALLOWED = parsed_networks("n", LOOPBACK)


class Handler(http.server.BaseHTTPRequestHandler):
    heard: list[tuple[str, str, bytes]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.path, self.headers["host"], body))
        if self.path == "/slow":
            time.sleep(2)
        self.send_response({"/moved": 307, "/busy": 503}.get(self.path, 200))
        self.send_header("retry-after", "17")
        self.send_header("location", "/elsewhere")
        self.end_headers()
        try:
            for _ in range(100_000 if self.path == "/endless" else 1):
                self.wfile.write(b"no room\n" * 100)
        except OSError:
            self.server.cut_off = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.heard, running.cut_off = [], False
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


async def posted(server, path="/", networks=ALLOWED, seconds=5.0, host="127.0.0.1"):
    async with poster(networks) as post:
        return await post(f"http://{host}:{server.server_port}{path}", {"x": "y"}, b"body", seconds)


async def test_an_answer_is_heard_with_when_to_come_back_and_what_was_said(server):
    answer = await posted(server, "/busy")
    assert (answer.status, answer.retry_after, answer.said.startswith("no room no room")) == (503, "17", True)
    assert server.heard == [("/busy", f"127.0.0.1:{server.server_port}", b"body")]


async def test_a_redirect_is_an_answer_and_not_followed(server):
    assert (await posted(server, "/moved")).status == 307
    assert len(server.heard) == 1


async def test_an_endless_answer_is_read_no_further_than_its_limit(server):
    answer = await posted(server, "/endless")
    assert len(answer.said) <= ANSWER_BYTES_MAX
    for _ in range(100):
        if server.cut_off:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the connection was kept")


async def test_who_does_not_answer_in_time_is_a_fault(server):
    with pytest.raises(Fault, match=r"did not answer within 0\.3 seconds"):
        await posted(server, "/slow", seconds=0.3)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_name_that_means_a_private_address_is_not_called(server, host):
    with pytest.raises(Fault, match="not a public address"):
        await posted(server, networks=(), host=host)
    assert server.heard == []
    assert (await posted(server, host=host)).status == 200
    assert server.heard[0][1] == f"{host}:{server.server_port}"


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("93.184.215.14", (), True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", (), True),
        ("127.0.0.1", (), False),
        ("127.0.0.1", LOOPBACK, True),
        ("::1", (), False),
        ("10.1.2.3", LOOPBACK, False),
        ("10.1.2.3", ("10.1.0.0/16",), True),
        ("::ffff:10.1.2.3", ("10.1.0.0/16",), True),
        ("::ffff:10.1.2.3", (), False),
        ("64:ff9b::7f00:1", (), False),
        ("2002:a00:1::", (), False),
        ("169.254.169.254", (), False),
        ("fe80::1%eth0", (), False),
        ("fd00::1", (), False),
        ("100.64.0.1", (), False),
        ("224.0.0.1", (), False),
        ("0.0.0.0", (), False),
    ],
)
def test_only_public_addresses_and_those_of_the_operator_are_allowed(address, networks, allowed):
    assert is_allowed(address, parsed_networks("n", networks)) is allowed


def test_what_is_no_network_is_refused():
    with pytest.raises(Refusal, match="must be a network"):
        parsed_networks("webhook-network", ["10.0.0.1/8"])

"""HTTP out, against real sockets: what may be called, and how much of an answer is heard."""

import asyncio
import http.server
import socket
import threading
import time
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.engines.outbound import ANSWER_BYTES_MAX, poster
from traffic_tacos.kernel.addresses import LOOPBACK, checked_url, is_allowed, origin, parsed_networks
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.rooms.webhook.model import checked_headers

STOPPED_WITHIN = 0.01  # seconds
ALLOWED = parsed_networks("n", LOOPBACK)


class Handler(http.server.BaseHTTPRequestHandler):
    heard: list[tuple[str, str, bytes]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.path, self.headers["host"], body))
        self.server.headers.append(self.headers)
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
        running.heard, running.headers, running.cut_off = [], [], False
        thread = threading.Thread(target=running.serve_forever, args=(STOPPED_WITHIN,), daemon=True)
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
        ("192.0.0.1", (), False),
        ("192.0.0.9", (), False),
        ("192.0.0.170", (), False),
        ("192.88.99.1", (), False),
        ("192.0.2.1", (), False),
        ("198.18.0.1", (), False),
        ("203.0.113.5", (), False),
        ("240.0.0.1", (), False),
        ("255.255.255.255", (), False),
        ("::", (), False),
        ("fec0::1", (), False),
        ("ff02::1", (), False),
        ("64:ff9b:1::1", (), False),
        ("64:ff9b:1::a00:1", (), False),
        ("64:ff9b::808:808", (), True),
        ("64:ff9b::c000:1", (), False),
        ("64:ff9b::a01:203", ("10.1.0.0/16",), True),
        ("::8.8.8.8", (), False),
        ("::10.0.0.1", (), False),
        ("::ffff:0:10.0.0.1", (), False),
        ("::ffff:0:8.8.8.8", (), False),
        ("::ffff:8.8.8.8", (), True),
        ("::ffff:192.88.99.1", (), False),
        ("2002:c058:6301::", (), False),
        ("2002:808:808::1", (), True),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", (), False),
        ("2001:db8::1", (), False),
        ("2001:2::1", (), False),
        ("2001:20::1", (), False),
        ("3fff::1", (), False),
        ("5f00::1", (), False),
        ("100::1", (), False),
        ("4000::1", (), False),
        ("2a00:1450:4001:801::200e", (), True),
    ],
)
def test_only_public_addresses_and_those_of_the_operator_are_allowed(address, networks, allowed):
    assert is_allowed(address, parsed_networks("n", networks)) is allowed


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_public_that_the_standard_library_knows_as_special(address):
    """Its registries change from version to version, so ours may be stricter, and never laxer."""
    inner = getattr(address, "sixtofour", None) or getattr(address, "ipv4_mapped", None) or address
    is_special = not inner.is_global or inner.is_multicast or inner.is_reserved or inner.is_unspecified
    if is_special and address not in ip_network("64:ff9b::/96"):
        assert not is_allowed(str(address), ())


# Of each, whether it is registered with loopback allowed, and so whether it is called: PORT is that of a server here.
URLS = {
    "http://127.0.0.1:PORT/": True,
    "http://127.0.0.1:PORT": True,
    "HTTP://LocalHost:PORT/a/b?c=%20d&e[]=f": True,
    "http://localhost:PORT?q": True,
    "http://[::ffff:127.0.0.1]:PORT/": True,
    "http://0177.0.0.1:PORT/": False,
    "http://0x7f.1:PORT/": False,
    "http://0x7f000001:PORT/": False,
    "http://2130706433:PORT/": False,
    "http://127.1:PORT/": False,
    "http://127.0.0.1.:PORT/": False,
    "http://localhost.:PORT/": False,
    "http://.localhost:PORT/": False,
    "http://a..b:PORT/": False,
    "http://-a.example:PORT/": False,
    "http://1.2.3.4.5:PORT/": False,
    "http://example.0x:PORT/": False,
    "http://%31%32%37.0.0.1:PORT/": False,
    "http://loc%61lhost:PORT/": False,
    "http://ⓛocalhost:PORT/": False,
    "http://127。0。0。1:PORT/": False,
    "http://user@127.0.0.1:PORT/": False,
    "http://user:secret@127.0.0.1:PORT/": False,
    "http://example.com@127.0.0.1:PORT/": False,
    "http://127.0.0.1:PORT\\@example.com/": False,
    "http://127.0.0.1:PORT#@example.com/": False,
    "http://127.0.0.1:PORT/#part": False,
    "http://127.0.0.1\t:PORT/": False,
    "http://127.0.0.1:PORT/\r\nX: y": False,
    " http://127.0.0.1:PORT/": False,
    "http://127.0.0.1:PORT/ ": False,
    "http://127.0.0.1:PORT/a b": False,
    "http://127.0.0.1:PORT/%zz": False,
    "http://127.0.0.1:PORT/é": False,
    "http:///127.0.0.1:PORT/": False,
    "http:127.0.0.1:PORT/": False,
    "//127.0.0.1:PORT/": False,
    "http://:PORT/": False,
    "http://127.0.0.1:/": False,
    "http://127.0.0.1:0/": False,
    "http://127.0.0.1:65536/": False,
    "http://127.0.0.1:+PORT/": False,
    "http://127.0.0.1:99999999999/": False,
    "http://[::1%25lo]:PORT/": False,
    "http://[127.0.0.1]:PORT/": False,
    "http://[::1:PORT/": False,
    "http://::1:PORT/": False,
    "ftp://127.0.0.1:PORT/": False,
    "http://" + "a" * 64 + ".example/": False,
    "http://" + "a." * 130 + "example/": False,
    "http://127.0.0.1:PORT/" + "a" * 2000: False,
    "": False,
}


@pytest.mark.parametrize("url", URLS)
async def test_what_registration_takes_sending_sends_and_nothing_else(server, url):
    here = url.replace("PORT", str(server.server_port))
    try:
        is_registered = checked_url("endpoint_url", here, ALLOWED) == here
    except Refusal as refusal:
        is_registered = False
        assert len(refusal.message) < 300
    async with poster(ALLOWED) as post:
        try:
            is_sent = (await post(here, {}, b"body", 5.0)).status == 200
        except Fault:
            is_sent = False
    assert (is_registered, is_sent, len(server.heard)) == (URLS[url], URLS[url], int(URLS[url]))


@pytest.mark.parametrize("url", ["http://localhost/", "https://app.localhost/x", "http://127.0.0.1/", "http://[::1]/"])
def test_names_that_never_leave_the_machine_are_judged_when_registered(url):
    with pytest.raises(Refusal, match="must be a public address"):
        checked_url("endpoint_url", url, ())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Shop.Example:443/a", "https://shop.example"),
        ("http://shop.example:0080/", "http://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]"),
    ],
)
def test_one_server_has_one_name(url, expected):
    """Lanes and circuits go by it: other spellings must not make others."""
    assert origin(url) == expected


HEADERS = {
    ("Tenant-Id", "7"): True,
    ("tea", "green"): True,
    ("hostess", "x"): True,
    ("Content-Language", "ko"): True,
    ("X_a.b!#$%&'*+^`|~", "x"): True,
    ("x-empty", ""): True,
    ("x-inner", "a b\tc"): True,
    ("authorization", "Bearer x"): True,
    ("x-a", " leading"): False,
    ("x-a", "trailing "): False,
    ("x-a", "\ttab"): False,
    ("x-a", " "): False,
    ("x-a", "a\r\nb: c"): False,
    ("x-a", "a\x00"): False,
    ("x-a", "é"): False,
    ("x-a", "v" * 1000): False,
    ("", "x"): False,
    ("a b", "x"): False,
    ("a:", "x"): False,
    ("a\n", "x"): False,
    ("é", "x"): False,
    ("(a)", "x"): False,
    ("n" * 1_000_000, "x"): False,
    ("Host", "x"): False,
    ("TE", "trailers"): False,
    ("content-length", "5"): False,
    ("Content-Type", "text/plain"): False,
    ("transfer-encoding", "chunked"): False,
    ("connection", "close"): False,
    ("Webhook-Id", "x"): False,
    ("webhook-signature", "x"): False,
}


@pytest.mark.parametrize(("name", "value"), HEADERS)
async def test_a_header_that_registration_takes_arrives_as_it_was_given(server, name, value):
    try:
        headers = checked_headers({name: value})
    except Refusal as refusal:
        assert not HEADERS[name, value]
        assert len(refusal.message) + sum(len(detail.field) + len(detail.value) for detail in refusal.details) < 500
        return
    assert HEADERS[name, value]
    async with poster(ALLOWED) as post:
        assert (await post(f"http://127.0.0.1:{server.server_port}/", headers, b"body", 5.0)).status == 200
    assert server.headers[-1][name] == value


def test_a_header_is_named_once_in_capitals_or_not():
    with pytest.raises(Refusal, match="must name each header once"):
        checked_headers({"X-A": "1", "x-a": "2"})


def test_what_is_no_network_is_refused():
    with pytest.raises(Refusal, match="must be a network"):
        parsed_networks("webhook-network", ["10.0.0.1/8"])


async def test_names_that_are_never_resolved_keep_nobody_else_waiting(server, monkeypatch):
    """Forty name servers hang, which is more than the threads that the event loop has of its own."""
    over, resolved = threading.Event(), socket.getaddrinfo

    def resolve(host, *arguments, **more):
        if host.endswith(".hangs"):
            over.wait(20)
        return resolved(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with poster(ALLOWED) as post:
        hanging = [asyncio.create_task(post(f"http://n{n}.hangs/", {}, b"", 10.0)) for n in range(40)]
        await asyncio.sleep(0.1)
        answer = await post(f"http://localhost:{server.server_port}/", {}, b"", 5.0)
        assert answer.status == 200
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "prompt"), 5) == "prompt"
        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        over.set()
        await asyncio.gather(*hanging, return_exceptions=True)

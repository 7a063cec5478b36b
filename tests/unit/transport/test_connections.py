"""Caps on connections, in all and by address; and the watch over sockets that another server has."""

import os
import socket

import pytest

from tests.clocks import HandClock
from traffic_tacos.kernel.addresses import parsed_networks
from traffic_tacos.transport.connections import Caps, Connections, SocketWatch

PROXIES = parsed_networks("trusted-proxy", ("10.0.0.0/8",))


def connections(in_all: int = 100, of_address: int = 2) -> Connections:
    return Connections("http", Caps(in_all, of_address, 1.0, PROXIES), HandClock())


@pytest.mark.parametrize(
    ("peers", "admitted"),
    [
        (["203.0.113.1"] * 3, [True, True, False]),
        (["203.0.113.1", "203.0.113.2", "203.0.113.1", "203.0.113.2"], [True] * 4),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], [True, True, False]),  # one /64 is one caller
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"], [True] * 3),
        (["::ffff:203.0.113.1", "203.0.113.1", "203.0.113.1"], [True, True, False]),
        (["127.0.0.1"] * 4, [True] * 4),
        (["::1"] * 4, [True] * 4),
        (["10.1.2.3"] * 4, [True] * 4),  # a proxy stands for many
        (["11.1.2.3"] * 3, [True, True, False]),
    ],
    ids=str,
)
def test_so_many_from_one_address(peers, admitted):
    counted = connections()
    assert [counted.admit(peer) for peer in peers] == admitted
    assert (counted.open, counted.refused) == (admitted.count(True), admitted.count(False))


def test_so_many_in_all_and_whoever_leaves_makes_room():
    counted = connections(in_all=2)
    assert [counted.admit(f"203.0.113.{number}") for number in range(3)] == [True, True, False]
    counted.release("203.0.113.0")
    assert counted.admit("203.0.113.9")
    assert not counted.admit("203.0.113.10")


def test_an_address_whose_connections_are_gone_may_come_again_and_costs_no_memory():
    counted = connections(of_address=1)
    for number in range(50):
        peer = f"203.0.113.{number}"
        assert counted.admit(peer)
        assert not counted.admit(peer)
        counted.release(peer)
    assert counted.open == 0
    assert counted.by_address() == {}


class Listening:
    """A port with connections to it: both ends are this process's, as in a server of tests."""

    def __init__(self, in_all: int) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.clock = HandClock()
        self.counted = Connections("grpc", Caps(in_all, 1000, 5.0), self.clock)
        self.watch = SocketWatch(self.port, self.counted, self.clock)
        self.pairs = []

    def connect(self, sent: bytes = b""):
        client = socket.create_connection(("127.0.0.1", self.port))
        accepted, _ = self.server.accept()
        client.sendall(sent)
        client.settimeout(0.2)
        self.pairs.append((client, accepted))
        return client, accepted

    def close(self):
        for one in (*[end for pair in self.pairs for end in pair], self.server):
            one.close()


@pytest.fixture
def listening():
    made = []

    def make(in_all=100):
        made.append(Listening(in_all))
        return made[-1]

    yield make
    for one in made:
        one.close()


def is_shut(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False


def test_who_does_not_begin_to_speak_is_shut_and_who_has_spoken_may_be_silent(listening):
    port = listening()
    silent, _ = port.connect()
    half, _ = port.connect(b"PRI * HTT")
    spoken, _ = port.connect(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    port.watch.look()
    assert port.counted.open == 3
    port.clock.advance(4)
    port.watch.look()
    assert not is_shut(silent)
    port.clock.advance(2)
    port.watch.look()
    assert (is_shut(silent), is_shut(half), is_shut(spoken)) == (True, True, False)
    port.clock.advance(1000)
    port.watch.look()
    assert not is_shut(spoken)


def test_what_closes_during_a_look_is_passed_over_and_all_others_are_seen(listening, monkeypatch):
    port = listening()
    (_, gone), _ = port.connect(b"x" * 24), port.connect(b"x" * 24)
    number, dup = gone.fileno(), os.dup

    def closing(descriptor: int) -> int:
        """Closed by its server between the list and the look at it."""
        if descriptor == number:
            gone.close()
        return dup(descriptor)

    monkeypatch.setattr(os, "dup", closing)
    port.watch.look()
    assert port.counted.open == 1


def test_newcomers_over_the_cap_are_shut_and_whoever_leaves_makes_room(listening):
    port = listening(in_all=2)
    inside = [port.connect(b"x" * 24) for _ in range(2)]
    port.watch.look()
    late, _ = port.connect(b"x" * 24)
    port.watch.look()
    assert is_shut(late)
    assert not any(is_shut(client) for client, _ in inside)
    assert (port.counted.open, port.counted.refused) == (2, 1)
    for end in inside[0]:
        end.close()
    port.watch.look()
    another, _ = port.connect(b"x" * 24)
    port.watch.look()
    assert not is_shut(another)
    assert port.counted.open == 2


def test_sockets_of_other_ports_are_left_alone(listening):
    port, other = listening(in_all=1), listening()
    clients = [other.connect()[0] for _ in range(3)]
    port.watch.look()
    port.clock.advance(100)
    port.watch.look()
    assert port.counted.open == 0
    assert not any(is_shut(client) for client in clients)

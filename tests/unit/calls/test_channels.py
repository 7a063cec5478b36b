"""A channel leads to where its name leads now; two servers on two addresses of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from traffic_tacos.calls.channels import FollowedChannel, resolved
from traffic_tacos.kernel.addresses import Address

METHOD = "/test.Names/Who"
TURNS = (("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'), ("grpc.default_authority", "test"))
NAME = "sale.test"


class Names:
    """What a name leads to, as long as it is known."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    async def __call__(self, name: Address) -> list[Address]:
        if not self.hosts:
            raise OSError("there is no such name")
        return [Address(host, name.port) for host in self.hosts]


@asynccontextmanager
async def serving(host: str, port: int = 0) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A server that says its address, and is slow until the event is set for whoever asks it to wait."""
    go_on = asyncio.Event()

    async def who(request: bytes, _: object) -> bytes:
        if request == b"wait":
            await go_on.wait()
        return host.encode()

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers = {"Who": grpc.unary_unary_rpc_method_handler(who)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Names", handlers),))
    port = server.add_insecure_port(f"{host}:{port}")
    await server.start()
    try:
        yield port, go_on
    finally:
        await server.stop(None)


async def asked(ask, times=20):
    """Who answers; connections are made in the background, so for a while it may be one of them alone."""
    found = set()
    for _ in range(times):
        found.add((await ask()(b"", timeout=5, wait_for_ready=True)).decode())
        await asyncio.sleep(0.02)
    return found


async def test_a_process_that_is_added_to_a_name_is_asked_although_no_connection_broke():
    names = Names("127.0.0.1")
    async with serving("127.0.0.1") as (port, go_on), serving("127.0.0.2", port):
        channel = FollowedChannel((Address(NAME, port),), TURNS, names)
        ask = channel.bound(lambda now: now.unary_unary(METHOD))
        await channel.follow()
        assert await asked(ask) == {"127.0.0.1"}
        under_way = asyncio.ensure_future(ask()(b"wait", timeout=5))
        await asyncio.sleep(0.1)
        names.hosts = ("127.0.0.1", "127.0.0.2")
        before = channel.now
        await channel.follow()
        assert await asked(ask) == {"127.0.0.1", "127.0.0.2"}
        go_on.set()
        assert await under_way == b"127.0.0.1", "what is under way ends where it began"
        names.hosts = ("127.0.0.2",)
        await channel.follow()
        assert await asked(ask) == {"127.0.0.2"}
        assert channel.now is not before
        await channel.close()


@pytest.mark.parametrize("hosts", [("127.0.0.1",), ()])
async def test_a_name_that_leads_where_it_led_or_cannot_be_looked_up_changes_nothing(hosts):
    names = Names("127.0.0.1")
    channel = FollowedChannel((Address(NAME, 1),), (), names)
    await channel.follow()
    before, names.hosts = channel.now, hosts
    await channel.follow()
    assert channel.now is before
    await channel.close()


async def test_addresses_are_not_looked_up():
    channel = FollowedChannel((Address("127.0.0.1", 1), Address("127.0.0.2", 1)), (), Names())
    before = channel.now
    await channel.follow()
    assert (channel.now is before, channel.target) == (True, "ipv4:127.0.0.1:1,127.0.0.2:1")
    await channel.close()


async def test_the_system_s_own_names_are_found():
    found = await resolved(Address("localhost", 50051))
    assert found in ([Address("127.0.0.1", 50051)], [Address("::1", 50051)]), "of one version of IP"

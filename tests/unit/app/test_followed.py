"""A platform follows where the services are that run elsewhere."""

import asyncio
import random
from pathlib import Path

from tests.clocks import HandClock
from traffic_tacos.app.config import ROOMS, Config
from traffic_tacos.app.engines import embedded
from traffic_tacos.app.platform import Platform
from traffic_tacos.calls import keys
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.operations.logs import LogRing

ELSEWHERE = {room: (Address("sale.test", 50051),) for room in ROOMS if room != "gateway"}


class Remote:
    def __init__(self):
        self.follows = asyncio.Event()

    def unary_unary(self, *_):
        return None

    def services(self):
        return []

    async def health(self):
        return []

    async def run(self):
        self.follows.set()
        await asyncio.Event().wait()

    async def close(self):
        pass


async def nobody(*_):
    raise AssertionError


async def test_the_addresses_of_services_elsewhere_are_followed_in_the_background():
    clock, chance, remote = HandClock(), random.Random(1), Remote()
    engines = embedded(clock, chance, MemoryStore(), nobody, nobody, "")
    config = Config(data=Path("nowhere"), elsewhere=ELSEWHERE)
    platform = Platform(config, engines, keys.Keyring(keys.made(chance)), LogRing(), remote=remote)
    running = asyncio.create_task(platform.run())
    async with asyncio.timeout(5):
        await remote.follows.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

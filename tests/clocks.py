"""A clock that tests set by hand. Sleeping on it moves it on."""

import asyncio

from traffic_tacos.kernel.instants import SECOND, Instant


class HandClock:
    def __init__(self, now: Instant = 1_800_000_000_000) -> None:
        self._now = now

    def now(self) -> Instant:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * SECOND)

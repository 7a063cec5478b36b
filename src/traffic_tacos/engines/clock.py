"""The machine's clock."""

import asyncio
import time

from traffic_tacos.kernel.instants import SECOND, Instant


class SystemClock:
    """Wall time that never goes backwards: set back, it stands still until it has caught up."""

    def __init__(self) -> None:
        self._latest: Instant = 0

    def now(self) -> Instant:
        now = int(time.time() * SECOND)
        if now > self._latest:
            self._latest = now
        return self._latest

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

"""What goes to the queues in batches: messages of jobs that were committed, acknowledgements of those that are done.

Neither waits for a batch to fill: whatever has come together while the last one was under way is the next.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from traffic_tacos.engines.aws import AwsFault
from traffic_tacos.engines.sqs_queues import BATCH_MAX
from traffic_tacos.ports.clock import Clock

T = TypeVar("T")

RETRY_SECONDS = 1.0
WAITING_MAX = 10_000  # what is more is left to the sweep, or comes again

log = structlog.get_logger()


class Batches(Generic[T]):
    """Things for one queue. `send` gives back those that were not taken, and they are sent again."""

    def __init__(self, queue: str, clock: Clock, send: Callable[[str, list[T]], Awaitable[list[T]]]) -> None:
        self._queue = queue
        self._clock = clock
        self._send = send
        self._waiting: deque[T] = deque(maxlen=WAITING_MAX)
        self._wake = asyncio.Event()

    def add(self, *things: T) -> None:
        self._waiting.extend(things)
        self._wake.set()

    async def run(self) -> None:
        """Send what is added, until cancelled."""
        while True:
            self._wake.clear()
            await self.flush()
            await self._wake.wait()

    async def flush(self) -> None:
        """Send what waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
            try:
                left = await self._send(self._queue, batch)
            except AwsFault as fault:
                log.warning("queue_not_reached", queue=self._queue, error=str(fault))
                left = batch
            except asyncio.CancelledError:
                self._waiting.extendleft(reversed(batch))  # nobody knows whether it was sent, and twice is harmless
                raise
            if left:
                self._waiting.extendleft(reversed(left))
                await self._clock.sleep(RETRY_SECONDS)

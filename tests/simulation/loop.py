"""An event loop without a clock: time jumps when everybody waits, and a seed decides who runs first."""

import asyncio
import functools
import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from traffic_tacos.kernel.instants import SECOND, Instant

T = TypeVar("T")
EPOCH: Instant = 1_800_000_000_000


class Deadlock(Exception):
    """Everybody waits, and nothing is going to happen."""


class VirtualLoop(asyncio.BaseEventLoop):
    def __init__(self, randomness: random.Random, began_at: float = 0.0) -> None:
        super().__init__()
        self._random = randomness
        self._virtual_time = began_at
        self._selector = self  # what BaseEventLoop asks to wait for I/O; there is none

    def time(self) -> float:
        return self._virtual_time

    def select(self, timeout: float | None) -> tuple[()]:
        if timeout is None:
            raise Deadlock
        self._virtual_time += timeout
        return ()

    def _process_events(self, events: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _run_once(self) -> None:
        if len(self._ready) > 1:
            ready = shuffled(self._ready, self._random)
            self._ready.clear()
            self._ready.extend(ready)
        super()._run_once()


def shuffled(things: Iterable[T], randomness: random.Random) -> list[T]:
    """As Random.shuffle would leave them, without the two calls that it makes for each."""
    left, bits = list(things), randomness.getrandbits
    for last in range(len(left) - 1, 0, -1):
        length = (last + 1).bit_length()
        while (other := bits(length)) > last:
            pass
        left[last], left[other] = left[other], left[last]
    return left


class LoopClock:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> Instant:
        return EPOCH + round(self._loop.time() * SECOND)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


def on_virtual_time(test: Callable[[LoopClock], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """The test is given a clock that jumps when everybody waits."""

    @functools.wraps(test)
    def sync() -> None:
        loop = VirtualLoop(random.Random(test.__name__))
        run(test(LoopClock(loop)), loop)

    del sync.__wrapped__  # or pytest would look for a fixture named clock
    return sync

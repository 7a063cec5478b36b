"""Tasks that run together; and whether a task is being cancelled, or came upon the cancellation of something that it
waited for.

A TaskGroup is not used: when a task of it fails, Python 3.11 leaves the one that waited marked as cancelled, and
whoever asks `is_cancelled` from then on gives up what they should have tried again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Start: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]


def is_cancelled() -> bool:
    """Whether somebody has cancelled the task that asks. Else a CancelledError in it is a failure like any other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def together(*loops: Coroutine[Any, Any, None]) -> None:
    """Run loops that never end. What one of them comes upon ends all of them, and is the caller's to see."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended.pop().result()
    finally:
        await _ended(tasks)


async def all_of(asked: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of them give, in their order; when one fails, its error, and the others are cancelled."""
    if len(asked) == 1:
        return [await asked[0]]
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        await _ended(tasks)
        raise


@asynccontextmanager
async def started() -> AsyncIterator[Start]:
    """Starts tasks that nobody waits for; those that still run when the block ends are cancelled."""
    running: set[asyncio.Future[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        running.add(task)
        task.add_done_callback(running.discard)

    try:
        yield start
    finally:
        await _ended(list(running))


async def _ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

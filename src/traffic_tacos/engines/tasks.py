"""Whether a task is being cancelled, or came upon the cancellation of something that it waited for."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def is_cancelled() -> bool:
    """Whether somebody has cancelled the task that asks. Else a CancelledError in it is a failure like any other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def together(*loops: Coroutine[Any, Any, None]) -> None:
    """Run loops that never end. What one of them comes upon ends all of them, and is the caller's to see.

    Not a TaskGroup, which in Python 3.11 leaves the task that waited in it marked as cancelled.
    """
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Whether a task is being cancelled, or came upon the cancellation of something that it waited for."""

import asyncio


def is_cancelled() -> bool:
    """Whether somebody has cancelled the task that asks. Else a CancelledError in it is a failure like any other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""A wait between two polls ends when the command was interrupted, even if something on the way swallowed that."""

import asyncio

import pytest

from traffic_tacos.cli import buy


async def test_a_cancellation_that_was_swallowed_ends_the_next_pause():
    polls = []

    async def polling():
        while True:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                pass  # as grpcio does when the answer comes at the same moment
            polls.append(1)
            await buy.pause()

    task = asyncio.create_task(polling())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await task
    assert len(polls) == 1

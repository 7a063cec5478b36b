"""What fails beside others ends them, is the caller's to see, and leaves the caller itself as it was."""

import asyncio

import pytest

from traffic_tacos.engines.tasks import all_of, is_cancelled, started, together


class Endless:
    """Runs until it is cancelled, and takes a moment to end."""

    def __init__(self):
        self.has_ended = False

    async def run(self):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.has_ended = True


async def failing():
    await asyncio.sleep(0)
    raise ValueError("broken")


async def after(turns, value):
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


@pytest.mark.parametrize("run", [together, lambda *all_: all_of(all_)], ids=["together", "all_of"])
async def test_a_failure_ends_the_others_and_leaves_the_caller_uncancelled(run):
    other = Endless()
    with pytest.raises(ValueError, match="broken"):
        await run(other.run(), failing())
    assert other.has_ended
    assert not is_cancelled()
    await asyncio.sleep(0)  # which a cancellation that was left behind would end


@pytest.mark.parametrize("run", [together, lambda *all_: all_of(all_)], ids=["together", "all_of"])
async def test_whoever_is_cancelled_ends_all_of_them(run):
    others = [Endless(), Endless()]
    task = asyncio.ensure_future(run(*(other.run() for other in others)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(other.has_ended for other in others)


async def test_what_all_give_comes_in_the_order_in_which_they_were_asked():
    assert await all_of([after(3, "a"), after(1, "b"), after(2, "c")]) == ["a", "b", "c"]
    assert await all_of([after(1, "only")]) == ["only"]
    assert await all_of([]) == []


async def test_what_was_started_ends_with_the_block_and_a_failure_of_one_is_its_own():
    other, done = Endless(), []

    async def work():
        done.append(await after(1, "done"))

    async with started() as start:
        start(other.run())
        start(work())
        await asyncio.sleep(0.01)
        assert (done, other.has_ended) == (["done"], False)
    assert other.has_ended
    assert not is_cancelled()

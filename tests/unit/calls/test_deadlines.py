"""Deadlines do what asyncio.timeout does."""

import asyncio
import random

import pytest

from tests.simulation.loop import LoopClock, VirtualLoop, run
from traffic_tacos.calls.deadlines import MOMENT, Deadlines
from traffic_tacos.kernel.instants import SECOND


def virtually(main):
    loop = VirtualLoop(random.Random(1))
    clock = LoopClock(loop)
    return run(main(Deadlines(clock), clock), loop)


def test_a_call_past_its_deadline_ends_with_a_timeout_and_never_early():
    async def main(deadlines, clock):
        begun = clock.now()
        with pytest.raises(TimeoutError), deadlines.until(begun + 250):
            await clock.sleep(10)
        assert 250 <= clock.now() - begun <= 250 + MOMENT

    virtually(main)


def test_a_call_in_time_leaves_nothing_behind():
    async def main(deadlines, clock):
        with deadlines.until(clock.now() + SECOND):
            await clock.sleep(0.5)
        await clock.sleep(5)
        assert asyncio.current_task().cancelling() == 0
        assert len(deadlines) == 0

    virtually(main)


def test_the_inner_of_two_deadlines_is_the_inners_and_the_outer_goes_on():
    async def main(deadlines, clock):
        with deadlines.until(clock.now() + SECOND):
            with pytest.raises(TimeoutError), deadlines.until(clock.now() + 100):
                await clock.sleep(10)
            await clock.sleep(0.1)
            done = True
        assert done
        outer, inner = deadlines.until(clock.now() + 100), deadlines.until(clock.now() + SECOND)
        with pytest.raises(TimeoutError), outer, inner:
            await clock.sleep(10)

    virtually(main)


def test_a_cancellation_from_outside_stays_a_cancellation():
    async def main(deadlines, clock):
        async def call():
            with deadlines.until(clock.now() + SECOND):
                await clock.sleep(10)

        task = asyncio.create_task(call())
        await clock.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await clock.sleep(2)

    virtually(main)


def test_a_deadline_that_has_passed_already_ends_the_first_wait():
    async def main(deadlines, clock):
        with pytest.raises(TimeoutError), deadlines.until(clock.now() - SECOND):
            await clock.sleep(1)

    virtually(main)


def test_many_calls_of_one_moment_each_get_their_own_timeout():
    async def main(deadlines, clock):
        async def call(seconds):
            with deadlines.until(clock.now() + 100):
                await clock.sleep(seconds)
                return "done"

        outcomes = await asyncio.gather(*(call(s) for s in (0.01, 1, 0.02, 2)), return_exceptions=True)
        assert [type(one) for one in outcomes] == [str, TimeoutError, str, TimeoutError]

    virtually(main)

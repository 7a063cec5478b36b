"""The race matrix: both orders, at every step of the one the other may start, and a crash after every commit."""

import asyncio

import pytest

from tests.rpc.desk import on_platform
from tests.simulation.races import RACES, at_rest, check_seats, outcome, prepared

STARTS = (0, 1, 2, 3, 4, 6, None)  # after so many commits of the first; None when it is done
STARTS_WITH_A_CRASH = (0, 2, None)
CRASHES = tuple(range(1, 10))
WHOLE = [
    *((start, None) for start in STARTS),
    *((start, crash) for start in STARTS_WITH_A_CRASH for crash in CRASHES),
]
# Where both do the same, the other way round is the same race.
ORDERS = [
    (name, order)
    for name, race in RACES.items()
    for order in ("in order", "the other way round")
    if order == "in order" or race.first is not race.second
]


def schedules(name: str, *, whole: bool) -> list[tuple[int | None, int | None]]:
    """All; or every start, and every crash with one of the starts, which is another one for the next race."""
    if whole:
        return WHOLE
    turn = list(RACES).index(name)
    crashes = [(STARTS_WITH_A_CRASH[(turn + crash) % len(STARTS_WITH_A_CRASH)], crash) for crash in CRASHES]
    return [*((start, None) for start in STARTS), *crashes]


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["short", "whole"])
@pytest.mark.parametrize(("name", "order"), ORDERS)
def test_a_race_ends_in_one_of_its_outcomes_whatever_crashes(name, order, whole):
    race = RACES[name]
    commits: dict[int | None, int] = {}  # of the race without a crash, for each start
    for start, crash in schedules(name, whole=whole):
        if crash is not None and crash > commits[start]:
            continue  # it would never come: this has been run without one
        done, made = run(race, order == "in order", start, crash)
        if crash is None:
            commits[start] = made
        first_wins, second_wins = race.first_wins, race.second_wins
        allowed = {first_wins, second_wins, *race.between}
        if start is None and crash is None:
            allowed = {first_wins if order == "in order" else second_wins}
        assert done in allowed, f"{name}, {order}, start {start}, crash {crash}: {done}, not {allowed}"


def run(race, in_order, start, crash) -> tuple[str, int]:
    """Its outcome, and how many commits the two of them made."""
    ended = []

    @on_platform(event=race.event)
    async def on_desk(desk):
        stage = await prepared(desk, race)
        first, second = (race.first, race.second) if in_order else (race.second, race.first)
        began = desk.commits

        async def crashing():
            await desk.commits_reach(began + crash)
            await desk.crash(without=frozenset({"worker"}))

        async def other():
            if start is None:
                await asyncio.wait({leading})
            else:
                await desk.commits_reach_unless(began + start, leading)
            await second(stage)

        leading = asyncio.ensure_future(first(stage))
        falling = asyncio.ensure_future(crashing()) if crash is not None else None
        await asyncio.gather(leading, other())
        made = desk.commits - began
        if falling is not None and not falling.done():
            falling.cancel()
        elif falling is not None:
            falling.result()
        check_seats(stage)
        await at_rest(stage)
        assert desk.jobs() == []
        assert desk.platform.engines.jobs.figures().dead == 0, desk.dead()
        ended.append((outcome(stage), made))

    on_desk()
    return ended[0]

"""When a process is ready: what it cannot answer without."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.operations.health import STALE_AFTER, PlatformHealth
from traffic_tacos.ports.health import Health
from traffic_tacos.ports.peers import ALONE
from traffic_tacos.ports.store import StoreUnavailable

NOTHING = SimpleNamespace(
    figures=lambda: SimpleNamespace(pending=0, dead=0),
    waiting=lambda: 0,
    lag=0,
)


class Unreachable(MemoryStore):
    """What keeps its records elsewhere, with nobody there: a decision that reads nothing asks nobody."""

    async def transact(self, reads, decide):
        if reads:
            raise StoreUnavailable("nobody answers")
        return await super().transact(reads, decide)


def health_of(clock, peers, store=None):
    health = PlatformHealth(
        (), Path("no folder"), "here", store or MemoryStore(), peers, clock, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING
    )

    async def queues():
        raise AssertionError("queues are not asked whether this process is ready")

    health.add_dependencies(queues)
    return health


@pytest.mark.parametrize(
    ("ago", "expected"), [(0, Health.HEALTHY), (STALE_AFTER, Health.HEALTHY), (STALE_AFTER + 1, Health.UNHEALTHY)]
)
async def test_a_process_that_hears_nothing_of_the_others_is_not_ready(ago, expected):
    clock = HandClock()
    seen = clock.now()
    clock.advance(ago / SECOND)
    parts = {part.name: part for part in await health_of(clock, SimpleNamespace(looked_at=lambda: seen)).readiness()}
    assert parts["changes"].health is expected
    assert parts["store"].endpoint == "here"


async def test_a_process_that_is_alone_waits_for_nobody():
    assert {part.name for part in await health_of(HandClock(), ALONE).readiness()} == {"store", "event_loop"}


async def test_a_process_whose_store_cannot_be_reached_is_not_ready():
    parts = {part.name: part for part in await health_of(HandClock(), ALONE, Unreachable()).readiness()}
    assert (parts["store"].health, parts["store"].issues) == (Health.UNHEALTHY, ("nobody answers",))


async def test_a_process_that_must_not_answer_for_a_queue_is_not_ready():
    health, found = health_of(HandClock(), ALONE), []
    health.add_unready("waiting_room", lambda: found)
    assert "waiting_room" not in {part.name for part in await health.readiness()}
    found.append("end the others")
    part = (await health.readiness())[-1]
    assert (part.name, part.health, part.issues) == ("waiting_room", Health.UNHEALTHY, ("end the others",))

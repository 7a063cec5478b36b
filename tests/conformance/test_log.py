"""What every log promises (`ports/log.py`): in memory, and in a Redis or Valkey on this machine."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from tests import emulators
from tests.clocks import HandClock
from tests.emulators import Valkey
from traffic_tacos.engines.memory_log import MemoryLog
from traffic_tacos.engines.redis_log import redis_log
from traffic_tacos.ports.log import START, BaseMoved, Log, Mark, Position, ServerChanged

NAME = "evt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with emulators.valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
async def log(request: Any) -> AsyncIterator[Log]:
    if request.param == "memory":
        yield MemoryLog(HandClock(), random.Random(1))
        return
    url = request.getfixturevalue("server").url
    async with Redis.from_url(url) as redis:
        await redis.flushall()
    async with redis_log(url, 0) as shared:
        yield shared


async def begun(log: Log) -> Mark:
    """A log that has begun, and the mark at its base."""
    await log.begin(NAME, "", START, b"state")
    base = await log.base(NAME)
    assert base is not None
    return Mark(base.epoch, base.position)


async def test_a_log_begins_with_its_base_and_the_first_who_begins_it_wins(log):
    assert await log.base(NAME) is None
    await asyncio.gather(*(log.begin(NAME, "", START, state) for state in (b"one", b"two")))
    base = await log.base(NAME)
    assert base.state in (b"one", b"two")
    assert (await log.read({NAME: Mark(base.epoch, base.position)}))[NAME] == []


async def test_nothing_is_appended_to_a_log_that_has_not_begun(log):
    with pytest.raises(BaseMoved):
        await log.append(NAME, Mark("", START), b"x")


async def test_all_read_the_same_entries_in_the_same_order_at_times_that_never_go_back(log):
    mark = await begun(log)
    answers = await asyncio.gather(*(log.append(NAME, mark, b"%d" % number) for number in range(20)))
    entries = (await log.read({NAME: mark}))[NAME]
    assert sorted(entry.payload for entry in entries) == sorted(b"%d" % number for number in range(20))
    assert [entry.position for entry in entries] == sorted({entry.position for entry in entries})
    assert entries[0].position > mark.position
    for number, answer in enumerate(answers):
        assert list(answer) == list(entries[: len(answer)])
        assert b"%d" % number in [entry.payload for entry in answer]
    assert list((await log.read({NAME: mark._replace(position=entries[9].position)}))[NAME]) == list(entries[10:])


async def test_logs_of_other_names_are_read_together_and_apart(log):
    mark = await begun(log)
    await log.begin("other", "", START, b"")
    base = await log.base("other")
    other = Mark(base.epoch, base.position)
    await log.append("other", other, b"theirs")
    found = await log.read({NAME: mark, "other": other})
    assert [[entry.payload for entry in found[name]] for name in (NAME, "other")] == [[], [b"theirs"]]


async def test_whoever_is_behind_the_base_before_the_last_reads_the_base(log):
    mark = await begun(log)
    entries = []
    for payload in (b"1", b"2", b"3"):
        entries += await log.append(NAME, Mark(mark.epoch, entries[-1].position if entries else mark.position), payload)
    first, second, third = (Mark(mark.epoch, entry.position) for entry in entries)
    await log.save(NAME, second, b"after two")
    assert [entry.payload for entry in (await log.read({NAME: mark}))[NAME]] == [b"1", b"2", b"3"]
    await log.save(NAME, third, b"after three")
    await log.save(NAME, second, b"too late")
    assert (await log.base(NAME)).state == b"after three"
    assert (await log.read({NAME: first}))[NAME] is None
    with pytest.raises(BaseMoved):
        await log.append(NAME, first, b"4")
    assert [entry.payload for entry in (await log.read({NAME: second}))[NAME]] == [b"3"]


async def test_another_epoch_drops_every_entry_and_goes_on_after_the_position_given(log):
    mark = await begun(log)
    (entry,) = await log.append(NAME, mark, b"before")
    ahead = Position(entry.position.at + 10**9, 3)
    await log.begin(NAME, "another", ahead, b"refused: that is not its epoch")
    await log.begin(NAME, mark.epoch, ahead, b"anew")
    base = await log.base(NAME)
    assert (base.state, base.position > ahead) == (b"anew", True)
    (entry,) = await log.append(NAME, Mark(base.epoch, base.position), b"after")
    assert entry.position > base.position


async def test_an_epoch_that_would_drop_what_was_appended_meanwhile_does_not_begin(log):
    mark = await begun(log)
    (one,) = await log.append(NAME, mark, b"one")
    await log.append(NAME, Mark(mark.epoch, one.position), b"two")
    await log.begin(NAME, mark.epoch, one.position, b"after one")
    assert (await log.base(NAME)).state == b"state"
    one, two = (await log.read({NAME: mark}))[NAME]
    await log.begin(NAME, mark.epoch, two.position, b"after two")
    assert (await log.base(NAME)).state == b"after two"
    assert (await log.read({NAME: mark}))[NAME] is None, "whoever had the log before notices"
    with pytest.raises(BaseMoved):
        await log.append(NAME, Mark(mark.epoch, two.position), b"three")


async def test_nothing_is_appended_to_a_server_that_nobody_believes_yet():
    log = MemoryLog(HandClock(), random.Random(1))
    mark = await begun(log)
    log.promote()
    with pytest.raises(ServerChanged):
        await log.append(NAME, mark, b"x")
    assert (await log.read({NAME: mark}))[NAME] == []

"""What buckets of several processes promise (`ports/buckets.py`): in memory, and in a Valkey on this machine."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from tests import emulators
from tests.buckets import MemoryBuckets
from tests.emulators import Valkey
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.redis_buckets import RedisBuckets
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.ports.buckets import FULL_WITHIN, SharedBuckets


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with emulators.valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
async def buckets(request: Any) -> AsyncIterator[SharedBuckets]:
    if request.param == "memory":
        yield MemoryBuckets(SystemClock())
        return
    async with Redis.from_url(request.getfixturevalue("server").url) as redis:
        await redis.flushall()
        yield RedisBuckets(redis)


async def test_what_all_have_taken_is_counted_together_and_flows_back(buckets):
    began = time.monotonic()
    assert await buckets.take({}) == {}
    assert (await buckets.take({"a": 600.0, "b": 50.0})) == pytest.approx({"a": 600.0, "b": 50.0}, abs=0.01)
    found = (await buckets.take({"a": 400.0}))["a"]
    passed = (time.monotonic() - began) * 1000
    assert 1000 - passed - 5 <= found <= 1000
    await asyncio.sleep(0.2)
    assert (await buckets.take({"b": 0.0}))["b"] == 0.0
    assert 600 <= (await buckets.take({"a": 0.0}))["a"] <= 800


async def test_however_much_is_taken_a_bucket_is_full_again_soon(buckets):
    found = await asyncio.gather(*(buckets.take({"a": 1000.0}) for _ in range(20)))
    assert max(one["a"] for one in found) == FULL_WITHIN


async def test_a_server_that_does_not_answer_is_a_fault():
    async with Redis.from_url("redis://127.0.0.1:9") as redis:
        with pytest.raises(Fault, match="Redis did not answer"):
            await RedisBuckets(redis).take({"a": 1.0})

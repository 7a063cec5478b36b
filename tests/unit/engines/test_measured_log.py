"""What is counted of the log of the queues."""

import random

import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.measured_log import MeasuredLog
from traffic_tacos.engines.memory_log import LogFaults, MemoryLog
from traffic_tacos.ports.log import START, LogUnavailable, Mark, NotReplicated


class Unreplicated(MemoryLog):
    async def append(self, *_):
        raise NotReplicated("nobody else has it")


def figures(log):
    return {gauge.name: dict(gauge.read()) for gauge in log.gauges()}


async def test_requests_their_time_and_their_failures_are_counted():
    clock = HandClock()
    under = Unreplicated(clock, random.Random(1), LogFaults(delay=1.0, delay_seconds_max=0.2))
    log = MeasuredLog(under, clock)
    await log.begin("evt", "", START, b"state")
    base = await log.base("evt")
    mark = Mark(base.epoch, base.position)
    assert await log.read({"evt": mark}) == {"evt": []}
    with pytest.raises(NotReplicated):
        await log.append("evt", mark, b"one")
    under.faults = LogFaults(fail_before=1.0)
    with pytest.raises(LogUnavailable):
        await log.save("evt", mark, b"state")
    found = figures(log)
    assert found["tacos_queue_log_requests"] == dict.fromkeys(("begin", "base", "read", "append", "save"), 1)
    assert 0 < found["tacos_queue_log_request_seconds"]["read"] <= 0.2
    assert found["tacos_queue_log_request_seconds"]["append"] == 0
    assert found["tacos_queue_log_failures"] == {"unavailable": 1, "not_replicated": 1}

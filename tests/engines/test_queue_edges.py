"""The bench of one queue through two edges, with fewer fans: what it finds right or wrong, never its times."""

import asyncio

import pytest
from bench import queue_edges

from tests.cloud import running

FANS, RATE = 400, 100


@pytest.mark.long
def test_one_queue_through_two_edges_is_in_order_within_its_limits_and_heard_of_at_both(tmp_path):
    event = queue_edges.event_file(tmp_path, FANS, RATE)
    with running(tmp_path, queue_edges.PROCESSES, event=[str(event)]) as cloud:
        found = asyncio.run(queue_edges.measured(cloud, FANS, RATE))
    assert found.wrong() == []
    assert found.watching == [FANS // 10, FANS // 10]
    assert found.statuses > 4 * FANS

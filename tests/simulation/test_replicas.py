"""Sales on several processes over one store."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from tests.simulation.fans import Fan
from tests.simulation.loop import VirtualLoop, run
from tests.simulation.on_aws import OnAws
from tests.simulation.on_dynamodb import OnDynamoDB
from tests.simulation.replicas import CREATE, DEAF_FOR, Replicas, Together
from tests.simulation.sale import CATALOG, JOIN, simulate
from tests.simulation.world import EVENT, EVENT_ID, STEADY
from traffic_tacos.engines.memory_log import LogFaults
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.lines import Lines

# 5: what was cancelled had been bought since it was looked at, and kept its seats.
# 6: a job that another process had replaced was known for ever, and never done.
# 12258, 12278: a status that a process remembered the way to was told after another had taken the queue.
FOUND = (2, 5, 6, 7, 9, 12258, 12278)
SEEDS = tuple(range(100, 105))
SHARP = (105, 114, 118)  # which notice what `tests/mutations.py` leaves out


@pytest.mark.parametrize("seed", [*FOUND, *SEEDS, *SHARP])
def test_no_promise_is_broken_by_several_processes_that_crash_freeze_and_have_clocks_apart(seed):
    simulate(seed, Replicas)


@pytest.mark.parametrize("seed", (103, 105, 106))  # each notices both guards that `tests/mutations.py` leaves out
def test_none_is_broken_where_each_reads_decides_and_commits_over_a_slow_wire_to_dynamodb(seed):
    simulate(seed, OnDynamoDB)


@pytest.mark.parametrize("seed", range(200, 204))
def test_none_is_broken_with_jobs_on_sqs_and_events_on_eventbridge_however_badly_they_carry(seed):
    simulate(seed, OnAws)


@pytest.mark.parametrize("seed", (203,))
def test_no_promise_is_broken_by_processes_that_all_have_the_queue_and_whose_log_loses_answers_and_servers(seed):
    simulate(seed, Together)


def test_a_queue_whose_log_was_away_when_a_process_started_is_opened_there_once_it_is_back():
    loop = VirtualLoop(random.Random(1))

    async def start_without_the_log():
        world = Together(0, loop, STEADY, 0.0, EVENT)
        await world.open()
        assert world.queue_log is not None
        world.queue_log.faults = LogFaults()
        request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="ana", session_id="s")
        assert (await world.call(JOIN, request, "ana")).waiting_token
        world.queue_log.faults = LogFaults(fail_before=1.0)
        await world.crash()
        lines = [replica.platform.part(Lines) for replica in world.replicas]
        assert any("cannot be opened yet" in issue for one in lines for issue in one.issues())
        world.queue_log.faults = LogFaults()
        await world.clock.sleep(10)
        assert [(one.issues(), list(one.all())) for one in lines] == [([], [EVENT_ID])] * len(lines)
        await world.close()

    run(start_without_the_log(), loop)


def test_who_has_the_queue_keeps_it_while_another_process_waits_for_it():
    loop = VirtualLoop(random.Random(1))

    async def wait_for_it():
        world = Replicas(0, loop, STEADY, 0.0, EVENT)
        await world.open()
        successor = asyncio.create_task(world.start_another())
        for minute in range(10):
            request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="ana", session_id=f"s{minute}")
            assert (await world.call(JOIN, request, "ana")).waiting_token
            await world.clock.sleep(60)
        assert not successor.done()
        assert {replica.platform.engines.peers.share().processes for replica in world.replicas[:2]} == {2}
        successor.cancel()
        await world.close()

    run(wait_for_it(), loop)


@pytest.mark.parametrize("seed", range(3))
def test_nobody_buys_after_the_end_or_at_a_price_of_which_their_process_has_not_heard(seed):
    loop = VirtualLoop(random.Random(seed))

    async def change_it_unheard():
        world = Replicas(seed, loop, STEADY, 0.0, EVENT)
        await world.open()
        fans = [Fan(world, number) for number in range(8)]
        places = [await fan.join() for fan in fans]
        admissions = []
        for fan, place in zip(fans, places, strict=True):
            await world.clock.sleep(0.5)  # so many a second are let in
            admissions.append(await fan.admit(place))
        assert all(admissions)
        for replica in world.replicas:
            replica.way.deaf_until = replica.clock.now() + DEAF_FOR
        assert (await world.operate(*changed(EVENT.replace("price: 50000", "price: 40000")))).error.message
        assert not (await world.call(CREATE, wanted(fans[0], admissions[0]), fans[0].name)).HasField("error")
        ended = (await world.operate(*changed(ending_now(world)))).error
        assert not ended.message
        late = list(zip(fans, admissions, strict=True))[1:]
        asked = [world.call(CREATE, wanted(fan, admission), fan.name) for fan, admission in late]
        for answer in await asyncio.gather(*asked):
            assert answer.error.code == errors_pb2.ERROR_CODE_FAILED_PRECONDITION, answer
        await world.close()

    def changed(document):
        return CATALOG + "UpdateEvent", catalog_pb2.UpdateEventRequest(
            event_id=EVENT_ID, document=document, reason="simulated"
        )

    def ending_now(world):
        slowest = min(replica.clock.now() for replica in world.replicas)
        return f"sale_end_time: {datetime.fromtimestamp(slowest / SECOND, UTC).isoformat()}\n{EVENT}"

    def wanted(fan, admission):
        return gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID, quantity=1, user_id=fan.name, reservation_token=admission, idempotency_key=fan.name
        )

    run(change_it_unheard(), loop)


def test_the_same_seed_is_the_same_sale():
    assert simulate(102, Replicas).digest == simulate(102, Replicas).digest

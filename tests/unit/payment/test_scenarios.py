"""The simulated bank, measured: a thousand payments of each scenario, through the room, on a virtual clock."""

import asyncio
import random

import pytest

from tests.simulation.loop import LoopClock, VirtualLoop, run
from traffic_tacos.engines.jobs import StoreJobs
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.kernel.topics import EXPIRE_PAYMENT, SIMULATE_OUTCOME
from traffic_tacos.ports.amounts import AmountDue
from traffic_tacos.rooms.payment.model import INTENT_LIFETIME, Scenario
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.payment.service import Create, Payments, Process

COUNT = 1000
PRICE = Money(1000, "KRW")
CALL = Call(Caller(Role.SERVICE, "tester"), "t")


class EveryReservation:
    """Costs the price, whichever it is."""

    async def of(self, reservation_id, user_id, call):
        return AmountDue((), lambda _: PRICE)


async def measured(loop, scenario):
    clock = LoopClock(loop)
    store = MemoryStore()
    jobs = StoreJobs(store, clock, random.Random(1))
    store.on_commit = jobs.committed
    payments = Payments(store, clock, random.Random(1), EveryReservation, 1.0, (), jobs, "")
    working = asyncio.create_task(jobs.run({SIMULATE_OUTCOME: payments.answer, EXPIRE_PAYMENT: payments.expire}))
    began = {}
    for number in range(COUNT):
        create = Create(f"rsv_{number}", PRICE, "ana", 1, scenario, "https://shop.example/hook", f"c{number}")
        intent = await payments.create(create, CALL)
        await payments.process(Process(intent.id, 0, "", f"p{number}"), None, CALL)
        began[intent.id] = clock.now()
        await clock.sleep(0.05)
    await clock.sleep(INTENT_LIFETIME / SECOND + 60)
    working.cancel()
    ended = [payment for _, payment in store.all(PAYMENT)]
    assert len(ended) == COUNT
    return [(payment.status, (payment.updated_at - began[payment.id]) / SECOND) for payment in ended]


@pytest.mark.parametrize(
    ("scenario", "low", "high", "approved"),
    [
        (Scenario.APPROVE, 2, 5, (1.0, 1.0)),
        (Scenario.FAIL, 1, 3, (0.0, 0.0)),
        (Scenario.DELAY, 10, 30, (1.0, 1.0)),
        (Scenario.RANDOM, 2, 5, (0.67, 0.73)),
        (Scenario.TIMEOUT, 600, 601, (0.0, 0.0)),
    ],
)
def test_a_thousand_payments_of_a_scenario_take_its_times_and_end_as_it_says(scenario, low, high, approved):
    loop = VirtualLoop(random.Random(1))
    ended = run(measured(loop, scenario), loop)
    seconds = [took for _, took in ended]
    assert low <= min(seconds)
    assert max(seconds) <= high + 0.01  # a millisecond's rounding
    if high - low > 1:  # over the whole range, not in one place of it
        assert max(seconds) - min(seconds) > 0.9 * (high - low)
    share = sum(status is PaymentStatus.COMPLETED for status, _ in ended) / COUNT
    assert approved[0] <= share <= approved[1]
    if scenario is Scenario.TIMEOUT:
        assert {status for status, _ in ended} == {PaymentStatus.EXPIRED}

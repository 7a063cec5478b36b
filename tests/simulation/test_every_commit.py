"""A crash after every commit of a purchase, one after the other, and a fan who comes back or does not: it ends in a
ticket, or in no charge.
"""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, PAYMENT, on_platform
from tests.simulation.races import Stage, at_rest, outcome
from tests.simulation.world import Unreachable
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.rooms.payment.records import PAYMENT as PAYMENTS

COMMITS_MAX = 60


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_purchase_that_a_crash_cuts_off_ends_in_a_ticket_or_in_no_charge(comes_back):
    seen = set()
    for commit in range(1, COMMITS_MAX):
        ended = _ended(commit, comes_back)
        if ended == "was over":
            assert commit > 15
            assert seen == ({"CONFIRMED COMPLETED"} if comes_back else EITHER)
            return
        seen.add(ended)
        assert ended in EITHER, (commit, ended)
    raise AssertionError("a purchase has no end")


EITHER = {"none", "EXPIRED", "EXPIRED CANCELLED", "CONFIRMED COMPLETED"}


def _ended(commit: int, comes_back: bool) -> str:
    endings = []

    @on_platform
    async def on_desk(desk):
        stage = Stage(desk)
        began = desk.commits

        async def crashing():
            await desk.commits_reach(began + commit)
            await desk.crash()

        falling = asyncio.ensure_future(crashing())
        try:
            await _purchase(stage, desk, once=not comes_back)
        except Unreachable:
            pass
        await asyncio.wait({falling}, timeout=30)
        if not falling.done():
            falling.cancel()
            endings.append("was over")
            return
        await at_rest(stage)
        await desk.clock.sleep(600)  # intents that nobody ever paid have ended too
        stage.intents = [one.id for _, one in desk.records().all(PAYMENTS)]
        endings.append(outcome(stage))
        assert desk.jobs() == []

    on_desk()
    return endings[0]


async def _purchase(stage: Stage, desk, once: bool) -> None:
    """From the line to the bank. `once`: who gets no answer never comes back."""
    if once:
        stage.surely = lambda path, request, caller: desk.call(path, request, caller.name)  # type: ignore[method-assign]
    fan = Caller(Role.FAN, "ana")
    held = await stage.reserve("ana")
    stage.held = held
    intent = gateway_pb2.CreatePaymentIntentRequest(
        reservation_id=held.reservation_id,
        amount=held.total_amount,
        user_id="ana",
        method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
        scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
        idempotency_key="intent",
    )
    made = await stage.surely(GATEWAY + "CreatePaymentIntent", intent, fan)
    process = payment_pb2.ProcessPaymentRequest(payment_intent_id=made.payment_intent_id, idempotency_key="process")
    await stage.surely(PAYMENT + "ProcessPayment", process, fan)

"""A payment has one job: its expiry, then the bank's answer, then a look at what became of it."""

import msgspec
import pytest

from tests.rpc.desk import PAYMENT, code, on_platform
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.topics import EXPIRE_PAYMENT, SETTLE_PAYMENT_RESULT, SIMULATE_OUTCOME
from traffic_tacos.ports.payments import payment_job_id
from traffic_tacos.ports.store import JOB, Decision, drop_job
from traffic_tacos.rooms.payment.model import INTENT_LIFETIME
from traffic_tacos.rooms.payment.records import PAYMENT as PAYMENTS

ALONE = frozenset({"worker", "webhook"})  # a payment is left to itself
APPROVE, TIMEOUT = payment_pb2.PAYMENT_SCENARIO_APPROVE, payment_pb2.PAYMENT_SCENARIO_TIMEOUT
PROCESSING, COMPLETED, EXPIRED = (
    payment_pb2.PAYMENT_STATUS_PROCESSING,
    payment_pb2.PAYMENT_STATUS_COMPLETED,
    payment_pb2.PAYMENT_STATUS_EXPIRED,
)
LIFETIME_SECONDS = INTENT_LIFETIME / SECOND


def job_of(desk, intent):
    """The topic of the payment's one job."""
    jobs = [job for _, job in desk.records().all(JOB) if job.payload.get("payment_intent_id") == intent]
    assert [job.id for job in jobs] == [payment_job_id(intent)]
    return jobs[0].topic


async def simulated(desk, intent, delay_seconds):
    request = payment_pb2.SimulateWebhookRequest(
        payment_intent_id=intent, target_status=COMPLETED, delay_seconds=delay_seconds
    )
    assert code(await desk.as_service(PAYMENT + "SimulateWebhook", request)) == ""


@on_platform(without=ALONE)
async def test_each_step_of_a_payment_takes_the_place_of_the_one_before(desk):
    intent = (await desk.intent("ana", await desk.held("ana"))).payment_intent_id
    assert job_of(desk, intent) == EXPIRE_PAYMENT
    process = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent, idempotency_key=desk.key())
    await desk.as_fan(PAYMENT + "ProcessPayment", process, "ana")
    assert job_of(desk, intent) == SIMULATE_OUTCOME
    await desk.clock.sleep(6)
    assert (await desk.payment(intent)).status == COMPLETED
    assert job_of(desk, intent) == SETTLE_PAYMENT_RESULT


@on_platform(without=ALONE)
async def test_a_payment_that_is_never_answered_keeps_its_expiry(desk):
    intent = await desk.pay("ana", await desk.held("ana"), TIMEOUT)
    assert job_of(desk, intent) == EXPIRE_PAYMENT
    await desk.clock.sleep(LIFETIME_SECONDS + 1)
    assert (await desk.payment(intent)).status == EXPIRED
    assert job_of(desk, intent) == SETTLE_PAYMENT_RESULT


@pytest.mark.parametrize("scenario", [APPROVE, TIMEOUT], ids=["instead of an answer", "instead of none"])
@on_platform(without=ALONE)
async def test_an_answer_that_would_come_after_the_expiry_leaves_the_expiry(desk, scenario):
    intent = await desk.pay("ana", await desk.held("ana"), scenario)
    await simulated(desk, intent, delay_seconds=int(LIFETIME_SECONDS) + 60)
    assert job_of(desk, intent) == EXPIRE_PAYMENT
    await desk.clock.sleep(LIFETIME_SECONDS - 2)
    assert (await desk.payment(intent)).status == PROCESSING
    await desk.clock.sleep(200)
    assert (await desk.payment(intent)).status == EXPIRED


@on_platform(without=ALONE)
async def test_an_answer_of_somebodys_choice_takes_the_place_of_the_banks(desk):
    intent = await desk.pay("ana", await desk.held("ana"))
    await simulated(desk, intent, delay_seconds=300)
    await desk.clock.sleep(290)
    assert (job_of(desk, intent), (await desk.payment(intent)).status) == (SIMULATE_OUTCOME, PROCESSING)
    await desk.clock.sleep(20)
    assert (await desk.payment(intent)).status == COMPLETED


@pytest.mark.parametrize("down_seconds", [30, LIFETIME_SECONDS + 60])
@on_platform(without=ALONE)
async def test_an_answer_that_is_due_while_nobody_runs_is_given_afterwards(desk, down_seconds):
    intent = await desk.pay("ana", await desk.held("ana"))
    await desk.crash(down_seconds, without=ALONE)
    await desk.clock.sleep(1)
    assert ((await desk.payment(intent)).status, job_of(desk, intent)) == (COMPLETED, SETTLE_PAYMENT_RESULT)


@on_platform(without=ALONE)
async def test_an_answer_that_fails_again_and_again_ends_with_the_expiry(desk):
    intent = await desk.pay("ana", await desk.held("ana"))
    [bank] = [job for _, job in desk.records().all(JOB) if job.topic == SIMULATE_OUTCOME]
    unknown = msgspec.structs.replace(bank, payload={**bank.payload, "reason": "of another version"})
    await desk.memory.transact((), lambda _: Decision(None, jobs=(unknown,)))
    await desk.clock.sleep(LIFETIME_SECONDS - 2)
    assert (await desk.payment(intent)).status == PROCESSING
    await desk.clock.sleep(500)  # the longest pause between two attempts
    assert (await desk.payment(intent)).status == EXPIRED


@on_platform
async def test_jobs_under_the_ids_of_version_0_1_0_run_to_a_harmless_end(desk):
    """It named each job of a payment by its topic. They stay where they are, and find nothing to do."""
    held = await desk.held("ana")
    intent = (await desk.intent("ana", held)).payment_intent_id
    [expiry] = [job for _, job in desk.records().all(JOB) if job.topic == EXPIRE_PAYMENT]
    olds = [
        msgspec.structs.replace(expiry, id=f"{topic}:{intent}", topic=topic, due_at=due_at)
        for topic, due_at in ((EXPIRE_PAYMENT, expiry.due_at), (SETTLE_PAYMENT_RESULT, expiry.due_at + 1))
    ]
    await desk.memory.transact((), lambda _: Decision(None, (drop_job(expiry.id),), olds))
    process = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent, idempotency_key=desk.key())
    await desk.as_fan(PAYMENT + "ProcessPayment", process, "ana")
    await desk.clock.sleep(LIFETIME_SECONDS + 60)
    assert desk.jobs() == []
    payment = await desk.store.get(PAYMENTS.key(intent))
    assert (payment.status.value, payment.refunded) == (COMPLETED, 0)
    assert (await desk.reservation(held.reservation_id)).payment_intent_id == intent

"""Jobs on SQS and events on EventBridge, as an emulator has them, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack

import msgspec
import pytest

from tests.conformance.runners import OnAws, working
from tests.e2e.process import GATEWAY, PAYMENT, QUEUE, Shopper, UpProcess
from traffic_tacos.engines.aws_wire import aws_api
from traffic_tacos.engines.dynamodb_tables import TABLES
from traffic_tacos.engines.sqs_queues import QUEUES, VISIBLE_AGAIN_SECONDS
from traffic_tacos.ports.store import Job

PREFIX, BUS = "sale-", "sale"
ON_AWS = ("--dynamodb", PREFIX, "--sqs", PREFIX, "--event-bus", BUS)
EVENT = "evt_hundred"
NOTICED_SECONDS = 10


@pytest.fixture
def in_environment(aws, monkeypatch):
    for name, value in aws.items():
        monkeypatch.setenv(name, value)


@pytest.mark.long
async def test_what_a_worker_was_doing_when_it_was_killed_is_done_by_another_within_its_visibility(in_environment):
    async def do(job):
        done[job.id] = time.monotonic()

    done, hanging = {}, set()
    async with AsyncExitStack() as stack:
        bench = OnAws(stack, "killed-")
        now = bench.clock.now()
        jobs = [Job("of a group", "t", now, group="x"), Job("of none", "crowd", now)]
        first = await bench.process()
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.hanging", "killed-"], stdout=subprocess.PIPE, env=os.environ
        )
        try:
            sending = asyncio.create_task(first.runner.run({}))
            await first.put(*jobs)
            began = {job.id for job in jobs}
            while begun := began - hanging:
                line = (await asyncio.to_thread(worker.stdout.readline)).decode().strip()
                assert line, f"it ended, and had not begun {begun}"
                hanging.add(line)
        finally:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        killed_at = time.monotonic()
        sending.cancel()
        async with working(bench, {"t": do, "crowd": do}):
            await bench.until_done(*began, seconds=VISIBLE_AGAIN_SECONDS + NOTICED_SECONDS)
    assert set(done) == began
    assert max(done.values()) - killed_at < VISIBLE_AGAIN_SECONDS + NOTICED_SECONDS


@pytest.fixture
def processes(tmp_path, aws):
    """The first has all services, the second all but the queue's."""
    first = UpProcess(tmp_path / "first", "--event", "tests/e2e/hundred.yaml", *ON_AWS, "--time-scale", "100")
    first.environment = aws
    made = first.tacos("aws", "create", *ON_AWS)
    assert made.returncode == 0, made.stderr
    assert {f"{PREFIX}{queue}: created" for queue in QUEUES} | {f"{BUS}: created"} <= set(made.stdout.splitlines())
    first.start()
    elsewhere = ("--elsewhere", f"waiting_room={first.grpc}", "--keys-of", str(first.data))
    second = UpProcess(tmp_path / "second", *ON_AWS, "--time-scale", "100", *elsewhere)
    second.environment = aws
    second.start()
    yield first, second
    for process in (first, second):
        process.ensure_stopped()


def test_a_purchase_of_two_processes_is_heard_of_by_a_rule_of_the_bus(processes, in_environment):
    first, second = processes
    heard_at = asyncio.run(_rule())
    at = {QUEUE: first.client(), GATEWAY: second.client(), PAYMENT: second.client()}
    ana = Shopper(
        lambda service, *rest: at[service](service, *rest, timeout=20), first.token("user", "ana"), "ana", EVENT
    )
    ana.join()
    ana.wait_for_turn()
    ana.be_admitted()
    held = ana.reserve()
    assert not held.HasField("error"), held.error
    ana.pay()
    assert ana.own().order_id
    heard = asyncio.run(_heard(heard_at))
    assert (heard["source"], heard["detail-type"]) == ("traffic-tacos", "reservation.changed")
    assert heard["detail"]["reservation_id"] == held.reservation_id and heard["detail"]["id"]
    asked = {"include_dependencies": True}
    health = first.client()("common.v1.AdminService", "GetSystemHealth", asked, first.token("admin", "op"))
    shown = {part.name: part for part in health.dependencies}
    assert {BUS, *(PREFIX + queue for queue in QUEUES), *(PREFIX + table for table in TABLES)} <= set(shown)
    assert "waiting" in shown[f"{PREFIX}reservation-worker"].endpoint
    verified = first.tacos("verify", "--dynamodb", PREFIX)
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def _rule() -> str:
    """A queue that a rule sends confirmed reservations to."""
    async with aws_api("sqs", "eu-central-1") as sqs, aws_api("events", "eu-central-1") as events:
        url = (await sqs("CreateQueue", {"QueueName": "heard"}))["QueueUrl"]
        asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
        arn = (await sqs("GetQueueAttributes", asked))["Attributes"]["QueueArn"]
        pattern = {"detail-type": ["reservation.changed"], "detail": {"new": ["CONFIRMED"]}}
        rule = {"Name": "confirmed", "EventBusName": BUS, "EventPattern": msgspec.json.encode(pattern).decode()}
        await events("PutRule", rule)
        target = {"Rule": "confirmed", "EventBusName": BUS, "Targets": [{"Id": "1", "Arn": arn}]}
        await events("PutTargets", target)
        return str(url)


async def _heard(url: str) -> dict:
    async with aws_api("sqs", "eu-central-1") as sqs:
        answer = await sqs("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 10})
    [message] = answer["Messages"]
    return msgspec.json.decode(message["Body"])

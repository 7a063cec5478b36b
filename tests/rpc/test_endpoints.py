"""Webhooks out: whoever hangs, fails or goes away keeps nobody else waiting, and nothing is lost."""

import asyncio
import base64
import json
from collections import Counter, defaultdict

import pytest

from tests.rpc.desk import PAYMENT, WORKER, code, on_platform
from traffic_tacos.gen.gateway.v1 import webhook_pb2 as pb
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2, worker_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.gen.tacos.simulation.v1 import simulation_pb2
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as own
from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.domain_events import PaymentChanged
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import DAY, HOUR, SECOND
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.kernel.topics import SEND_WEBHOOK
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.ports.store import JOB
from traffic_tacos.rooms.payment.records import PAYMENT as PAYMENTS
from traffic_tacos.rooms.webhook.endpoints import Endpoints
from traffic_tacos.rooms.webhook.records import ENDPOINT

SERVICE = "gateway.v1.WebhookService/"
ENDPOINTS = "tacos.webhook.v1.EndpointService/"
APPROVED, FAILED, EXPIRED = (
    pb.WEBHOOK_EVENT_TYPE_PAYMENT_APPROVED,
    pb.WEBHOOK_EVENT_TYPE_PAYMENT_FAILED,
    pb.WEBHOOK_EVENT_TYPE_RESERVATION_EXPIRED,
)


def secret(letter: str) -> str:
    return "whsec_" + base64.b64encode(letter.encode() * 32).decode()


class Receiver:
    """A server that hears webhooks, and answers as it is told."""

    def __init__(self, desk, name: str, *answers: HttpAnswer | None) -> None:
        self.desk, self.name = desk, name
        self.answers = list(answers)  # then 200; None hangs
        self.heard: list[tuple[int, dict[str, str], bytes]] = []
        self.url = f"https://{name}.example/hook"
        desk.servers[self.url] = self.take

    async def take(self, headers, body):
        self.heard.append((self.desk.clock.now(), headers, body))
        answer = self.answers.pop(0) if self.answers else HttpAnswer(200)
        if answer is None:
            await asyncio.sleep(DAY)
        return answer

    def register(self, *types, key=None, caller="tester", **config):
        request = pb.RegisterWebhookRequest(
            service_name=self.name,
            endpoint_url=self.url,
            event_types=types or (APPROVED,),
            secret=key or secret(self.name[0]),
            config=pb.WebhookConfig(**config),
        )
        return self.desk.ask(SERVICE + "RegisterWebhook", request, self.desk.token(Role.SERVICE, caller))

    def told(self):
        return [json.loads(body) for _, _, body in self.heard]


async def listed(desk):
    found = (await desk.as_service(ENDPOINTS + "ListEndpoints", own.ListEndpointsRequest())).endpoints
    return {one.service_name or one.endpoint_id: one for one in found}


async def sale(desk, count):
    """So many payments, set going."""
    for _ in range(count):
        fan = f"fan-{desk.key()}"
        await desk.pay(fan, await desk.held(fan, 1))


@on_platform
async def test_endpoints_hear_of_what_they_asked_for_signed_with_their_own_secret(desk):
    desk.checks_every_commit = False
    wants = Receiver(desk, "ann")
    other = Receiver(desk, "bob")
    first = await wants.register(APPROVED, EXPIRED, headers={"x-tenant": "7"})
    assert (first.registered, code(first)) == (True, "")
    await other.register(FAILED)
    held = await desk.held("ana", 1)
    intent = await desk.pay("ana", held)
    await desk.held("ben", 1)
    await desk.clock.sleep(70)
    approved, expired = wants.told()
    assert approved["type"] == "payment.approved"
    assert approved["data"]["payment_intent_id"] == intent
    assert (expired["type"], expired["data"]["user_id"]) == ("reservation.expired", "ben")
    assert other.told() == []
    _, headers, body = wants.heard[0]
    assert (headers["x-tenant"], headers["webhook-attempt"]) == ("7", "1")
    assert headers["webhook-id"].startswith(first.webhook_id)
    seconds = int(headers["webhook-timestamp"])
    for keys, is_good in ((secret("a"), True), (secret("b"), False)):
        given = headers["webhook-signature"].split()
        assert signatures.is_signed((keys,), headers["webhook-id"], seconds, body, given) is is_good
    assert (await listed(desk))["ann"].delivered == 2


@on_platform
async def test_an_event_that_is_delivered_again_puts_no_job_anew(desk):
    """After a crash an event is delivered again: what has been tried stays tried, until its next attempt is due."""
    desk.checks_every_commit = False
    receiver = Receiver(desk, "ann", *[HttpAnswer(500)] * 4)
    await receiver.register(APPROVED)
    intent = await desk.pay("ana", await desk.held("ana", 1))
    await desk.clock.sleep(12)
    [waiting] = [job for _, job in desk.records().all(JOB) if job.topic == SEND_WEBHOOK]
    assert waiting.attempts
    payment = next(one for _, one in desk.records().all(PAYMENTS) if one.id == intent)
    event = PaymentChanged(
        payment.id, payment.reservation_id, "ana", PaymentStatus.PROCESSING, payment.status, payment.updated_at
    )
    await desk.platform.part(Endpoints).handle(event)
    assert [job for _, job in desk.records().all(JOB) if job.topic == SEND_WEBHOOK] == [waiting]


@on_platform
async def test_a_new_secret_signs_beside_the_old_one_for_a_day(desk):
    desk.checks_every_commit = False
    receiver = Receiver(desk, "ann")
    await receiver.register(key=secret("a"))
    again = await receiver.register(key=secret("n"))
    stranger = await receiver.register(key=secret("s"), caller="stranger")
    assert (again.registered, code(stranger)) == (True, "FORBIDDEN")
    await sale(desk, 1)
    await desk.clock.sleep(10)
    _, headers, body = receiver.heard[-1]
    seconds, given = int(headers["webhook-timestamp"]), headers["webhook-signature"].split()
    for letter, is_good in (("a", True), ("n", True), ("s", False)):
        assert signatures.is_signed((secret(letter),), headers["webhook-id"], seconds, body, given) is is_good
    [endpoint] = [one for _, one in desk.records().all(ENDPOINT)]
    assert endpoint.signing(desk.clock.now() + DAY) == (secret("n"),)


@on_platform
async def test_slow_failing_and_gone_endpoints_keep_nobody_waiting_and_lose_nothing(desk):
    desk.checks_every_commit = False
    healthy = Receiver(desk, "healthy")
    hanging = Receiver(desk, "hangs", *[None] * 6)
    failing = Receiver(desk, "fails", *[HttpAnswer(500, said="out of order")] * 5)
    gone = Receiver(desk, "gone", HttpAnswer(410))
    for receiver in (healthy, hanging, failing, gone):
        await receiver.register()
    await sale(desk, 12)
    while len(healthy.heard) < 12:
        await desk.clock.sleep(1)
    answered = {payment.id: payment.updated_at for _, payment in desk.records().all(PAYMENTS)}
    late = [
        at - answered[told["data"]["payment_intent_id"]]
        for (at, _, _), told in zip(healthy.heard, healthy.told(), strict=True)
    ]
    assert max(late) <= 100  # milliseconds, while the others hang and fail
    shown = await listed(desk)
    assert "410" in shown["gone"].last_error
    assert shown["gone"].HasField("gone_at")
    assert (shown["fails"].failures, "out of order" in shown["fails"].last_error) == (5, True)
    await desk.clock.sleep(1800)
    for receiver in (hanging, failing):
        told = Counter(one["data"]["payment_intent_id"] for one in receiver.told())
        assert set(told) == set(answered)  # all of them, at last
        by_message = defaultdict(set)
        for _, headers, body in receiver.heard:
            by_message[headers["webhook-id"]].add(body)
        assert all(len(bodies) == 1 for bodies in by_message.values())  # the same over all attempts
    attempts = [int(headers["webhook-attempt"]) for _, headers, _ in failing.heard]
    assert max(attempts) >= 2
    assert len(gone.heard) < 12
    dead = await desk.ask(
        "tacos.operations.v1.OperationsService/ListDeadJobs",
        operations_pb2.ListDeadJobsRequest(),
        desk.token(Role.ADMIN, "op"),
    )
    assert len(dead.jobs) == 12  # whoever is gone: nothing vanishes
    assert (await listed(desk))["gone"].dead == 12
    assert await gone.register()  # it is back
    for job in dead.jobs:
        await desk.ask(
            "tacos.operations.v1.OperationsService/ReplayDeadJob",
            operations_pb2.ReplayDeadJobRequest(job_id=job.job_id),
            desk.token(Role.ADMIN, "op"),
        )
    await desk.clock.sleep(60)
    assert {one["data"]["payment_intent_id"] for one in gone.told()} == set(answered)


@on_platform
async def test_a_broken_endpoint_is_left_in_peace_and_asked_now_and_then(desk):
    desk.checks_every_commit = False
    broken = Receiver(desk, "broken", *[HttpAnswer(500)] * 40)
    await broken.register()
    await sale(desk, 10)
    await desk.clock.sleep(600)
    times = [at for at, _, _ in broken.heard]
    assert len(times) <= 5 + 7 + 8  # those under way when it opened, then one every pause
    shown = (await listed(desk))["broken"]
    assert (shown.waiting, shown.HasField("open_until")) == (10, True)


@on_platform
async def test_what_was_registered_survives_a_restart_and_is_removed_by_its_owner_only(desk):
    desk.checks_every_commit = False
    receiver = Receiver(desk, "ann")
    endpoint = await receiver.register()
    await desk.crash()
    await sale(desk, 1)
    await desk.clock.sleep(10)
    assert len(receiver.heard) == 1
    request = own.RemoveEndpointRequest(endpoint_id=endpoint.webhook_id)
    stranger = await desk.ask(ENDPOINTS + "RemoveEndpoint", request, desk.token(Role.SERVICE, "stranger"))
    assert code(stranger) == "NOT_FOUND"
    assert code(await desk.as_service(ENDPOINTS + "RemoveEndpoint", request)) == ""
    await sale(desk, 1)
    await desk.clock.sleep(10)
    assert len(receiver.heard) == 1
    assert "ann" not in await listed(desk)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"service_name": ""}, "service_name"),
        ({"endpoint_url": "ftp://x.example"}, "endpoint_url"),
        ({"endpoint_url": "http://10.0.0.7/hook"}, "endpoint_url"),
        ({"endpoint_url": "http://169.254.169.254/latest"}, "endpoint_url"),
        ({"endpoint_url": "http://[::ffff:192.168.1.1]/"}, "endpoint_url"),
        ({"endpoint_url": "http://[64:ff9b::a00:1]/"}, "endpoint_url"),
        ({"endpoint_url": "https://ann:pw@x.example/"}, "endpoint_url"),
        ({"endpoint_url": "https://x.example/" + "a" * 2000}, "endpoint_url"),
        ({"event_types": [0]}, "event_types"),
        ({"event_types": [99]}, "event_types"),
        ({"event_types": []}, "event_types"),
        ({"secret": ""}, "secret"),
        ({"secret": "whsec_c2hvcnQ="}, "secret"),
        ({"secret": "whsec_!!"}, "secret"),
        ({"secret": "whsec_" + "é" * 44}, "secret"),
        ({"config": pb.WebhookConfig(retry_count=-1)}, "config.retry_count"),
        ({"config": pb.WebhookConfig(timeout_seconds=31)}, "config.timeout_seconds"),
        ({"config": pb.WebhookConfig(content_type="text/xml")}, "config.content_type"),
        ({"config": pb.WebhookConfig(headers={"webhook-id": "x"})}, "config.headers"),
        ({"config": pb.WebhookConfig(headers={"x-a": "b\r\nhost: c"})}, "config.headers"),
    ],
)
def test_a_wrong_registration_is_refused_with_its_field(change, field):
    @on_platform
    async def on_desk(desk):
        good = {
            "service_name": "ann",
            "endpoint_url": "https://x.example/hook",
            "event_types": [APPROVED],
            "secret": secret("a"),
        }
        request = pb.RegisterWebhookRequest(**{**good, **change})
        refused = await desk.as_service(SERVICE + "RegisterWebhook", request)
        assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", field)
        assert secret("a") not in str(refused)

    on_desk()


@on_platform
async def test_a_webhook_is_validated_and_what_is_wrong_with_it_is_said(desk):
    now = desk.clock.now() // SECOND
    body = '{"type":"payment.approved"}'
    right = signatures.sign_all(desk.keys.webhook, "msg_1", now, body.encode())

    async def verdict(payload=body, signature=right, webhook_id="msg_1"):
        request = pb.ValidateWebhookRequest(payload=payload, signature=signature, webhook_id=webhook_id)
        answer = await desk.as_service(SERVICE + "ValidateWebhook", request)
        return answer.valid, answer.reason

    assert await verdict() == (True, "")
    assert await verdict(signature=f"t={now} {right}") == (True, "")
    assert await verdict(signature=f"v1,AAAA {right}") == (True, "")
    for wrong, says in (
        ({"payload": body + " "}, "another id or body"),
        ({"webhook_id": "msg_2"}, "another id or body"),
        ({"signature": "v1,AAAA"}, "another id or body"),
        ({"signature": "v2,AAAA"}, "starts with `v1,`"),
        ({"signature": ""}, "starts with `v1,`"),
        ({"signature": f"t={now - 301} {right}"}, "within 300 seconds of now; it is 301 seconds ago"),
        ({"signature": f"t={now + 301} {right}"}, "it is 301 seconds ahead"),
        ({"signature": f"t={now + 1} {right}"}, "of another id, time or body"),
        ({"signature": f"t=soon {right}"}, "whole seconds since 1970"),
    ):
        valid, reason = await verdict(**wrong)
        assert (valid, says in reason) == (False, True), (wrong, reason)
    await desk.clock.sleep(302)
    assert (await verdict())[0] is False
    receiver = Receiver(desk, "ann")
    await receiver.register()
    await sale(desk, 1)
    await desk.clock.sleep(10)
    _, headers, sent = receiver.heard[0]
    assert (await verdict(sent.decode(), headers["webhook-signature"], headers["webhook-id"]))[0] is True


@on_platform
async def test_an_expiry_webhook_makes_us_look_and_its_repeat_answers_the_same(desk):
    held = await desk.held("ana", 1)
    request = pb.ExpiryWebhookRequest(webhook_id="wh_1", reservation_id=held.reservation_id, source="tester")
    first = await desk.as_service(SERVICE + "ReceiveExpiryWebhook", request)
    assert first.accepted
    assert (await desk.as_service(SERVICE + "ReceiveExpiryWebhook", request)).SerializeToString() == (
        first.SerializeToString()
    )
    await desk.clock.sleep(5)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_PENDING
    await desk.clock.sleep(70)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_EXPIRED
    request.source = "somebody-else"
    assert code(await desk.as_service(SERVICE + "ReceiveExpiryWebhook", request)) == "UNAUTHENTICATED"
    assert code(await desk.ask(SERVICE + "ReceiveExpiryWebhook", request)) == "UNAUTHENTICATED"


@on_platform
async def test_results_of_somebodys_choice_are_told_now_or_later_and_untrue_ones_change_nothing(desk):
    async def simulate(intent, status, delay=0, force=False):
        request = payment_pb2.SimulateWebhookRequest(
            payment_intent_id=intent, target_status=status, delay_seconds=delay, force_trigger=force
        )
        return await desk.as_service(PAYMENT + "SimulateWebhook", request)

    completed, failed = payment_pb2.PAYMENT_STATUS_COMPLETED, payment_pb2.PAYMENT_STATUS_FAILED
    held = await desk.held("ana", 1)
    intent = await desk.pay("ana", held, payment_pb2.PAYMENT_SCENARIO_TIMEOUT)
    later = await simulate(intent, completed, delay=8)
    assert (later.webhook_sent, code(later)) == (False, "")
    await desk.clock.sleep(6)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_PROCESSING
    await desk.clock.sleep(4)
    assert (await desk.payment(intent)).status == completed
    assert (await desk.reservation(held.reservation_id)).order_id
    again = await simulate(intent, completed)
    assert (again.webhook_sent, again.webhook_id) == (True, later.webhook_id)
    refused = await simulate(intent, failed)
    assert (code(refused), "force_trigger" in refused.error.message) == ("FAILED_PRECONDITION", True)
    forced = await simulate(intent, failed, force=True)
    assert forced.webhook_sent
    await desk.clock.sleep(10)
    assert (await desk.payment(intent)).status == completed  # a late "failed" never overturns "completed"
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
    for wrong in ((intent, 0), (intent, payment_pb2.PAYMENT_STATUS_PENDING), (intent, 99)):
        assert code(await simulate(*wrong)) == "INVALID_ARGUMENT"
    assert code(await simulate(intent, completed, delay=-1)) == "INVALID_ARGUMENT"
    assert code(await simulate("pi_none", completed)) == "NOT_FOUND"


@on_platform
async def test_wrong_webhooks_are_wrong_as_asked_and_refused_by_us(desk):
    receiver = Receiver(desk, "shop")
    held = await desk.held("ana", 1)
    create = payment_pb2.CreatePaymentIntentRequest(
        reservation_id=held.reservation_id,
        amount=held.total_amount,
        user_id="ana",
        method=1,
        scenario=payment_pb2.PAYMENT_SCENARIO_TIMEOUT,
        webhook_url=receiver.url,
        idempotency_key="k",
    )
    intent = (await desk.as_service(PAYMENT + "CreatePaymentIntent", create)).payment_intent_id
    verdicts = {}
    for wrong in simulation_pb2.Wrong.values()[1:]:
        request = simulation_pb2.SendWrongWebhookRequest(
            payment_intent_id=intent, claimed_status=payment_pb2.PAYMENT_STATUS_COMPLETED, wrong=wrong
        )
        answer = await desk.as_service("tacos.simulation.v1.SimulationService/SendWrongWebhook", request)
        assert code(answer) == ""
        await desk.clock.sleep(2)
        mine = [one for one in receiver.heard if one[1]["webhook-id"] == answer.webhook_id]
        try:
            for _, headers, body in mine:
                seconds = int(headers["webhook-timestamp"])
                given = headers["webhook-signature"]
                signatures.verify(desk.keys.webhook, answer.webhook_id, seconds, body, given, desk.clock.now())
            verdicts[wrong] = f"good, {len(mine)} times"
        except Refusal as refusal:
            verdicts[wrong] = refusal.message.partition(":")[0]
    assert verdicts == {1: "signature", 2: "timestamp", 3: "good, 2 times"}
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_PENDING
    unknown = simulation_pb2.SendWrongWebhookRequest(payment_intent_id=intent, claimed_status=3)
    assert code(await desk.as_service("tacos.simulation.v1.SimulationService/SendWrongWebhook", unknown)) == (
        "INVALID_ARGUMENT"
    )


@on_platform
async def test_who_learns_of_a_payment_twice_or_out_of_order_does_the_same_once(desk):
    """A result told by the worker after the webhook has been: the order stays the one it is."""
    held = await desk.held("ana", 1)
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(10)
    order = (await desk.reservation(held.reservation_id)).order_id
    request = worker_pb2.ProcessPaymentRequest(
        reservation_id=held.reservation_id,
        payment_intent_id=intent,
        result_type=worker_pb2.PAYMENT_RESULT_TYPE_FAILED,
    )
    await desk.as_service(WORKER + "ProcessPaymentResult", request)
    assert (await desk.reservation(held.reservation_id)).order_id == order


ABSURD = (
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    "Mon, 32 Foo 2027 99:99:99 +9999",
    "9" * 5000,
    "-1",
    "²",
    "nan",
    "1e9",
    "Mon, " * 100,
)
LOOKED_AT_EVERY = HOUR // 6


@on_platform
async def test_whatever_retry_after_says_attempts_are_counted_and_end(desk):
    """Dates that are none once raised on the way to the count, and an endpoint's own was never reached."""
    desk.checks_every_commit = False
    receivers = {
        said: Receiver(desk, f"ann{number}", *[HttpAnswer(503, said)] * 30) for number, said in enumerate(ABSURD)
    }
    for receiver in receivers.values():
        await receiver.register(retry_count=1)
    await sale(desk, 1)
    for _ in range(2 * DAY // LOOKED_AT_EVERY):  # most are given up within minutes, and a virtual day takes a while
        await desk.clock.sleep(LOOKED_AT_EVERY / SECOND)
        found = await listed(desk)
        if all(found[receiver.name].dead for receiver in receivers.values()):
            break
    for said, receiver in receivers.items():
        assert [headers["webhook-attempt"] for _, headers, _ in receiver.heard] == ["1", "2"], said
        assert found[receiver.name].dead == 1, said

"""Payment results over gRPC, the worker's calls, health, and what an operator asks."""

import asyncio

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.rpc.desk import GATEWAY, QUEUE, WORKER, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.engines.faulty import Faults
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, webhook_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import worker_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.ports.webhooks import PAYMENT_SOURCE
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.records import ORDER
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.webhook.records import RECEIPT

COUNT_SEATS = "/tacos.inventory.v1.HoldService/CountSeats"

WEBHOOK = "gateway.v1.WebhookService/ReceivePaymentWebhook"
CATALOG = "tacos.catalog.v1.CatalogService/"


def webhook(desk, held, intent, webhook_id="wh_1"):
    seconds = desk.clock.now() // SECOND
    data = webhook_pb2.PaymentWebhookData(
        payment_intent_id=intent, reservation_id=held.reservation_id, metadata={"b": "2", "a": "1"}
    )
    signed = data.SerializeToString(deterministic=True)
    return webhook_pb2.PaymentWebhookRequest(
        webhook_id=webhook_id,
        event_type=webhook_pb2.PAYMENT_WEBHOOK_TYPE_APPROVED,
        data=data,
        timestamp=Timestamp(seconds=seconds),
        signature=signatures.sign_all(desk.keys.webhook, webhook_id, seconds, signed),
        source=PAYMENT_SOURCE,
    )


@on_platform
async def test_a_payment_result_over_grpc_confirms_and_its_repeat_answers_the_same(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    desk.lossy = 1.0  # the platform's own webhook is lost
    await desk.clock.sleep(6)
    assert (await desk.reservation(held.reservation_id)).order_id == ""
    request = webhook(desk, held, intent)
    first = await desk.ask(WEBHOOK, request)
    assert (first.accepted, first.next_action) == (True, "settle")
    await desk.clock.sleep(1)
    assert (await desk.reservation(held.reservation_id)).order_id
    assert (await desk.ask(WEBHOOK, request)).SerializeToString() == first.SerializeToString()
    desk.calm()


async def paid_and_not_told(desk):
    """A webhook about a payment that has completed; the platform's own is lost."""
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    desk.lossy = 1.0
    await desk.clock.sleep(6)
    return webhook(desk, held, intent)


def is_bought_and_told(desk):
    return bool([*desk.records().all(ORDER)]), bool([*desk.records().all(RECEIPT)])


@pytest.mark.parametrize("is_here", [True, False], ids=["here", "elsewhere"])
@on_platform
async def test_a_webhook_confirms_and_is_answered_for_good_in_one_commit(desk, is_here, monkeypatch):
    """In one of its own where the reservation is in another process, whose worker is asked first."""
    request = await paid_and_not_told(desk)
    if not is_here:
        monkeypatch.setattr(desk.platform, "_payment_results", None)
    began = desk.commits
    first = await desk.ask(WEBHOOK, request)
    assert is_bought_and_told(desk) == (True, True)
    assert (desk.commits - began == 1) is is_here
    assert (await desk.ask(WEBHOOK, request)).SerializeToString() == first.SerializeToString()
    desk.calm()


@on_platform
async def test_a_webhook_about_what_was_confirmed_already_is_answered_the_same_later_on(desk):
    request = await paid_and_not_told(desk)
    result = worker_pb2.ProcessPaymentRequest(
        reservation_id=request.data.reservation_id, payment_intent_id=request.data.payment_intent_id
    )
    assert code(await desk.as_service(WORKER + "ProcessPaymentResult", result)) == ""
    assert is_bought_and_told(desk) == (True, False)
    first = await desk.ask(WEBHOOK, request)
    assert is_bought_and_told(desk) == (True, True)
    await desk.clock.sleep(2)
    assert (await desk.ask(WEBHOOK, request)).SerializeToString() == first.SerializeToString()
    desk.calm()


@on_platform
async def test_a_webhook_that_comes_twice_at_once_is_taken_once(desk):
    request = await paid_and_not_told(desk)
    desk.store.faults = Faults(delay=0.5, conflict=0.5)
    first, *others = await asyncio.gather(*(desk.ask(WEBHOOK, request) for _ in range(5)))
    assert first.accepted
    assert {other.SerializeToString() for other in others} == {first.SerializeToString()}
    assert sum("put webhook_receipt" in line for line in desk.trace) == 1
    assert sum("put order/" in line for line in desk.trace) == 1
    desk.calm()


@pytest.mark.parametrize("is_written", [False, True])
@on_platform
async def test_a_commit_that_fails_leaves_a_webhook_neither_applied_nor_answered_or_both(desk, is_written):
    request = await paid_and_not_told(desk)
    desk.store.faults = Faults(fail_before=1.0 - is_written, fail_after=1.0 * is_written)
    assert code(await desk.ask(WEBHOOK, request)) == "UNAVAILABLE"
    assert is_bought_and_told(desk) == (is_written, is_written)
    desk.store.faults = Faults()
    first = await desk.ask(WEBHOOK, request)
    assert first.accepted and is_bought_and_told(desk) == (True, True)
    assert (await desk.ask(WEBHOOK, request)).SerializeToString() == first.SerializeToString()
    desk.calm()


@on_platform
async def test_webhooks_that_are_not_signed_right_are_refused(desk):
    held = await desk.held("ana")
    good = webhook(desk, held, "pi_1")
    for change in (
        {"webhook_id": "wh_2"},
        {"signature": ""},
        {"signature": "v1,AAAA"},
        {"source": "somebody"},
        {"timestamp": Timestamp(seconds=good.timestamp.seconds - 400)},
    ):
        changed = webhook_pb2.PaymentWebhookRequest()
        changed.CopyFrom(good)
        for name, value in change.items():
            if name == "timestamp":
                changed.timestamp.CopyFrom(value)
            else:
                setattr(changed, name, value)
        assert code(await desk.ask(WEBHOOK, changed)) == "UNAUTHENTICATED", change
    changed = webhook_pb2.PaymentWebhookRequest()
    changed.CopyFrom(good)
    changed.data.payment_intent_id = "pi_2"
    assert code(await desk.ask(WEBHOOK, changed)) == "UNAUTHENTICATED"


@on_platform
async def test_a_result_that_no_webhook_brings_home_is_settled_all_the_same(desk):
    desk.lossy = 1.0
    held = await desk.held("ana")
    await desk.pay("ana", held)
    await desk.clock.sleep(16)  # five until the bank has answered, ten, and one
    assert (await desk.reservation(held.reservation_id)).order_id


@on_platform
async def test_a_result_that_was_written_though_the_store_said_nothing_is_settled_within_seconds(desk):
    """Its own webhook is attempted without a record, which nobody does who does not know that it was written."""
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    desk.store.faults = Faults(fail_after=1.0)
    while (await desk.store.get(PAYMENT.key(intent))).status is not PaymentStatus.COMPLETED:
        await desk.clock.sleep(0.1)
    desk.store.faults = Faults()
    await desk.clock.sleep(1)
    assert (await desk.reservation(held.reservation_id)).order_id == ""
    await desk.clock.sleep(11)
    assert (await desk.reservation(held.reservation_id)).order_id
    desk.calm()


@on_platform
async def test_the_workers_calls_may_be_repeated(desk):
    held = await desk.held("ana")
    request = worker_pb2.ProcessExpiryRequest(reservation_id=held.reservation_id, event_id=EVENT_ID)
    early = await desk.as_service(WORKER + "ProcessReservationExpiry", request)
    assert (early.status, early.next_action) == (worker_pb2.PROCESSING_STATUS_RETRY, "retry")
    await desk.clock.sleep(61)
    for _ in range(2):
        done = await desk.as_service(WORKER + "ProcessReservationExpiry", request)
        assert done.next_action == "completed"
    assert code(await desk.as_service(WORKER + "ProcessReservationExpiry", worker_pb2.ProcessExpiryRequest())) == (
        "INVALID_ARGUMENT"
    )


@on_platform
async def test_health_is_of_rooms_and_of_what_they_stand_on(desk):
    health = await desk.ask(GATEWAY + "HealthCheck", gateway_pb2.HealthCheckRequest())
    assert health.status == gateway_pb2.HEALTH_STATUS_HEALTHY
    assert set(health.services) == set(desk.platform.config.rooms)
    assert code(await desk.ask(GATEWAY + "HealthCheck", gateway_pb2.HealthCheckRequest(service="x"))) == "NOT_FOUND"
    admin = desk.token(Role.ADMIN, "op")
    request = admin_pb2.SystemHealthRequest(include_dependencies=True, services=["worker"])
    system = await desk.ask("common.v1.AdminService/GetSystemHealth", request, admin)
    assert [one.service_name for one in system.services] == ["worker"]
    assert {"store", "jobs", "events", "event_loop"} == {one.name for one in system.dependencies}
    assert system.overall_status == admin_pb2.SYSTEM_HEALTH_STATUS_HEALTHY


@on_platform
async def test_events_are_created_shown_listed_and_changed(desk):
    admin = desk.token(Role.ADMIN, "op")
    other = EVENT.replace("id: evt_sim", "id: evt_two")
    for _ in range(2):  # the same document again is the same event
        made = await desk.ask(CATALOG + "CreateEvent", catalog_pb2.CreateEventRequest(document=other), admin)
        assert made.plan.event.total_seats == 15
    taken = other.replace("price: 50000", "price: 1")
    request = catalog_pb2.CreateEventRequest(document=taken)
    assert code(await desk.ask(CATALOG + "CreateEvent", request, admin)) == "ALREADY_EXISTS"
    update = catalog_pb2.UpdateEventRequest(event_id="evt_two", document=taken)
    assert code(await desk.ask(CATALOG + "UpdateEvent", update, admin)) == "FAILED_PRECONDITION"
    update.document = other.replace("Simulated Night", "Another Name")
    assert (await desk.ask(CATALOG + "UpdateEvent", update, admin)).plan.event.name == "Another Name"
    await desk.clock.sleep(1)
    status = await desk.ask(
        GATEWAY + "GetEventAvailability", gateway_pb2.GetEventAvailabilityRequest(event_id="evt_two")
    )
    assert (status.event.name, status.total_available) == ("Another Name", 15)
    page = catalog_pb2.ListEventsRequest()
    page.pagination.page_size = 1
    first = await desk.ask(CATALOG + "ListEvents", page)
    page.pagination.cursor = first.page_info.next_cursor
    second = await desk.ask(CATALOG + "ListEvents", page)
    assert [one.plans[0].event.id for one in (first, second)] == ["evt_sim", "evt_two"]
    assert not second.page_info.has_next_page
    unknown = catalog_pb2.GetEventRequest(event_id="evt_none")
    assert code(await desk.ask(CATALOG + "GetEvent", unknown)) == "NOT_FOUND"


@on_platform
async def test_joining_twice_keeps_the_place_and_before_its_turn_nobody_is_admitted(desk):
    fans = [f"fan{n}" for n in range(6)]
    joins = {fan: queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=fan, session_id=f"s-{fan}") for fan in fans}
    first = [await desk.as_fan(QUEUE + "JoinQueue", joins[fan], fan) for fan in fans]
    assert [answer.position_hint for answer in first] == [1, 2, 3, 4, 5, 6]
    again = await desk.as_fan(QUEUE + "JoinQueue", joins["fan5"], "fan5")
    assert (code(again), again.waiting_token) == ("ALREADY_EXISTS", first[5].waiting_token)
    other_tab = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="fan5", session_id="another tab")
    again = await desk.as_fan(QUEUE + "JoinQueue", other_tab, "fan5")
    assert (code(again), again.waiting_token) == ("ALREADY_EXISTS", first[5].waiting_token)
    request = queue_pb2.RequestAdmissionRequest(waiting_token=first[5].waiting_token, event_id=EVENT_ID, user_id="fan5")
    denied = await desk.as_fan(QUEUE + "RequestAdmission", request, "fan5")
    assert (denied.admission, denied.reservation_token) == (queue_pb2.ADMISSION_STATUS_DENIED, "")
    await desk.clock.sleep(2.5)
    granted = await desk.as_fan(QUEUE + "RequestAdmission", request, "fan5")
    assert (granted.admission, granted.ttl_seconds) == (queue_pb2.ADMISSION_STATUS_GRANTED, 300)
    repeated = await desk.as_fan(QUEUE + "RequestAdmission", request, "fan5")
    assert repeated.reservation_token == granted.reservation_token
    request.event_id = "evt_other"
    wrong = await desk.as_fan(QUEUE + "RequestAdmission", request, "fan5")
    assert (wrong.admission, code(wrong)) == (queue_pb2.ADMISSION_STATUS_INVALID, "FORBIDDEN")


@on_platform
async def test_the_rate_of_a_second_counts_over_a_crash_in_it(desk):
    async def admission(fan):
        joined = await desk.as_fan(
            QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=fan, session_id=fan), fan
        )
        request = queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=EVENT_ID, user_id=fan)
        return await desk.as_fan(QUEUE + "RequestAdmission", request, fan)

    for number in range(3):
        await desk.clock.sleep(0.34 if number else 0)
        assert (await admission(f"fan{number}")).admission == queue_pb2.ADMISSION_STATUS_GRANTED
    await desk.crash()
    fourth = await admission("fan3")
    assert (fourth.admission, code(fourth)) == (queue_pb2.ADMISSION_STATUS_DENIED, "RATE_LIMITED")
    await desk.clock.sleep(1)
    assert (await admission("fan3")).admission == queue_pb2.ADMISSION_STATUS_GRANTED


@on_platform
async def test_a_new_line_may_begin_while_others_are_stepped(desk):
    for number in range(8):  # more than are let in, so that the line asks for its seats
        request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id=f"s{number}")
        await desk.ask(QUEUE + "JoinQueue", request)
    lines, count = desk.platform.part(Lines), desk.platform.calls.methods[COUNT_SEATS]
    counted = count.handler

    async def joined_meanwhile(request, call):
        await desk.platform.put_on_sale(EVENT.replace("id: evt_sim", "id: evt_two"))
        other = queue_pb2.JoinQueueRequest(event_id="evt_two", session_id="s")
        await desk.ask(QUEUE + "JoinQueue", other)
        return await counted(request, call)

    count.handler = joined_meanwhile
    await lines.step()
    assert set(lines.all()) == {EVENT_ID, "evt_two"}


@on_platform
async def test_a_line_that_cannot_step_does_not_hold_up_another(desk):
    await desk.platform.put_on_sale(EVENT.replace("id: evt_sim", "id: evt_two"))
    for event_id in (EVENT_ID, "evt_two"):
        for number in range(8):
            await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=event_id, session_id=f"s{number}"))
    lines, count = desk.platform.part(Lines), desk.platform.calls.methods[COUNT_SEATS]
    counted = count.handler

    async def failing_for_one(request, call):
        if request.event_id == EVENT_ID:
            raise Fault("inventory is away")
        return await counted(request, call)

    count.handler = failing_for_one
    lines.all()["evt_two"].line.stock(None, is_sold_out=False, is_all_sold=False)
    lines.all()["evt_two"].seats_asked_at = None
    await lines.step()
    assert lines.all()["evt_two"].line.view().sellable == 15


@on_platform
async def test_dead_jobs_are_listed_and_replayed(desk):
    admin = desk.token(Role.ADMIN, "op")
    desk.endpoint = HttpAnswer(410)
    held = await desk.held("ana")
    await desk.pay("ana", held)
    await desk.clock.sleep(10)
    service = "tacos.operations.v1.OperationsService/"
    dead = await desk.ask(service + "ListDeadJobs", operations_pb2.ListDeadJobsRequest(), admin)
    assert [job.topic for job in dead.jobs] == ["webhook.send"]
    assert "answered 410" in dead.jobs[0].last_error
    desk.endpoint = None
    replay = operations_pb2.ReplayDeadJobRequest(job_id=dead.jobs[0].job_id)
    assert code(await desk.ask(service + "ReplayDeadJob", replay, admin)) == ""
    await desk.clock.sleep(5)
    assert not (await desk.ask(service + "ListDeadJobs", operations_pb2.ListDeadJobsRequest(), admin)).jobs
    assert code(await desk.ask(service + "ReplayDeadJob", replay, admin)) == "NOT_FOUND"


@on_platform
async def test_an_endpoint_that_asks_for_time_is_asked_again_when_it_said(desk):
    desk.endpoint = HttpAnswer(503, "600")
    held = await desk.held("ana")
    intent = await desk.pay("ana", held)
    while not (waiting := [job for job in desk.platform.engines.jobs.pending() if job.topic == "webhook.send"]):
        await desk.loop_once()
    while not waiting[0].attempts:
        await desk.loop_once()
        waiting = [job for job in desk.platform.engines.jobs.pending() if job.topic == "webhook.send"]
    asked_at = desk.clock.now()
    assert 598_000 <= waiting[0].due_at - asked_at <= 600_000
    desk.endpoint = None
    await desk.clock.sleep(601)
    assert not [job for job in desk.platform.engines.jobs.pending() if job.topic == "webhook.send"]
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_COMPLETED

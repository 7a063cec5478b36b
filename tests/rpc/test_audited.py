"""What an operator changes is in the audit log, under their name and with their reason, in the commit of the change."""

import pytest

from tests.rpc.desk import PAYMENT, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.calls.policy import POLICY
from traffic_tacos.gen.common.v1 import admin_pb2, types_pb2
from traffic_tacos.gen.gateway.v1 import webhook_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as own_webhook_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.audit import AUDIT
from traffic_tacos.ports.store import Decision, Job
from traffic_tacos.rooms.webhook.records import ENDPOINT

READS = ("Get", "List", "CheckAvailability", "Count", "Validate", "Verify", "HealthCheck")
AUDITED = {
    "gateway.v1.WebhookService/RegisterWebhook",
    "payment.v1.PaymentService/CancelPayment",
    "tacos.lifecycle.v1.LifecycleService/StopReservations",
    "tacos.waiting_room.v1.LineService/ConfigureLine",
    "tacos.webhook.v1.EndpointService/RemoveEndpoint",
    "tacos.admission.v1.DoorService/UndoCheckIn",
    "tacos.catalog.v1.CatalogService/CreateEvent",
    "tacos.catalog.v1.CatalogService/UpdateEvent",
    "tacos.catalog.v1.CatalogService/BlockSeats",
    "tacos.catalog.v1.CatalogService/UnblockSeats",
    "tacos.inventory.v1.HoldService/BlockSeats",
    "tacos.inventory.v1.HoldService/UnblockSeats",
    "tacos.operations.v1.OperationsService/ReplayDeadJob",
    "tacos.operations.v1.OperationsService/Reconcile",
    "common.v1.AdminService/UpdateConfig",
    "common.v1.AdminService/TriggerOperation",
    "common.v1.AdminService/EmergencyAction",
}
# What services do on behalf of fans, or of the platform: their records say what was done.
OF_SERVICES = {
    "gateway.v1.WebSocketService/SendMessage",
    "gateway.v1.WebhookService/ReceiveExpiryWebhook",
    "payment.v1.PaymentService/CreatePaymentIntent",
    "payment.v1.PaymentService/SimulateWebhook",
    "reservation.v1.ReservationService/CreateReservation",
    "reservation.v1.ReservationService/ConfirmReservation",
    "reservation.v1.ReservationService/CancelReservation",
    "reservation.v1.Inventory/ReserveSeat",
    "reservation.v1.Inventory/CommitReservation",
    "reservation.v1.Inventory/ReleaseHold",
    "reservation.v1.WorkerService/ProcessReservationExpiry",
    "reservation.v1.WorkerService/ProcessPaymentResult",
    "reservation.v1.WorkerService/ProcessCompensation",
    "tacos.admission.v1.DoorService/CheckIn",
    "tacos.simulation.v1.SimulationService/SendWrongWebhook",
    "tacos.lifecycle.v1.LifecycleService/ExpireReservation",
    "tacos.lifecycle.v1.LifecycleService/SettleReservation",
}
DOCUMENT = EVENT.replace(EVENT_ID, "evt_audited")
OTHER = DOCUMENT.replace("max_per_order: 4", "max_per_order: 3") + "description: other\n"
HOOK = "http://127.0.0.1:9/hook"


def test_every_call_that_fans_cannot_make_is_audited_or_a_services_own():
    changing = {
        path
        for path, roles in POLICY.items()
        if Role.FAN not in roles and not path.rpartition("/")[2].startswith(READS)
    }
    assert changing == AUDITED | OF_SERVICES


async def _event(desk):
    await desk.platform.put_on_sale(DOCUMENT)


async def _dead_job(desk):
    await desk.platform.engines.store.transact(
        (), lambda _: Decision(None, jobs=(Job("one", "nobody.does", desk.clock.now(), is_dead=True),))
    )


async def _endpoint(desk):
    request = webhook_pb2.RegisterWebhookRequest(service_name="shop", endpoint_url=HOOK, event_types=[1], secret=SECRET)
    await desk.as_service("gateway.v1.WebhookService/RegisterWebhook", request)


SECRET = "whsec_" + "QUJDRA" * 8 + "QUI="


async def _nothing(desk):
    pass


def _seat_ids(desk):
    return []


CASES = [
    (
        "tacos.catalog.v1.CatalogService/CreateEvent",
        _nothing,
        lambda _: catalog_pb2.CreateEventRequest(document=DOCUMENT, reason="why"),
        ("create event", "evt_audited", "", "Simulated"),
    ),
    (
        "tacos.catalog.v1.CatalogService/UpdateEvent",
        _event,
        lambda _: catalog_pb2.UpdateEventRequest(event_id="evt_audited", document=OTHER, reason="why"),
        ("update event", "evt_audited", "", "description, max_per_order"),
    ),
    (
        "tacos.webhook.v1.EndpointService/RemoveEndpoint",
        _endpoint,
        lambda desk: own_webhook_pb2.RemoveEndpointRequest(endpoint_id=_endpoint_id(desk), reason="why"),
        ("remove endpoint", "whk_", HOOK, ""),
    ),
    (
        "tacos.operations.v1.OperationsService/ReplayDeadJob",
        _dead_job,
        lambda _: operations_pb2.ReplayDeadJobRequest(job_id="one", reason="why"),
        ("replay", "one", "", ""),
    ),
    (
        "tacos.operations.v1.OperationsService/Reconcile",
        _nothing,
        lambda _: operations_pb2.ReconcileRequest(reason="why"),
        ("reconcile", "platform", "", "0 repaired"),
    ),
    (
        "tacos.lifecycle.v1.LifecycleService/StopReservations",
        _nothing,
        lambda _: lifecycle_pb2.StopReservationsRequest(event_id=EVENT_ID, reason="why", actor="op"),
        ("reservations", EVENT_ID, "open", "stopped"),
    ),
    (
        "tacos.waiting_room.v1.LineService/ConfigureLine",
        _nothing,
        lambda _: waiting_room_pb2.ConfigureLineRequest(
            event_id=EVENT_ID, setting="admission.rate_per_second", value="7", reason="why", actor="op"
        ),
        ("configure", EVENT_ID, "", "7"),
    ),
    (
        "common.v1.AdminService/UpdateConfig",
        _nothing,
        lambda _: admin_pb2.UpdateConfigRequest(
            service="gateway", config_key="limits.fan_per_second", config_value="9", reason="why"
        ),
        ("configure", "limits.fan_per_second", "", "9"),
    ),
]


def _endpoint_id(desk):
    return next(path for path, _ in desk.records().all(ENDPOINT)).rpartition("/")[2]


def entries(desk):
    return [entry for _, entry in sorted(desk.records().all(AUDIT))]


@pytest.mark.parametrize(("path", "prepare", "request_of", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_an_operator_does_is_in_the_audit_log(path, prepare, request_of, expected):
    @on_platform
    async def on_desk(desk):
        await prepare(desk)
        before = len(entries(desk))
        answer = await desk.ask(path, request_of(desk), desk.token(Role.ADMIN, "op"))
        assert code(answer) == "", answer
        [entry] = entries(desk)[before:]
        action, subject, old, new = expected
        assert (entry.action, entry.actor, entry.reason) == (action, "op", "why")
        assert entry.subject.startswith(subject)
        assert entry.old.startswith(old)
        assert entry.new.startswith(new)

    on_desk()


@on_platform
async def test_a_refund_by_an_operators_hand_is_audited_and_one_of_the_platforms_own_is_not(desk):
    held = await desk.held("ana", 2)
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(10)
    before = len(entries(desk))
    request = payment_pb2.CancelPaymentRequest(
        payment_intent_id=intent,
        reason="a broken seat",
        refund_amount=types_pb2.Money(amount=5000, currency="KRW"),
        idempotency_key="by-hand",
    )
    for _ in range(2):
        answer = await desk.ask(PAYMENT + "CancelPayment", request, desk.token(Role.ADMIN, "op"))
        assert code(answer) == ""
    [entry] = entries(desk)[before:]
    assert (entry.action, entry.actor, entry.subject, entry.reason) == ("cancel payment", "op", intent, "a broken seat")
    assert entry.new.endswith("5000 of " + str((await desk.payment(intent)).amount.amount) + " KRW refunded")
    await desk.cancel("ana", held)
    await desk.clock.sleep(10)
    assert len(entries(desk)) == before + 1


@on_platform
async def test_what_changes_nothing_leaves_no_entry_and_a_dry_run_neither(desk):
    admin, before = desk.token(Role.ADMIN, "op"), len(entries(desk))
    again = catalog_pb2.CreateEventRequest(document=EVENT, reason="why")
    assert code(await desk.ask("tacos.catalog.v1.CatalogService/CreateEvent", again, admin)) == ""
    looked = operations_pb2.ReconcileRequest(dry_run=True, reason="why")
    assert code(await desk.ask("tacos.operations.v1.OperationsService/Reconcile", looked, admin)) == ""
    unknown = operations_pb2.ReplayDeadJobRequest(job_id="nothing", reason="why")
    assert code(await desk.ask("tacos.operations.v1.OperationsService/ReplayDeadJob", unknown, admin)) == "NOT_FOUND"
    assert len(entries(desk)) == before

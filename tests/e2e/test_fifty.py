"""All fifty RPCs from a client that knows nothing but `contract-table.md`: each asked rightly, and wrongly."""

import base64
import hashlib
import hmac
import time

import grpc
import pytest
from google.rpc import status_pb2

from tests.contract import CONTRACT, Client
from tests.e2e.process import UpProcess, refused_code
from traffic_tacos.app.config import ROOMS

EVENT = "evt_hundred"
QUEUE, GATEWAY, PAYMENT = "gateway.v1.QueueService", "gateway.v1.GatewayService", "payment.v1.PaymentService"
INVENTORY, RESERVATION = "reservation.v1.Inventory", "reservation.v1.ReservationService"
WEBHOOK, SOCKET = "gateway.v1.WebhookService", "gateway.v1.WebSocketService"
ADMIN, WORKER = "common.v1.AdminService", "reservation.v1.WorkerService"


class Walk:
    """Every RPC by name, with what was asked rightly and wrongly of it."""

    measured = "QueueService/GetQueueStatus"  # a call that the process with the admin service answers

    def __init__(self, platform, channel):
        self.client = Client(channel)
        self.channel = channel
        self.platform = platform
        self.rightly, self.wrongly = set(), set()
        self.tokens = {role: platform.token(role, name) for role, name in ROLES.items()}
        self.keys = 0

    def right(self, service, name, role="", /, **fields):
        answer = self.client(service, name, fields, self.tokens.get(role, ""))
        assert not answer.HasField("error"), (name, answer.error)
        self.rightly.add((service, name))
        return answer

    def wrong(self, service, name, role, code, field="", /, **fields):
        answer = self.client(service, name, fields, self.tokens.get(role, ""))
        assert refused_code(answer) == code, (name, answer.error)
        assert answer.error.message
        assert answer.error.trace_id
        if field:
            assert field in [detail.field for detail in answer.error.details], answer.error
        self.wrongly.add((service, name))

    def stream(self, name, role, **fields):
        rpc = CONTRACT.rpc(SOCKET, name)
        call = self.channel.unary_stream(
            rpc.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CONTRACT.message(rpc.response).FromString,
        )
        token = self.tokens.get(role, "")
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return call(CONTRACT.message(rpc.request)(**fields), timeout=20, metadata=metadata)

    def right_stream(self, name, role, wanted, **fields):
        """The first message that is wanted."""
        stream = self.stream(name, role, **fields)
        found = next(message for message in stream if wanted(message))
        stream.cancel()
        self.rightly.add((SOCKET, name))
        return found

    def wrong_stream(self, name, role, status, **fields):
        with pytest.raises(grpc.RpcError) as refused:
            next(self.stream(name, role, **fields))
        assert refused.value.code() is status
        trailers = dict(refused.value.trailing_metadata())
        assert trailers["x-error-code"].startswith("ERROR_CODE_")
        assert "grpc-status-details-bin" in trailers
        self.wrongly.add((SOCKET, name))

    def key(self):
        self.keys += 1
        return f"key-{self.keys}"


class StatusWalk(Walk):
    """The same walk by a stock client, which looks at nothing but the gRPC status."""

    def __init__(self, platform, channel):
        super().__init__(platform, channel)
        self.client = Client(channel, ("x-error-mode", "status"))

    def wrong(self, service, name, role, code, field="", /, **fields):
        with pytest.raises(grpc.RpcError) as refused:
            self.client(service, name, fields, self.tokens.get(role, ""))
        trailers = dict(refused.value.trailing_metadata())
        assert trailers["x-error-code"] == f"ERROR_CODE_{code}", (name, refused.value)
        assert refused.value.code() is STATUSES.get(code, grpc.StatusCode.FAILED_PRECONDITION)
        status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
        assert (status.code, status.message) == (refused.value.code().value[0], refused.value.details())
        error = CONTRACT.message("common.v1.Error").FromString(status.details[0].value)
        assert status.details[0].type_url == "type.googleapis.com/common.v1.Error"
        assert (error.message, bool(error.trace_id)) == (status.message, True)
        assert not field or field in [detail.field for detail in error.details], error
        self.wrongly.add((service, name))


ROLES = {"user": "ana", "service": "shop", "admin": "op"}
STATUSES = {
    "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
    "FORBIDDEN": grpc.StatusCode.PERMISSION_DENIED,
    "INVALID_ARGUMENT": grpc.StatusCode.INVALID_ARGUMENT,
    "NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "ALREADY_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
}


@pytest.mark.parametrize(
    ("walking", "server"), [(Walk, "native"), (StatusWalk, "native"), (StatusWalk, "grpcio")], ids=str
)
def test_all_fifty_are_asked_rightly_and_wrongly(up, walking, server):
    platform = up("--server", server)
    with grpc.insecure_channel(platform.grpc) as channel:
        ask_all(walking(platform, channel))
    platform.verify()


def test_a_gateway_alone_answers_all_fifty_by_passing_them_on(up, tmp_path):
    behind = up("--without", "gateway")
    gateway = UpProcess(
        tmp_path / "gateway",
        *("--elsewhere", f"{','.join(room for room in ROOMS if room != 'gateway')}={behind.grpc}"),
        *("--keys-of", str(behind.data), "--payment-webhook", f"http://{behind.http}/webhooks/payments"),
    ).start()
    try:
        with grpc.insecure_channel(gateway.grpc) as channel:
            ask_all(Walk(behind, channel))
    finally:
        gateway.ensure_stopped()
    behind.verify()


def ask_all(walk):
    """All fifty, each rightly and wrongly."""
    place = queue(walk)
    held, intent = buy(walk, place)
    payments(walk, held, intent)
    reservations(walk, held)
    inventory(walk)
    webhooks(walk, held, intent)
    worker(walk, held, intent)
    streams(walk, place, held, intent)
    operate(walk)
    every = {(rpc.service, rpc.name) for rpc in CONTRACT.rpcs}
    assert len(every) == 50
    assert (every - walk.rightly, every - walk.wrongly) == (set(), set())


def queue(walk):
    join = {"event_id": EVENT, "user_id": "ana", "session_id": "tab"}
    joined = walk.right(QUEUE, "JoinQueue", "user", **join)
    assert joined.waiting_token
    assert joined.expires_at.seconds > time.time()
    walk.wrong(QUEUE, "JoinQueue", "user", "ALREADY_EXISTS", **join)
    walk.wrong(QUEUE, "JoinQueue", "user", "INVALID_ARGUMENT", "session_id", event_id=EVENT)
    walk.wrong(QUEUE, "JoinQueue", "user", "NOT_FOUND", event_id="evt_none", session_id="s")
    place = joined.waiting_token
    while not walk.right(QUEUE, "GetQueueStatus", waiting_token=place).admission_ready:
        time.sleep(0.05)
    walk.wrong(QUEUE, "GetQueueStatus", "", "UNAUTHENTICATED", waiting_token="00" * 40)
    walk.wrong(QUEUE, "GetQueueStatus", "", "INVALID_ARGUMENT", "waiting_token")
    other = walk.right(QUEUE, "JoinQueue", event_id=EVENT, session_id="other").waiting_token
    assert walk.right(QUEUE, "LeaveQueue", waiting_token=other, reason="no time").success
    walk.wrong(QUEUE, "LeaveQueue", "", "UNAUTHENTICATED", waiting_token="nonsense")
    walk.wrong(QUEUE, "RequestAdmission", "", "FAILED_PRECONDITION", waiting_token=other, event_id=EVENT)
    stats = walk.right(QUEUE, "GetQueueStats", event_id=EVENT)
    assert stats.events[0].event_id == EVENT
    walk.wrong(QUEUE, "GetQueueStats", "", "NOT_FOUND", event_id="evt_none")
    return place


def buy(walk, place):
    """Through the gateway, from the admission to the order."""
    admission = walk.right(
        QUEUE, "RequestAdmission", "user", waiting_token=place, event_id=EVENT, user_id="ana"
    )  # fmt: skip
    assert (admission.admission, admission.ttl_seconds) == (1, 300)
    reserve = {"event_id": EVENT, "quantity": 2, "user_id": "ana", "reservation_token": admission.reservation_token}
    walk.wrong(GATEWAY, "CreateReservation", "user", "IDEMPOTENCY_REQUIRED", **reserve)
    held = walk.right(GATEWAY, "CreateReservation", "user", **reserve, idempotency_key="held")
    assert (held.status, held.total_amount.amount, len(held.reserved_seats)) == (1, 100_000, 2)
    again = walk.right(GATEWAY, "CreateReservation", "user", **reserve, idempotency_key="held")
    assert again.SerializeToString(deterministic=True) == held.SerializeToString(deterministic=True)
    pay = {"reservation_id": held.reservation_id, "user_id": "ana", "method": 1, "scenario": 1}
    too_little = {"amount": 1, "currency": "KRW"}
    walk.wrong(
        GATEWAY, "CreatePaymentIntent", "user", "INVALID_ARGUMENT", "amount", **pay, amount=too_little,
        idempotency_key="wrong",
    )  # fmt: skip
    intent = walk.right(
        GATEWAY, "CreatePaymentIntent", "user", **pay, amount=held.total_amount, idempotency_key="intent"
    )  # fmt: skip
    confirm = {
        "reservation_id": held.reservation_id,
        "payment_intent_id": intent.payment_intent_id,
        "user_id": "ana",
    }
    walk.wrong(GATEWAY, "ConfirmReservation", "user", "PAYMENT_NOT_APPROVED", **confirm, idempotency_key="early")
    processed = walk.right(
        PAYMENT, "ProcessPayment", "user", payment_intent_id=intent.payment_intent_id, idempotency_key="pay"
    )  # fmt: skip
    assert processed.status == 2
    walk.wrong(PAYMENT, "ProcessPayment", "user", "NOT_FOUND", payment_intent_id="pi_none", idempotency_key="x")
    shown = {"reservation_id": held.reservation_id}
    while walk.right(GATEWAY, "GetReservation", "user", **shown).reservation.status != 3:
        time.sleep(0.05)
    walk.wrong(GATEWAY, "GetReservation", "user", "NOT_FOUND", reservation_id="rsv_none")
    confirmed = walk.right(GATEWAY, "ConfirmReservation", "user", **confirm, idempotency_key="late")
    assert confirmed.order_id.startswith("ord_")
    status = walk.right(GATEWAY, "GetPaymentStatus", "user", payment_intent_id=intent.payment_intent_id)
    assert status.payment.status == 3
    walk.wrong(GATEWAY, "GetPaymentStatus", "", "UNAUTHENTICATED", payment_intent_id=intent.payment_intent_id)
    assert walk.right(GATEWAY, "HealthCheck").status == 1
    walk.wrong(GATEWAY, "HealthCheck", "", "NOT_FOUND", service="cloakroom")
    assert walk.right(GATEWAY, "ValidateToken", token=walk.tokens["user"]).user.user_id == "ana"
    walk.wrong(GATEWAY, "ValidateToken", "", "UNAUTHENTICATED", token="a.b.c")
    assert walk.right(GATEWAY, "GetEventAvailability", event_id=EVENT).total_available == 98
    walk.wrong(GATEWAY, "GetEventAvailability", "", "NOT_FOUND", event_id="evt_none")
    given_back = {"reservation_id": other_reservation(walk), "user_id": "ana", "reason": "ill"}
    assert walk.right(GATEWAY, "CancelReservation", "user", **given_back, idempotency_key="back").status == 4
    walk.wrong(GATEWAY, "CancelReservation", "user", "IDEMPOTENCY_REQUIRED", **given_back)
    return held, intent


def other_reservation(walk):
    """One more of ana's, by the reservation room's own call, from another place in the queue."""
    session = walk.key()
    place = walk.right(QUEUE, "JoinQueue", event_id=EVENT, session_id=session).waiting_token
    while not walk.right(QUEUE, "GetQueueStatus", waiting_token=place).admission_ready:
        time.sleep(0.05)
    admission = walk.right(QUEUE, "RequestAdmission", waiting_token=place, event_id=EVENT)
    return walk.right(
        RESERVATION, "CreateReservation", "service", event_id=EVENT, quantity=1, user_id="ana",
        reservation_token=admission.reservation_token, idempotency_key=walk.key(),
    ).reservation_id  # fmt: skip


def payments(walk, held, intent):
    """The payment room, as services call it."""
    reservation_id = other_reservation(walk)
    amount = {"amount": 50_000, "currency": "KRW"}
    hook = "http://127.0.0.1:9/hook"
    fields = {"amount": amount, "user_id": "ana", "method": 1, "scenario": 5, "webhook_url": hook}
    fields["reservation_id"] = reservation_id
    second = walk.right(PAYMENT, "CreatePaymentIntent", "service", **fields, idempotency_key=walk.key())
    walk.wrong(PAYMENT, "CreatePaymentIntent", "user", "FORBIDDEN", **fields, idempotency_key=walk.key())
    shown = walk.right(PAYMENT, "GetPaymentStatus", "service", payment_intent_id=second.payment_intent_id)
    assert shown.payment.status == 1
    walk.wrong(PAYMENT, "GetPaymentStatus", "service", "NOT_FOUND", payment_intent_id="pi_none")
    told = walk.right(
        PAYMENT, "SimulateWebhook", "service", payment_intent_id=second.payment_intent_id, target_status=5,
        force_trigger=True,
    )  # fmt: skip
    assert told.webhook_sent
    walk.wrong(PAYMENT, "SimulateWebhook", "service", "NOT_FOUND", payment_intent_id="pi_none", target_status=3)
    listed = walk.right(PAYMENT, "ListPayments", "service", user_id="ana").payments
    assert {one.payment_intent_id for one in listed} == {intent.payment_intent_id, second.payment_intent_id}
    walk.wrong(
        PAYMENT, "ListPayments", "service", "INVALID_ARGUMENT", "pagination.page_size", user_id="ana",
        pagination={"page_size": -1},
    )  # fmt: skip
    walk.wrong(PAYMENT, "CancelPayment", "service", "IDEMPOTENCY_REQUIRED", payment_intent_id=second.payment_intent_id)
    third = walk.right(
        PAYMENT, "CreatePaymentIntent", "service", **fields | {"reservation_id": other_reservation(walk)},
        idempotency_key=walk.key(),
    )  # fmt: skip
    cancelled = walk.right(
        PAYMENT, "CancelPayment", "service", payment_intent_id=third.payment_intent_id, reason="no",
        idempotency_key=walk.key(),
    )  # fmt: skip
    assert cancelled.status == 5


def reservations(walk, held):
    """The reservation room, as services and fans call it."""
    held_by_fan = other_reservation(walk)
    walk.wrong(RESERVATION, "CreateReservation", "user", "FORBIDDEN", event_id=EVENT)
    shown = walk.right(RESERVATION, "GetReservation", "service", reservation_id=held_by_fan)
    assert shown.reservation.status in (1, 2)
    walk.wrong(RESERVATION, "GetReservation", "service", "NOT_FOUND", reservation_id="rsv_none")
    extended = walk.right(
        RESERVATION, "ExtendHold", "user", reservation_id=held_by_fan, user_id="ana", extension_seconds=30,
        idempotency_key=walk.key(),
    )  # fmt: skip
    assert (extended.extension_allowed, extended.extended_seconds) == (True, 30)
    walk.wrong(
        RESERVATION, "ExtendHold", "user", "INVALID_ARGUMENT", "extension_seconds", reservation_id=held_by_fan,
        user_id="ana", extension_seconds=3600, idempotency_key=walk.key(),
    )  # fmt: skip
    listed = walk.right(RESERVATION, "ListReservations", "user", user_id="ana").reservations
    assert held.reservation_id in [one.reservation_id for one in listed]
    walk.wrong(RESERVATION, "ListReservations", "user", "FORBIDDEN", user_id="ben")
    fields = {"reservation_id": held_by_fan, "user_id": "ana"}
    walk.wrong(
        RESERVATION, "ConfirmReservation", "service", "NOT_FOUND", **fields, payment_intent_id="pi_none",
        idempotency_key=walk.key(),
    )  # fmt: skip
    walk.right(
        RESERVATION, "ConfirmReservation", "service", reservation_id=held.reservation_id, user_id="ana",
        payment_intent_id=walk.right(
            RESERVATION, "GetReservation", "service", reservation_id=held.reservation_id
        ).reservation.payment_intent_id,
        idempotency_key=walk.key(),
    )  # fmt: skip
    cancelled = walk.right(RESERVATION, "CancelReservation", "service", **fields, idempotency_key=walk.key())
    assert cancelled.status == 4
    walk.wrong(
        RESERVATION, "CancelReservation", "service", "NOT_FOUND", reservation_id="rsv_none", user_id="ana",
        idempotency_key=walk.key(),
    )  # fmt: skip


def inventory(walk):
    """Inventory, as services call it; under both of its names."""
    for name in (INVENTORY, "reservation.v1.InventoryService"):
        assert walk.right(name, "GetInventoryStatus", "service", event_id=EVENT).stats.total_seats == 100
    walk.rightly.discard(("reservation.v1.InventoryService", "GetInventoryStatus"))
    walk.wrong(INVENTORY, "GetInventoryStatus", "service", "INVALID_ARGUMENT", event_id=EVENT, section="ATTIC")
    assert walk.right(INVENTORY, "CheckAvailability", "service", event_id=EVENT, quantity=5).available
    walk.wrong(INVENTORY, "CheckAvailability", "service", "NOT_FOUND", event_id="evt_none", quantity=1)
    fields = {"reservation_id": "shop-1", "event_id": EVENT, "quantity": 2, "user_id": "ana"}
    reserved = walk.right(INVENTORY, "ReserveSeat", "service", **fields, idempotency_key="r")
    assert len(reserved.reserved_seats) == 2
    walk.wrong(
        INVENTORY, "ReserveSeat", "service", "INSUFFICIENT_INVENTORY", reservation_id="shop-2", event_id=EVENT,
        quantity=99, user_id="ana", idempotency_key="many",
    )  # fmt: skip
    commit = {"reservation_id": "shop-1", "event_id": EVENT, "payment_intent_id": "theirs", "user_id": "ana"}
    assert walk.right(INVENTORY, "CommitReservation", "service", **commit, idempotency_key="c").status == 1
    walk.wrong(
        INVENTORY, "CommitReservation", "service", "NOT_FOUND", **commit | {"reservation_id": "shop-9"},
        idempotency_key="c9",
    )  # fmt: skip
    walk.right(INVENTORY, "ReserveSeat", "service", **fields | {"reservation_id": "shop-3"}, idempotency_key="r3")
    release = {"reservation_id": "shop-3", "event_id": EVENT, "reason": "no"}
    assert walk.right(INVENTORY, "ReleaseHold", "service", **release, idempotency_key="x").status == 1
    walk.wrong(
        INVENTORY, "ReleaseHold", "service", "FAILED_PRECONDITION", reservation_id="shop-1", event_id=EVENT,
        idempotency_key="x1",
    )  # fmt: skip


def webhooks(walk, held, intent):
    secret = (walk.platform.data / "keys" / "webhook.secret").read_text().split()[0]
    data = CONTRACT.message("gateway.v1.PaymentWebhookData")(
        payment_intent_id=intent.payment_intent_id, reservation_id=held.reservation_id
    )
    now = int(time.time())
    signed = f"wh_1.{now}.".encode() + data.SerializeToString(deterministic=True)
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    fields = {
        "webhook_id": "wh_1",
        "event_type": 1,
        "data": data,
        "timestamp": {"seconds": now},
        "source": "payment-sim-api",
    }
    signature = "v1," + base64.b64encode(mac).decode()
    assert walk.right(WEBHOOK, "ReceivePaymentWebhook", **fields, signature=signature).accepted
    walk.wrong(WEBHOOK, "ReceivePaymentWebhook", "", "UNAUTHENTICATED", **fields, signature="v1,AAAA")
    expiry = {"webhook_id": "wh_2", "reservation_id": held.reservation_id, "source": "shop"}
    assert walk.right(WEBHOOK, "ReceiveExpiryWebhook", "service", **expiry).accepted
    walk.wrong(WEBHOOK, "ReceiveExpiryWebhook", "user", "FORBIDDEN", **expiry)
    register = {"service_name": "shop", "event_types": [1], "secret": "whsec_" + base64.b64encode(b"k" * 32).decode()}
    hook = "http://127.0.0.1:9/hook"
    assert walk.right(WEBHOOK, "RegisterWebhook", "service", **register, endpoint_url=hook).registered
    walk.wrong(
        WEBHOOK, "RegisterWebhook", "service", "INVALID_ARGUMENT", "endpoint_url", **register,
        endpoint_url="http://169.254.169.254/",
    )  # fmt: skip
    body = f"wh_3.{now}.hello".encode()
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), body, hashlib.sha256)
    signature = "v1," + base64.b64encode(mac).decode()
    checked = walk.right(
        WEBHOOK, "ValidateWebhook", "service", payload="hello", signature=signature, webhook_id="wh_3"
    )  # fmt: skip
    assert checked.valid
    walk.wrong(WEBHOOK, "ValidateWebhook", "", "UNAUTHENTICATED", payload="hello", signature=signature)


def worker(walk, held, intent):
    reservation = {"reservation_id": held.reservation_id}
    walk.right(WORKER, "ProcessReservationExpiry", "service", **reservation, event_id=EVENT)
    walk.wrong(WORKER, "ProcessReservationExpiry", "service", "NOT_FOUND", reservation_id="rsv_none")
    paid = {**reservation, "payment_intent_id": intent.payment_intent_id, "result_type": 1}
    assert walk.right(WORKER, "ProcessPaymentResult", "service", **paid).order_id.startswith("ord_")
    walk.wrong(WORKER, "ProcessPaymentResult", "user", "FORBIDDEN", **paid)
    undone = walk.right(WORKER, "ProcessCompensation", "service", **reservation, compensation_type=4)
    assert undone.status in (1, 4)
    walk.wrong(
        WORKER, "ProcessCompensation", "service", "INVALID_ARGUMENT", "compensation_type", **reservation
    )  # fmt: skip
    walk.right(WORKER, "HealthCheck", "service")
    walk.wrong(WORKER, "HealthCheck", "service", "NOT_FOUND", worker_instance_id="nobody")
    walk.right(WORKER, "GetJobStatus", "service")
    walk.wrong(WORKER, "GetJobStatus", "service", "NOT_FOUND", job_id="no-such-job")


def streams(walk, place, held, intent):
    other = walk.right(QUEUE, "JoinQueue", event_id=EVENT, session_id="watcher").waiting_token
    watch = {"waiting_token": other, "session_id": "watcher", "event_id": EVENT}
    told = walk.right_stream("StreamQueueUpdates", "", lambda message: message.HasField("queue_update"), **watch)
    assert told.queue_update.waiting_token == other
    walk.wrong_stream("StreamQueueUpdates", "", grpc.StatusCode.PERMISSION_DENIED, **watch | {"session_id": "thief"})
    mine = {"user_id": "ana", "reservation_ids": [held.reservation_id]}
    told = walk.right_stream("StreamReservationUpdates", "user", lambda message: True, **mine)
    assert told.reservation_update.new_status == 3
    walk.wrong_stream("StreamReservationUpdates", "", grpc.StatusCode.UNAUTHENTICATED, **mine)
    paid = {"user_id": "ana", "payment_intent_ids": [intent.payment_intent_id]}
    told = walk.right_stream("StreamPaymentUpdates", "user", lambda message: True, **paid)
    assert told.payment_update.new_status == 3
    walk.wrong_stream("StreamPaymentUpdates", "user", grpc.StatusCode.PERMISSION_DENIED, user_id="ben")
    message = {"target_user_id": "ana", "message_type": 1, "content": "doors at eight"}
    assert walk.right(SOCKET, "SendMessage", "service", **message).message_id
    walk.wrong(SOCKET, "SendMessage", "service", "INVALID_ARGUMENT", "content", **message | {"content": ""})


def operate(walk):
    health = walk.right(ADMIN, "GetSystemHealth", "admin", include_dependencies=True)
    assert {"store", "jobs", "events", "event_loop"} <= {one.name for one in health.dependencies}
    walk.wrong(ADMIN, "GetSystemHealth", "service", "FORBIDDEN")
    assert len(walk.right(ADMIN, "GetMetrics", "admin").metrics) > 30
    status = {"service": walk.measured, "aggregation": "p95"}
    (slowest,) = walk.right(ADMIN, "GetMetrics", "admin", **status).metrics
    assert slowest.value >= 1
    walk.wrong(ADMIN, "GetMetrics", "admin", "INVALID_ARGUMENT", "aggregation", aggregation="sum")
    walk.right(ADMIN, "GetLogs", "admin", level=4)
    walk.wrong(ADMIN, "GetLogs", "admin", "INVALID_ARGUMENT", "limit", limit=-1)
    setting = {"service": "gateway", "config_key": "limits.fan_per_second", "reason": "a test"}
    changed = walk.right(ADMIN, "UpdateConfig", "admin", **setting, config_value="50")
    assert (changed.old_value, changed.new_value) == ("100", "50")
    walk.wrong(ADMIN, "UpdateConfig", "admin", "INVALID_ARGUMENT", "config_value", **setting, config_value="many")
    drain = {"operation": 4, "parameters": {"event_id": EVENT}, "reason": "a test"}
    assert not walk.right(ADMIN, "TriggerOperation", "admin", **drain, dry_run=True).triggered
    assert walk.right(ADMIN, "TriggerOperation", "admin", **drain).status == 3
    walk.wrong(ADMIN, "TriggerOperation", "admin", "FAILED_PRECONDITION", operation=1, reason="a test")
    stop = {"action": 1, "reason": "a test", "parameters": {"event_id": EVENT}}
    assert walk.right(ADMIN, "EmergencyAction", "admin", **stop, confirm=True).executed
    walk.wrong(ADMIN, "EmergencyAction", "admin", "INVALID_ARGUMENT", "confirm", **stop)

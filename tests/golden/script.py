"""One short walk through everything that is stored, on a desk: what is called, by whom, and what was answered."""

import base64
from typing import Any

import msgspec

from tests.rpc.desk import GATEWAY, INVENTORY, PAYMENT, QUEUE, RESERVATION, Desk
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2, webhook_pb2, websocket_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.signatures import SECRET_PREFIX
from traffic_tacos.ports.http import HttpAnswer

POOL = EVENT.replace("evt_sim", "evt_pool").replace("currency", "sale_start_time: 2027-01-15T08:01:00+00:00\ncurrency")
ADMIN = "common.v1.AdminService/"
CATALOG = "tacos.catalog.v1.CatalogService/"


class Asked(msgspec.Struct, frozen=True):
    """A call under an idempotency key, and its answer: messages in base64."""

    path: str
    role: str
    name: str
    request: str
    answer: str


class Walk:
    """`ask` calls under an idempotency key, and keeps what was answered."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.asked: list[Asked] = []

    async def ask(self, path: str, role: Role, name: str, **fields: Any) -> Any:
        request = self.desk.platform.calls.methods["/" + path].request(**fields)
        answer = await self.desk.ask(path, request, self.desk.token(role, name))
        sent, got = (base64.b64encode(one.SerializeToString()).decode() for one in (request, answer))
        self.asked.append(Asked(path, role.value, name, sent, got))
        return answer

    async def as_fan(self, path: str, name: str, **fields: Any) -> Any:
        return await self.ask(path, Role.FAN, name, **fields)

    async def reserve(self, name: str, quantity: int, *seats: str) -> Any:
        return await self.as_fan(
            GATEWAY + "CreateReservation",
            name,
            event_id=EVENT_ID,
            seat_ids=seats,
            quantity=len(seats) or quantity,
            user_id=name,
            reservation_token=await self.desk.admitted(name),
            idempotency_key=f"create-{name}",
        )

    async def pay(self, name: str, held: Any) -> None:
        intent = await self.as_fan(
            GATEWAY + "CreatePaymentIntent",
            name,
            reservation_id=held.reservation_id,
            amount=held.total_amount,
            user_id=name,
            method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
            scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
            idempotency_key=f"intent-{name}",
        )
        card = {"card_number": "4242424242424242", "expiry_month": "12", "expiry_year": "2030"}
        await self.as_fan(
            PAYMENT + "ProcessPayment",
            name,
            payment_intent_id=intent.payment_intent_id,
            payment_details={"method": payment_pb2.PAYMENT_METHOD_CREDIT_CARD, "credit_card": card},
            idempotency_key=f"process-{name}",
        )


async def walk(desk: Desk) -> list[Asked]:
    """Within five minutes, the shortest time that an answer is remembered."""

    async def taken(_: dict[str, str], __: bytes) -> HttpAnswer:
        return HttpAnswer(200)

    desk.servers["https://"] = taken
    await _operators(desk)
    way = Walk(desk)
    ana, ben, cem = [await way.reserve(name, seats) for name, seats in (("ana", 2), ("ben", 1), ("cem", 1))]
    await way.reserve("dan", 1, "MAIN-Z-1")
    await way.pay("ana", ana)
    extension = {"extension_seconds": 30, "reason": "slow", "idempotency_key": "extend-ben"}
    held = {"reservation_id": ben.reservation_id, "user_id": "ben"}
    await way.as_fan(RESERVATION + "ExtendHold", "ben", **held, **extension)
    await way.as_fan(GATEWAY + "CancelReservation", "ben", **held, reason="no", idempotency_key="cancel-ben")
    await way.pay("cem", cem)
    await desk.clock.sleep(20)
    intent = {"payment_intent_id": (await desk.reservation(ana.reservation_id)).payment_intent_id}
    bought = {"reservation_id": ana.reservation_id, "user_id": "ana"}
    await way.as_fan(GATEWAY + "ConfirmReservation", "ana", **bought, **intent, idempotency_key="confirm-ana")
    part = {"amount": 1000, "currency": "KRW"}
    await way.ask(PAYMENT + "CancelPayment", Role.SERVICE, "till", **intent, refund_amount=part, idempotency_key="part")
    returned = {"reservation_id": cem.reservation_id, "user_id": "cem", "reason": "no"}
    await way.as_fan(GATEWAY + "CancelReservation", "cem", **returned, idempotency_key="return-cem")
    hold = {"reservation_id": "rsv_by_hand", "event_id": EVENT_ID}
    seat = {"seat_ids": ["PIT-S1-4"], "quantity": 1, "user_id": "eve"}
    await way.ask(INVENTORY + "ReserveSeat", Role.SERVICE, "till", **hold, **seat, idempotency_key="reserve-eve")
    await way.ask(INVENTORY + "ReleaseHold", Role.SERVICE, "till", **hold, reason="no", idempotency_key="release-eve")
    message = websocket_pb2.SendMessageRequest(target_user_id="fay", message_type=1, title="hello", content="hello")
    await desk.as_service("gateway.v1.WebSocketService/SendMessage", message)
    await desk.clock.sleep(40)
    return way.asked


async def _operators(desk: Desk) -> None:
    admin = desk.token(Role.ADMIN, "op")
    await desk.ask(CATALOG + "CreateEvent", catalog_pb2.CreateEventRequest(document=POOL), admin)
    pooled = queue_pb2.JoinQueueRequest(event_id="evt_pool", user_id="gus", session_id="gus")
    await desk.as_fan(QUEUE + "JoinQueue", pooled, "gus")
    for service, key, value in (
        ("queue", "admission.rate_per_second", "5"),
        ("gateway", "limits.fan_per_second", "90"),
    ):
        change = admin_pb2.UpdateConfigRequest(service=service, config_key=key, config_value=value, reason="golden")
        await desk.ask(ADMIN + "UpdateConfig", change, admin)
    block = {"event_id": EVENT_ID, "seat_ids": ["PIT-S1-3"], "reason": "house"}
    await desk.ask(CATALOG + "BlockSeats", catalog_pb2.BlockSeatsRequest(**block), admin)
    hook = webhook_pb2.RegisterWebhookRequest(
        service_name="shop",
        endpoint_url="https://shop.example/hook",
        event_types=[webhook_pb2.WEBHOOK_EVENT_TYPE_PAYMENT_APPROVED],
        secret=SECRET_PREFIX + base64.b64encode(b"s" * 32).decode(),
    )
    await desk.as_service("gateway.v1.WebhookService/RegisterWebhook", hook)
    for event_id, resume in (("evt_pool", {}), (EVENT_ID, {}), (EVENT_ID, {"resume": "true"})):
        stop = admin_pb2.EmergencyActionRequest(
            action=admin_pb2.EMERGENCY_ACTION_TYPE_CANCEL_RESERVATIONS,
            reason="golden",
            confirm=True,
            parameters={"event_id": event_id, **resume},
        )
        await desk.ask(ADMIN + "EmergencyAction", stop, admin)

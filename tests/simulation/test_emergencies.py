"""Every emergency action in the middle of a running sale of hundreds of fans, or of a thousand: it does what it says
within a second, can be undone, and every promise is kept.
"""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, PAYMENT, QUEUE, code, on_platform
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.rooms.reservation.records import RESERVATION
from traffic_tacos.rooms.waiting_room.records import TICKET

EVENT_ID = "evt_rush"
COME_WITHIN_SECONDS = 10.0
PULLED_AFTER, UNDONE_AFTER = 8.0, 12.0
AGAIN = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "FAILED_PRECONDITION"}


def event(fans):
    """With seats for all of them, and a queue that takes as long to let them in however many they are."""
    return f"""
id: {EVENT_ID}
name: Rush
currency: KRW
admission: {{rate_per_second: {fans // 25}, active_max: {fans * 3 // 10}, offer_seconds: 20}}
sections: [{{id: PIT, name: Standing, price: 100, standing: {fans + 200}}}]
"""


class Rush:
    """Fans who know what they want, and how far they got."""

    def __init__(self, desk, fans):
        self.desk = desk
        self.fans = fans
        self.tickets = 0
        self.refused = {}  # of each call, when it was refused with UNAVAILABLE or FAILED_PRECONDITION
        self.made = {}  # of each call, when it was answered

    async def fan(self, number):
        name = f"fan{number}"
        await asyncio.sleep(number / self.fans * COME_WITHIN_SECONDS)
        joined = await self.ask(QUEUE, "JoinQueue", name, event_id=EVENT_ID, user_id=name, session_id=name)
        for attempt in range(100):
            if await self.buys(name, joined.waiting_token, f"{name}-{attempt}"):
                self.tickets += 1
                return
            await asyncio.sleep(1)
            joined = await self.ask(
                QUEUE, "JoinQueue", name, ("ALREADY_EXISTS",), event_id=EVENT_ID, user_id=name, session_id=name
            )

    async def buys(self, name, token, key):
        """One attempt from the line to the ticket."""
        admission = None
        while not admission:
            answer = await self.ask(
                QUEUE, "RequestAdmission", name, waiting_token=token, event_id=EVENT_ID, user_id=name
            )
            if answer is None:
                return False
            admission = answer.reservation_token
            await asyncio.sleep(1)
        held = await self.ask(
            GATEWAY, "CreateReservation", name, event_id=EVENT_ID, quantity=1, user_id=name,
            reservation_token=admission, idempotency_key=key,
        )  # fmt: skip
        if held is None:
            return False
        await asyncio.sleep(2)  # looks for the card
        intent = await self.ask(
            GATEWAY, "CreatePaymentIntent", name, reservation_id=held.reservation_id, amount=held.total_amount,
            user_id=name, method=1, scenario=1, idempotency_key=f"{key}-intent",
        )  # fmt: skip
        if intent is None:
            return False
        paid = {"payment_intent_id": intent.payment_intent_id, "idempotency_key": f"{key}-pay"}
        await self.ask(PAYMENT, "ProcessPayment", name, **paid)
        while True:
            shown = await self.ask(GATEWAY, "GetReservation", name, reservation_id=held.reservation_id)
            status = shown.reservation.status
            if status != reservation_pb2.RESERVATION_STATUS_PENDING:
                return status == reservation_pb2.RESERVATION_STATUS_CONFIRMED
            await asyncio.sleep(1)

    async def ask(self, service, rpc, name, fine=(), **fields):
        """The answer, asked for again while the platform cannot or will not say; None when it is a final no."""
        module = {QUEUE: queue_pb2, GATEWAY: gateway_pb2, PAYMENT: payment_pb2}[service]
        request = getattr(module, f"{rpc}Request")(**fields)
        for _ in range(600):
            answer = await self.desk.call(service + rpc, request, name)
            said = code(answer)
            if said in ("", *fine) or (said == "ALREADY_EXISTS" and rpc == "JoinQueue"):
                self.made.setdefault(rpc, []).append(self.desk.clock.now())
                return answer
            if said not in AGAIN:
                return None
            self.refused.setdefault(rpc, []).append(self.desk.clock.now())
            if said == "FAILED_PRECONDITION" and rpc != "CreateReservation":
                return None
            await asyncio.sleep(0.5)
        raise AssertionError(f"{name} never got an answer to {rpc}")

    def between(self, calls, since, until):
        return sum(since <= at < until for at in calls)

    def pending(self):
        found = [one for _, one in self.desk.records().all(RESERVATION)]
        return [one for one in found if one.status is ReservationStatus.PENDING and not one.confirming]

    def granted(self, since, until):
        granted = [one.granted_at for _, one in self.desk.records().all(TICKET) if one.granted_at is not None]
        return self.between(granted, since, until)


def check_stop_admissions(rush, since, until):
    assert rush.granted(since, until) == 0
    assert rush.between(rush.made["JoinQueue"], since, until) > 0  # they go on joining


def check_cancel_reservations(rush, since, until):
    assert rush.pending() == []
    assert rush.between(rush.made.get("CreateReservation", []), since, until) == 0
    assert rush.between(rush.refused["CreateReservation"], since, until) > 10
    stats = [one for _, one in rush.desk.records().all(RESERVATION) if one.status is ReservationStatus.CANCELLED]
    assert len(stats) > 20


def check_circuit_breaker(rush, since, until):
    assert rush.between(rush.made["CreatePaymentIntent"], since, until) == 0
    assert rush.between(rush.refused["CreatePaymentIntent"], since, until) > 10
    assert rush.between(rush.made["CreateReservation"], since, until) > 10  # the other rooms go on


def check_maintenance(rush, since, until):
    assert rush.granted(since, until) == 0
    for begins in ("JoinQueue", "RequestAdmission", "CreateReservation"):
        assert rush.between(rush.made.get(begins, []), since, until) == 0, begins
        assert rush.between(rush.refused.get(begins, []), since, until) > 0, begins
    assert rush.between(rush.made["CreatePaymentIntent"], since, until) > 10  # what was begun is finished


ACTIONS = {
    "STOP_ADMISSIONS": ({}, check_stop_admissions),
    "CANCEL_RESERVATIONS": ({"event_id": EVENT_ID}, check_cancel_reservations),
    "CIRCUIT_BREAKER": ({"service": "payment"}, check_circuit_breaker),
    "MAINTENANCE_MODE": ({"message": "a moment"}, check_maintenance),
}


@pytest.mark.parametrize("count", [400, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("action", ACTIONS)
def test_in_the_middle_of_a_sale(action, count):
    parameters, check = ACTIONS[action]

    @on_platform
    async def on_desk(desk):
        desk.checks_every_commit = False
        await desk.platform.put_on_sale(event(count))
        rush = Rush(desk, count)
        fans = [asyncio.create_task(rush.fan(number)) for number in range(count)]
        await asyncio.sleep(PULLED_AFTER)
        begun = desk.clock.now()
        await pull(desk, action, **parameters)
        assert desk.clock.now() - begun < SECOND
        await asyncio.sleep(UNDONE_AFTER - PULLED_AFTER)
        check(rush, begun + SECOND, desk.clock.now())
        assert desk.broken_invariants() == []
        await pull(desk, action, **parameters | {"resume": "true", "message": ""})
        resumed = desk.clock.now()
        await asyncio.gather(*fans)
        assert rush.tickets == count
        if action != "CANCEL_RESERVATIONS":  # after which those who were in already come first
            assert rush.granted(resumed, resumed + 3 * SECOND) > 30
        await asyncio.sleep(300)
        sold = [one for _, one in desk.records().all(RESERVATION) if one.status is ReservationStatus.CONFIRMED]
        assert (len(sold), desk.jobs(), desk.dead()) == (count, [], [])
        assert len({one.user_id for one in sold}) == count

    on_desk()


@on_platform
async def test_a_failover_is_refused_and_changes_nothing(desk):
    request = admin_pb2.EmergencyActionRequest(
        action=admin_pb2.EMERGENCY_ACTION_TYPE_FORCE_FAILOVER, reason="a test", confirm=True
    )
    commits = desk.commits
    assert code(await desk.operate("common.v1.AdminService/EmergencyAction", request)) == "FAILED_PRECONDITION"
    assert desk.commits == commits


async def pull(desk, action, **parameters):
    known = {name: value for name, value in parameters.items() if value}
    if "resume" in known:
        known.pop("message", None)
    request = admin_pb2.EmergencyActionRequest(
        action=f"EMERGENCY_ACTION_TYPE_{action}", reason="a test", confirm=True, parameters=known
    )
    answer = await desk.operate("common.v1.AdminService/EmergencyAction", request)
    assert answer.executed, answer

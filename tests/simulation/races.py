"""The races of a purchase: two who want opposite things of one reservation at the same moment.

Each is a schedule: who comes first, how far they get before the other starts, and where everything crashes.
No worker runs meanwhile; afterwards it comes back, and whatever was left half done must end in one of the
outcomes that the race may have.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from tests.simulation.loop import VirtualLoop, run
from tests.simulation.world import EVENT, EVENT_ID, FAULTS, HALF_BACK, STEADY, THREE_EACH, Broken, Unreachable, World
from traffic_tacos.gen.common.v1 import errors_pb2, types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, webhook_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.admission.v1 import admission_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.ports.webhooks import PAYMENT_SOURCE
from traffic_tacos.rooms.payment.model import Payment
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.records import RESERVATION

QUEUE = "gateway.v1.QueueService/"
GATEWAY = "gateway.v1.GatewayService/"
PAYMENTS = "payment.v1.PaymentService/"
RESERVATIONS = "reservation.v1.ReservationService/"
CATALOG = "tacos.catalog.v1.CatalogService/"
TICKETS = "tacos.admission.v1.TicketService/ListTickets"
CHECK_IN = "tacos.admission.v1.DoorService/CheckIn"
LIFECYCLE = "tacos.lifecycle.v1.LifecycleService/"
WEBHOOK = "gateway.v1.WebhookService/ReceivePaymentWebhook"
SEATS = ("MAIN-A-1", "MAIN-A-2")
WITHOUT_WORKER = frozenset({"worker"})
WORKER = Caller(Role.SERVICE, "worker")
OPERATOR = Caller(Role.ADMIN, "operator")
UNSURE = frozenset({errors_pb2.ERROR_CODE_UNAVAILABLE, errors_pb2.ERROR_CODE_TIMEOUT})
TRIES_MAX = 200
AFTERWARDS_SECONDS = 120  # every hold has ended, every result was looked at


class Stage:
    """One reservation of ana's, and everybody who does something to it. Calls are repeated until they are answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: Any = None
        self.intents: list[str] = []
        self._keys = 0
        self.places: list[str] = []

    async def surely(self, path: str, request: Any, caller: Caller, tries: int = TRIES_MAX) -> Any:
        world = self.world
        for _ in range(tries):
            if not world.is_down:
                calls = world.platform.calls
                call = Call(caller, calls.new_trace_id(), world.clock.now() + 10 * SECOND)
                try:
                    answer = await world.answer(calls, calls.methods["/" + path], request, call)
                except Unreachable:
                    pass
                else:
                    if not answer.HasField("error") or answer.error.code not in UNSURE:
                        return answer
            await world.clock.sleep(0.05)
        raise Broken(f"{path} was never answered")

    def key(self) -> str:
        self._keys += 1
        return f"race-{self._keys}"

    async def reserve(self, fan: str, seats: tuple[str, ...] = (), quantity: int = 2) -> Any:
        who = Caller(Role.FAN, fan)
        joined = await self.surely(
            QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=fan, session_id=fan), who
        )
        request = queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=EVENT_ID, user_id=fan)
        while not (admission := await self.surely(QUEUE + "RequestAdmission", request, who)).reservation_token:
            await self.world.clock.sleep(0.2)
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID,
            seat_ids=seats,
            quantity=quantity,
            user_id=fan,
            reservation_token=admission.reservation_token,
            idempotency_key=self.key(),
        )
        return await self.surely(GATEWAY + "CreateReservation", request, who)

    async def hold(self) -> None:
        self.held = await self.reserve("ana", SEATS)
        assert not self.held.HasField("error"), self.held.error

    async def pay(self) -> None:
        """A payment that the bank answers only when it is told to."""
        create = payment_pb2.CreatePaymentIntentRequest(
            reservation_id=self.held.reservation_id,
            amount=self.held.total_amount,
            user_id="ana",
            method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
            scenario=payment_pb2.PAYMENT_SCENARIO_TIMEOUT,
            webhook_url="https://shop.example/hook",
            idempotency_key=self.key(),
        )
        intent = await self.surely(PAYMENTS + "CreatePaymentIntent", create, WORKER)
        assert not intent.HasField("error"), intent.error
        process = payment_pb2.ProcessPaymentRequest(
            payment_intent_id=intent.payment_intent_id, idempotency_key=self.key()
        )
        await self.surely(PAYMENTS + "ProcessPayment", process, WORKER)
        self.intents.append(intent.payment_intent_id)

    async def begin_to_pay(self) -> None:
        """A payment of whatever the reservation still is; none is made of one that has ended."""
        create = gateway_pb2.CreatePaymentIntentRequest(
            reservation_id=self.held.reservation_id,
            amount=self.held.total_amount,
            user_id="ana",
            method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
            scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
            idempotency_key=self.key(),
        )
        intent = await self.surely(GATEWAY + "CreatePaymentIntent", create, Caller(Role.FAN, "ana"))
        if not intent.HasField("error"):
            self.intents.append(intent.payment_intent_id)

    async def succeed(self, which: int = 0) -> None:
        """The bank says yes; nobody has heard of it yet."""
        request = payment_pb2.SimulateWebhookRequest(
            payment_intent_id=self.intents[which], target_status=payment_pb2.PAYMENT_STATUS_COMPLETED
        )
        await self.surely(PAYMENTS + "SimulateWebhook", request, WORKER)
        for _ in range(TRIES_MAX):
            if self.status_of(self.intents[which]) is not PaymentStatus.PROCESSING:
                return
            await self.world.clock.sleep(0.05)

    async def until_the_deadline(self) -> None:
        deadline = self.held.hold_expires_at.ToMilliseconds()
        await self.world.clock.sleep(max(0, deadline - self.world.clock.now()) / SECOND)

    def status_of(self, intent: str) -> PaymentStatus:
        return self.payment(intent).status

    def payment(self, intent: str) -> Payment:
        return next(one for _, one in self.world.records().all(PAYMENT) if one.id == intent)

    # What they do.

    async def confirm(self, which: int = 0) -> Any:
        request = reservation_pb2.ConfirmReservationRequest(
            reservation_id=self.held.reservation_id,
            payment_intent_id=self.intents[which],
            user_id="ana",
            idempotency_key=self.key(),
        )
        return await self.surely(RESERVATIONS + "ConfirmReservation", request, WORKER)

    async def confirm_other(self) -> Any:
        return await self.confirm(1)

    async def expire(self) -> Any:
        await self.until_the_deadline()
        request = lifecycle_pb2.ExpireReservationRequest(reservation_id=self.held.reservation_id)
        with suppress(Broken):  # "not yet" is no answer: it was extended
            return await self.surely(LIFECYCLE + "ExpireReservation", request, WORKER, tries=20)

    async def cancel(self) -> Any:
        request = reservation_pb2.CancelReservationRequest(
            reservation_id=self.held.reservation_id, user_id="ana", idempotency_key=self.key()
        )
        return await self.surely(RESERVATIONS + "CancelReservation", request, WORKER)

    async def extend(self) -> Any:
        request = reservation_pb2.ExtendHoldRequest(
            reservation_id=self.held.reservation_id, user_id="ana", extension_seconds=30, idempotency_key=self.key()
        )
        return await self.surely(RESERVATIONS + "ExtendHold", request, Caller(Role.FAN, "ana"))

    async def settle(self) -> Any:
        request = lifecycle_pb2.SettleReservationRequest(
            reservation_id=self.held.reservation_id, payment_intent_id=self.intents[0]
        )
        return await self.surely(LIFECYCLE + "SettleReservation", request, WORKER)

    async def succeed_and_settle(self) -> None:
        await self.succeed()
        await self.settle()

    async def refund(self) -> Any:
        request = payment_pb2.CancelPaymentRequest(payment_intent_id=self.intents[0], idempotency_key=self.key())
        return await self.surely(PAYMENTS + "CancelPayment", request, WORKER)

    async def refund_a_part(self) -> Any:
        """60 of 100 by hand, in an event that gives half back."""
        request = payment_pb2.CancelPaymentRequest(payment_intent_id=self.intents[0], idempotency_key=self.key())
        request.refund_amount.CopyFrom(types_pb2.Money(amount=60_000, currency="KRW"))
        return await self.surely(PAYMENTS + "CancelPayment", request, OPERATOR)

    async def enter(self) -> None:
        """Somebody comes to the door with the ticket, if there is one; whether they enter is what the race is about."""
        asked = admission_pb2.ListTicketsRequest(reservation_id=self.held.reservation_id)
        shown = await self.surely(TICKETS, asked, WORKER)
        if shown.tickets:
            ticket, scan_id = shown.tickets[0].ticket, self.key()
            scan = admission_pb2.CheckInRequest(ticket=ticket, event_id=EVENT_ID, scanner_id="north", scan_id=scan_id)
            await self.surely(CHECK_IN, scan, WORKER)

    async def hear(self, kind: int, webhook_id: str) -> Any:
        """The bank's webhook arrives, and whoever looks because of it."""
        seconds = self.world.clock.now() // SECOND
        data = webhook_pb2.PaymentWebhookData(
            payment_intent_id=self.intents[0], reservation_id=self.held.reservation_id
        )
        signed = data.SerializeToString(deterministic=True)
        request = webhook_pb2.PaymentWebhookRequest(
            webhook_id=webhook_id,
            event_type=kind,
            data=data,
            timestamp=Timestamp(seconds=seconds),
            signature=signatures.sign_all(self.world.keys.webhook, webhook_id, seconds, signed),
            source=PAYMENT_SOURCE,
        )
        answer = await self.surely(WEBHOOK, request, Caller())
        assert answer.accepted, answer.error
        await self.settle()
        return answer

    async def hear_approved(self) -> Any:
        return await self.hear(webhook_pb2.PAYMENT_WEBHOOK_TYPE_APPROVED, "wh_1")

    async def hear_failed(self) -> Any:
        return await self.hear(webhook_pb2.PAYMENT_WEBHOOK_TYPE_FAILED, "wh_2")

    async def be_admitted(self) -> None:
        """Ana's turn has come; she has not reserved yet."""
        self.admission = await self._admitted("ana")

    async def _admitted(self, fan: str) -> Any:
        """The fan's admission; None when they are refused one."""
        who = Caller(Role.FAN, fan)
        join = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=fan, session_id=fan)
        joined = await self.surely(QUEUE + "JoinQueue", join, who)
        request = queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=EVENT_ID, user_id=fan)
        while joined.waiting_token:
            admission = await self.surely(QUEUE + "RequestAdmission", request, who)
            if admission.reservation_token or admission.HasField("error"):
                return admission if admission.reservation_token else None
            await self.world.clock.sleep(0.2)
        return None

    async def hold_as_admitted(self) -> None:
        """A hold, unless it is refused."""
        if self.admission is None:
            return
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID,
            seat_ids=SEATS,
            user_id="ana",
            reservation_token=self.admission.reservation_token,
            idempotency_key=self.key(),
        )
        held = await self.surely(GATEWAY + "CreateReservation", request, Caller(Role.FAN, "ana"))
        self.held = None if held.HasField("error") else held

    async def take_two_places(self) -> None:
        """Ana waits twice, on her phone and on her laptop, and both have their turn."""
        for session in ("phone", "laptop"):
            join = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id=session)
            joined = await self.surely(QUEUE + "JoinQueue", join, Caller())
            ask = queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=EVENT_ID)
            while not (admission := await self.surely(QUEUE + "RequestAdmission", ask, Caller())).reservation_token:
                await self.world.clock.sleep(0.2)
            self.places.append(admission.reservation_token)

    async def hold_by_place(self, which: int) -> Any:
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID,
            quantity=2,
            user_id="ana",
            reservation_token=self.places[which],
            idempotency_key=f"place-{which}",
        )
        return await self.surely(GATEWAY + "CreateReservation", request, Caller(Role.FAN, "ana"))

    async def hold_on_the_phone(self) -> None:
        self.held = await self.hold_by_place(0)

    async def hold_on_the_laptop(self) -> None:
        self.other = await self.hold_by_place(1)

    async def join_and_hold(self) -> None:
        await self.be_admitted()
        await self.hold_as_admitted()

    async def end_the_sale(self) -> Any:
        """The operator ends it, now."""
        now = datetime.fromtimestamp(self.world.clock.now() / SECOND, UTC).isoformat()
        document = EVENT.replace("currency", f"sale_end_time: {now}\ncurrency")
        request = catalog_pb2.UpdateEventRequest(event_id=EVENT_ID, document=document)
        return await self.surely(CATALOG + "UpdateEvent", request, OPERATOR)

    async def pick_best(self) -> None:
        self.held = await self.reserve("ana", quantity=2)

    async def pick_by_name(self) -> None:
        best = ("MAIN-A-4", "MAIN-A-5")  # what is best for two in an empty house
        self.other = await self.reserve("ben", best)

    async def take_what_is_released(self) -> None:
        for _ in range(TRIES_MAX):
            self.other = await self.reserve("ben", SEATS)
            if not self.other.HasField("error"):
                return
            await self.world.clock.sleep(0.2)

    other: Any = None
    admission: Any = None


Act = Callable[[Stage], Awaitable[Any]]


class Race(msgspec.Struct, frozen=True):
    """`first_wins` and `second_wins` are the outcomes when one of them is done before the other begins; when they
    meet it may be either, or one of `between`. An outcome is the reservation's status and those of its payments,
    with what went back of those that were refunded in part.
    """

    prepare: tuple[Act, ...]
    first: Act
    second: Act
    first_wins: str
    second_wins: str
    between: tuple[str, ...] = ()
    event: str = EVENT


async def _to_the_brink(stage: Stage) -> None:
    """A moment before the deadline."""
    deadline = stage.held.hold_expires_at.ToMilliseconds()
    await stage.world.clock.sleep(max(0, deadline - 5 - stage.world.clock.now()) / SECOND)


HOLD, PAY = Stage.hold, Stage.pay
PAID = (HOLD, PAY, Stage.succeed)
LATE = Stage.until_the_deadline
RACES: dict[str, Race] = {
    # The payment has come, the hold has ended: the same seats are still free, so it becomes the order.
    "confirm and expire": Race(
        (*PAID, LATE), Stage.confirm, Stage.expire, "CONFIRMED COMPLETED", "CONFIRMED COMPLETED"
    ),
    "confirm and cancel": Race(
        PAID, Stage.confirm, Stage.cancel, "REFUNDED REFUNDED", "CANCELLED REFUNDED", ("CONFIRMED COMPLETED",)
    ),
    "cancel and payment success": Race(
        (HOLD, PAY),
        Stage.cancel,
        Stage.succeed_and_settle,
        "CANCELLED CANCELLED",
        "REFUNDED REFUNDED",
        ("CANCELLED REFUNDED", "CONFIRMED COMPLETED"),
    ),
    "expire and payment success": Race(
        (HOLD, PAY, LATE), Stage.expire, Stage.succeed_and_settle, "EXPIRED CANCELLED", "CONFIRMED COMPLETED"
    ),
    # What begins before the end is stopped with it, or at the deadline when the end has not seen it; after it, nothing
    # begins.
    "cancel and begin to pay": Race((HOLD,), Stage.cancel, Stage.begin_to_pay, "CANCELLED", "CANCELLED CANCELLED"),
    "cancel and extend": Race((HOLD, PAY), Stage.cancel, Stage.extend, "CANCELLED CANCELLED", "CANCELLED CANCELLED"),
    "extend and expire": Race((HOLD, _to_the_brink), Stage.extend, Stage.expire, "EXPIRED", "EXPIRED"),
    "two confirms": Race(PAID, Stage.confirm, Stage.confirm, "CONFIRMED COMPLETED", "CONFIRMED COMPLETED"),
    "two payments": Race(
        (HOLD, PAY, PAY, Stage.succeed, lambda stage: stage.succeed(1)),
        Stage.confirm,
        Stage.confirm_other,
        "CONFIRMED COMPLETED REFUNDED",
        "CONFIRMED REFUNDED COMPLETED",
    ),
    "two webhooks with one id": Race(
        PAID, Stage.hear_approved, Stage.hear_approved, "CONFIRMED COMPLETED", "CONFIRMED COMPLETED"
    ),
    "failed after completed": Race(
        PAID, Stage.hear_approved, Stage.hear_failed, "CONFIRMED COMPLETED", "CONFIRMED COMPLETED"
    ),
    "refund and late webhook": Race(
        (*PAID, Stage.confirm), Stage.refund, Stage.hear_approved, "REFUNDED REFUNDED", "REFUNDED REFUNDED"
    ),
    "refund and refund": Race(
        (*PAID, Stage.confirm), Stage.refund, Stage.cancel, "REFUNDED REFUNDED", "REFUNDED REFUNDED"
    ),
    "refund by hand and give back": Race(
        (*PAID, Stage.confirm),
        Stage.refund_a_part,
        Stage.cancel,
        "REFUNDED COMPLETED-60000",
        "REFUNDED COMPLETED-60000",
        event=EVENT + HALF_BACK,
    ),
    "enter and give back": Race(
        (*PAID, Stage.confirm), Stage.enter, Stage.cancel, "CONFIRMED COMPLETED", "REFUNDED REFUNDED"
    ),
    "enter and enter": Race(
        (*PAID, Stage.confirm), Stage.enter, Stage.enter, "CONFIRMED COMPLETED", "CONFIRMED COMPLETED"
    ),
    "confirm and refund": Race(PAID, Stage.confirm, Stage.refund, "REFUNDED REFUNDED", "EXPIRED REFUNDED"),
    "best available and a named pick": Race((), Stage.pick_best, Stage.pick_by_name, "EXPIRED", "EXPIRED"),
    "two places of one person": Race(
        (Stage.take_two_places,),
        Stage.hold_on_the_phone,
        Stage.hold_on_the_laptop,
        "EXPIRED",
        "none",
        event=EVENT + THREE_EACH,
    ),
    "release and reserve by another": Race(
        (HOLD,), Stage.cancel, Stage.take_what_is_released, "CANCELLED", "CANCELLED"
    ),
}


# A sale that ends: what is asked for afterwards is refused, and what was held before may be paid.
RACES |= {
    "hold and the end of the sale": Race(
        (Stage.be_admitted,), Stage.hold_as_admitted, Stage.end_the_sale, "EXPIRED", "none"
    ),
    "join and the end of the sale": Race((), Stage.join_and_hold, Stage.end_the_sale, "EXPIRED", "none"),
    "payment success and the end of the sale": Race(
        (HOLD, PAY), Stage.succeed_and_settle, Stage.end_the_sale, "CONFIRMED COMPLETED", "CONFIRMED COMPLETED"
    ),
}


async def prepared(world: World, race: Race) -> Stage:
    world.servers["https://shop.example"] = _taken
    await world.crash(without=WITHOUT_WORKER)
    stage = Stage(world)
    for step in race.prepare:
        await step(stage)
    return stage


async def _taken(_: dict[str, str], __: bytes) -> HttpAnswer:
    return HttpAnswer(200)


def outcome(stage: Stage) -> str:
    """How ana's reservation and its payments stand at rest, in the order in which they were made."""
    if stage.held is None or stage.held.HasField("error"):
        return "none"
    reservation = next(one for _, one in stage.world.records().all(RESERVATION) if one.id == stage.held.reservation_id)
    status = reservation.as_read(stage.world.clock.now()).status.name
    return " ".join([status, *(_shown(stage.payment(intent)) for intent in stage.intents)])


def _shown(payment: Payment) -> str:
    is_part = 0 < payment.refunded < payment.amount.amount
    return f"{payment.status.name}-{payment.refunded}" if is_part else payment.status.name


def check_seats(stage: Stage) -> None:
    """Where two wanted the same seats, or both of one's places more than one person may have, one has them."""
    mine = {seat.id for seat in stage.held.reserved_seats} if stage.held is not None else set()
    if stage.other is None:
        return
    refusal = errors_pb2.ERROR_CODE_QUOTA_EXCEEDED if stage.places else errors_pb2.ERROR_CODE_INVENTORY_CONFLICT
    if stage.places:
        assert stage.held.HasField("error") != stage.other.HasField("error"), "one of two was to be refused"
    if stage.held.HasField("error"):
        assert stage.held.error.code == refusal
    if stage.other.HasField("error"):
        assert stage.other.error.code == refusal
        return
    theirs = {seat.id for seat in stage.other.reserved_seats}
    assert not outcome(stage).startswith("PENDING") or not mine & theirs


async def at_rest(stage: Stage) -> None:
    """The worker comes back and finishes what was left; nothing may be owed."""
    await stage.world.crash()
    await asyncio.sleep(AFTERWARDS_SECONDS)


def simulate_race(seed: int) -> str:
    """A race on a store that fails, at moments and with a crash that come from the seed; its name and its outcome."""
    loop = VirtualLoop(random.Random(f"race-order-{seed}"))
    return run(_raced(seed, loop), loop)


async def _raced(seed: int, loop: VirtualLoop) -> str:
    name = list(RACES)[seed % len(RACES)]
    race, chance = RACES[name], random.Random(f"race-{seed}")
    world = World(seed, loop, STEADY, lossy=0.0, event=race.event)
    await world.open()
    stage = await prepared(world, race)
    world.faults = world.store.faults = FAULTS

    async def later(act: Act, seconds: float) -> None:
        await world.clock.sleep(seconds)
        await act(stage)

    async def crashing() -> None:
        await world.commits_reach(world.commits + chance.randint(1, 12))
        await world.crash(chance.choice([0.0, 1.0]), without=WITHOUT_WORKER)

    first, second = chance.sample([race.first, race.second], 2)
    falling = asyncio.ensure_future(crashing()) if chance.random() < 0.7 else None
    await asyncio.gather(later(first, 0), later(second, chance.choice([0.0, chance.uniform(0, 1)])))
    if falling is not None and not world.is_down:
        falling.cancel()
    if falling is not None:
        await asyncio.gather(falling, return_exceptions=True)
    world.calm()
    check_seats(stage)
    await at_rest(stage)
    if world.broken is not None:
        raise world.broken
    ended = outcome(stage)
    if ended not in {race.first_wins, race.second_wins, *race.between}:
        raise Broken(f"{name}: {ended}")
    if world.jobs() or world.dead():
        raise Broken(f"{name}: jobs are left: {world.jobs()}, {world.dead()}")
    await world.close()
    return f"{name}: {ended}"

"""One simulated sale from a seed: fans, faults, crashes; then rest, when nothing may be owed."""

import asyncio
import random
from datetime import UTC, datetime

import msgspec

from tests.simulation.fans import Fan
from tests.simulation.loop import VirtualLoop, run
from tests.simulation.receivers import Receivers
from tests.simulation.world import (
    EVENT,
    EVENT_ID,
    FAULTS,
    FOUR_EACH,
    HALF_BACK,
    SALE_ENDS,
    SALE_STARTS,
    Asked,
    Broken,
    World,
)
from traffic_tacos.gen.common.v1 import admin_pb2, types_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.operations.invariants import Everything
from traffic_tacos.operations.reconciler import differences_of
from traffic_tacos.rooms.payment.model import Payment
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.waiting_room.lines import Lines

FANS = 14
CATALOG = "tacos.catalog.v1.CatalogService/"
JOIN = "gateway.v1.QueueService/JoinQueue"
ADMIN = "common.v1.AdminService/"
REST_SECONDS = 1800  # as long as anything is under way, and in every fiftieth sale in any case
QUIET_SECONDS = 60
CAPTURED = (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)
EMERGENCIES = ("STOP_ADMISSIONS", "STOP_ADMISSIONS", "CANCEL_RESERVATIONS", "CIRCUIT_BREAKER", "MAINTENANCE_MODE")


class Outcome(msgspec.Struct, frozen=True):
    seed: int
    digest: str
    commits: int
    crashes: int
    outcomes: dict[str, int]
    trace: tuple[str, ...]


def simulate(seed: int, make: type[World] = World) -> Outcome:
    """Run the sale of this seed in such a world; raises Broken when a promise was broken."""
    loop = VirtualLoop(random.Random(f"order-{seed}"))
    return run(_sale(seed, loop, make), loop)


async def _sale(seed: int, loop: VirtualLoop, make: type[World]) -> Outcome:
    ends_change = make.has_several_clocks and seed % 4 == 0
    times = (SALE_STARTS if seed % 3 == 0 else "") + (SALE_ENDS if seed % 7 == 2 and not ends_change else "")
    document = EVENT.replace("currency", times + "currency") + (HALF_BACK if seed % 2 else "")
    document += FOUR_EACH if seed % 5 == 1 else ""
    world = make(seed, loop, FAULTS, lossy=0.15, event=document)
    world.differences_are_bugs = True
    world.changing = asyncio.Event() if ends_change else None
    await world.open()
    fans = [Fan(world, number) for number in range(2 * FANS if ends_change else FANS)]
    receivers = Receivers(world)
    if seed % 10 == 4:
        await receivers.register()
    crashing = asyncio.create_task(_crash_now_and_then(world))
    operating = asyncio.create_task(_operate_now_and_then(world))
    refunding = asyncio.create_task(_refund_now_and_then(world))
    changing = asyncio.create_task(_change_the_event(world, random.Random(f"event-{seed}")))
    besides = (crashing, operating, refunding, changing)
    try:
        async with asyncio.TaskGroup() as tasks:
            for fan in fans:
                tasks.create_task(fan.live())
    except* Broken as broken:
        raise broken.exceptions[0] from None
    for task in besides:
        task.cancel()
    for ended in await asyncio.gather(*besides, return_exceptions=True):
        if isinstance(ended, Exception):
            raise Broken("the platform did not start again, or could not be operated") from ended
    world.calm()
    receivers.calm()
    await world.whole_again()
    await _rest(world, is_whole=seed % 50 == 0)
    _check_rest(world)
    receivers.check()
    outcomes: dict[str, int] = {}
    for fan in fans:
        outcomes[fan.outcome] = outcomes.get(fan.outcome, 0) + 1
    world.say(str(sorted(outcomes.items())))
    await world.close()
    return Outcome(seed, world.digest(), world.commits, world.crashes, outcomes, tuple(world.trace))


async def _crash_now_and_then(world: World) -> None:
    chance = world.random
    for _ in range(chance.choice([0, 1, 2, 3, 4])):
        await asyncio.sleep(chance.uniform(5, 60))
        down = chance.choice([0.0, 0.0, chance.uniform(0, 40)])
        await world.crash(down, frozenset({"worker"}) if chance.random() < 0.4 else frozenset())


async def _operate_now_and_then(world: World) -> None:
    """Change how fast the line is let in, and pull an emergency lever for a while."""
    chance = world.random
    for _ in range(chance.choice([0, 0, 1, 2])):
        await asyncio.sleep(chance.uniform(1, 60))
        rate = admin_pb2.UpdateConfigRequest(
            service="queue",
            config_key=chance.choice(["", f"events/{EVENT_ID}/"]) + "admission.rate_per_second",
            config_value=chance.choice(["1", "2", "5", ""]),
            reason="simulated",
        )
        await world.operate(ADMIN + "UpdateConfig", rate)
        await _keep_a_seat(world)
        if chance.random() < 0.5:
            await _emergency(world, chance.choice(EMERGENCIES), chance, (1, 30))


async def _emergency(world: World, action: str, chance: random.Random, seconds: tuple[float, float]) -> None:
    await world.operate(ADMIN + "EmergencyAction", _pulled(action, resume=False))
    await asyncio.sleep(chance.uniform(*seconds))
    while (answer := await world.operate(ADMIN + "EmergencyAction", _pulled(action, resume=True))) is None or (
        not answer.executed
    ):
        await asyncio.sleep(1)


async def _change_the_event(world: World, chance: random.Random) -> None:
    """The organizer moves the end of the sale, asks for other prices, which a published event refuses, and stops
    reservations for a moment.
    """
    if world.changing is None:
        return
    await asyncio.sleep(30 if SALE_STARTS in world.event else 12)
    for _ in range(chance.randint(3, 9)):
        await asyncio.sleep(chance.uniform(4, 14))
        world.deafen()
        world.changing.set()
        world.changing.clear()
        ends_at = datetime.fromtimestamp(world.clock.now() / SECOND + chance.uniform(-1, 1), UTC)
        ends = f"sale_end_time: {ends_at.isoformat()}\n" if chance.random() < 0.15 else ""
        price = chance.choice(["50000", "40000"])
        request = catalog_pb2.UpdateEventRequest(
            event_id=EVENT_ID, document=ends + world.event.replace("50000", price), reason="simulated"
        )
        await world.operate(CATALOG + "UpdateEvent", request)
        if chance.random() < 0.5:
            await _emergency(world, "CANCEL_RESERVATIONS", chance, (0, 3))


async def _refund_now_and_then(world: World) -> None:
    chance = world.random
    for _ in range(chance.choice([0, 1, 3, 6])):
        await asyncio.sleep(chance.uniform(1, 40))
        await _refund_somebody(world)


async def _refund_somebody(world: World) -> None:
    """A payment goes back by hand, all of it or a part, whatever is being done with it: bought, or given back."""
    captured = [one for _, one in world.records().all(PAYMENT) if one.status in CAPTURED]
    if not captured:
        return
    payment = world.random.choice(captured)
    price = payment.amount.amount
    total = world.random.choice([1, 1000, price // 2, price * 6 // 10, price])
    request = payment_pb2.CancelPaymentRequest(
        payment_intent_id=payment.id, idempotency_key=f"by-hand-{payment.id}-{total}"
    )
    if total < price:
        request.refund_amount.CopyFrom(types_pb2.Money(amount=total, currency=payment.amount.currency))
    answer = await world.operate("payment.v1.PaymentService/CancelPayment", request)
    asked = Asked(total, is_answered=answer is not None and not answer.HasField("error"))
    world.refunds_asked.setdefault(payment.id, []).append(asked)


def _check_refunded(world: World, everything: Everything, payment: Payment) -> None:
    """What went back is the most that was promised: by the event's policy, by hand, or all when it bought nothing."""
    reservation = everything.reservations[payment.reservation_id]
    owed = 0
    if reservation.payment_intent_id != payment.id:
        owed = payment.amount.amount
    elif reservation.status is ReservationStatus.REFUNDED:
        owed = reservation.refund_minor
    asked = world.refunds_asked.get(payment.id, [])
    least = max([owed, *(one.total for one in asked if one.is_answered)])
    most = max([least, *(one.total for one in asked)])
    if not least <= payment.refunded <= most:
        raise Broken(f"at rest: {payment.id}: {payment.refunded} went back, {least} to {most} was promised")


async def _keep_a_seat(world: World) -> None:
    """The house takes a seat, if it can, and gives it back a little later."""
    seat = world.random.choice(["MAIN-A-1", "MAIN-B-6", "PIT-S1-2"])
    names = {"event_id": EVENT_ID, "seat_ids": [seat], "reason": "simulated"}
    await world.operate(CATALOG + "BlockSeats", catalog_pb2.BlockSeatsRequest(**names))
    await asyncio.sleep(world.random.uniform(0, 20))
    await world.operate(CATALOG + "UnblockSeats", catalog_pb2.UnblockSeatsRequest(**names))


def _pulled(action: str, *, resume: bool) -> admin_pb2.EmergencyActionRequest:
    return admin_pb2.EmergencyActionRequest(
        action=f"EMERGENCY_ACTION_TYPE_{action}",
        reason="simulated",
        confirm=True,
        parameters={"resume": "true"} if resume else {},
    )


async def _rest(world: World, *, is_whole: bool) -> None:
    """Until nothing has been under way for a while, or for as long as anything may be.

    What nobody is going to end does not become right by waiting longer: `_check_rest` looks for it itself.
    """
    quiet = 0
    for _ in range(0, REST_SECONDS, QUIET_SECONDS):
        await asyncio.sleep(QUIET_SECONDS)
        quiet = 0 if world.is_busy() else quiet + 1
        if quiet == 2 and not is_whole:
            return


def _check_rest(world: World) -> None:
    """Nothing is under way, so nothing may be owed: every charge has its ticket or its refund."""
    if world.broken is not None:
        raise world.broken
    for result in world.verify():
        if result.violations:
            raise Broken(f"at rest: {result.invariant}: {result.violations[0]}")
    if world.jobs():
        raise Broken(f"at rest: jobs are left: {world.jobs()[:3]}")
    if world.dead():
        raise Broken(f"at rest: dead letters: {world.dead()}")
    if SALE_ENDS in world.event and world.reached(JOIN).part(Lines).all()[EVENT_ID].line.view().waiting:
        raise Broken("at rest: somebody waits in the line of a sale that is over")
    everything = Everything(world.records(), world.clock.now() + REST_SECONDS * SECOND)
    for difference in differences_of(everything):
        raise Broken(f"at rest: {difference.what}")
    for payment in everything.payments.values():
        if payment.status in (PaymentStatus.PENDING, PaymentStatus.PROCESSING):
            raise Broken(f"at rest: {payment.id} is {payment.status.name}")
        if payment.status in CAPTURED:
            _check_refunded(world, everything, payment)
    for reservation in everything.reservations.values():
        if reservation.confirming:
            raise Broken(f"at rest: {reservation.id} is still being confirmed")

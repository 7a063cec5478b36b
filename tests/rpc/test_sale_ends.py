"""At the end of a sale nobody is let in and nothing is held; what was held before may still be paid."""

import asyncio

import msgspec
import pytest

from tests.rpc.desk import GATEWAY, INVENTORY, QUEUE, RESERVATION, code, on_platform
from tests.rpc.test_waiting_room import Watch, admit, join, status
from tests.simulation.world import EVENT
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.sales import changed_sale, sale_key
from traffic_tacos.ports.store import Decision, delete, put
from traffic_tacos.rooms.catalog.documents import parsed
from traffic_tacos.rooms.inventory.model import Hold
from traffic_tacos.rooms.inventory.records import HOLD, hold_key
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.waiting_room.records import TICKET

ENDING = "evt_ending"


def document(times: str) -> str:
    return EVENT.replace("id: evt_sim", f"id: {ENDING}").replace("currency: KRW", f"currency: KRW\n{times}")


# One minute after the virtual clock begins.
ENDS = [
    "sale_end_time: 2027-01-15T08:01:00Z",
    "end_time: 2027-01-15T08:01:00Z",
    "start_time: 2027-01-15T08:01:00Z",
    "start_time: 2027-01-15T07:00:00Z\nsale_end_time: 2027-01-15T08:01:00Z",
]


async def until(desk, second):
    await desk.clock.sleep(second - (desk.clock.now() / SECOND - 1_800_000_000))


async def reserve_seat(desk, reservation_id, event_id=ENDING):
    request = inventory_pb2.ReserveSeatRequest(
        reservation_id=reservation_id, event_id=event_id, quantity=1, idempotency_key=desk.key()
    )
    return await desk.as_service(INVENTORY + "ReserveSeat", request)


def reservation(desk, fan, token):
    return gateway_pb2.CreateReservationRequest(
        event_id=ENDING, quantity=1, user_id=fan, reservation_token=token, idempotency_key=desk.key()
    )


def test_after_the_end_nothing_begins_and_what_was_held_before_is_paid():
    for times in ENDS:

        @on_platform
        async def on_desk(desk, times=times):
            await desk.platform.put_on_sale(document(times))
            await until(desk, 30)
            ana = await desk.held("ana", 2, event_id=ENDING)
            ben = await desk.admitted("ben", ENDING)
            crowd = [(await join(desk, f"s{n}", ENDING)).waiting_token for n in range(12)]
            watch = Watch(desk, crowd[-1], "s11")
            await until(desk, 59.9)
            assert code(await reserve_seat(desk, "rsv-before")) == ""
            before = await desk.as_fan(GATEWAY + "CreateReservation", reservation(desk, "ben", ben), "ben")
            assert code(before) == ""
            await until(desk, 60)
            said = "event_id: the sale has ended"
            for answer in [
                await join(desk, "late", ENDING),
                await admit(desk, crowd[0], ENDING),
                await admit(desk, crowd[-1], ENDING),
                await reserve_seat(desk, "rsv-after"),
                await desk.as_fan(GATEWAY + "CreateReservation", reservation(desk, "ben", ben), "ben"),
                await desk.as_service(
                    RESERVATION + "CreateReservation",
                    reservation_pb2.CreateReservationRequest(
                        event_id=ENDING, quantity=1, user_id="ben", reservation_token=ben, idempotency_key=desk.key()
                    ),
                ),
            ]:
                assert (code(answer), answer.error.message) == ("FAILED_PRECONDITION", said)
            ended = [await status(desk, token) for token in crowd]
            assert {(one.status, one.position, one.admission_ready) for one in ended} == {
                (queue_pb2.QUEUE_STATUS_EXPIRED, 0, False)
            }
            await desk.pay("ana", ana)
            await desk.clock.sleep(20)
            assert (await desk.reservation(ana.reservation_id)).order_id
            assert watch.ended == "OK"
            assert watch.messages[-2].system_update.message == "the sale has ended"
            assert watch.heard[-1] == "TOKEN_EXPIRED"
            line = desk.platform.part(Lines).all()[ENDING]
            assert (line.line.view().waiting, line.line.figures().ready, line.watchers.count) == (0, 0, 0)
            states = [one.ended for _, one in desk.records().all(TICKET) if not one.user_id]
            assert states == ["EXPIRED"] * 12

        on_desk()


@on_platform
async def test_a_late_payment_gets_the_very_seats_back_after_the_end(desk):
    await desk.platform.put_on_sale(document("sale_end_time: 2027-01-15T08:01:00Z"))
    await until(desk, 50)
    held = await desk.held("ana", 2, event_id=ENDING)
    await desk.crash(without=frozenset({"worker"}))  # so that nobody settles the payment in time
    await until(desk, 100)
    intent = await desk.pay("ana", held)
    await until(desk, 170)
    request = gateway_pb2.ConfirmReservationRequest(
        reservation_id=held.reservation_id, payment_intent_id=intent, user_id="ana", idempotency_key=desk.key()
    )
    confirmed = await desk.as_fan(GATEWAY + "ConfirmReservation", request, "ana")
    assert (code(confirmed), bool(confirmed.order_id)) == ("", True)
    hold = next(hold for path, hold in desk.records().all(HOLD) if ENDING in path)
    assert hold.held_at is not None and hold.held_at < 1_800_000_060 * SECOND


async def updated(desk, text: str) -> None:
    request = catalog_pb2.UpdateEventRequest(event_id=ENDING, document=text)
    answer = await desk.ask("tacos.catalog.v1.CatalogService/UpdateEvent", request, desk.token(Role.ADMIN, "op"))
    assert code(answer) == "", answer


@on_platform
async def test_an_end_that_is_moved_is_kept_to_the_instant_and_not_when_news_of_it_arrives(desk):
    await desk.platform.put_on_sale(document("sale_end_time: 2027-01-15T09:00:00Z"))
    token = (await join(desk, "s", ENDING)).waiting_token
    assert code(await reserve_seat(desk, "rsv-1")) == ""
    await desk.clock.sleep(30)
    await updated(desk, document("sale_end_time: 2027-01-15T08:00:20Z"))
    answers = await asyncio.gather(reserve_seat(desk, "rsv-2"), admit(desk, token, ENDING), join(desk, "t", ENDING))
    assert [code(answer) for answer in answers] == ["FAILED_PRECONDITION"] * 3
    await updated(desk, document("sale_end_time: 2027-01-15T09:00:00Z"))
    assert code(await reserve_seat(desk, "rsv-3")) == ""
    await desk.clock.sleep(1)
    assert code(await join(desk, "t", ENDING)) == ""  # and what was sold under an earlier end is in order


@on_platform
async def test_nothing_is_held_before_the_sale_starts(desk):
    await desk.platform.put_on_sale(document("sale_start_time: 2027-01-15T08:01:00Z"))
    early = await reserve_seat(desk, "rsv-early")
    assert (code(early), early.error.message) == ("FAILED_PRECONDITION", "event_id: the sale has not started yet")
    await until(desk, 60)
    assert code(await reserve_seat(desk, "rsv-early")) == ""


@on_platform
async def test_verify_finds_what_was_held_or_admitted_after_the_end(desk):
    await desk.platform.put_on_sale(document("sale_end_time: 2027-01-15T08:01:00Z"))
    token = (await join(desk, "s", ENDING)).waiting_token
    await admit(desk, token, ENDING)
    assert code(await reserve_seat(desk, "rsv-1")) == ""
    key = hold_key(ENDING, "rsv-1")
    hold = await desk.store.get(key)
    ((path, ticket),) = [(path, one) for path, one in desk.records().all(TICKET) if ENDING in path]
    ticket_at = TICKET.key(*path.split("/")[1:])
    desk.checks_every_commit = False

    async def write(*writes):
        await desk.store.transact((), lambda _: Decision(None, writes))

    def found():
        return [violation for result in desk.verify() if result.invariant == "I15" for violation in result.violations]

    end = 1_800_000_060 * SECOND
    assert found() == []
    await write(put(key, msgspec.structs.replace(hold, held_at=end)))
    assert found() == [f"hold {ENDING}/rsv-1: was made after the end of the sale"]
    await write(put(key, msgspec.structs.replace(hold, held_at=end - 1)))
    await write(put(ticket_at, msgspec.structs.replace(ticket, granted_at=end)))
    assert found() == [f"{ENDING}/1: was admitted after the end of the sale"]
    await write(delete(ticket_at), put(key, hold))


def test_a_hold_from_before_is_read():
    old = b'{"reservation_id":"r","user_id":"u","rows":{"0":3},"deadline":5,"status":"active"}'
    assert HOLD.decode("hold", old) == Hold("r", "u", {0: 3}, 5, HOLD.decode("hold", old).status)


@on_platform
async def test_a_queue_of_an_event_that_is_sold_for_good_lets_its_people_go(desk):
    """No ticket of it is taken back, so no seat can come back."""
    await desk.platform.put_on_sale(
        document("refunds: {percent: 0}")
        .replace("active_max: 9", "active_max: 30")
        .replace("{rate_per_second: 3", "{rate_per_second: 20")
    )
    held = {f"fan{n}": await desk.held(f"fan{n}", 1, event_id=ENDING) for n in range(15)}
    await desk.clock.sleep(0.2)  # until the queue has heard of the last hold
    waiting = (await join(desk, "s", ENDING)).waiting_token
    watch = Watch(desk, waiting, "s")
    for fan, reserved in list(held.items())[:14]:
        await desk.pay(fan, reserved)
    await desk.clock.sleep(15)
    assert watch.ended is None  # one is held: it may come back
    assert (await status(desk, waiting)).status == queue_pb2.QUEUE_STATUS_WAITING
    await desk.pay("fan14", held["fan14"])
    await desk.clock.sleep(15)
    assert (watch.heard[-2:], watch.ended) == (["EVENT_SOLD_OUT", "TOKEN_EXPIRED"], "OK")
    assert (await status(desk, waiting)).status == queue_pb2.QUEUE_STATUS_EXPIRED
    assert code(await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=ENDING, session_id="z"))) == (
        "FAILED_PRECONDITION"
    )
    await desk.crash()
    assert (await status(desk, waiting)).status == queue_pb2.QUEUE_STATUS_EXPIRED


@on_platform
async def test_a_place_and_an_admission_are_refused_in_their_commit_before_the_line_has_heard_of_the_new_end(desk):
    await desk.platform.put_on_sale(document("sale_end_time: 2027-01-15T09:00:00Z"))
    await join(desk, "s", ENDING)
    line = desk.platform.part(Lines).all()[ENDING].line
    await desk.clock.sleep(21)
    late = document("sale_end_time: 2027-01-15T08:00:20Z")
    sale = changed_sale(None, line.terms.window, sale_window(parsed(late).info), desk.clock.now())
    await desk.store.transact((), lambda _: Decision(None, (put(sale_key(ENDING), sale),)))
    assert not line.terms.window.is_over(desk.clock.now())  # no news of it
    with pytest.raises(Refusal, match="the sale has ended"):
        await line.join("t", "", {}, 0)
    with pytest.raises(Refusal, match="the sale has ended"):
        await line.claim(1, "")

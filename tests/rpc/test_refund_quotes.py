"""What giving tickets back comes to is said before it is done: and then it is done so, to the last coin."""

import pytest
from msgspec.structs import replace

from tests.rpc.desk import code, on_platform
from tests.rpc.test_door import DOOR, check_in, tickets_of
from tests.rpc.test_giving_back import REFUNDED, UPDATE_EVENT, bought, refund, stored
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.tacos.admission.v1 import admission_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.kernel.calls import Role
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.reservation.model import RefundObstacle
from traffic_tacos.rooms.reservation.records import reservation_key

QUOTE = "tacos.reservation.v1.RefundService/GetRefundQuote"
PRICE = 50_000


async def quote_of(desk, fan, held):
    asked = pb.GetRefundQuoteRequest(reservation_id=held.reservation_id, user_id=fan)
    answer = await desk.as_fan(QUOTE, asked, fan)
    assert code(answer) == "", answer.error
    return answer


def obstacle(quote):
    """Its name without the prefix; empty when there is none."""
    if not quote.obstacle:
        return ""
    return pb.RefundObstacle.Name(quote.obstacle).removeprefix("REFUND_OBSTACLE_")


async def on_sale(desk, more, event_id="evt_promise"):
    """An event of its own with these lines in its file; the file."""
    document = EVENT.replace(f"id: {EVENT_ID}", f"id: {event_id}") + more
    await desk.platform.put_on_sale(document)
    return document


async def change(desk, held, **policy):
    """Let the reservation have been bought under another promise than the event's of today."""
    key, store = reservation_key(held.reservation_id), desk.platform.engines.store
    known = await store.get(key)
    promise = replace(known.refund_policy, **policy)
    await store.transact((), lambda _: Decision(None, (put(key, replace(known, refund_policy=promise)),)))


def test_obstacles_have_the_numbers_of_the_wire():
    named = {f"REFUND_OBSTACLE_{one.name}": one.value for one in RefundObstacle}
    assert named | {"REFUND_OBSTACLE_UNSPECIFIED": 0} == dict(pb.RefundObstacle.items())


@pytest.mark.parametrize(
    ("promised", "today", "comes_back"),
    [(50, 50, 25_000), (50, 100, 25_000), (50, 0, 25_000), (100, 30, 50_000), (0, 100, None), (0, 0, None)],
)
def test_the_percentage_of_the_purchase_counts_whatever_the_event_says_today(promised, today, comes_back):
    @on_platform
    async def on_desk(desk):
        await on_sale(desk, f"refunds: {{percent: {today}}}\n")
        held, intent = await bought(desk, "ana", 1, ("MAIN-A-1",), event_id="evt_promise")
        await change(desk, held, percent=promised)
        quote = await quote_of(desk, "ana", held)
        answer = await desk.cancel("ana", held)
        await desk.clock.sleep(60)
        if comes_back is None:
            assert (obstacle(quote), quote.HasField("amount")) == ("NOT_PROMISED", False)
            assert (code(answer), stored(desk, intent).refunded) == ("FAILED_PRECONDITION", 0)
        else:
            assert (obstacle(quote), quote.amount.amount, quote.amount.currency) == ("", comes_back, "KRW")
            assert (answer.status, stored(desk, intent).refunded) == (REFUNDED, comes_back)

    on_desk()


@on_platform
async def test_it_says_until_when_and_then_that_it_was_until_then(desk):
    """The clock of the platform under test starts at 2027-01-15T08:00:00Z."""
    await on_sale(desk, "start_time: 2027-01-16T08:01:00+00:00\n")
    held, _ = await bought(desk, "ana", 1, event_id="evt_promise")
    quote = await quote_of(desk, "ana", held)
    assert (obstacle(quote), quote.until.ToJsonString()) == ("", "2027-01-15T08:01:00Z")
    await desk.clock.sleep(quote.until.ToMilliseconds() / 1000 - desk.clock.now() / 1000 - 0.001)
    assert obstacle(await quote_of(desk, "ana", held)) == ""
    await desk.clock.sleep(0.001)
    late = await quote_of(desk, "ana", held)
    assert (obstacle(late), late.until, late.HasField("amount")) == ("TOO_LATE", quote.until, False)
    assert code(await desk.cancel("ana", held)) == "FAILED_PRECONDITION"


@pytest.mark.parametrize(
    ("moved_to", "until"),
    [("2027-01-17T08", "2027-01-19T08:00:00Z"), ("2027-01-25T08", "2027-01-24T08:00:00Z")],
    ids=["forward", "put off"],
)
def test_an_event_that_is_moved_never_takes_time_away(moved_to, until):
    @on_platform
    async def on_desk(desk):
        document = await on_sale(desk, "start_time: 2027-01-20T08:00:00+00:00\n")
        held, _ = await bought(desk, "ana", 1, event_id="evt_promise")
        update = catalog_pb2.UpdateEventRequest(
            event_id="evt_promise", document=document.replace("2027-01-20T08", moved_to)
        )
        assert code(await desk.ask(UPDATE_EVENT, update, desk.token(Role.ADMIN, "op"))) == ""
        await desk.clock.sleep(1)
        assert (await quote_of(desk, "ana", held)).until.ToJsonString() == until

    on_desk()


@on_platform
async def test_nobody_gives_back_what_somebody_has_entered_with_until_that_is_undone(desk):
    held, _ = await bought(desk, "ana", 2)
    ticket, _ = await tickets_of(desk, "ana", held)
    assert (await check_in(desk, ticket)).entered
    quote = await quote_of(desk, "ana", held)
    assert (obstacle(quote), quote.HasField("amount")) == ("ENTERED", False)
    assert code(await desk.cancel("ana", held)) == "FAILED_PRECONDITION"
    undo = admission_pb2.UndoCheckInRequest(ticket=ticket, event_id=EVENT_ID, reason="wrong door")
    assert (await desk.as_service(DOOR + "UndoCheckIn", undo)).changed
    assert obstacle(await quote_of(desk, "ana", held)) == ""


@on_platform
async def test_what_was_given_back_says_how_much_went_back(desk):
    await on_sale(desk, "refunds: {percent: 30}\n")
    held, _ = await bought(desk, "ana", 1, ("MAIN-A-1",), event_id="evt_promise")
    await desk.cancel("ana", held)
    quote = await quote_of(desk, "ana", held)
    assert (obstacle(quote), quote.amount.amount) == ("ALREADY_REFUNDED", 15_000)
    assert (await desk.cancel("ana", held)).status == REFUNDED
    by_hand, intent = await bought(desk, "ben", 1, ("MAIN-A-2",), event_id="evt_promise")
    assert code(await refund(desk, intent)) == ""
    await desk.clock.sleep(60)
    quote = await quote_of(desk, "ben", by_hand)
    assert (obstacle(quote), quote.amount.amount) == ("ALREADY_REFUNDED", PRICE)


@on_platform
async def test_what_went_back_by_hand_is_part_of_what_comes_back_in_all(desk):
    await on_sale(desk, "refunds: {percent: 50}\n")
    held, intent = await bought(desk, "ana", 1, ("MAIN-A-1",), event_id="evt_promise")
    assert code(await refund(desk, intent, 10_000)) == ""
    quote = await quote_of(desk, "ana", held)
    await desk.cancel("ana", held)
    await desk.clock.sleep(60)
    assert stored(desk, intent).refunded == quote.amount.amount == 25_000


@on_platform
async def test_what_rounds_to_nothing_is_said_to_be_nothing_and_can_be_given_back(desk):
    cheap = EVENT.replace(f"id: {EVENT_ID}", "id: evt_cheap").replace("50000", "1").replace("60000", "1")
    await desk.platform.put_on_sale(cheap + "refunds: {percent: 99}\n")
    held, intent = await bought(desk, "ana", 1, event_id="evt_cheap")
    quote = await quote_of(desk, "ana", held)
    assert (obstacle(quote), quote.HasField("amount"), quote.amount.amount) == ("", True, 0)
    assert (await desk.cancel("ana", held)).status == REFUNDED
    await desk.clock.sleep(60)
    assert stored(desk, intent).refunded == 0


@on_platform
async def test_what_is_not_bought_comes_to_nothing(desk):
    held = await desk.held("ana", 1)
    assert obstacle(await quote_of(desk, "ana", held)) == "NOT_BOUGHT"
    await desk.clock.sleep(120)
    assert obstacle(await quote_of(desk, "ana", held)) == "NOT_BOUGHT"


@on_platform
async def test_it_is_said_to_the_buyer_only(desk):
    held, _ = await bought(desk, "ana", 1)
    for fan, asked_for in (("ben", "ben"), ("ben", "ana"), ("ana", "ben")):
        asked = pb.GetRefundQuoteRequest(reservation_id=held.reservation_id, user_id=asked_for)
        assert code(await desk.as_fan(QUOTE, asked, fan)) == "NOT_FOUND"
    nobody = pb.GetRefundQuoteRequest(reservation_id=held.reservation_id)
    assert code(await desk.ask(QUOTE, nobody)) == "UNAUTHENTICATED"
    assert code(await desk.as_service(QUOTE, nobody)) == ""


@on_platform
async def test_a_reservation_without_a_promise_of_its_own_goes_by_the_events(desk):
    """As those are that were stored before reservations kept the promise."""
    await on_sale(desk, "refunds: {percent: 40}\n")
    held, _ = await bought(desk, "ana", 1, ("MAIN-A-1",), event_id="evt_promise")
    key, store = reservation_key(held.reservation_id), desk.platform.engines.store
    old = replace(await store.get(key), refund_policy=None)
    await store.transact((), lambda _: Decision(None, (put(key, old),)))
    assert (await quote_of(desk, "ana", held)).amount.amount == 20_000

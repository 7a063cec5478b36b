"""No commit has more records than a store must take, however much there is to change at once."""

import asyncio

import pytest

from tests.rpc.desk import QUEUE, code, on_platform
from tests.rpc.test_endpoints import APPROVED, ENDPOINTS, Receiver
from tests.rpc.test_retention import SEND, StillClock, message, swept, waiting
from tests.rpc.test_slow_receivers import open_hall, registered
from tests.simulation.world import EVENT, EVENT_ID
from tests.stored import stored
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.outbox import Outbox
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.kernel.instants import DAY, HOUR, SECOND
from traffic_tacos.operations.reconciler import Difference
from traffic_tacos.ports.audit import AUDIT
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.ports.sessions import SESSION, Session
from traffic_tacos.ports.store import (
    COMMIT_RECORDS_MAX,
    JOB,
    OUTBOX,
    Decision,
    Job,
    Key,
    in_commits,
    numbered,
    put,
    writes_of,
)
from traffic_tacos.rooms.realtime.model import Message
from traffic_tacos.rooms.realtime.records import message_key
from traffic_tacos.rooms.realtime.service import MESSAGES_PER_TARGET_MAX
from traffic_tacos.rooms.reservation.stopping import STOP, Stop, stop_key
from traffic_tacos.rooms.waiting_room.records import SETTINGS, TICKET, SettingsRecord, settings_key

MANY = 2 * COMMIT_RECORDS_MAX + 50


def counted(store: MemoryStore) -> list[int]:
    """How many records each decision from now on has, those it writes and those it only declares together."""
    sizes, transact = [], store.transact

    async def counting(reads, decide):
        def deciding(view):
            decision = decide(view)
            declared = {read.path for read in reads if isinstance(read, Key)}
            sizes.append(len(declared | {write.path for write in writes_of(decision, numbered(1))}))
            return decision

        return await transact(reads, deciding)

    store.transact = counting
    return sizes


@pytest.mark.parametrize(("count", "pieces"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_records_come_in_pieces_that_a_commit_takes(count, pieces):
    found = [list(piece) for piece in in_commits(range(count))]
    assert [len(piece) for piece in found] == pieces
    assert [one for piece in found for one in piece] == list(range(count))


async def test_what_expires_together_is_removed_in_pieces():
    store, clock = MemoryStore(), StillClock()
    until = clock.now() + DAY
    sessions = [put(SESSION.key(str(n)), Session("user x", until)) for n in range(MANY)]
    await stored(store, sessions)
    clock.advance(DAY / SECOND)
    sizes = counted(store)
    await swept(store, clock)
    assert list(store.all(SESSION)) == []
    assert max(sizes) == COMMIT_RECORDS_MAX


@on_platform
async def test_a_change_reaches_every_endpoint_in_pieces_and_what_waits_for_one_that_goes_is_dropped_in_pieces(desk):
    await open_hall(desk)
    receivers = [Receiver(desk, f"shop{n}") for n in range(MANY)]
    await registered(receivers)
    down = Receiver(desk, "down", *[HttpAnswer(500)] * 10_000)
    answer = await down.register(APPROVED)
    sizes = counted(desk.records())
    await desk.pay("fan", await desk.held("fan", 1, event_id="evt_hall"))
    await desk.clock.sleep(60)
    assert [len(one.heard) for one in receivers] == [1] * MANY
    assert max(sizes) == COMMIT_RECORDS_MAX
    (waits,) = [job for _, job in desk.records().all(JOB) if job.payload.get("endpoint") == answer.webhook_id]
    more = [put(JOB.key(f"{waits.id}:{n}"), waits) for n in range(MANY)]
    await stored(desk.records(), more)
    sizes.clear()
    gone = webhook_pb2.RemoveEndpointRequest(endpoint_id=answer.webhook_id)
    assert code(await desk.as_service(ENDPOINTS + "RemoveEndpoint", gone)) == ""
    assert [one for _, one in desk.records().all(JOB) if one.payload.get("endpoint") == answer.webhook_id] == []
    assert max(sizes) == COMMIT_RECORDS_MAX


@on_platform
async def test_a_stop_cancels_all_that_is_pending_in_pieces(desk):
    await open_hall(desk)
    held = await asyncio.gather(*(desk.held(f"fan{n}", 1, event_id="evt_hall") for n in range(60)))
    sizes = counted(desk.records())
    stop = lifecycle_pb2.StopReservationsRequest(event_id="evt_hall", reason="why", actor="op")
    path = "tacos.lifecycle.v1.LifecycleService/StopReservations"
    answer = await desk.ask(path, stop, desk.token(Role.ADMIN, "op"))
    assert code(answer) == ""
    assert answer.cancelled_count == len(held)
    assert max(sizes) == COMMIT_RECORDS_MAX


@on_platform
async def test_messages_that_many_sent_one_reader_at_once_go_in_pieces_for_the_next(desk):
    desk.checks_every_commit = False
    now = desk.clock.now()
    sent = [Message(f"m{n:03d}", "", "text", 1, 1, {}, now, now + HOUR) for n in range(2 * MESSAGES_PER_TARGET_MAX)]
    for some in in_commits([put(message_key(("user", "reader"), one.sent_at, one.id), one) for one in sent]):
        await desk.records().transact((), lambda _, some=some: Decision(None, some))
    sizes = counted(desk.records())
    assert code(await desk.as_service(SEND, message("reader", 10))) == ""
    assert len(waiting(desk)) == MESSAGES_PER_TARGET_MAX
    assert max(sizes) == COMMIT_RECORDS_MAX


async def test_events_that_were_handed_over_are_removed_in_pieces():
    store, clock = MemoryStore(), StillClock()
    outbox = Outbox(store, clock)
    await stored(store, events=[EventChanged("t")] * MANY)
    await outbox.load()
    sizes = counted(store)
    relay = asyncio.create_task(outbox.run())
    for _ in range(100):
        await asyncio.sleep(0)
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    assert list(store.all(OUTBOX)) == []
    assert max(sizes) == COMMIT_RECORDS_MAX


@on_platform
async def test_what_is_stopped_for_many_events_goes_on_for_all_in_pieces(desk):
    at, events = desk.clock.now(), [f"evt_{n:03d}" for n in range(MANY)]
    for one in ["", *events][:20]:
        await stored(desk.records(), [put(stop_key(one), Stop(at, "op"))])
    await stored(desk.records(), [put(settings_key(one), SettingsRecord(stopped=True)) for one in ["", *events]])
    operator = desk.token(Role.ADMIN, "op")
    resume = lifecycle_pb2.StopReservationsRequest(reason="over", actor="op", resume=True)
    assert code(await desk.ask("tacos.lifecycle.v1.LifecycleService/StopReservations", resume, operator)) == ""
    assert list(desk.records().all(STOP)) == []
    change = waiting_room_pb2.ConfigureLineRequest(setting="admission.stopped", value="", reason="over", actor="op")
    assert code(await desk.ask("tacos.waiting_room.v1.LineService/ConfigureLine", change, operator)) == ""
    assert not any(one.stopped for _, one in desk.records().all(SETTINGS))
    told = [entry for _, entry in desk.records().all(AUDIT)]
    assert len({(entry.action, entry.subject) for entry in told}) == len(told) == 20 + MANY + 1


@on_platform
async def test_many_who_are_silent_for_an_hour_leave_the_queue_in_pieces(desk):
    await asyncio.gather(*(_join(desk, f"fan{n}") for n in range(MANY)))
    sizes = counted(desk.records())
    await desk.clock.sleep(2 * HOUR / SECOND)
    ended = [ticket.ended for _, ticket in desk.records().all(TICKET)]
    assert len(ended) == MANY and all(ended)
    assert 90 < max(sizes) <= COMMIT_RECORDS_MAX


async def _join(desk, fan):
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id=fan, user_id=fan)
    assert code(await desk.as_fan(QUEUE + "JoinQueue", request, fan)) == ""


@on_platform
async def test_many_jobs_that_are_missing_are_put_again_in_pieces_and_told_once(desk):
    now = desk.clock.now()

    async def found():
        return tuple(Difference(f"s{n}", "is missing", Job(f"j{n}", "nobody's", now + HOUR)) for n in range(MANY))

    desk.platform.reconciler.differences = found
    sizes = counted(desk.records())
    request = operations_pb2.ReconcileRequest(reason="why")
    answer = await desk.ask("tacos.operations.v1.OperationsService/Reconcile", request, desk.token(Role.ADMIN, "op"))
    assert answer.difference_count == MANY and all(one.repaired for one in answer.differences)
    assert len([job for _, job in desk.records().all(JOB) if job.topic == "nobody's"]) == MANY
    assert max(sizes) == COMMIT_RECORDS_MAX
    (told,) = [entry for _, entry in desk.records().all(AUDIT)]
    assert (told.action, told.new) == ("reconcile", f"{MANY} repaired")


@on_platform
async def test_the_house_keeps_seats_of_as_many_rows_as_one_commit_takes_and_is_told_how_many(desk):
    rows = ", ".join(f"{{id: R{n}, seats: 1}}" for n in range(120))
    wide = EVENT.replace("evt_sim", "evt_wide").replace("rows: [", f"rows: [{rows}, ")
    await desk.platform.put_on_sale(wide)
    path, operator = "tacos.catalog.v1.CatalogService/BlockSeats", desk.token(Role.ADMIN, "op")

    async def block(count):
        seats = [f"MAIN-R{n}-1" for n in range(count)]
        request = catalog_pb2.BlockSeatsRequest(event_id="evt_wide", seat_ids=seats, reason="why")
        return await desk.ask(path, request, operator)

    refused = await block(99)
    assert refused.error.message == "seat_ids: must be seats of at most 98 rows"
    assert code(await block(98)) == ""

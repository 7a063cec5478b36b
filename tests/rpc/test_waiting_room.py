"""The whole waiting room over its calls: leaving, streams, the draw, and what an operator may set."""

import asyncio

import msgspec
import pytest

from tests.rpc.desk import QUEUE, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2, websocket_pb2
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.rooms.waiting_room.draw import Published, differences, entry
from traffic_tacos.rooms.waiting_room.records import TICKET
from traffic_tacos.rooms.waiting_room.watchers import STREAMS_PER_TICKET_MAX

STREAM = "gateway.v1.WebSocketService/StreamQueueUpdates"
LINE = "tacos.waiting_room.v1.LineService/"
DRAW = "tacos.waiting_room.v1.DrawService/"
ADMIN = "common.v1.AdminService/"
LATER = EVENT.replace("id: evt_sim", "id: evt_later").replace(
    "currency: KRW", "currency: KRW\nsale_start_time: 2027-01-15T08:10:00+00:00"
)  # ten minutes after the virtual clock begins


async def join(desk, session, event_id=EVENT_ID):
    return await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=event_id, session_id=session))


async def status(desk, token):
    return await desk.ask(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=token))


async def leave(desk, token):
    return await desk.ask(QUEUE + "LeaveQueue", queue_pb2.LeaveQueueRequest(waiting_token=token, reason="tired"))


async def admit(desk, token, event_id=EVENT_ID):
    request = queue_pb2.RequestAdmissionRequest(waiting_token=token, event_id=event_id)
    return await desk.ask(QUEUE + "RequestAdmission", request)


async def configure(desk, key, value, service="queue"):
    request = admin_pb2.UpdateConfigRequest(
        service=service, config_key=key, config_value=value, apply_immediately=True, reason="busy"
    )
    await desk.loop_once()
    return await desk.ask(ADMIN + "UpdateConfig", request, desk.token(Role.ADMIN, "op"))


async def emergency(desk, **fields):
    fields = {"action": 1, "reason": "fire", "confirm": True, **fields}
    request = admin_pb2.EmergencyActionRequest(**fields)
    return await desk.ask(ADMIN + "EmergencyAction", request, desk.token(Role.ADMIN, "op"))


class Watch:
    """A stream that is being read; what it heard, by name."""

    def __init__(self, desk, token, session):
        self.heard = []
        self.messages = []
        self.ended = None
        self._task = asyncio.create_task(self._read(desk, token, session))

    async def _read(self, desk, token, session):
        request = websocket_pb2.StreamQueueRequest(waiting_token=token, session_id=session)
        try:
            async for message in desk.stream(STREAM, request):
                self.messages.append(message)
                self.heard.append(_name(message))
            self.ended = "OK"
        except Refusal as refusal:
            self.ended = refusal.code.name

    def hang_up(self):
        self._task.cancel()


def _name(message):
    if message.type == websocket_pb2.EVENT_TYPE_SYSTEM_UPDATE:
        return websocket_pb2.SystemEventType.Name(message.system_update.event_type).removeprefix("SYSTEM_EVENT_TYPE_")
    name = websocket_pb2.QueueEventType.Name(message.queue_update.event_type).removeprefix("QUEUE_EVENT_TYPE_")
    return f"{name} {message.queue_update.position}" if name == "POSITION_CHANGED" else name


@on_platform
async def test_who_leaves_frees_the_place_for_good_and_may_join_again_at_the_end(desk):
    await configure(desk, "admission.active_max", "1")
    first, second, third = [await join(desk, f"s{n}") for n in range(3)]
    assert [one.position_hint for one in (first, second, third)] == [1, 2, 3]
    left = await leave(desk, second.waiting_token)
    assert left.success
    await desk.clock.sleep(5)
    assert (await leave(desk, second.waiting_token)).left_at == left.left_at
    assert (await status(desk, third.waiting_token)).position == 2
    assert (await status(desk, second.waiting_token)).status == queue_pb2.QUEUE_STATUS_LEFT
    assert code(await admit(desk, second.waiting_token)) == "FAILED_PRECONDITION"
    again = await join(desk, "s1")
    assert (again.position_hint, code(again)) == (3, "")
    await admit(desk, first.waiting_token)
    assert code(await leave(desk, first.waiting_token)) == "FAILED_PRECONDITION"
    assert code(await leave(desk, "nonsense")) == "UNAUTHENTICATED"
    await desk.crash()
    assert (await status(desk, second.waiting_token)).status == queue_pb2.QUEUE_STATUS_LEFT
    assert (await status(desk, again.waiting_token)).position == 2


@pytest.mark.parametrize("pays", [True, False])
def test_a_place_ends_once_its_reservation_has_bought_or_expired(pays):
    @on_platform
    async def run(desk):
        request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="ana", user_id="ana")
        token = (await desk.as_fan(QUEUE + "JoinQueue", request, "ana")).waiting_token
        held = await desk.held("ana", 1)  # joins again, which is the same place
        if pays:
            await desk.pay("ana", held)
        assert (await status(desk, token)).status != queue_pb2.QUEUE_STATUS_EXPIRED
        await desk.clock.sleep(10 if pays else 62)
        assert (await status(desk, token)).status == queue_pb2.QUEUE_STATUS_EXPIRED

    run()


@on_platform
async def test_stats_add_up(desk):
    await desk.platform.put_on_sale(EVENT.replace("id: evt_sim", "id: evt_two"))
    for event_id, count in ((EVENT_ID, 7), ("evt_two", 3)):
        tokens = [(await join(desk, f"s{n}", event_id)).waiting_token for n in range(count)]
        await admit(desk, tokens[0], event_id)
    stats = await desk.ask(QUEUE + "GetQueueStats", queue_pb2.GetQueueStatsRequest())
    assert {one.event_id: (one.total_waiting, one.total_admitted) for one in stats.events} == {
        EVENT_ID: (6, 1),
        "evt_two": (2, 1),
    }
    assert (stats.system.total_active_queues, stats.system.total_waiting_users) == (2, 8)
    assert stats.system.total_admitted_users == 2
    assert stats.system.system_capacity_percentage == 100 * 2 // 18
    one = await desk.ask(QUEUE + "GetQueueStats", queue_pb2.GetQueueStatsRequest(event_id=EVENT_ID))
    assert [event.event_id for event in one.events] == [EVENT_ID]
    assert one.events[0].admission_rate_per_minute == 1
    none = await desk.ask(QUEUE + "GetQueueStats", queue_pb2.GetQueueStatsRequest(event_id="evt_none"))
    assert code(none) == "NOT_FOUND"


@on_platform
async def test_fifty_at_once_are_one_admission_and_one_token(desk):
    token = (await join(desk, "s")).waiting_token
    early = (await join(desk, "late")).waiting_token
    for _ in range(5):
        denied = await admit(desk, early)
        assert (denied.admission, code(denied)) == (queue_pb2.ADMISSION_STATUS_DENIED, "")
    grants = await asyncio.gather(*(admit(desk, token) for _ in range(50)))
    assert len({grant.reservation_token for grant in grants}) == 1
    assert all(grant.admission == queue_pb2.ADMISSION_STATUS_GRANTED for grant in grants)
    await desk.clock.sleep(1)
    assert (await admit(desk, early)).admission == queue_pb2.ADMISSION_STATUS_GRANTED


@on_platform
async def test_a_full_line_says_so_with_a_time_and_refuses_nobody_who_has_a_place(desk):
    await configure(desk, f"events/{EVENT_ID}/admission.waiting_max", "3")
    await emergency(desk)
    answers = await asyncio.gather(*(join(desk, f"s{n}") for n in range(8)))
    assert sorted(code(answer) for answer in answers) == [""] * 3 + ["RATE_LIMITED"] * 5
    refused = next(answer for answer in answers if code(answer))
    assert refused.error.details[0].field == "retry_after_seconds"
    inside = next(n for n, answer in enumerate(answers) if not code(answer))
    assert code(await join(desk, f"s{inside}")) == "ALREADY_EXISTS"


@on_platform
async def test_an_hour_of_silence_ends_a_place_and_a_status_or_a_stream_keeps_it(desk):
    await emergency(desk)
    silent, asking, watching = [(await join(desk, name)).waiting_token for name in ("a", "b", "c")]
    watch = Watch(desk, watching, "c")
    for _ in range(6):
        await desk.clock.sleep(650)
        await status(desk, asking)
    states = [(await status(desk, token)).status for token in (silent, asking, watching)]
    assert states == [queue_pb2.QUEUE_STATUS_EXPIRED, queue_pb2.QUEUE_STATUS_WAITING, queue_pb2.QUEUE_STATUS_WAITING]
    assert watch.heard[-1] == "POSITION_CHANGED 2"
    assert (await join(desk, "a")).position_hint == 3
    watch.hang_up()


@on_platform
async def test_a_stream_tells_the_present_state_at_once_and_then_every_change_that_matters(desk):
    await configure(desk, "admission.active_max", "1")
    tokens = [(await join(desk, f"s{n}")).waiting_token for n in range(3)]
    watch = Watch(desk, tokens[2], "s2")
    await desk.loop_once()
    assert watch.heard == ["POSITION_CHANGED 3"]
    assert watch.messages[0].queue_update.waiting_token == tokens[2]
    await leave(desk, tokens[1])
    await desk.clock.sleep(3)
    await emergency(desk)
    await desk.clock.sleep(3)
    assert watch.messages[-1].queue_update.eta_seconds == -1  # nobody knows
    await emergency(desk, parameters={"resume": "true"})
    await desk.clock.sleep(3)
    await configure(desk, "admission.rate_per_second", "2")
    await desk.clock.sleep(3)
    assert watch.messages[-1].system_update.admission_rate == 2
    await leave(desk, tokens[0])
    await desk.clock.sleep(0.3)
    assert watch.heard[1:] == [
        "POSITION_CHANGED 2",
        "QUEUE_PAUSED",
        "QUEUE_RESUMED",
        "ADMISSION_RATE_CHANGED",
        "ADMISSION_READY",
    ]
    assert watch.messages[-1].queue_update.admission_ready
    await leave(desk, tokens[2])
    await desk.loop_once()
    assert (watch.heard[-1], watch.ended) == ("TOKEN_EXPIRED", "OK")


@on_platform
async def test_everybody_who_waits_hears_that_all_is_sold_and_a_new_stream_hears_it_first(desk):
    await configure(desk, "admission.active_max", "20")
    holders = [f"fan{n}" for n in range(15)]
    held = [await desk.held(fan, 1) for fan in holders]
    waiting = (await join(desk, "s")).waiting_token
    watch = Watch(desk, waiting, "s")
    for fan, reservation in zip(holders, held, strict=True):
        await desk.pay(fan, reservation)
    await desk.clock.sleep(20)
    assert "EVENT_SOLD_OUT" in watch.heard
    late = Watch(desk, waiting, "s")
    await desk.loop_once()
    assert late.heard[0] == "EVENT_SOLD_OUT"
    assert code(await admit(desk, waiting)) == "FAILED_PRECONDITION"
    assert code(await join(desk, "too late")) == "FAILED_PRECONDITION"
    assert code(await join(desk, "s")) == "ALREADY_EXISTS"  # who has a place still finds it
    watch.hang_up()
    late.hang_up()


@on_platform
async def test_who_reads_slowly_hears_only_the_newest(desk):
    await configure(desk, "admission.active_max", "1")
    tokens = [(await join(desk, f"s{n}")).waiting_token for n in range(12)]
    request = websocket_pb2.StreamQueueRequest(waiting_token=tokens[11], session_id="s11")
    messages = desk.stream(STREAM, request)
    heard = [_name(await anext(messages))]
    for number in range(1, 11):
        await leave(desk, tokens[number])
        await desk.clock.sleep(2.5)  # the reader reads nothing meanwhile
    heard.append(_name(await anext(messages)))
    assert heard == ["POSITION_CHANGED 12", "POSITION_CHANGED 2"]
    await messages.aclose()


@on_platform
async def test_a_stream_needs_its_token_and_its_session_and_the_oldest_of_too_many_gives_way(desk):
    token = (await join(desk, "s")).waiting_token
    wrong = [
        ("nonsense", "s", "", "UNAUTHENTICATED"),
        (token, "other", "", "FORBIDDEN"),
        (token, "", "", "INVALID_ARGUMENT"),
        (token, "s", "evt_other", "FORBIDDEN"),
    ]
    for waiting_token, session, event_id, expected in wrong:
        request = websocket_pb2.StreamQueueRequest(waiting_token=waiting_token, session_id=session, event_id=event_id)
        with pytest.raises(Refusal) as refused:
            await anext(desk.stream(STREAM, request))
        assert (refused.value.code.name, bool(refused.value.trace_id)) == (expected, True)
    watches = []
    for _ in range(STREAMS_PER_TICKET_MAX + 1):
        watches.append(Watch(desk, token, "s"))
        await desk.loop_once()
    assert [watch.ended for watch in watches] == ["UNAVAILABLE"] + [None] * STREAMS_PER_TICKET_MAX
    desk.platform.hang_up()
    await desk.loop_once()
    assert [watch.ended for watch in watches] == ["UNAVAILABLE"] * (STREAMS_PER_TICKET_MAX + 1)


@on_platform
async def test_the_same_user_on_another_device_may_watch_the_place(desk):
    fan = desk.token(Role.FAN, "ana")
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="ana", session_id="phone")
    token = (await desk.ask(QUEUE + "JoinQueue", request, fan)).waiting_token
    watch = websocket_pb2.StreamQueueRequest(waiting_token=token, session_id="laptop")
    messages = desk.stream(STREAM, watch, fan)
    assert (await anext(messages)).queue_update.waiting_token == token
    await messages.aclose()


@on_platform
async def test_settings_are_in_force_at_once_last_over_a_crash_and_are_audited(desk):
    answer = await configure(desk, "admission.rate_per_second", "7")
    assert (answer.updated, answer.old_value, answer.new_value, code(answer)) == (True, "", "7", "")
    answer = await configure(desk, f"events/{EVENT_ID}/admission.rate_per_second", "2")
    assert (answer.old_value, answer.new_value) == ("7", "2")
    await desk.crash()

    async def line():
        request = waiting_room_pb2.GetLineRequest(event_id=EVENT_ID)
        return (await desk.as_service(LINE + "GetLine", request)).line

    assert (await line()).rate_per_second == 2
    await configure(desk, f"events/{EVENT_ID}/admission.rate_per_second", "")
    assert (await line()).rate_per_second == 7
    await configure(desk, "admission.rate_per_second", "")
    assert (await line()).rate_per_second == 3
    listed = await desk.ask(
        "tacos.operations.v1.OperationsService/ListAudit",
        operations_pb2.ListAuditRequest(),
        desk.token(Role.ADMIN, "op"),
    )
    assert [(one.actor, one.subject, one.old_value, one.new_value, one.reason) for one in listed.entries] == [
        ("op", "all events admission.rate_per_second", "", "7", "busy"),
        ("op", "evt_sim admission.rate_per_second", "7", "2", "busy"),
        ("op", "evt_sim admission.rate_per_second", "2", "", "busy"),
        ("op", "all events admission.rate_per_second", "7", "", "busy"),
    ]


WRONG = [
    ("payment", "admission.rate_per_second", "1", "INVALID_ARGUMENT"),
    ("queue", "admission.colour", "1", "INVALID_ARGUMENT"),
    ("queue", "admission.rate_per_second", "fast", "INVALID_ARGUMENT"),
    ("queue", "admission.rate_per_second", "0", "INVALID_ARGUMENT"),
    ("queue", "admission.stopped", "maybe", "INVALID_ARGUMENT"),
    ("queue", "events/evt_none/admission.rate_per_second", "1", "NOT_FOUND"),
]


@pytest.mark.parametrize(("service", "key", "value", "expected"), WRONG)
def test_a_wrong_setting_is_refused_and_changes_nothing(service, key, value, expected):
    @on_platform
    async def on_desk(desk):
        answer = await configure(desk, key, value, service)
        assert (code(answer), answer.updated) == (expected, False)

    on_desk()


@on_platform
async def test_stopping_admissions_stops_all_and_resuming_lets_them_in_again(desk):
    token = (await join(desk, "s")).waiting_token
    await desk.clock.sleep(0.5)
    assert (await status(desk, token)).admission_ready
    assert code(await emergency(desk, confirm=False)) == "INVALID_ARGUMENT"
    assert code(await emergency(desk, reason="")) == "INVALID_ARGUMENT"
    assert code(await emergency(desk, parameters={"colour": "red"})) == "INVALID_ARGUMENT"
    assert (await emergency(desk)).executed
    stopped = await status(desk, token)
    assert (stopped.admission_ready, stopped.eta_seconds) == (False, -1)
    assert (await admit(desk, token)).admission == queue_pb2.ADMISSION_STATUS_DENIED
    await emergency(desk, parameters={"event_id": EVENT_ID, "resume": "true"})
    assert (await admit(desk, token)).admission == queue_pb2.ADMISSION_STATUS_DENIED  # all are stopped
    await desk.crash()
    assert (await admit(desk, token)).admission == queue_pb2.ADMISSION_STATUS_DENIED
    await emergency(desk, parameters={"resume": "true"})
    await desk.clock.sleep(0.5)
    assert (await admit(desk, token)).admission == queue_pb2.ADMISSION_STATUS_GRANTED


@on_platform
async def test_those_who_come_before_the_sale_are_drawn_and_anybody_can_check_it(desk):
    event_id = "evt_later"
    await desk.platform.put_on_sale(LATER)
    await desk.loop_once()
    ask = waiting_room_pb2.GetDrawRequest(event_id=event_id)
    committed = (await desk.ask(DRAW + "GetDraw", ask)).draw
    assert (len(committed.seed_sha256), committed.seed, committed.pool_size) == (32, b"", 0)
    tokens = [(await join(desk, f"s{n}", event_id)).waiting_token for n in range(40)]
    early = await status(desk, tokens[0])
    assert (early.position, early.status) == (0, queue_pb2.QUEUE_STATUS_WAITING)
    assert 590 <= early.eta_seconds <= 600
    assert (await admit(desk, tokens[0], event_id)).admission == queue_pb2.ADMISSION_STATUS_DENIED
    watch = Watch(desk, tokens[7], "s7")
    await leave(desk, tokens[3])
    entries = waiting_room_pb2.ListDrawEntriesRequest(event_id=event_id)
    assert code(await desk.ask(DRAW + "ListDrawEntries", entries)) == "FAILED_PRECONDITION"
    await desk.crash()
    await desk.clock.sleep(590)
    late = (await join(desk, "s late", event_id)).waiting_token
    after = await desk.clock.sleep(12) or await status(desk, late)
    shown = (await desk.ask(DRAW + "GetDraw", ask)).draw
    assert (shown.seed_sha256, shown.pool_size) == (committed.seed_sha256, 41)
    page = await desk.ask(DRAW + "ListDrawEntries", entries)
    assert [one.entry for one in page.entries] == [entry(token) for token in (*tokens, late)]
    assert not page.has_next_page
    places = [one.place for one in page.entries]
    assert sorted(places) == list(range(1, 42))
    published = Published(
        event_id,
        shown.seed_sha256,
        shown.seed,
        shown.pool_digest,
        tuple(one.entry for one in page.entries),
        tuple(places),
    )
    assert differences(published) == []
    places[4], places[20] = places[20], places[4]
    assert len(differences(msgspec.structs.replace(published, places=tuple(places)))) == 2
    assert after.position <= places[-1]
    behind = await join(desk, "after the start", event_id)
    assert behind.position_hint >= 30
    watch.hang_up()


@on_platform
async def test_an_event_that_is_on_sale_has_no_draw(desk):
    answer = await desk.ask(DRAW + "GetDraw", waiting_room_pb2.GetDrawRequest(event_id=EVENT_ID))
    assert code(answer) == "NOT_FOUND"


@on_platform
async def test_what_a_browser_says_is_kept_for_the_operator(desk):
    request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="s")
    request.metadata.ip_address = "192.0.2.1"
    request.metadata.headers["x"] = "y"
    await desk.ask(QUEUE + "JoinQueue", request)
    (kept,) = [record.metadata for _, record in desk.records().all(TICKET)]
    assert kept == {"ip_address": "192.0.2.1", "x": "y"}


@pytest.mark.parametrize("year", [2099, 2110, 9998])
def test_a_sale_that_starts_in_a_lifetime_has_a_queue(year):
    @on_platform(event=EVENT.replace("currency", f"sale_start_time: {year}-01-01T00:00:00Z\ncurrency"))
    async def on_desk(desk):
        joined = await join(desk, "s1")
        assert (code(joined), joined.eta_seconds > 2_000_000_000) == ("", True)
        assert (await status(desk, joined.waiting_token)).eta_seconds > 2_000_000_000
        update = await anext(
            desk.stream(
                "gateway.v1.WebSocketService/StreamQueueUpdates",
                websocket_pb2.StreamQueueRequest(waiting_token=joined.waiting_token, session_id="s1"),
            )
        )
        assert update.queue_update.eta_seconds > 2_000_000_000
        asked = waiting_room_pb2.GetLineRequest(event_id=EVENT_ID)
        assert code(await desk.as_service("tacos.waiting_room.v1.LineService/GetLine", asked)) == ""

    on_desk()

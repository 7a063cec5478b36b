"""Live updates: in order, when they are true, to their owner only, and none of them lost."""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, QUEUE, RESERVATION, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.gateway.v1 import websocket_pb2 as pb
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.rooms.realtime.rpc import PAYMENT_NEWS, RESERVATION_NEWS
from traffic_tacos.rooms.realtime.service import Realtime

SOCKET = "gateway.v1.WebSocketService/"


class Ear:
    """Reads one stream from the background, and keeps when it heard what."""

    def __init__(self, desk, name, request, fan) -> None:
        self.desk = desk
        self.heard = []
        self.refused = None
        self._task = asyncio.ensure_future(self._listen(name, request, fan))

    async def _listen(self, name, request, fan):
        token = self.desk.token(Role.FAN, fan) if fan else ""
        try:
            async for message in self.desk.stream(SOCKET + name, request, token):
                self.heard.append((self.desk.clock.now(), message))
        except Refusal as refusal:
            self.refused = refusal

    def hang_up(self) -> None:
        self._task.cancel()


def reservations(desk, fan, **more):
    return Ear(desk, "StreamReservationUpdates", pb.StreamReservationRequest(user_id=fan, **more), fan)


def payments(desk, fan, **more):
    return Ear(desk, "StreamPaymentUpdates", pb.StreamPaymentRequest(user_id=fan, **more), fan)


def kinds(ear):
    """The last words of what was heard, as in CONFIRMED."""
    found = []
    for _, message in ear.heard:
        if message.type == pb.EVENT_TYPE_MESSAGE:
            found.append("MESSAGE")
        elif isinstance(message, pb.ReservationUpdateEvent):
            name = pb.ReservationEventType.Name(message.reservation_update.event_type)
            found.append(name.removeprefix("RESERVATION_EVENT_TYPE_"))
        else:
            found.append(
                pb.PaymentEventType.Name(message.payment_update.event_type).removeprefix("PAYMENT_EVENT_TYPE_")
            )
    return found


@on_platform
async def test_a_fan_hears_of_the_turn_the_seats_the_payment_and_the_order_each_when_it_is_true(desk):
    joined = await desk.as_fan(
        QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="ana", session_id="tab"), "ana"
    )
    watch = pb.StreamQueueRequest(waiting_token=joined.waiting_token, session_id="tab")
    line, mine, paid = Ear(desk, "StreamQueueUpdates", watch, "ana"), reservations(desk, "ana"), payments(desk, "ana")
    await desk.clock.sleep(1)
    ready = [m for _, m in line.heard if m.queue_update.event_type == pb.QUEUE_EVENT_TYPE_ADMISSION_READY]
    assert ready
    request = queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=EVENT_ID, user_id="ana")
    admission = await desk.as_fan(QUEUE + "RequestAdmission", request, "ana")
    held = await desk.as_fan(
        GATEWAY + "CreateReservation",
        gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID,
            quantity=2,
            user_id="ana",
            reservation_token=admission.reservation_token,
            idempotency_key="k",
        ),
        "ana",
    )
    await desk.clock.sleep(1)
    await desk.pay("ana", held)
    await desk.clock.sleep(8)
    assert kinds(mine) == ["CREATED", "CONFIRMED"]
    assert kinds(paid) in (["CREATED", "PROCESSING", "COMPLETED"], ["PROCESSING", "COMPLETED"])
    for at, message in (*mine.heard, *paid.heard):
        assert at - message.timestamp.ToMilliseconds() <= 200
    times = [ready[0].timestamp, mine.heard[0][1].timestamp, paid.heard[0][1].timestamp]
    times += [paid.heard[-1][1].timestamp, mine.heard[-1][1].timestamp]
    assert [time.ToMilliseconds() for time in times] == sorted(time.ToMilliseconds() for time in times)
    last = mine.heard[-1][1].reservation_update
    assert (last.old_status, last.new_status) == (1, reservation_pb2.RESERVATION_STATUS_CONFIRMED)


@pytest.mark.parametrize("without", [frozenset(), frozenset({"worker"})])
def test_the_end_of_a_hold_is_told_15_seconds_before_it(without):
    @on_platform
    async def on_desk(desk):
        ear = reservations(desk, "ana")
        held = await desk.held("ana", 1)
        await desk.clock.sleep(44.5)
        assert kinds(ear) == ["CREATED"]
        await desk.clock.sleep(1)
        assert kinds(ear) == ["CREATED", "EXPIRING_SOON"]
        extend = reservation_pb2.ExtendHoldRequest(
            reservation_id=held.reservation_id, user_id="ana", extension_seconds=30, idempotency_key="e"
        )
        assert code(await desk.as_fan(RESERVATION + "ExtendHold", extend, "ana")) == ""
        await desk.clock.sleep(20)
        assert kinds(ear) == ["CREATED", "EXPIRING_SOON", "UNSPECIFIED"]  # held for longer
        await desk.clock.sleep(12)
        assert kinds(ear)[-1] == "EXPIRING_SOON"
        await desk.clock.sleep(20)
        assert kinds(ear)[-1] == "EXPIRED"
        ear.hang_up()

    on_desk()


@on_platform
async def test_whoever_comes_back_hears_how_everything_stands_and_misses_nothing(desk):
    ear = reservations(desk, "ana")
    held = await desk.held("ana", 2)
    await desk.clock.sleep(1)
    ear.hang_up()
    intent = await desk.pay("ana", held)
    await desk.crash()
    await desk.clock.sleep(10)
    back, paid = reservations(desk, "ana"), payments(desk, "ana", payment_intent_ids=[intent])
    await desk.clock.sleep(1)
    assert (kinds(back), kinds(paid)) == (["CONFIRMED"], ["COMPLETED"])
    assert await desk.cancel("ana", held)
    await desk.clock.sleep(5)
    assert (kinds(back), kinds(paid)) == (["CONFIRMED", "CANCELLED"], ["COMPLETED", "REFUNDED"])
    assert back.heard[-1][1].reservation_update.new_status == reservation_pb2.RESERVATION_STATUS_REFUNDED


@on_platform
async def test_a_stream_shows_nothing_of_anybody_else(desk):
    ana = reservations(desk, "ana")
    held = await desk.held("ben", 1)
    await desk.pay("ben", held)
    await desk.clock.sleep(10)
    assert ana.heard == []
    spy = Ear(desk, "StreamReservationUpdates", pb.StreamReservationRequest(user_id="ben"), "ana")
    guess = reservations(desk, "ana", reservation_ids=[held.reservation_id])
    nobody = Ear(desk, "StreamPaymentUpdates", pb.StreamPaymentRequest(user_id="ben"), "")
    await desk.clock.sleep(1)
    assert (spy.refused.code, spy.heard) == (Code.FORBIDDEN, [])
    assert (guess.refused.code, guess.heard) == (Code.NOT_FOUND, [])
    assert (nobody.refused.code, nobody.heard) == (Code.UNAUTHENTICATED, [])


@on_platform
async def test_who_reads_slowly_hears_only_how_it_stands(desk):
    token = desk.token(Role.FAN, "ana")
    stream = desk.stream(SOCKET + "StreamReservationUpdates", pb.StreamReservationRequest(user_id="ana"), token)
    held = await desk.held("ana", 1)
    first = await anext(stream)
    assert first.reservation_update.new_status == 1
    await desk.pay("ana", held)  # and reads nothing meanwhile
    await desk.clock.sleep(10)
    await desk.cancel("ana", held)
    await desk.clock.sleep(10)
    second = await anext(stream)
    assert second.reservation_update.new_status == reservation_pb2.RESERVATION_STATUS_REFUNDED
    assert second.reservation_update.old_status == 1
    await stream.aclose()


@on_platform
async def test_too_many_streams_of_one_user_displace_the_oldest(desk):
    ears = [reservations(desk, "ana") for _ in range(9)]
    await desk.clock.sleep(1)
    assert [ear.refused.code for ear in ears if ear.refused] == [Code.UNAVAILABLE]
    desk.platform.hang_up()
    await desk.clock.sleep(1)
    assert all(ear.refused.code is Code.UNAVAILABLE for ear in ears)


async def send(desk, content="hello", **more):
    request = pb.SendMessageRequest(
        **{"target_user_id": "ana", "message_type": pb.MESSAGE_TYPE_INFO, "title": "T", "content": content, **more}
    )
    return await desk.as_service(SOCKET + "SendMessage", request)


@on_platform
async def test_a_message_is_delivered_to_a_live_stream_and_kept_for_who_comes_later(desk):
    ear = reservations(desk, "ana")
    await desk.clock.sleep(1)
    answer = await send(desk)
    assert (answer.delivered, code(answer)) == (True, "")
    assert [m.reservation_update.message for _, m in ear.heard] == ["T\nhello"]
    await desk.clock.sleep(1)  # until it is noted that they have it: who hangs up before may hear it again
    ear.hang_up()
    await desk.clock.sleep(1)
    assert (await send(desk, "later")).delivered is False
    await desk.crash()
    await desk.clock.sleep(60)
    back = payments(desk, "ana", session_id="tab")
    await desk.clock.sleep(1)
    assert [m.payment_update.message for _, m in back.heard] == ["T\nlater"]
    assert (await send(desk, "to the tab", target_user_id="", target_session_id="tab")).delivered
    await desk.clock.sleep(1)
    back.hang_up()
    await desk.clock.sleep(1)
    again = payments(desk, "ana", session_id="tab")
    await desk.clock.sleep(1)
    assert again.heard == []  # each was told once
    again.hang_up()
    await send(desk, "too late")
    await desk.clock.sleep(3601)
    late = payments(desk, "ana")
    await desk.clock.sleep(1)
    assert late.heard == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"target_user_id": ""}, "target_user_id"),
        ({"target_session_id": "tab"}, "target_user_id"),
        ({"message_type": 0}, "message_type"),
        ({"message_type": 99}, "message_type"),
        ({"priority": 99}, "priority"),
        ({"content": ""}, "content"),
        ({"content": "x" * 5000}, "content"),
        ({"data": {"a": "x" * 2000}}, "data"),
    ],
)
def test_a_message_that_cannot_be_is_refused(change, field):
    @on_platform
    async def on_desk(desk):
        refused = await send(desk, **change)
        assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", field)

    on_desk()


def test_every_status_has_its_word():
    assert set(PAYMENT_NEWS) == set(PaymentStatus)
    assert set(RESERVATION_NEWS) == set(ReservationStatus)


@on_platform
async def test_whoever_waits_in_line_reads_messages_on_the_same_stream(desk):
    joined = await desk.ask(QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id="tab-1"))
    before = await send(desk, title="", target_user_id="", target_session_id="tab-1", content="doors at eight")
    assert not before.delivered
    request = pb.StreamQueueRequest(waiting_token=joined.waiting_token, session_id="tab-1", event_id=EVENT_ID)
    ear = Ear(desk, "StreamQueueUpdates", request, "")
    await desk.loop_once()
    live = await send(desk, title="", target_user_id="", target_session_id="tab-1", content="and bring a coat")
    assert live.delivered
    elsewhere = await send(desk, title="", target_user_id="", target_session_id="tab-2", content="not for you")
    assert not elsewhere.delivered
    told = [one for _, one in ear.heard if one.type == pb.EVENT_TYPE_MESSAGE]
    assert [(one.system_update.message, one.correlation_id) for one in told] == [
        ("doors at eight", before.message_id),
        ("and bring a coat", live.message_id),
    ]
    ear.hang_up()
    again = Ear(desk, "StreamQueueUpdates", request, "")
    await desk.loop_once()
    assert [one for _, one in again.heard if one.type == pb.EVENT_TYPE_MESSAGE] == []  # each once
    again.hang_up()
    await desk.loop_once()
    assert not (await send(desk, title="", target_user_id="", target_session_id="tab-1", content="gone?")).delivered


@on_platform
async def test_a_user_who_waits_reads_what_is_for_them_and_no_other_does(desk):
    joined = await desk.as_fan(
        QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="ana", session_id="tab"), "ana"
    )
    request = pb.StreamQueueRequest(waiting_token=joined.waiting_token, session_id="other-tab", event_id=EVENT_ID)
    ear = Ear(desk, "StreamQueueUpdates", request, "ana")  # by her name, from another tab
    await desk.loop_once()
    assert (await send(desk, title="", target_user_id="ana", content="hello")).delivered
    assert not (await send(desk, title="", target_user_id="", target_session_id="other-tab", content="who?")).delivered
    assert [one.system_update.message for _, one in ear.heard if one.type == pb.EVENT_TYPE_MESSAGE] == ["hello"]
    ear.hang_up()


@on_platform
async def test_streams_of_reservations_do_not_push_those_of_the_line_aside(desk):
    inboxes = [
        await desk.platform.part(Realtime).open(f"tab-{number}", ("user ana",), "ana", lambda: None)
        for number in range(8)
    ]
    ears = [reservations(desk, "ana") for _ in range(8)]
    await desk.loop_once()
    assert (await send(desk, title="", content="to all")).delivered
    assert [[text.text for text in inbox.take()] for inbox in inboxes] == [["to all"]] * 8
    assert [len(ear.heard) for ear in ears] == [1] * 8
    for one in (*inboxes, *ears):
        one.close() if hasattr(one, "close") else one.hang_up()

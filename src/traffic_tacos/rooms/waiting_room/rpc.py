"""QueueService, the queue's stream, LineService and DrawService on the wire."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import queue_pb2 as pb
from traffic_tacos.gen.gateway.v1 import websocket_pb2 as ws
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2 as own
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock
from traffic_tacos.rooms.waiting_room.news import SALE_OVER, Topic
from traffic_tacos.rooms.waiting_room.operating import ENTRIES_PAGE_MAX, Operator, Overview
from traffic_tacos.rooms.waiting_room.service import StreamMessage, StreamUpdate, WaitingRoom

_STATUS = (  # by state
    pb.QUEUE_STATUS_WAITING,
    pb.QUEUE_STATUS_READY,
    pb.QUEUE_STATUS_READY,  # ADMITTED
    pb.QUEUE_STATUS_EXPIRED,  # DONE
    pb.QUEUE_STATUS_LEFT,
    pb.QUEUE_STATUS_EXPIRED,
)
_REFUSED_ADMISSION = {
    Code.UNAUTHENTICATED: pb.ADMISSION_STATUS_INVALID,
    Code.FORBIDDEN: pb.ADMISSION_STATUS_INVALID,
    Code.INVALID_ARGUMENT: pb.ADMISSION_STATUS_INVALID,
    Code.NOT_FOUND: pb.ADMISSION_STATUS_INVALID,
    Code.RATE_LIMITED: pb.ADMISSION_STATUS_DENIED,
}
_JOINED_ALREADY = Refusal(Code.ALREADY_EXISTS, "user_id: has joined this queue already; this is their place")
_QUEUE_TOPICS = {
    Topic.PLACE: ws.QUEUE_EVENT_TYPE_POSITION_CHANGED,
    Topic.READY: ws.QUEUE_EVENT_TYPE_ADMISSION_READY,
    Topic.ENDED: ws.QUEUE_EVENT_TYPE_TOKEN_EXPIRED,
    Topic.PAUSED: ws.QUEUE_EVENT_TYPE_QUEUE_PAUSED,
    Topic.RESUMED: ws.QUEUE_EVENT_TYPE_QUEUE_RESUMED,
}
_SYSTEM_TOPICS = {
    Topic.MAINTENANCE: (ws.SYSTEM_EVENT_TYPE_MAINTENANCE_MODE, "maintenance is over"),
    Topic.RATE: (ws.SYSTEM_EVENT_TYPE_ADMISSION_RATE_CHANGED, "the rate of admission has changed"),
    Topic.SOLD_OUT: (ws.SYSTEM_EVENT_TYPE_EVENT_SOLD_OUT, "everything is sold"),
    Topic.SALE_OVER: (ws.SYSTEM_EVENT_TYPE_CAPACITY_CHANGED, SALE_OVER.message),
    Topic.SEATS_AGAIN: (ws.SYSTEM_EVENT_TYPE_CAPACITY_CHANGED, "there are seats again"),
}


class QueueRpc:
    def __init__(self, room: WaitingRoom, operator: Operator, clock: Clock) -> None:
        self._room = room
        self._operator = operator
        self._clock = clock
        self.beside = {
            "JoinQueue": lambda _, response: self._state(response.waiting_token),
            "GetQueueStatus": lambda request, _: self._state(request.waiting_token),
            "RequestAdmission": lambda request, _: self._state(request.waiting_token),
        }

    def _state(self, token: str) -> tuple[tuple[str, str], ...]:
        """What keeps the line of this token from moving, said beside the response."""
        condition = self._room.condition(token) if token else None
        return () if condition is None else wire.queue_state(condition.state, condition.message)

    async def JoinQueue(self, request: pb.JoinQueueRequest, call: Call) -> pb.JoinQueueResponse:
        metadata = _metadata(request.metadata) if request.HasField("metadata") else {}
        standing = await self._room.join(request.event_id, request.session_id, request.user_id, metadata, call)
        # Setting fields costs half of what giving them to the constructor does.
        response = pb.JoinQueueResponse()
        response.waiting_token = standing.token
        response.position_hint = standing.place.position
        response.eta_seconds = standing.place.eta_seconds
        response.status = _STATUS[standing.place.state]
        response.expires_at.CopyFrom(wire.moment(standing.expires_at))
        if not standing.is_new:
            response.error.CopyFrom(wire.error(_JOINED_ALREADY, call.trace_id))
        return response

    def GetQueueStatus(self, request: pb.GetQueueStatusRequest) -> pb.GetQueueStatusResponse:
        place, expires_at = self._room.show(request.waiting_token)
        # As above; this is the call that is made most.
        response = pb.GetQueueStatusResponse()
        response.status = _STATUS[place.state]
        response.position = place.position
        response.eta_seconds = place.eta_seconds
        if place.may_be_admitted:
            response.admission_ready = True
        response.expires_at.CopyFrom(wire.moment(expires_at))
        return response

    async def RequestAdmission(self, request: pb.RequestAdmissionRequest, call: Call) -> pb.RequestAdmissionResponse:
        try:
            grant = await self._room.admit(request.waiting_token, request.event_id, request.user_id, call)
        except Refusal as refusal:
            status = _REFUSED_ADMISSION.get(refusal.code, pb.ADMISSION_STATUS_EXPIRED)
            return pb.RequestAdmissionResponse(admission=status, error=wire.error(refusal, call.trace_id))
        if grant is None:
            return pb.RequestAdmissionResponse(admission=pb.ADMISSION_STATUS_DENIED)
        return pb.RequestAdmissionResponse(
            admission=pb.ADMISSION_STATUS_GRANTED,
            reservation_token=grant.token,
            ttl_seconds=(grant.expires_at - grant.granted_at) // SECOND,
            valid_until=wire.timestamp(grant.expires_at),
        )

    async def LeaveQueue(self, request: pb.LeaveQueueRequest, call: Call) -> pb.LeaveQueueResponse:
        left_at = await self._room.leave(request.waiting_token, request.reason, call)
        return pb.LeaveQueueResponse(success=True, left_at=wire.timestamp(left_at))

    async def GetQueueStats(self, request: pb.GetQueueStatsRequest, call: Call) -> pb.GetQueueStatsResponse:
        views = await self._operator.views(request.event_id, call)
        now = wire.timestamp(self._clock.now())
        capacity = sum(view.active_max for view in views)
        admitted = sum(view.figures.admitted for view in views)
        return pb.GetQueueStatsResponse(
            events=[
                pb.EventQueueStats(
                    event_id=view.event_id,
                    total_waiting=view.figures.waiting,
                    total_admitted=view.figures.admitted_ever,
                    admission_rate_per_minute=view.figures.admitted_last_minute,
                    average_wait_time_seconds=view.figures.wait_average,
                    last_updated=now,
                )
                for view in views
            ],
            system=pb.SystemQueueStats(
                total_active_queues=sum(1 for view in views if view.figures.waiting),
                total_waiting_users=sum(view.figures.waiting for view in views),
                total_admitted_users=sum(view.figures.admitted_ever for view in views),
                system_capacity_percentage=100 * admitted // capacity if capacity else 0,
                average_admission_rate=(
                    sum(view.figures.admitted_last_minute for view in views) / len(views) if views else 0
                ),
                last_updated=now,
            ),
        )


class SharedQueueRpc(QueueRpc):
    """Where other processes have the same lines."""

    async def GetQueueStatus(  # type: ignore[override]  # which need not wait for anything where one has them
        self, request: pb.GetQueueStatusRequest, call: Call
    ) -> pb.GetQueueStatusResponse:
        await self._room.catch_up(request.waiting_token, call)
        return super().GetQueueStatus(request)


class QueueStreamRpc:
    """The queue's part of WebSocketService."""

    def __init__(self, room: WaitingRoom) -> None:
        self._room = room

    async def StreamQueueUpdates(
        self, request: ws.StreamQueueRequest, call: Call
    ) -> AsyncIterator[ws.QueueUpdateEvent]:
        watching = self._room.watch(request.waiting_token, request.session_id, request.event_id, call)
        async with aclosing(watching) as news:
            async for news_item in news:
                yield _update(news_item, request.waiting_token, call)


class LineRpc:
    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    async def GetLine(self, request: own.GetLineRequest, call: Call) -> own.GetLineResponse:
        if not request.event_id:
            raise Refusal.of_field("event_id", "is required")
        (view,) = await self._operator.views(request.event_id, call)
        return own.GetLineResponse(line=_line(view))

    async def CountWaiting(self, request: own.CountWaitingRequest, call: Call) -> own.CountWaitingResponse:
        return own.CountWaitingResponse(waiting=await self._operator.waiting(request.event_id, call))

    async def ConfigureLine(self, request: own.ConfigureLineRequest, call: Call) -> own.ConfigureLineResponse:
        changed = await self._operator.configure(
            request.event_id, request.setting, request.value, request.actor, request.reason, call
        )
        return own.ConfigureLineResponse(
            old_value=changed.old, new_value=changed.new, changed_at=wire.timestamp(changed.at)
        )


class DrawRpc:
    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    async def GetDraw(self, request: own.GetDrawRequest, call: Call) -> own.GetDrawResponse:
        shown = await self._operator.draw(request.event_id, call)
        return own.GetDrawResponse(
            draw=own.Draw(
                event_id=request.event_id,
                seed_sha256=shown.commitment,
                committed_at=wire.timestamp(shown.committed_at),
                opens_at=wire.timestamp(shown.opens_at),
                closed_at=wire.timestamp(shown.closed_at),
                pool_size=shown.pool_size,
                pool_digest=shown.pool_digest,
                seed=shown.seed,
            )
        )

    async def ListDrawEntries(self, request: own.ListDrawEntriesRequest, call: Call) -> own.ListDrawEntriesResponse:
        if request.page_size < 0 or request.after_number < 0:
            field = "page_size" if request.page_size < 0 else "after_number"
            raise Refusal.of_field(field, "must not be negative", getattr(request, field))
        size = min(request.page_size or ENTRIES_PAGE_MAX, ENTRIES_PAGE_MAX)
        page, has_more = await self._operator.draw_entries(request.event_id, request.after_number, size, call)
        return own.ListDrawEntriesResponse(
            entries=[own.DrawEntry(number=one.number, entry=one.entry, place=one.place) for one in page],
            has_next_page=has_more,
        )


def _metadata(given: pb.QueueMetadata) -> dict[str, str]:
    metadata = {
        "ip_address": given.ip_address,
        "user_agent": given.user_agent,
        "referer": given.referer,
        "country_code": given.country_code,
        **given.headers,
    }
    return {name: value for name, value in metadata.items() if value}


def _update(news_item: StreamUpdate | StreamMessage, token: str, call: Call) -> ws.QueueUpdateEvent:
    if isinstance(news_item, StreamMessage):
        return ws.QueueUpdateEvent(
            type=ws.EVENT_TYPE_MESSAGE,
            system_update=ws.SystemUpdate(event_id=news_item.event_id, message=news_item.text.text),
            timestamp=wire.timestamp(news_item.text.sent_at),
            correlation_id=news_item.text.id,
        )
    at, place = wire.timestamp(news_item.at), news_item.sight.place
    if news_item.topic in _SYSTEM_TOPICS:
        kind, message = _SYSTEM_TOPICS[news_item.topic]
        return ws.QueueUpdateEvent(
            type=ws.EVENT_TYPE_SYSTEM_UPDATE,
            system_update=ws.SystemUpdate(
                event_id=news_item.event_id,
                total_waiting=news_item.waiting,
                admission_rate=news_item.sight.rate_per_second,
                event_type=kind,
                message=_maintained(news_item) or message,
            ),
            timestamp=at,
            correlation_id=call.trace_id,
        )
    return ws.QueueUpdateEvent(
        type=ws.EVENT_TYPE_QUEUE_UPDATE,
        queue_update=ws.QueueUpdate(
            waiting_token=token,
            position=place.position,
            eta_seconds=place.eta_seconds,
            event_type=_QUEUE_TOPICS[news_item.topic],
            admission_ready=place.may_be_admitted,
            expires_at=wire.timestamp(news_item.expires_at),
        ),
        timestamp=at,
        correlation_id=call.trace_id,
    )


def _maintained(news_item: StreamUpdate) -> str:
    is_news = news_item.topic is Topic.MAINTENANCE and news_item.sight.maintenance
    return f"maintenance: {news_item.sight.maintenance}" if is_news else ""


def _line(view: Overview) -> own.Line:
    figures = view.figures
    return own.Line(
        event_id=view.event_id,
        waiting=figures.waiting,
        ready=figures.ready,
        admitted=figures.admitted,
        admitted_ever=figures.admitted_ever,
        admitted_last_minute=figures.admitted_last_minute,
        moving_per_second=figures.moving_per_second,
        no_show_share=figures.no_show_share,
        wait_p50_seconds=figures.wait_at(0.5),
        wait_p95_seconds=figures.wait_at(0.95),
        told=figures.estimates,
        told_kept=figures.estimates_kept,
        rate_per_second=view.rate_per_second,
        active_max=view.active_max,
        stopped=view.is_stopped,
        sold_out=view.is_sold_out,
        pool=view.is_pool,
        closed=view.is_closed,
        streams=view.streams,
        state=view.condition.state if view.condition else "",
        state_message=view.condition.message if view.condition else "",
    )

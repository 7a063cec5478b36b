"""QueueViewService on the wire: a queue as everybody may see it, and may reckon any place from."""

from traffic_tacos import wire
from traffic_tacos.gen.tacos.web.v1 import web_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.rooms.waiting_room.ended import BLOCK
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.waiting_room.operating import Operator


class QueueViewRpc:
    def __init__(self, lines: Lines, operator: Operator) -> None:
        self._lines = lines
        self._operator = operator

    async def GetQueueView(self, request: pb.GetQueueViewRequest, call: Call) -> pb.GetQueueViewResponse:
        opened = await self._lines.of(checked_id("event_id", request.event_id), call)
        draw = await self._draw(request.event_id, call)
        line, view = opened.line, opened.line.view()
        condition, figures, places = opened.condition(), line.figures(), line.reckoning()
        return pb.GetQueueViewResponse(
            view=pb.QueueView(
                event_id=request.event_id,
                at=wire.timestamp(view.at),
                opens_at=wire.timestamp(view.opens_at),
                ends_at=wire.timestamp(view.ends_at),
                state="" if condition is None else condition.state,
                message="" if condition is None else condition.message,
                operator_message=view.message,
                paused=view.is_stopped,
                sold_out=view.is_sold_out,
                sold_for_good=view.is_sold_for_good,
                all_held=view.sellable == 0 and not view.is_sold_out,
                closed=view.is_closed,
                joined=view.joined,
                waiting=figures.waiting,
                admitted=figures.admitted,
                moving_per_second=figures.moving_per_second,
                rate_per_second=view.limits.rate_per_second,
                cursor=places.cursor,
                ended=pb.Ended(first_rank=places.begins, before=places.ended_before, step=BLOCK, counts=places.ended),
                draw=draw,
            )
        )

    async def _draw(self, event_id: str, call: Call) -> pb.DrawState | None:
        """What may be published of the event's draw; None when it has none."""
        try:
            shown = await self._operator.draw(event_id, call)
        except Refusal as refusal:
            if refusal.code is Code.NOT_FOUND:
                return None
            raise
        return pb.DrawState(
            is_drawn=shown.closed_at is not None,
            size=shown.pool_size,
            seed_sha256=shown.commitment,
            seed=shown.seed,
            pool_digest=shown.pool_digest,
        )

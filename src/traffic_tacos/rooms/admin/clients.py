"""The waiting room and reservations, in the words of administration."""

import msgspec

from traffic_tacos import wire
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2, lifecycle_pb2_grpc
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2, waiting_room_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.upstream import Upstream

LINE_SECONDS = 2.0
STOP_SECONDS = 8.0


class LineChange(msgspec.Struct, frozen=True):
    old: str
    new: str
    at: Instant | None


class LineView(msgspec.Struct, frozen=True):
    waiting: int
    moving_per_second: float


class Stopped(msgspec.Struct, frozen=True):
    cancelled: int
    at: Instant | None


class LineClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = waiting_room_pb2_grpc.LineServiceStub(upstream.channel)

    async def configure(self, event_id: str, setting: str, value: str, reason: str, call: Call) -> LineChange:
        """Set one thing of a line in the caller's name; an empty `event_id` means all events."""
        answer = await self._upstream.ask(
            self._stub.ConfigureLine,
            waiting_room_pb2.ConfigureLineRequest(
                event_id=event_id, setting=setting, value=value, actor=call.caller.name, reason=reason
            ),
            call,
            LINE_SECONDS,
        )
        return LineChange(answer.old_value, answer.new_value, wire.instant(answer, "changed_at"))

    async def view(self, event_id: str, call: Call) -> LineView:
        request = waiting_room_pb2.GetLineRequest(event_id=event_id)
        asked = self._upstream.ask(self._stub.GetLine, request, call, LINE_SECONDS)
        line = (await asked).line
        return LineView(line.waiting, line.moving_per_second)


class ReservationClient:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._stub = lifecycle_pb2_grpc.LifecycleServiceStub(upstream.channel)

    async def stop(self, event_id: str, reason: str, call: Call, *, resume: bool) -> Stopped:
        """Stop reservations in the caller's name and cancel the pending ones; an empty `event_id` means all events."""
        request = lifecycle_pb2.StopReservationsRequest(
            event_id=event_id, resume=resume, actor=call.caller.name, reason=reason
        )
        asked = self._upstream.ask(self._stub.StopReservations, request, call, STOP_SECONDS)
        answer = await asked
        return Stopped(answer.cancelled_count, wire.instant(answer, "changed_at"))

"""The waiting room, in the admin room's words."""

import grpc
import msgspec

from traffic_tacos import wire
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2, waiting_room_pb2_grpc
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant

LINE_SECONDS = 2.0


class Changed(msgspec.Struct, frozen=True):
    old: str
    new: str
    at: Instant | None


class LineClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = waiting_room_pb2_grpc.LineServiceStub(channel)

    async def configure(self, event_id: str, setting: str, value: str, reason: str, call: Call) -> Changed:
        """Set one thing of a line in the caller's name; an empty `event_id` means all events."""
        answer = await wire.answered(
            self._stub.ConfigureLine(
                waiting_room_pb2.ConfigureLineRequest(
                    event_id=event_id, setting=setting, value=value, actor=call.caller.name, reason=reason
                ),
                timeout=LINE_SECONDS,
                metadata=wire.metadata(call),
            )
        )
        return Changed(answer.old_value, answer.new_value, wire.instant(answer, "changed_at"))

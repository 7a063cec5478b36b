"""QueueService on the wire."""

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import queue_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.rooms.waiting_room.model import State
from traffic_tacos.rooms.waiting_room.service import WaitingRoom

_STATUS = {
    State.WAITING: pb.QUEUE_STATUS_WAITING,
    State.READY: pb.QUEUE_STATUS_READY,
    State.ADMITTED: pb.QUEUE_STATUS_READY,
    State.DONE: pb.QUEUE_STATUS_EXPIRED,
}
_REFUSED_ADMISSION = {
    Code.UNAUTHENTICATED: pb.ADMISSION_STATUS_INVALID,
    Code.FORBIDDEN: pb.ADMISSION_STATUS_INVALID,
    Code.INVALID_ARGUMENT: pb.ADMISSION_STATUS_INVALID,
    Code.NOT_FOUND: pb.ADMISSION_STATUS_INVALID,
    Code.RATE_LIMITED: pb.ADMISSION_STATUS_DENIED,
}
_JOINED_ALREADY = Refusal(Code.ALREADY_EXISTS, "session_id: is in this line already; this is its place")


class QueueRpc:
    def __init__(self, room: WaitingRoom) -> None:
        self._room = room

    async def JoinQueue(self, request: pb.JoinQueueRequest, call: Call) -> pb.JoinQueueResponse:
        given = request.metadata
        metadata = {
            "ip_address": given.ip_address,
            "user_agent": given.user_agent,
            "referer": given.referer,
            "country_code": given.country_code,
            **given.headers,
        }
        standing = await self._room.join(
            request.event_id,
            request.session_id,
            request.user_id,
            {name: value for name, value in metadata.items() if value},
            call,
        )
        return pb.JoinQueueResponse(
            waiting_token=standing.token,
            position_hint=standing.place.position,
            eta_seconds=standing.place.eta_seconds,
            status=_STATUS[standing.place.state],
            expires_at=wire.timestamp(standing.expires_at),
            error=None if standing.is_new else wire.error(_JOINED_ALREADY, call.trace_id),
        )

    def GetQueueStatus(self, request: pb.GetQueueStatusRequest, call: Call) -> pb.GetQueueStatusResponse:
        place, expires_at = self._room.show(request.waiting_token)
        status = _STATUS[place.state]
        return pb.GetQueueStatusResponse(
            status=status,
            position=place.position,
            eta_seconds=place.eta_seconds,
            admission_ready=status == pb.QUEUE_STATUS_READY,
            expires_at=wire.timestamp(expires_at),
        )

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

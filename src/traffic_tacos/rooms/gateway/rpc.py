"""GatewayService on the wire: who asks is checked here, what is asked is decided in the rooms behind."""

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from traffic_tacos import wire
from traffic_tacos.gen.gateway.v1 import gateway_pb2 as pb
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_user_id
from traffic_tacos.kernel.tokens import UserToken
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, HealthChecks, PartHealth
from traffic_tacos.rooms.gateway.clients import Rooms
from traffic_tacos.wire import passed_on

M = TypeVar("M", bound=Message)

SOURCE = "gateway"


class GatewayRpc:
    """`authenticate` says whom a token speaks for; `webhook_url` is where the platform is notified of payments: fans do
    not choose it.
    """

    def __init__(
        self,
        rooms: Rooms,
        clock: Clock,
        health: HealthChecks,
        authenticate: Callable[[str], UserToken],
        webhook_url: str,
    ) -> None:
        self._rooms = rooms
        self._clock = clock
        self._health = health
        self._authenticate = authenticate
        self._webhook_url = webhook_url

    async def HealthCheck(self, request: pb.HealthCheckRequest, call: Call) -> pb.HealthCheckResponse:
        now = wire.timestamp(self._clock.now())
        parts = [part for part in await self._health.rooms() if request.service in ("", part.name)]
        if not parts:
            raise Refusal(Code.NOT_FOUND, f"service: there is no service {request.service}")
        return pb.HealthCheckResponse(
            status=_worst(parts),
            services={
                part.name: pb.ServiceHealth(
                    status=part.health.value,  # type: ignore[arg-type]  # same numbers
                    response_time_ms=part.response_ms,
                    version=self._health.version,
                    last_check=now,
                )
                for part in parts
            },
            timestamp=now,
        )

    def ValidateToken(self, request: pb.ValidateTokenRequest, call: Call) -> pb.ValidateTokenResponse:
        if not request.token:
            raise Refusal.of_field("token", "is required")
        user = self._authenticate(request.token)
        if request.required_scope and request.required_scope not in user.scopes:
            raise Refusal(Code.FORBIDDEN, f"required_scope: the token does not have {request.required_scope[:80]!r}")
        name = user.caller.name
        return pb.ValidateTokenResponse(
            valid=True,
            user=pb.UserContext(user_id=name, username=name, roles=[user.caller.role.value]),
            scopes=user.scopes,
            expires_at=wire.timestamp(user.expires_at),
        )

    async def GetEventAvailability(
        self, request: pb.GetEventAvailabilityRequest, call: Call
    ) -> pb.GetEventAvailabilityResponse:
        if request.quantity < 0:
            raise Refusal.of_field("quantity", "must not be negative", request.quantity)
        answer = await self._rooms.ask(
            self._rooms.inventory,
            self._rooms.inventory.stub.GetInventoryStatus,
            inventory_pb2.GetInventoryStatusRequest(event_id=request.event_id, section=request.section),
            call,
        )
        enough = [section for section in answer.sections if section.available_seats >= request.quantity]
        return pb.GetEventAvailabilityResponse(
            event=answer.event,
            sections=enough,
            total_available=sum(section.available_seats for section in enough),
        )

    async def CreateReservation(self, request: pb.CreateReservationRequest, call: Call) -> pb.CreateReservationResponse:
        call.require_user(checked_user_id("user_id", request.user_id))
        given = request.metadata
        metadata = reservation_pb2.ReservationMetadata(
            source=SOURCE, user_agent=given.user_agent, ip_address=given.ip_address, session_id=given.session_id
        )
        asked = passed_on(request, reservation_pb2.CreateReservationRequest, metadata=metadata)
        room = self._rooms.reservation
        return passed_on(
            await self._rooms.ask(room, room.stub.CreateReservation, asked, call), pb.CreateReservationResponse
        )

    async def GetReservation(self, request: pb.GetReservationRequest, call: Call) -> pb.GetReservationResponse:
        asked = _as_whose(request, reservation_pb2.GetReservationRequest, call)
        room = self._rooms.reservation
        return passed_on(await self._rooms.ask(room, room.stub.GetReservation, asked, call), pb.GetReservationResponse)

    async def ConfirmReservation(
        self, request: pb.ConfirmReservationRequest, call: Call
    ) -> pb.ConfirmReservationResponse:
        asked = _as_whose(request, reservation_pb2.ConfirmReservationRequest, call)
        room = self._rooms.reservation
        return passed_on(
            await self._rooms.ask(room, room.stub.ConfirmReservation, asked, call), pb.ConfirmReservationResponse
        )

    async def CancelReservation(self, request: pb.CancelReservationRequest, call: Call) -> pb.CancelReservationResponse:
        asked = _as_whose(request, reservation_pb2.CancelReservationRequest, call)
        room = self._rooms.reservation
        return passed_on(
            await self._rooms.ask(room, room.stub.CancelReservation, asked, call), pb.CancelReservationResponse
        )

    async def CreatePaymentIntent(
        self, request: pb.CreatePaymentIntentRequest, call: Call
    ) -> pb.CreatePaymentIntentResponse:
        call.require_user(checked_user_id("user_id", request.user_id))
        asked = passed_on(request, payment_pb2.CreatePaymentIntentRequest, webhook_url=self._webhook_url)
        room = self._rooms.payment
        return passed_on(
            await self._rooms.ask(room, room.stub.CreatePaymentIntent, asked, call), pb.CreatePaymentIntentResponse
        )

    async def GetPaymentStatus(self, request: pb.GetPaymentStatusRequest, call: Call) -> pb.GetPaymentStatusResponse:
        asked = _as_whose(request, payment_pb2.GetPaymentStatusRequest, call)
        room = self._rooms.payment
        return passed_on(
            await self._rooms.ask(room, room.stub.GetPaymentStatus, asked, call), pb.GetPaymentStatusResponse
        )


def _as_whose(request: Any, kind: type[M], call: Call) -> M:
    """The request as a room takes it, with whose things are asked for: the caller's own, unless a service says
    otherwise.
    """
    if not request.user_id:
        return passed_on(request, kind, user_id=call.caller.name)
    call.require_user(request.user_id)
    return passed_on(request, kind)


def _worst(parts: list[PartHealth]) -> pb.HealthStatus:
    return max((part.health for part in parts), default=Health.HEALTHY).value  # type: ignore[return-value]  # same numbers

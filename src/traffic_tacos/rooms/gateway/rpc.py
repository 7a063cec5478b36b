"""GatewayService on the wire: who asks is checked here, what is asked is decided in the rooms behind."""

from collections.abc import Callable

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

SOURCE = "gateway"


class GatewayRpc:
    """`authenticate` says whom a token speaks for; `webhook_url` is where the platform hears of payments: fans do not
    choose it.
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
            raise Refusal(Code.NOT_FOUND, f"service: there is no room {request.service}")
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
        answer = await self._rooms.ask(
            self._rooms.reservation,
            self._rooms.reservation.stub.CreateReservation,
            reservation_pb2.CreateReservationRequest(
                event_id=request.event_id,
                seat_ids=request.seat_ids,
                quantity=request.quantity,
                user_id=request.user_id,
                reservation_token=request.reservation_token,
                idempotency_key=request.idempotency_key,
                metadata=reservation_pb2.ReservationMetadata(
                    source=SOURCE,
                    user_agent=given.user_agent,
                    ip_address=given.ip_address,
                    session_id=given.session_id,
                ),
            ),
            call,
        )
        return pb.CreateReservationResponse(
            reservation_id=answer.reservation_id,
            status=answer.status,
            hold_expires_at=answer.hold_expires_at,
            reserved_seats=answer.reserved_seats,
            total_amount=answer.total_amount,
            payment_url=answer.payment_url,
        )

    async def GetReservation(self, request: pb.GetReservationRequest, call: Call) -> pb.GetReservationResponse:
        answer = await self._rooms.ask(
            self._rooms.reservation,
            self._rooms.reservation.stub.GetReservation,
            reservation_pb2.GetReservationRequest(
                reservation_id=request.reservation_id, user_id=self._whose(request.user_id, call)
            ),
            call,
        )
        return pb.GetReservationResponse(reservation=answer.reservation)

    async def ConfirmReservation(
        self, request: pb.ConfirmReservationRequest, call: Call
    ) -> pb.ConfirmReservationResponse:
        answer = await self._rooms.ask(
            self._rooms.reservation,
            self._rooms.reservation.stub.ConfirmReservation,
            reservation_pb2.ConfirmReservationRequest(
                reservation_id=request.reservation_id,
                payment_intent_id=request.payment_intent_id,
                user_id=self._whose(request.user_id, call),
                idempotency_key=request.idempotency_key,
            ),
            call,
        )
        return pb.ConfirmReservationResponse(
            order_id=answer.order_id,
            status=answer.status,
            confirmed_at=answer.confirmed_at,
            confirmed_seats=answer.confirmed_seats,
        )

    async def CancelReservation(self, request: pb.CancelReservationRequest, call: Call) -> pb.CancelReservationResponse:
        answer = await self._rooms.ask(
            self._rooms.reservation,
            self._rooms.reservation.stub.CancelReservation,
            reservation_pb2.CancelReservationRequest(
                reservation_id=request.reservation_id,
                user_id=self._whose(request.user_id, call),
                reason=request.reason,
                idempotency_key=request.idempotency_key,
            ),
            call,
        )
        return pb.CancelReservationResponse(
            status=answer.status, cancelled_at=answer.cancelled_at, released_seats=answer.released_seats
        )

    async def CreatePaymentIntent(
        self, request: pb.CreatePaymentIntentRequest, call: Call
    ) -> pb.CreatePaymentIntentResponse:
        call.require_user(checked_user_id("user_id", request.user_id))
        answer = await self._rooms.ask(
            self._rooms.payment,
            self._rooms.payment.stub.CreatePaymentIntent,
            payment_pb2.CreatePaymentIntentRequest(
                reservation_id=request.reservation_id,
                amount=request.amount,
                user_id=request.user_id,
                method=request.method,
                scenario=request.scenario,
                webhook_url=self._webhook_url,
                idempotency_key=request.idempotency_key,
            ),
            call,
        )
        return pb.CreatePaymentIntentResponse(
            payment_intent_id=answer.payment_intent_id,
            status=answer.status,
            client_secret=answer.client_secret,
            payment_url=answer.payment_url,
            expires_at=answer.expires_at,
        )

    async def GetPaymentStatus(self, request: pb.GetPaymentStatusRequest, call: Call) -> pb.GetPaymentStatusResponse:
        answer = await self._rooms.ask(
            self._rooms.payment,
            self._rooms.payment.stub.GetPaymentStatus,
            payment_pb2.GetPaymentStatusRequest(
                payment_intent_id=request.payment_intent_id, user_id=self._whose(request.user_id, call)
            ),
            call,
        )
        return pb.GetPaymentStatusResponse(payment=answer.payment)

    def _whose(self, user_id: str, call: Call) -> str:
        """Whose things are asked for: the caller's own, unless a service says otherwise."""
        if not user_id:
            return call.caller.name
        call.require_user(user_id)
        return user_id


def _worst(parts: list[PartHealth]) -> pb.HealthStatus:
    return max((part.health for part in parts), default=Health.HEALTHY).value  # type: ignore[return-value]  # same numbers

"""ReservationService, and the lifecycle that only the worker may ask for, on the wire."""

from traffic_tacos import wire
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as pb
from traffic_tacos.gen.tacos.lifecycle.v1 import lifecycle_pb2
from traffic_tacos.gen.tacos.reservation.v1 import reservation_pb2 as own
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.ids import checked_id, checked_user_id
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.rooms.reservation.ending import Ending
from traffic_tacos.rooms.reservation.model import Metadata, RefundObstacle, Reservation, Wish, seats_of
from traffic_tacos.rooms.reservation.service import Cancel, Confirm, Create, Extend, Reservations
from traffic_tacos.rooms.reservation.stopping import Stopping

BEST_SEATS = "best-seats"
ENCODED_MAX = 10_000  # some 600 bytes each, beside the record


class ReservationRpc:
    """`pay_page` is the address of the payment page, without the reservation; empty when there is none."""

    def __init__(self, reservations: Reservations, pay_page: str) -> None:
        self._reservations = reservations
        self._pay_page = pay_page
        self._encoded = Encoded()

    async def CreateReservation(self, request: pb.CreateReservationRequest, call: Call) -> pb.CreateReservationResponse:
        given = request.metadata
        created = await self._reservations.create(
            Create(
                request.event_id,
                tuple(request.seat_ids),
                request.quantity,
                request.user_id,
                request.reservation_token,
                request.idempotency_key,
                Metadata(given.source, given.user_agent, given.ip_address, given.session_id, dict(given.tags)),
            ),
            call,
        )
        return pb.CreateReservationResponse(
            reservation_id=created.reservation_id,
            status=_status(created.status),
            hold_expires_at=wire.timestamp(created.hold_expires_at),
            reserved_seats=wire.seats(created.seats),
            total_amount=wire.money(created.total),
            payment_url=f"{self._pay_page}/{created.reservation_id}" if self._pay_page else "",
        )

    async def GetReservation(self, request: pb.GetReservationRequest, call: Call) -> pb.GetReservationResponse:
        reservation = await self._reservations.show(request.reservation_id, request.user_id, call)
        answer = pb.GetReservationResponse()
        answer.reservation.MergeFromString(self._encoded.of(reservation))
        return answer

    async def ConfirmReservation(
        self, request: pb.ConfirmReservationRequest, call: Call
    ) -> pb.ConfirmReservationResponse:
        confirmed = await self._reservations.confirm(
            Confirm(request.reservation_id, request.payment_intent_id, request.user_id, request.idempotency_key), call
        )
        return pb.ConfirmReservationResponse(
            order_id=confirmed.order_id,
            status=_status(confirmed.status),
            confirmed_at=wire.timestamp(confirmed.confirmed_at),
            confirmed_seats=wire.seats(confirmed.seats),
        )

    async def CancelReservation(self, request: pb.CancelReservationRequest, call: Call) -> pb.CancelReservationResponse:
        cancelled = await self._reservations.cancel(
            Cancel(request.reservation_id, request.user_id, request.reason, request.idempotency_key), call
        )
        return pb.CancelReservationResponse(
            status=_status(cancelled.status),
            cancelled_at=wire.timestamp(cancelled.cancelled_at),
            released_seats=wire.seats(cancelled.released_seats),
        )

    async def ListReservations(self, request: pb.ListReservationsRequest, call: Call) -> pb.ListReservationsResponse:
        page = await self._reservations.list(
            request.user_id, request.event_id, request.status, wire.asked_page(request.pagination), call
        )
        answer = pb.ListReservationsResponse(page_info=wire.page_info(page))
        for reservation in page.records:
            answer.reservations.add().MergeFromString(self._encoded.of(reservation))
        return answer

    async def ExtendHold(self, request: pb.ExtendHoldRequest, call: Call) -> pb.ExtendHoldResponse:
        extended = await self._reservations.extend(
            Extend(
                request.reservation_id,
                request.user_id,
                request.extension_seconds,
                request.reason,
                request.idempotency_key,
            ),
            call,
        )
        return pb.ExtendHoldResponse(
            new_expires_at=wire.timestamp(extended.hold_expires_at),
            extended_seconds=extended.seconds,
            extension_allowed=True,
        )


class BestSeatsRpc:
    """`pay_page` as in ReservationRpc. Fans ask here themselves, so whose reservation it is is checked here."""

    def __init__(self, reservations: Reservations, pay_page: str) -> None:
        self._reservations = reservations
        self._pay_page = pay_page

    async def ReserveBest(self, request: own.ReserveBestRequest, call: Call) -> own.ReserveBestResponse:
        call.require_user(checked_user_id("user_id", request.user_id))
        created = await self._reservations.create(
            Create(
                request.event_id,
                (),
                request.quantity,
                request.user_id,
                request.reservation_token,
                request.idempotency_key,
                Metadata(source=BEST_SEATS),
                Wish(request.section, wire.plain_money(request.price_max) if request.HasField("price_max") else None),
            ),
            call,
        )
        return own.ReserveBestResponse(
            reservation_id=created.reservation_id,
            status=_status(created.status),
            hold_expires_at=wire.timestamp(created.hold_expires_at),
            reserved_seats=wire.seats(created.seats),
            total_amount=wire.money(created.total),
            payment_url=f"{self._pay_page}/{created.reservation_id}" if self._pay_page else "",
        )


class RefundRpc:
    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations

    async def GetRefundQuote(self, request: own.GetRefundQuoteRequest, call: Call) -> own.GetRefundQuoteResponse:
        reservation, quote = await self._reservations.refund_quote(request.reservation_id, request.user_id, call)
        has_amount = quote.obstacle in (None, RefundObstacle.ALREADY_REFUNDED)
        amount = Money(quote.refund_minor, reservation.total.currency) if has_amount else None
        return own.GetRefundQuoteResponse(
            amount=wire.money(amount),
            until=wire.timestamp(quote.until),
            obstacle=quote.obstacle or 0,  # type: ignore[arg-type]  # same numbers, see model.RefundObstacle
        )


class LifecycleRpc:
    def __init__(self, ending: Ending, stopping: Stopping) -> None:
        self._ending = ending
        self._stopping = stopping

    async def ExpireReservation(
        self, request: lifecycle_pb2.ExpireReservationRequest, call: Call
    ) -> lifecycle_pb2.ExpireReservationResponse:
        ended = await self._ending.expire(checked_id("reservation_id", request.reservation_id), call)
        return lifecycle_pb2.ExpireReservationResponse(
            changed=ended.changed,
            status=_status(ended.reservation.status),
            released_seats=wire.seats(ended.released),
        )

    async def SettleReservation(
        self, request: lifecycle_pb2.SettleReservationRequest, call: Call
    ) -> lifecycle_pb2.SettleReservationResponse:
        ended = await self._ending.apply_payment_result(
            checked_id("reservation_id", request.reservation_id), request.payment_intent_id, call
        )
        return lifecycle_pb2.SettleReservationResponse(
            changed=ended.changed,
            status=_status(ended.reservation.status),
            order_id=ended.reservation.order_id,
            seats=wire.seats(seats_of(ended.reservation.seats, ended.reservation.status)),
        )

    async def StopReservations(
        self, request: lifecycle_pb2.StopReservationsRequest, call: Call
    ) -> lifecycle_pb2.StopReservationsResponse:
        stopped = await self._stopping.change(
            request.event_id, request.actor, request.reason, call, resume=request.resume
        )
        return lifecycle_pb2.StopReservationsResponse(
            cancelled_count=stopped.cancelled, changed_at=wire.timestamp(stopped.at)
        )


class Encoded:
    """Reservations as they go over the wire, each remembered until it changes: they are shown far more often than that,
    and naming every field of one takes longer than all else that is done to show it.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[Reservation, bytes]] = {}

    def of(self, reservation: Reservation) -> bytes:
        """The message `reservation.v1.Reservation` of a reservation, as it reads now."""
        known = self.known.get(reservation.id)
        if known is not None and known[0] == reservation:
            return known[1]
        if len(self.known) >= ENCODED_MAX:
            self.known.clear()
        encoded = _reservation(reservation).SerializeToString()
        self.known[reservation.id] = reservation, encoded
        return encoded


def _reservation(reservation: Reservation) -> pb.Reservation:
    given = reservation.metadata
    return pb.Reservation(
        reservation_id=reservation.id,
        event_id=reservation.event_id,
        user_id=reservation.user_id,
        status=_status(reservation.status),
        seats=wire.seats(reservation.seats),
        quantity=len(reservation.seats),
        total_amount=wire.money(reservation.total),
        created_at=wire.timestamp(reservation.created_at),
        updated_at=wire.timestamp(reservation.updated_at),
        hold_expires_at=wire.timestamp(reservation.hold_expires_at),
        payment_intent_id=reservation.payment_intent_id,
        order_id=reservation.order_id,
        metadata=pb.ReservationMetadata(
            source=given.source,
            user_agent=given.user_agent,
            ip_address=given.ip_address,
            session_id=given.session_id,
            tags=given.tags,
        ),
    )


def _status(status: ReservationStatus) -> pb.ReservationStatus:
    return status.value  # type: ignore[return-value]  # same numbers, see kernel.statuses

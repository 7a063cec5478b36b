"""The life of a reservation, and of the admission that let it be made:

    PENDING --extend, once--> PENDING
    PENDING --confirm--> CONFIRMED --given back--> REFUNDED
    PENDING --cancel | payment failed--> CANCELLED
    PENDING --deadline--> EXPIRED --late payment, same seats still free--> CONFIRMED

    admission: OPEN --reserve--> in use by one reservation --cancel--> OPEN
               in use --deadline--> ENDED      in use --confirm--> SPENT

Each of these steps is one commit together with that of the seats. Version 0.1.0 confirmed in three, of which the first
wrote down under which payment: while `confirming` names one, neither expiry nor cancellation may end the reservation,
and whoever finds it so finishes the confirmation.
"""

from enum import Enum, IntEnum

import msgspec

from traffic_tacos.kernel.errors import Code, Fault, Precondition, Refusal
from traffic_tacos.kernel.ids import order_id
from traffic_tacos.kernel.instants import HOUR, MINUTE, SECOND, Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.kernel.statuses import ReservationStatus

EXTENSIONS_MAX = 1
CREATE_KEY_WINDOW = 5 * MINUTE
FREE_OF_CHARGE = "free"  # in `confirming`, where nothing is to be paid


class NotYet(Fault):
    """The deadline has not come, or another payment is being confirmed: ask again."""


STEPS: dict[ReservationStatus, frozenset[ReservationStatus]] = {
    ReservationStatus.PENDING: frozenset(
        {ReservationStatus.CONFIRMED, ReservationStatus.CANCELLED, ReservationStatus.EXPIRED}
    ),
    ReservationStatus.EXPIRED: frozenset({ReservationStatus.CONFIRMED}),
    ReservationStatus.CONFIRMED: frozenset({ReservationStatus.REFUNDED}),
    ReservationStatus.CANCELLED: frozenset(),
    ReservationStatus.REFUNDED: frozenset(),
}
# What a reservation's status says of its seats; those of one that has ended may be anybody's.
SEAT_STATUS: dict[ReservationStatus, SeatStatus] = {
    ReservationStatus.PENDING: SeatStatus.RESERVED,
    ReservationStatus.CONFIRMED: SeatStatus.SOLD,
    ReservationStatus.CANCELLED: SeatStatus.AVAILABLE,
    ReservationStatus.EXPIRED: SeatStatus.AVAILABLE,
    ReservationStatus.REFUNDED: SeatStatus.AVAILABLE,
}


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the best available seats are to be: of a section, by its id or name, and of at most this price each."""

    section: str = ""
    price_max: Money | None = None


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the client said of itself."""

    source: str = ""
    user_agent: str = ""
    ip_address: str = ""
    session_id: str = ""
    tags: dict[str, str] = {}


class RefundPolicy(msgspec.Struct, frozen=True, gc=False):
    """What an event promised its buyers: until when they can give back, and how much of the price comes back."""

    hours_before: int
    percent: int
    starts_at: Instant | None

    def until(self) -> Instant | None:
        """When giving back ends; None when it does not."""
        return None if self.starts_at is None else self.starts_at - self.hours_before * HOUR


class RefundObstacle(IntEnum):
    """Why a reservation cannot be given back: `tacos.reservation.v1.RefundObstacle`, number for number."""

    ALREADY_REFUNDED = 1
    NOT_BOUGHT = 2
    ENTERED = 3
    NOT_PROMISED = 4
    TOO_LATE = 5


class RefundQuote(msgspec.Struct, frozen=True):
    """What giving a reservation back comes to: how much of its price goes back in all, and until when it can be given
    back (None: for ever); or what is in the way.
    """

    obstacle: RefundObstacle | None
    refund_minor: int = 0
    until: Instant | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """That somebody has entered with the ticket of a seat; `scanned_at` is by the scanner's clock."""

    seat_id: str
    scanner_id: str
    scan_id: str
    scanned_at: Instant
    recorded_at: Instant


class Reservation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    id: str
    event_id: str
    user_id: str
    admission_id: str
    seats: tuple[Seat, ...]
    total: Money
    created_at: Instant
    updated_at: Instant
    hold_expires_at: Instant
    status: ReservationStatus = ReservationStatus.PENDING
    confirming: str = ""  # only of version 0.1.0, see above
    extensions: int = 0
    refunds: tuple[str, ...] = ()  # payments that can buy it no more: they came too late, or went back by hand
    refund_minor: int = 0  # what of the total goes back, once it is given back
    refund_policy: RefundPolicy | None = None  # as it was when the seats were reserved
    payment_intent_id: str = ""
    order_id: str = ""
    confirmed_at: Instant | None = None
    metadata: Metadata = Metadata()
    entries: tuple[Entry, ...] = ()  # with which of its tickets somebody has entered

    def as_read(self, now: Instant) -> "Reservation":
        """Past its deadline a hold reads EXPIRED, whether or not a worker came by; its seats read as it does."""
        return _with_status(self, ReservationStatus.EXPIRED if is_over(self, now) else self.status)

    def owed_back(self, payment_intent_id: str) -> Money | None:
        """How much of a payment goes back in all, now that it buys nothing any more; None: everything captured."""
        if self.status is ReservationStatus.REFUNDED and self.payment_intent_id == payment_intent_id:
            return Money(self.refund_minor, self.total.currency)
        return None


class Order(msgspec.Struct, frozen=True, gc=False):
    """A sale: who owns which seats, and what paid for them (`payment_intent_id` is empty when they were free)."""

    id: str
    reservation_id: str
    event_id: str
    user_id: str
    seat_ids: tuple[str, ...]
    amount: Money
    payment_intent_id: str
    created_at: Instant


class AdmissionState(Enum):
    OPEN = "open"
    ENDED = "ended"
    SPENT = "spent"


class AdmissionUse(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What has been made of an admission: one reservation at a time, one purchase at most."""

    state: AdmissionState = AdmissionState.OPEN
    user_id: str = ""
    reservation_id: str = ""
    until: Instant = 0


def used(use: AdmissionUse | None, user_id: str, reservation_id: str, until: Instant, now: Instant) -> AdmissionUse:
    """The admission, in use by this reservation until its deadline.

    FAILED_PRECONDITION when it has bought, has ended or serves another live reservation; FORBIDDEN when
    another user has used it.
    """
    check_usable(use, user_id, now)
    return AdmissionUse(AdmissionState.OPEN, user_id, reservation_id, until)


def check_usable(use: AdmissionUse | None, user_id: str, now: Instant) -> None:
    """Refuse unless the admission can be used by this user now."""
    if use is None:
        return
    if use.user_id != user_id:
        raise Refusal(Code.FORBIDDEN, "reservation_token: was used by somebody else", is_final=True)
    if use.state is AdmissionState.SPENT:
        says = "has bought already; join the queue again"
        raise Refusal.of_precondition("reservation_token", says, Precondition.TURN_USED, is_final=True)
    if use.state is AdmissionState.ENDED or (use.reservation_id and now >= use.until):
        says = "its reservation expired; join the queue again"
        raise Refusal.of_precondition("reservation_token", says, Precondition.TURN_USED, is_final=True)
    if use.reservation_id:
        says = f"{use.reservation_id} is still open; pay or cancel it first"
        raise Refusal.of_precondition("reservation_token", says, Precondition.RESERVATION_OPEN, use.reservation_id)


def admission_after(use: AdmissionUse, reservation: Reservation) -> AdmissionUse:
    """The admission after its reservation's step; a later reservation's use is left alone."""
    if reservation.status is ReservationStatus.PENDING and use.reservation_id == reservation.id:
        return msgspec.structs.replace(use, until=reservation.hold_expires_at)
    if reservation.status is ReservationStatus.CONFIRMED:
        return msgspec.structs.replace(use, state=AdmissionState.SPENT, reservation_id=reservation.id)
    if use.reservation_id != reservation.id or use.state is not AdmissionState.OPEN:
        return use
    if reservation.status is ReservationStatus.CANCELLED:
        return msgspec.structs.replace(use, reservation_id="")
    if reservation.status is ReservationStatus.EXPIRED:
        return msgspec.structs.replace(use, state=AdmissionState.ENDED)
    return use


def stepped(reservation: Reservation, to: ReservationStatus, now: Instant) -> Reservation:
    """The reservation one step further; FAILED_PRECONDITION when that step is not in the table."""
    if to not in STEPS[reservation.status]:
        raise Refusal(
            Code.FAILED_PRECONDITION, f"reservation_id: a {reservation.status.name} reservation cannot become {to.name}"
        )
    return msgspec.structs.replace(_with_status(reservation, to), updated_at=now)


def _with_status(reservation: Reservation, status: ReservationStatus) -> Reservation:
    """The reservation with this status, and its seats as that status says."""
    seats = seats_of(reservation.seats, status)
    if reservation.status is status and seats is reservation.seats:
        return reservation
    return msgspec.structs.replace(reservation, status=status, seats=seats)


def seats_of(seats: tuple[Seat, ...], status: ReservationStatus) -> tuple[Seat, ...]:
    """The seats of a reservation with this status, as it says what they are."""
    after = SEAT_STATUS[status]
    for seat in seats:
        if seat.status is not after:
            return tuple(one if one.status is after else msgspec.structs.replace(one, status=after) for one in seats)
    return seats


def expired(reservation: Reservation, now: Instant) -> Reservation:
    """The reservation past its deadline; one that is not stays as it is."""
    return stepped(reservation, ReservationStatus.EXPIRED, now) if is_over(reservation, now) else reservation


def is_over(reservation: Reservation, now: Instant) -> bool:
    """Whether its hold has ended without a purchase, and nobody has written that down."""
    return (
        reservation.status is ReservationStatus.PENDING
        and not reservation.confirming
        and now >= reservation.hold_expires_at
    )


def is_held(reservation: Reservation, now: Instant) -> bool:
    """Whether it waits for its payment, within its time."""
    return (
        reservation.status is ReservationStatus.PENDING
        and not reservation.confirming
        and now < reservation.hold_expires_at
    )


def unpaid(reservation: Reservation, now: Instant) -> Reservation:
    """The reservation whose payment has failed; one that is no hold any more stays as it is."""
    return stepped(reservation, ReservationStatus.CANCELLED, now) if is_held(reservation, now) else reservation


def extended(reservation: Reservation, seconds: int, now: Instant) -> Reservation:
    """The reservation with a later deadline.

    RESERVATION_EXPIRED when its hold has ended, FAILED_PRECONDITION when it was extended as often as may
    be, or is being paid for or over in another way.
    """
    if reservation.as_read(now).status is ReservationStatus.EXPIRED:
        raise Refusal(Code.RESERVATION_EXPIRED, "reservation_id: the hold has ended", is_final=True)
    if reservation.status is not ReservationStatus.PENDING or reservation.confirming:
        state = "being confirmed" if reservation.confirming else reservation.status.name
        raise Refusal(
            Code.FAILED_PRECONDITION, f"reservation_id: is {state}; only a hold can be extended", is_final=True
        )
    if reservation.extensions >= EXTENSIONS_MAX:
        says = f"may be extended {EXTENSIONS_MAX} time only"
        raise Refusal.of_precondition("reservation_id", says, Precondition.NO_EXTENSION, is_final=True)
    return msgspec.structs.replace(
        reservation,
        hold_expires_at=reservation.hold_expires_at + seconds * SECOND,
        extensions=reservation.extensions + 1,
        updated_at=now,
    )


def cancelled(reservation: Reservation, now: Instant) -> Reservation:
    """Cancelling twice is cancelling once; what is being paid for cannot be cancelled."""
    if reservation.status is ReservationStatus.CANCELLED:
        return reservation
    if reservation.as_read(now).status is ReservationStatus.EXPIRED:
        raise Refusal(Code.RESERVATION_EXPIRED, "reservation_id: the hold has ended")
    if reservation.confirming:
        says = "its payment has arrived and is being confirmed"
        raise Refusal.of_precondition("reservation_id", says, Precondition.PAYMENT_ARRIVED)
    return stepped(reservation, ReservationStatus.CANCELLED, now)


def refund_quote(reservation: Reservation, current: RefundPolicy, now: Instant) -> RefundQuote:
    """What giving a reservation back comes to now.

    The promise is that of the purchase. An event that was moved since can give its buyers more time, and never less.
    """
    if reservation.status is ReservationStatus.REFUNDED:
        return RefundQuote(RefundObstacle.ALREADY_REFUNDED, reservation.refund_minor)
    if reservation.status is not ReservationStatus.CONFIRMED:
        return RefundQuote(RefundObstacle.NOT_BOUGHT)
    if reservation.entries:
        return RefundQuote(RefundObstacle.ENTERED)
    policy = reservation.refund_policy or current
    if not policy.percent:
        return RefundQuote(RefundObstacle.NOT_PROMISED)
    until = _later(policy.until(), current.until())
    if until is not None and now >= until:
        return RefundQuote(RefundObstacle.TOO_LATE, until=until)
    return RefundQuote(None, reservation.total.amount * policy.percent // 100, until)


def given_back(reservation: Reservation, current: RefundPolicy, now: Instant) -> Reservation:
    """A reservation given back, as its `refund_quote` says; giving back twice is giving back once.

    FAILED_PRECONDITION when there is an obstacle.
    """
    quote = refund_quote(reservation, current, now)
    match quote.obstacle:
        case None:
            return refunded(reservation, quote.refund_minor, now)
        case RefundObstacle.ALREADY_REFUNDED:
            return reservation
        case RefundObstacle.ENTERED:
            seats = ", ".join(entry.seat_id for entry in reservation.entries)
            why = f"somebody has entered with its ticket for {seats}"
        case RefundObstacle.NOT_BOUGHT:
            why = f"is {reservation.status.name}, not bought"
        case RefundObstacle.NOT_PROMISED:
            why = "this event takes no tickets back"
        case RefundObstacle.TOO_LATE:
            hours_before = (reservation.refund_policy or current).hours_before
            why = f"could be given back until {hours_before} hours before the event"
    raise Refusal(Code.FAILED_PRECONDITION, f"reservation_id: {why}")


def _later(one: Instant | None, other: Instant | None) -> Instant | None:
    """The later of two ends; None is never."""
    return None if one is None or other is None else max(one, other)


def refunded(reservation: Reservation, refund_minor: int, now: Instant) -> Reservation:
    """A bought reservation that has lost its seats, because so much of its price goes back."""
    return msgspec.structs.replace(stepped(reservation, ReservationStatus.REFUNDED, now), refund_minor=refund_minor)


def refunded_by_hand(reservation: Reservation, payment_intent_id: str, now: Instant) -> Reservation:
    """The reservation when somebody has given back a payment of it: one that was bought with it has lost its seats, and
    one that was not can never be bought with it. Any other stays as it is.
    """
    if reservation.status is ReservationStatus.CONFIRMED and reservation.payment_intent_id == payment_intent_id:
        return refunded(reservation, reservation.total.amount, now)
    can_be_bought = ReservationStatus.CONFIRMED in STEPS[reservation.status]
    return _without_payment(reservation, payment_intent_id, now) if can_be_bought else reservation


def is_confirming(reservation: Reservation, payment_intent_id: str) -> bool:
    """Whether version 0.1.0 has begun its confirmation under this payment (empty: free of charge)."""
    return reservation.confirming == (payment_intent_id or FREE_OF_CHARGE)


def confirmed(reservation: Reservation, payment_intent_id: str, now: Instant) -> Reservation:
    """The reservation, bought with this payment (empty: free of charge); one that was stays as it is.

    FAILED_PRECONDITION when it can have no order under this payment any more: the payment must go back. NotYet while
    another payment's confirmation is under way.
    """
    if reservation.confirming and not is_confirming(reservation, payment_intent_id):
        raise NotYet("another payment of this reservation is being confirmed")
    if reservation.status is ReservationStatus.CONFIRMED and reservation.payment_intent_id == payment_intent_id:
        return reservation
    if payment_intent_id in reservation.refunds:
        raise Refusal(Code.FAILED_PRECONDITION, "payment_intent_id: came too late and is being refunded")
    if ReservationStatus.CONFIRMED not in STEPS[reservation.status]:
        raise Refusal(Code.FAILED_PRECONDITION, f"reservation_id: is {reservation.status.name} already")
    return msgspec.structs.replace(
        stepped(reservation, ReservationStatus.CONFIRMED, now),
        confirming="",
        payment_intent_id=payment_intent_id,
        order_id=order_id(reservation.id),
        confirmed_at=now,
    )


def order_of(confirmed: Reservation) -> Order:
    """What was bought with a confirmed reservation."""
    return Order(
        id=confirmed.order_id,
        reservation_id=confirmed.id,
        event_id=confirmed.event_id,
        user_id=confirmed.user_id,
        seat_ids=tuple(seat.id for seat in confirmed.seats),
        amount=confirmed.total,
        payment_intent_id=confirmed.payment_intent_id,
        created_at=confirmed.updated_at,
    )


def lost(reservation: Reservation, payment_intent_id: str, now: Instant) -> Reservation:
    """The reservation whose payment came too late for its seats. That payment can never confirm it any more."""
    after = _without_payment(msgspec.structs.replace(reservation, confirming=""), payment_intent_id, now)
    return after if after.status is ReservationStatus.EXPIRED else stepped(after, ReservationStatus.EXPIRED, now)


def _without_payment(reservation: Reservation, payment_intent_id: str, now: Instant) -> Reservation:
    if not payment_intent_id or payment_intent_id in reservation.refunds:
        return reservation
    return msgspec.structs.replace(reservation, refunds=(*reservation.refunds, payment_intent_id), updated_at=now)

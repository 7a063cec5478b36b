"""Reservation records, and what each step of a life commits."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from traffic_tacos.kernel.domain_events import ReservationChanged
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.kernel.topics import (
    EXPIRE_RESERVATION,
    REFUND_PAYMENT,
    SETTLE_PAYMENT_RESULT,
)
from traffic_tacos.ports.paging import listed, listing_key
from traffic_tacos.ports.payments import payment_job_id
from traffic_tacos.ports.seats import Taken
from traffic_tacos.ports.store import Decision, Job, Key, Kind, Prefix, View, Write, put
from traffic_tacos.rooms.reservation.model import (
    FREE_OF_CHARGE,
    AdmissionUse,
    Order,
    Reservation,
    admission_after,
)

T = TypeVar("T")

RESERVATION = Kind("reservation", Reservation)
BY_USER = Kind("reservation_by_user", str)
BY_EVENT = Kind("reservation_by_event", str)
ENTERED_BY_EVENT = Kind("entered_by_event", str)
RETURNED_BY_EVENT = Kind("returned_by_event", str)
ORDER = Kind("order", Order)
ADMISSION_USE = Kind("admission_use", AdmissionUse)


def reservation_key(reservation_id: str) -> Key[Reservation]:
    return RESERVATION.key(reservation_id)


def _index_writes(reservation: Reservation) -> tuple[Write, Write]:
    """Listed by user and by event, oldest first."""
    return (
        listed(BY_USER, reservation.user_id, reservation.created_at, reservation.id),
        listed(BY_EVENT, reservation.event_id, reservation.created_at, reservation.id),
    )


def listing(user_id: str, event_id: str) -> Prefix[str]:
    return BY_USER.prefix(user_id) if user_id else BY_EVENT.prefix(event_id)


def entered_at(reservation: Reservation) -> Key[str]:
    """Where a reservation is listed with whose tickets somebody has entered."""
    return listing_key(ENTERED_BY_EVENT, reservation.event_id, reservation.created_at, reservation.id)


def returned_at(reservation: Reservation) -> Key[str]:
    """Where a reservation is listed that was given back."""
    return listing_key(RETURNED_BY_EVENT, reservation.event_id, reservation.created_at, reservation.id)


def admission_key(reservation: Reservation) -> Key[AdmissionUse]:
    return ADMISSION_USE.key(reservation.admission_id)


def step_reads(known: Reservation) -> tuple[Key[Reservation], Key[AdmissionUse]]:
    """What every step of a reservation is decided on."""
    return reservation_key(known.id), admission_key(known)


def begun(reservation: Reservation, use: AdmissionUse, reply: T) -> Decision[T]:
    """A new reservation, listed, with its admission in use and the job that ends it at its deadline."""
    return Decision(
        reply,
        (
            put(reservation_key(reservation.id), reservation),
            put(admission_key(reservation), use),
            *_index_writes(reservation),
        ),
        (expiry_job(reservation),),
        (changed(reservation, None),),
    )


def transition(
    view: View,
    before: Reservation,
    after: Reservation,
    reply: T,
    *,
    writes: Sequence[Write] = (),
    jobs: Sequence[Job] = (),
    tidy_at: Instant | None = None,
) -> Decision[T]:
    """One step of a reservation: itself, what became of its admission, the jobs that follow, and the news of it.

    Nothing happens where nothing changed. The view must have declared `step_reads`; at `tidy_at` a job frees what the
    reservation holds and stops its payments.
    """
    if after == before:
        return Decision(reply)
    tidying = () if tidy_at is None else (cleanup_job(after, tidy_at),)
    return Decision(reply, (*_step_writes(view, after), *writes), (*tidying, *jobs), (changed(after, before),))


def _step_writes(view: View, after: Reservation) -> list[Write]:
    key, admission = step_reads(after)
    writes: list[Write] = [put(key, after)]
    use = view.get(admission)
    if after.status is ReservationStatus.REFUNDED:
        writes.append(put(returned_at(after), after.id))
    if use is not None and (changed := admission_after(use, after)) != use:
        writes.append(put(admission, changed))
    return writes


def expiry_job(reservation: Reservation) -> Job:
    return Job(
        expiry_job_id(reservation.id),
        EXPIRE_RESERVATION,
        reservation.hold_expires_at,
        {"reservation_id": reservation.id, "event_id": reservation.event_id},
        group=reservation.id,
    )


def cleanup_job(reservation: Reservation, due_at: Instant) -> Job:
    """The expiry job of a reservation that has ended: it tidies up its hold and its payments under way."""
    return msgspec.structs.replace(expiry_job(reservation), due_at=due_at)


def expiry_job_id(reservation_id: str) -> str:
    return f"{EXPIRE_RESERVATION}:{reservation_id}"


def changed(after: Reservation, before: Reservation | None) -> ReservationChanged:
    """A step of a reservation, as it is published."""
    return ReservationChanged(
        reservation_id=after.id,
        event_id=after.event_id,
        user_id=after.user_id,
        admission_id=after.admission_id,
        old=before.status if before else None,
        new=after.status,
        at=after.updated_at,
        hold_expires_at=after.hold_expires_at,
    )


def refund_jobs(
    reservation_id: str, payment_intent_id: str, now: Instant, owed: Money | None = None
) -> tuple[Job, ...]:
    """The job that sees to it that so much of a payment has gone back in all (None: everything).

    No job when there is nothing to give back: no payment, or an amount of zero.
    """
    if not payment_intent_id or (owed is not None and not owed.amount):
        return ()
    payload = _about(reservation_id, payment_intent_id)
    if owed is not None:
        payload |= {"amount": str(owed.amount), "currency": owed.currency}
    return (Job(f"{REFUND_PAYMENT}:{payment_intent_id}", REFUND_PAYMENT, now, payload, group=reservation_id),)


def finishing_job(reservation_id: str, payment_intent_id: str, due_at: Instant) -> Job:
    """The job that finishes a confirmation which version 0.1.0 has begun: it looks at the payment's result once more.

    It takes the place of the job that payment has put for the same, under the same id, so there is one of both.
    """
    free = f"{SETTLE_PAYMENT_RESULT}:{FREE_OF_CHARGE}:{reservation_id}"
    job_id = payment_job_id(payment_intent_id) if payment_intent_id else free
    payload = _about(reservation_id, payment_intent_id)
    return Job(job_id, SETTLE_PAYMENT_RESULT, due_at, payload, group=reservation_id)


def _about(reservation_id: str, payment_intent_id: str) -> dict[str, str]:
    """What a job about a payment of a reservation says."""
    return {"reservation_id": reservation_id, "payment_intent_id": payment_intent_id}


def taken_by(reservation: Reservation) -> Taken:
    """The seats that a reservation says are its own."""
    seat_ids = tuple(seat.id for seat in reservation.seats)
    return Taken(reservation.id, reservation.event_id, reservation.user_id, seat_ids)

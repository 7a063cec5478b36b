"""The invariants of the design, checked over everything stored, on one snapshot.

Work under way is no violation as long as something durable will finish it: a confirmation that was
begun has its job, a payment without a ticket has the job that will look at it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.ports.audit import AUDIT, AUDIT_HEAD, broken_links
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.sales import SALE, Period
from traffic_tacos.ports.snapshots import OnSnapshot, Snapshot
from traffic_tacos.ports.store import JOB, Job, parts_of
from traffic_tacos.rooms.catalog.model import Event
from traffic_tacos.rooms.catalog.records import EVENT
from traffic_tacos.rooms.inventory.model import Hold, HoldStatus
from traffic_tacos.rooms.inventory.records import HOLD, ROW
from traffic_tacos.rooms.inventory.rows import RowState
from traffic_tacos.rooms.payment.model import Payment
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.model import AdmissionState, Order, Reservation
from traffic_tacos.rooms.reservation.records import ADMISSION_USE, ORDER, RESERVATION
from traffic_tacos.rooms.waiting_room.operating import FOR_ALL, RATE_SETTING
from traffic_tacos.rooms.waiting_room.records import TICKET

VIOLATIONS_SHOWN_MAX = 20
SECOND_LOOK_SECONDS = 3.0  # later than any call that was under way at the first
FOR_EVER = 2**63
DECIDED_WITHIN = 10 * SECOND  # from looking at the clock to the commit; no call takes longer

T = TypeVar("T")


class Result(msgspec.Struct, frozen=True):
    invariant: str
    claim: str
    checked: int
    violations: tuple[str, ...]
    violation_count: int


class Everything:
    """What the checks look at, read once."""

    def __init__(self, records: Snapshot, now: Instant) -> None:
        self.now = now
        self.events: dict[str, Event] = {event.id: event for _, event in records.all(EVENT)}
        self.rows: dict[str, RowState] = dict(records.all(ROW))
        self.holds = {parts_of(path): hold for path, hold in records.all(HOLD)}  # by event and reservation
        self.reservations: dict[str, Reservation] = {one.id: one for _, one in records.all(RESERVATION)}
        self.orders: list[Order] = [order for _, order in records.all(ORDER)]
        self.order_of = {order.reservation_id: order for order in self.orders}
        self.payments: dict[str, Payment] = {payment.id: payment for _, payment in records.all(PAYMENT)}
        self.uses = {parts_of(path)[0]: use for path, use in records.all(ADMISSION_USE)}
        self.tickets = [(parts_of(path)[0], ticket) for path, ticket in records.all(TICKET)]
        self.sales = {parts_of(path)[0]: sale for path, sale in records.all(SALE)}
        self.audit = [entry for _, entry in sorted(records.all(AUDIT))]
        self.audit_head = next((head for _, head in records.all(AUDIT_HEAD)), None)
        jobs: list[Job] = [job for _, job in records.all(JOB)]
        self.damaged = dict(records.damaged())
        live = [job.payload for job in jobs if not job.is_dead]
        self.payments_at_work = {payload["payment_intent_id"] for payload in live if "payment_intent_id" in payload}
        self.reservations_at_work = {payload.get("reservation_id", "") for payload in live}
        self.seats: dict[str, tuple[str, int]] = {}  # seat id -> row path and mask
        for event in self.events.values():
            for section in event.sections:
                for row in section.rows:
                    path = ROW.key(event.id, section.id, row.id).path
                    for bit, seat in enumerate(row.seats):
                        self.seats[f"{event.id}/{seat.id}"] = (path, 1 << bit)

    def buys_nothing(self, payment: Payment) -> bool:
        """Whether money was taken for which there is neither a ticket nor, as far as it is owed, a refund."""
        order = self.order_of.get(payment.reservation_id)
        bought = order is not None and order.payment_intent_id == payment.id and order.amount == payment.amount
        is_even = bought and payment.refunded >= self.owed_back(payment.reservation_id)
        return payment.status is PaymentStatus.COMPLETED and not is_even

    def holding(self) -> set[str]:
        """The reservations that hold or own seats now."""
        found: set[str] = set()
        for state in self.rows.values():
            found.update(hold.reservation_id for hold in state.held if self.now < hold.deadline)
            found.update(sale.reservation_id for sale in state.sold)
        return found

    def owed_back(self, reservation_id: str) -> int:
        """What of a reservation's price must have gone back, in minor units."""
        reservation = self.reservations.get(reservation_id)
        return reservation.refund_minor if reservation is not None else 0

    def was_given_back(self, reservation_id: str) -> bool:
        reservation = self.reservations.get(reservation_id)
        return reservation is not None and reservation.status is ReservationStatus.REFUNDED

    def was_over(self, event_id: str, at: Instant) -> bool:
        """Whether the event was sold no longer at that moment, by whichever end of its sale was in force then."""
        event, sale = self.events.get(event_id), self.sales.get(event_id)
        if event is None:
            return False
        periods = sale.periods if sale is not None else (Period(sale_window(event.info)),)
        untils = [*(period.since for period in periods[1:]), FOR_EVER]
        return at >= periods[0].since and all(
            period.window.is_over(at)
            for period, until in zip(periods, untils, strict=True)
            if period.since - DECIDED_WITHIN <= at < until + DECIDED_WITHIN
        )

    def rates(self, event_id: str) -> list[tuple[Instant, Instant, int]]:
        """Every rate of admission of an event that was ever in force: from when, until when, how many a second.

        The event must be there.
        """
        own, for_all = "", ""
        filed = self.events[event_id].admission.rate_per_second
        periods, since = [], 0
        for entry in self.audit:
            whose, _, setting = entry.subject.rpartition(" ")
            if setting != RATE_SETTING or whose not in (event_id, FOR_ALL):
                continue
            # The setting is in force some moments after it is durable.
            periods.append((since, entry.at + SECOND, int(own or for_all or filed)))
            own, for_all, since = (entry.new, for_all, entry.at) if whose == event_id else (own, entry.new, entry.at)
        return [*periods, (since, FOR_EVER, int(own or for_all or filed))]

    def masks(self, event_id: str, seat_ids: tuple[str, ...]) -> dict[str, int]:
        """Seats of an event by row path."""
        rows: dict[str, int] = defaultdict(int)
        for seat_id in seat_ids:
            path, mask = self.seats.get(f"{event_id}/{seat_id}", ("", 0))
            rows[path] |= mask
        return dict(rows)


class Check:
    """One invariant: how much was looked at, and what breaks it."""

    def __init__(self) -> None:
        self.checked = 0
        self.violations: list[str] = []

    def expect(self, holds: bool, violation: str) -> None:
        self.checked += 1
        if not holds:
            self.violations.append(violation)


def verified(records: Snapshot, now: Instant) -> list[Result]:
    """Every invariant that records can show, checked."""
    return verified_of(Everything(records, now))


async def verified_on(on_snapshot: OnSnapshot, clock: Clock) -> list[Result]:
    """As `verified`; what a store shows that is never seen at one moment counts when two looks find it."""
    results = await on_snapshot(lambda records: verified(records, clock.now()))
    if on_snapshot.is_of_one_moment or not any(result.violations for result in results):
        return results
    await clock.sleep(SECOND_LOOK_SECONDS)
    again = await on_snapshot(lambda records: verified(records, clock.now()))
    return [_still(one, before) for one, before in zip(again, results, strict=True)]


def _still(result: Result, before: Result) -> Result:
    """What was broken at both looks; of too many to be shown, as many as now."""
    if min(result.violation_count, before.violation_count) > VIOLATIONS_SHOWN_MAX:
        return result
    both = tuple(one for one in result.violations if one in before.violations)
    return msgspec.structs.replace(result, violations=both, violation_count=len(both))


def verified_of(everything: Everything) -> list[Result]:
    results = []
    for name, (claim, run) in CHECKS.items():
        check = Check()
        run(everything, check)
        shown = tuple(check.violations[:VIOLATIONS_SHOWN_MAX])
        results.append(Result(name, claim, check.checked, shown, len(check.violations)))
    return results


def _capacity(all_: Everything, check: Check) -> None:
    for event in all_.events.values():
        for section in event.sections:
            for row in section.rows:
                path = ROW.key(event.id, section.id, row.id).path
                state = all_.rows.get(path, RowState())
                full = (1 << len(row.seats)) - 1
                live = [hold.seats for hold in state.held if all_.now < hold.deadline]
                taken = [state.blocked, *(sale.seats for sale in state.sold), *live]
                union, total = 0, 0
                for mask in taken:
                    union |= mask
                    total += mask.bit_count()
                check.expect(total == union.bit_count(), f"{path}: a seat is counted twice")
                check.expect(union & ~full == 0, f"{path}: has a seat that does not exist")
                sold = 0
                for sale in state.sold:
                    sold |= sale.seats
                check.expect(state.gone == sold | state.blocked, f"{path}: gone is not sold and blocked")


def _owners(all_: Everything, check: Check) -> None:
    sold: Counter[str] = Counter()
    for path, state in all_.rows.items():
        for sale in state.sold:
            sold[sale.reservation_id] += sale.seats.bit_count()
            reservation = all_.reservations.get(sale.reservation_id)
            order = all_.order_of.get(sale.reservation_id)
            under_way = reservation is not None and bool(reservation.confirming)
            if reservation is None:
                check.checked += 1  # sold by a service that keeps reservations of its own
            elif reservation.status is ReservationStatus.REFUNDED:
                at_work = sale.reservation_id in all_.reservations_at_work
                check.expect(at_work, f"{path}: sold to {sale.reservation_id}, which was given back")
            elif order is None:
                check.expect(under_way, f"{path}: sold to {sale.reservation_id}, which has no order")
            elif order.event_id in all_.events:
                mine = all_.masks(order.event_id, order.seat_ids).get(path, 0)
                check.expect(mine == sale.seats, f"{path}: order {order.id} does not have the seats sold to it")
    for order in all_.orders:
        reservation = all_.reservations.get(order.reservation_id)
        if reservation is not None and reservation.status is ReservationStatus.REFUNDED:
            continue
        check.expect(
            sold[order.reservation_id] == len(order.seat_ids), f"order {order.id}: its seats are not all sold to it"
        )
        check.expect(
            reservation is not None
            and reservation.status is ReservationStatus.CONFIRMED
            and reservation.order_id == order.id
            and tuple(seat.id for seat in reservation.seats) == order.seat_ids,
            f"order {order.id}: its reservation is not confirmed with the same seats",
        )
    for reservation in all_.reservations.values():
        if reservation.status is ReservationStatus.CONFIRMED:
            check.expect(reservation.id in all_.order_of, f"{reservation.id}: is confirmed without an order")


def _holds(all_: Everything, check: Check) -> None:
    for path, state in all_.rows.items():
        for held in state.held:
            if all_.now >= held.deadline:
                continue
            reservation = all_.reservations.get(held.reservation_id)
            ended = (
                reservation is not None
                and not reservation.confirming
                and reservation.status is not ReservationStatus.PENDING
            )
            check.expect(
                not ended or held.reservation_id in all_.reservations_at_work,
                f"{path}: holds seats for {held.reservation_id}, which has ended",
            )
    for parts, hold in all_.holds.items():
        if hold.status is HoldStatus.COMMITTED:
            check.expect(hold.committed_at is not None, f"hold {'/'.join(parts)}: was committed at no time")


def _refunds(all_: Everything, check: Check) -> None:
    for payment in all_.payments.values():
        captured, shown = payment.amount.amount, f"{payment.id}: {payment.refunded} of {payment.amount} were refunded"
        check.expect(0 <= payment.refunded <= captured, f"{shown}, more than was captured")
        if payment.status in (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED):
            is_whole = payment.refunded == captured
            said = payment.status is PaymentStatus.REFUNDED
            check.expect(is_whole == said or not captured, f"{shown}, and it is {payment.status.name}")
        else:
            check.expect(not payment.refunded, f"{shown}, and it is {payment.status.name}: nothing was captured")
        if payment.promised is None:
            continue  # stored before it was kept how much somebody asked to be refunded
        check.expect(payment.refunded <= payment.promised, f"{shown}, more than the {payment.promised} promised")
        check.expect(payment.refunded >= payment.promised, f"{shown}, less than the {payment.promised} promised")


def _tickets_for_money(all_: Everything, check: Check) -> None:
    for payment in all_.payments.values():
        if payment.status is not PaymentStatus.COMPLETED:
            continue
        check.expect(
            not all_.buys_nothing(payment) or payment.id in all_.payments_at_work,
            f"{payment.id}: {payment.amount} was charged for no ticket, and nothing is under way",
        )


def _money_for_tickets(all_: Everything, check: Check) -> None:
    for order in all_.orders:
        payment = all_.payments.get(order.payment_intent_id)
        paid = payment is not None and payment.status is PaymentStatus.COMPLETED and payment.amount == order.amount
        given_back = all_.was_given_back(order.reservation_id)
        at_work = order.payment_intent_id in all_.payments_at_work  # refunded by hand: the seats go back as well
        check.expect(paid or given_back or at_work or not order.amount.amount, f"order {order.id}: is not paid")
    counted = Counter(order.reservation_id for order in all_.orders)
    for reservation_id, count in counted.items():
        check.expect(count == 1, f"{reservation_id}: has {count} orders")


def _rate(all_: Everything, check: Check) -> None:
    granted: dict[str, list[Instant]] = defaultdict(list)
    for event_id, ticket in all_.tickets:
        if ticket.granted_at is not None:
            granted[event_id].append(ticket.granted_at)
    for event_id, times in granted.items():
        if event_id not in all_.events:
            continue
        rates = all_.rates(event_id)
        times.sort()
        first = 0
        for index, time in enumerate(times):
            while times[first] <= time - SECOND:
                first += 1
            in_force = [rate for since, until, rate in rates if since <= time and until > time - SECOND]
            check.expect(
                index - first < max(in_force),
                f"{event_id}: more than {max(in_force)} admissions in the second before {time}",
            )
        check.checked += 1


def _within_the_sale(all_: Everything, check: Check) -> None:
    for (event_id, reservation_id), hold in all_.holds.items():
        reservation = all_.reservations.get(reservation_id)
        at = hold.held_at or (reservation.created_at if reservation is not None else None)
        if at is not None:
            late = all_.was_over(event_id, at)
            check.expect(not late, f"hold {event_id}/{reservation_id}: was made after the end of the sale")
    for event_id, ticket in all_.tickets:
        if ticket.granted_at is not None:
            late = all_.was_over(event_id, ticket.granted_at)
            check.expect(not late, f"{event_id}/{ticket.number}: was admitted after the end of the sale")


def _persons(all_: Everything, check: Check) -> None:
    """By the limits in force when the seats were held: an operator may have changed it since."""
    persons: dict[tuple[str, str], list[Hold]] = defaultdict(list)
    for (event_id, _), hold in all_.holds.items():
        if hold.person_max and (hold.status is HoldStatus.COMMITTED or hold.is_live(all_.now)):
            persons[event_id, hold.user_id].append(hold)
    for (event_id, user_id), holds in persons.items():
        has, most = sum(hold.quantity for hold in holds), max(hold.person_max for hold in holds)
        check.expect(has <= most, f"{user_id}: has {has} seats of {event_id}, where one person may have {most}")


def _entries(all_: Everything, check: Check) -> None:
    """A bought reservation alone has entries; of one that was given back, none came after that."""
    for reservation in all_.reservations.values():
        seats = {seat.id for seat in reservation.seats}
        used = Counter(entry.seat_id for entry in reservation.entries)
        for seat_id, count in used.items():
            check.expect(count == 1 and seat_id in seats, f"{reservation.id}: entered {count} times with {seat_id}")
        last = max((entry.recorded_at for entry in reservation.entries), default=0)
        was_given_back = reservation.status is ReservationStatus.REFUNDED and last <= reservation.updated_at
        is_fine = not used or reservation.status is ReservationStatus.CONFIRMED or was_given_back
        check.expect(is_fine, f"{reservation.id}: was entered with, and is {reservation.status.name}")


def _admissions(all_: Everything, check: Check) -> None:
    bought = Counter(
        all_.reservations[order.reservation_id].admission_id
        for order in all_.orders
        if order.reservation_id in all_.reservations
    )
    for admission_id, count in bought.items():
        check.expect(count == 1, f"admission {admission_id}: bought {count} times")
        use = all_.uses.get(admission_id)
        check.expect(
            use is not None and use.state is AdmissionState.SPENT, f"admission {admission_id}: bought and is not spent"
        )


def _records(all_: Everything, check: Check) -> None:
    check.checked += len(all_.events) + len(all_.rows) + len(all_.holds) + len(all_.tickets)
    check.checked += len(all_.reservations) + len(all_.orders) + len(all_.payments)
    for path, why in all_.damaged.items():
        check.expect(False, f"{path}: cannot be read: {why}")


def _audit(all_: Everything, check: Check) -> None:
    check.checked += len(all_.audit)
    check.violations += broken_links(all_.audit, all_.audit_head)


CHECKS: dict[str, tuple[str, Callable[[Everything, Check], None]]] = {
    "records": ("every record that is stored can be read", _records),
    "I1": ("available + reserved + sold + blocked = capacity, in every row", _capacity),
    "I2": ("a sold seat has one owner, with one confirmed order of the same seats", _owners),
    "I3": ("no seat is reserved for a reservation that has ended", _holds),
    "I4": ("what went back of a payment is what was promised in all, and at most what was captured", _refunds),
    "I5": ("every completed payment has an order, or its refund is done or under way", _tickets_for_money),
    "I6": ("every order is paid in full, and there is one to a reservation", _money_for_tickets),
    "I9": ("admissions in any rolling second are within the rate", _rate),
    "I11": ("an admission buys at most once", _admissions),
    "I15": ("nothing is held and nobody is admitted after the end of a sale", _within_the_sale),
    "I16": ("nobody has more seats of an event than one person may have", _persons),
    "I17": ("a ticket enters at most once, and never after it was given back", _entries),
    "audit": ("no entry of the audit log was changed, left out or put in", _audit),
}

"""The invariants of the design, checked over everything stored, on one snapshot.

What belongs to one reservation is looked at together, and so many reservations at a time that a store of any size is
checked in the same memory; a store with more of them is read once for each such part.

Work under way is no violation as long as something durable will finish it: a confirmation that was
begun has its job, a payment without a ticket has the job that will look at it.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import NamedTuple, TypeVar
from zlib import crc32

import msgspec

from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.instants import FOR_EVER, SECOND, Instant
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.ports.audit import AUDIT, AUDIT_HEAD, broken_links
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.sales import SALE, Period
from traffic_tacos.ports.snapshots import OnSnapshot, Snapshot
from traffic_tacos.ports.store import JOB, parts_of
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
RESERVATIONS_AT_ONCE = 25_000  # some 100 MB
SECOND_LOOK_SECONDS = 3.0  # later than any call that was under way at the first
DECIDED_WITHIN = 10 * SECOND  # from looking at the clock to the commit; no call takes longer

T = TypeVar("T")


class Result(msgspec.Struct, frozen=True):
    invariant: str
    claim: str
    checked: int
    violations: tuple[str, ...]
    violation_count: int


class Part(NamedTuple):
    """Those reservations, with all that belongs to them, of which `has` is true: of so many parts one."""

    number: int = 0
    parts: int = 1

    @property
    def is_first(self) -> bool:
        """That which also has what belongs to no reservation."""
        return self.number == 0

    @property
    def is_last(self) -> bool:
        return self.number == self.parts - 1

    def has(self, name: str) -> bool:
        return self.parts == 1 or crc32(name.encode()) % self.parts == self.number


WHOLE = Part()


class Turns:
    """When the tickets of an event were admitted, and which: of every ticket that was ever given a few bytes."""

    def __init__(self) -> None:
        self.times = array("q")
        self.numbers = array("q")


class Seating:
    """Where the seats of events are, of one event at a time: records come event by event."""

    def __init__(self, records: Snapshot) -> None:
        self._records = records
        self._event_id = ""
        self._seats: dict[str, tuple[str, int]] = {}  # by seat id, its row's path and its mask
        self._full: dict[str, int] = {}  # by row path, all its seats

    def seats(self, event_id: str) -> Mapping[str, tuple[str, int]]:
        self._have(event_id)
        return self._seats

    def full(self, event_id: str, path: str) -> int | None:
        """All seats of a row; None where the event has no such row."""
        self._have(event_id)
        return self._full.get(path)

    def _have(self, event_id: str) -> None:
        if event_id == self._event_id:
            return
        event = self._records.one(EVENT.key(event_id))
        self._event_id, self._seats, self._full = event_id, {}, {}
        for section in event.sections if event is not None else ():
            for row in section.rows:
                path = ROW.key(event_id, section.id, row.id).path
                self._full[path] = (1 << len(row.seats)) - 1
                self._seats |= {seat.id: (path, 1 << bit) for bit, seat in enumerate(row.seats)}


class Everything:
    """What the checks look at, of the reservations of one part."""

    def __init__(self, records: Snapshot, now: Instant, part: Part = WHOLE) -> None:
        self.now = now
        self.part = part
        self.seating = Seating(records)
        self.capacity = Check()
        self.row_count = 0
        # Without their seats, which are many: `seating` has them.
        self.events: dict[str, Event] = {
            event.id: msgspec.structs.replace(event, sections=()) for _, event in records.all(EVENT)
        }
        self.rows = dict(self._rows(records))
        self.reservations: dict[str, Reservation] = {
            one.id: one for _, one in records.all(RESERVATION, lambda path: part.has(parts_of(path)[0]))
        }
        self.holds: dict[tuple[str, ...], Hold] = {}  # by event and reservation
        self.of_persons: dict[tuple[str, str], list[Hold]] = defaultdict(
            list
        )  # by event and user, where one has a limit
        self._read_holds(records)
        self.orders: list[Order] = [order for _, order in records.all(ORDER) if part.has(order.reservation_id)]
        self.order_of = {order.reservation_id: order for order in self.orders}
        self.payments: dict[str, Payment] = {
            payment.id: payment for _, payment in records.all(PAYMENT) if part.has(payment.reservation_id)
        }
        self.uses = {parts_of(path)[0]: use for path, use in records.all(ADMISSION_USE) if part.has(use.reservation_id)}
        self.sales = {parts_of(path)[0]: sale for path, sale in records.all(SALE)}
        self.turns: dict[str, Turns] = defaultdict(Turns)  # by event
        self.ticket_count = 0
        self._read_tickets(records)
        self.audit = [entry for _, entry in sorted(records.all(AUDIT))] if part.is_first else []
        self.audit_head = next((head for _, head in records.all(AUDIT_HEAD)), None) if part.is_first else None
        self.payments_at_work: set[str] = set()
        self.reservations_at_work: set[str] = set()
        self._read_jobs(records)
        self.damaged = dict(records.damaged()) if part.is_last else {}

    def _read_holds(self, records: Snapshot) -> None:
        for path, hold in records.all(HOLD):
            if self.part.has(hold.reservation_id):
                self.holds[parts_of(path)] = hold
            if hold.person_max and self.part.has(hold.user_id):
                self.of_persons[parts_of(path)[0], hold.user_id].append(hold)

    def _read_tickets(self, records: Snapshot) -> None:
        for path, ticket in records.all(TICKET) if self.part.is_first else ():
            self.ticket_count += 1
            if ticket.granted_at is not None:
                turns = self.turns[parts_of(path)[0]]
                turns.times.append(ticket.granted_at)
                turns.numbers.append(ticket.number)

    def _read_jobs(self, records: Snapshot) -> None:
        for _, job in records.all(JOB):
            if not job.is_dead:
                if "payment_intent_id" in job.payload:
                    self.payments_at_work.add(job.payload["payment_intent_id"])
                self.reservations_at_work.add(job.payload.get("reservation_id", ""))

    def _rows(self, records: Snapshot) -> Iterator[tuple[str, RowState]]:
        """Every row, with those holds and sales that are of this part; and whether its seats add up, once."""
        part = self.part
        for path, state in records.all(ROW):
            self.row_count += 1
            if part.is_first:
                _check_row(path, state, self.seating.full(parts_of(path)[0], path), self.now, self.capacity)
            if part != WHOLE:
                held = tuple(hold for hold in state.held if part.has(hold.reservation_id))
                sold = tuple(sale for sale in state.sold if part.has(sale.reservation_id))
                state = msgspec.structs.replace(state, held=held, sold=sold)
            if state.held or state.sold:
                yield path, state

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
        seats = self.seating.seats(event_id)
        for seat_id in seat_ids:
            path, mask = seats.get(seat_id, ("", 0))
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


def in_parts(records: Snapshot, now: Instant, at_once: int = RESERVATIONS_AT_ONCE) -> Iterator[Everything]:
    """Everything, about so many reservations at a time."""
    parts = max(1, -(-max(records.count(RESERVATION), records.count(PAYMENT)) // at_once))
    return (Everything(records, now, Part(number, parts)) for number in range(parts))


def verified(records: Snapshot, now: Instant, at_once: int = RESERVATIONS_AT_ONCE) -> list[Result]:
    """Every invariant that records can show, checked."""
    return reduce(_together, map(verified_of, in_parts(records, now, at_once)))


def _together(some: list[Result], more: list[Result]) -> list[Result]:
    return [
        Result(
            one.invariant,
            one.claim,
            one.checked + other.checked,
            (*one.violations, *other.violations)[:VIOLATIONS_SHOWN_MAX],
            one.violation_count + other.violation_count,
        )
        for one, other in zip(some, more, strict=True)
    ]


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


def _check_row(path: str, state: RowState, full: int | None, now: Instant, check: Check) -> None:
    if full is None:
        return
    live = [hold.seats for hold in state.held if now < hold.deadline]
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


def _capacity(all_: Everything, check: Check) -> None:
    check.checked += all_.capacity.checked
    check.violations += all_.capacity.violations


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
    for event_id, turns in all_.turns.items():
        if event_id not in all_.events:
            continue
        rates = all_.rates(event_id)
        times = array("q", sorted(turns.times))
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
    for event_id, turns in all_.turns.items():
        for granted_at, number in zip(turns.times, turns.numbers, strict=True):
            late = all_.was_over(event_id, granted_at)
            check.expect(not late, f"{event_id}/{number}: was admitted after the end of the sale")


def _persons(all_: Everything, check: Check) -> None:
    """By the limits in force when the seats were held: an operator may have changed it since."""
    for (event_id, user_id), known in all_.of_persons.items():
        holds = [hold for hold in known if hold.status is HoldStatus.COMMITTED or hold.is_live(all_.now)]
        has, most = sum(hold.quantity for hold in holds), max((hold.person_max for hold in holds), default=0)
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
    """What an admission has bought is what its record names: so it cannot have bought twice."""
    for order in all_.orders:
        reservation = all_.reservations.get(order.reservation_id)
        if reservation is None:
            continue
        use = all_.uses.get(reservation.admission_id)
        is_spent = use is not None and use.state is AdmissionState.SPENT and use.reservation_id == reservation.id
        check.expect(is_spent, f"admission {reservation.admission_id}: bought {order.id} and is not spent on it")


def _records(all_: Everything, check: Check) -> None:
    if all_.part.is_first:
        check.checked += len(all_.events) + all_.row_count + all_.ticket_count
    check.checked += len(all_.holds)
    check.checked += len(all_.reservations) + len(all_.orders) + len(all_.payments)
    for path, why in all_.damaged.items():
        check.expect(False, f"{path}: cannot be read: {why}")


def _audit(all_: Everything, check: Check) -> None:
    if not all_.part.is_first:
        return
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

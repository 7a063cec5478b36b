"""`python -m bench.verify`: what `tacos verify` takes, in seconds and memory, on a store with so many bought seats.

The store is one file with the records that purchases leave: place, admission, hold, reservation, order and payment of
each seat, and the rows of their events.
"""

import argparse
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from traffic_tacos.app.config import STORE_FILE
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.sqlite import SCHEMA, connected
from traffic_tacos.engines.sqlite_snapshot import sqlite_snapshot
from traffic_tacos.kernel.ids import order_id
from traffic_tacos.kernel.instants import HOUR, SECOND
from traffic_tacos.kernel.limits import SEATS_MAX
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.seats import Seat, SeatStatus
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.operations.invariants import verified
from traffic_tacos.operations.reconciler import differences_in
from traffic_tacos.ports.snapshots import Snapshot
from traffic_tacos.ports.store import Key
from traffic_tacos.rooms.catalog.documents import parsed
from traffic_tacos.rooms.catalog.model import Event
from traffic_tacos.rooms.catalog.records import EVENT
from traffic_tacos.rooms.inventory.model import Hold, HoldStatus
from traffic_tacos.rooms.inventory.records import ROW, hold_key
from traffic_tacos.rooms.inventory.rows import RowSale, RowState
from traffic_tacos.rooms.payment.model import Method, Payment, Scenario
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.model import AdmissionState, AdmissionUse, Reservation, order_of
from traffic_tacos.rooms.reservation.records import ADMISSION_USE, ORDER, RESERVATION
from traffic_tacos.rooms.waiting_room.records import TICKET, TicketRecord

SEATS_OF_A_ROW = 50
BOUGHT_AT = SystemClock().now() - HOUR
ADMISSIONS_A_SECOND = 500
RECORDS_AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.verify")
    parser.add_argument("--reservations", type=int, default=200_000)
    parser.add_argument("--look", nargs=2, metavar=("NAME", "DATA"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.look:
        name, data = asked.look
        print(_look(LOOKS[name], Path(data)))
        return
    table = Listing("", "seconds", "peak RSS, MB")
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder) / STORE_FILE, asked.reservations)
        for name in LOOKS:  # each in a process of its own, whose memory is nothing but this
            command = [sys.executable, "-m", "bench.verify", "--look", name, folder]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            table.add(name, *said.split())
    table.print()


def _look(look: Callable[[Snapshot], None], data: Path) -> str:
    began = time.monotonic()
    with sqlite_snapshot(data / STORE_FILE) as records:
        look(records)
    return f"{time.monotonic() - began:.1f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"


def _verify(records: Snapshot) -> None:
    for result in verified(records, SystemClock().now()):
        assert not result.violations, result


def _reconcile(records: Snapshot) -> None:
    assert not list(differences_in(records, SystemClock().now()))


LOOKS = {"tacos verify": _verify, "reconciler, one look": _reconcile}


def _fill(file: Path, reservations: int) -> None:
    with connected(file) as connection:
        connection.execute(SCHEMA)
        connection.execute("BEGIN")
        for begun in range(0, reservations, SEATS_MAX):
            _fill_event(connection, f"evt_{begun // SEATS_MAX}", min(SEATS_MAX, reservations - begun))
        connection.execute("COMMIT")
    connection.close()


def _fill_event(connection: sqlite3.Connection, event_id: str, seats: int) -> None:
    rows = [{"id": str(number), "seats": SEATS_OF_A_ROW} for number in range(-(-seats // SEATS_OF_A_ROW))]
    event = parsed(
        f"{{id: {event_id}, name: Night, currency: KRW, "
        f"sections: [{{id: MAIN, name: Main, price: 50000, rows: {rows}}}]}}"
    )
    records = _records(event, seats)
    while batch := [(key.path, key.kind.encode(value).decode()) for key, value in islice(records, RECORDS_AT_ONCE)]:
        connection.executemany("INSERT INTO records VALUES (?, ?)", batch)


def _records(event: Event, seats: int) -> Iterator[tuple[Key[Any], Any]]:
    yield EVENT.key(event.id), event
    number = 0
    for index, row in enumerate(event.sections[0].rows):
        sold = []
        for bit, seat in enumerate(row.seats):
            if number == seats:
                break
            name = f"rsv_{event.id}_{number:026d}"
            yield from _purchase(
                event,
                name,
                number,
                index,
                1 << bit,
                Seat(seat.id, "Main", row.id, seat.number, Money(seat.price, "KRW"), SeatStatus.SOLD),
            )
            sold.append(RowSale(name, 1 << bit))
            number += 1
        yield ROW.key(event.id, "MAIN", row.id), RowState(sold=tuple(sold), gone=sum(sale.seats for sale in sold))


def _purchase(event: Event, name: str, number: int, row: int, mask: int, seat: Seat) -> Iterator[tuple[Key[Any], Any]]:
    at, user, intent = BOUGHT_AT + number * SECOND // ADMISSIONS_A_SECOND, f"user-{number}", f"pi_{event.id}_{number}"
    admission, until = f"adm_{event.id}_{number}", BOUGHT_AT + HOUR
    reservation = Reservation(
        id=name,
        event_id=event.id,
        user_id=user,
        admission_id=admission,
        seats=(seat,),
        total=seat.price,
        created_at=at,
        updated_at=at,
        hold_expires_at=until,
        status=ReservationStatus.CONFIRMED,
        payment_intent_id=intent,
        order_id=order_id(name),
        confirmed_at=at,
    )
    payment = Payment(
        intent,
        name,
        user,
        seat.price,
        Method.CREDIT_CARD,
        Scenario.APPROVE,
        "",
        "secret",
        at,
        at,
        until,
        PaymentStatus.COMPLETED,
        processed_at=at,
    )
    yield TICKET.key(event.id, f"{number + 1:010d}"), TicketRecord(number + 1, "0" * 32, user, at, granted_at=at)
    yield ADMISSION_USE.key(admission), AdmissionUse(AdmissionState.SPENT, user, name, until)
    yield hold_key(event.id, name), Hold(name, user, {row: mask}, until, HoldStatus.COMMITTED, intent, at, at)
    yield RESERVATION.key(name), reservation
    yield ORDER.key(reservation.order_id), order_of(reservation)
    yield PAYMENT.key(intent), payment


if __name__ == "__main__":
    main()

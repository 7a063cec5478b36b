"""A thousand buyers and more at a house of 10,000 seats, each wants two to six next to each other and names none."""

import asyncio
import random

from tests.rpc.desk import INVENTORY, code, on_platform
from traffic_tacos.gen.reservation.v1 import inventory_pb2

BUYERS, CALLERS = 1000, 32
EVENT_ID = "evt_house"
SEATS_PER_ROW, AISLES = 50, (12, 38)
ROWS = 200
SECTIONS = "".join(
    f"  - {{id: S{section}, name: Section {section}, price: 100, rows: ["
    + ", ".join(f"{{id: {row}, seats: {SEATS_PER_ROW}, aisles: {list(AISLES)}}}" for row in range(40))
    + "]}\n"
    for section in range(5)
)
EVENT = f"id: {EVENT_ID}\nname: House\ncurrency: KRW\nsections:\n{SECTIONS}"


class House:
    """Who has which seat, by our own counting: rows of numbers, cut by the aisles."""

    def __init__(self) -> None:
        self.free = {(f"S{section}", row): set(range(1, 51)) for section in range(5) for row in range(40)}

    def runs(self):
        """The lengths of all runs of adjacent free seats."""
        for seats in self.free.values():
            length = 0
            for number in range(1, SEATS_PER_ROW + 2):
                if number in seats:
                    length += 1
                if number not in seats or number in AISLES:
                    if length:
                        yield length
                    length = 0

    def sell(self, seat_ids) -> bool:
        """Take the seats; whether they were adjacent."""
        places = [seat_id.split("-") for seat_id in seat_ids]
        for section, row, number in places:
            self.free[(section, int(row))].remove(int(number))  # a KeyError is a seat sold twice
        rows = {(section, row) for section, row, _ in places}
        numbers = sorted(int(number) for _, _, number in places)
        together = numbers[-1] - numbers[0] == len(numbers) - 1
        return len(rows) == 1 and together and not any(numbers[0] <= aisle < numbers[-1] for aisle in AISLES)


@on_platform
async def test_nobody_is_refused_while_a_place_for_them_exists_and_nothing_is_sold_twice(desk):
    desk.checks_every_commit = False
    await desk.platform.put_on_sale(EVENT)
    chance, house, numbers = random.Random(6), House(), iter(range(100_000))
    orphans_after_buyers, refused, apart = -1, 0, 0

    async def buyer(limit):
        nonlocal refused, apart
        for number in numbers:
            if number >= limit or refused > 100:
                return
            wanted = chance.randint(2, 6)
            request = inventory_pb2.ReserveSeatRequest(
                reservation_id=f"r{number}",
                event_id=EVENT_ID,
                quantity=wanted,
                user_id="u",
                idempotency_key=f"{number}",
            )
            answer = await desk.as_service(INVENTORY + "ReserveSeat", request)
            if code(answer):
                longest = max(house.runs(), default=0)
                assert (code(answer), longest < wanted) == ("INSUFFICIENT_INVENTORY", True)
                refused += 1
                continue
            commit = inventory_pb2.CommitReservationRequest(
                reservation_id=f"r{number}", event_id=EVENT_ID, payment_intent_id="pi", idempotency_key=f"c{number}"
            )
            fitted = number >= BUYERS and max(house.runs()) >= wanted
            if not house.sell([seat.id for seat in answer.reserved_seats]):
                apart += 1
                assert number < BUYERS or not fitted, (number, wanted)
            assert code(await desk.as_service(INVENTORY + "CommitReservation", commit)) == ""

    await asyncio.gather(*(buyer(BUYERS) for _ in range(CALLERS)))
    assert (refused, apart) == (0, 0)
    orphans_after_buyers = sum(run == 1 for run in house.runs())
    numbers = iter(range(BUYERS, 100_000))
    await buyer(100_000)  # one by one, so that what was free when they asked is known
    orphans, left = sum(run == 1 for run in house.runs()), sum(map(len, house.free.values()))
    print(
        f"orphans: {orphans_after_buyers} after {BUYERS} buyers, {orphans} at sell-out; left {left}; {apart} sat apart"
    )
    assert orphans_after_buyers == 0
    assert left <= 20
    status = inventory_pb2.GetInventoryStatusRequest(event_id=EVENT_ID)
    stats = (await desk.as_service(INVENTORY + "GetInventoryStatus", status)).stats
    assert (stats.sold_seats, stats.available_seats) == (ROWS * SEATS_PER_ROW - left, left)

"""What reservations of this process's store cost (`ports/amounts.py`)."""

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.kernel.money import Money
from traffic_tacos.ports.amounts import AmountDue, check_payable
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import View
from traffic_tacos.rooms.reservation.ending import unknown
from traffic_tacos.rooms.reservation.records import reservation_key


class Amounts:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def of(self, reservation_id: str, user_id: str, call: Call) -> AmountDue:  # noqa: ARG002 - nobody is asked
        key = reservation_key(checked_id("reservation_id", reservation_id))

        def rule(view: View) -> Money:
            reservation = view.get(key)
            if reservation is None or reservation.user_id != user_id:
                raise unknown(reservation_id)
            check_payable(reservation.as_read(self._clock.now()).status)
            return reservation.total

        return AmountDue((key,), rule)

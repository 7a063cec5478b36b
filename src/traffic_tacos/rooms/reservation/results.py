"""What payments ask of the reservations of this process's store (`ports/payment_results.py`)."""

from typing import TypeVar, cast

from traffic_tacos.kernel.calls import Call
from traffic_tacos.ports.payment_results import Beside
from traffic_tacos.rooms.reservation.ending import Ending

T = TypeVar("T")


class ReservationResults:
    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    async def apply(self, reservation_id: str, payment_intent_id: str, call: Call, beside: Beside[T]) -> T | None:
        ended = await self._ending.apply_payment_result(reservation_id, payment_intent_id, call, beside)
        return cast(T | None, ended.beside)

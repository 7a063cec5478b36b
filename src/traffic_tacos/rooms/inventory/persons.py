"""What one person has of an event, as the decision that gives them more must know it.

Their reservations are listed in a record of their own; what each holds is in its hold, which is read in the same
decision. So nothing but holding seats has to keep the list, and nothing can be counted twice or missed.
"""

from collections.abc import Iterable, Mapping

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, View, Write, put
from traffic_tacos.rooms.inventory.model import Claim, Hold
from traffic_tacos.rooms.inventory.records import hold_key


class MovedPerson(Fault):
    """The person has made another reservation while this one was being looked at: try again."""


class Person:
    """The user of a claim. `key` is None where nobody counts; `known` are the reservations as they were listed when the
    decision was prepared.
    """

    def __init__(self, event_id: str, claim: Claim, key: Key[tuple[str, ...]] | None, known: Iterable[str]) -> None:
        self._claim = claim
        self._key = key
        self._holds = {name: hold_key(event_id, name) for name in known if name != claim.reservation_id}

    @property
    def reads(self) -> tuple[Key[tuple[str, ...]] | Key[Hold], ...]:
        return () if self._key is None else (self._key, *self._holds.values())

    def others(self, view: View) -> dict[str, Hold]:
        """The holds of their other reservations. MovedPerson when there is one that is not among the reads."""
        if self._key is None:
            return {}
        listed = {*(view.get(self._key) or ())} - {self._claim.reservation_id}
        if listed - self._holds.keys():
            raise MovedPerson("the person has made another reservation meanwhile; try again")
        found = {name: view.get(self._holds[name]) for name in sorted(listed)}
        return {name: hold for name, hold in found.items() if hold is not None}

    def writes(self, others: Mapping[str, Hold], now: Instant) -> tuple[Write, ...]:
        """The list with this reservation, and without those that have nothing any more."""
        if self._key is None:
            return ()
        having = [name for name, hold in others.items() if hold.counts_for_person(now)]
        return (put(self._key, (*having, self._claim.reservation_id)),)

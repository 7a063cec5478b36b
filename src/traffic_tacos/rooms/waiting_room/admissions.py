"""Who is admitted, and how many more may be granted in this second. Pure; times are given."""

import heapq
from collections.abc import Iterable

import msgspec

from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.rooms.waiting_room.pacing import Window
from traffic_tacos.rooms.waiting_room.values import Admission


class Admissions:
    """The live admissions of a line, by number."""

    def __init__(self) -> None:
        self.ever = 0
        self._live: dict[int, Admission] = {}
        self._ends: list[tuple[Instant, int]] = []  # a heap; some have ended before
        self._holding = 0
        self._granting: dict[int, Instant] = {}
        self._grants = Window(SECOND)
        self._granted = Window(MINUTE)

    def __len__(self) -> int:
        return len(self._live)

    @property
    def without_seats(self) -> int:
        """Those that still count against the seats that are left."""
        return len(self._live) - self._holding

    def get(self, number: int) -> Admission | None:
        return self._live.get(number)

    def live(self) -> list[Admission]:
        return list(self._live.values())

    def granted_last_minute(self, now: Instant) -> int:
        return self._granted.count(now)

    def first_end(self) -> Instant | None:
        """When `lapsed` is to be asked next, if nothing happens before."""
        return self._ends[0][0] if self._ends else None

    def recall_grants(self, times: Iterable[Instant]) -> None:
        """What an earlier process granted counts against the rate of this second too."""
        for time in sorted(times):
            self._grants.add(time)

    def begin_grant(self, number: int, now: Instant, rate_per_second: int) -> Instant | None:
        """When the admission that is being granted counts as granted; None when this rolling second is full.

        Calls for one ticket at the same time are one admission, counted once. `end_grant` when it is over.
        """
        if (begun := self._granting.get(number)) is not None:
            return begun
        if self._grants.count(now) >= rate_per_second:
            return None
        self._grants.add(now)
        self._granting[number] = now
        return now

    def end_grant(self, number: int) -> None:
        """The grant is done, or failed: trying again counts again, at its own time."""
        self._granting.pop(number, None)

    def add(self, admission: Admission) -> None:
        self.ever += 1
        self._granted.add(admission.granted_at // SECOND * SECOND)
        self._live[admission.number] = admission
        self._holding += admission.holds_seats
        heapq.heappush(self._ends, (admission.expires_at, admission.number))

    def hold_seats(self, number: int, holds: bool) -> None:
        """The admission's reservation holds seats now, or no longer."""
        admission = self._live.get(number)
        if admission is not None and admission.holds_seats != holds:
            self._holding += 1 if holds else -1
            self._live[number] = msgspec.structs.replace(admission, holds_seats=holds)

    def end(self, number: int) -> bool:
        """Whether the ticket was admitted; it is no longer."""
        admission = self._live.pop(number, None)
        if admission is None:
            return False
        self._holding -= admission.holds_seats
        return True

    def lapsed(self, now: Instant) -> list[int]:
        """The tickets whose admission's time is up, each once; `end` them."""
        numbers = []
        while self._ends and self._ends[0][0] <= now:
            numbers.append(heapq.heappop(self._ends)[1])
        return numbers

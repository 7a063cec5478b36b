"""Who has not been seen for long, without looking at everybody: each ticket is filed once, under a second
when it was there, and looked at again when that second is long ago. Pure.
"""

import heapq
from array import array


class Sightings:
    def __init__(self) -> None:
        self._filed: dict[int, array[int]] = {}
        self._seconds: list[int] = []  # a heap

    def file(self, number: int, second: int) -> None:
        numbers = self._filed.get(second)
        if numbers is None:
            numbers = self._filed[second] = array("I")
            heapq.heappush(self._seconds, second)
        numbers.append(number)

    def first(self) -> int | None:
        """The earliest second under which a ticket is filed."""
        return self._seconds[0] if self._seconds else None

    def take(self, until: int) -> int | None:
        """A ticket that was filed under this second or an earlier one; it is filed no longer."""
        if not self._seconds or self._seconds[0] > until:
            return None
        numbers = self._filed[self._seconds[0]]
        number = numbers.pop()
        if not numbers:
            del self._filed[heapq.heappop(self._seconds)]
        return number

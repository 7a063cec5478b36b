"""Open streams of one line, and who of them is woken when.

A ticket whose turn comes, or that ends, is woken at once. Places are looked at in a ring, a bounded
number in each step, so that a line that moves costs a ticket at most one message in PLACES_EVERY, and
the step at most LOOKS_MAX looks. Whoever reads slowly is woken once and then sees only the newest.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator

from traffic_tacos.rooms.waiting_room.news import Sight

STREAMS_PER_TICKET_MAX = 4
STREAMS_PER_LINE_MAX = 50_000
PLACES_EVERY_SECONDS = 2.0
LOOKS_MAX = 1000


class Watcher:
    """One stream. `sent` is the last thing its reader was sent."""

    __slots__ = ("is_displaced", "news", "number", "sent")

    def __init__(self, number: int) -> None:
        self.number = number
        self.news = asyncio.Event()
        self.sent: Sight | None = None
        self.is_displaced = False


class Watchers:
    def __init__(self) -> None:
        self._by_number: dict[int, list[Watcher]] = {}
        self._ring: deque[Watcher] = deque()
        self._credit = 0.0
        self.count = 0

    def add(self, number: int) -> Watcher:
        """A new stream of this ticket. The oldest of too many gives way: it is the tab that was left behind."""
        watcher = Watcher(number)
        others = self._by_number.setdefault(number, [])
        if len(others) >= STREAMS_PER_TICKET_MAX:
            others[0].is_displaced = True
            others[0].news.set()
            self.remove(others[0])
            others = self._by_number.setdefault(number, [])
        others.append(watcher)
        self._ring.append(watcher)
        self.count += 1
        return watcher

    def remove(self, watcher: Watcher) -> None:
        """Removing again changes nothing."""
        others = self._by_number.get(watcher.number, [])
        if watcher in others:
            others.remove(watcher)
            self.count -= 1
        if not others:
            self._by_number.pop(watcher.number, None)

    def wake(self, numbers: Iterable[int]) -> None:
        """Their tickets have changed."""
        for number in numbers:
            for watcher in self._by_number.get(number, ()):
                watcher.news.set()

    def hang_up(self) -> None:
        """All streams end."""
        for watcher in self._ring:
            watcher.is_displaced = True
        self.wake_all()

    def wake_all(self) -> None:
        for watcher in self._ring:
            watcher.news.set()

    def next(self, elapsed_seconds: float) -> Iterator[Watcher]:
        """Those whose turn it is to be looked at: everybody once in PLACES_EVERY_SECONDS."""
        self._credit = min(self._credit + len(self._ring) * elapsed_seconds / PLACES_EVERY_SECONDS, LOOKS_MAX)
        looks = min(int(self._credit), len(self._ring))
        self._credit -= looks
        for _ in range(looks):
            watcher = self._ring.popleft()
            if watcher in self._by_number.get(watcher.number, ()):
                self._ring.append(watcher)
                yield watcher

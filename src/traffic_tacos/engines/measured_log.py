"""A log whose use is counted: how often it is asked, how long that takes, and how often it fails."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.log import Base, Entry, Log, LogUnavailable, Mark, NotReplicated, Position
from traffic_tacos.ports.rooms import Gauge

VERBS = ("base", "read", "append", "begin", "save")

T = TypeVar("T")


class MeasuredLog:
    """A `Log` over another."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self.requests = dict.fromkeys(VERBS, 0)
        self.seconds = dict.fromkeys(VERBS, 0.0)  # all of them together
        self.failures = dict.fromkeys(("unavailable", "not_replicated"), 0)

    def gauges(self) -> tuple[Gauge, ...]:
        return (
            Gauge(
                "tacos_queue_log_requests",
                "Requests to the log of the queues, which is in Redis, by verb",
                "verb",
                lambda: [(verb, float(count)) for verb, count in self.requests.items()],
            ),
            Gauge(
                "tacos_queue_log_request_seconds",
                "How long these requests took, all together",
                "verb",
                lambda: list(self.seconds.items()),
            ),
            Gauge(
                "tacos_queue_log_failures",
                "Requests to the log of the queues that failed: unavailable (Redis did not answer) or not_replicated "
                "(too few replicas had in time what was appended, WAIT)",
                "reason",
                lambda: [(reason, float(count)) for reason, count in self.failures.items()],
            ),
        )

    async def base(self, name: str) -> Base | None:
        return await self._measured("base", self._log.base(name))

    async def read(self, marks: Mapping[str, Mark]) -> Mapping[str, Sequence[Entry] | None]:
        return await self._measured("read", self._log.read(marks))

    async def append(self, name: str, mark: Mark, payload: bytes) -> Sequence[Entry]:
        return await self._measured("append", self._log.append(name, mark, payload))

    async def begin(self, name: str, before: str, position: Position, state: bytes) -> None:
        await self._measured("begin", self._log.begin(name, before, position, state))

    async def save(self, name: str, mark: Mark, state: bytes) -> None:
        await self._measured("save", self._log.save(name, mark, state))

    async def _measured(self, verb: str, asked: Awaitable[T]) -> T:
        begun = self._clock.now()
        try:
            return await asked
        except LogUnavailable as fault:
            self.failures["not_replicated" if isinstance(fault, NotReplicated) else "unavailable"] += 1
            raise
        finally:
            self.requests[verb] += 1
            self.seconds[verb] += (self._clock.now() - begun) / SECOND

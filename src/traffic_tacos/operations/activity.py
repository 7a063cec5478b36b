"""What is logged of a running platform's work: what operators changed, what was refused, and what was slow.

Refusals and slow calls are counted and logged in one line for each method and kind every few seconds, so nobody can
fill the log with them. Each call by itself is only logged at the level debug.
"""

from collections.abc import Sequence

import structlog

from traffic_tacos.calls.metrics import OK, Metrics
from traffic_tacos.ports.audit import AUDIT
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Write

EVERY_SECONDS = 10.0

log = structlog.get_logger()


class Activity:
    """Call `write` again and again, or `run` it. `trace_id` of a line is that of the latest such call."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._logged: dict[tuple[str, str], int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            self.write()

    def write(self) -> None:
        """Log what has come since the last time."""
        for figures in self._metrics.methods():
            for code, count in list(figures.by_code.items()):
                new = count - self._logged.get((figures.path, code), 0)
                self._logged[figures.path, code] = count
                if new and code != OK:
                    log.info(
                        "calls_refused",
                        method=figures.path,
                        code=code,
                        count=new,
                        trace_id=figures.traces.get(code, ""),
                    )
            if (slow := figures.taken_slow()) is not None:
                log.warning(
                    "calls_slow",
                    method=figures.path,
                    count=slow.calls,
                    worst_ms=slow.worst_ms,
                    target_ms=figures.target_ms,
                    trace_id=slow.trace_id,
                )


def log_operator_actions(writes: Sequence[Write]) -> None:
    """A line for every entry of the audit log among these writes."""
    for write in writes:
        if write.kind is AUDIT and write.value is not None:
            entry = write.value
            log.info(
                "operator_action",
                action=entry.action,
                subject=entry.subject,
                old=entry.old,
                new=entry.new,
                actor=entry.actor,
                reason=entry.reason,
                trace_id=entry.trace_id,
            )

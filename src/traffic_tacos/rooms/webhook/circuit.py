"""How an endpoint has been doing, and whether it is worth asking now:

    CLOSED --FAILURES_MAX in a row--> OPEN --its pause is over, one attempt--> CLOSED, or OPEN for longer

Michael Nygard's circuit breaker ("Release It!"). Pure, like `model`.
"""

import msgspec

from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant

FAILURES_MAX = 5
PAUSE_FIRST = 30 * SECOND
PAUSE_MAX = 10 * MINUTE


class Circuit(msgspec.Struct, frozen=True):
    """`failures` are in a row; `delivered` and `failed` are counted since the process began."""

    failures: int = 0
    open_until: Instant = 0
    delivered: int = 0
    failed: int = 0
    last_error: str = ""
    last_delivered_at: Instant | None = None

    @property
    def is_open(self) -> bool:
        return self.failures >= FAILURES_MAX


def pause(circuit: Circuit) -> Instant:
    """How long an open circuit stays so after its last failure."""
    return min(PAUSE_MAX, PAUSE_FIRST << min(10, circuit.failures - FAILURES_MAX))


def asked(circuit: Circuit, seconds: float, now: Instant) -> Circuit | None:
    """The circuit while an attempt of at most so many seconds is made; None when none should be made now."""
    if not circuit.is_open:
        return circuit
    if now < circuit.open_until:
        return None
    return msgspec.structs.replace(circuit, open_until=now + round(seconds * SECOND))


def delivered(circuit: Circuit, now: Instant) -> Circuit:
    return Circuit(delivered=circuit.delivered + 1, failed=circuit.failed, last_delivered_at=now)


def failed(circuit: Circuit, error: str, now: Instant) -> Circuit:
    after = msgspec.structs.replace(circuit, failures=circuit.failures + 1, failed=circuit.failed + 1, last_error=error)
    return msgspec.structs.replace(after, open_until=now + pause(after)) if after.is_open else after

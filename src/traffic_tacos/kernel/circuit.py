"""How somebody who is asked has been doing, and whether they are worth asking now:

    CLOSED --too many failures in a row--> OPEN --its pause is over, one attempt--> CLOSED, or OPEN for longer

Michael Nygard's circuit breaker ("Release It!").
"""

import msgspec

from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.retries import RetryPolicy


class BreakerPolicy(msgspec.Struct, frozen=True):
    """A circuit opens after `failures_max` in a row, for `pause_first`, which doubles up to `pause_max`."""

    failures_max: int
    pause_first: Instant
    pause_max: Instant


class Circuit(msgspec.Struct, frozen=True):
    """`failures` are in a row, and so are `openings`: how often it opened without a success in between. It is half-open
    while its one attempt is made. `succeeded` and `failed` are counted since the process began.
    """

    failures: int = 0
    openings: int = 0
    open_until: Instant = 0
    is_half_open: bool = False
    succeeded: int = 0
    failed: int = 0
    last_error: str = ""
    last_succeeded_at: Instant | None = None

    @property
    def is_open(self) -> bool:
        return self.open_until > 0


def pause(circuit: Circuit, policy: BreakerPolicy) -> Instant:
    """How long a circuit stays open after it has opened so often in a row."""
    return RetryPolicy(policy.pause_max, pause_first=policy.pause_first).pause(circuit.openings)


def try_acquire(circuit: Circuit, seconds: float, now: Instant) -> Circuit | None:
    """The circuit while an attempt of at most so many seconds is made; None when none should be made now."""
    if not circuit.is_open:
        return circuit
    if now < circuit.open_until:
        return None
    return msgspec.structs.replace(circuit, open_until=now + round(seconds * SECOND), is_half_open=True)


def succeeded(circuit: Circuit, now: Instant) -> Circuit:
    return Circuit(succeeded=circuit.succeeded + 1, failed=circuit.failed, last_succeeded_at=now)


def failed(circuit: Circuit, error: str, now: Instant, policy: BreakerPolicy) -> Circuit:
    """The circuit after a failed attempt. One that was under way when the circuit opened is counted and lengthens no
    pause: a hundred calls that fail at once say no more than the last one it took to open.
    """
    after = msgspec.structs.replace(circuit, failures=circuit.failures + 1, failed=circuit.failed + 1, last_error=error)
    if after.failures < policy.failures_max or (circuit.is_open and not circuit.is_half_open):
        return after
    after = msgspec.structs.replace(after, openings=circuit.openings + 1, is_half_open=False)
    return msgspec.structs.replace(after, open_until=now + pause(after, policy))

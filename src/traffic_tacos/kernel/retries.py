"""When to try again what has failed: one rule for jobs, loops and circuits. Pure."""

import msgspec

from traffic_tacos.kernel.instants import SECOND, Instant

FOR_EVER = 2**62


class RetryPolicy(msgspec.Struct, frozen=True):
    """At most `attempts_max` attempts; pauses between them that double from `pause_first` up to `pause_max`."""

    pause_max: Instant
    attempts_max: int = FOR_EVER
    pause_first: Instant = SECOND

    def pause(self, failures: int) -> Instant:
        """How long to wait after so many failures in a row."""
        doublings = min(max(0, failures - 1), self.pause_max.bit_length())  # more would change nothing
        return min(self.pause_max, self.pause_first << doublings)

    def is_over(self, failures: int) -> bool:
        """Whether nobody tries again after so many."""
        return failures >= self.attempts_max

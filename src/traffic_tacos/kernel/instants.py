"""Time as the platform keeps it: whole milliseconds since 1970-01-01T00:00:00Z."""

from typing import TypeAlias

Instant: TypeAlias = int

SECOND: Instant = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

FOR_EVER: Instant = 2**63  # later than any time


def seconds(count: float) -> Instant:
    """A span of `count` seconds."""
    return round(count * SECOND)

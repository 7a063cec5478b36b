"""What the callers of several processes have used of their limits, counted together."""

from collections.abc import Mapping
from typing import Protocol


class SharedBuckets(Protocol):
    async def take(self, taken: Mapping[str, float]) -> Mapping[str, float]:
        """Add what was taken here of each bucket, in milliseconds until it flows back. In how many milliseconds each
        is full again, by what all processes have taken, and never more than FULL_WITHIN. A Fault when nobody can say:
        what was taken may have been added.
        """
        ...


# However much was taken by all together: who is over the limit is let in again soon after they stop.
FULL_WITHIN = 4000.0  # milliseconds

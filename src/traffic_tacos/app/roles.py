"""What a process does where a platform is many of them: a row for each role.

A process has the rooms whose calls it answers, and those whose jobs or events it looks after: on a shared store a room
may be in as many processes as one likes. What is elsewhere is reached over gRPC (`calls/remote.py`).
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple


class ProcessRole(NamedTuple):
    """`does_jobs` of its rooms; where no queue carries them, every process does those that it has put, and this one
    what others have left. `keeps_house`: sweeps, reconciles, hands over the events that others have left; of several
    such processes one does it. `has_pages`: answers browsers, and not only probes and webhooks.
    """

    rooms: Collection[str] | None  # None: all
    does_jobs: bool = False
    keeps_house: bool = False
    has_pages: bool = False


ALL = "all"
ROLES: Mapping[str, ProcessRole] = {
    ALL: ProcessRole(None, does_jobs=True, keeps_house=True, has_pages=True),
    # Fans: whoever they ask for, they ask here; what is not answered here is passed on.
    "edge": ProcessRole(("gateway", "waiting_room", "realtime"), has_pages=True),
    # What is sold. The worker's room is here too, so that a payment's result is applied at once.
    "sale": ProcessRole(("catalog", "inventory", "reservation", "payment", "webhook", "worker")),
    # The jobs of these rooms.
    "worker": ProcessRole(("worker", "payment", "webhook"), does_jobs=True),
    # The webhook room notifies endpoints of the events that others have left.
    "relay": ProcessRole(("webhook",), keeps_house=True),
    # The webhook room notifies endpoints of what operators do.
    "admin": ProcessRole(("admin", "webhook")),
}

"""`tacos up` that kills itself, without a goodbye, as soon as the N-th commit since somebody joined is durable, and
before anybody has heard of it; the first argument is N, the others are those of `tacos`.
"""

import os
import signal
import sys
from collections.abc import Sequence

from traffic_tacos import cli
from traffic_tacos.app import stores
from traffic_tacos.engines.sqlite import SqliteStore
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.store import Write
from traffic_tacos.rooms.payment import service
from traffic_tacos.rooms.waiting_room.records import TICKET


class DyingStore(SqliteStore):
    """A commit here is what the disk has synced at once."""

    commits_left = 0
    has_begun = False

    @property
    def on_commit(self):
        return self._die_or_tell

    @on_commit.setter
    def on_commit(self, tell):
        self._tell = tell

    def _die_or_tell(self, writes: Sequence[Write]) -> None:
        DyingStore.has_begun = DyingStore.has_begun or any(write.kind is TICKET for write in writes)
        if DyingStore.has_begun:
            DyingStore.commits_left -= 1
            if DyingStore.commits_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        self._tell(writes)


def main() -> None:
    DyingStore.commits_left = int(sys.argv.pop(1))
    stores.SqliteStore = DyingStore  # type: ignore[misc]
    service.RESULT_CHECKED_AFTER = 2 * SECOND  # the look at a payment of which no news has come; ten seconds else
    cli.main()

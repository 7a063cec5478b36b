"""Which processes there are: each says every second that it is there, and who has not said so lately is not."""

from contextlib import suppress

import msgspec
import structlog

from traffic_tacos.engines.leases import SKEW_MAX
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.peers import Share, whole
from traffic_tacos.ports.store import Decision, Kind, Store, StoreUnavailable, delete, put

SAID_EVERY_SECONDS = 1.0
PRESENT_FOR = 4 * SECOND
PROCESSES_MAX = 1000

log = structlog.get_logger()


class Present(msgspec.Struct, frozen=True, gc=False):
    """A process that is there, until then at least."""

    until: Instant


PROCESS = Kind("process", Present)


class Presence:
    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self._key = PROCESS.key(name)
        self._share = whole()

    def share(self) -> Share:
        """As it was a second ago; the processes are in the order of their names."""
        return self._share

    async def say(self) -> None:
        """Say that we are here, and look who else is."""
        here = put(self._key, Present(self._clock.now() + PRESENT_FOR))
        await self._store.transact((), lambda _: Decision(None, (here,)))
        found = await self._store.scan(PROCESS.prefix(), limit=PROCESSES_MAX)
        now = self._clock.now()
        paths = sorted({self._key.path, *(key.path for key, one in found if now < one.until + SKEW_MAX)})
        self._share = Share(paths.index(self._key.path), len(paths))

    async def run(self) -> None:
        """Go on saying so, until cancelled."""
        while True:
            try:
                await self.say()
            except StoreUnavailable as error:
                log.warning("presence_not_written", error=str(error))
            await self._clock.sleep(SAID_EVERY_SECONDS)

    async def leave(self) -> None:
        with suppress(StoreUnavailable):  # then we are missed in a few seconds
            await self._store.transact((), lambda _: Decision(None, (delete(self._key),)))

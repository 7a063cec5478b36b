"""What other processes have committed of the few records that every process remembers: settings, webhook endpoints, the
audit log. Looked at twice a second, so that what an operator changes is in force everywhere within one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Key, Kind, Store, StoreUnavailable, Write

LOOK_SECONDS = 0.5
PAGE = 500

log = structlog.get_logger()


class Follower:
    """`small` kinds are read whole; `growing` ones have keys in the order of their making, and are read from the last.

    `on_commit` is given what others have committed. `committed` must be given what this process commits.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        small: Sequence[Kind[Any]],
        growing: Sequence[Kind[Any]],
        on_commit: Callable[[Sequence[Write]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._growing = growing
        self._on_commit = on_commit
        self._known: dict[Kind[Any], dict[str, Any]] = {kind: {} for kind in small}
        self._last: dict[Kind[Any], str] = {}
        self.looked_at: Instant = 0

    async def load(self) -> None:
        """Learn what is there, which whoever remembers it has loaded before."""
        for kind in self._known:
            self._known[kind] = await self._all(kind)
        for kind in self._growing:
            await self._new(kind)
        self.looked_at = self._clock.now()

    def committed(self, writes: Sequence[Write]) -> None:
        for kind, path, value in writes:
            if (known := self._known.get(kind)) is not None:
                if value is None:
                    known.pop(path, None)
                else:
                    known[path] = value
            elif kind in self._growing:
                self._last[kind] = max(path, self._last.get(kind, ""))

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("changes_not_read", error=str(error))

    async def look(self) -> None:
        for kind, known in self._known.items():
            before, found = dict(known), await self._all(kind)
            changed = [path for path in before.keys() | found.keys() if before.get(path) != found.get(path)]
            # What we have changed ourselves while we looked is known better than what was seen.
            ours = [path for path in changed if known.get(path) != before.get(path)]
            self._publish([Write(kind, path, found.get(path)) for path in sorted({*changed} - {*ours})])
        for kind in self._growing:
            self._publish(await self._new(kind))
        self.looked_at = self._clock.now()

    def _publish(self, writes: Sequence[Write]) -> None:
        if writes:
            self.committed(writes)
            self._on_commit(writes)

    async def _all(self, kind: Kind[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        after: Key[Any] | None = None
        while page := await self._store.scan(kind.prefix(), after=after, limit=PAGE):
            found |= {key.path: record for key, record in page}
            after = page[-1][0]
            if len(page) < PAGE:
                break
        return found

    async def _new(self, kind: Kind[Any]) -> list[Write]:
        """Those behind the last that was seen. Our own that were committed meanwhile are known already."""
        found: list[Write] = []
        start = self._last.get(kind, kind.prefix().path)
        after = Key(kind, start)
        while page := await self._store.scan(kind.prefix(), after=after, limit=PAGE):
            found += [Write(kind, key.path, record) for key, record in page]
            after = page[-1][0]
            if len(page) < PAGE:
                break
        news = [write for write in found if write.path > self._last.get(kind, "")]
        if found:
            self._last[kind] = max(found[-1].path, self._last.get(kind, ""))
        return news

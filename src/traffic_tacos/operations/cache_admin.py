"""Caches cleared and configuration read again, on request, while everything runs."""

from collections.abc import Awaitable, Callable

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.cache_admin import Cache
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Store, View

Refresh = Callable[[], Awaitable[object]]


class PlatformCacheAdmin:
    """`caches` and `refreshes` are added by whoever has something to clear, or to read again."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._caches: dict[str, Cache] = {}
        self._refreshes: list[Refresh] = []

    def add_cache(self, name: str, cache: Cache) -> None:
        self._caches[name] = cache

    def add_refresh(self, refresh: Refresh) -> None:
        self._refreshes.append(refresh)

    def caches(self) -> dict[str, int]:
        return {name: len(cache) for name, cache in self._caches.items()}

    async def clear(self, names: tuple[str, ...], reason: str, call: Call) -> Instant:
        at = await self._audit("clear cache", ", ".join(names), reason, call)
        for name in names:
            self._caches[name].clear()
        return at

    async def refresh(self, reason: str, call: Call) -> Instant:
        at = await self._audit("refresh configuration", "platform", reason, call)
        for refresh in self._refreshes:
            await refresh()
        return at

    async def _audit(self, action: str, subject: str, reason: str, call: Call) -> Instant:
        now = self._clock.now()
        entry = Audited(now, call.caller.name, action, subject, "", "", reason, call.trace_id)

        def decide(view: View) -> Decision[None]:
            return Decision(None, audited(view, entry))

        await self._store.transact((CHAIN_END,), decide)
        return now

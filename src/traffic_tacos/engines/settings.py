"""Settings that may change while the platform runs: stored, audited, and read from memory."""

from collections.abc import Callable, Sequence

import msgspec
import structlog

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.domain_events import SettingChanged
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.ids import required_reason
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.settings import SETTINGS, SettingChange, parsed, shown
from traffic_tacos.ports.store import Decision, Kind, Store, View, Write, delete, parts_of, put


class Set(msgspec.Struct, frozen=True, gc=False):
    """What an operator set, as text."""

    value: str


log = structlog.get_logger()
SETTING = Kind("setting", Set)


class StoredSettings:
    """`load` it first, and give every commit to `committed`: what is durable is in force before anybody is answered."""

    def __init__(self, store: Store, clock: Clock, in_force_within: float = 0) -> None:
        """`in_force_within` seconds every process has applied a change; it is answered only then."""
        self._store = store
        self._clock = clock
        self._in_force_within = in_force_within
        self._values: dict[str, bool | int | str] = {name: setting.default for name, setting in SETTINGS.items()}
        self._listeners: list[tuple[str, Callable[[str], None]]] = []

    async def load(self) -> None:
        found = await self._store.scan(SETTING.prefix(), limit=len(SETTINGS) + 1000)
        stored = {key.parts[0]: record.value for key, record in found}
        for name in SETTINGS:
            try:
                self._take(name, stored.get(name, ""))
            except Refusal as refusal:  # of a version that took other values
                log.error("setting_not_taken", name=name, value=stored[name], error=refusal.message)

    def committed(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if write.kind is SETTING:
                self._take(parts_of(write.path)[0], "" if write.value is None else write.value.value)

    def on_change(self, name: str, listener: Callable[[str], None]) -> None:
        """Call `listener` with every new value of a setting, as text."""
        self._listeners.append((name, listener))

    def is_on(self, name: str) -> bool:
        return bool(self._values[name])

    def number(self, name: str) -> int:
        return int(self._values[name])

    def text(self, name: str) -> str:
        return str(self._values[name])

    def shown(self, name: str) -> str:
        return shown(self._values[name])

    async def change(self, name: str, value: str, reason: str, call: Call) -> SettingChange:
        new = parsed(name, value)
        required_reason(reason)
        key, now = SETTING.key(name), self._clock.now()

        def decide(view: View) -> Decision[str]:
            record = view.get(key)
            old = shown(parsed(name, "" if record is None else record.value))
            write = put(key, Set(value)) if value else delete(key)
            entry = Audited(now, call.caller.name, "configure", name, old, shown(new), reason, call.trace_id)
            event = SettingChanged(name, old, shown(new), now)
            return Decision(old, (write, *audited(view, entry)), events=(event,))

        old = await self._store.transact((key, CHAIN_END), decide)
        if self._in_force_within:
            await self._clock.sleep(self._in_force_within)
        return SettingChange(old, shown(new), now)

    def _take(self, name: str, value: str) -> None:
        if name not in SETTINGS:
            return  # of another version
        before, self._values[name] = self._values[name], parsed(name, value)
        if self._values[name] != before:
            for name_wanted, listener in self._listeners:
                if name_wanted == name:
                    listener(self.shown(name))

"""The line's verbs as an operator knows them: stats, figures, settings; and the draw as everybody may see it."""

from __future__ import annotations

from itertools import islice

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_text, required_reason
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import COMMIT_RECORDS_MAX, Decision, Key, Store, View, parts_of, put
from traffic_tacos.rooms.waiting_room.line import PublishedDraw, PublishedEntry
from traffic_tacos.rooms.waiting_room.lines import Lines, OpenLine
from traffic_tacos.rooms.waiting_room.news import Condition
from traffic_tacos.rooms.waiting_room.records import NOTHING_SET, SETTINGS, SettingsRecord, settings_key
from traffic_tacos.rooms.waiting_room.values import Figures
from traffic_tacos.rooms.waiting_room.view import LineView

ENTRIES_PAGE_MAX = 5000
SETTING_MAX = 10_000_000
FOR_ALL = "all events"
RATE_SETTING = "admission.rate_per_second"
QUEUE_SETTINGS = (
    RATE_SETTING,
    "admission.active_max",
    "admission.offer_seconds",
    "admission.idle_seconds",
    "admission.waiting_max",
    "admission.stopped",
    "admission.closed",
    "admission.message",
)
SWITCHES = ("stopped", "closed")
CHANGED_AT_ONCE_MAX = COMMIT_RECORDS_MAX // 2 - 2  # each is a record and an entry of the audit log
MESSAGE, MESSAGE_LENGTH_MAX = "message", 200
_SWITCHED = {"true": True, "false": False, "": None}


class SettingChange(msgspec.Struct, frozen=True):
    old: str
    new: str
    at: Instant


class Overview(msgspec.Struct, frozen=True):
    """One line, as an operator sees it."""

    event_id: str
    figures: Figures
    active_max: int
    rate_per_second: int
    is_stopped: bool
    is_sold_out: bool
    is_pool: bool
    is_closed: bool
    seats_left: int
    streams: int
    condition: Condition | None = None


class Operator:
    def __init__(self, lines: Lines, store: Store, clock: Clock) -> None:
        self._lines = lines
        self._store = store
        self._clock = clock

    async def views(self, event_id: str, call: Call) -> list[Overview]:
        """One event's line, or with an empty id all that are open."""
        if not event_id:
            return self.open_views()
        opened = await self._lines.of(checked_id("event_id", event_id), call)
        return [_overview(opened)]

    async def waiting(self, event_id: str, call: Call) -> int:
        """How many wait in one event's line."""
        opened = await self._lines.of(checked_id("event_id", event_id), call)
        return opened.line.view().waiting

    def open_views(self) -> list[Overview]:
        return [_overview(opened) for opened in self._lines.all().values()]

    async def configure(
        self, event_id: str, setting: str, value: str, actor: str, reason: str, call: Call
    ) -> SettingChange:
        """Change a setting of one event's line, or with an empty id of all; an empty value goes back to the
        event file's. In force when this answers, durable and audited.
        """
        if setting not in QUEUE_SETTINGS:
            raise Refusal.of_field("setting", f"must be one of {', '.join(QUEUE_SETTINGS)}", setting)
        if not actor:
            raise Refusal.of_field("actor", "is required")
        name = setting.removeprefix("admission.")
        parsed = _parsed(name, value)
        required_reason(reason)
        in_force = _shown(_in_force((await self._lines.of(event_id, call)).line.view(), name)) if event_id else ""
        now, reads = self._clock.now(), dict.fromkeys((settings_key(""), settings_key(event_id)))

        def decide(view: View) -> Decision[tuple[str, bool]]:
            changed = _changed(view, event_id, name, in_force, ends_switch=name in SWITCHES and not parsed)
            is_last = len(changed) <= CHANGED_AT_ONCE_MAX
            changed = dict(islice(reversed(changed.items()), CHANGED_AT_ONCE_MAX))  # the asked one last of all
            entries = [
                Audited(now, actor, "configure", f"{of} {setting}", was, value, reason, call.trace_id)
                for of, (_, _, was) in changed.items()
            ]
            writes = [put(where, msgspec.structs.replace(one, **{name: parsed})) for where, one, _ in changed.values()]
            old = changed[event_id or FOR_ALL][2] if is_last else ""
            return Decision((old, is_last), (*writes, *audited(view, *entries)))

        is_last = False
        try:
            while not is_last:
                old, is_last = await self._store.transact((*reads, SETTINGS.prefix("event"), CHAIN_END), decide)
        finally:
            self._lines.look_again(event_id)  # even when nobody knows whether it was done
        for changed_event in [event_id] if event_id else list(self._lines.all()):
            await self._lines.of(changed_event, call)
        return SettingChange(old, value, now)

    async def draw(self, event_id: str, call: Call) -> PublishedDraw:
        """NOT_FOUND when the event has no draw: its sale was open when the first joined."""
        opened = await self._lines.of(checked_id("event_id", event_id), call)
        drawn = await opened.line.draw()
        if drawn is None:
            raise Refusal(Code.NOT_FOUND, f"event_id: {event_id} has no draw: nobody could join before its sale opened")
        return drawn

    async def draw_entries(
        self, event_id: str, after: int, limit: int, call: Call
    ) -> tuple[list[PublishedEntry], bool]:
        """A page of the closed pool in order of joining, from behind number `after`, and whether there is more.

        FAILED_PRECONDITION before the pool has closed.
        """
        opened = await self._lines.of(checked_id("event_id", event_id), call)
        drawn = await opened.line.draw()
        if drawn is None or opened.line.view().is_pool:
            raise Refusal(Code.FAILED_PRECONDITION, "event_id: the pool has not closed yet")
        if after < 0:
            raise Refusal.of_field("after_number", "must not be negative", after)
        size = min(limit, drawn.pool_size - after)
        page = await opened.line.entries(after, size) if size > 0 else []
        return page, after + size < drawn.pool_size


def _changed(
    view: View, event_id: str, name: str, in_force: str, *, ends_switch: bool
) -> dict[str, tuple[Key[SettingsRecord], SettingsRecord, str]]:
    """By event, or FOR_ALL: the record that a change of this setting is written to, and what it says before."""
    for_all, key = view.get(settings_key("")) or NOTHING_SET, settings_key(event_id)
    if ends_switch and event_id and getattr(for_all, name):
        said = f"event_id: admission.{name} is set for all events; change it for all"
        raise Refusal(Code.FAILED_PRECONDITION, said)
    record = view.get(key) or NOTHING_SET
    before = getattr(record, name)
    changed = {event_id or FOR_ALL: (key, record, in_force if before is None else _shown(before))}
    if ends_switch and not event_id:  # for each as well: none stays stopped that nobody thinks of any more
        changed |= {
            parts_of(path)[-1]: (Key(SETTINGS, path), one, "true")
            for path, one in view.range(SETTINGS.prefix("event")).items()
            if getattr(one, name)
        }
    return changed


def _parsed(name: str, value: str) -> int | bool | str | None:
    if name == MESSAGE:
        return checked_text("value", value, MESSAGE_LENGTH_MAX) or None
    if name in SWITCHES:
        if value not in _SWITCHED:
            raise Refusal.of_field("value", "must be true, false, or empty", value)
        return _SWITCHED[value]
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= SETTING_MAX:
        raise Refusal.of_field("value", f"must be a whole number between 1 and {SETTING_MAX}, or empty", value)
    return int(value)


def _shown(value: int | bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_force(view: LineView, setting: str) -> int | bool | str:
    """A setting as it is now, whoever set it."""
    own: dict[str, bool | str] = {"stopped": view.is_stopped, "closed": view.is_closed, "message": view.message}
    return own[setting] if setting in own else int(getattr(view.limits, setting))


def _overview(opened: OpenLine) -> Overview:
    view = opened.line.view()
    return Overview(
        event_id=opened.event_id,
        figures=opened.line.figures(),
        active_max=view.limits.active_max,
        rate_per_second=view.limits.rate_per_second,
        is_stopped=view.is_stopped,
        is_sold_out=view.is_sold_out,
        is_pool=view.is_pool,
        is_closed=view.is_closed,
        seats_left=view.sellable or 0,
        streams=opened.watchers.count,
        condition=opened.condition(),
    )

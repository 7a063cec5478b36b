"""What operators have set and not undone: stops, circuit breakers held open, settings that are not their defaults.

Every such change writes an entry of the audit log in its own commit, so the log knows what stands, since when, by whom
and why. Here is its last entry about each thing, kept in memory.
"""

from collections.abc import Sequence

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.audit import AUDIT, Audited
from traffic_tacos.ports.settings import CIRCUITS, MAINTENANCE, SETTINGS, shown
from traffic_tacos.ports.store import Key, Store, Write
from traffic_tacos.wire import moment

PAGE = 1000
_SWITCHES = {"admission.stopped": "admissions stopped", "admission.closed": "queue drained"}
_SEATS_OF = "seats of"


class Override(msgspec.Struct, frozen=True):
    """`room` is whose it is; one that `is_restricting` keeps people from buying."""

    room: str
    kind: str
    subject: str
    value: str
    since: Instant
    actor: str
    reason: str
    is_restricting: bool
    number: int  # of its entry

    def shown(self) -> str:
        """For a person, in one line."""
        what = f"{self.kind} ({self.subject})" if self.subject not in ("", self.kind) else self.kind
        return f"{what}: {self.standing()}"

    def standing(self) -> str:
        return f"{self.value}, since {moment(self.since).ToJsonString()} by {self.actor}: {self.reason}"


class Overrides:
    """`load` it first, and give every commit to `committed`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[str, Audited] = {}
        self._seats: dict[str, dict[str, Audited]] = {}

    async def load(self) -> None:
        after: Key[Audited] | None = None
        while page := await self._store.scan(AUDIT.prefix(), after=after, limit=PAGE):
            for _, entry in page:
                self._take(entry)
            after = page[-1][0]

    def committed(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if write.kind is AUDIT and write.value is not None:
                self._take(write.value)

    def all(self) -> list[Override]:
        """Those in force, the oldest first."""
        found = [one for entry in self._last.values() if (one := override(entry)) is not None]
        found += [blocked(event_id, seats) for event_id, seats in self._seats.items() if seats]
        return sorted(found, key=lambda one: one.number)

    def issues(self, room: str) -> list[str]:
        """What keeps people from buying, and is the room's."""
        return [one.shown() for one in self.all() if one.room == room and one.is_restricting]

    def notes(self, room: str) -> dict[str, str]:
        """What else is set of the room, by a name for each."""
        return {
            f"override {one.subject}": one.standing()
            for one in self.all()
            if one.room == room and not one.is_restricting
        }

    def _take(self, entry: Audited) -> None:
        match entry.action:
            case "configure" | "reservations":
                self._last[entry.subject] = entry
            case "seats":
                event_id, _, names = entry.subject.partition(" ")
                seats = self._seats.setdefault(event_id, {})
                for name in names.split(", "):
                    if entry.new == "BLOCKED":
                        seats[name] = entry
                    else:
                        seats.pop(name, None)


def override(entry: Audited) -> Override | None:
    """What the last entry about something says is set; None when that is as it would be by itself."""
    if entry.action == "reservations":
        subject = entry.subject.removesuffix(" reservations")
        return _of(entry, "reservation", "reservations stopped", subject, "stopped") if entry.new == "stopped" else None
    if entry.subject in SETTINGS:
        return _setting(entry)
    subject, _, name = entry.subject.rpartition(" ")
    if name in _SWITCHES:
        return _of(entry, "waiting_room", _SWITCHES[name], subject, "by an operator") if entry.new == "true" else None
    if not entry.new:
        return None
    return _of(entry, "waiting_room", "queue setting", entry.subject, entry.new, is_restricting=False)


def blocked(event_id: str, seats: dict[str, Audited]) -> Override:
    last = max(seats.values(), key=lambda entry: entry.number)
    return _of(last, "inventory", "seats blocked", f"{_SEATS_OF} {event_id}", str(len(seats)), is_restricting=False)


def _setting(entry: Audited) -> Override | None:
    name, value = entry.subject, entry.new
    if value == shown(SETTINGS[name].default):
        return None
    if name == MAINTENANCE:
        return _of(entry, "gateway", "maintenance", "", value)
    if name in CIRCUITS.values():
        return _of(entry, "gateway", "circuit breaker", name.partition(".")[2], "held open by an operator")
    return _of(entry, "gateway", "setting", name, value, is_restricting=False)


def _of(entry: Audited, room: str, kind: str, subject: str, value: str, *, is_restricting: bool = True) -> Override:
    return Override(room, kind, subject, value, entry.at, entry.actor, entry.reason, is_restricting, entry.number)

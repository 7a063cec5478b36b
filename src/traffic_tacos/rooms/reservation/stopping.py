"""The emergency stop: no new reservations, and those that are pending cancelled; for one event, or for all.

A reservation and the stop are decided on the same records, so whatever is there once the stop is durable was made
before it, and is found. What each cancelled one leaves behind (its seats, a payment under way or just completed) is
its cleanup job's, committed with it. Its admission stays good: once reservations go on, its holder is still first.
"""

from functools import lru_cache

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Precondition, Refusal
from traffic_tacos.kernel.ids import checked_id, required_reason
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.limits import EXTENSION_SECONDS_MAX, HOLD_SECONDS_MAX
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import (
    COMMIT_RECORDS_MAX,
    COPIES,
    KEYS_REMEMBERED,
    Decision,
    Key,
    Kind,
    Store,
    View,
    delete,
    parts_of,
    put,
)
from traffic_tacos.rooms.reservation import model
from traffic_tacos.rooms.reservation.clients import CatalogClient
from traffic_tacos.rooms.reservation.records import (
    BY_EVENT,
    reservation_key,
    step_reads,
    transition,
)

RECORDS_OF_A_CANCELLATION = 4  # the reservation, its admission, its cleanup job and the news of it
CANCELLED_AT_ONCE_MAX = COMMIT_RECORDS_MAX // RECORDS_OF_A_CANCELLATION
HELD_AT_MOST = (HOLD_SECONDS_MAX + EXTENSION_SECONDS_MAX) * SECOND
RESUMED_AT_ONCE_MAX = COMMIT_RECORDS_MAX // COPIES // 2  # beside the stop of all, and what is audited
ALL_EVENTS = "all events"
_LAST = "\U0010ffff"


class Stop(msgspec.Struct, frozen=True, gc=False):
    """Reservations are stopped, since when and by whom."""

    at: Instant
    actor: str


class Stopped(msgspec.Struct, frozen=True):
    """What a stop, or the end of one, came to."""

    cancelled: int
    at: Instant


STOP = Kind("reservations_stopped", Stop, COPIES)


def stop_key(event_id: str) -> Key[Stop]:
    """An event's own stop, or with an empty id that of all events."""
    return STOP.key("event", event_id) if event_id else STOP.key("all")


@lru_cache(maxsize=KEYS_REMEMBERED)
def stop_keys(event_id: str) -> tuple[Key[Stop], Key[Stop]]:
    return stop_key(""), stop_key(event_id)


def is_stopped(view: View, event_id: str) -> bool:
    """Whether nothing may be reserved of this event; the view must have declared its `stop_keys`."""
    return any(view.get(key) is not None for key in stop_keys(event_id))


def reservations_stopped() -> Refusal:
    says = "reservations are stopped by the operator; the admission stays good"
    return Refusal.of_precondition("event_id", says, Precondition.RESERVATIONS_STOPPED)


class Stopping:
    def __init__(self, store: Store, clock: Clock, catalog: CatalogClient) -> None:
        self._store = store
        self._clock = clock
        self._catalog = catalog

    async def change(self, event_id: str, actor: str, reason: str, call: Call, *, resume: bool) -> Stopped:
        """Stop reservations of an event (empty: of all) and cancel the pending ones; or let them go on.

        Audited. Stopping again cancels what a crash left pending.
        """
        required_reason(reason)
        if not actor:
            raise Refusal.of_field("actor", "is required")
        if event_id:
            await self._catalog.terms(checked_id("event_id", event_id), call)  # NOT_FOUND when there is none
        now, key, own = self._clock.now(), stop_key(event_id), STOP.prefix("event")

        def decide(view: View) -> Decision[bool]:
            if resume and event_id and view.get(stop_key("")) is not None:
                raise Refusal(
                    Code.FAILED_PRECONDITION, "event_id: reservations of all events are stopped; resume those of all"
                )
            changed = {event_id or ALL_EVENTS: key} if (view.get(key) is None) != resume else {}
            if resume and not event_id:  # and with all events each: none stays stopped that nobody thinks of any more
                each = sorted(view.range(own))
                if len(each) > RESUMED_AT_ONCE_MAX:
                    changed = {}  # those of all go on once there are few left
                changed |= {parts_of(path)[-1]: Key(STOP, path) for path in each[:RESUMED_AT_ONCE_MAX]}
            old, new = ("stopped", "open") if resume else ("open", "stopped")
            entries = [
                Audited(
                    now, actor, "reservations", f"{name or ALL_EVENTS} reservations", old, new, reason, call.trace_id
                )
                for name in changed
            ]
            writes = [delete(one) if resume else put(one, Stop(now, actor)) for one in changed.values()]
            is_done = bool(event_id) or ALL_EVENTS in changed or not changed
            return Decision(is_done, (*writes, *audited(view, *entries)))

        while not await self._store.transact((*dict.fromkeys((stop_key(""), key)), own, CHAIN_END), decide):
            pass
        cancelled = 0 if resume else await self._cancel_pending(event_id)
        return Stopped(cancelled, now)

    async def _cancel_pending(self, event_id: str) -> int:
        events = [event_id] if event_id else await self._events()
        return sum([await self._cancel_pending_of(event) for event in events])

    async def _cancel_pending_of(self, event_id: str) -> int:
        """Only the latest can be pending: no hold lasts longer than HELD_AT_MOST."""
        cancelled = 0
        after = BY_EVENT.key(event_id, f"{self._clock.now() - HELD_AT_MOST:014d}")
        index = BY_EVENT.prefix(event_id)
        while page := await self._store.scan(index, after=after, limit=CANCELLED_AT_ONCE_MAX):
            cancelled += await self._cancel([reservation_id for _, reservation_id in page])
            after = page[-1][0]
        return cancelled

    async def _cancel(self, reservation_ids: list[str]) -> int:
        """Cancel those of them that are pending; how many were. One that is being confirmed is paid for: it goes on."""
        pending = [
            one
            for name in reservation_ids
            if (one := await self._store.get(reservation_key(name))) is not None
            and one.status is ReservationStatus.PENDING
        ]
        now = self._clock.now()

        def decide(view: View) -> Decision[int]:
            steps: list[Decision[None]] = []
            for one in pending:
                before = view.get(reservation_key(one.id)) or one
                if model.is_held(before, now):
                    steps.append(transition(view, before, model.cancelled(before, now), None, tidy_at=now))
            return Decision(
                len(steps),
                [write for step in steps for write in step.writes],
                [job for step in steps for job in step.jobs],
                [event for step in steps for event in step.events],
            )

        keys = [key for one in pending for key in step_reads(one)]
        return await self._store.transact(keys, decide)

    async def _events(self) -> list[str]:
        """Every event that anything was ever reserved of."""
        found: list[str] = []
        after: Key[str] | None = None
        while page := await self._store.scan(BY_EVENT.prefix(), after=after, limit=1):
            found.append(page[0][0].parts[0])
            after = BY_EVENT.key(found[-1], _LAST)
        return found

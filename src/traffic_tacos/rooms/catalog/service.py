"""The catalog's verbs: create, show, list, change."""

from __future__ import annotations

import msgspec

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.events import sale_window
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.kernel.topics import EVENT_CHANGED
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.paging import checked_size
from traffic_tacos.ports.sales import Period, Sale, changed_sale, sale_key
from traffic_tacos.ports.store import Decision, Key, Store, View, put
from traffic_tacos.ports.store import Event as Announcement
from traffic_tacos.rooms.catalog.documents import parsed
from traffic_tacos.rooms.catalog.model import Event, is_same, same_promise, with_known_seating
from traffic_tacos.rooms.catalog.records import EVENT


class Unreadable(msgspec.Struct, frozen=True):
    """An event whose record is damaged, and why."""

    id: str
    why: str


class Catalog:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(self, document: str, seating_plan: str = "", event_id: str = "") -> Event:
        """Put an event on sale. The same document again changes nothing; another under its id is ALREADY_EXISTS."""
        event = parsed(document, seating_plan, event_id)
        key = EVENT.key(event.id)

        def decide(view: View) -> Decision[Event]:
            known = view.get(key)
            if known is None:
                sale = put(sale_key(event.id), Sale(Period(sale_window(event.info))))
                return Decision(event, (put(key, event), sale), events=(_changed(event),))
            if not is_same(event, known):
                raise Refusal(Code.ALREADY_EXISTS, f"id: {event.id} is taken by another event")
            return Decision(known)

        return await self._store.transact((key,), decide)

    async def show(self, event_id: str) -> Event:
        event = await self._store.get(EVENT.key(checked_id("event_id", event_id)))
        if event is None:
            raise unknown_event(event_id)
        return event

    def unreadable(self) -> tuple[Unreadable, ...]:
        """The events that were found unreadable so far."""
        prefix = EVENT.prefix().path
        damaged = self._store.damaged().items()
        return tuple(Unreadable(path.removeprefix(prefix), why) for path, why in damaged if path.startswith(prefix))

    async def list(self, after: str, page_size: int) -> tuple[list[Event | Unreadable], str]:
        """A page of events by id, and the cursor of the next page, empty at the end.

        Those that cannot be read stand where they belong, and are not counted in the size of the page.
        """
        size = checked_size(page_size)
        start: Key[Event] | None = EVENT.key(after) if after else None
        found = [event for _, event in await self._store.scan(EVENT.prefix(), after=start, limit=size + 1)]
        page, cursor = found[:size], found[size - 1].id if len(found) > size else ""
        damaged = [one for one in self.unreadable() if after < one.id and (not cursor or one.id < cursor)]
        return sorted([*page, *damaged], key=_id), cursor

    async def look(self) -> None:
        """Read every event once, so that those that cannot be read are known."""
        cursor: str | None = ""
        while cursor is not None:
            _, next_cursor = await self.list(cursor, 0)
            cursor = next_cursor or None

    async def update(self, event_id: str, document: str, seating_plan: str = "") -> Event:
        """Change what may change while people buy; FAILED_PRECONDITION when seats, prices or currency differ."""
        event = parsed(document, seating_plan, checked_id("event_id", event_id))
        key, sale_at, now = EVENT.key(event.id), sale_key(event.id), self._clock.now()

        def decide(view: View) -> Decision[Event]:
            known = view.get(key)
            if known is None:
                raise unknown_event(event_id)
            changed = with_known_seating(event, known)
            if not same_promise(changed, known):
                raise Refusal(
                    Code.FAILED_PRECONDITION,
                    "sections: seats, prices and currency stay as they were published; create another event",
                )
            sale = changed_sale(view.get(sale_at), sale_window(known.info), sale_window(changed.info), now)
            return Decision(changed, (put(key, changed), put(sale_at, sale)), events=(_changed(changed),))

        return await self._store.transact((key, sale_at), decide)


def unknown_event(event_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"event_id: there is no event {event_id}")


def _id(event: Event | Unreadable) -> str:
    return event.id


def _changed(event: Event) -> Announcement:
    return Announcement(EVENT_CHANGED, {"event_id": event.id})

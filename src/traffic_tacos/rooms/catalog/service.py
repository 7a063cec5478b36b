"""The catalog's verbs: create, show, list, change."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.domain_events import DomainEvent, EventChanged
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.event_info import SaleWindow, sale_window
from traffic_tacos.kernel.ids import checked_id
from traffic_tacos.ports.audit import CHAIN_END, audited, entry_of
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.paging import FIRST, PAGE_MAX, Asked, Page
from traffic_tacos.ports.sales import Period, Sale, changed_sale, sale_key
from traffic_tacos.ports.store import Decision, Key, Store, View, Write, parts_of, put
from traffic_tacos.rooms.catalog.documents import parsed
from traffic_tacos.rooms.catalog.model import Event, differing, is_same, same_promise, with_known_seating
from traffic_tacos.rooms.catalog.records import EVENT


class Unreadable(msgspec.Struct, frozen=True):
    """An event whose record is damaged, and why."""

    id: str
    why: str


class Catalog:
    """`takes_guests` is what events do whose files say nothing of it."""

    def __init__(self, store: Store, clock: Clock, *, takes_guests: bool) -> None:
        self._takes_guests = takes_guests
        self._store = store
        self._clock = clock
        self._ids: list[str] = []  # of all events that can be read, sorted

    async def create(
        self, document: str, seating_plan: str = "", event_id: str = "", reason: str = "", call: Call | None = None
    ) -> Event:
        """Put an event on sale, in the caller's name; without a call it is one given at the start.

        The same document again changes nothing; another under its id is ALREADY_EXISTS.
        """
        event = parsed(document, seating_plan, event_id)
        key, now = EVENT.key(event.id), self._clock.now()
        by = () if call is None else (entry_of(call, now, "create event", event.id, reason, new=event.info.name),)

        def decide(view: View) -> Decision[Event]:
            known = view.get(key)
            if known is None:
                sale = put(sale_key(event.id), Sale(Period(sale_window(event.info))))
                writes = (put(key, event), sale, *audited(view, *by))
                return Decision(event, writes, events=(EventChanged(event.id),))
            if not is_same(event, known):
                raise Refusal(Code.ALREADY_EXISTS, f"id: {event.id} is taken by another event")
            return Decision(known)

        return await self._store.transact((key, CHAIN_END), decide)

    async def show(self, event_id: str) -> Event:
        event = await self._store.get(EVENT.key(checked_id("event_id", event_id)))
        if event is None:
            raise unknown_event(event_id)
        return event

    def takes_guests(self, event: Event) -> bool:
        """Whether who has no account may buy."""
        return self._takes_guests if event.guests is None else event.guests

    async def window(self, event: Event) -> SaleWindow:
        """When an event is sold, as it is in force."""
        sale = await self._store.get(sale_key(event.id))
        return sale_window(event.info) if sale is None else sale.now.window

    def unreadable(self) -> tuple[Unreadable, ...]:
        """The events that were found unreadable so far."""
        prefix = EVENT.prefix().path
        damaged = self._store.damaged().items()
        return tuple(Unreadable(parts_of(path)[0], why) for path, why in damaged if path.startswith(prefix))

    async def list(self, asked: Asked) -> Page[Event | Unreadable]:
        """A page of events by id.

        Those that cannot be read stand where they belong; they are in the total, and not in the size of the page.
        """
        ids, size = self._ids, asked.size
        start = min(len(ids), bisect_right(ids, asked.cursor) if asked.cursor else asked.skipped)
        after = EVENT.key(ids[start - 1]) if start else None
        events = [event for _, event in await self._store.scan(EVENT.prefix(), after=after, limit=size)]
        is_more = start + len(events) < len(ids)
        low, high = ids[start - 1] if start else "", events[-1].id if is_more else ""
        damaged = [one for one in self.unreadable() if low < one.id and (not high or one.id < high)]
        return Page(
            sorted([*events, *damaged], key=_id),
            len(ids) + len(self.unreadable()),
            high,
            "" if not start else ids[start - size - 1] if start > size else FIRST,
        )

    async def load(self) -> None:
        """Read every event once, so that it is known which there are, and which cannot be read."""
        after: Key[Event] | None = None
        while page := await self._store.scan(EVENT.prefix(), after=after, limit=PAGE_MAX):
            self._ids += [event.id for _, event in page]
            after = page[-1][0]

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit: events that were put on sale."""
        for write in writes:
            if write.kind is EVENT and write.value is not None and write.value.id not in self._ids:
                insort(self._ids, write.value.id)

    async def handle(self, news: DomainEvent) -> None:
        """An event that another process put on sale is one of the list as well."""
        if isinstance(news, EventChanged) and news.event_id not in self._ids:
            insort(self._ids, news.event_id)

    async def update(self, event_id: str, document: str, seating_plan: str, reason: str, call: Call) -> Event:
        """Change what may change while people buy; FAILED_PRECONDITION when seats, prices or currency differ."""
        event = parsed(document, seating_plan, checked_id("event_id", event_id))
        key, sale_at, now = EVENT.key(event.id), sale_key(event.id), self._clock.now()
        entry = entry_of(call, now, "update event", event.id, reason)

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
            noted = msgspec.structs.replace(entry, new=", ".join(differing(known, changed)))
            writes = (put(key, changed), put(sale_at, sale), *audited(view, noted))
            return Decision(changed, writes, events=(EventChanged(changed.id),))

        return await self._store.transact((key, sale_at, CHAIN_END), decide)


def unknown_event(event_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"event_id: there is no event {event_id}")


def _id(event: Event | Unreadable) -> str:
    return event.id

"""Events on a bus of EventBridge, for whoever subscribes to them outside (docs/decisions/0056).

Every event of the platform goes there, at least once and in no certain order: `detail-type` is its topic, and `id` in
its detail is the same however often it comes. What happens inside rests on none of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from traffic_tacos.engines.aws import AwsApi, AwsFault
from traffic_tacos.kernel.domain_events import DomainEvent, payload_of, topic_of
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.store import Key, outbox_time

SOURCE = "traffic-tacos"
# Of one PutEvents: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
ENTRIES_MAX = 10
REQUEST_BYTES_MAX = 256_000
OTHER_BYTES_MAX = 1_000  # of an entry, beside its detail
# Reasons for which an entry is never taken, however often it is sent.
_REFUSED = frozenset({"MalformedDetail", "InvalidArgument"})

log = structlog.get_logger()


def entry_of(key: Key[DomainEvent], event: DomainEvent, bus: str) -> dict[str, Any]:
    """An event as PutEvents takes it. One that is too large goes without what it says, and with how large it was."""
    event_id, topic = key.parts[0], topic_of(event)
    detail = msgspec.json.encode({"id": event_id, **payload_of(event)})
    if len(detail) + OTHER_BYTES_MAX > REQUEST_BYTES_MAX:
        detail = msgspec.json.encode({"id": event_id, "bytes_left_out": len(detail)})
    return {
        "Source": SOURCE,
        "DetailType": topic,
        "Detail": detail.decode(),
        "Time": outbox_time(key) / SECOND,
        "EventBusName": bus,
    }


def fitting(entries: Sequence[Mapping[str, Any]]) -> int:
    """How many of the first entries go into one request; at least one."""
    size = 0
    for count, entry in enumerate(entries[:ENTRIES_MAX]):
        size += sum(len(entry[part].encode()) for part in ("Source", "DetailType", "Detail")) + 14  # and its time
        if count and size > REQUEST_BYTES_MAX:
            return count
    return min(len(entries), ENTRIES_MAX)


class Bus:
    """A bus by its name."""

    def __init__(self, api: AwsApi, name: str) -> None:
        self._api = api
        self.name = name
        self._trouble = ""

    async def find(self) -> None:
        """AwsMissing when there is none."""
        await self._api("DescribeEventBus", {"Name": self.name})

    async def create(self) -> None:
        await self._api("CreateEventBus", {"Name": self.name})

    async def publish(self, events: Sequence[tuple[Key[DomainEvent], DomainEvent]]) -> Collection[str]:
        """Send the events; the paths of those that need not be sent again. Raises AwsFault when it took none."""
        done: set[str] = set()
        entries = [entry_of(key, event, self.name) for key, event in events]
        first = 0
        while first < len(events):
            count = fitting(entries[first:])
            paths = [key.path for key, _ in events[first : first + count]]
            done.update(self._taken(paths, await self._put(entries[first : first + count])))
            first += count
        return done

    async def _put(self, entries: Sequence[dict[str, Any]]) -> Sequence[Mapping[str, str]]:
        try:
            answer = await self._api("PutEvents", {"Entries": entries})
        except AwsFault as fault:
            self._trouble = str(fault)
            raise
        self._trouble = ""
        results: Sequence[Mapping[str, str]] = answer["Entries"]
        return results

    def _taken(self, paths: Sequence[str], results: Sequence[Mapping[str, str]]) -> Iterator[str]:
        for path, result in zip(paths, results, strict=True):
            code = result.get("ErrorCode", "")
            if code in _REFUSED:
                log.error("event_refused", path=path, code=code, error=result.get("ErrorMessage", ""))
            elif code:
                self._trouble = f"{code}: {result.get('ErrorMessage', '')}"
                continue
            yield path

    def health(self, unpublished: int) -> PartHealth:
        """As the last request found it."""
        shown = f"{unpublished} events not sent"
        if self._trouble:
            return PartHealth(self.name, Health.DEGRADED, 0, endpoint=shown, issues=(self._trouble,))
        return PartHealth(self.name, Health.HEALTHY, 0, endpoint=shown)

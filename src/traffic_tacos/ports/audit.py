"""Who changed what, when, and why: written in the same commit as the change itself, and never changed."""

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Kind, Write, put


class Audited(msgspec.Struct, frozen=True, omit_defaults=True):
    """`subject` is what was changed, as an operator names it; `trace_id` is the call that did it."""

    at: Instant
    actor: str
    action: str
    subject: str
    old: str
    new: str
    reason: str
    trace_id: str


AUDIT = Kind("audit", Audited)


def audited(entry: Audited) -> Write:
    """The entry, filed by time."""
    return put(AUDIT.key(f"{entry.at:016d}", entry.trace_id, entry.subject), entry)

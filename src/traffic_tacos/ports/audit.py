"""Who changed what, when, and why: written in the same commit as the change itself, and never changed.

Entries are a chain: each carries the digest of the one before it, so that none can be changed, left out or
put in between without breaking the chain behind it. `tacos verify` follows it, and shows its last digest:
whoever keeps that elsewhere can prove the whole log later.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.ids import checked_reason
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Key, Kind, View, Write, put


class Audited(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`subject` is what was changed, as an operator names it; `trace_id` is the call that did it. `number` counts
    from 1 and `previous` is the digest of the entry before; both are filled in when it is written.
    """

    at: Instant
    actor: str
    action: str
    subject: str
    old: str
    new: str
    reason: str
    trace_id: str
    number: int = 0
    previous: str = ""


class ChainEnd(msgspec.Struct, frozen=True, gc=False):
    """Where the chain ends."""

    number: int
    digest: str


AUDIT = Kind("audit", Audited)
AUDIT_HEAD = Kind("audit_head", ChainEnd)
CHAIN_END: Key[ChainEnd] = AUDIT_HEAD.key("head")
EMPTY = ChainEnd(0, "")


def entry_of(call: Call, now: Instant, action: str, subject: str, reason: str, old: str = "", new: str = "") -> Audited:
    """What the caller does in this call, under the name on their token."""
    return Audited(now, call.caller.name, action, subject, old, new, checked_reason(reason), call.trace_id)


def audit_key(number: int) -> Key[Audited]:
    return AUDIT.key(f"{number:012d}")


def audited(view: View, *entries: Audited) -> tuple[Write, ...]:
    """The entries at the end of the chain; the view must have declared CHAIN_END. None for none."""
    if not entries:
        return ()
    head, writes = view.get(CHAIN_END) or EMPTY, []
    for one in entries:
        entry = msgspec.structs.replace(one, number=head.number + 1, previous=head.digest)
        writes.append(put(audit_key(entry.number), entry))
        head = ChainEnd(entry.number, digest(entry))
    return (*writes, put(CHAIN_END, head))


def digest(entry: Audited) -> str:
    """SHA-256 of the entry as it is stored, in hex."""
    return hashlib.sha256(AUDIT.encode(entry)).hexdigest()


def broken_links(entries: Iterable[Audited], head: ChainEnd | None) -> list[str]:
    """What is wrong with a chain of all entries in order, a sentence each."""
    broken, last = [], EMPTY
    for entry in entries:
        if entry.number != last.number + 1:
            broken.append(f"entry {last.number + 1} is missing or out of place")
        elif entry.previous != last.digest:
            broken.append(f"entry {last.number} was changed, or entry {entry.number} was put in its place")
        last = ChainEnd(entry.number, digest(entry))
    if last != (head or EMPTY):
        broken.append(
            f"the chain ends with entry {(head or EMPTY).number} of another digest; the last is {last.number}"
        )
    return broken

"""Rotated keys in the audit log: a command replaces keys in their folder, perhaps while nothing has the store open.

The command notes each rotation in the folder; the platform that runs, or starts next, writes what is new into the log.
What it finds changed without a note was changed by hand, and is written down as that.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.store import Decision, Kind, Store, View, put

NOTES = "rotations.jsonl"
NOTES_MAX = 1000
SIGNING, WEBHOOK = "signing key", "webhook secrets"
NOBODY_KNOWN = "unknown"
_DIGEST_LENGTH = 16


class Rotation(msgspec.Struct, frozen=True):
    """`old` and `new` name the keys before and after, and are no secrets."""

    at: Instant
    actor: str
    action: str
    subject: str
    old: str
    new: str
    reason: str


class Seen(msgspec.Struct, frozen=True, gc=False):
    """The keys that the audit log knows of, by what they are."""

    names: dict[str, str]


SEEN = Kind("keys_seen", Seen)
SEEN_KEY = SEEN.key("keys")


def names(signing_id: str, webhook: Iterable[str]) -> dict[str, str]:
    """What the keys in force are called: no secret can be found from these."""
    secrets = " ".join(hashlib.sha256(secret.encode()).hexdigest()[:_DIGEST_LENGTH] for secret in webhook)
    return {SIGNING: signing_id, WEBHOOK: secrets}


@contextmanager
def locked(folder: Path, how: int) -> Iterator[None]:
    """The folder, not to be changed (`LOCK_EX`) or read (`LOCK_SH`) by others meanwhile: a key and its note are one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def note(folder: Path, rotation: Rotation) -> None:
    """Note a rotation in the folder of the keys; the oldest notes go."""
    file = folder / NOTES
    lines = [*(file.read_bytes().splitlines() if file.exists() else ()), msgspec.json.encode(rotation)]
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(b"\n".join(lines[-NOTES_MAX:]) + b"\n")
    part.rename(file)


def noted(folder: Path) -> list[Rotation]:
    """What was noted, the oldest first; a line that cannot be read is none."""
    try:
        with locked(folder, fcntl.LOCK_SH):
            lines = (folder / NOTES).read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Rotation))
        except msgspec.DecodeError:
            continue
    return found


def news(before: dict[str, str], after: dict[str, str], notes: Iterable[Rotation], now: Instant) -> list[Rotation]:
    """How the keys came from what they were to what they are: as noted, and else by somebody unknown."""
    notes, found = list(notes), []
    for subject, new in after.items():
        at = before.get(subject, new)
        for one in notes:
            if one.subject == subject and one.old == at and at != new:
                found.append(one)
                at = one.new
        if at != new:
            why = "the files in the data folder were changed by hand"
            found.append(Rotation(now, NOBODY_KNOWN, "change keys", subject, at, new, why))
    return sorted(found, key=lambda one: one.at)


class RotationAudit:
    """Writes into the audit log what has become of the keys; `folder` is where they lie, None for keys in memory."""

    def __init__(self, store: Store, clock: Clock, folder: Path | None) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder

    async def write(self, signing_id: str, webhook: Iterable[str]) -> None:
        """Compare with what the log knows, and write what is new; the first time there is nothing to compare with."""
        if self._folder is None:
            return
        after, notes, now = names(signing_id, webhook), noted(self._folder), self._clock.now()

        def decide(view: View) -> Decision[None]:
            seen = view.get(SEEN_KEY)
            if seen is not None and seen.names == after:
                return Decision(None)
            entries = [
                Audited(one.at, one.actor, one.action, one.subject, one.old, one.new, one.reason, "")
                for one in (news(seen.names, after, notes, now) if seen is not None else ())
            ]
            return Decision(None, (put(SEEN_KEY, Seen(after)), *audited(view, *entries)))

        await self._store.transact((SEEN_KEY, CHAIN_END), decide)

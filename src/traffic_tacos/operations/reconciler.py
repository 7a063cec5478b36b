"""Payments, reservations, orders and seats, compared now and then, whatever went wrong before.

Every one of these is kept right by the commits themselves; what is found here is damage: a job that somebody
deleted, a store that was put back from an old copy. Where the rules say what must happen, the job that makes
it happen is put again; the rest is reported, and left for a person.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TypeVar

import msgspec
import structlog

from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.operations.invariants import SECOND_LOOK_SECONDS, Everything, in_parts, verified_of
from traffic_tacos.ports.audit import CHAIN_END, Audited, audited
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.peers import ALONE, Duty
from traffic_tacos.ports.snapshots import OnSnapshot, Snapshot
from traffic_tacos.ports.store import JOB, Decision, Job, Store, View, in_commits
from traffic_tacos.rooms.payment.model import UNDER_WAY
from traffic_tacos.rooms.payment.service import expiry_job as payment_expiry_job
from traffic_tacos.rooms.payment.service import settling_job
from traffic_tacos.rooms.reservation.model import FREE_OF_CHARGE
from traffic_tacos.rooms.reservation.records import cleanup_job, finishing_job

EVERY = 5 * MINUTE
SHARE_OF_TIME = 0.01  # what of the time a large store may be looked at
ALLOWANCE = MINUTE  # how late a job may be before it counts as missing
SHOWN_MAX = 100

T = TypeVar("T")
log = structlog.get_logger()


class Difference(msgspec.Struct, frozen=True):
    """An inconsistency between two records, and the job that mends it; None when a person must."""

    subject: str
    what: str
    job: Job | None = None


class Report(msgspec.Struct, frozen=True):
    """What was found, and what of it was repaired by this look."""

    at: Instant
    differences: tuple[Difference, ...] = ()
    repaired: frozenset[str] = frozenset()

    @property
    def unrepaired(self) -> int:
        return sum(one.subject not in self.repaired for one in self.differences)


class Reconciler:
    def __init__(self, on_snapshot: OnSnapshot, store: Store, clock: Clock, duty: Duty = ALONE) -> None:
        self._on_snapshot = on_snapshot
        self._store = store
        self._clock = clock
        self._duty = duty
        self.last: Report | None = None

    async def run(self) -> None:
        """Look every five minutes, or less often where a look takes long; until cancelled."""
        took = 0.0
        while True:
            await self._clock.sleep(max(EVERY / SECOND, took / SHARE_OF_TIME))
            if not self._duty.is_ours():
                continue
            began = self._clock.now()
            report = await self.once()
            took = (self._clock.now() - began) / SECOND
            if report.differences:
                log.warning(
                    "inconsistencies_found",
                    count=len(report.differences),
                    repaired=len(report.repaired),
                    first=report.differences[0].what,
                )

    def found(self) -> int:
        """How many inconsistencies there were at the last look."""
        return len(self.last.differences) if self.last is not None else 0

    async def once(self, *, dry_run: bool = False, entry: Audited | None = None) -> Report:
        """Compare everything once; put the jobs that are missing, unless it is a dry run. `entry` is of the audit log,
        when somebody asked for it: it says how much was repaired.
        """
        now = self._clock.now()
        differences = await self.differences()
        jobs = [(one.subject, one.job) for one in differences if one.job is not None]
        repaired: frozenset[str] = frozenset()
        if not dry_run:
            for some in in_commits(jobs):
                keys = [JOB.key(job.id) for _, job in some]
                repaired |= await self._store.transact(keys, partial(_missing, some))
            if entry is not None:
                noted = msgspec.structs.replace(entry, new=f"{len(repaired)} repaired")
                await self._store.transact((CHAIN_END,), lambda view: Decision(None, audited(view, noted)))
        report = Report(now, differences, repaired)
        if not dry_run:
            self.last = report
        return report

    async def differences(self) -> tuple[Difference, ...]:
        """The inconsistencies; on a store of which no snapshot can be taken, those that two looks found."""

        def see(records: Snapshot) -> tuple[Difference, ...]:
            return tuple(differences_in(records, now))

        now = self._clock.now()
        found = await self._on_snapshot(see)
        if not found or self._on_snapshot.is_of_one_moment:
            return found
        await self._clock.sleep(SECOND_LOOK_SECONDS)
        before = {(one.subject, one.what) for one in found}
        now = self._clock.now()
        return tuple(one for one in await self._on_snapshot(see) if (one.subject, one.what) in before)


def _missing(jobs: Sequence[tuple[str, Job]], view: View) -> Decision[frozenset[str]]:
    """The jobs that are not there; one that is, dead or alive, is somebody's already."""
    put = [(subject, job) for subject, job in jobs if view.get(JOB.key(job.id)) is None]
    return Decision(frozenset(subject for subject, _ in put), jobs=tuple(job for _, job in put))


def differences_in(records: Snapshot, now: Instant) -> Iterator[Difference]:
    """As `differences_of`, of everything stored."""
    return chain.from_iterable(map(differences_of, in_parts(records, now)))


def differences_of(all_: Everything) -> Iterator[Difference]:
    """What should be under way and is not, each with its job; then every invariant that is broken."""
    mended = set()
    for difference in (*_reservations(all_), *_payments(all_)):
        mended.add(difference.subject)
        yield difference
    for result in verified_of(all_):
        for violation in result.violations:
            if not any(subject in violation for subject in mended):
                yield Difference(violation, f"{result.invariant}: {violation}")


def _reservations(all_: Everything) -> Iterator[Difference]:
    now = all_.now
    holding = all_.holding()
    for one in all_.reservations.values():
        if one.id in all_.reservations_at_work:
            continue
        if one.confirming:
            intent_id = "" if one.confirming == FREE_OF_CHARGE else one.confirming
            yield Difference(one.id, f"{one.id} is being confirmed by nobody", finishing_job(one.id, intent_id, now))
        elif one.status is ReservationStatus.PENDING and now >= one.hold_expires_at + ALLOWANCE:
            yield Difference(one.id, f"{one.id} is past its deadline and nobody ends it", cleanup_job(one, now))
        elif one.status not in (ReservationStatus.PENDING, ReservationStatus.CONFIRMED) and one.id in holding:
            yield Difference(one.id, f"{one.id} is {one.status.name} and has seats", cleanup_job(one, now))


def _payments(all_: Everything) -> Iterator[Difference]:
    now = all_.now
    for one in all_.payments.values():
        if one.id in all_.payments_at_work:
            continue
        if one.status in UNDER_WAY and now >= one.expires_at + ALLOWANCE:
            yield Difference(one.id, f"{one.id} is past its time and nobody ends it", payment_expiry_job(one, now))
        elif all_.buys_nothing(one):
            yield Difference(one.id, f"{one.id} was charged for no ticket", settling_job(one, now))

"""OperationsService on the wire: what an operator asks of the platform as a whole."""

from traffic_tacos import wire
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.operations.invariants import Result, verified_on
from traffic_tacos.operations.overrides import Overrides
from traffic_tacos.operations.reconciler import SHOWN_MAX, Reconciler
from traffic_tacos.ports.audit import AUDIT, CHAIN_END, EMPTY, entry_of
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.jobs import Jobs
from traffic_tacos.ports.settings import SETTINGS, Settings, shown
from traffic_tacos.ports.snapshots import OnSnapshot
from traffic_tacos.ports.store import Key, Store

DEAD_JOBS_MAX = 1000
AUDIT_PAGE_MAX = 1000


class OperationsRpc:
    def __init__(
        self,
        on_snapshot: OnSnapshot,
        reconciler: Reconciler,
        store: Store,
        clock: Clock,
        jobs: Jobs,
        settings: Settings,
        overrides: Overrides,
    ) -> None:
        self._overrides = overrides
        self._settings = settings
        self._on_snapshot = on_snapshot
        self._reconciler = reconciler
        self._store = store
        self._clock = clock
        self._jobs = jobs

    async def VerifyInvariants(self, request: pb.VerifyInvariantsRequest, call: Call) -> pb.VerifyInvariantsResponse:
        results = await verified_on(self._on_snapshot, self._clock)
        return pb.VerifyInvariantsResponse(results=[_result(result) for result in results])

    async def Reconcile(self, request: pb.ReconcileRequest, call: Call) -> pb.ReconcileResponse:
        report = await self._reconciler.once(
            dry_run=request.dry_run, entry=entry_of(call, self._clock.now(), "reconcile", "platform", request.reason)
        )
        return pb.ReconcileResponse(
            differences=[
                pb.Difference(
                    subject=one.subject,
                    what=one.what,
                    job_id="" if one.job is None else one.job.id,
                    repaired=one.subject in report.repaired,
                )
                for one in report.differences[:SHOWN_MAX]
            ],
            difference_count=len(report.differences),
        )

    async def ListDeadJobs(self, request: pb.ListDeadJobsRequest, call: Call) -> pb.ListDeadJobsResponse:
        jobs = await self._jobs.dead_letters(DEAD_JOBS_MAX)
        return pb.ListDeadJobsResponse(
            jobs=[
                pb.DeadJob(
                    job_id=job.id,
                    topic=job.topic,
                    attempts=job.attempts,
                    last_error=job.last_error,
                    due_at=wire.timestamp(job.due_at),
                )
                for job in jobs
            ]
        )

    async def ReplayDeadJob(self, request: pb.ReplayDeadJobRequest, call: Call) -> pb.ReplayDeadJobResponse:
        entry = entry_of(call, self._clock.now(), "replay", request.job_id, request.reason)
        if not await self._jobs.replay(request.job_id, entry):
            raise Refusal(Code.NOT_FOUND, f"job_id: there is no dead job {request.job_id[:80]}")
        return pb.ReplayDeadJobResponse()

    async def ListAudit(self, request: pb.ListAuditRequest, call: Call) -> pb.ListAuditResponse:
        if request.page_size < 0:
            raise Refusal.of_field("page_size", "must not be negative", request.page_size)
        size = min(request.page_size or AUDIT_PAGE_MAX, AUDIT_PAGE_MAX)
        if request.after_cursor and not request.after_cursor.startswith(AUDIT.prefix().path):
            raise Refusal.of_field("after_cursor", "must be one from a previous answer", request.after_cursor)
        after = Key(AUDIT, request.after_cursor) if request.after_cursor else None
        page = await self._store.scan(AUDIT.prefix(), after=after, limit=size)
        return pb.ListAuditResponse(
            entries=[
                pb.AuditEntry(
                    at=wire.timestamp(entry.at),
                    actor=entry.actor,
                    action=entry.action,
                    subject=entry.subject,
                    old_value=entry.old,
                    new_value=entry.new,
                    reason=entry.reason,
                    trace_id=entry.trace_id,
                    number=entry.number,
                    previous=entry.previous,
                )
                for _, entry in page
            ],
            head=((await self._store.get(CHAIN_END)) or EMPTY).digest,
            next_cursor=page[-1][0].path if len(page) == size else "",
        )

    async def ListSettings(self, request: pb.ListSettingsRequest, call: Call) -> pb.ListSettingsResponse:
        return pb.ListSettingsResponse(
            settings=[
                pb.SettingValue(
                    service=setting.service,
                    name=name,
                    value=self._settings.shown(name),
                    default_value=shown(setting.default),
                    about=setting.about,
                )
                for name, setting in SETTINGS.items()
            ]
        )

    async def ListOverrides(self, request: pb.ListOverridesRequest, call: Call) -> pb.ListOverridesResponse:
        return pb.ListOverridesResponse(
            overrides=[
                pb.Override(
                    kind=one.kind,
                    subject=one.subject,
                    value=one.value,
                    since=wire.timestamp(one.since),
                    actor=one.actor,
                    reason=one.reason,
                    is_restricting=one.is_restricting,
                )
                for one in self._overrides.all()
            ]
        )


def _result(result: Result) -> pb.InvariantResult:
    return pb.InvariantResult(
        invariant=result.invariant,
        claim=result.claim,
        checked=result.checked,
        violations=result.violations,
        violation_count=result.violation_count,
    )

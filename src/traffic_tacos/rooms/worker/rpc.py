"""WorkerService on the wire."""

from traffic_tacos import wire
from traffic_tacos.gen.reservation.v1 import worker_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Fault, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_reason
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.jobs import Jobs, JobView
from traffic_tacos.rooms.worker.compensation import Compensations
from traffic_tacos.rooms.worker.model import (
    NEXT_ACTION,
    Action,
    Compensation,
    Done,
    Processing,
    outcome,
    to_try_again,
)
from traffic_tacos.rooms.worker.service import Worker

WORKER_ID = "embedded"
JOBS_SHOWN_MAX = 1000
COMPENSATIONS = {kind.value for kind in Compensation}


class WorkerRpc:
    def __init__(self, worker: Worker, compensations: Compensations, jobs: Jobs, clock: Clock) -> None:
        self._worker = worker
        self._compensations = compensations
        self._jobs = jobs
        self._clock = clock

    async def ProcessReservationExpiry(self, request: pb.ProcessExpiryRequest, call: Call) -> pb.ProcessExpiryResponse:
        reservation_id = checked_id("reservation_id", request.reservation_id)
        try:
            done = await self._worker.expire(reservation_id, call)
        except Fault:
            done = Done(to_try_again(request.retry_count))
        return pb.ProcessExpiryResponse(
            status=_status(done.status),
            released_seats=wire.seats(done.seats),
            processed_at=wire.timestamp(self._clock.now()),
            next_action=NEXT_ACTION[done.status],
        )

    async def ProcessPaymentResult(self, request: pb.ProcessPaymentRequest, call: Call) -> pb.ProcessPaymentResponse:
        reservation_id = checked_id("reservation_id", request.reservation_id)
        intent_id = checked_id("payment_intent_id", request.payment_intent_id)
        try:
            done = await self._worker.apply_payment_result(reservation_id, intent_id, call)
        except Fault:
            done = Done(to_try_again(request.retry_count))
        return pb.ProcessPaymentResponse(
            status=_status(done.status),
            order_id=done.order_id,
            affected_seats=wire.seats(done.seats),
            processed_at=wire.timestamp(self._clock.now()),
            next_action=NEXT_ACTION[done.status],
        )

    async def ProcessCompensation(
        self, request: pb.ProcessCompensationRequest, call: Call
    ) -> pb.ProcessCompensationResponse:
        reservation_id = checked_id("reservation_id", request.reservation_id)
        if request.compensation_type not in COMPENSATIONS:
            names = ", ".join(kind.name for kind in Compensation)
            raise Refusal.of_field("compensation_type", f"must be one of {names}", request.compensation_type)
        kind = Compensation(request.compensation_type)
        reason = checked_reason(request.failure_reason, "failure_reason")
        actions: list[Action] = []
        try:
            actions = await self._compensations.undo(reservation_id, kind, request.context, reason, call)
            status = outcome(actions)
        except Fault:
            status = to_try_again(request.retry_count)
        return pb.ProcessCompensationResponse(
            status=_status(status),
            actions_taken=[
                pb.CompensationAction(
                    action_type=action.type.value,  # type: ignore[arg-type]  # same numbers
                    target_service=action.room,
                    action_description=action.what,
                    success=action.success,
                    executed_at=wire.timestamp(action.at),
                )
                for action in actions
            ],
            processed_at=wire.timestamp(self._clock.now()),
            requires_manual_intervention=status in (Processing.FAILED, Processing.DLQ),
        )

    async def HealthCheck(self, request: pb.HealthCheckRequest, call: Call) -> pb.HealthCheckResponse:
        if request.worker_instance_id not in ("", WORKER_ID):
            raise Refusal(Code.NOT_FOUND, f"worker_instance_id: there is only {WORKER_ID}")
        figures = self._jobs.figures()
        return pb.HealthCheckResponse(
            status=pb.WORKER_STATUS_DEGRADED if figures.dead else pb.WORKER_STATUS_HEALTHY,
            processed_events_count=figures.completed,
            failed_events_count=figures.failed,
            last_processed_at=wire.timestamp(figures.last_done_at),
            queue_depth=figures.pending,
            started_at=wire.timestamp(figures.started_at),
        )

    async def GetJobStatus(self, request: pb.GetJobStatusRequest, call: Call) -> pb.GetJobStatusResponse:
        found = await self._jobs.show(request.job_id, request.event_type, JOBS_SHOWN_MAX)
        if request.job_id and not found:
            raise Refusal(Code.NOT_FOUND, "job_id: there is no such job; finished jobs are not kept")
        figures = self._jobs.figures()
        return pb.GetJobStatusResponse(
            jobs=[_job(view) for view in found],
            metrics=pb.JobMetrics(
                total_active_jobs=figures.pending + figures.running,
                total_events_pending=figures.pending,
                total_events_processing=figures.running,
                total_events_completed=figures.completed,
                total_events_failed=figures.failed,
                average_processing_time_ms=figures.average_ms,
                last_updated=wire.timestamp(self._clock.now()),
            ),
        )


def _job(view: JobView) -> pb.JobInstance:
    waiting = pb.JOB_INSTANCE_STATUS_PENDING if view.running_since is None else pb.JOB_INSTANCE_STATUS_RUNNING
    return pb.JobInstance(
        job_id=view.job.id,
        worker_id=WORKER_ID,
        status=pb.JOB_INSTANCE_STATUS_FAILED if view.job.is_dead else waiting,
        started_at=wire.timestamp(view.running_since),
        events_failed=view.job.attempts,
    )


def _status(status: Processing) -> pb.ProcessingStatus:
    return status.value  # type: ignore[return-value]  # same numbers, see model.Processing

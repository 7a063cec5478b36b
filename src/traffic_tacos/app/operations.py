"""OperationsService on the wire: what an operator asks of the platform as a whole."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from traffic_tacos import wire
from traffic_tacos.app.verify import Records, Result, verified
from traffic_tacos.gen.tacos.operations.v1 import operations_pb2 as pb
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.jobs import Jobs

DEAD_JOBS_MAX = 1000

Snapshots = Callable[[], AbstractContextManager[Records]]


class OperationsRpc:
    def __init__(self, snapshots: Snapshots, clock: Clock, jobs: Jobs) -> None:
        self._snapshots = snapshots
        self._clock = clock
        self._jobs = jobs

    async def VerifyInvariants(self, request: pb.VerifyInvariantsRequest, call: Call) -> pb.VerifyInvariantsResponse:
        results = await asyncio.to_thread(self._verified)
        return pb.VerifyInvariantsResponse(results=[_result(result) for result in results])

    def _verified(self) -> list[Result]:
        with self._snapshots() as records:
            return verified(records, self._clock.now())

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
        if not await self._jobs.replay(request.job_id):
            raise Refusal(Code.NOT_FOUND, f"job_id: there is no dead job {request.job_id[:80]}")
        return pb.ReplayDeadJobResponse()


def _result(result: Result) -> pb.InvariantResult:
    return pb.InvariantResult(
        invariant=result.invariant,
        claim=result.claim,
        checked=result.checked,
        violations=result.violations,
        violation_count=result.violation_count,
    )

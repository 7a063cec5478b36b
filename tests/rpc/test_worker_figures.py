"""The worker tells true numbers of its jobs."""

from tests.rpc.desk import WORKER, code, on_platform
from traffic_tacos.gen.reservation.v1 import worker_pb2 as pb
from traffic_tacos.ports.http import HttpAnswer


async def health(desk, **fields):
    return await desk.as_service(WORKER + "HealthCheck", pb.HealthCheckRequest(**fields))


async def jobs(desk, **fields):
    return await desk.as_service(WORKER + "GetJobStatus", pb.GetJobStatusRequest(**fields))


@on_platform
async def test_jobs_are_pending_then_done_and_leave_nothing_but_their_count(desk):
    before = await health(desk)
    assert (before.status, before.processed_events_count) == (pb.WORKER_STATUS_HEALTHY, 0)
    held = await desk.held("ana", 1)
    waiting = await jobs(desk)
    (expiry,) = waiting.jobs
    assert (expiry.status, waiting.metrics.total_events_pending) == (pb.JOB_INSTANCE_STATUS_PENDING, 1)
    assert held.reservation_id in expiry.job_id
    assert [one.job_id for one in (await jobs(desk, job_id=expiry.job_id)).jobs] == [expiry.job_id]
    assert (await jobs(desk, event_type="payment.refund")).jobs == []
    await desk.clock.sleep(62)
    after = await health(desk)
    assert (after.processed_events_count, after.queue_depth, after.failed_events_count) == (1, 0, 0)
    assert 0 <= after.last_processed_at.seconds - held.hold_expires_at.seconds <= 1
    assert code(await jobs(desk, job_id=expiry.job_id)) == "NOT_FOUND"
    assert code(await health(desk, worker_instance_id="another")) == "NOT_FOUND"
    assert (await health(desk, worker_instance_id="embedded")).started_at == after.started_at


@on_platform
async def test_what_was_given_up_is_told(desk):
    desk.endpoint = HttpAnswer(410)
    held = await desk.held("ana")
    await desk.pay("ana", held)
    await desk.clock.sleep(10)
    worse = await health(desk)
    assert (worse.status, worse.failed_events_count) == (pb.WORKER_STATUS_DEGRADED, 1)
    (dead,) = (await jobs(desk, event_type="webhook.send")).jobs
    assert (dead.status, dead.events_failed) == (pb.JOB_INSTANCE_STATUS_FAILED, 1)

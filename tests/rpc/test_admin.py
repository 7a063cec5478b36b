"""What an operator sees: how calls went over time, what stands now, and the log."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.rpc.desk import GATEWAY, code, on_platform
from traffic_tacos.gen.common.v1 import admin_pb2 as pb
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.kernel.calls import Role

ADMIN = "common.v1.AdminService/"


def ask(desk, name, request):
    return desk.ask(ADMIN + name, request, desk.token(Role.ADMIN, "op"))


def at(desk, seconds_ago):
    return Timestamp(seconds=int(desk.clock.now() / 1000 - seconds_ago))


@on_platform
async def test_calls_are_counted_over_time(desk):
    show = gateway_pb2.GetReservationRequest(reservation_id="rsv_none")
    for _ in range(30):
        await desk.as_fan(GATEWAY + "GetReservation", show, "ana")
    await desk.clock.sleep(30)
    held = await desk.held("ana", 1)
    for _ in range(10):
        await desk.as_fan(
            GATEWAY + "GetReservation", gateway_pb2.GetReservationRequest(reservation_id=held.reservation_id), "ana"
        )
    await desk.clock.sleep(30)

    async def figures(**more):
        answer = await ask(desk, "GetMetrics", pb.GetMetricsRequest(service="GatewayService/GetReservation", **more))
        assert code(answer) == ""
        return {metric.name: metric for metric in answer.metrics}

    all_of_it = await figures(start_time=at(desk, 300))
    assert all_of_it["count"].value == 40
    assert (all_of_it["errors"].value, all_of_it["errors"].labels["ERROR_CODE_NOT_FOUND"]) == (30, "30")
    assert all_of_it["p95"].value <= 10
    assert all_of_it["rate"].value == pytest.approx(40 / 60, rel=0.2)
    lately = await figures(start_time=at(desk, 31), aggregation="count")
    assert set(lately) == {"count"}
    assert lately["count"].value == 10
    before = await figures(start_time=at(desk, 300), end_time=at(desk, 35), aggregation="count")
    assert before["count"].value == 30
    gauges = await ask(desk, "GetMetrics", pb.GetMetricsRequest(metric_type="gauges"))
    assert {metric.name: metric.value for metric in gauges.metrics}["tacos_jobs_pending"] >= 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metric_type": "dreams"}, "metric_type"),
        ({"aggregation": "sum"}, "aggregation"),
        ({"start_time": Timestamp(seconds=20), "end_time": Timestamp(seconds=10)}, "start_time"),
        ({"start_time": Timestamp(seconds=-1)}, "start_time"),
    ],
)
def test_figures_that_there_are_none_of_are_refused(fields, field):
    @on_platform
    async def on_desk(desk):
        refused = await ask(desk, "GetMetrics", pb.GetMetricsRequest(**fields))
        assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", field)

    on_desk()


def write(desk, second, level, event, **fields):
    line = {"timestamp": f"2027-01-15T08:00:{second:02d}+00:00", "level": level, "event": event, **fields}
    assert desk.log.remember(None, level, line) is line


@on_platform
async def test_the_log_is_searched_by_level_service_time_and_text(desk):
    write(desk, 1, "info", "taking_up_queue", tickets=7)
    write(desk, 2, "warning", "call_failed", method="/gateway.v1.GatewayService/X", trace_id="abc", error="the disk")
    write(desk, 3, "error", "bug", method="/payment.v1.PaymentService/Y", trace_id="def")
    await desk.clock.sleep(10)

    async def found(**fields):
        answer = await ask(desk, "GetLogs", pb.GetLogsRequest(**fields))
        assert code(answer) == ""
        return [line.message for line in answer.logs]

    assert await found() == ["bug", "call_failed", "taking_up_queue"]
    assert await found(level=pb.LOG_LEVEL_WARN) == ["bug", "call_failed"]
    assert await found(service="payment.v1") == ["bug"]
    assert await found(search_query="DISK") == ["call_failed"]
    assert await found(search_query="abc") == ["call_failed"]
    assert await found(end_time=Timestamp(seconds=1_800_000_002)) == ["taking_up_queue"]
    page = await ask(desk, "GetLogs", pb.GetLogsRequest(limit=1))
    assert (page.has_more, page.logs[0].trace_id, page.logs[0].service) == (True, "def", "payment.v1.PaymentService")
    following = Timestamp()
    following.FromMilliseconds(int(page.next_cursor))
    assert await found(limit=1, end_time=following) == ["call_failed"]
    for wrong in ({"limit": -1}, {"limit": 5000}, {"level": 99}, {"search_query": "a\x00"}):
        assert code(await ask(desk, "GetLogs", pb.GetLogsRequest(**wrong))) == "INVALID_ARGUMENT"
    assert code(await desk.as_service(ADMIN + "GetLogs", pb.GetLogsRequest())) == "FORBIDDEN"

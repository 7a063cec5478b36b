"""A stop against a reservation that is being made: whichever is first, nothing is pending once the stop is there."""

import asyncio

import pytest

from tests.rpc.desk import GATEWAY, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2
from traffic_tacos.kernel.statuses import ReservationStatus
from traffic_tacos.rooms.reservation.records import RESERVATION


def stop(desk, **parameters):
    request = admin_pb2.EmergencyActionRequest(
        action=admin_pb2.EMERGENCY_ACTION_TYPE_CANCEL_RESERVATIONS,
        reason="a test",
        confirm=True,
        parameters=parameters,
    )
    return desk.operate("common.v1.AdminService/EmergencyAction", request)


@pytest.mark.parametrize("commits", range(6))
@pytest.mark.parametrize("crashes", [False, True])
def test_whichever_comes_first_nothing_is_pending_after_a_stop(commits, crashes):
    @on_platform
    async def on_desk(desk):
        admission = await desk.admitted("ana")
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID, quantity=2, user_id="ana", reservation_token=admission, idempotency_key="k"
        )
        begun = desk.commits
        reserving = asyncio.create_task(desk.call(GATEWAY + "CreateReservation", request, "ana"))
        await desk.commits_reach_unless(begun + commits, reserving)
        if crashes:
            stopping = asyncio.create_task(stop(desk))
            await asyncio.sleep(0)
            await desk.crash()
            await asyncio.gather(stopping, reserving, return_exceptions=True)
        assert (await stop(desk)).executed  # stopping again finds what a crash left
        await asyncio.gather(reserving, return_exceptions=True)
        statuses = {one.status for _, one in desk.records().all(RESERVATION)}
        assert statuses <= {ReservationStatus.CANCELLED}
        answer = await desk.call(GATEWAY + "CreateReservation", request, "ana")
        if not statuses:
            assert code(answer) == "FAILED_PRECONDITION"
        await desk.clock.sleep(70)
        stats = await desk.stats()
        assert (stats.reserved_seats, stats.sold_seats) == (0, 0)
        await stop(desk, resume="true")
        again = request.__class__.FromString(request.SerializeToString())
        again.idempotency_key = "another"
        assert code(await desk.call(GATEWAY + "CreateReservation", again, "ana")) == ""

    on_desk()

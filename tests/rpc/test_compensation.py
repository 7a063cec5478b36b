"""Compensations: each action reported, nothing whole undone, and the rest said to be for a person."""

import pytest

from tests.rpc.desk import INVENTORY, WORKER, code, on_platform
from tests.rpc.test_giving_back import bought
from tests.simulation.world import EVENT_ID
from traffic_tacos.engines.faulty import Faults
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2, worker_pb2

RELEASE = worker_pb2.COMPENSATION_TYPE_RELEASE_SEATS
REFUND = worker_pb2.COMPENSATION_TYPE_REFUND_PAYMENT
CANCEL = worker_pb2.COMPENSATION_TYPE_CANCEL_RESERVATION
CLEANUP = worker_pb2.COMPENSATION_TYPE_CLEANUP_ORPHANED


async def undo(desk, reservation_id, kind, retry_count=0, **context):
    request = worker_pb2.ProcessCompensationRequest(
        reservation_id=reservation_id, compensation_type=kind, context=context, retry_count=retry_count
    )
    return await desk.as_service(WORKER + "ProcessCompensation", request)


def shown(answer):
    status = worker_pb2.ProcessingStatus.Name(answer.status).removeprefix("PROCESSING_STATUS_")
    kinds = [
        worker_pb2.CompensationActionType.Name(one.action_type).removeprefix("COMPENSATION_ACTION_TYPE_")
        for one in answer.actions_taken
    ]
    return status, kinds, answer.requires_manual_intervention


async def hold_without_reservation(desk, name="rsv_lost"):
    request = inventory_pb2.ReserveSeatRequest(
        reservation_id=name, event_id=EVENT_ID, quantity=2, user_id="u", idempotency_key=desk.key()
    )
    assert code(await desk.as_service(INVENTORY + "ReserveSeat", request)) == ""


@pytest.mark.parametrize("kind", [RELEASE, CLEANUP])
def test_a_hold_without_a_reservation_is_released_once(kind):
    @on_platform
    async def on_desk(desk):
        await hold_without_reservation(desk)
        done = await undo(desk, "rsv_lost", kind, event_id=EVENT_ID)
        assert shown(done) == ("SUCCESS", ["INVENTORY_RELEASE"], False)
        assert (await desk.stats()).available_seats == 15
        assert shown(await undo(desk, "rsv_lost", kind, event_id=EVENT_ID)) == ("SKIPPED", [], False)
        missing = await undo(desk, "rsv_lost", kind)
        assert (code(missing), missing.error.details[0].field) == ("INVALID_ARGUMENT", "context.event_id")

    on_desk()


@on_platform
async def test_what_is_open_is_cancelled_and_not_undone_in_pieces(desk):
    held = await desk.held("ana")
    intent = await desk.pay("ana", held, payment_pb2.PAYMENT_SCENARIO_DELAY)
    for kind, context in ((RELEASE, {}), (REFUND, {"payment_intent_id": intent})):
        assert shown(await undo(desk, held.reservation_id, kind, **context)) == ("FAILED", ["MANUAL_REVIEW"], True)
    assert shown(await undo(desk, held.reservation_id, CLEANUP)) == ("SKIPPED", [], False)
    assert shown(await undo(desk, held.reservation_id, CANCEL)) == ("SUCCESS", ["RESERVATION_CANCEL"], False)
    await desk.clock.sleep(40)
    assert (await desk.reservation(held.reservation_id)).status == reservation_pb2.RESERVATION_STATUS_CANCELLED
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_CANCELLED
    for kind in (CANCEL, REFUND, RELEASE, CLEANUP):
        assert shown(await undo(desk, held.reservation_id, kind)) == ("SKIPPED", [], False)


@on_platform
async def test_what_is_bought_stays_whole_or_is_given_back_whole(desk):
    held, intent = await bought(desk, "ana")
    for kind, context in ((RELEASE, {}), (REFUND, {"payment_intent_id": intent})):
        refused = await undo(desk, held.reservation_id, kind, **context)
        assert shown(refused) == ("FAILED", ["MANUAL_REVIEW"], True)
        assert "order ord_" in refused.actions_taken[0].action_description
    assert shown(await undo(desk, held.reservation_id, CLEANUP)) == ("SKIPPED", [], False)
    assert (await desk.stats()).sold_seats == 2
    assert shown(await undo(desk, held.reservation_id, CANCEL)) == ("SUCCESS", ["RESERVATION_CANCEL"], False)
    await desk.clock.sleep(10)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_REFUNDED
    assert (await desk.stats()).available_seats == 15


@on_platform(without=frozenset({"worker"}))
async def test_a_payment_that_bought_nothing_goes_back(desk):
    held = await desk.held("ana", 2, ("MAIN-A-1", "MAIN-A-2"))
    await desk.clock.sleep(57)
    intent = await desk.pay("ana", held)
    await desk.clock.sleep(10)
    await desk.held("ben", 1, ("MAIN-A-2",))
    await desk.crash()  # the worker comes back
    done = await undo(desk, held.reservation_id, CLEANUP)
    assert shown(done)[0] in ("SUCCESS", "SKIPPED")
    await desk.clock.sleep(60)
    assert (await desk.payment(intent)).status == payment_pb2.PAYMENT_STATUS_REFUNDED


@on_platform
async def test_a_fault_is_to_be_tried_again_and_in_the_end_a_dead_letter(desk):
    held = await desk.held("ana")
    desk.store.faults = Faults(fail_before=1.0)
    assert shown(await undo(desk, held.reservation_id, CANCEL)) == ("RETRY", [], False)
    assert shown(await undo(desk, held.reservation_id, CANCEL, retry_count=10)) == ("DLQ", [], True)
    desk.store.faults = Faults()


@on_platform
async def test_what_cannot_be_asked_for_is_refused(desk):
    for reservation_id, kind, field in (
        ("", CANCEL, "reservation_id"),
        ("rsv", 0, "compensation_type"),
        ("r", 9, "compensation_type"),
    ):
        refused = await undo(desk, reservation_id, kind)
        assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", field)
    assert code(await undo(desk, "rsv_none", CANCEL)) == "NOT_FOUND"

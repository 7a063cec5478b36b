"""What a step of work led to, and whether it is worth trying again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.gen.reservation.v1 import worker_pb2 as pb
from traffic_tacos.rooms.worker.model import (
    NEXT_ACTION,
    RETRIES_MAX,
    Action,
    ActionType,
    Compensation,
    Processing,
    outcome,
    to_try_again,
)


def did(*successes):
    return [Action(ActionType.INVENTORY_RELEASE, "inventory", "released", success, 0) for success in successes]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (did(), Processing.SKIPPED),
        (did(True), Processing.SUCCESS),
        (did(True, True, True), Processing.SUCCESS),
        (did(False), Processing.FAILED),
        (did(True, False), Processing.FAILED),
        (did(False, True), Processing.FAILED),
    ],
)
def test_a_compensation_has_succeeded_when_all_of_it_has(actions, expected):
    assert outcome(actions) is expected


@given(st.lists(st.booleans(), min_size=1), st.randoms(use_true_random=False))
def test_the_order_of_actions_changes_no_outcome(successes, chance):
    before = outcome(did(*successes))
    chance.shuffle(successes)
    assert outcome(did(*successes)) is before


@pytest.mark.parametrize(
    ("retry_count", "expected"),
    [
        (0, Processing.RETRY),
        (1, Processing.RETRY),
        (9, Processing.RETRY),
        (10, Processing.DLQ),
        (11, Processing.DLQ),
        (2**31 - 1, Processing.DLQ),
    ],
)
def test_after_ten_retries_work_belongs_among_the_dead_letters(retry_count, expected):
    assert RETRIES_MAX == 10
    assert to_try_again(retry_count) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Processing.SUCCESS, "completed"),
        (Processing.SKIPPED, "completed"),
        (Processing.FAILED, "failed"),
        (Processing.RETRY, "retry"),
        (Processing.DLQ, "dlq"),
    ],
)
def test_every_status_says_what_comes_next(status, expected):
    assert NEXT_ACTION[status] == expected
    assert set(NEXT_ACTION) == set(Processing)


@pytest.mark.parametrize(
    ("ours", "contract", "prefix", "unused"),
    [
        (Processing, pb.ProcessingStatus, "PROCESSING_STATUS_", set()),
        (Compensation, pb.CompensationType, "COMPENSATION_TYPE_", set()),
        (ActionType, pb.CompensationActionType, "COMPENSATION_ACTION_TYPE_", {"EVENT_REPUBLISH"}),
    ],
)
def test_values_are_those_of_the_contract_number_for_number(ours, contract, prefix, unused):
    theirs = {name.removeprefix(prefix): number for name, number in contract.items()}
    assert {one.name: one.value for one in ours} == {
        name: number for name, number in theirs.items() if name not in unused | {"UNSPECIFIED"}
    }

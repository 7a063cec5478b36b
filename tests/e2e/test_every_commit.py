"""SIGKILL at every commit point of a purchase, one after the other: it ends in the ticket all the same."""

import time
from functools import partial

import grpc
import pytest

from tests.e2e.process import OWN_AFTER_A_KILL_SECONDS, TACOS, Shopper, UpProcess
from traffic_tacos.app.config import STORE_FILE
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.sqlite_snapshot import sqlite_snapshot
from traffic_tacos.operations.invariants import verified

EVENT = "evt_hundred"
STRIDE = 2
COMMITS_MAX, FEWEST_COMMITS = 60, 6
SETTLED_SECONDS = 0.7


@pytest.mark.parametrize("first", range(1, STRIDE + 1))
def test_a_purchase_killed_at_any_commit_ends_in_one_ticket_and_one_charge(tmp_path, first):
    """Every STRIDE-th commit from the first on, until a purchase has no such commit any more."""
    for commit in range(first, COMMITS_MAX, STRIDE):
        if not _bought_although_killed(tmp_path / f"data{commit}", commit):
            print(f"a purchase has fewer than {commit} commits")
            assert commit > FEWEST_COMMITS
            return
    raise AssertionError("a purchase has no end")


def _bought_although_killed(data, commit: int) -> bool:
    """Whether the platform was killed before all was done."""
    event = str(__file__).replace("test_every_commit.py", "hundred.yaml")
    platform = UpProcess(data, "--event", event, "--time-scale", "100")
    platform.module, platform.before = "tests.e2e.dying", (str(commit),)
    platform.start()
    try:
        shopper = Shopper(platform.client(), platform.token("user", "ana"), "ana", EVENT)
        for step in (
            shopper.join,
            shopper.wait_for_turn,
            shopper.be_admitted,
            shopper.reserve,
            shopper.pay,
            partial(shopper.own, OWN_AFTER_A_KILL_SECONDS),
        ):
            _do(step, platform, shopper)
        settled_at = time.monotonic() + 1
        while platform.is_running() and time.monotonic() < settled_at:
            time.sleep(0.05)
        was_killed = not platform.is_running() or platform.module == TACOS
        if not platform.is_running():
            _start_for_good(platform, shopper)
        reservation = shopper.own(OWN_AFTER_A_KILL_SECONDS)
        assert len(reservation.seats) == 2
        with sqlite_snapshot(data / STORE_FILE) as records:
            assert [one for one in verified(records, SystemClock().now()) if one.violations] == []
        payments = shopper.client(
            "payment.v1.PaymentService",
            "ListPayments",
            {"reservation_id": reservation.reservation_id},
            platform.token("service", "auditor"),
        ).payments
        assert [(one.payment_intent_id, one.status) for one in payments] == [(reservation.payment_intent_id, 3)]
        return was_killed
    finally:
        platform.ensure_stopped()


def _do(step, platform, shopper) -> None:
    """A step of the purchase; when the platform dies in it, once more on the one that comes after."""
    try:
        step()
    except (grpc.RpcError, AssertionError):
        if platform.module == TACOS or platform.is_running(within=2):
            raise
        _start_for_good(platform, shopper)
        step()


def _start_for_good(platform, shopper) -> None:
    platform.module, platform.before = TACOS, ()
    platform.start()
    shopper.client = platform.client()

"""The gateway in one process, all other rooms in another: one purchase through both, with the other one killed."""

import time

import pytest

from tests.e2e.process import GATEWAY, Shopper, UpProcess, refused_code, tacos
from traffic_tacos.app.config import ROOMS

EVENT = "evt_taco_club"
BEHIND = "catalog,waiting_room,inventory,reservation,payment,webhook,realtime,worker,admin"


@pytest.fixture
def behind(tmp_path):
    process = UpProcess(tmp_path / "behind", "--without", "gateway").start()
    yield process
    process.ensure_stopped()


@pytest.fixture
def gateway(tmp_path, behind):
    process = UpProcess(
        tmp_path / "gateway",
        "--elsewhere",
        f"{BEHIND}={behind.grpc}",
        "--keys-of",
        str(behind.data),
        "--payment-webhook",
        f"http://{behind.http}/webhooks/payments",
    ).start()
    yield process
    process.ensure_stopped()


class Through(Shopper):
    """Calls of the gateway go to the one process, all others to the other."""

    def __init__(self, gateway: UpProcess, behind: UpProcess, user: str) -> None:
        at = {True: gateway.client(), False: behind.client()}

        def ask(service, *rest):
            return at[service == GATEWAY](service, *rest, timeout=20)

        super().__init__(ask, behind.token("user", user), user, EVENT)


def test_a_purchase_goes_through_two_processes_and_survives_that_one_is_killed(gateway, behind):
    shopper = Through(gateway, behind, "ana")
    shopper.join()
    shopper.wait_for_turn()
    shopper.be_admitted()
    held = shopper.reserve()
    assert not held.HasField("error"), held.error
    behind.kill()
    refused = gateway.client()(GATEWAY, "GetReservation", {"reservation_id": held.reservation_id}, shopper.token, 1)
    assert refused_code(refused) == "UNAVAILABLE"
    behind.start()
    shopper.pay()
    mine = shopper.own()
    assert mine.order_id and len(mine.seats) == 2
    assert shopper.reserve().reservation_id == held.reservation_id  # the same key, through both
    behind.stop()
    behind.verify()


def test_the_gateway_says_how_those_it_stands_on_are(gateway, behind):
    healthy = gateway.client()(GATEWAY, "HealthCheck", {})
    assert set(healthy.services) == set(ROOMS)
    behind.kill()
    deadline = time.monotonic() + 10
    while gateway.client()(GATEWAY, "HealthCheck", {}).status == healthy.status:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    "options, said",
    [
        (["--elsewhere", "inventory=127.0.0.1:1"], "share one store"),
        (["--elsewhere", f"{BEHIND}=127.0.0.1:1"], "payment-webhook"),
        (["--elsewhere", "kitchen=127.0.0.1:1"], "must name services of"),
        (["--elsewhere", "inventory"], "SERVICE[,SERVICE…]=HOST:PORT"),
        (["--elsewhere", "admin=10.0.0.1:1,db.example:1"], "one name, or several IP addresses"),
        (["--elsewhere", "gateway=127.0.0.1:1", "--without", "gateway"], "must not name what"),
        (["--elsewhere", "gateway=127.0.0.1:1", "--elsewhere", "gateway=127.0.0.1:2"], "each service once"),
    ],
)
def test_rooms_that_cannot_be_apart_are_refused_at_the_start(tmp_path, options, said):
    answer = tacos("up", "--data", str(tmp_path), *options)
    assert answer.returncode != 0
    assert said in " ".join((answer.stdout + answer.stderr).split())
    assert "Traceback" not in answer.stderr

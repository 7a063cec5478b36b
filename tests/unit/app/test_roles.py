"""What a process of each role has, and finds elsewhere."""

import random

import pytest

from traffic_tacos.app.config import ROOMS, Config, checked
from traffic_tacos.app.roles import ALL, ROLES
from traffic_tacos.calls import keys
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.errors import Refusal

EDGE, SALE, ADMIN = ((Address("10.0.0.1", port),) for port in (1, 2, 3))
EVERYWHERE = {
    **dict.fromkeys(("gateway", "waiting_room", "realtime"), EDGE),
    **dict.fromkeys(("catalog", "inventory", "reservation", "payment", "webhook", "worker"), SALE),
    "admin": ADMIN,
}


def of(role, **more):
    given = {"dynamodb": "t-", "elsewhere": EVERYWHERE, "payment_webhook": "http://127.0.0.1:1/"} | more
    return checked(Config(role=role, **given))


def test_every_service_is_answered_by_a_role_and_found_by_all_others():
    assert set(EVERYWHERE) == set(ROOMS)
    for role in set(ROLES) - {ALL}:
        config = of(role)
        assert set(config.rooms) == set(ROLES[role].rooms)
        assert set(config.remote) == set(ROOMS) - set(config.rooms)
    answering = {room for role in ("edge", "sale", "admin") for room in ROLES[role].rooms}
    assert answering == set(ROOMS)


def test_jobs_are_done_by_whoever_put_them_until_there_are_queues():
    does = {role: (of(role).does_jobs, of(role, sqs="t-").does_jobs) for role in set(ROLES) - {ALL}}
    assert does == {role: (True, role == "worker") for role in set(ROLES) - {ALL}}


def test_people_pay_at_an_edge_whoever_tells_them_so():
    assert of("edge").pay_url == "http://127.0.0.1:8080/pay"
    assert of("sale").pay_url == ""
    assert of("sale", public_url="https://tickets.example").pay_url == "https://tickets.example/pay"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"role": "cook"}, "role: must be one of all, edge, sale, worker, relay, admin"),
        ({"role": "edge"}, "role: must be all, or needs dynamodb"),
        ({"drain_seconds": 60.0}, "drain-seconds: must be 0 to 20"),
        ({"sqs": "t-"}, "sqs: needs dynamodb"),
        ({"redis_replicas": -1}, "redis-replicas: must be 0 to"),
    ],
)
def test_what_cannot_be_is_refused(given, said):
    with pytest.raises(Refusal) as refused:
        checked(Config(**given))
    assert said in refused.value.message


def test_a_process_that_is_given_its_store_and_its_keys_keeps_no_folder(tmp_path):
    assert of("all").has_folder
    assert not of("sale", keys_of=tmp_path).has_folder


def test_keys_may_be_mounted_as_kubernetes_mounts_a_secret(tmp_path):
    """Files that are links into a folder, which is replaced as a whole when the secret changes; nobody may write."""
    made = keys.opened(tmp_path / "made", random.SystemRandom())
    mounted = tmp_path / "etc" / "keys"
    mounted.mkdir(parents=True)
    for name in (keys.SIGNING, keys.WAITING, keys.WEBHOOK):
        (tmp_path / "etc" / "..data").mkdir(exist_ok=True)
        (tmp_path / "etc" / "..data" / name).write_bytes((tmp_path / "made" / keys.FOLDER / name).read_bytes())
        (mounted / name).symlink_to(tmp_path / "etc" / "..data" / name)
    mounted.chmod(0o500)
    ring = keys.Keyring(keys.read(tmp_path / "etc"), tmp_path / "etc")
    assert (ring.waiting, ring.webhook) == (made.waiting, made.webhook)
    assert not ring.refresh()
    (tmp_path / "etc" / "..data" / keys.SIGNING).unlink()
    again = keys.opened(tmp_path / "again", random.SystemRandom())
    content = (tmp_path / "again" / keys.FOLDER / keys.SIGNING).read_bytes()
    (tmp_path / "etc" / "..data" / keys.SIGNING).write_bytes(content)
    assert ring.refresh()
    assert set(ring.verifying) == set(again.verifying)

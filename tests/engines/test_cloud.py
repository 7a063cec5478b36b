"""Many processes of `tacos serve`, as `make cloud` starts them: two edges, two sales, a worker, a relay, an admin."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import grpc
import pytest

from tests.cloud import BUS, PROCESSES, TABLES, running
from tests.cloud import EVENT as CLUB
from tests.cloud import EVENT_ID as EVENT
from tests.cloud_chaos import chaos, event_file
from tests.contract import CONTRACT, Client
from tests.e2e.conftest import EVENT_FILE
from tests.e2e.process import OWN_CONNECTION, ROLES, Shopper, refused_code
from tests.e2e.test_fifty import Walk, ask_all
from traffic_tacos.cli.options import issued
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.engines.sqs_queues import QUEUES
from traffic_tacos.kernel.calls import Caller

SOCKET, GATEWAY, ADMIN = "gateway.v1.WebSocketService", "gateway.v1.GatewayService", "common.v1.AdminService"
DRAIN_SECONDS = 2
CHAOS_PURCHASES = 60
CONFIRMED, MESSAGE = 3, 5


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with running(
        tmp_path_factory.mktemp("cloud"), event=[str(EVENT_FILE), str(CLUB)], time_scale=10, drain_seconds=DRAIN_SECONDS
    ) as cloud:
        yield cloud


class Platform:
    """The whole of it, as the walks know one."""

    def __init__(self, cloud):
        self.data = cloud.data

    def token(self, role, name):
        return issued(self.data, Caller(ROLES[role], name))


class CloudWalk(Walk):
    measured = "AdminService/GetSystemHealth"


def channel_to(edge):
    return grpc.insecure_channel(edge.grpc, options=OWN_CONNECTION)


def shopper(cloud, edge, user):
    client = Client(channel_to(edge))

    def ask(service, *rest):
        return client(service, *rest, timeout=20)

    return Shopper(ask, Platform(cloud).token("user", user), user, EVENT)


def own_reservations(edge, user, token):
    """What is told of the user's reservations, as a stream at the edge."""
    rpc = CONTRACT.rpc(SOCKET, "StreamReservationUpdates")
    watch = channel_to(edge).unary_stream(
        rpc.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=CONTRACT.message(rpc.response).FromString,
    )
    request = CONTRACT.message(rpc.request)(user_id=user, session_id=user)
    return watch(request, timeout=60, metadata=(("authorization", f"Bearer {token}"),))


def test_a_fan_buys_at_one_edge_and_hears_of_it_at_the_other(cloud):
    first, second = cloud.edges
    ana = shopper(cloud, first, "ana-of-two")
    ana.join()
    place = {"waiting_token": ana.acknowledged["waiting_token"]}
    assert not Client(channel_to(second))("gateway.v1.QueueService", "GetQueueStatus", place, ana.token, 20).HasField(
        "error"
    )
    ana.wait_for_turn()
    ana.be_admitted()
    news = own_reservations(second, ana.user, ana.token)
    ana.reserve()
    ana.pay()
    heard = next(one for one in news if one.HasField("reservation_update") and one.reservation_update.new_status == 3)
    assert heard.reservation_update.reservation_id == ana.acknowledged["held"].reservation_id
    news.cancel()
    assert ana.own().order_id


def test_a_message_reaches_a_stream_at_the_other_edge_and_is_delivered_only_when_one_took_it(cloud):
    first, second = cloud.edges
    platform, desk = Platform(cloud), Client(channel_to(first))

    def sent(user, content):
        message = {"target_user_id": user, "message_type": 1, "title": "hello", "content": content}
        answer = desk(SOCKET, "SendMessage", message, platform.token("service", "crm"), 20)
        assert not answer.HasField("error"), answer.error.message
        return answer.delivered

    assert not sent("mia-of-two", "nobody listens yet")
    news = own_reservations(second, "mia-of-two", platform.token("user", "mia-of-two"))
    heard = (one.reservation_update.message for one in news if one.type == MESSAGE)
    assert "nobody listens yet" in next(heard), "it has waited"
    for content in ("one", "two"):
        assert sent("mia-of-two", content)
        assert content in next(heard)
    assert not sent("noa-of-two", "somebody else listens")
    news.cancel()


def test_all_fifty_are_asked_rightly_and_wrongly(cloud):
    with channel_to(cloud.edges[0]) as channel:
        ask_all(CloudWalk(Platform(cloud), channel))
    assert cloud.tacos("verify", "--grpc", cloud.edges[1].grpc).returncode == 0


def test_a_process_that_is_stopped_says_so_and_finishes_what_it_has_begun(cloud):
    first, second = cloud.edges
    ben = shopper(cloud, second, "ben-of-drain")
    ben.join()
    ben.wait_for_turn()
    ben.be_admitted()
    assert not ben.reserve().HasField("error")
    news = own_reservations(second, ben.user, ben.token)
    next(news)
    ben.pay()
    begun = time.monotonic()
    second.terminate()
    while second.is_ready():
        assert time.monotonic() - begun < DRAIN_SECONDS
    with pytest.raises(HTTPError) as unready:
        urlopen(f"http://{second.http}/readyz", timeout=2)
    assert (unready.value.code, unready.value.read()) == (503, b"stopping\n")
    assert ben.reservation().reservation_id  # it goes on answering
    with pytest.raises(grpc.RpcError) as ended:
        for _ in news:
            pass
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - begun >= DRAIN_SECONDS - 0.5
    assert second.wait() == 0
    assert time.monotonic() - begun < 40
    elsewhere = Client(channel_to(first))
    deadline = time.monotonic() + 20
    mine = {"reservation_id": ben.acknowledged["held"].reservation_id}
    while elsewhere(GATEWAY, "GetReservation", mine, ben.token, 20).reservation.status != CONFIRMED:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    second.start()
    second.wait_until_ready()


def test_what_an_operator_sets_is_in_force_at_every_edge(cloud):
    told = cloud.tacos("admin", "set", "maintenance", "we count the seats", "--reason", "a test")
    assert told.returncode == 0, told.stderr
    try:
        for edge in cloud.edges:
            answer = Client(channel_to(edge))("gateway.v1.QueueService", "JoinQueue", {"event_id": EVENT}, "", 1)
            assert refused_code(answer) == "UNAVAILABLE"
            assert "we count the seats" in answer.error.message
    finally:
        assert cloud.tacos("admin", "set", "maintenance", "", "--reason", "a test").returncode == 0


def test_only_edges_have_pages_and_every_process_has_probes_and_figures(cloud):
    for name, process in cloud.processes.items():
        statuses = {}
        for path in ("/healthz", "/readyz", "/metrics", "/web/events", "/"):
            try:
                statuses[path] = urlopen(f"http://{process.http}{path}", timeout=5).status
            except HTTPError as error:
                statuses[path] = error.code
        pages = 200 if PROCESSES[name] == "edge" else 404
        assert statuses == {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/web/events": pages, "/": pages}, name


def test_health_names_what_the_platform_stands_on(cloud):
    asked = {"include_dependencies": True}
    token = Platform(cloud).token("admin", "op")
    health = Client(channel_to(cloud.edges[1]))(ADMIN, "GetSystemHealth", asked, token, 20)
    parts = {one.name: one.endpoint for one in health.dependencies}
    queues = {f"{TABLES}{name}" for name in QUEUES}
    tables = Tables(TABLES).names()
    assert set(parts) == {"store", "changes", "redis", BUS, "jobs", "events", "event_loop", *queues, *tables}
    assert parts["store"] == f"DynamoDB, tables {TABLES}*"


@pytest.mark.long
def test_the_second_of_two_of_a_kind_goes_on_when_the_first_dies(cloud):
    sale = cloud.processes["sale-1"]
    sale.kill()
    try:
        eve = shopper(cloud, cloud.edges[0], "eve-of-one")
        eve.join()
        eve.wait_for_turn()
        eve.be_admitted()
        while eve.reserve().HasField("error"):
            time.sleep(0.2)
        eve.pay()
        assert eve.own(60).order_id, "the result of the payment is taken by the other sale"
    finally:
        sale.start()
        sale.wait_until_ready()
    assert cloud.tacos("verify", "--grpc", cloud.edges[0].grpc).returncode == 0


@pytest.mark.long
def test_fans_buy_while_each_process_is_killed_once_and_all_they_stand_on_refuses_for_a_while(tmp_path):
    event = event_file(tmp_path, CHAOS_PURCHASES)
    with running(tmp_path, has_gates=True, event=[str(event)], time_scale=100.0) as cloud:
        fans = asyncio.run(chaos(cloud, CHAOS_PURCHASES, 16, lambda _: None))
    assert (len(fans.confirmed), fans.otherwise) == (CHAOS_PURCHASES, {})


def standing_in(folder):
    """Processes whose working folder is this one, or in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "cwd").readlink()).startswith(folder):
                found.append(process.name)
    return found


@pytest.mark.long
def test_ctrl_c_ends_all_of_it():
    making = subprocess.Popen([sys.executable, "-m", "tests.cloud"], stdout=subprocess.PIPE, text=True)
    try:
        said = list(iter(making.stdout.readline, "Ctrl-C ends all.\n"))
        folder = next(line for line in said if line.startswith("What they write")).split(": ")[1].rpartition("/")[0]
        assert len(standing_in(folder)) == len(PROCESSES) + 2  # and the emulators
        making.send_signal(signal.SIGINT)
        assert making.wait(60) == 0
        assert making.stdout.read().endswith("nothing is left\n")
        assert (standing_in(folder), Path(folder).exists()) == ([], False)
    finally:
        making.kill()

"""The promises to users, shown against `tacos up` as they would meet it."""

import asyncio
import random
import time

import grpc
import pytest

from tests.contract import CONTRACT, Client
from tests.e2e.process import GATEWAY, OWN_AFTER_A_KILL_SECONDS, QUEUE, Shopper, asker, connected, refused_code
from traffic_tacos.cli.options import issued
from traffic_tacos.kernel.calls import Caller, Role

EVENT = "evt_hundred"


def available(client: Client) -> int:
    return client(GATEWAY, "GetEventAvailability", {"event_id": EVENT}).total_available


@pytest.mark.parametrize("server", ["native", "grpcio"])
def test_a_client_made_from_the_contract_table_buys_two_adjacent_seats_in_under_ten_seconds(up, server):
    platform = up("--server", server)
    started = time.monotonic()
    client = platform.client()
    before = available(client)
    shopper = Shopper(client, platform.token("user", "ana"), "ana", EVENT)
    shopper.join()
    shopper.wait_for_turn()
    shopper.be_admitted()
    held = shopper.reserve(2)
    numbers = sorted(int(seat.number) for seat in held.reserved_seats)
    assert numbers[1] - numbers[0] == 1
    assert len({seat.row for seat in held.reserved_seats}) == 1
    shopper.pay()
    reservation = shopper.own()
    assert reservation.order_id
    assert available(client) == before - 2
    assert time.monotonic() - started < 10
    platform.verify()
    assert platform.stop() == 0


@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.long)])
def test_a_sale_killed_again_and_again_keeps_all_it_acknowledged(up, kills):
    platform = up()
    token = {name: platform.token("user", name) for name in (f"fan{n}" for n in range(kills))}
    chance = random.Random(20)
    shoppers = []
    for number in range(kills):
        client = platform.client()
        shopper = Shopper(client, token[f"fan{number}"], f"fan{number}", EVENT)
        shoppers.append(shopper)
        steps = [shopper.join, shopper.wait_for_turn, shopper.be_admitted, shopper.reserve, shopper.pay, shopper.own]
        last = chance.randrange(1, len(steps) + 1)
        for step in steps[:last]:
            step()
        time.sleep(chance.uniform(0, 0.4))
        platform.kill()
        platform.verify()
        platform.start()
        platform.verify()
    client = platform.client()
    for shopper in shoppers:
        shopper.client = client
        _still_there(shopper)
    time.sleep(2)
    platform.verify()


def _still_there(shopper: Shopper) -> None:
    """What was acknowledged before the kill is there, and the walk goes on from there to its end."""
    told = dict(shopper.acknowledged)
    shopper.join()
    if "reservation_token" not in told:
        return
    if "held" not in told:
        assert shopper.acknowledged["waiting_token"] == told["waiting_token"]
        return
    assert shopper.reserve().SerializeToString() == told["held"].SerializeToString()
    if "paid" in told:
        reservation = shopper.own(OWN_AFTER_A_KILL_SECONDS)
        assert told.get("order", reservation.order_id) == reservation.order_id


async def test_five_hundred_fans_at_once_buy_a_hundred_seats_and_everybody_else_hears_no(up):
    platform = up()
    async with connected(platform) as channel:
        ask = asker(channel)

        async def fan(name: str) -> str:
            token = issued(platform.data, Caller(Role.FAN, name))
            joined = await ask(QUEUE, "JoinQueue", {"event_id": EVENT, "user_id": name, "session_id": name}, token)
            if not joined.waiting_token:
                return refused_code(joined)
            place = {"waiting_token": joined.waiting_token, "event_id": EVENT, "user_id": name}
            while True:
                admission = await ask(QUEUE, "RequestAdmission", place, token)
                if admission.reservation_token:
                    break
                if admission.HasField("error") and admission.error.code != 8:  # RATE_LIMITED comes with a time
                    return refused_code(admission)
                await asyncio.sleep(0.2)
            held = await ask(
                GATEWAY,
                "CreateReservation",
                {
                    "event_id": EVENT,
                    "quantity": 1,
                    "user_id": name,
                    "reservation_token": admission.reservation_token,
                    "idempotency_key": "r",
                },
                token,
            )
            if held.HasField("error"):
                return refused_code(held)
            intent = await ask(
                GATEWAY,
                "CreatePaymentIntent",
                {
                    "reservation_id": held.reservation_id,
                    "amount": held.total_amount,
                    "user_id": name,
                    "method": 1,
                    "scenario": 1,
                    "idempotency_key": "i",
                },
                token,
            )
            pay = {"payment_intent_id": intent.payment_intent_id, "idempotency_key": "p"}
            await ask("payment.v1.PaymentService", "ProcessPayment", pay, token)
            while True:
                got = await ask(GATEWAY, "GetReservation", {"reservation_id": held.reservation_id}, token)
                if got.reservation.status == 3:
                    return "bought"
                assert got.reservation.status == 1, got
                await asyncio.sleep(0.2)

        outcomes = await asyncio.wait_for(asyncio.gather(*(fan(f"fan{n}") for n in range(500))), 90)
        assert outcomes.count("bought") == 100
        refused = [outcome for outcome in outcomes if outcome != "bought"]
        assert len(refused) == 400
        assert set(refused) <= {"FAILED_PRECONDITION", "INSUFFICIENT_INVENTORY"}
    platform.verify()


def test_a_second_start_on_the_same_data_is_refused_and_a_stop_is_clean(up, tmp_path):
    platform = up()
    second = platform.tacos("up", "--data", str(platform.data), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    assert second.returncode == 2
    assert "in use by a running platform" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert platform.stop() == 0
    assert platform.start().stop() == 0


def test_an_address_in_use_is_one_clear_line(up, tmp_path):
    platform = up()
    again = platform.tacos("up", "--data", str(tmp_path / "other"), "--grpc", platform.grpc, "--http", "127.0.0.1:0")
    assert (again.returncode, len(again.stderr.strip().splitlines())) == (2, 1)
    assert "grpc: must be an address that is free" in again.stderr


def test_the_command_line_sells_a_ticket_and_says_no_clearly(up):
    platform = up()
    where = ["--grpc", platform.grpc, "--data", str(platform.data)]
    bought = platform.tacos("buy", EVENT, "--quantity", "3", *where)
    assert bought.returncode == 0, bought.stderr
    assert "are yours" in bought.stdout
    named = platform.tacos("buy", EVENT, "--seats", "MAIN-E-1,MAIN-E-2", *where)
    assert "MAIN-E-1, MAIN-E-2 are yours" in named.stdout
    taken = platform.tacos("buy", EVENT, "--seats", "MAIN-E-1", *where)
    assert (taken.returncode, "not available: MAIN-E-1" in taken.stderr) == (1, True)
    failed = platform.tacos("buy", EVENT, "--scenario", "fail", *where)
    assert (failed.returncode, "declined" in failed.stderr) == (1, True)
    wrong = platform.tacos("buy", EVENT, "--scenario", "perhaps", *where)
    assert (wrong.returncode, "must be one of approve" in wrong.stderr) == (2, True)
    assert platform.tacos("buy", "evt_none", *where).returncode == 1
    assert "evt_hundred" in platform.tacos("event", "list", "--grpc", platform.grpc).stdout
    assert "Main" in platform.tacos("event", "show", EVENT, "--grpc", platform.grpc).stdout
    assert platform.tacos("verify", *where).returncode == 0
    nobody = platform.tacos("event", "list", "--grpc", "127.0.0.1:1")
    assert (nobody.returncode, "nothing answers at" in nobody.stderr) == (1, True)


def test_the_server_offers_health_and_reflection(up):
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    platform = up()
    with grpc.insecure_channel(platform.grpc) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "gateway.v1.QueueService", "reservation.v1.InventoryService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
        assert {"gateway.v1.QueueService", "tacos.catalog.v1.CatalogService"} <= set(services)
        client = Client(channel)
        token = platform.token("service", "tester")
        for name in ("reservation.v1.Inventory", "reservation.v1.InventoryService"):
            assert client(name, "GetInventoryStatus", {"event_id": EVENT}, token).stats.total_seats == 100


@pytest.mark.parametrize("server", ["native", "grpcio"])
def test_a_message_of_fifty_megabytes_is_refused_and_the_next_call_is_answered(up, server):
    platform = up("--server", server)
    with grpc.insecure_channel(platform.grpc, options=[("grpc.max_send_message_length", -1)]) as channel:
        client = Client(channel)
        with pytest.raises(grpc.RpcError) as refused:
            client(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": "s" * 50_000_000})
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert client(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": "s"}).waiting_token


def test_the_error_code_is_in_the_trailing_metadata_too(up):
    platform = up()
    with grpc.insecure_channel(platform.grpc) as channel:
        rpc = CONTRACT.rpc(GATEWAY, "GetReservation")
        call = channel.unary_unary(
            rpc.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CONTRACT.message(rpc.response).FromString,
        )
        answer, done = call.with_call(CONTRACT.message(rpc.request)(), timeout=5, metadata=(("x-trace-id", "t-1"),))
        assert answer.error.code == 1
        assert answer.error.trace_id == "t-1"
        assert ("x-error-code", "ERROR_CODE_UNAUTHENTICATED") in [tuple(pair) for pair in done.trailing_metadata()]
        garbage = channel.unary_unary(rpc.path)
        with pytest.raises(grpc.RpcError):
            garbage(b"\xff\xff\xff", timeout=5)
        with pytest.raises(grpc.RpcError) as refused:
            garbage(b"\x0a" + b"\xff\xff\xff\x7f" + b"x" * 50_000_000, timeout=20)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stop_in_the_middle_of_a_rush_finishes_what_it_has_taken_and_loses_nothing(up):
    platform = up()
    async with connected(platform) as channel:
        ask = asker(channel)
        joins = [
            asyncio.ensure_future(ask(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": f"s{number}"}))
            for number in range(600)
        ]
        while not any(join.done() for join in joins):
            await asyncio.sleep(0.001)
        started = time.monotonic()
        stopped = asyncio.to_thread(platform.stop)
        outcomes, code = await asyncio.gather(asyncio.gather(*joins, return_exceptions=True), stopped)
    assert (code, time.monotonic() - started < 10) == (0, True)
    answered = [one for one in outcomes if not isinstance(one, BaseException)]
    assert answered
    for one in outcomes:
        if isinstance(one, BaseException):
            assert one.code() is grpc.StatusCode.UNAVAILABLE
    platform.start()
    async with connected(platform) as channel:
        ask = asker(channel)
        for one in answered:
            status = await ask(QUEUE, "GetQueueStatus", {"waiting_token": one.waiting_token})
            assert not status.HasField("error"), status

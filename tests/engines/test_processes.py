"""Two processes of a platform on one DynamoDB: one has the queue, or both on one Valkey; both sell."""

import asyncio
from collections import Counter

import grpc
import pytest

from tests.e2e.process import GATEWAY, PAYMENT, QUEUE, Shopper, UpProcess, asker, connected, refused_code
from tests.emulators import valkey
from traffic_tacos.calls import keys
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import HOUR, MINUTE
from traffic_tacos.kernel.tokens import ReservationToken, UserToken, seal_reservation, sign_user

TABLES = "test-"
HUNDRED = "tests/e2e/hundred.yaml"
EVENT = "evt_hundred"
FANS = 80


@pytest.fixture
def processes(tmp_path, aws):
    """The first has all services, the second all but the queue's."""
    first = UpProcess(tmp_path / "first", "--event", HUNDRED, "--dynamodb", TABLES, "--time-scale", "100")
    first.environment = aws
    made = first.tacos("aws", "create-tables", "--dynamodb", TABLES)
    assert made.returncode == 0, made.stderr
    first.start()
    second = UpProcess(
        tmp_path / "second",
        *("--dynamodb", TABLES, "--time-scale", "100"),
        *("--elsewhere", f"waiting_room={first.grpc}", "--keys-of", str(first.data)),
    )
    second.environment = aws
    second.start()
    yield first, second
    for process in (first, second):
        process.ensure_stopped()


@pytest.fixture
def together(tmp_path, aws):
    """Both have all services, the queue too."""
    with valkey(tmp_path / "valkey") as redis:
        given = ("--dynamodb", "together-", "--time-scale", "100", "--redis-replicas", "0")
        first = UpProcess(tmp_path / "first", "--event", HUNDRED, *given)
        second = UpProcess(tmp_path / "second", *given, "--keys-of", str(first.data))
        for process in (first, second):
            process.environment = {**aws, "TACOS_REDIS": redis.url}
        assert first.tacos("aws", "create-tables", "--dynamodb", "together-").returncode == 0
        first.start()
        second.start()
        yield first, second
        for process in (first, second):
            process.ensure_stopped()


class Between(Shopper):
    """Joins at the first process, buys at the second; `keys` is whose keys both have."""

    def __init__(self, first: UpProcess, second: UpProcess, user: str, keys: UpProcess | None = None) -> None:
        at = {QUEUE: first.client(), GATEWAY: second.client(), PAYMENT: second.client()}

        def ask(service, *rest):
            return at[service](service, *rest, timeout=20)

        super().__init__(ask, (keys or first).token("user", user), user, EVENT)


def verified(process: UpProcess) -> str:
    answer = process.tacos("verify", "--dynamodb", TABLES)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_what_one_process_begins_another_ends_and_a_hundred_seats_are_sold_once_while_one_is_killed(processes):
    first, second = processes
    ana = Between(first, second, "ana")
    ana.join()
    ana.wait_for_turn()
    ana.be_admitted()
    assert not ana.reserve().HasField("error")
    ana.pay()
    assert ana.own().order_id

    held, refused = asyncio.run(_rush(first, second))
    seats = [seat.id for answer in held for seat in answer.reserved_seats]
    assert len(seats) == len(set(seats)) == 98, "every seat that was left, each once"
    assert set(refused) == {"INSUFFICIENT_INVENTORY"}
    table = verified(first)
    assert "I1 " in table


async def _rush(first: UpProcess, second: UpProcess):
    """Fans who were all admitted take two seats each at both processes; one of these is killed meanwhile."""
    at = [asker(connected(first)), asker(connected(second))]
    known, now = keys.read(first.data), SystemClock().now()
    held, refused = [], Counter()

    async def reserve(number: int) -> None:
        fan = f"fan{number}"
        admission = ReservationToken(f"{EVENT}/{10**9 + number}", EVENT, fan, now + 5 * MINUTE)
        fields = {
            "event_id": EVENT,
            "quantity": 2,
            "user_id": fan,
            "reservation_token": seal_reservation(admission, now, known.sealing),
            "idempotency_key": f"key-{number}",
        }
        token = sign_user(known.signing, UserToken(Caller(Role.FAN, fan), SCOPES[Role.FAN], now + HOUR), now)
        while True:
            try:
                answer = await at[number % 2](GATEWAY, "CreateReservation", fields, token)
                break
            except grpc.aio.AioRpcError as failure:  # it was killed: the same key asks again
                assert failure.code() is grpc.StatusCode.UNAVAILABLE
                await asyncio.sleep(0.2)
        if answer.HasField("error"):
            refused[refused_code(answer)] += 1
        else:
            held.append(answer)

    async def kill() -> None:
        while len(held) < 15:
            await asyncio.sleep(0.01)
        second.kill()
        await asyncio.to_thread(second.start)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(kill())
        for number in range(FANS):
            tasks.create_task(reserve(number))
    return held, refused


def test_both_processes_have_the_queue_and_it_goes_on_when_either_is_killed(together):
    first, second = together
    ana, ben = Between(first, second, "ana"), Between(second, first, "ben", first)
    for fan, other in ((ana, second), (ben, first)):
        fan.join()
        asked = {"waiting_token": fan.acknowledged["waiting_token"]}
        assert not other.client()(QUEUE, "GetQueueStatus", asked, timeout=20).HasField("error")
    ana.wait_for_turn()
    ana.be_admitted()
    assert not ana.reserve().HasField("error")
    ana.pay()
    assert ana.own().order_id
    first.kill()
    cho = Between(second, second, "cho", first)
    cho.join()
    cho.wait_for_turn()
    cho.be_admitted()
    first.start()
    again = Between(first, first, "cho")
    again.join()
    assert again.acknowledged["waiting_token"] == cho.acknowledged["waiting_token"], (
        "one place for one user, whichever process is asked"
    )
    answer = second.tacos("verify", "--dynamodb", "together-")
    assert answer.returncode == 0, answer.stdout + answer.stderr

"""`python -m tests.cloud_chaos`: purchases at `make cloud` while each of its processes is killed once (SIGKILL), and
the tables, the queues, the bus and Redis refuse everything for ten seconds, one after the other.

Fans join at one edge, ask for their place at either, and buy at either; whoever is not answered asks again under the
same key, at the other. Afterwards no seat is anybody's twice, whoever was charged has a ticket or the money back, no
job is left, and `tacos verify` finds nothing.
"""

import argparse
import asyncio
import itertools
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import grpc

from tests.cloud import TABLES, Cloud, Process, running
from tests.contract import CONTRACT
from tests.e2e.process import GATEWAY, OWN_CONNECTION, PAYMENT, QUEUE, refused_code
from traffic_tacos.app.config import Config
from traffic_tacos.app.stores import opened
from traffic_tacos.cli.options import issued
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.ports.store import JOB

EVENT = "evt_chaos"
SEATS_A_ROW, SEATS_EACH = 40, 2
PENDING, CONFIRMED = (1, 2), 3
CHARGED = (2, 3)  # or about to be; and not given back
ASKED_AGAIN_SECONDS, ASKED_AGAIN_SECONDS_MAX, CALL_SECONDS = 0.3, 3.0, 5
# Where results of payments are taken was away: the circuit to it opens for half a minute, and then for longer.
ENDED_WITHIN, AT_REST_WITHIN = 600, 300
REFUSED_SECONDS = 10
PENDING_JOBS_MAX = 1000
UNSURE = ("UNAVAILABLE", "TIMEOUT", "RATE_LIMITED")


def event_file(folder: Path, purchases: int) -> Path:
    rows = ", ".join(
        f"{{id: R{number}, seats: {SEATS_A_ROW}}}" for number in range(purchases * SEATS_EACH // SEATS_A_ROW + 1)
    )
    file = folder / "chaos.yaml"
    file.write_text(
        f"id: {EVENT}\nname: Chaos\ncurrency: KRW\nadmission: {{rate_per_second: 50, active_max: 500}}\n"
        f"sections: [{{id: MAIN, name: Main, price: 1000, rows: [{rows}]}}]\n"
    )
    return file


class Fans:
    """So many fans, each of whom wants two seats. `confirmed` is by reservation; `otherwise` counts final refusals."""

    def __init__(self, cloud: Cloud, purchases: int, at_once: int, name: str = "fan") -> None:
        self.confirmed: dict[str, Any] = {}
        self.otherwise: Counter[str] = Counter()
        self.asked_again: Counter[str] = Counter()
        self.answers = 0
        self._cloud = cloud
        self._purchases = purchases
        self._name = name
        self._places = asyncio.Semaphore(at_once)
        self._channels = [grpc.aio.insecure_channel(edge.grpc, options=OWN_CONNECTION) for edge in cloud.edges]
        self._turns = itertools.count()

    @property
    def ended(self) -> int:
        return len(self.confirmed) + sum(self.otherwise.values())

    async def buy(self) -> None:
        async with asyncio.TaskGroup() as fans:
            for number in range(self._purchases):
                fans.create_task(self._fan(f"{self._name}{number}"))

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    async def _fan(self, name: str) -> None:
        async with self._places:
            token = issued(self._cloud.data, Caller(Role.FAN, name))
            for attempt in itertools.count():  # who was too slow while somebody was killed queues up once more
                if await self._has_bought(name, token, str(attempt)):
                    return

    async def _has_bought(self, name: str, token: str, attempt: str) -> bool:
        """False when the hold came to its end before it was paid."""
        mine = {"event_id": EVENT, "user_id": name}
        joined = await self.ask(QUEUE, "JoinQueue", mine | {"session_id": name}, token)
        place = {"waiting_token": joined.waiting_token}
        while not (await self.ask(QUEUE, "GetQueueStatus", place, token)).admission_ready:
            await asyncio.sleep(ASKED_AGAIN_SECONDS)
        admission = await self.ask(QUEUE, "RequestAdmission", mine | place, token)
        if not admission.reservation_token:
            return False
        wanted = {"quantity": SEATS_EACH, "reservation_token": admission.reservation_token}
        held = await self._once("CreateReservation", mine | wanted, token, f"{name}-{attempt}-hold")
        if held.HasField("error"):
            return self._note(refused_code(held), name)
        reservation = {"reservation_id": held.reservation_id, "user_id": name}
        paying = {"amount": held.total_amount, "method": 1, "scenario": 1}
        intent = await self._once("CreatePaymentIntent", reservation | paying, token, f"{name}-{attempt}-intent")
        if intent.HasField("error"):
            return self._note(refused_code(intent), name)
        pay = {"payment_intent_id": intent.payment_intent_id, "idempotency_key": f"{name}-{attempt}-pay"}
        await self.ask(PAYMENT, "ProcessPayment", pay, token)
        while True:
            found = await self.ask(GATEWAY, "GetReservation", {"reservation_id": held.reservation_id}, token)
            if found.reservation.status not in PENDING or found.HasField("error"):
                break
            await asyncio.sleep(ASKED_AGAIN_SECONDS)
        if found.reservation.status != CONFIRMED:
            found = await self._paid_too_late(held.reservation_id, intent.payment_intent_id, token)
        if found is not None:
            self.confirmed[held.reservation_id] = found.reservation
        return found is not None

    async def _paid_too_late(self, reservation_id: str, intent_id: str, token: str) -> Any:
        """What was paid for a hold that had ended buys the seats after all, if nobody has them, and else is given back:
        the reservation; None when nothing is charged.
        """
        deadline = time.monotonic() + AT_REST_WITHIN
        asked = {"payment_intent_id": intent_id}
        while (paid := (await self.ask(GATEWAY, "GetPaymentStatus", asked, token)).payment).status in CHARGED:
            found = await self.ask(GATEWAY, "GetReservation", {"reservation_id": reservation_id}, token)
            if found.reservation.status == CONFIRMED:
                return found
            assert time.monotonic() < deadline, f"{intent_id} is charged, and bought nothing: {paid} {found}"
            await asyncio.sleep(1)
        return None

    def _note(self, code: str, name: str) -> bool:
        if code in ("FAILED_PRECONDITION", "RESERVATION_EXPIRED", "UNAUTHENTICATED"):
            return False  # the admission or the hold was over
        self.otherwise[f"{code} ({name})"] += 1
        return True

    async def _once(self, method: str, fields: Mapping[str, Any], token: str, key: str) -> Any:
        return await self.ask(GATEWAY, method, {**fields, "idempotency_key": key}, token)

    async def ask(self, service: str, name: str, fields: Mapping[str, Any], token: str) -> Any:
        """An answer of either edge, asked until there is one."""
        rpc = CONTRACT.rpc(service, name)
        request = CONTRACT.message(rpc.request)(**fields)
        for pause in backoff():
            call = self._channels[next(self._turns) % len(self._channels)].unary_unary(
                rpc.path,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=CONTRACT.message(rpc.response).FromString,
            )
            try:
                answer = await call(request, timeout=CALL_SECONDS, metadata=(("authorization", f"Bearer {token}"),))
                self.answers += 1
                why = refused_code(answer) if answer.HasField("error") else ""
                if why not in UNSURE:
                    return answer
            except grpc.aio.AioRpcError as failure:
                if failure.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise
                why = f"gRPC {failure.code().name}"
            self.asked_again[f"{name}: {why}"] += 1
            await asyncio.sleep(pause)
        raise AssertionError("nobody gives up")


def backoff() -> Iterator[float]:
    """Pauses before asking again: so that who could not answer is not asked even more."""
    for times in itertools.count():
        yield random.uniform(0.5, 1.5) * min(ASKED_AGAIN_SECONDS * 2**times, ASKED_AGAIN_SECONDS_MAX)


async def break_each(cloud: Cloud, fans: Fans, purchases: int, tell: Any) -> None:
    """Each process, and each of what they stand on, once, when so much more has been bought."""
    names = [*cloud.processes, *cloud.gates]
    for number, name in enumerate(names):
        while fans.ended < purchases * (number + 1) // (len(names) + 2):
            await asyncio.sleep(0.05)
        if name in cloud.processes:
            await _kill(cloud.processes[name])
            tell(f"{name} killed after {fans.ended} purchases")
        else:
            cloud.gates[name].shut()
            tell(f"{name} refused for {REFUSED_SECONDS} s after {fans.ended} purchases")
            await asyncio.sleep(REFUSED_SECONDS)
            cloud.gates[name].open()


async def _kill(process: Process) -> None:
    await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.wait_until_ready)


async def jobs_left(cloud: Cloud) -> list[str]:
    """Jobs that are due. Others wait for the end of what was begun and never paid."""
    clock = SystemClock()
    with patch.dict(os.environ, cloud.environment):
        async with opened(Config(dynamodb=TABLES), clock, random.Random(1)) as found:
            jobs = await found.store.scan(JOB.prefix(), limit=PENDING_JOBS_MAX)
            return [job.id for _, job in jobs if job.due_at <= clock.now()]


async def at_rest(cloud: Cloud) -> None:
    deadline = time.monotonic() + AT_REST_WITHIN
    while left := await jobs_left(cloud):
        assert time.monotonic() < deadline, left[:10]
        await asyncio.sleep(1)


async def chaos(cloud: Cloud, purchases: int, at_once: int, tell: Any) -> Fans:
    fans = Fans(cloud, purchases, at_once)
    try:
        async with asyncio.timeout(ENDED_WITHIN + purchases), asyncio.TaskGroup() as tasks:
            tasks.create_task(fans.buy())
            tasks.create_task(break_each(cloud, fans, purchases, tell))
        seats = Counter(seat.id for one in fans.confirmed.values() for seat in one.seats)
        assert max(seats.values()) == 1, [seat for seat, times in seats.items() if times > 1]
        assert all(one.order_id and len(one.seats) == SEATS_EACH for one in fans.confirmed.values())
        await at_rest(cloud)
    finally:
        await fans.close()
    verified = await asyncio.to_thread(cloud.tacos, "verify", "--grpc", cloud.edges[0].grpc)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return fans


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cloud_chaos")
    parser.add_argument("--purchases", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=32, help="how many fans buy at one moment")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        event = event_file(Path(folder), asked.purchases)
        with running(Path(folder), tell=print, has_gates=True, event=[str(event)], time_scale=100.0) as cloud:
            begun = time.monotonic()
            fans = asyncio.run(chaos(cloud, asked.purchases, asked.at_once, print))
            print(
                f"{len(fans.confirmed)} of {asked.purchases} bought in {time.monotonic() - begun:.0f} s, each of "
                f"{len(cloud.processes)} processes killed once, {', '.join(cloud.gates)} refusing for "
                f"{REFUSED_SECONDS} s each, {fans.asked_again.total()} calls asked again; refused: "
                f"{dict(fans.otherwise) or 'none'}; no seat sold twice, no job left, verify is clean"
            )


if __name__ == "__main__":
    main()

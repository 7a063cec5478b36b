"""Whoever else wants to hear of payments in a simulated sale: endpoints that are slow, silent or broken for a while.

However many they are, the platform's own work waits for none of them; and in the end each has heard everything.
"""

import json
from collections.abc import Mapping

from tests.simulation.world import Broken, World
from traffic_tacos.gen.gateway.v1 import webhook_pb2
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.rooms.payment.model import Payment
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.records import RESERVATION

REGISTER = "gateway.v1.WebhookService/RegisterWebhook"
COUNT = 40  # more than the platform has places for one kind of its own work
SLOW_SECONDS = 25
CONFIRMED_WITHIN_SECONDS = 20  # lost webhooks and a pulled lever included, but less than a slow endpoint takes


class Receivers:
    def __init__(self, world: World) -> None:
        self._world = world
        self._heard: dict[str, set[str]] = {}
        self._is_calm = False

    async def register(self) -> None:
        """All of them, until the platform has said that it knows each."""
        for number in range(COUNT):
            url = f"https://receiver-{number}.example"
            self._heard[url] = set()
            self._world.servers[url] = self._server(url, number)
            request = webhook_pb2.RegisterWebhookRequest(
                service_name=f"receiver-{number}",
                endpoint_url=f"{url}/hook",
                event_types=[webhook_pb2.WEBHOOK_EVENT_TYPE_PAYMENT_APPROVED],
                secret="whsec_" + "QUJDREVG" * 4,
            )
            while (answer := await self._world.operate(REGISTER, request)) is None or answer.HasField("error"):
                await self._world.clock.sleep(0.1)

    def calm(self) -> None:
        """Each answers at once from now on."""
        self._is_calm = True

    def check(self) -> None:
        """At rest everybody has heard of every payment that came, and no ticket waited for them."""
        payments = {payment.id: payment for _, payment in self._world.records().all(PAYMENT)}
        paid = {one.id for one in payments.values() if one.status in (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)}
        for url, heard in self._heard.items():
            if paid - heard:
                raise Broken(f"at rest: {url} never heard of {sorted(paid - heard)[0]}")
        if self._heard and not self._world.crashes:  # while the platform is down nothing is confirmed
            self._check_confirmed_in_time(payments)

    def _check_confirmed_in_time(self, payments: Mapping[str, Payment]) -> None:
        for _, reservation in self._world.records().all(RESERVATION):
            payment = payments.get(reservation.payment_intent_id)
            if reservation.confirmed_at is None or payment is None or payment.processed_at is None:
                continue
            seconds = (reservation.confirmed_at - payment.processed_at) / SECOND
            if seconds > CONFIRMED_WITHIN_SECONDS:
                raise Broken(f"{reservation.id} was confirmed {seconds:.1f} s after its payment")

    def _server(self, url: str, number: int):
        async def take(headers: Mapping[str, str], body: bytes) -> HttpAnswer:
            if not self._is_calm:
                match number % 4:
                    case 0:
                        await self._world.clock.sleep(SLOW_SECONDS)
                    case 1:
                        await self._world.clock.sleep(10 * SLOW_SECONDS)  # longer than anybody waits
                    case 2:
                        return HttpAnswer(500)
                    case _:
                        raise Fault("injected: the connection was reset")
            self._heard[url].add(json.loads(body)["data"]["payment_intent_id"])
            return HttpAnswer(200)

        return take

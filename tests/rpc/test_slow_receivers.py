"""However many receivers are slow, the platform's own work waits for none of them, and neither does a prompt one."""

import asyncio

import pytest

from tests.rpc.desk import PAYMENT, code, on_platform
from tests.rpc.test_endpoints import APPROVED, Receiver
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.http import HttpAnswer

SLOW_SECONDS = 25
CONFIRMED = reservation_pb2.RESERVATION_STATUS_CONFIRMED
PURCHASES = 12
HALL = """
id: evt_hall
name: Hall
currency: KRW
admission: {rate_per_second: 1000, active_max: 1000}
sections: [{id: PIT, name: Standing, price: 30000, standing: 5000}]
"""


class SlowReceiver(Receiver):
    """It answers 200, after 25 seconds."""

    async def take(self, headers, body):
        self.heard.append((self.desk.clock.now(), headers, body))
        await asyncio.sleep(SLOW_SECONDS)
        return HttpAnswer(200)


async def open_hall(desk):
    desk.checks_every_commit = False
    request = catalog_pb2.CreateEventRequest(document=HALL)
    created = await desk.ask("tacos.catalog.v1.CatalogService/CreateEvent", request, desk.token(Role.ADMIN, "op"))
    assert not created.HasField("error"), created.error


async def confirmed_after(desk, fan: str) -> float:
    """How many seconds after paying the fan has a ticket."""
    held = await desk.held(fan, 1, event_id="evt_hall")
    began = desk.clock.now()
    await desk.pay(fan, held)
    while (await desk.reservation(held.reservation_id)).status != CONFIRMED:
        await desk.clock.sleep(0.05)
    return (desk.clock.now() - began) / SECOND


async def registered(receivers) -> None:
    for receiver in receivers:
        assert code(await receiver.register(APPROVED)) == ""
        await receiver.desk.clock.sleep(0.01)


@pytest.mark.parametrize("count", [40, 400])
def test_purchases_are_confirmed_as_fast_as_without_slow_endpoints_and_a_prompt_one_hears_at_once(count):
    @on_platform
    async def run(desk):
        await open_hall(desk)
        without = max([await confirmed_after(desk, f"early{n}") for n in range(3)])
        slow = [SlowReceiver(desk, f"slow{n}") for n in range(count)]
        await registered(slow)
        prompt = Receiver(desk, "prompt")
        await registered([prompt])
        for number in range(PURCHASES):
            assert await confirmed_after(desk, f"fan{number}") < without + 6  # the bank's own time differs by as much
            await desk.clock.sleep(1)
            assert len(prompt.heard) == number + 1
        await desk.clock.sleep((PURCHASES + 1) * SLOW_SECONDS)
        assert all(len(one.heard) == PURCHASES for one in slow)

    run()


@on_platform
async def test_a_crowd_at_the_door_of_slow_endpoints_delays_no_ticket(desk):
    """Far more webhooks wait than there are places, and whoever registers now is heard at once all the same."""
    await open_hall(desk)
    slow = [SlowReceiver(desk, f"slow{n}") for n in range(60)]
    await registered(slow)
    await asyncio.gather(*(confirmed_after(desk, f"crowd{n}") for n in range(30)))
    assert desk.platform.engines.jobs.figures().pending > 1000
    late = Receiver(desk, "late")
    await registered([late])
    took = await confirmed_after(desk, "ana")
    assert took < 7
    await desk.clock.sleep(1)
    assert len(late.heard) == 1


@on_platform
async def test_slow_addresses_that_intents_name_delay_no_ticket(desk):
    """Nor do they when they are on the very server that the platform itself hears on."""
    await open_hall(desk)
    own = desk.platform.config.webhook_url
    for number in range(40):
        fan = f"other{number}"
        held = await desk.held(fan, 1, event_id="evt_hall")
        url = f"{own}/slow{number}" if number % 2 else f"https://elsewhere{number}.example/"
        desk.servers[url] = SlowReceiver(desk, f"named{number}").take
        intent = await desk.as_service(
            PAYMENT + "CreatePaymentIntent",
            payment_pb2.CreatePaymentIntentRequest(
                reservation_id=held.reservation_id,
                amount=held.total_amount,
                user_id=fan,
                method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
                scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
                webhook_url=url,
                idempotency_key=desk.key(),
            ),
        )
        assert not intent.HasField("error"), intent.error
        pay = payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id, idempotency_key=desk.key())
        await desk.as_fan(PAYMENT + "ProcessPayment", pay, fan)
    for number in range(5):
        assert await confirmed_after(desk, f"fan{number}") < 7

"""`python -m bench.purchase`: whole purchases a second through gRPC, synced to disk, by 1 and by 64 callers.

A purchase is a reservation through the gateway, its payment intent, the payment, the bank's answer (after a few
milliseconds: its times are divided by 1,000), the signed webhook over HTTP, and the order, which the caller sees by
asking for the reservation every 100 ms. CPU is the platform's own. With `--watch` every fan (there are 200) has both
streams open, of reservations and of payments, and it is measured how long after it was true each update was read.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import grpc
from rich.console import Console

from bench import servers
from bench.__main__ import event_file, reservations
from traffic_tacos.cli.shown import Listing
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc, websocket_pb2, websocket_pb2_grpc
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2

BOUGHT_WITHIN = 30
LISTENED_AFTER = 1.0
POLLED_EVERY = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.purchase")
    parser.add_argument("--purchases", type=int, default=1500)
    parser.add_argument("--watch", action="store_true", help="every fan reads both of their streams")
    asked = parser.parse_args()
    late: list[float] = []
    console = Console()
    table = Listing("callers", "purchases", "purchases/s", "platform CPU ms/purchase", "p50 ms", "p95 ms")
    with tempfile.TemporaryDirectory() as folder:
        event, data = event_file(Path(folder)), Path(folder) / "data"
        with servers.platform(data, "--event", str(event), "--time-scale", "1000") as (pid, address):
            bodies, tokens = reservations(data, asked.purchases)
            for callers, share in ((1, asked.purchases // 10), (64, asked.purchases)):
                console.print(f"{share} purchases by {callers} …")
                before = servers.cpu_seconds(pid)
                begun = time.perf_counter()
                took = sorted(
                    asyncio.run(_buy(address, bodies[:share], tokens[:share], callers, late if asked.watch else None))
                )
                seconds = time.perf_counter() - begun
                cpu = (servers.cpu_seconds(pid) - before) / share
                bodies, tokens = bodies[share:], tokens[share:]
                shown = (took[len(took) // 2] * 1000, took[len(took) * 95 // 100] * 1000)
                rate = f"{share / seconds:,.0f}"
                table.add(str(callers), str(share), rate, f"{cpu * 1000:.1f}", *(f"{ms:.0f}" for ms in shown))
    table.print()
    if late:
        late.sort()
        half, most, last = (late[len(late) * share // 100] * 1000 for share in (50, 95, 99))
        console.print(f"{len(late):,} updates, read after {half:.0f} ms (P50), {most:.0f} (P95), {last:.0f} (P99)")


async def _buy(
    address: str, bodies: list[bytes], tokens: list[str], callers: int, late: list[float] | None
) -> list[float]:
    """How long each purchase took, from asking for seats to seeing the order; and how late updates were."""
    took: list[float] = []
    waiting = iter(list(zip(bodies, tokens, strict=True)))
    async with grpc.aio.insecure_channel(address) as channel:
        gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
        payments = payment_pb2_grpc.PaymentServiceStub(channel)

        async def caller() -> None:
            for body, token in waiting:
                begun = time.perf_counter()
                request = gateway_pb2.CreateReservationRequest.FromString(body)
                await purchase(gateway, payments, request, (("authorization", f"Bearer {token}"),))
                took.append(time.perf_counter() - begun)

        readers = [] if late is None else _readers(channel, bodies, tokens, late)
        await asyncio.gather(*(caller() for _ in range(callers)))
        await asyncio.sleep(LISTENED_AFTER if readers else 0)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return took


def _readers(channel, bodies: list[bytes], tokens: list[str], late: list[float]) -> list["asyncio.Task[None]"]:
    """Both streams of every fan, read as they come."""
    updates = websocket_pb2_grpc.WebSocketServiceStub(channel)
    fans = {
        gateway_pb2.CreateReservationRequest.FromString(body).user_id: token
        for body, token in zip(bodies, tokens, strict=True)
    }

    async def read(stream) -> None:
        begun = time.time()
        async for update in stream:
            at = update.timestamp.ToMilliseconds() / 1000
            if at > begun:  # not of what stood already
                late.append(time.time() - at)

    tasks = []
    for fan, token in fans.items():
        mine = (("authorization", f"Bearer {token}"),)
        reservations_ = updates.StreamReservationUpdates(
            websocket_pb2.StreamReservationRequest(user_id=fan), metadata=mine
        )
        payments = updates.StreamPaymentUpdates(websocket_pb2.StreamPaymentRequest(user_id=fan), metadata=mine)
        tasks += [asyncio.create_task(read(reservations_)), asyncio.create_task(read(payments))]
    return tasks


async def purchase(gateway, payments, request, mine) -> None:
    held, intent = await begun(gateway, request, mine)
    await bought(gateway, payments, request, mine, held, intent)


async def bought(gateway, payments, request, mine, held, intent) -> None:
    """Paid, until its order is seen."""
    process = payment_pb2.ProcessPaymentRequest(
        payment_intent_id=intent.payment_intent_id, idempotency_key=f"p-{request.idempotency_key}"
    )
    answer = await payments.ProcessPayment(process, metadata=mine)
    assert not answer.HasField("error"), answer.error
    shown = gateway_pb2.GetReservationRequest(reservation_id=held.reservation_id)
    async with asyncio.timeout(BOUGHT_WITHIN):
        while True:
            await asyncio.sleep(POLLED_EVERY)
            reservation = (await gateway.GetReservation(shown, metadata=mine)).reservation
            if reservation.status == reservation_pb2.RESERVATION_STATUS_CONFIRMED:
                return


async def begun(gateway, request, mine):
    """A reservation and its payment intent."""
    held = await gateway.CreateReservation(request, metadata=mine)
    assert not held.HasField("error"), held.error
    intent = await gateway.CreatePaymentIntent(
        gateway_pb2.CreatePaymentIntentRequest(
            reservation_id=held.reservation_id,
            amount=held.total_amount,
            user_id=request.user_id,
            method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
            scenario=payment_pb2.PAYMENT_SCENARIO_APPROVE,
            idempotency_key=f"i-{request.idempotency_key}",
        ),
        metadata=mine,
    )
    assert not intent.HasField("error"), intent.error
    return held, intent


if __name__ == "__main__":
    main()

"""`tacos buy`: one purchase, step by step, as a person would watch it."""

import asyncio
from typing import Annotated

import grpc as grpcio
import typer
from rich.console import Console

from traffic_tacos.cli import options
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc, queue_pb2, queue_pb2_grpc
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import new_id
from traffic_tacos.wire import answered

SCENARIOS = ("approve", "fail", "delay", "random", "timeout")
ASKED_EVERY_SECONDS = 0.5
PAID_WITHIN_SECONDS = 90


def buy(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    quantity: Annotated[int, typer.Option(help="How many seats, side by side.")] = 1,
    seats: Annotated[str, typer.Option(help="These seats instead, separated by commas.")] = "",
    scenario: Annotated[str, typer.Option(help=f"What the simulated bank does: {', '.join(SCENARIOS)}.")] = "approve",
    user: Annotated[str, typer.Option(help="Who buys; a new fan unless named.")] = "",
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
    data: options.Data = options.DEFAULTS.data,
) -> None:
    """Buy tickets: join the line, be admitted, hold seats, pay, own them. Exit code 1 when it comes to nothing.

    Example: [bold]tacos buy evt_taco_club --quantity 2[/]
    """
    if scenario not in SCENARIOS:
        raise Refusal.of_field("scenario", f"must be one of {', '.join(SCENARIOS)}", scenario)
    fan = user or new_id("fan", options.randomness())
    wanted = [seat.strip() for seat in seats.split(",") if seat.strip()]
    token = options.issued(data, Caller(Role.FAN, fan))
    asyncio.run(_buy(event, wanted, len(wanted) or quantity, scenario, fan, token, grpc))


async def _buy(event: str, seats: list[str], quantity: int, scenario: str, fan: str, token: str, address: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    metadata = options.bearer(token)
    async with options.connected(address) as channel:
        gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
        admitted = await _admitted(queue_pb2_grpc.QueueServiceStub(channel), event, fan, metadata, console)
        held = await answered(
            gateway.CreateReservation(
                gateway_pb2.CreateReservationRequest(
                    event_id=event,
                    seat_ids=seats,
                    quantity=quantity,
                    user_id=fan,
                    reservation_token=admitted,
                    idempotency_key=new_id("key", options.randomness()),
                ),
                metadata=metadata,
            )
        )
        names = ", ".join(seat.id for seat in held.reserved_seats)
        total = held.total_amount
        console.print(
            f"3. [bold]{names}[/] held for 60 seconds: {total.amount} {total.currency} ({held.reservation_id})"
        )
        await _pay(channel, held, scenario, fan, metadata, console)
        await _owned(gateway, held.reservation_id, metadata, console)


async def _admitted(
    queue: "queue_pb2_grpc.QueueServiceAsyncStub",
    event: str,
    fan: str,
    metadata: tuple[tuple[str, str], ...],
    console: Console,
) -> str:
    """Join the line, wait for the turn, and take it: the reservation token."""
    joined = await queue.JoinQueue(
        queue_pb2.JoinQueueRequest(event_id=event, user_id=fan, session_id=fan), metadata=metadata
    )
    if not joined.waiting_token:
        raise Refusal(Code(joined.error.code), joined.error.message)
    place = f"at place {joined.position_hint}" if joined.position_hint else "before the sale, when places are drawn"
    console.print(f"1. {fan} joined the line of {event} {place}")
    with console.status("waiting for the turn …"):
        while True:
            status = await answered(
                queue.GetQueueStatus(queue_pb2.GetQueueStatusRequest(waiting_token=joined.waiting_token))
            )
            if status.admission_ready:
                break
            if status.status != queue_pb2.QUEUE_STATUS_WAITING and status.status != queue_pb2.QUEUE_STATUS_READY:
                raise Refusal(Code.FAILED_PRECONDITION, "the place in the line has ended; join again")
            await asyncio.sleep(ASKED_EVERY_SECONDS)
    admission = await answered(
        queue.RequestAdmission(
            queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=event, user_id=fan),
            metadata=metadata,
        )
    )
    console.print(f"2. admitted for {admission.ttl_seconds} seconds")
    return admission.reservation_token


async def _pay(
    channel: grpcio.aio.Channel,
    held: gateway_pb2.CreateReservationResponse,
    scenario: str,
    fan: str,
    metadata: tuple[tuple[str, str], ...],
    console: Console,
) -> None:
    intent = await answered(
        gateway_pb2_grpc.GatewayServiceStub(channel).CreatePaymentIntent(
            gateway_pb2.CreatePaymentIntentRequest(
                reservation_id=held.reservation_id,
                amount=held.total_amount,
                user_id=fan,
                method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
                scenario=f"PAYMENT_SCENARIO_{scenario.upper()}",
                idempotency_key=new_id("key", options.randomness()),
            ),
            metadata=metadata,
        )
    )
    await answered(
        payment_pb2_grpc.PaymentServiceStub(channel).ProcessPayment(
            payment_pb2.ProcessPaymentRequest(
                payment_intent_id=intent.payment_intent_id, idempotency_key=new_id("key", options.randomness())
            ),
            metadata=metadata,
        )
    )
    console.print(f"4. payment {intent.payment_intent_id} is with the bank")


async def _owned(
    gateway: "gateway_pb2_grpc.GatewayServiceAsyncStub",
    reservation_id: str,
    metadata: tuple[tuple[str, str], ...],
    console: Console,
) -> None:
    """Wait until the reservation is an order, or is none any more."""
    request = gateway_pb2.GetReservationRequest(reservation_id=reservation_id)
    with console.status("waiting for the bank …"):
        async with asyncio.timeout(PAID_WITHIN_SECONDS):
            while True:
                reservation = (await answered(gateway.GetReservation(request, metadata=metadata))).reservation
                if reservation.status != reservation_pb2.RESERVATION_STATUS_PENDING:
                    break
                await asyncio.sleep(ASKED_EVERY_SECONDS)
    if reservation.status != reservation_pb2.RESERVATION_STATUS_CONFIRMED:
        name = reservation_pb2.ReservationStatus.Name(reservation.status).removeprefix("RESERVATION_STATUS_")
        raise Refusal(Code.PAYMENT_NOT_APPROVED, f"the payment came to nothing: the reservation is {name}")
    seats = ", ".join(seat.id for seat in reservation.seats)
    console.print(f"5. [green]{seats} are yours[/], order [bold]{reservation.order_id}[/]")
